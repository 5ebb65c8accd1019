// SPDX-License-Identifier: GPL-2.0-or-later
/* Leases for programs, and what became of those that were released. */
#include <stdlib.h>

#include "json.h"
#include "names.h"
#include "out.h"
#include "show.h"
#include "step.h"

static void add_device(struct json *j, struct json_object *list, const struct inuse *u, const struct status_device *d)
{
	struct json_object *o = json_add_object(j, list, NULL);

	json_add_address(j, o, "address", d->v->bdf);
	json_add_word(j, o, "key", d->v->key);
	json_add_text(j, o, "name", d->name);
	json_add_word(j, o, "driver", d->driver);
	json_add_text(j, o, "target", "vfio-pci");
	json_add_word(j, o, "origin", d->v->driver);
	json_add_count(j, o, "group", d->v->group);
	json_add_text(j, o, "health", show_health(d->seen, &d->health));
	json_add_word(j, o, "said", d->said);
	json_add_bool(j, o, "problem", d->problem);
	json_uses(j, o, u, d->v->bdf);
}

static void add_step(struct json *j, struct json_object *in, const struct leased *l)
{
	const struct step *s;
	struct json_object *o;

	if (l->step < 0) {
		json_add_null(j, in, "step");
		return;
	}
	s = &l->lease.plan.steps[l->step];
	o = json_add_object(j, in, "step");
	json_add_text(j, o, "kind", step_kind_name(s->kind));
	if (!step_has_device(s))
		json_add_null(j, o, "address");
	else
		json_add_address(j, o, "address", s->bdf);
	json_add_text(j, o, "way", l->way == STEP_DO ? "do" : "undo");
	json_add_text(j, o, "text", step_describe(s, l->way).s);
	json_add_id(j, o, "worker", l->state == LEASED_STUCK ? (uint64_t)l->lease.stuck.pid : 0);
}

static void add_failures(struct json *j, struct json_object *in, const struct lease *l)
{
	struct json_object *list = json_add_array(j, in, "failures");

	for (size_t i = 0; i < l->plan.n_steps; i++)
		if (l->at[i].mark == MARK_FAILED)
			json_add_text(j, list, NULL, l->at[i].why);
}

static void add_stopped(struct json *j, struct json_object *in, const struct lease *l)
{
	struct json_object *list = json_add_array(j, in, "stopped");
	struct step *steps = NULL;
	size_t n = 0;

	if (lease_stopped(l, &steps, &n) < 0)
		j->failed = true;
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_add_object(j, list, NULL);

		json_add_text(j, o, "kind", step_kind_name(steps[i].kind));
		json_add_text(j, o, "name", steps[i].to);
	}
	free(steps);
}

static void add_vm(struct json *j, struct json_object *list, const struct status_vm *vm, uint64_t now_unix)
{
	const struct leased *l = &vm->l;
	uint64_t written = l->lease.written;
	struct json_object *o = json_add_object(j, list, NULL), *devices;

	json_add_number(j, o, "vmid", l->vmid);
	json_add_text(j, o, "state", leased_state_name(l->state));
	json_add_bool(j, o, "problem", leased_is_problem(l->state));
	json_add_text(j, o, "text", l->text);
	json_add_word(j, o, "advice", l->advice);
	json_add_text(j, o, "file", lease_path(l->vmid).s);
	json_add_id(j, o, "pid", (uint64_t)l->qemu.pid);
	json_add_id(j, o, "written", written);
	json_add_count(j, o, "age", written && now_unix >= written ? (int64_t)(now_unix - written) : -1);
	add_step(j, o, l);
	add_failures(j, o, &l->lease);
	add_stopped(j, o, &l->lease);
	devices = json_add_array(j, o, "devices");
	for (size_t i = 0; i < l->lease.plan.n_devices; i++)
		add_device(j, devices, vm->inuse, &vm->devices[i]);
}

static void add_given_up(struct json *j, struct json_object *in, const struct abandoned *a, size_t n)
{
	struct json_object *list = json_add_array(j, in, "abandoned");

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_add_object(j, list, NULL);

		json_add_number(j, o, "vmid", a[i].vmid);
		json_add_address(j, o, "address", a[i].bdf);
		json_add_text(j, o, "step", a[i].step.s);
		json_add_word(j, o, "why", a[i].why);
		json_add_bool(j, o, "hangs", a[i].hangs);
		json_add_text(j, o, "file", a[i].file);
	}
}

void json_status(struct out *o, const struct status_result *r)
{
	struct json *j = &o->json;
	struct json_object *list = json_add_array(j, json_root(j), "leases");

	for (size_t i = 0; i < r->n; i++)
		add_vm(j, list, &r->vms[i], r->now_unix);
	list = json_add_array(j, json_root(j), "aside");
	for (size_t i = 0; i < r->n_aside; i++)
		json_add_text(j, list, NULL, r->aside[i]);
	add_given_up(j, json_root(j), r->given_up, r->n_given_up);
}

/* --- release ----------------------------------------------------------------------------------- */

static const char *verdict_name(enum release_verdict v)
{
	switch (v) {
	case RELEASE_NONE: return "nothing";
	case RELEASE_DONE: return "returned";
	case RELEASE_WOULD: return "would-return";
	case RELEASE_GIVEN_UP: return "abandoned";
	case RELEASE_DROPPED: return "dropped";
	case RELEASE_REFUSED: return "refused";
	case RELEASE_FAILED: return "failed";
	}
	return "failed";
}

static void add_returned(struct json *j, struct json_object *in, const struct release_result *r)
{
	struct json_object *list = json_add_array(j, in, "devices");

	for (size_t i = 0; r->lease && i < r->lease->plan.n_devices; i++) {
		const struct device *v = &r->lease->plan.devices[i];
		struct json_object *o = json_add_object(j, list, NULL);

		json_add_address(j, o, "address", v->bdf);
		json_add_text(j, o, "name", r->names ? names_get(r->names, i) : NULL);
		json_add_text(j, o, "from", v->lost ? NULL : "vfio-pci");
		json_add_word(j, o, "to", v->lost ? "" : lease_stays(r->lease, v->bdf) ? "vfio-pci" : v->driver);
		json_add_bool(j, o, "lost", v->lost);
	}
}

void json_release(struct out *o, const struct release_result *r)
{
	struct json *j = &o->json;
	struct json_object *list = json_need_array(j, json_root(j), "vms"), *vm;

	if (!r)
		return;
	vm = json_add_object(j, list, NULL);
	json_add_number(j, vm, "vmid", r->vmid);
	json_add_text(j, vm, "verdict", verdict_name(r->verdict));
	json_add_text(j, vm, "why", r->why);
	add_returned(j, vm, r);
	if (r->n_given_up)
		add_given_up(j, vm, r->given_up, r->n_given_up);
	if (r->report) {
		json_add_number(j, vm, "ms", (int64_t)r->ms);
		json_add_number(j, vm, "kernel_ms", (int64_t)(r->report->ns / 1000000));
	}
}
