/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hash table behind a VM config's model. */
#include "vmconf_index.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "vmconf.h"

int vmconf_index_init(struct vmconf_index *x, size_t n_lines)
{
	size_t n = 16;

	while (n < n_lines * 2)
		n *= 2;
	x->slots = calloc(n, sizeof(*x->slots));
	x->mask = (uint32_t)(n - 1);
	return x->slots ? 0 : -ENOMEM;
}

void vmconf_index_release(struct vmconf_index *x)
{
	free(x->slots);
	x->slots = NULL;
}

uint32_t vmconf_index_tag(unsigned section_kind)
{
	return UINT32_MAX - section_kind;
}

/* FNV-1a over the tag and the name. */
static uint32_t hash(uint32_t tag, const char *name)
{
	uint32_t h = 2166136261U;

	for (unsigned i = 0; i < 4; i++)
		h = (h ^ (tag >> 8 * i & 0xff)) * 16777619U;
	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619U;
	return h;
}

static bool is_entry(const struct vmconf *c, size_t i, uint32_t tag, const char *name)
{
	const struct vmconf_line *line = &c->lines[i];
	const struct vmconf_section *s = &c->sections[line->section];

	if (line->kind == VMCONF_HEADER)
		return tag == vmconf_index_tag(s->kind) && strcmp(s->name, name) == 0;
	return tag == line->section && strcmp(line->key, name) == 0;
}

static uint32_t *find(const struct vmconf_index *x, const struct vmconf *c, uint32_t tag,
		      const char *name)
{
	uint32_t at = hash(tag, name) & x->mask;

	while (x->slots[at] && !is_entry(c, x->slots[at] - 1, tag, name))
		at = (at + 1) & x->mask;
	return &x->slots[at];
}

size_t vmconf_index_put(struct vmconf_index *x, const struct vmconf *c, uint32_t tag,
			const char *name, size_t i)
{
	uint32_t *slot = find(x, c, tag, name);
	size_t old = *slot ? *slot - 1 : VMCONF_INDEX_NONE;

	*slot = (uint32_t)(i + 1);
	return old;
}

size_t vmconf_index_get(const struct vmconf_index *x, const struct vmconf *c, uint32_t tag,
			const char *name)
{
	uint32_t *slot = find(x, c, tag, name);

	return *slot ? *slot - 1 : VMCONF_INDEX_NONE;
}
