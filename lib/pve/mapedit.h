/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapedit - changes single lines of /etc/pve/mapping/pci.cfg and no other byte of it.
 *
 * Comments, other mappings, properties that we do not know and lines that Proxmox drops stay.  What
 * was changed is read back before it counts.  A mapping that is defined twice counts as its last
 * definition, as Proxmox has it, and is taken away as a whole.
 */
#ifndef MAPEDIT_H
#define MAPEDIT_H

#include "mapping.h"
#include "str.h"

struct mapedit {
	struct section_file now;	/* as it is with the changes made so far; owned */
};

/* No bytes at all (len 0) are an empty file. */
int mapedit_init(struct mapedit *ed, const char *bytes, size_t len, struct err *e) _must_check_;
void mapedit_release(struct mapedit *ed);

/* Adds a `map` line to a mapping, which is created when there is none. */
int mapedit_add(struct mapedit *ed, const char *name, const char *map, struct err *e) _must_check_;

/* Replaces the value of `map` line number `i` (counted within the mapping, from 0), or removes it (NULL). */
int mapedit_replace(struct mapedit *ed, const char *name, size_t i, const char *map, struct err *e) _must_check_;

/* -ENOENT: there is no such mapping. */
int mapedit_remove(struct mapedit *ed, const char *name, struct err *e) _must_check_;

/* The mapping's `map` lines; *ret_n of them are put into list[], which has room for `max`. */
void mapedit_maps(const struct section *s, const struct section_prop *list[], size_t max, size_t *ret_n);

#endif
