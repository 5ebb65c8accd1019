// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings for people. */
#include <string.h>

#include "out.h"
#include "text.h"

static void put_rows(struct out *o, const struct mapping_result *r)
{
	struct table t = TABLE_INIT;

	table_row(&t);
	table_cell(&t, "NAME");
	table_cell(&t, "NODE");
	table_cell(&t, "PATH");
	table_cell(&t, "ID");
	table_cell(&t, "SUBSYSTEM");
	table_cell(&t, "GROUP");
	for (size_t i = 0; i < r->n; i++) {
		const struct mapping_row *row = &r->rows[i];

		table_row(&t);
		table_cell(&t, "%s", row->name);
		table_cell(&t, "%s", row->node ? row->node : "-");
		table_cell(&t, "%s", row->paths[0] ? row->paths : "-");
		table_cell(&t, "%s", row->id ? row->id : "-");
		table_cell(&t, "%s", row->subsystem ? row->subsystem : "-");
		table_cell(&t, "%s", row->group ? row->group : "-");
	}
	for (size_t i = 0; i < t.n; i++) {
		table_print_row(&t, o, i, 0);
		if (i && r->rows[i - 1].problem[0]) {
			fputs("  → ", o->to);
			text_wrap(o, TONE_BAD, 4, 4, "%s", r->rows[i - 1].problem);
		}
	}
	table_release(&t);
}

void text_mapping(struct out *o, const struct mapping_result *r)
{
	if (strcmp(r->what, "list") == 0) {
		if (r->n)
			put_rows(o, r);
		else
			fputs("There are no mappings.\n", o->to);
		return;
	}
	text_diff(o, r->diff);
	if (strcmp(r->what, "unchanged") == 0)
		fputs("There is nothing to change.\n", o->to);
	else if (r->dry_run)
		text_wrap(o, TONE_PLAIN, 0, 2, "This would be written to %s.", r->path);
	else
		text_wrap(o, TONE_GOOD, 0, 2, "Written to %s.", r->path);
}
