// SPDX-License-Identifier: GPL-2.0-or-later
/* What was changed in a config, for programs. */
#include <string.h>

#include "out.h"

static void add_refusal(struct json *j, struct json_object *list, const struct refusal *x)
{
	struct json_object *o = json_add_object(j, list, NULL);

	json_add_text(j, o, "id", x->id);
	json_add_word(j, o, "address", x->address);
	json_add_text(j, o, "reason", x->reason);
	json_add_word(j, o, "hint", x->hint);
}

void json_edit(struct out *o, const struct edit_result *r)
{
	struct json *j = &o->json;
	struct json_object *root = json_root(j), *list;

	json_add_number(j, root, "vmid", r->vmid);
	json_add_text(j, root, "command", r->verb);
	json_add_bool(j, root, "dry_run", r->dry_run);
	json_add_bool(j, root, "written", r->written);
	json_add_bool(j, root, "running", r->running);
	json_add_text(j, root, "path", r->path);
	json_add_bytes(j, root, "diff", r->diff, strlen(r->diff));
	json_add_text(j, root, "digest", r->digest);
	list = json_add_array(j, root, "keys");
	for (size_t i = 0; i < r->n_keys; i++)
		json_add_text(j, list, NULL, r->keys[i]);
	list = json_add_array(j, root, "refusals");
	for (size_t i = 0; i < r->n_refusals; i++)
		add_refusal(j, list, &r->refusals[i]);
}
