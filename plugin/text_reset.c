// SPDX-License-Identifier: GPL-2.0-or-later
/* Resets and trials for people. */
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "show.h"
#include "text.h"
#include "trial.h"

static void put_refusals(struct out *o, const struct trial *t)
{
	const struct plan *p = &t->view.plan;

	for (size_t i = 0; i < p->n_refusals; i++) {
		text_put(o, TONE_BAD, "refused:");
		fputc(' ', o->to);
		text_wrap(o, TONE_PLAIN, 9, 9, "%s.", p->refusals[i].reason);
		if (p->refusals[i].hint[0]) {
			fprintf(o->to, "%9s", "");
			text_wrap(o, TONE_FAINT, 9, 9, "%s", p->refusals[i].hint);
		}
	}
	fputs("Nothing was touched.\n", o->to);
}

static const char *driver_of(const struct plan *p, size_t i)
{
	return p->devices[i].driver[0] ? p->devices[i].driver : "no driver";
}

static void put_would(struct out *o, const struct plan *p)
{
	for (size_t i = 0; i < p->n_devices; i++)
		fprintf(o->to, "%s  %s → vfio-pci → %s\n", BDF_S(p->devices[i].bdf), driver_of(p, i), driver_of(p, i));
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_RESET)
			text_wrap(o, TONE_PLAIN, 0, 2, "would be reset: %s, by the first that works of: %s", p->steps[i].arg,
				  p->steps[i].to);
	fputs("Nothing was touched.\n", o->to);
}

static void put_function(struct out *o, const struct trial *t, size_t i)
{
	const struct trial_function *f = &t->fns[i];

	fprintf(o->to, "  %s  ", BDF_S(f->bdf));
	text_put(o, f->after.verdict == HEALTH_OK ? TONE_GOOD : TONE_BAD, "%s", health_name(f->after.verdict));
	if (f->after.what[0])
		text_put(o, TONE_PLAIN, ": %s", f->after.what);
	else if (f->after.link.width)
		text_put(o, TONE_PLAIN, ", link %s", health_link(f->after.link).s);
	text_put(o, TONE_PLAIN, ", back on %s", driver_of(&t->view.plan, i));
	fputc('\n', o->to);
}

void text_reset(struct out *o, const struct reset_outcome *r)
{
	const struct trial *t = r->trial;

	if (r->verdict == RESET_REFUSED)
		put_refusals(o, t);
	if (r->verdict == RESET_WOULD)
		put_would(o, &t->view.plan);
	if (r->verdict != RESET_DONE)
		return;		/* why it failed is on stderr */
	text_put(o, TONE_HEAD, "%s was reset by %s", BDF_S(t->bdf), t->used);
	fprintf(o->to, "; taken in %llu ms (%llu in the kernel), given back in %llu ms (%llu)\n",
		(unsigned long long)t->take_ms, (unsigned long long)t->take_ns / 1000000, (unsigned long long)t->back_ms,
		(unsigned long long)t->back_ns / 1000000);
	for (size_t i = 0; i < t->n; i++)
		put_function(o, t, i);
}

/* --- selftest ---------------------------------------------------------------------------------- */

static void add_round(struct table *t, size_t number, const struct selftest_round *r)
{
	table_row(t);
	table_cell(t, "%zu", number);
	table_cell(t, "%llu ms", (unsigned long long)r->take_ms);
	table_cell(t, "%s", r->used[0] ? r->used : "-");
	table_cell(t, "%llu ms", (unsigned long long)r->back_ms);
	table_cell(t, "%s", r->ok ? health_name(r->health) : "failed");
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Smallest, middle and largest. */
static void put_spread(struct out *o, const char *what, uint64_t *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	fprintf(o->to, "%s: %llu ms at best, %llu ms in the middle, %llu ms at worst\n", what, (unsigned long long)v[0],
		(unsigned long long)v[n / 2], (unsigned long long)v[n - 1]);
}

void text_selftest(struct out *o, const struct selftest_result *r)
{
	static const char *const head[] = { "ROUND", "TAKEN IN", "RESET BY", "BACK IN", "HEALTH" };
	uint64_t *v = calloc(r->n + 1, sizeof(*v));
	struct table t = TABLE_INIT;
	size_t good = 0;

	if (r->refused)
		put_refusals(o, r->trial);
	table_row(&t);
	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		table_cell(&t, "%s", head[i]);
	for (size_t i = 0; i < r->n; i++) {
		add_round(&t, i + 1, &r->rounds[i]);
		good += r->rounds[i].ok;
	}
	for (size_t i = 0; !t.failed && r->n && i <= r->n; i++)
		table_print_row(&t, o, i, 2);
	for (size_t i = 0; v && i < r->n; i++)
		v[i] = r->rounds[i].take_ms;
	if (v && r->n)
		put_spread(o, "taken", v, r->n);
	for (size_t i = 0; v && i < r->n; i++)
		v[i] = r->rounds[i].back_ms;
	if (v && r->n)
		put_spread(o, "given back", v, r->n);
	if (r->n)
		fprintf(o->to, "%zu of %zu rounds went well\n", good, r->asked);
	table_release(&t);
	free(v);
}
