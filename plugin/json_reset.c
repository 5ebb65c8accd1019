// SPDX-License-Identifier: GPL-2.0-or-later
/* Resets and trials for programs. */
#include "json.h"
#include "out.h"
#include "show.h"
#include "trial.h"

static void add_refusals(struct json *j, struct json_object *in, const struct plan *p)
{
	struct json_object *list = json_add_array(j, in, "refusals");

	for (size_t i = 0; i < p->n_refusals; i++) {
		struct json_object *o = json_add_object(j, list, NULL);

		json_add_text(j, o, "id", p->refusals[i].id);
		json_add_word(j, o, "address", p->refusals[i].address);
		json_add_text(j, o, "reason", p->refusals[i].reason);
		json_add_word(j, o, "hint", p->refusals[i].hint);
	}
}

static void add_functions(struct json *j, struct json_object *in, const struct trial *t, bool seen)
{
	struct json_object *list = json_add_array(j, in, "functions");

	for (size_t i = 0; i < t->view.plan.n_devices; i++) {
		struct json_object *o = json_add_object(j, list, NULL);

		json_add_address(j, o, "address", t->view.plan.devices[i].bdf);
		json_add_word(j, o, "driver", t->view.plan.devices[i].driver);
		if (!seen || i >= t->n)
			continue;
		json_add_text(j, o, "health", health_name(t->fns[i].after.verdict));
		json_add_word(j, o, "said", t->fns[i].after.what);
		json_add_word(j, o, "link", health_link(t->fns[i].after.link).s);
	}
}

static const char *methods_of(const struct plan *p)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_RESET)
			return p->steps[i].to;
	return "";
}

void json_reset(struct out *o, const struct reset_outcome *r)
{
	static const char *const verdicts[] = {
		[RESET_DONE] = "reset", [RESET_WOULD] = "would-reset", [RESET_REFUSED] = "refused", [RESET_FAILED] = "failed",
	};
	const struct trial *t = r->trial;
	struct json *j = &o->json;
	struct json_object *root = json_root(j);
	bool done = r->verdict == RESET_DONE;

	json_add_address(j, root, "address", t->bdf);
	json_add_text(j, root, "verdict", verdicts[r->verdict]);
	json_add_words(j, root, "methods", methods_of(&t->view.plan));
	json_add_word(j, root, "method", done ? t->used : "");
	json_add_word(j, root, "why", r->why);
	add_refusals(j, root, &t->view.plan);
	add_functions(j, root, t, done);
	json_add_count(j, root, "take_ms", done ? (int64_t)t->take_ms : -1);
	json_add_count(j, root, "back_ms", done ? (int64_t)t->back_ms : -1);
	json_add_count(j, root, "kernel_ms", done ? (int64_t)((t->take_ns + t->back_ns) / 1000000) : -1);
}

void json_selftest(struct out *o, const struct selftest_result *r)
{
	struct json *j = &o->json;
	struct json_object *root = json_root(j), *list;

	json_add_address(j, root, "address", r->trial->bdf);
	json_add_number(j, root, "asked", (int64_t)r->asked);
	json_add_word(j, root, "why", r->refused ? "" : r->why);
	add_refusals(j, root, &r->trial->view.plan);
	list = json_add_array(j, root, "rounds");
	for (size_t i = 0; i < r->n; i++) {
		const struct selftest_round *v = &r->rounds[i];
		struct json_object *round = json_add_object(j, list, NULL);

		json_add_bool(j, round, "ok", v->ok);
		json_add_word(j, round, "method", v->used);
		json_add_text(j, round, "health", health_name(v->health));
		json_add_number(j, round, "take_ms", (int64_t)v->take_ms);
		json_add_number(j, round, "back_ms", (int64_t)v->back_ms);
		json_add_number(j, round, "kernel_us", (int64_t)((v->take_ns + v->back_ns) / 1000));
	}
}
