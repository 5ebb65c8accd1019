// SPDX-License-Identifier: GPL-2.0-or-later
/* pre-start: the story of taking devices. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guestlock.h"
#include "hook.h"
#include "tell.h"

struct start {
	struct hook *k;
	struct guest guest;
	struct settings settings;
	struct claim claim;
	struct guest_view view;
	uint64_t began;
	uint64_t patient_until;		/* for what only needs time */
};

static int failed(struct hook *k, const struct err *e)
{
	fprintf(k->out, "pve-gpu: VM %u: %s\n", k->vmid, e->msg);
	return EXIT_FAILED;
}

/* The task that called us: as long as it lives, the start is under way.  When it has died already, whoever
 * has adopted us is not it: nobody then. */
static struct lease_process caller(const struct hook *k)
{
	pid_t now = getppid(), pid = k->parent ? k->parent : now;

	if (pid != now || pid == 1)
		return (struct lease_process){ 0, 0 };
	return (struct lease_process){ pid, lease_process_start(k->h, pid) };
}

/* Whoever else holds it says nothing about our start: an import goes on without it. */
static bool holds_lock(struct hook *k, struct lease_process task)
{
	struct guestlock_holder who;

	return task.pid > 0 && guestlock_holder(k->h, k->vmid, &who) > 0 && who.pid == task.pid;
}

static int make_plan(struct start *s, struct err *e)
{
	struct guest_input in = {
		.settings = &s->settings, .now_unix = s->k->now_unix, .starting = true,
		.origins = s->claim.lease.plan.devices, .n_origins = s->claim.lease.plan.n_devices,
	};
	struct hold *holds = NULL;
	struct step *stopped = NULL;
	int r = claim_holds(&s->claim, &holds, &in.n_holds, e);

	if (r == 0 && lease_stopped(&s->claim.lease, &stopped, &in.n_stopped) < 0)
		r = err_nomem(e);
	in.holds = holds;
	in.stopped = stopped;
	guest_view_release(&s->view);
	if (r == 0)
		r = guest_plan(s->k->h, &s->guest, &in, &s->view, e);
	free(holds);
	free(stopped);
	return r;
}

/* An unfinished lease of an earlier start is taken over where the plan covers it, else given back. */
static int settle_old_lease(struct start *s, bool take_over, struct err *e)
{
	int r;

	if (s->claim.lease.fd < 0 || (take_over && claim_covers(&s->claim, &s->view.plan)))
		return 0;
	r = claim_give_back(&s->claim, e);
	if (r < 0)
		return err_wrap(e, "giving back what an earlier start had left behind");
	lease_release(&s->claim.lease);
	return 1;
}

static int refused(struct start *s)
{
	struct err e = ERR_INIT;

	int r;

	tell_refusals(s->k->out, &s->view.plan);
	if (s->guest.backup)
		fprintf(s->k->out, "pve-gpu: VM %u: without its devices Proxmox cannot start it, so its backup fails; "
			"a backup of the running VM needs no start\n", s->k->vmid);
	r = settle_old_lease(s, false, &e);
	if (r < 0)
		failed(s->k, &e);
	else if (r > 0)
		fprintf(s->k->out, "pve-gpu: VM %u: what an earlier start had taken was given back\n", s->k->vmid);
	else if (s->claim.notes.len == 0)
		fprintf(s->k->out, "pve-gpu: nothing was touched\n");
	return EXIT_REFUSED;
}

static int take(struct start *s, struct err *e)
{
	struct names *names = tell_names(s->k->h, &s->view.plan);
	int r = claim_take(&s->claim, &s->view.plan, e);

	if (r == 0) {
		tell_taken(s->k->out, &s->claim.lease, &s->claim.report, host_now(s->k->h) - s->began, names);
		if (s->k->timing)
			fprintf(s->k->out, "critical_path_us=%llu\n", (unsigned long long)s->claim.report.ns / 1000);
		if (names)
			names_keep(names);
	}
	names_free(names);
	return r;
}

static bool only_closing(const struct plan *p)
{
	for (size_t i = 0; i < p->n_refusals; i++)
		if (strcmp(p->refusals[i].id, PLAN_CLOSING) != 0)
			return false;
	return p->n_refusals > 0;
}

/* A card on its way back from another VM, or out of a dying process, is worth waiting for. */
static bool worth_waiting(struct start *s)
{
	if (only_closing(&s->view.plan)) {
		claim_pause(&s->claim, 200);
		return host_now(s->k->h) < s->patient_until;
	}
	return claim_make_way(&s->claim, &s->view.plan);
}

static int enter_and_plan(struct start *s, struct err *e)
{
	int r = claim_enter(&s->claim, e);

	if (r == 0)
		r = make_plan(s, e);
	/* What did not belong to the new plan is the host's again: look once more. */
	if (r == 0 && s->view.plan.n_refusals == 0 && (r = settle_old_lease(s, true, e)) > 0) {
		r = claim_enter(&s->claim, e);
		if (r == 0)
			r = make_plan(s, e);
	}
	return r;
}

/* Plans until there is nothing left that is worth waiting for. */
static int plan_patiently(struct start *s, struct err *e)
{
	uint64_t now = host_now(s->k->h);
	int r;

	s->claim.deadline = now + s->settings.start_deadline;
	s->patient_until = now + s->settings.release_wait;
	do {
		r = enter_and_plan(s, e);
	} while (r == 0 && host_now(s->k->h) < s->claim.deadline && worth_waiting(s));
	return r;
}

static int with_devices(struct start *s)
{
	struct err e = ERR_INIT;
	int r = settings_load(s->k->h, s->k->snippets, s->k->vmid, &s->settings, &e);

	if (r < 0)
		return failed(s->k, &e);
	guest_adapt(&s->guest, &s->settings);
	if (s->guest.backup)
		fprintf(s->k->out, "pve-gpu: VM %u: this start is a backup's (lock: backup)\n", s->k->vmid);
	s->claim.release_ms = s->settings.release_wait;
	s->claim.caller_locked = holds_lock(s->k, s->claim.caller);
	r = plan_patiently(s, &e);
	/* What comes out the second time is the answer. */
	if (r == 0 && hook_make_room(s->k, &s->claim, &s->settings, &s->view.plan)) {
		s->settings.other_vm.word = SETTINGS_OTHER_REFUSE;
		r = plan_patiently(s, &e);
	}
	if (r < 0)
		return failed(s->k, &e);
	if (s->view.plan.n_refusals)
		return refused(s);
	tell_warnings(s->k->out, &s->view.plan);
	return take(s, &e) < 0 ? failed(s->k, &e) : EXIT_DONE;
}

/* Nothing to take; but an earlier start may have left something, and its devices are not wanted now.  If
 * they cannot be given back, that is no reason why the VM should not start without them. */
static int without_devices(struct start *s)
{
	struct err e = ERR_INIT;
	bool had;

	if (host_exists(s->k->h, lease_path(s->k->vmid).s) && claim_return(&s->claim, &had, &e) < 0)
		fprintf(s->k->out, "pve-gpu: VM %u: warning: what an earlier start has taken could not be given back: "
			"%s\n", s->k->vmid, e.msg);
	return EXIT_DONE;
}

int hook_prestart(struct hook *k)
{
	struct start s = { .k = k, .view = GUEST_VIEW_INIT, .began = host_now(k->h) };
	struct err e = ERR_INIT;
	int status;

	if (guest_load(k->h, k->vmid, k->migrated_from, &s.guest, &e) < 0)
		return failed(k, &e);
	claim_init(&s.claim, k->h, &guest_world, k->vmid);
	s.claim.limit = k->limit;
	s.claim.cancel = k->cancel;
	s.claim.caller = caller(k);
	if (s.guest.kind == GUEST_VM && guest_has_devices(&s.guest))
		status = with_devices(&s);
	else
		status = s.guest.kind == GUEST_CONTAINER ? EXIT_DONE : without_devices(&s);
	/* Last: the first line is the answer to why a VM does not start. */
	tell_notes(k->out, "pve-gpu: ", &s.claim.notes);
	tell_quirks(k->out, &s.view.plan);
	if (s.guest.kind == GUEST_VM)
		tell_notes(k->out, "pve-gpu: warning: ", &s.guest.notes);
	guest_view_release(&s.view);
	claim_release(&s.claim);
	guest_release(&s.guest);
	return status;
}
