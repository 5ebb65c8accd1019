// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings for programs. */
#include <string.h>

#include "out.h"

static void add_row(struct json *j, struct json_object *list, const struct mapping_row *row)
{
	struct json_object *o = json_add_object(j, list, NULL);

	json_add_text(j, o, "name", row->name);
	json_add_text(j, o, "node", row->node);
	json_add_word(j, o, "path", row->paths);
	json_add_text(j, o, "id", row->id);
	json_add_text(j, o, "subsystem", row->subsystem);
	json_add_text(j, o, "group", row->group);
	json_add_bool(j, o, "here", row->here);
	json_add_word(j, o, "problem", row->problem);
}

void json_mapping(struct out *o, const struct mapping_result *r)
{
	struct json *j = &o->json;
	struct json_object *root = json_root(j), *list;

	json_add_text(j, root, "result", r->what);
	json_add_text(j, root, "path", r->path);
	if (strcmp(r->what, "list") != 0) {
		json_add_bool(j, root, "dry_run", r->dry_run);
		json_add_bytes(j, root, "diff", r->diff, strlen(r->diff));
		return;
	}
	list = json_add_array(j, root, "mappings");
	for (size_t i = 0; i < r->n; i++)
		add_row(j, list, &r->rows[i]);
}
