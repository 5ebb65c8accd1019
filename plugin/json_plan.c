// SPDX-License-Identifier: GPL-2.0-or-later
/* The plan for programs. */
#include <string.h>

#include "json.h"
#include "out.h"
#include "show.h"

static void add_device(struct json *j, struct json_object *list, const struct plan_result *r, size_t i)
{
	const struct device *v = &r->plan->devices[i];
	const struct step *reset = show_reset_of(r->plan, v);
	struct json_object *o = json_add_object(j, list, NULL);

	json_add_address(j, o, "address", v->bdf);
	json_add_word(j, o, "key", v->key);
	json_add_bool(j, o, "dragged", !v->key[0]);
	json_add_text(j, o, "name", r->names[i]);
	json_add_hex(j, o, "vendor", v->vendor, 4);
	json_add_hex(j, o, "device", v->device, 4);
	json_add_hex(j, o, "class", v->class, 6);
	json_add_text(j, o, "class_name", pdev_class_text(v->class >> 8));
	json_add_word(j, o, "driver", v->driver);
	json_add_word(j, o, "driver_now", show_driver_now(r, v));
	json_add_text(j, o, "target", "vfio-pci");
	json_add_word(j, o, "override", v->override);
	json_add_count(j, o, "group", v->group);
	json_add_text(j, o, "reset", reset ? step_first_method(reset).s : NULL);
	json_add_number(j, o, "chain", v->chain);
	json_uses(j, o, r->inuse, v->bdf);
}

static void add_reset(struct json *j, struct json_object *o, const struct step *s)
{
	json_add_words(j, o, "functions", s->arg);
	json_add_words(j, o, "methods", s->to);
	json_add_words(j, o, "methods_on_return", s->from);
	json_add_word(j, o, "on_return", s->keep);
}

static void add_step(struct json *j, struct json_object *list, const struct step *s)
{
	struct json_object *o = json_add_object(j, list, NULL);

	json_add_text(j, o, "kind", step_kind_name(s->kind));
	if (!step_has_device(s))
		json_add_null(j, o, "address");
	else
		json_add_address(j, o, "address", s->bdf);
	json_add_word(j, o, "from", s->kind == STEP_RESET ? "" : s->from);
	json_add_word(j, o, "to", s->kind == STEP_RESET ? step_first_method(s).s : s->to);
	json_add_number(j, o, "chain", s->chain);
	if (s->kind == STEP_RESET)
		add_reset(j, o, s);
	json_add_text(j, o, "text", show_step(s).s);
}

static void add_refusal(struct json *j, struct json_object *list, const struct refusal *f)
{
	struct json_object *o = json_add_object(j, list, NULL);

	json_add_text(j, o, "id", f->id);
	json_add_word(j, o, "address", f->address);
	json_add_text(j, o, "reason", f->reason);
	json_add_word(j, o, "hint", f->hint);
	json_add_word(j, o, "setting", f->setting);
}

/* Indices into "steps" and "refusals". */
static void add_decided(struct json *j, struct json_object *o, const struct plan *p, const struct settings *s,
			size_t setting)
{
	struct json_object *list = json_add_array(j, o, "steps");

	for (size_t i = 0; !p->n_refusals && i < p->n_steps; i++)
		if (show_decides_step(s, setting, &p->steps[i]))
			json_add_number(j, list, NULL, (int64_t)i);
	list = json_add_array(j, o, "refusals");
	for (size_t i = 0; i < p->n_refusals; i++)
		if (show_decides_refusal(setting, &p->refusals[i]))
			json_add_number(j, list, NULL, (int64_t)i);
}

static void add_settings(struct json *j, struct json_object *list, const struct plan *p, const struct settings *s)
{
	for (size_t i = 0; s && i < SETTINGS_N; i++) {
		struct json_object *o;

		if (strcmp(settings_keys[i].section, "claim") != 0)
			continue;
		o = json_add_object(j, list, NULL);
		json_add_text(j, o, "name", settings_keys[i].name);
		json_add_text(j, o, "value", show_setting(s, i).s);
		json_add_text(j, o, "origin", s->origin[i].text);
		add_decided(j, o, p, s, i);
	}
}

static void add_resets(struct json *j, struct json_object *in, const struct plan_result *r)
{
	struct json_object *o;
	struct show_resets n;

	if (!r->plan || !r->plan->n_devices || r->plan->n_refusals) {
		json_add_null(j, in, "resets");
		return;
	}
	n = show_resets(r);
	o = json_add_object(j, in, "resets");
	json_add_number(j, o, "hook", n.hook);
	json_add_number(j, o, "proxmox", n.proxmox);
	json_add_number(j, o, "qemu", n.qemu);
}

static void add_quirks(struct json *j, struct json_object *in, const struct plan *p)
{
	struct json_object *list = json_add_array(j, in, "quirks");

	for (size_t i = 0; i < p->n_quirks; i++) {
		const struct quirk *q = &p->quirks[i].quirk;
		struct json_object *o = json_add_object(j, list, NULL);

		json_add_address(j, o, "address", p->quirks[i].bdf);
		json_add_text(j, o, "name", q->name);
		json_add_words(j, o, "order", q->order);
		json_add_words(j, o, "never", q->never);
		json_add_words(j, o, "services", q->services);
		json_add_word(j, o, "hint", q->hint);
		json_add_text(j, o, "source", q->source);
		json_add_text(j, o, "date", q->date);
	}
}

static void add_warnings(struct json *j, struct json_object *in, const struct plan *p)
{
	struct json_object *list = json_add_array(j, in, "warnings");

	for (size_t i = 0; i < p->n_warnings; i++) {
		struct json_object *o = json_add_object(j, list, NULL);

		json_add_address(j, o, "address", p->warnings[i].bdf);
		json_add_text(j, o, "text", p->warnings[i].text);
	}
}

static const char *verdict(const struct plan_result *r)
{
	return r->nothing ? "nothing" : r->plan->n_refusals ? "refuse" : "take";
}

void json_plan(struct out *o, const struct plan_result *r)
{
	static const struct plan none = PLAN_INIT;
	const struct plan *p = r->plan ? r->plan : &none;
	struct json *j = &o->json;
	struct json_object *root = json_root(j), *list;
	char text[160];

	json_add_number(j, root, "vmid", r->vmid);
	json_add_text(j, root, "verdict", verdict(r));
	if (r->nothing) {
		snprintf(text, sizeof(text), "VM %u %s", r->vmid, r->nothing);
		json_add_text(j, root, "nothing", text);
	} else {
		json_add_null(j, root, "nothing");
	}
	list = json_add_array(j, root, "devices");
	for (size_t i = 0; i < p->n_devices; i++)
		add_device(j, list, r, i);
	/* A plan with a refusal is never carried out: it has no steps. */
	list = json_add_array(j, root, "steps");
	for (size_t i = 0; !p->n_refusals && i < p->n_steps; i++)
		add_step(j, list, &p->steps[i]);
	list = json_add_array(j, root, "refusals");
	for (size_t i = 0; i < p->n_refusals; i++)
		add_refusal(j, list, &p->refusals[i]);
	add_warnings(j, root, p);
	add_resets(j, root, r);
	add_quirks(j, root, p);
	add_settings(j, json_add_array(j, root, "settings"), p, r->settings);
}
