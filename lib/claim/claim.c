// SPDX-License-Identifier: GPL-2.0-or-later
/* Claims from entry to end: see claim.h. */
#include "claim_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "file.h"
#include "vfio.h"

#define WALK_BACK_MS 10000	/* kept for the devices of what a return may take, where it is that much */
#define NODE_LOCK_MS 10000	/* at least; a plan that meets a device which does not answer takes that long */

void claim_init(struct claim *c, struct host *h, const struct claim_world *world, unsigned vmid)
{
	*c = (struct claim){
		.h = h, .world = world, .vmid = vmid,
		.deadline = host_now(h) + 120000, .back_ms = 45000, .release_ms = 30000,
		.limit = step_limit, .end = END_CLEAN, .cancel = -1, .node_lock = -1, .lease = LEASE_INIT, .notes = STR_INIT,
	};
}

void claim_unlock_node(struct claim *c)
{
	if (c->node_lock >= 0)
		close(c->node_lock);
	c->node_lock = -1;
}

void claim_release(struct claim *c)
{
	claim_unlock_node(c);
	lease_release(&c->lease);
	free(c->busy);
	str_release(&c->notes);
}

int claim_lock_node(struct claim *c, struct err *e)
{
	uint64_t now = host_now(c->h), left = c->deadline > now ? c->deadline - now : 0;

	c->node_lock = file_lock(c->h, LEASE_LOCK, left > NODE_LOCK_MS ? left : NODE_LOCK_MS, e);
	return c->node_lock < 0 ? c->node_lock : 0;
}

bool claim_has_keeper(struct host *h)
{
	_cleanup_(file_closep) int fd = host_open_file(h, LEASE_KEEPER, O_RDWR | O_NOFOLLOW, 0);

	return fd >= 0 && file_flock(h, fd, 0) == -EWOULDBLOCK;
}

/* --- giving back ----------------------------------------------------------------------------- */

/* A rescan of our own took it off the bus and was cut short: its undo finds it again. */
static bool is_away(const struct lease *l, struct bdf bdf)
{
	for (size_t i = 0; i < l->plan.n_steps; i++)
		if (l->plan.steps[i].kind == STEP_RESET && l->plan.steps[i].port[0] &&
		    step_concerns(&l->plan.steps[i], bdf) && lease_touched(l, i))
			return true;
	return false;
}

/* A different card in the slot, or none: what the lease says is about something that is gone. */
static bool same_hardware(struct host *h, const struct device *v)
{
	uint64_t vendor, device;

	return host_read_u64(h, pdev_path(v->bdf, "vendor").s, 16, &vendor) == 0 &&
	       host_read_u64(h, pdev_path(v->bdf, "device").s, 16, &device) == 0 &&
	       vendor == v->vendor && device == v->device;
}

static void skip_lost_devices(struct claim *c, struct lease *l)
{
	for (size_t i = 0; i < l->plan.n_devices; i++) {
		struct device *v = &l->plan.devices[i];

		v->lost = !same_hardware(c->h, v) && !is_away(l, v->bdf);
		if (!v->lost)
			continue;
		(void)str_addf(&c->notes, "%s is no longer the %04x:%04x that VM %u had: nothing to give back\n",
			       BDF_S(v->bdf), v->vendor, v->device, l->vmid);
		for (size_t k = 0; k < l->plan.n_steps; k++)
			if (bdf_same(l->plan.steps[k].bdf, v->bdf))
				l->at[k].mark = MARK_UNDONE;
	}
}

static void note_stopped(struct claim *c, const struct lease *l, bool hangs)
{
	struct step *list = NULL;
	size_t n = 0;

	if (lease_stopped(l, &list, &n) == 0)
		for (size_t i = 0; i < n; i++)
			(void)str_addf(&c->notes, "not done before the %s, or before 'pve-gpu release %s%u': %s\n",
				       hangs ? "step that hangs comes back" : "devices are back or the last try has failed",
				       hangs ? "--abandon " : "", l->vmid, step_describe(&list[i], STEP_UNDO).s);
	free(list);
}

int claim_walk_back(struct claim *c, struct lease *l, struct run_report *report, struct err *e)
{
	struct runner r = {
		.h = c->h, .lease = l, .limit = c->limit, .cancel = -1, .report = *report,
		.deadline = c->return_by ? c->return_by : host_now(c->h) + c->back_ms,
		.end = l->claimed ? c->end : END_UNUSED,
		.tries_left = !c->last_try && !c->by_hand && l->plan.n_steps && l->plan.steps[0].chain == 0 &&
			      claim_has_keeper(c->h),
	};
	int q;

	if (report->stuck == 0)
		skip_lost_devices(c, l);
	q = run_back(&r, e);
	*report = r.report;
	if (r.report.host_waits)
		note_stopped(c, l, r.report.stuck > 0);
	if (q == 0 && r.report.stuck == 0)
		q = lease_remove(l, e);
	return q;
}

void claim_budget(struct claim *c, uint64_t wait_ms, uint64_t total_ms)
{
	uint64_t rest = total_ms / 2 < WALK_BACK_MS ? total_ms / 2 : WALK_BACK_MS;

	c->release_ms = wait_ms < total_ms - rest ? wait_ms : total_ms - rest;
	c->return_by = host_now(c->h) + total_ms;
}

int claim_give_back(struct claim *c, struct err *e)
{
	claim_unlock_node(c);		/* a device may take its time; the lease's own lock protects it */
	memset(&c->report, 0, sizeof(c->report));
	return claim_walk_back(c, &c->lease, &c->report, e);
}

/* --- is it over? ----------------------------------------------------------------------------- */

/* The enable count of the idle device, as its bind or its check noted it; -1 = neither did. */
static int idle_count(const struct lease *l, const struct device *v)
{
	int base = -1;

	for (size_t k = 0; k < l->plan.n_steps; k++) {
		const struct step *s = &l->plan.steps[k];

		if ((s->kind == STEP_BIND || s->kind == STEP_CHECK) && bdf_same(s->bdf, v->bdf) && s->enable >= 0)
			base = s->enable;
	}
	return base;
}

const struct device *claim_still_open(struct claim *c, const struct lease *l)
{
	for (size_t i = 0; i < l->plan.n_devices; i++) {
		const struct device *v = &l->plan.devices[i];
		char driver[PDEV_NAME];

		if (lease_gave_back(l, v->bdf))
			continue;
		if (host_read_linkname(c->h, pdev_path(v->bdf, "driver").s, driver, sizeof(driver)) < 0 ||
		    strcmp(driver, "vfio-pci") != 0)
			continue;
		if (vfio_is_open(c->h, v->bdf, idle_count(l, v)))
			return v;
	}
	return NULL;
}

int claim_start_goes_on(struct host *h, const struct claim_world *world, const struct lease *l, struct err *e)
{
	bool ended = !l->claimed || l->returning || l->linger || l->qemu.pid;

	if (!ended && !l->task_locked && lease_process_alive(h, l->task))
		return 1;
	return world->vm_locked(h, l->vmid, e);
}

struct holder { struct lease_process p; const struct device *open; };

/* 1: somebody may still have a device; 0: nobody. */
static int look(struct claim *c, struct lease *l, struct holder *ret, struct err *e)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	if (lease_process_alive(c->h, l->qemu)) {
		ret->p = l->qemu;
		return 1;
	}
	ret->open = claim_still_open(c, l);
	if (ret->open)
		return 1;
	r = c->world->vm_process(c->h, l->vmid, &ret->p, e);
	return r;
}

static int say_held(struct claim *c, const struct lease *l, const struct holder *who, struct err *e)
{
	char name[24] = "its devices";

	if (who->open)
		snprintf(name, sizeof(name), "%s", BDF_S(who->open->bdf));
	if (who->p.pid)
		return err_set(e, EBUSY, "VM %u still runs (pid %d) and holds %s; nothing was touched. Stop the VM first "
			       "('qm stop %u'); if it is stuck, 'pve-gpu status %u' tells more", l->vmid, (int)who->p.pid,
			       name, l->vmid, l->vmid);
	return err_set(e, EBUSY, "%s is still open through VFIO although no QEMU of VM %u can be found; nothing was "
		       "touched after waiting %llu s. See who has it with 'fuser -v /dev/vfio/*', then type "
		       "'pve-gpu release %u'", name, l->vmid, (unsigned long long)c->release_ms / 1000, l->vmid);
}

int claim_wait_gone(struct claim *c, struct lease *l, struct err *e)
{
	uint64_t end = host_now(c->h) + c->release_ms, pause = 10;

	for (;;) {
		struct holder who;
		int r = look(c, l, &who, e);

		if (r <= 0)
			return r;
		if (host_now(c->h) >= end)
			return say_held(c, l, &who, e);
		host_sleep(c->h, pause);
		pause = pause < 200 ? pause * 2 : 200;
	}
}

int claim_dispose(struct claim *c, unsigned vmid, struct err *e)
{
	struct err why;
	int r = lease_dispose(c->h, vmid, vmid == c->vmid ? CLAIM_LOCK_MS : 0, &why, e);

	if (r != 0)
		(void)str_addf(&c->notes, "%s; %s\n", why.msg, r < 0 ? e->msg : why.code == ESTALE ? "it was removed" :
			       "it was put aside in " LEASE_ASIDE " and is not acted on: check its devices with "
			       "'pve-gpu list --all'");
	return r < 0 ? r : 0;
}

/* --- taking ------------------------------------------------------------------------------------ */

bool claim_covers(const struct claim *c, const struct plan *plan)
{
	for (size_t i = 0; i < c->lease.plan.n_devices; i++) {
		bool found = false;

		for (size_t k = 0; !found && k < plan->n_devices; k++)
			found = bdf_same(c->lease.plan.devices[i].bdf, plan->devices[k].bdf);
		if (!found)
			return false;
	}
	return true;
}

/* Everything back; the first error stays the headline, what could not be taken back follows it. */
static int roll_back(struct claim *c, struct err *e)
{
	struct err back = ERR_INIT;

	if (claim_walk_back(c, &c->lease, &c->report, &back) < 0)
		err_hint(e, "Taking it back failed too: %s. What remains is recorded; 'pve-gpu status %u' shows it, "
			 "'pve-gpu release %u' tries again.", back.msg, c->vmid, c->vmid);
	else if (c->report.stuck == 0)
		err_hint(e, "Everything was put back as it was.");
	return -e->code;
}

int claim_take(struct claim *c, const struct plan *plan, struct err *e)
{
	struct runner r = { .h = c->h, .lease = &c->lease, .limit = c->limit, .cancel = c->cancel,
			    .deadline = c->deadline };
	struct lease fresh = LEASE_INIT;
	int q = lease_create(c->h, plan, c->caller, c->caller_locked, &fresh, e);

	if (q < 0) {
		claim_unlock_node(c);
		return c->lease.fd >= 0 ? roll_back(c, e) : q;	/* what was to be taken over */
	}
	lease_release(&c->lease);
	c->lease = fresh;
	claim_unlock_node(c);
	q = run_forward(&r, e);
	c->report = r.report;
	if (q == 0)
		q = lease_note_claimed(&c->lease, e);
	return q < 0 ? roll_back(c, e) : 0;
}

/* What cannot be written down does not last; and nobody but a watch ends a wait that no start ends. */
static bool lingers(struct claim *c)
{
	struct lease *l = &c->lease;
	uint64_t now = host_now(c->h);
	struct err ignored = ERR_INIT;

	if (c->linger_ms == 0 || !l->claimed || l->returning || !claim_has_keeper(c->h))
		return false;
	if (l->linger)		/* post-stop came twice */
		return now < l->linger;
	return lease_note_linger(l, now + c->linger_ms, &ignored) == 0;
}

/* Under the lease's lock: a start may have begun, and even claimed, since somebody typed 'release'. */
static int nobody_at_it(struct claim *c, struct err *e)
{
	int r = claim_start_goes_on(c->h, c->world, &c->lease, e);

	if (r == 0)	/* its QEMU may have come up between the two looks */
		return claim_wait_gone(c, &c->lease, e);
	return r < 0 ? r : err_set(e, EBUSY, "Proxmox is starting, stopping or changing VM %u right now; nothing was "
				    "touched. Try again when it is through", c->vmid);
}

int claim_return(struct claim *c, bool *ret_had, struct err *e)
{
	int r;

	*ret_had = false;
	r = lease_open(c->h, c->vmid, CLAIM_LOCK_MS, &c->lease, e);
	if (r == -ENOENT)
		return 0;
	*ret_had = true;
	if (r == -EBADMSG || r == -ESTALE) {
		struct err mine = ERR_INIT;

		return claim_dispose(c, c->vmid, &mine) < 0 || r == -EBADMSG ? r : 0;
	}
	if (r == 0)
		r = claim_wait_gone(c, &c->lease, e);
	if (r == 0 && c->by_hand)
		r = nobody_at_it(c, e);
	if (r < 0 || lingers(c))
		return r;
	return claim_give_back(c, e);
}
