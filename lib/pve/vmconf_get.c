/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds sections, keys and pending removals in a VM config that was read. */
#include <string.h>

#include "schema_scan.h"
#include "vmconf.h"
#include "vmconf_index.h"

const struct vmconf_section *vmconf_section(const struct vmconf *c, enum vmconf_section_kind kind,
					    const char *name)
{
	size_t line;

	if (kind == VMCONF_MAIN)
		return c->sections;
	if (kind == VMCONF_PENDING)
		name = "pending";
	line = vmconf_index_get(c->index, c, vmconf_index_tag(kind), name);
	return line == VMCONF_INDEX_NONE ? NULL : &c->sections[c->lines[line].section];
}

const struct vmconf_line *vmconf_find(const struct vmconf *c, const struct vmconf_section *s,
				      const char *key)
{
	const struct vmconf_line *line;
	size_t i;

	if (!s)
		return NULL;
	i = vmconf_index_get(c->index, c, (uint32_t)(s - c->sections), key);
	if (i == VMCONF_INDEX_NONE)
		return NULL;
	line = &c->lines[i];
	return line->verdict == VMCONF_SKIPPED ? NULL : line;
}

const char *vmconf_get(const struct vmconf *c, const struct vmconf_section *s, const char *key)
{
	const struct vmconf_line *line = vmconf_find(c, s, key);

	return line ? line->value : NULL;
}

const char *vmconf_current(const struct vmconf *c, const char *key)
{
	return vmconf_get(c, c->sections, key);
}

const struct vmconf_line *vmconf_next(const struct vmconf *c, const struct vmconf_section *s,
				      const struct vmconf_line *prev)
{
	for (size_t i = prev ? (size_t)(prev - c->lines) + 1 : s->first; i < s->end; i++)
		if (c->lines[i].kind == VMCONF_KEY && c->lines[i].verdict == VMCONF_KEPT)
			return &c->lines[i];
	return NULL;
}

static bool is_separator(char c)
{
	return scan_is_space(c) || c == ',' || c == ';';
}

static bool is_inside(char c)
{
	return !is_separator(c);
}

bool vmconf_deletes(const struct vmconf *c, const char *key, bool *ret_force)
{
	const struct vmconf_section *pending = vmconf_section(c, VMCONF_PENDING, NULL);
	const struct vmconf_line *line = vmconf_find(c, pending, "delete");
	struct scan list = line ? scan_of(line->value, line->value_len) : scan_of("", 0);
	bool found = false;

	/* Of several mentions the last one decides about the force. */
	while (scan_while(&list, is_separator), !scan_done(&list)) {
		bool force = scan_char(&list, '!');
		struct slice name = { list.p, 0 };

		name.len = scan_while(&list, is_inside);
		if (!slice_is(name, key))
			continue;
		found = true;
		if (ret_force)
			*ret_force = force;
	}
	return found;
}
