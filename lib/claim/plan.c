// SPDX-License-Identifier: GPL-2.0-or-later
/* From wishes and facts to ordered steps: see plan.h. */
#include "plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "bar.h"
#include "judge.h"
#include "plan_free.h"
#include "plan_int.h"
#include "str.h"

void plan_release(struct plan *p)
{
	free(p->devices);
	free(p->steps);
	free(p->refusals);
	free(p->warnings);
	free(p->quirks);
	*p = (struct plan)PLAN_INIT;
}

int step_place(const struct step *s, struct bdf bdf)
{
	char list[STEP_ARG], *cursor = list, *word;
	struct bdf a;

	if (s->kind != STEP_RESET || str_copy(list, sizeof(list), s->arg) < 0)
		return -1;
	for (int i = 0; (word = str_token(&cursor, " ")); i++)
		if (bdf_parse(word, &a) == 0 && bdf_same(a, bdf))
			return i;
	return -1;
}

bool step_has_device(const struct step *s)
{
	return s->kind != STEP_MODULE && s->kind < STEP_SERVICE;
}

bool step_concerns(const struct step *s, struct bdf bdf)
{
	return s->kind == STEP_RESET ? step_place(s, bdf) >= 0 : step_has_device(s) && bdf_same(s->bdf, bdf);
}

bool step_makes_vfs(const struct step *s, struct bdf pf)
{
	return s->kind == STEP_VFS && strcmp(s->to, BDF_S(pf)) == 0;
}

struct step_method step_first_method(const struct step *s)
{
	struct step_method m;

	snprintf(m.s, sizeof(m.s), "%.*s", (int)strcspn(s->to, " "), s->to);
	return m;
}

const char *step_kind_name(enum step_kind kind)
{
	switch (kind) {
	case STEP_MODULE: return "module";
	case STEP_POWER: return "power";
	case STEP_METHOD: return "reset-method";
	case STEP_OVERRIDE: return "override";
	case STEP_CONSOLE: return "console";
	case STEP_UNBIND: return "unbind";
	case STEP_BAR: return "bar";
	case STEP_BIND: return "bind";
	case STEP_RESET: return "reset";
	case STEP_CHECK: return "check";
	case STEP_SERVICE: return "service";
	case STEP_CONTAINER: return "container";
	case STEP_FREEZE: return "freeze";
	case STEP_VFS: return "vfs";
	case STEP_PROCESS: return "process";
	}
	return "unknown";
}

int plan_refuse(struct plan *p, const char *id, const struct bdf *bdf, struct err *e,
		const char *hint, const char *fmt, ...)
{
	struct refusal *r;
	va_list ap;

	if (array_room(&p->refusals, p->n_refusals, &p->refusals_size, sizeof(*r)) < 0)
		return err_nomem(e);
	r = &p->refusals[p->n_refusals++];
	snprintf(r->id, sizeof(r->id), "%s", id);
	if (bdf)
		snprintf(r->address, sizeof(r->address), "%s", BDF_S(*bdf));
	va_start(ap, fmt);
	vsnprintf(r->reason, sizeof(r->reason), fmt, ap);
	va_end(ap);
	snprintf(r->hint, sizeof(r->hint), "%s", hint);
	return 0;
}

int plan_warn(struct plan *p, struct bdf bdf, struct err *e, const char *fmt, ...)
{
	struct warning *w;
	va_list ap;

	if (array_room(&p->warnings, p->n_warnings, &p->warnings_size, sizeof(*w)) < 0)
		return err_nomem(e);
	w = &p->warnings[p->n_warnings++];
	w->bdf = bdf;
	va_start(ap, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
	return 0;
}

/* --- which functions ----------------------------------------------------------------------- */

struct set { struct bdf *list; size_t n, size; };

static int set_add(struct set *s, struct bdf a)
{
	for (size_t i = 0; i < s->n; i++)
		if (bdf_same(s->list[i], a))
			return 0;
	if (array_room(&s->list, s->n, &s->size, sizeof(*s->list)) < 0)
		return -ENOMEM;
	s->list[s->n++] = a;
	return 0;
}

static int add_group(struct set *set, const struct snapshot *s, int group)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < snapshot_count(s); i++) {
		const struct pdev *d = snapshot_at(s, i);

		if (d && d->group == group && !d->bridge)
			r = set_add(set, d->bdf);
	}
	return r;
}

int plan_closure(const struct snapshot *s, const struct want *wants, size_t n, struct bdf **ret,
		 size_t *ret_n, struct err *e)
{
	struct set set = { NULL, 0, 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct pdev *d = snapshot_get(s, wants[i].bdf);

		if (!d)
			continue;
		r = set_add(&set, d->bdf);
		if (r == 0 && d->group >= 0)
			r = add_group(&set, s, d->group);
	}
	if (r < 0) {
		free(set.list);
		return err_nomem(e);
	}
	if (set.n)
		qsort(set.list, set.n, sizeof(*set.list), bdf_compare_qsort);
	*ret = set.list;
	*ret_n = set.n;
	return 0;
}

static const char *key_of(const struct plan_input *in, struct bdf a)
{
	for (size_t i = 0; i < in->n_wants; i++)
		if (bdf_same(in->wants[i].bdf, a))
			return in->wants[i].key;
	return "";
}

static const struct device *origin_of(const struct plan_input *in, struct bdf a)
{
	for (size_t i = 0; i < in->n_origins; i++)
		if (bdf_same(in->origins[i].bdf, a))
			return &in->origins[i];
	return NULL;
}

static void device_fill(struct device *v, const struct plan_input *in, const struct pdev *d)
{
	const struct device *was = origin_of(in, d->bdf);
	bool kept = was != NULL;

	/* Somebody else has moved it since: then what we see is what counts. */
	if (was && strcmp(d->driver, "vfio-pci") != 0 && strcmp(d->driver, was->driver) != 0 &&
	    (d->driver[0] || strcmp(was->driver, "vfio-pci") == 0))
		was = NULL;
	if (was) {
		*v = *was;	/* what we found the first time, not what we made of it */
	} else {
		memcpy(v->driver, d->driver, sizeof(v->driver));
		memcpy(v->module, d->module, sizeof(v->module));
		memcpy(v->override, d->override, sizeof(v->override));
		memcpy(v->power, d->power_control, sizeof(v->power));
		v->d3cold = d->d3cold;
		memcpy(v->reset_method, d->reset_method, sizeof(v->reset_method));
		v->link = d->link;
	}
	v->bdf = d->bdf;
	v->vendor = d->vendor;
	v->device = d->device;
	v->class = d->class;
	v->group = d->group;
	v->chain = 0;
	v->kept = kept;
	snprintf(v->key, sizeof(v->key), "%s", key_of(in, d->bdf));
}

static int add_devices(struct plan *p, const struct plan_input *in, struct err *e)
{
	struct bdf *list = NULL;
	size_t n = 0;
	int r = plan_closure(in->snapshot, in->wants, in->n_wants, &list, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct pdev *d = snapshot_get(in->snapshot, list[i]);

		if (array_room(&p->devices, p->n_devices, &p->devices_size, sizeof(*p->devices)) < 0)
			r = err_nomem(e);
		else
			device_fill(&p->devices[p->n_devices++], in, d);
	}
	free(list);
	return r;
}

/* --- chains: what must not run side by side ----------------------------------------------------- */

/* One IOMMU group moves as a whole; a bus is reset as a whole; functions of one slot share locks.
 * Functions on the root bus share nothing but their slot. */
static bool coupled(const struct device *a, const struct device *b, const struct snapshot *s)
{
	const struct pdev *d = snapshot_get(s, a->bdf);

	if (a->group >= 0 && a->group == b->group)
		return true;
	if (bdf_same_slot(a->bdf, b->bdf))
		return true;
	return d && d->has_parent && !d->is_vf && bdf_same_bus(a->bdf, b->bdf);
}

static void number_chains(struct plan *p, const struct snapshot *s)
{
	unsigned used = 0;
	bool again = true;

	for (size_t i = 0; i < p->n_devices; i++)
		p->devices[i].chain = (unsigned)i + 1;
	while (again) {
		again = false;
		for (size_t i = 0; i < p->n_devices; i++)
			for (size_t j = 0; j < i; j++)
				if (p->devices[i].chain != p->devices[j].chain &&
				    coupled(&p->devices[i], &p->devices[j], s)) {
					unsigned from = p->devices[i].chain, to = p->devices[j].chain;

					for (size_t k = 0; k < p->n_devices; k++)
						if (p->devices[k].chain == from)
							p->devices[k].chain = to;
					again = true;
				}
	}
	for (size_t i = 0; i < p->n_devices; i++) {	/* 1..n without gaps, in order of address */
		unsigned old = p->devices[i].chain;

		if (old <= used)
			continue;
		used++;
		for (size_t k = 0; k < p->n_devices; k++)
			if (p->devices[k].chain == old)
				p->devices[k].chain = used;
	}
	p->chains = used;
}

/* --- steps ------------------------------------------------------------------------------------- */

int plan_add_step(struct plan *p, enum step_kind kind, const struct device *v, const char *from,
		  const char *to, const char *arg, struct err *e)
{
	struct step *s;

	if (array_room(&p->steps, p->n_steps, &p->steps_size, sizeof(*s)) < 0)
		return err_nomem(e);
	s = &p->steps[p->n_steps++];
	s->kind = kind;
	s->enable = -1;
	if (v) {
		s->chain = v->chain;
		s->bdf = v->bdf;
		s->kept = v->kept;
	}
	snprintf(s->from, sizeof(s->from), "%s", from);
	snprintf(s->to, sizeof(s->to), "%s", to);
	snprintf(s->arg, sizeof(s->arg), "%s", arg);
	return 0;
}

/* A device found on vfio-pci stays there: whoever bound it so wants it so. */
static bool moves(const struct device *v)
{
	return strcmp(v->driver, "vfio-pci") != 0;
}

typedef int (*device_step)(struct plan *p, const struct device *v, struct err *e);

static int step_power(struct plan *p, const struct device *v, struct err *e)
{
	int r = v->power[0] ? plan_add_step(p, STEP_POWER, v, v->power, "on", "", e) : 0;

	if (r == 0 && v->power[0] && v->d3cold > 0)
		snprintf(p->steps[p->n_steps - 1].keep, sizeof(p->steps->keep), "%d", v->d3cold);
	return r;
}

static int step_method(struct plan *p, const struct device *v, struct err *e)
{
	return v->reset_method[0] ? plan_add_step(p, STEP_METHOD, v, v->reset_method, v->reset_method, "", e) : 0;
}

static int step_override(struct plan *p, const struct device *v, struct err *e)
{
	return moves(v) ? plan_add_step(p, STEP_OVERRIDE, v, v->override, "vfio-pci", "", e) : 0;
}

static int step_unbind(struct plan *p, const struct device *v, struct err *e)
{
	int r;

	if (!moves(v) || !v->driver[0])
		return 0;
	r = plan_add_step(p, STEP_UNBIND, v, v->driver, "", v->module, e);
	if (r == 0)
		memcpy(p->steps[p->n_steps - 1].keep, v->override, sizeof(v->override));
	return r;
}

static int step_bind(struct plan *p, const struct device *v, struct err *e)
{
	return moves(v) ? plan_add_step(p, STEP_BIND, v, "", "vfio-pci", "", e) : 0;
}

static int step_check(struct plan *p, const struct device *v, struct err *e)
{
	return plan_add_step(p, STEP_CHECK, v, "", "", "", e);
}

/* One kind of step for all devices of a chain.  Higher functions go first: audio and USB of a card
 * talk through function 0, which leaves last and, the steps being walked backwards, returns
 * first. */
static int each_device(struct plan *p, unsigned chain, device_step step, struct err *e)
{
	int r = 0;

	for (size_t i = p->n_devices; r == 0 && i-- > 0; )
		if (p->devices[i].chain == chain)
			r = step(p, &p->devices[i], e);
	return r;
}

/* The last framebuffer goes with the device: the console lets go of it before that, and takes it again when it is
 * back.  One of several goes without that, and the firmware's does not come back. */
static int add_consoles(struct plan *p, const struct plan_input *in, unsigned chain, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n_devices; i++) {
		const struct device *v = &p->devices[i];
		const char *fb = NULL;

		for (size_t k = 0; in->inuse && k < in->inuse->n; k++)
			if (in->inuse->v[k].console && bdf_same(in->inuse->v[k].bdf, v->bdf))
				fb = in->inuse->v[k].object;
		if (fb && v->chain == chain && moves(v) && v->driver[0])
			r = plan_add_step(p, STEP_CONSOLE, v, fb, "", "", e);
	}
	return r;
}

/* Before anything is bound again; on the way back before the host's driver is. */
static int add_bars(struct plan *p, const struct plan_input *in, unsigned chain, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && in->policy.bar0 && i < p->n_devices; i++) {
		const struct device *v = &p->devices[i];
		const struct pdev *d = snapshot_get(in->snapshot, v->bdf);
		char from[8], to[8];

		if (v->chain != chain || !v->key[0] || !d || !d->bar0_sizes || !moves(v))
			continue;
		snprintf(from, sizeof(from), "%u", bar_bit(d->bar0_size));
		snprintf(to, sizeof(to), "%u", bar_bit(in->policy.bar0));
		r = plan_add_step(p, STEP_BAR, v, from, to, "", e);
	}
	return r;
}

static int chain_steps(struct plan *p, const struct plan_input *in, unsigned chain, struct err *e)
{
	static const device_step before[] = { step_power, step_method, step_override };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(before); i++)
		r = each_device(p, chain, before[i], e);
	if (r == 0)
		r = add_consoles(p, in, chain, e);
	if (r == 0)
		r = each_device(p, chain, step_unbind, e);
	if (r == 0)
		r = add_bars(p, in, chain, e);
	if (r == 0)
		r = each_device(p, chain, step_bind, e);
	for (size_t i = 0; r == 0 && i < p->n_devices; i++)
		if (p->devices[i].chain == chain)
			r = plan_reset(p, in, &p->devices[i], e);
	return r == 0 ? each_device(p, chain, step_check, e) : r;
}

/* A card that is to rest on vfio-pci is not taken back from there once a VM has had it. */
static void let_stay(struct plan *p, enum idle_policy idle)
{
	for (size_t i = 0; idle != IDLE_HOST_DRIVER && i < p->n_steps; i++) {
		struct step *s = &p->steps[i];

		s->stay = s->kind == STEP_POWER || s->kind == STEP_OVERRIDE || s->kind == STEP_UNBIND ||
			  s->kind == STEP_BAR || s->kind == STEP_BIND || s->kind == STEP_CONSOLE;
		if (s->kind == STEP_POWER)
			snprintf(s->arg, sizeof(s->arg), "%s", idle == IDLE_AWAKE ? "on" : "auto");
	}
}

static int add_vfs(struct plan *p, const struct plan_input *in, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < in->n_vfs; i++) {
		char n[12];

		snprintf(n, sizeof(n), "%u", in->vfs[i].n);
		r = plan_add_step(p, STEP_VFS, NULL, "", BDF_S(in->vfs[i].pf), n, e);
		if (r == 0)
			snprintf(p->steps[p->n_steps - 1].keep, sizeof(p->steps->keep), "%s", in->vfs[i].autoprobe);
	}
	return r;
}

static int add_steps(struct plan *p, const struct plan_input *in, struct err *e)
{
	int r = 0;

	if (!snapshot_has_vfio(in->snapshot))
		r = plan_add_step(p, STEP_MODULE, NULL, "", "vfio-pci", "vfio-pci", e);
	if (r == 0)
		r = add_vfs(p, in, e);
	if (r == 0)
		r = plan_free(p, in, e);
	for (unsigned c = 1; r == 0 && c <= p->chains; c++)
		r = chain_steps(p, in, c, e);
	let_stay(p, in->policy.idle);
	return r;
}

static int add_quirks(struct plan *p, const struct plan_input *in, struct err *e)
{
	for (size_t i = 0; i < in->n_quirks; i++) {
		if (array_room(&p->quirks, p->n_quirks, &p->quirks_size, sizeof(*p->quirks)) < 0)
			return err_nomem(e);
		p->quirks[p->n_quirks++] = in->quirks[i];
	}
	return 0;
}

int plan_build(const struct plan_input *in, struct plan *ret, struct err *e)
{
	int r;

	ret->vmid = in->vmid;
	r = add_quirks(ret, in, e);
	if (r == 0)
		r = add_devices(ret, in, e);
	if (r == 0 && ret->n_devices) {
		number_chains(ret, in->snapshot);
		r = add_steps(ret, in, e);
	}
	return r == 0 ? judge(in, ret, e) : r;
}
