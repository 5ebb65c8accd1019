/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmconf_index - which line of a VM config holds a key of a section, or begins a section.
 *
 * For vmconf.c only.  A hash table with open addressing over line numbers, so that reading stays
 * linear whatever the file contains; the names themselves are those the lines and sections have.
 */
#ifndef VMCONF_INDEX_H
#define VMCONF_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct vmconf;

struct vmconf_index {
	uint32_t *slots;	/* line number + 1, 0 = free */
	uint32_t mask;
};

#define VMCONF_INDEX_NONE	((size_t)-1)

/* Room for one entry per line.  -ENOMEM. */
int vmconf_index_init(struct vmconf_index *x, size_t n_lines);
void vmconf_index_release(struct vmconf_index *x);

/* Keys are told apart by their section's index, section names by this. */
uint32_t vmconf_index_tag(unsigned section_kind);

/* Makes line `i` the one for (tag, name); the line it was before, or VMCONF_INDEX_NONE. */
size_t vmconf_index_put(struct vmconf_index *x, const struct vmconf *c, uint32_t tag,
			const char *name, size_t i);
size_t vmconf_index_get(const struct vmconf_index *x, const struct vmconf *c, uint32_t tag,
			const char *name);

#endif
