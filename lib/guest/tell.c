// SPDX-License-Identifier: GPL-2.0-or-later
/* The hook's and the release command's lines: see tell.h. */
#include "tell.h"

#include <stdlib.h>
#include <string.h>

struct names *tell_names(struct host *h, const struct plan *plan)
{
	struct names_id *ids = calloc(plan->n_devices + 1, sizeof(*ids));
	struct names *names = NULL;
	struct err e = ERR_INIT;

	for (size_t i = 0; ids && i < plan->n_devices; i++)
		ids[i] = (struct names_id){ plan->devices[i].vendor, plan->devices[i].device };
	if (ids && names_start(h, ids, plan->n_devices, &names, &e) < 0)
		names = NULL;
	free(ids);
	return names;
}

void tell_refusals(FILE *out, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_refusals; i++) {
		fprintf(out, "pve-gpu: VM %u: refused: %s.\n", plan->vmid, plan->refusals[i].reason);
		if (plan->refusals[i].hint[0])
			fprintf(out, "  %s\n", plan->refusals[i].hint);
	}
}

bool tell_is_news(const struct plan *plan, size_t quirk)
{
	const struct quirk_hit *q = &plan->quirks[quirk];

	/* Of services only those are news that are stopped, and steps say so. */
	if (!q->quirk.order[0] && !q->quirk.never[0] && !q->quirk.hint[0])
		return false;
	for (size_t i = 0; i < plan->n_quirks; i++) {
		const struct quirk_hit *o = &plan->quirks[i];

		if (i != quirk && strcmp(o->quirk.name, q->quirk.name) == 0 && bdf_same_slot(o->bdf, q->bdf) &&
		    bdf_compare(o->bdf, q->bdf) < 0)
			return false;
	}
	return true;
}

void tell_quirks(FILE *out, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_quirks; i++)
		if (tell_is_news(plan, i))
			fprintf(out, "pve-gpu: %s: %s\n", BDF_SHORT(plan->quirks[i].bdf),
				quirk_describe(&plan->quirks[i].quirk).s);
}

void tell_notes(FILE *out, const char *prefix, const struct str *notes)
{
	for (const char *p = notes->s; *p; ) {
		size_t n = strcspn(p, "\n");

		fprintf(out, "%s%.*s\n", prefix, (int)n, p);
		p += n + (p[n] != '\0');
	}
}

static const char *name_of(struct names *names, size_t i)
{
	return names ? names_get(names, i) : "";
}

/* "01:00.0 NAME: " without an empty name's gap. */
static void tell_device(FILE *out, const struct device *v, const char *name)
{
	fprintf(out, "%s%s%s: ", BDF_SHORT(v->bdf), *name ? " " : "", name);
}

static uint64_t device_ns(const struct lease *l, struct bdf bdf)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < l->plan.n_steps; i++)
		if (bdf_same(l->plan.steps[i].bdf, bdf))
			ns += l->at[i].ns;
	return ns;
}

/* The reset of this function: its index, or -1. */
static int reset_of(const struct lease *l, const struct device *v)
{
	for (size_t i = 0; i < l->plan.n_steps; i++)
		if (step_place(&l->plan.steps[i], v->bdf) >= 0)
			return (int)i;
	return -1;
}

/* How this function was reset in this run; "" = no reset was needed, "none" = it was not reached. */
static const char *reset_used(const struct lease *l, int i, const struct device *v)
{
	const struct lease_step *at = i < 0 ? NULL : &l->at[i];

	if (!at || (at->used[0] && !(at->reached >> step_place(&l->plan.steps[i], v->bdf) & 1)))
		return "none";
	return at->used;
}

static const char *reset_words(const char *method)
{
	return strcmp(method, "hot") == 0 ? "hot reset" : method;
}

static void tell_reset(FILE *out, const struct lease *l, const struct device *v)
{
	int i = reset_of(l, v);
	const char *used = reset_used(l, i, v);

	if (i >= 0 && !l->plan.steps[i].to[0])
		fprintf(out, ", not reset before it comes back");
	else if (strcmp(used, "none") == 0)
		fprintf(out, ", not reset (the kernel offers no way)");
	else
		fprintf(out, ", reset by %s", reset_words(used[0] ? used : step_first_method(&l->plan.steps[i]).s));
}

/* Something of the host's that ran and was stopped in this lease. */
static bool was_stopped(const struct lease *l, size_t i)
{
	const struct step *s = &l->plan.steps[i];

	return !step_has_device(s) && s->kind != STEP_MODULE && s->enable != 0 && l->at[i].mark != MARK_PLANNED;
}

/* "ollama.service: stopped until the devices are back" */
static void tell_stopped(FILE *out, const struct lease *l)
{
	for (size_t i = 0; i < l->plan.n_steps; i++) {
		const struct step *s = &l->plan.steps[i];

		if (!was_stopped(l, i))
			continue;
		if (s->kind == STEP_VFS)
			fprintf(out, "%s: %s virtual functions made\n", s->to, s->arg);
		else if (s->kind == STEP_PROCESS)
			fprintf(out, "process %s (%s): ended\n", s->to, s->arg);
		else
			fprintf(out, "%s%s: %s until the devices are back\n", s->kind == STEP_SERVICE ? "" : "container ", s->to,
				s->kind == STEP_FREEZE ? "frozen" : "stopped");
	}
}

static void tell_started(FILE *out, const struct lease *l)
{
	for (size_t i = l->plan.n_steps; i-- > 0; ) {
		const struct step *s = &l->plan.steps[i];

		if (s->kind == STEP_VFS && was_stopped(l, i) && l->at[i].mark == MARK_UNDONE)
			fprintf(out, "%s: the virtual functions %s\n", s->to,
				strcmp(l->at[i].used, STEP_VFS_STAY) == 0 ? "stay: somebody else has them" : "are gone");
		else if (was_stopped(l, i) && s->kind != STEP_PROCESS && l->at[i].mark == MARK_UNDONE)
			fprintf(out, "%s%s: %s\n", s->kind == STEP_SERVICE ? "" : "container ", s->to,
				s->kind == STEP_FREEZE ? "goes on" : "started again");
	}
}

static unsigned cards(const struct plan *p)
{
	const struct device *last = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < p->n_devices; i++) {
		const struct device *v = &p->devices[i];

		if (v->lost)
			continue;
		n += !last || !bdf_same_slot(v->bdf, last->bdf);
		last = v;
	}
	return n;
}

static size_t functions(const struct plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_devices; i++)
		n += !p->devices[i].lost;
	return n;
}

static void tell_total(FILE *out, const struct lease *l, const struct run_report *report, uint64_t ms,
		       const char *verb)
{
	unsigned n = cards(&l->plan);
	size_t fns = functions(&l->plan);

	fprintf(out, "pve-gpu: VM %u: %zu function%s of %u device%s %s in %llu ms, %llu ms of it in the kernel\n",
		l->vmid, fns, fns == 1 ? "" : "s", n, n == 1 ? "" : "s", verb,
		(unsigned long long)ms, (unsigned long long)report->ns / 1000000);
}

void tell_taken(FILE *out, const struct lease *l, const struct run_report *report, uint64_t ms,
		struct names *names)
{
	for (size_t i = 0; i < l->plan.n_devices; i++) {
		const struct device *v = &l->plan.devices[i];

		tell_device(out, v, name_of(names, i));
		if (strcmp(v->driver, "vfio-pci") == 0)
			fprintf(out, "on vfio-pci already");
		else
			fprintf(out, "%s → vfio-pci", v->driver[0] ? v->driver : "no driver");
		tell_reset(out, l, v);
		fprintf(out, ", %llu ms%s\n", (unsigned long long)device_ns(l, v->bdf) / 1000000,
			v->key[0] ? "" : " (in the same IOMMU group)");
	}
	tell_stopped(out, l);
	tell_total(out, l, report, ms, "taken");
}

/* A claim that was cut short may not have come to this device; undone steps had been done. */
static bool moved(const struct lease *l, const struct device *v)
{
	for (size_t i = 0; i < l->plan.n_steps; i++)
		if ((l->plan.steps[i].kind == STEP_UNBIND || l->plan.steps[i].kind == STEP_BIND) &&
		    bdf_same(l->plan.steps[i].bdf, v->bdf) && l->at[i].mark != MARK_PLANNED)
			return true;
	return false;
}

/* ", reset by hot reset before": of a card that needed it. */
struct clause { char s[48]; };
static struct clause reset_before(const struct lease *l, const struct device *v)
{
	const char *used = reset_used(l, reset_of(l, v), v);
	struct clause c = { "" };

	if (used[0] && strcmp(used, "none") != 0)
		snprintf(c.s, sizeof(c.s), ", reset by %s before", reset_words(used));
	return c;
}

void tell_returned(FILE *out, const struct lease *l, const struct run_report *report, uint64_t ms,
		   struct names *names)
{
	for (size_t i = 0; i < l->plan.n_devices; i++) {
		const struct device *v = &l->plan.devices[i];

		tell_device(out, v, name_of(names, i));
		if (v->lost)
			fprintf(out, "is no longer there\n");
		else if (strcmp(v->driver, "vfio-pci") == 0)
			fprintf(out, "stays on vfio-pci, as it was\n");
		else if (lease_stays(l, v->bdf))
			fprintf(out, "stays on vfio-pci until its next VM%s\n", reset_before(l, v).s);
		else if (!moved(l, v))
			fprintf(out, "%s, which it had not left\n", v->driver[0] ? v->driver : "no driver");
		else
			fprintf(out, "vfio-pci → %s%s\n", v->driver[0] ? v->driver : "no driver", reset_before(l, v).s);
	}
	tell_started(out, l);
	tell_total(out, l, report, ms, "given back");
}

void tell_warnings(FILE *out, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_warnings; i++)
		fprintf(out, "pve-gpu: VM %u: warning: %s\n", plan->vmid, plan->warnings[i].text);
	fflush(out);
}
