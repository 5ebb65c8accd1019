// SPDX-License-Identifier: GPL-2.0-or-later
/* A claim without a VM: see trial.h. */
#include "trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"
#include "running.h"
#include "str.h"

#define NOW_MS 120000

int trial_open(struct trial *t, struct cli *c)
{
	struct err e = ERR_INIT;
	bool whole;

	*t = (struct trial){ .c = c, .chain = "", .view = GUEST_VIEW_INIT };
	if (bdf_parse_user(c->args[0], &t->bdf, &whole) < 0)
		return cli_usage(c, "'%s' is no address: 01:00, 01:00.0 or 0000:01:00.0 is needed", c->args[0]);
	/* A virtual function is a device of its own, whatever slot it counts to. */
	whole = whole || !host_exists(c->h, pdev_path(t->bdf, "physfn").s);
	if (whole)
		t->bdf.fn = 0;
	if (settings_load(c->h, NULL, 0, &t->settings, &e) < 0 || guest_nobody(c->h, t->bdf, whole, &t->guest, &e) < 0)
		return cli_failed(c, &e);
	/* One reset, now; on its way back nothing needs to be reset that no guest has had. */
	t->settings.reset = SETTINGS_RESET_ON_CLAIM;
	t->settings.idle = SETTINGS_IDLE_HOST_DRIVER;
	/* The settings speak of VMs; a trial is of a card that nobody uses. */
	guest_spare_users(&t->settings, "no VM's start");
	claim_init(&t->claim, c->h, &guest_world, GUEST_NOBODY);
	t->claim.caller = (struct lease_process){ getpid(), lease_process_start(c->h, getpid()) };
	t->claim.end = END_UNUSED;
	return 0;
}

void trial_close(struct trial *t)
{
	guest_view_release(&t->view);
	guest_release(&t->guest);
	claim_release(&t->claim);
}

struct awake { struct trial *t; struct err *e; int r; };

/* "100.pid" in /run/qemu-server: as a VM that runs would lose its devices under it. */
static int see_pidfile(void *arg, const char *name)
{
	struct running run;
	struct awake *a = arg;
	struct err unclear = ERR_INIT;
	char text[16];
	unsigned vmid;
	size_t n = strcspn(name, ".");

	if (strcmp(name + n, ".pid") != 0 || n >= sizeof(text))
		return 0;
	memcpy(text, name, n);
	text[n] = '\0';
	if (str_to_vmid(text, &vmid) == 0 && running_pidfile(a->t->c->h, vmid, &run, &unclear) != 0)
		a->r = plan_refuse(&a->t->view.plan, "vm-runs", NULL, a->e, "shut it down first",
				   "VM %u runs, and suspending the host takes the power from its devices", vmid);
	return a->r;
}

static int refuse_running(struct trial *t, struct err *e)
{
	struct awake a = { t, e, 0 };
	int r = host_list(t->c->h, "/run/qemu-server", see_pidfile, &a);

	return a.r < 0 ? a.r : r < 0 && r != -ENOENT ?
		err_set(e, -r, "cannot tell which VMs run (/run/qemu-server: %s)", err_text(r)) : 0;
}

int trial_plan(struct trial *t, struct err *e)
{
	struct guest_input in = {
		.settings = &t->settings, .now_unix = t->c->now_unix, .chain = t->chain, .dead_too = t->dead_too,
		.starting = !t->c->dry_run,
		.origins = t->claim.lease.plan.devices, .n_origins = t->claim.lease.plan.n_devices,
	};
	struct hold *holds = NULL;
	int r = claim_holds(&t->claim, &holds, &in.n_holds, e);

	in.holds = holds;
	guest_view_release(&t->view);
	if (r == 0)
		r = guest_plan(t->c->h, &t->guest, &in, &t->view, e);
	if (r == 0 && t->host_sleeps)
		r = refuse_running(t, e);
	free(holds);
	return r;
}

/* What a killed or failed trial left is taken over where it is this card, as it may be what is wrong with it;
 * else it goes back first. */
static int enter(struct trial *t, struct err *e)
{
	int r;

	do {
		r = claim_enter(&t->claim, e);
		if (r == 0)
			r = trial_plan(t, e);
	} while (r == 0 && host_now(t->claim.h) < t->claim.deadline && claim_make_way(&t->claim, &t->view.plan));
	if (r < 0 || t->claim.lease.fd < 0 || (t->view.plan.n_refusals == 0 && claim_covers(&t->claim, &t->view.plan)))
		return r;
	r = claim_give_back(&t->claim, e);
	if (r < 0)
		return err_wrap(e, "giving back what an earlier trial had left behind");
	lease_release(&t->claim.lease);
	r = claim_enter(&t->claim, e);
	return r == 0 ? trial_plan(t, e) : r;
}

/* Off the bus, or asleep: a first look may take a moment, and none may hang us. */
static void look(struct trial *t, bool after)
{
	struct probe probe = PROBE_INIT(t->c->h);

	for (size_t i = 0; i < t->n; i++) {
		struct trial_function *f = &t->fns[i];
		struct health *h = after ? &f->after : &f->before;
		struct err e = ERR_INIT;

		if (probe_health(&probe, f->bdf, after ? &f->before.link : NULL, h, NULL, &e) == 0)
			continue;
		*h = (struct health){ .verdict = HEALTH_DEAD };
		snprintf(h->what, sizeof(h->what), "%.399s", e.msg);
	}
	probe_stop(&probe);
}

static void list_functions(struct trial *t)
{
	const struct plan *p = &t->view.plan;

	t->n = 0;
	for (size_t i = 0; i < p->n_devices && t->n < ARRAY_SIZE(t->fns); i++)
		t->fns[t->n++].bdf = p->devices[i].bdf;
}

static void note_reset(struct trial *t)
{
	const struct lease *l = &t->claim.lease;

	t->used[0] = '\0';
	for (size_t i = 0; l->at && i < l->plan.n_steps && !t->used[0]; i++)
		memcpy(t->used, l->at[i].used, sizeof(t->used));
}

int trial_take(struct trial *t, struct err *e)
{
	uint64_t began = host_now(t->c->h);
	int r;

	t->claim.deadline = began + NOW_MS + RESET_LIMIT_MS;
	r = enter(t, e);
	if (r == 0 && t->view.plan.n_refusals)
		r = err_set(e, EPERM, "%s", t->view.plan.refusals[0].reason);
	if (r == 0) {
		list_functions(t);
		look(t, false);
		r = claim_take(&t->claim, &t->view.plan, e);
	}
	t->take_ms = host_now(t->c->h) - began;
	t->take_ns = t->claim.report.ns;
	note_reset(t);
	return r;
}

int trial_back(struct trial *t, struct err *e)
{
	uint64_t began;
	int r;

	look(t, true);
	began = host_now(t->c->h);
	t->claim.back_ms = NOW_MS;
	r = claim_give_back(&t->claim, e);
	t->back_ms = host_now(t->c->h) - began;
	t->back_ns = t->claim.report.ns;
	lease_release(&t->claim.lease);
	return r;
}
