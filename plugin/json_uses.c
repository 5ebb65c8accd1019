// SPDX-License-Identifier: GPL-2.0-or-later
/* Who uses a function, for programs. */
#include "inuse.h"
#include "json.h"
#include "out.h"

static const char *place_name(enum inuse_place place)
{
	static const char *const names[] = {
		[INUSE_ON_HOST] = "host", [INUSE_OF_USER] = "user", [INUSE_IN_CONTAINER] = "container", [INUSE_OF_VM] = "vm",
	};

	return names[place];
}

static void add_who(struct json *j, struct json_object *in, const struct inuse_who *who)
{
	struct json_object *o;

	if (!who->pid) {
		json_add_null(j, in, "who");
		return;
	}
	o = json_add_object(j, in, "who");
	json_add_number(j, o, "pid", who->pid);
	json_add_text(j, o, "comm", who->comm);
	json_add_word(j, o, "unit", who->unit);
	json_add_text(j, o, "place", place_name(who->place));
	json_add_word(j, o, "place_id", who->place_id);
}

void json_uses(struct json *j, struct json_object *in, const struct inuse *u, struct bdf a)
{
	struct json_object *list = json_add_array(j, in, "uses"), *o;

	for (size_t i = 0; u && i < u->n; i++) {
		const struct inuse_finding *f = &u->v[i];

		if (!bdf_same(f->bdf, a))
			continue;
		o = json_add_object(j, list, NULL);
		json_add_text(j, o, "kind", inuse_kind_name(f->kind));
		json_add_text(j, o, "weight", inuse_weight_name(f->weight));
		json_add_word(j, o, "object", f->object);
		add_who(j, o, &f->who);
		json_add_text(j, o, "text", f->text);
	}
}
