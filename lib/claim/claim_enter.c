// SPDX-License-Identifier: GPL-2.0-or-later
/* Getting ready to claim: what others and this VM itself have left behind.  See claim.h. */
#include <errno.h>
#include <stdlib.h>

#include "array.h"
#include "claim_int.h"

#define TAKING_MS 3000		/* a killed hook's worker ends the write it was at */
#define RETURNING_MS 30000

static void note_error(struct claim *c, unsigned vmid, const struct err *e)
{
	(void)str_addf(&c->notes, "left over from VM %u: %s\n", vmid, e->msg);
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
	if (host_now(c->h) < l->linger)
		return 0;	/* before its time it goes only to whoever wants it */
	/* QEMU may have come up between two looks: the last one is at QEMU again. */
	return claim_start_goes_on(c->h, c->world, l, &e) == 0 && c->world->vm_process(c->h, l->vmid, &p, &e) == 0;
}

/* 1: the lease was opened for giving back. */
static int find_abandoned(struct claim *c, unsigned vmid, struct lease *ret)
{
	struct err e = ERR_INIT;

	if (lease_open(c->h, vmid, 0, ret, &e) < 0)
		return 0;	/* at work, or gone meanwhile */
	if (abandoned(c, ret) && !claim_still_open(c, ret))
		return 1;
	lease_release(ret);
	return 0;
}

/* True when the lease is gone.  A device may take its time; the lease's own lock protects it. */
static bool give_back_other(struct claim *c, struct lease *l)
{
	struct run_report report = { 0 };
	struct err e = ERR_INIT;

	claim_unlock_node(c);
	if (claim_walk_back(c, l, &report, &e) < 0) {
		note_error(c, l->vmid, &e);
		return false;
	}
	(void)str_addf(&c->notes, l->linger ? "gave back the devices of VM %u, which were kept for its next start\n" :
		       l->claimed ? "gave back the devices of VM %u, which a failed start or lost stop had left behind\n" :
		       "gave back the devices of VM %u, which a killed hook had left behind\n", l->vmid);
	return report.stuck == 0;
}

static bool give_back_abandoned(struct claim *c, unsigned vmid)
{
	struct lease l = LEASE_INIT;
	bool ret = find_abandoned(c, vmid, &l) == 1 && give_back_other(c, &l);

	lease_release(&l);
	return ret;
}

void claim_give_back_others(struct claim *c)
{
	unsigned *ids = NULL;
	struct err e = ERR_INIT;
	size_t n = 0;

	if (claim_has_keeper(c->h) || lease_list(c->h, &ids, &n, &e) < 0)
		return;
	for (size_t i = 0; i < n && host_now(c->h) < c->return_by; i++)
		if (ids[i] != c->vmid)
			(void)give_back_abandoned(c, ids[i]);
	free(ids);
}

/* Every other VM's lease, under the node lock: who is at work on one, and what is none. */
static int look_at_others(struct claim *c, struct err *e)
{
	unsigned *ids = NULL;
	size_t n = 0;
	int r = lease_list(c->h, &ids, &n, e);

	c->n_busy = 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct lease l = LEASE_INIT;
		struct err mine = ERR_INIT;
		int q = ids[i] == c->vmid ? 0 : lease_open(c->h, ids[i], 0, &l, &mine);

		lease_release(&l);
		mine = (struct err)ERR_INIT;
		if (q == -EBADMSG || q == -ESTALE)
			(void)claim_dispose(c, ids[i], &mine);
		if (q == -EWOULDBLOCK && array_room(&c->busy, c->n_busy, &c->busy_size, sizeof(*c->busy)) == 0)
			c->busy[c->n_busy++] = ids[i];
	}
	free(ids);
	return r;
}

/* How long somebody else's work on this VM's own lease is worth waiting for: a return is. */
static uint64_t own_patience(struct claim *c)
{
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	uint64_t now = host_now(c->h), ms = CLAIM_LOCK_MS;

	if (lease_load(c->h, c->vmid, &l, &e) == 0 && l.returning)
		ms = RETURNING_MS;
	lease_release(&l);
	return now + ms <= c->deadline ? ms : c->deadline > now ? c->deadline - now : 0;
}

/* A start that another task has brought this far is not ours to take over. */
static int foreign_start(struct claim *c, struct err *e)
{
	const struct lease *l = &c->lease;

	/* Where post-start or post-stop has come, the start is over whatever its task does now. */
	if (!l->claimed || l->returning || l->linger || l->qemu.pid || (l->task.pid == c->caller.pid && l->task.start == c->caller.start) ||
	    !lease_process_alive(c->h, l->task))
		return 0;
	/* A start that held Proxmox's lock is over when it is ours or free, however long its task goes on. */
	if (l->task_locked && (c->caller_locked || c->world->vm_locked(c->h, c->vmid, e) == 0))
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
	if (r == -EBADMSG || r == -ESTALE)
		return claim_dispose(c, c->vmid, e);
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
			r = claim_lock_node(c, e);
		if (r < 0 || c->lease.fd >= 0 || !host_exists(c->h, lease_path(c->vmid).s))
			return r;
		claim_unlock_node(c);
	}
	return r < 0 ? r : err_set(e, EBUSY, "the lease of VM %u appears again and again; nothing was touched", c->vmid);
}

/* Under its lock: does this lease only wait for its VM, which nobody is bringing up or down? */
static bool only_lingers(struct claim *c, const struct lease *l)
{
	struct lease_process p;
	struct err e = ERR_INIT;

	return l->linger && !l->returning && c->world->vm_locked(c->h, l->vmid, &e) == 0 &&
	       c->world->vm_process(c->h, l->vmid, &p, &e) == 0 && !claim_still_open(c, l);
}

/* Proxmox's lock is still held while the post-stop that let it linger ends. */
static bool end_linger(struct claim *c, unsigned vmid)
{
	uint64_t end = host_now(c->h) + TAKING_MS;
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	bool mine = false;

	claim_unlock_node(c);
	while (!mine && host_now(c->h) < end) {
		if (lease_open(c->h, vmid, 0, &l, &e) < 0 || !l.linger)
			break;
		mine = only_lingers(c, &l);
		if (!mine) {
			lease_release(&l);
			host_sleep(c->h, 50);
		}
	}
	mine = mine && give_back_other(c, &l);
	lease_release(&l);
	return mine;
}

static bool is_lingering(struct claim *c, unsigned vmid)
{
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	bool ret = lease_load(c->h, vmid, &l, &e) == 0 && l.linger && !l.returning;

	lease_release(&l);
	return ret;
}

/* Its QEMU is gone and Proxmox is at it: post-stop is about to come. */
static bool is_ending(struct claim *c, unsigned vmid)
{
	struct lease l = LEASE_INIT;
	struct lease_process p;
	struct err e = ERR_INIT;
	bool ret = lease_load(c->h, vmid, &l, &e) == 0 && l.claimed && !l.returning && !l.linger && l.qemu.pid &&
		   !lease_process_alive(c->h, l.qemu) && c->world->vm_process(c->h, vmid, &p, &e) == 0 &&
		   c->world->vm_locked(c->h, vmid, &e) > 0;

	lease_release(&l);
	return ret;
}

static bool await_end(struct claim *c, unsigned vmid)
{
	uint64_t end = host_now(c->h) + TAKING_MS;
	bool ending = true;

	claim_unlock_node(c);
	while (ending && host_now(c->h) < end) {
		host_sleep(c->h, 50);
		ending = is_ending(c, vmid);
	}
	return !ending;
}

static bool wait_for(struct claim *c, unsigned vmid)
{
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	uint64_t now = host_now(c->h), ms = 0;
	bool was_busy = false;
	int r;

	if (is_lingering(c, vmid))
		return end_linger(c, vmid);
	for (size_t i = 0; i < c->n_busy; i++)
		was_busy |= c->busy[i] == vmid;
	if (!was_busy)
		return is_ending(c, vmid) ? await_end(c, vmid) : give_back_abandoned(c, vmid);
	claim_unlock_node(c);
	if (lease_load(c->h, vmid, &l, &e) == 0)
		ms = l.returning ? RETURNING_MS : TAKING_MS;
	lease_release(&l);
	if (now + ms > c->deadline)
		ms = c->deadline > now ? c->deadline - now : 0;
	r = lease_open(c->h, vmid, ms, &l, &e);
	lease_release(&l);
	return r == 0 || r == -ENOENT;
}

bool claim_make_way(struct claim *c, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_refusals; i++)
		if (plan->refusals[i].vmid && plan->refusals[i].vmid != c->vmid && wait_for(c, plan->refusals[i].vmid))
			return true;
	return false;
}

void claim_step_aside(struct claim *c)
{
	claim_unlock_node(c);
	lease_release(&c->lease);
}

void claim_pause(struct claim *c, uint64_t ms)
{
	claim_unlock_node(c);
	host_sleep(c->h, ms);
}

int claim_enter(struct claim *c, struct err *e)
{
	int r = lease_prepare(c->h, e);

	if (r == 0)
		r = find_own_locked(c, e);
	return r == 0 ? look_at_others(c, e) : r;
}
