// SPDX-License-Identifier: GPL-2.0-or-later
/* Leases for people, and what became of those that were released. */
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "inuse.h"
#include "names.h"
#include "out.h"
#include "tell.h"
#include "text.h"

/* Since the last line was written to the lease; a captured tree does not know its own time. */
static void put_age(struct str *s, const struct leased *l, uint64_t now_unix)
{
	uint64_t written = l->lease.written;

	if (!written || now_unix < written)
		return;
	if (l->state == LEASED_RUNNING && !l->advice[0])
		(void)str_addf(s, " for %s", text_age(now_unix - written).s);
	else
		(void)str_addf(s, "; last entry %s ago", text_age(now_unix - written).s);
}

static void put_state(struct out *o, const struct status_vm *vm, uint64_t now_unix)
{
	enum tone tone = leased_is_problem(vm->l.state) ? TONE_BAD : TONE_PLAIN;
	struct str line = STR_INIT;
	char head[32];

	if (vm->l.vmid == GUEST_NOBODY)
		snprintf(head, sizeof(head), "a trial (%u): ", vm->l.vmid);
	else
		snprintf(head, sizeof(head), "VM %u: ", vm->l.vmid);
	text_put(o, TONE_HEAD, "%s", head);
	(void)str_add(&line, vm->l.text);
	put_age(&line, &vm->l, now_unix);
	text_wrap(o, tone, strlen(head), 2, "%s", line.s);
	if (vm->l.advice[0]) {
		fputs("  → ", o->to);
		text_wrap(o, TONE_PLAIN, 4, 4, "%s", vm->l.advice);
	}
	str_release(&line);
}

static void put_users(struct out *o, const struct inuse *u, struct bdf a, size_t indent)
{
	for (size_t i = 0; u && i < u->n; i++) {
		if (!bdf_same(u->v[i].bdf, a) || !u->v[i].who.pid)
			continue;
		fprintf(o->to, "%*s", (int)indent, "");
		text_wrap(o, TONE_FAINT, indent, indent, "%s", u->v[i].text);
	}
}

static void put_device(struct out *o, const struct inuse *u, const struct status_device *d)
{
	const char *address = BDF_SHORT(d->v->bdf), *origin = d->v->driver[0] ? d->v->driver : "no driver";
	size_t indent = strlen(address) + 4;
	struct str line = STR_INIT;

	fprintf(o->to, "  %s  ", address);
	text_put(o, TONE_HEAD, "%s", d->name);
	fprintf(o->to, "\n%*s", (int)indent, "");
	(void)str_addf(&line, "on %s", d->driver[0] ? d->driver : "no driver");
	if (strcmp(d->driver, d->v->driver) != 0)
		(void)str_addf(&line, ", goes back to %s", origin);
	else
		(void)str_add(&line, ", where it was");
	if (d->seen == SEEN && d->health.verdict == HEALTH_OK)
		(void)str_add(&line, ", answers");
	else if (d->said[0])
		(void)str_addf(&line, ". %s%s", d->seen != SEEN ? "" : d->health.verdict == HEALTH_DEAD ? "Dead: " :
			       "Degraded: ", d->said);
	text_wrap(o, d->problem ? TONE_BAD : TONE_PLAIN, indent, indent, "%s", line.s);
	str_release(&line);
	put_users(o, u, d->v->bdf, indent);
}

/* What an earlier attempt could not take back. */
static void put_failures(struct out *o, const struct lease *l)
{
	for (size_t i = 0; i < l->plan.n_steps; i++) {
		if (l->at[i].mark != MARK_FAILED)
			continue;
		fputs("  ", o->to);
		text_wrap(o, TONE_BAD, 2, 4, "failed: %s", l->at[i].why[0] ? l->at[i].why :
			  step_describe(&l->plan.steps[i], STEP_UNDO).s);
	}
}

/* Those who make room for this VM. */
static void put_stopped(struct out *o, const struct lease *l)
{
	struct step *list = NULL;
	size_t n = 0;

	if (lease_stopped(l, &list, &n) == 0)
		for (size_t i = 0; i < n; i++)
			fprintf(o->to, "  when they are back: %s\n", step_describe(&list[i], STEP_UNDO).s);
	free(list);
}

/* One device: what became of it, and what that means for the next start. */
static void put_given_up(struct out *o, const struct abandoned *a)
{
	struct str line = STR_INIT;

	(void)str_addf(&line, "VM %u: %s was given up: ", a->vmid, BDF_S(a->bdf));
	if (a->hangs)
		(void)str_addf(&line, "the step '%s' hangs in the kernel. No VM gets the device before that ends; a reboot "
			       "ends it for certain", a->step.s);
	else
		(void)str_addf(&line, "%s. The next start takes the device as it is then, and gives it back to that; a "
			       "reboot puts it right", a->why[0] ? a->why : "its step came back from the kernel later");
	text_wrap(o, TONE_BAD, 0, 2, "%s", line.s);
	str_release(&line);
}

static void put_all_given_up(struct out *o, const struct abandoned *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_given_up(o, &list[i]);
	if (n) {
		fputs("  → ", o->to);
		text_wrap(o, TONE_PLAIN, 4, 4, "recorded until the next boot in %s%s", list[0].file,
			  n > 1 ? " and beside it" : "");
	}
}

static void put_aside(struct out *o, const struct status_result *r)
{
	for (size_t i = 0; i < r->n_aside; i++)
		text_wrap(o, TONE_BAD, 0, 2, "A damaged lease was put aside: %s", r->aside[i]);
	if (r->n_aside) {
		fputs("  → ", o->to);
		text_wrap(o, TONE_PLAIN, 4, 4, "see with 'pve-gpu list --all' whether every device is on its "
			  "driver, then remove the file%s", r->n_aside == 1 ? "" : "s");
	}
}

void text_status(struct out *o, const struct status_result *r)
{
	if (r->n == 0 && r->vmid)
		fprintf(o->to, "VM %u holds no devices.\n", r->vmid);
	else if (r->n == 0)
		fputs("No VM holds devices.\n", o->to);
	for (size_t i = 0; i < r->n; i++) {
		const struct status_vm *vm = &r->vms[i];

		if (i)
			fputc('\n', o->to);
		put_state(o, vm, r->now_unix);
		put_failures(o, &vm->l.lease);
		for (size_t k = 0; k < vm->l.lease.plan.n_devices; k++)
			put_device(o, vm->inuse, &vm->devices[k]);
		put_stopped(o, &vm->l.lease);
	}
	if (r->n && (r->n_aside || r->n_given_up))
		fputc('\n', o->to);
	put_all_given_up(o, r->given_up, r->n_given_up);
	put_aside(o, r);
}

/* --- release ----------------------------------------------------------------------------------- */

static void put_would(struct out *o, const struct release_result *r)
{
	const struct plan *p;

	if (!r->lease) {
		fprintf(o->to, "VM %u: its lease is of an earlier boot; the file would be removed.\n", r->vmid);
		return;
	}
	p = &r->lease->plan;
	for (size_t i = 0; i < p->n_devices; i++) {
		const struct device *v = &p->devices[i];
		bool hopeless = r->abandon && abandoned_step(r->lease, v->bdf) >= 0;

		text_put(o, TONE_PLAIN, "%s %s: would %s %s", BDF_SHORT(v->bdf), r->names ? names_get(r->names, i) : "",
			 hopeless ? "be given up unless it goes back to" : "go back to",
			 v->driver[0] ? v->driver : "no driver");
		fputc('\n', o->to);
	}
	fprintf(o->to, "VM %u: %s would be given back; nothing was touched.\n", r->vmid, text_count(p).s);
}

void text_release(struct out *o, const struct release_result *r)
{
	if (!r) {
		fputs("No VM holds devices.\n", o->to);
		return;
	}
	switch (r->verdict) {
	case RELEASE_NONE:
		fprintf(o->to, "VM %u holds no devices.\n", r->vmid);
		break;
	case RELEASE_DONE:
		tell_returned(o->to, r->lease, r->report, r->ms, r->names);
		break;
	case RELEASE_WOULD:
		put_would(o, r);
		break;
	case RELEASE_GIVEN_UP:
		put_all_given_up(o, r->given_up, r->n_given_up);
		break;
	case RELEASE_DROPPED:
		fprintf(o->to, "VM %u holds no devices any more: its lease was of an earlier boot.\n", r->vmid);
		break;
	case RELEASE_REFUSED:
	case RELEASE_FAILED:
		break;	/* said on stderr */
	}
	fflush(o->to);
}
