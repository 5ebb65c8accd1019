// SPDX-License-Identifier: GPL-2.0-or-later
/* Claims from entry to end: see claim.h. */
#include "claim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "file.h"
#include "vfio.h"

#define NODE_LOCK_MS 10000
#define LEASE_LOCK_MS 3000
#define TAKING_MS 3000		/* a killed hook's worker ends the write it was at */
#define RETURNING_MS 30000

void claim_init(struct claim *c, struct host *h, const struct claim_world *world, unsigned vmid)
{
	*c = (struct claim){
		.h = h, .world = world, .vmid = vmid,
		.deadline = host_now(h) + 120000, .back_ms = 45000, .release_ms = 30000,
		.limit = step_limit, .cancel = -1, .node_lock = -1, .lease = LEASE_INIT, .notes = STR_INIT,
	};
}

static void unlock_node(struct claim *c)
{
	if (c->node_lock >= 0)
		close(c->node_lock);
	c->node_lock = -1;
}

void claim_release(struct claim *c)
{
	unlock_node(c);
	lease_release(&c->lease);
	free(c->busy);
	str_release(&c->notes);
}

static int lock_node(struct claim *c, struct err *e)
{
	c->node_lock = file_lock(c->h, LEASE_LOCK, NODE_LOCK_MS, e);
	return c->node_lock < 0 ? c->node_lock : 0;
}

/* --- giving back ----------------------------------------------------------------------------- */

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
		const struct device *v = &l->plan.devices[i];

		if (same_hardware(c->h, v))
			continue;
		(void)str_addf(&c->notes, "%s is no longer the %04x:%04x that VM %u had: nothing to give back\n",
			       BDF_S(v->bdf), v->vendor, v->device, l->vmid);
		for (size_t k = 0; k < l->plan.n_steps; k++)
			if (bdf_same(l->plan.steps[k].bdf, v->bdf))
				l->at[k].mark = MARK_UNDONE;
	}
}

static int walk_back(struct claim *c, struct lease *l, struct run_report *report, struct err *e)
{
	struct runner r = {
		.h = c->h, .lease = l, .limit = c->limit, .cancel = -1, .report = *report,
		.deadline = host_now(c->h) + c->back_ms,
	};
	int q;

	if (report->stuck == 0)
		skip_lost_devices(c, l);
	q = run_back(&r, e);
	*report = r.report;
	if (q == 0 && r.report.stuck == 0)
		q = lease_remove(l, e);
	return q;
}

int claim_give_back(struct claim *c, struct err *e)
{
	unlock_node(c);		/* a device may take its time; the lease's own lock protects it */
	memset(&c->report, 0, sizeof(c->report));
	return walk_back(c, &c->lease, &c->report, e);
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

/* The first device of the lease that somebody has open. */
static const struct device *still_open(struct claim *c, const struct lease *l)
{
	for (size_t i = 0; i < l->plan.n_devices; i++) {
		const struct device *v = &l->plan.devices[i];
		char driver[PDEV_NAME];

		if (host_read_linkname(c->h, pdev_path(v->bdf, "driver").s, driver, sizeof(driver)) < 0 ||
		    strcmp(driver, "vfio-pci") != 0)
			continue;
		if (vfio_is_open(c->h, v->bdf, idle_count(l, v)))
			return v;
	}
	return NULL;
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
	ret->open = still_open(c, l);
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

/* --- entry ------------------------------------------------------------------------------------- */

static void note_error(struct claim *c, unsigned vmid, const struct err *e)
{
	(void)str_addf(&c->notes, "left over from VM %u: %s\n", vmid, e->msg);
}

/* A file that is no lease of this boot cannot be acted on. */
static int dispose(struct claim *c, unsigned vmid, int why, const struct err *e)
{
	struct err mine = ERR_INIT;
	int r = why == -ESTALE ? host_unlink(c->h, lease_path(vmid).s) : lease_set_aside(c->h, vmid, &mine);

	(void)str_addf(&c->notes, "%s; %s\n", e->msg, r < 0 ? mine.msg : why == -ESTALE ? "it was removed" :
		       "it was put aside in " LEASE_ASIDE " and is not acted on: check its devices with "
		       "'pve-gpu list --all'");
	return r;
}

/* Nobody will come back for this lease: 1.  It is somebody's: 0. */
static int abandoned(struct claim *c, const struct lease *l)
{
	struct lease_process p;
	struct err e = ERR_INIT;

	if (lease_process_alive(c->h, l->qemu) || c->world->vm_process(c->h, l->vmid, &p, &e) != 0)
		return 0;
	if (!l->claimed || l->returning)
		return 1;	/* the hook died at its work: whoever gets the lock finishes it */
	/* QEMU may have come up between two looks: the last one is at QEMU again. */
	return !lease_process_alive(c->h, l->task) && c->world->vm_locked(c->h, l->vmid, &e) == 0 &&
	       c->world->vm_process(c->h, l->vmid, &p, &e) == 0;
}

/* Under the node lock.  1: a lease of another VM was opened for giving back. */
static int find_abandoned(struct claim *c, unsigned vmid, struct lease *ret)
{
	struct err e = ERR_INIT;
	int r = lease_open(c->h, vmid, 0, ret, &e);

	if (r == -EBADMSG || r == -ESTALE)
		return dispose(c, vmid, r, &e), 0;
	if (r == -EWOULDBLOCK && array_room(&c->busy, c->n_busy, &c->busy_size, sizeof(*c->busy)) == 0)
		c->busy[c->n_busy++] = vmid;
	if (r < 0)
		return 0;	/* at work, or gone meanwhile */
	if (abandoned(c, ret) && !still_open(c, ret))
		return 1;
	lease_release(ret);
	return 0;
}

static void give_back_other(struct claim *c, struct lease *l)
{
	struct run_report report = { 0 };
	struct err e = ERR_INIT;

	if (walk_back(c, l, &report, &e) < 0)
		note_error(c, l->vmid, &e);
	else
		(void)str_addf(&c->notes, "gave back the devices of VM %u, which a %s had left behind\n", l->vmid,
			       l->claimed ? "failed start or lost stop" : "killed hook");
	lease_release(l);
}

/* Looks at every other VM's lease once. */
static int recover_others(struct claim *c, struct err *e)
{
	unsigned *ids = NULL;
	size_t n = 0;
	int r = lease_list(c->h, &ids, &n, e);

	c->n_busy = 0;
	for (size_t i = 0; r == 0 && i < n && host_now(c->h) < c->deadline; i++) {
		struct lease l = LEASE_INIT;

		if (ids[i] == c->vmid || find_abandoned(c, ids[i], &l) != 1)
			continue;
		unlock_node(c);		/* a device may take its time; the lease's own lock protects it */
		give_back_other(c, &l);
		r = lock_node(c, e);
	}
	free(ids);
	return r;
}

/* How long somebody else's work on this VM's own lease is worth waiting for: a return is. */
static uint64_t own_patience(struct claim *c)
{
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	uint64_t now = host_now(c->h), ms = LEASE_LOCK_MS;

	if (lease_load(c->h, c->vmid, &l, &e) == 0 && l.returning)
		ms = RETURNING_MS;
	lease_release(&l);
	return now + ms <= c->deadline ? ms : c->deadline > now ? c->deadline - now : 0;
}

/* A start that another task has brought this far is not ours to take over. */
static int foreign_start(struct claim *c, struct err *e)
{
	const struct lease *l = &c->lease;

	if (!l->claimed || l->returning || (l->task.pid == c->caller.pid && l->task.start == c->caller.start) ||
	    !lease_process_alive(c->h, l->task))
		return 0;
	return err_set(e, EBUSY, "another task (pid %d) is starting VM %u; nothing was touched", (int)l->task.pid,
		       c->vmid);
}

/* What this VM itself left: kept locked in c->lease, so that the new plan can take it over. */
static int find_own(struct claim *c, struct err *e)
{
	struct err mine = ERR_INIT;
	int r = lease_open(c->h, c->vmid, own_patience(c), &c->lease, &mine);

	if (r == -ENOENT)
		return 0;
	if (r == -EBADMSG || r == -ESTALE) {
		if (dispose(c, c->vmid, r, &mine) == 0)
			return 0;
		*e = mine;
		return r;
	}
	if (r < 0) {
		*e = mine;
		return r;
	}
	r = foreign_start(c, e);
	return r == 0 ? claim_wait_gone(c, &c->lease, e) : r;
}

/* Under the node lock nobody makes a lease any more: a second pre-start of this VM may have made one
 * since we looked. */
static int find_own_locked(struct claim *c, struct err *e)
{
	int r = 0;

	for (int i = 0; r == 0 && i < 3; i++) {
		r = c->lease.fd < 0 ? find_own(c, e) : 0;
		if (r == 0)
			r = lock_node(c, e);
		if (r < 0 || c->lease.fd >= 0 || !host_exists(c->h, lease_path(c->vmid).s))
			return r;
		unlock_node(c);
	}
	return r < 0 ? r : err_set(e, EBUSY, "the lease of VM %u appears again and again; nothing was touched", c->vmid);
}

bool claim_wait_for(struct claim *c, unsigned vmid)
{
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	uint64_t now = host_now(c->h), ms = 0;
	bool was_busy = false;
	int r;

	for (size_t i = 0; i < c->n_busy; i++)
		was_busy |= c->busy[i] == vmid;
	if (!was_busy)
		return false;
	unlock_node(c);
	if (lease_load(c->h, vmid, &l, &e) == 0)
		ms = l.returning ? RETURNING_MS : TAKING_MS;
	lease_release(&l);
	if (now + ms > c->deadline)
		ms = c->deadline > now ? c->deadline - now : 0;
	r = lease_open(c->h, vmid, ms, &l, &e);
	lease_release(&l);
	return r == 0 || r == -ENOENT;
}

int claim_enter(struct claim *c, struct err *e)
{
	int r = lease_prepare(c->h, e);

	if (r == 0)
		r = find_own_locked(c, e);
	return r == 0 ? recover_others(c, e) : r;
}

/* --- holds ------------------------------------------------------------------------------------- */

struct holds { struct hold *list; size_t n, size; };

static void hold_text(struct claim *c, const struct lease *l, char *buf, size_t size)
{
	struct lease_process p = { 0, 0 };
	struct err e = ERR_INIT;
	int alive = c->world->vm_process(c->h, l->vmid, &p, &e), i = lease_open_step(l);

	if (alive > 0)
		snprintf(buf, size, "VM %u, which is running (pid %d)", l->vmid, (int)p.pid);
	else if (i >= 0)
		snprintf(buf, size, "VM %u, where the step '%s' of %s has not finished", l->vmid,
			 step_kind_name(l->plan.steps[i].kind), BDF_S(l->plan.steps[i].bdf));
	else if (l->returning)
		snprintf(buf, size, "VM %u, whose devices are on their way back", l->vmid);
	else
		snprintf(buf, size, "VM %u, whose start is under way (if it is not: 'pve-gpu release %u')", l->vmid,
			 l->vmid);
}

static int add_lease_holds(struct claim *c, const struct lease *l, struct holds *out)
{
	for (size_t i = 0; i < l->plan.n_devices; i++) {
		struct hold *o;

		if (array_room(&out->list, out->n, &out->size, sizeof(*o)) < 0)
			return -ENOMEM;
		o = &out->list[out->n++];
		o->bdf = l->plan.devices[i].bdf;
		o->vmid = l->vmid;
		hold_text(c, l, o->who, sizeof(o->who));
	}
	return 0;
}

int claim_holds(struct claim *c, struct hold **ret, size_t *ret_n, struct err *e)
{
	struct holds out = { NULL, 0, 0 };
	unsigned *ids = NULL;
	size_t n = 0;
	int r = lease_list(c->h, &ids, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct lease l = LEASE_INIT;
		struct err mine = ERR_INIT;

		if (ids[i] == c->vmid)
			continue;
		r = lease_load(c->h, ids[i], &l, &mine);
		if (r == 0 && add_lease_holds(c, &l, &out) < 0)
			r = err_nomem(&mine);
		lease_release(&l);
		/* Gone meanwhile, or nothing that could be acted on; anything else must not look free. */
		if (r == -ENOENT || r == -EBADMSG || r == -ESTALE)
			r = 0;
		if (r < 0)
			*e = mine;
	}
	free(ids);
	if (r < 0) {
		free(out.list);
		return r;
	}
	*ret = out.list;
	*ret_n = out.n;
	return 0;
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

	if (walk_back(c, &c->lease, &c->report, &back) < 0)
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
	int q = lease_create(c->h, plan, c->caller, &fresh, e);

	if (q < 0)
		return q;
	lease_release(&c->lease);
	c->lease = fresh;
	unlock_node(c);
	q = run_forward(&r, e);
	c->report = r.report;
	if (q == 0)
		q = lease_note_claimed(&c->lease, e);
	return q < 0 ? roll_back(c, e) : 0;
}

int claim_return(struct claim *c, bool *ret_had, struct err *e)
{
	int r;

	*ret_had = false;
	r = lease_open(c->h, c->vmid, LEASE_LOCK_MS, &c->lease, e);
	if (r == -ENOENT)
		return 0;
	*ret_had = true;
	if (r == -EBADMSG || r == -ESTALE) {
		struct err mine = *e;

		return dispose(c, c->vmid, r, &mine) < 0 || r == -EBADMSG ? r : 0;
	}
	if (r == 0)
		r = claim_wait_gone(c, &c->lease, e);
	return r == 0 ? claim_give_back(c, e) : r;
}
