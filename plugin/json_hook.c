// SPDX-License-Identifier: GPL-2.0-or-later
/* The snippet and its users, for programs. */
#include <string.h>

#include "out.h"

static void add_user(struct json *j, struct json_object *list, const struct hook_user *v)
{
	static const char *const exists[] = { NULL, "yes", "no" };
	struct json_object *o = json_add_object(j, list, NULL);

	json_add_text(j, o, "node", v->node);
	json_add_number(j, o, "vmid", v->vmid);
	json_add_text(j, o, "kind", v->container ? "lxc" : "qemu");
	json_add_word(j, o, "hookscript", v->volid);
	json_add_bool(j, o, "ours", v->ours);
	json_add_text(j, o, "exists", exists[v->exists]);
	json_add_number(j, o, "devices", v->devices);
	json_add_word(j, o, "problem", v->problem);
}

void json_hook(struct out *o, const struct hook_result *r)
{
	struct json *j = &o->json;
	struct json_object *root = json_root(j), *list;

	json_add_text(j, root, "result", r->what);
	if (strcmp(r->what, "status") != 0) {
		json_add_bool(j, root, "dry_run", r->dry_run);
		json_add_text(j, root, "storage", r->storage);
		json_add_text(j, root, "volume", r->volid);
		json_add_text(j, root, "path", r->path);
		return;
	}
	list = json_add_array(j, root, "guests");
	for (size_t i = 0; i < r->n; i++)
		add_user(j, list, &r->users[i]);
}
