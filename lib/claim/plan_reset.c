// SPDX-License-Identifier: GPL-2.0-or-later
/* Which card is reset how, and when: see plan_int.h and reset.h. */
#include <stdio.h>
#include <string.h>

#include "plan_int.h"
#include "reset.h"
#include "str.h"

static bool in_plan(const struct plan *p, struct bdf a)
{
	for (size_t i = 0; i < p->n_devices; i++)
		if (bdf_same(p->devices[i].bdf, a))
			return true;
	return false;
}

/* A VFIO hot reset reaches the whole bus: possible behind a bridge, when everything there is ours. */
static bool hot_possible(const struct plan *p, const struct snapshot *s, const struct pdev *d)
{
	if (!d->has_parent || d->is_vf)
		return false;
	for (size_t i = 0; i < snapshot_count(s); i++)
		if (bdf_same_bus(snapshot_address(s, i), d->bdf) && !in_plan(p, snapshot_address(s, i)))
			return false;
	return true;
}

static bool alone_on_bus(const struct snapshot *s, const struct pdev *d)
{
	for (size_t i = 0; i < snapshot_count(s); i++)
		if (bdf_same_bus(snapshot_address(s, i), d->bdf) && !bdf_same(snapshot_address(s, i), d->bdf))
			return false;
	return d->has_parent;
}

static bool has_own(const struct snapshot *s, struct bdf bdf)
{
	const struct pdev *d = snapshot_get(s, bdf);

	return d && reset_own_works(d, alone_on_bus(s, d));
}

/* Nothing in the order reaches a function without a reset of its own. */
static bool only_own(const char *order)
{
	char copy[PDEV_METHODS], *cursor = copy, *word;

	if (str_copy(copy, sizeof(copy), order) < 0)
		return false;
	while ((word = str_token(&cursor, " ")))
		if (!reset_is_own(word) || reset_is_wide(word))
			return false;
	return true;
}

/* The devices of v's chain that one reset concerns, as text; of them only the `able` ones, if not NULL.
 * False when they do not fit. */
static bool reset_list(const struct plan *p, const struct device *v, bool whole_bus, const struct snapshot *able,
		       char *list)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_devices; i++) {
		const struct device *o = &p->devices[i];
		const char *text = BDF_S(o->bdf);

		if (o->chain != v->chain || !(whole_bus ? bdf_same_bus(o->bdf, v->bdf) : bdf_same_slot(o->bdf, v->bdf)))
			continue;
		if (able && !has_own(able, o->bdf))
			continue;
		if (n + strlen(text) + 2 > STEP_ARG)
			return false;
		n += (size_t)snprintf(list + n, STEP_ARG - n, "%s%s", n ? " " : "", text);
	}
	return true;
}

/* What the functions of v's slot offer by themselves: *all and *any, and a name for it. */
static void own_methods(const struct plan *p, const struct snapshot *s, const struct device *v,
			bool *all, bool *any, char *name)
{
	char word[PDEV_METHODS];

	*all = true;
	*any = false;
	for (size_t i = 0; i < p->n_devices; i++) {
		const struct pdev *d = snapshot_get(s, p->devices[i].bdf);

		if (!d || !bdf_same_slot(d->bdf, v->bdf))
			continue;
		if (!reset_own_works(d, alone_on_bus(s, d))) {
			*all = false;
		} else if (!*any) {
			*any = true;
			snprintf(name, PDEV_METHODS, "%s", reset_first_method(d, word, sizeof(word)));
		}
	}
}

/* The device in whose name a reset is planned: the first of its slot or, for a reset of the whole
 * bus, the first on the bus whose slot cannot help itself. */
static const struct device *first_of(const struct plan *p, const struct snapshot *s, const struct device *v,
				     bool whole_bus)
{
	for (size_t i = 0; i < p->n_devices; i++) {
		const struct device *o = &p->devices[i];
		char name[PDEV_METHODS];
		bool all = false, any;

		if (o->chain != v->chain || !(whole_bus ? bdf_same_bus(o->bdf, v->bdf) : bdf_same_slot(o->bdf, v->bdf)))
			continue;
		if (whole_bus)
			own_methods(p, s, o, &all, &any, name);
		if (!all)
			return o;
	}
	return v;
}

/* --- chains of methods --------------------------------------------------------------------------- */

/* What one slot, or one bus, offers. */
struct offer {
	bool all, any;		/* functions with a reset of their own */
	bool hot;		/* everything on the bus is ours, so it can be reset as a whole */
	char own[PDEV_METHODS];	/* its name for people */
};

struct order { char s[PDEV_METHODS]; };

static void add_method(struct order *o, const char *name)
{
	size_t n = strlen(o->s);

	if (n + strlen(name) + 2 <= sizeof(o->s))
		snprintf(o->s + n, sizeof(o->s) - n, "%s%s", n ? " " : "", name);
}

/* The gentlest that reaches every function, then what reaches further. */
static struct order usual_order(const struct offer *f)
{
	struct order o = { "" };

	if (f->any && (f->all || !f->hot))
		add_method(&o, f->own);
	if (f->hot) {
		add_method(&o, "hot");
		add_method(&o, "subordinate");
	}
	if (f->any && !f->all && f->hot)
		add_method(&o, f->own);
	return o;
}

/* After a guest that did not end by itself: the whole bus first, where it is ours. */
static struct order strong_order(const struct offer *f)
{
	struct order o = { "" };

	if (f->hot) {
		add_method(&o, "hot");
		add_method(&o, "subordinate");
	}
	if (f->any)
		add_method(&o, f->own);
	add_method(&o, "d3");
	return o;
}

static bool has_method(const char *list, const char *word)
{
	char copy[PDEV_METHODS], *cursor = copy, *one;

	if (str_copy(copy, sizeof(copy), list) < 0)
		return false;
	while ((one = str_token(&cursor, " ")))
		if (strcmp(one, word) == 0)
			return true;
	return false;
}

/* Somebody's order, without what would reach strangers. */
static struct order given_order(const struct offer *f, const char *chain)
{
	struct order o = { "" };
	char list[PDEV_METHODS], *cursor = list, *word;

	if (str_copy(list, sizeof(list), chain) < 0)
		return o;
	while ((word = str_token(&cursor, " ")))
		if (f->hot || !reset_is_wide(word))
			add_method(&o, word);
	return o;
}

/* --- quirks --------------------------------------------------------------------------------------- */

/* What quirks say about the card in whose name v stands: the last order, and all that must not be. */
struct lore { char order[PDEV_METHODS], never[PDEV_METHODS]; };

static struct lore lore_of(const struct plan_input *in, const struct device *v, bool hot)
{
	struct order never = { "" };
	struct lore l = { "", "" };

	for (size_t i = 0; i < in->n_quirks; i++) {
		const struct quirk *q = &in->quirks[i].quirk;
		char list[PDEV_METHODS], *cursor = list, *word;

		if (!bdf_same_slot(in->quirks[i].bdf, v->bdf) && !(hot && bdf_same_bus(in->quirks[i].bdf, v->bdf)))
			continue;
		if (q->order[0])
			memcpy(l.order, q->order, sizeof(l.order));
		memcpy(list, q->never, sizeof(list));
		while ((word = str_token(&cursor, " ")))
			if (!has_method(never.s, word))
				add_method(&never, word);
	}
	memcpy(l.never, never.s, sizeof(l.never));
	return l;
}

/* A method of the kernel stands for the whole list; where some must not be, only the others are left. */
static void add_allowed(struct order *o, const struct pdev *d, const char *word, const char *never)
{
	char list[PDEV_METHODS], *cursor = list, *one;

	if (!d || !has_method(d->reset_method, word)) {
		if (!has_method(never, word))
			add_method(o, word);
		return;
	}
	memcpy(list, d->reset_method, sizeof(list));
	while ((one = str_token(&cursor, " ")))
		if (!has_method(never, one) && !has_method(o->s, one))
			add_method(o, one);
}

static struct order without(const struct order *from, const struct pdev *d, const char *never)
{
	char list[PDEV_METHODS], *cursor = list, *word;
	struct order o = { "" };

	memcpy(list, from->s, sizeof(list));
	while ((word = str_token(&cursor, " ")))
		add_allowed(&o, d, word, never);
	return o;
}

/* --- when ----------------------------------------------------------------------------------------- */

static bool shares_word(const char *list, const char *other)
{
	char copy[PDEV_METHODS], *cursor = copy, *word;

	if (str_copy(copy, sizeof(copy), list) < 0)
		return false;
	while ((word = str_token(&cursor, " ")))
		if (has_method(other, word))
			return true;
	return false;
}

struct chains { struct order usual, strong; bool exact; };

static const struct pdev *first_with_own(const struct plan *p, const struct snapshot *s, const struct device *v)
{
	for (size_t i = 0; i < p->n_devices; i++) {
		const struct pdev *d = snapshot_get(s, p->devices[i].bdf);

		if (d && bdf_same_slot(d->bdf, v->bdf) && reset_own_works(d, alone_on_bus(s, d)))
			return d;
	}
	return NULL;
}

/* What the administrator says goes before what quirks say, and that before what the card offers. */
static struct chains choose_chains(const struct plan *p, const struct plan_input *in, const struct device *v,
				   const struct offer *f)
{
	bool every = in->policy.chain && strcmp(in->policy.chain, PLAN_EVERY_RESET) == 0;
	bool given = in->policy.chain && *in->policy.chain && !every;
	struct chains c = { usual_order(f), strong_order(f), given };
	struct lore l = lore_of(in, v, f->hot);

	if (given)
		c.usual = c.strong = given_order(f, in->policy.chain);
	if (given)
		return c;
	if (l.order[0]) {
		c.usual = c.strong = given_order(f, l.order);
		c.exact = true;
	}
	if (every)
		c.usual = c.strong;
	if (every && f->hot)
		add_method(&c.usual, "rescan");
	if (l.never[0]) {
		const struct pdev *d = first_with_own(p, in->snapshot, v);
		bool listed = d && shares_word(l.never, d->reset_method);

		c.usual = without(&c.usual, listed ? d : NULL, l.never);
		c.strong = without(&c.strong, listed ? d : NULL, l.never);
		c.exact = c.exact || listed;
	}
	return c;
}

static int add_reset(struct plan *p, const struct plan_input *in, const struct device *v, const struct offer *f,
		     bool whole_bus, struct err *e)
{
	const struct pdev *d = snapshot_get(in->snapshot, v->bdf);
	struct chains c = choose_chains(p, in, v, f);
	const struct snapshot *able = only_own(c.usual.s) ? in->snapshot : NULL;
	char list[STEP_ARG] = "";
	enum reset_policy when = in->policy.reset;
	bool back = when != POLICY_RESET_ON_CLAIM && c.strong.s[0];
	struct step *s;
	int r;

	if (!c.usual.s[0] || !reset_list(p, v, whole_bus, able, list) || !list[0])
		return 0;
	r = plan_add_step(p, STEP_RESET, v, back ? c.strong.s : "", when == POLICY_RESET_ON_RETURN ? "" : c.usual.s,
			  list, e);
	if (r < 0)
		return r;
	s = &p->steps[p->n_steps - 1];
	s->must = when == POLICY_RESET_ALWAYS;
	s->exact = c.exact;
	if (has_method(c.usual.s, "rescan") && d && d->has_parent)
		snprintf(s->port, sizeof(s->port), "%s", BDF_S(d->parent));
	if (back)
		snprintf(s->keep, sizeof(s->keep), "%s", when == POLICY_RESET_AUTO ? "auto" : "always");
	return 0;
}

int plan_reset(struct plan *p, const struct plan_input *in, const struct device *v, struct err *e)
{
	const struct snapshot *s = in->snapshot;
	struct offer f = { .own = "" };
	bool whole_bus;

	if (in->policy.reset == POLICY_RESET_NEVER)
		return 0;
	own_methods(p, s, v, &f.all, &f.any, f.own);
	f.hot = hot_possible(p, s, snapshot_get(s, v->bdf));
	whole_bus = f.hot && !f.all;
	if (first_of(p, s, v, whole_bus) != v)
		return 0;
	/* What is asked for by name is tried, whatever the lists say. */
	if (!f.hot && !f.any && !(in->policy.chain && *in->policy.chain))
		return 0;
	return add_reset(p, in, v, &f, whole_bus, e);
}
