/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claim - who has which devices: taking, giving back, and cleaning up after the dead.
 *
 * One node-wide lock guards the step from "the plan is possible" to "the lease exists", because
 * IOMMU groups couple VMs; it is held briefly and never while a device is written to.  From then on
 * the lease itself is the claim, and its own lock says who works on it.
 *
 * Whoever wants what a dead predecessor left half done first gives it back.  Whether a VM lives is
 * Proxmox's knowledge: it comes through struct claim_world.
 */
#ifndef CLAIM_H
#define CLAIM_H

#include "lease.h"
#include "run.h"
#include "str.h"

struct claim_world {
	/* 1 and *ret: the VM's QEMU is there (perhaps on its way out); 0: it is not; negative: cannot
	 * be told. */
	int (*vm_process)(struct host *h, unsigned vmid, struct lease_process *ret, struct err *e);
	/* 1: Proxmox is starting, stopping or changing the VM right now; 0: it is not. */
	int (*vm_locked)(struct host *h, unsigned vmid, struct err *e);
};

struct claim {
	struct host *h;
	const struct claim_world *world;
	unsigned vmid;
	struct lease_process caller;	/* the Proxmox task that we work for */
	bool caller_locked;		/* it holds Proxmox's lock of the VM, and will until its start is over */
	uint64_t deadline;		/* host_now() value for the whole entry */
	uint64_t back_ms;		/* what a roll-back may take on top of it */
	uint64_t release_ms;		/* how long to wait until QEMU has let go */
	uint64_t return_by;		/* host_now() value when giving back must be over, 0 = after back_ms */
	enum step_end end;		/* how the VM ended, where that is known; END_CLEAN by default */
	bool by_hand;			/* claim_return(): nobody holds the VM's lock for us, see release */
	bool last_try;			/* what was stopped for a device is started although the device does not come
					 * back; as it is where no watch would try again */
	uint64_t linger_ms;		/* claim_return(): how long the devices wait for the VM's next start */
	uint64_t (*limit)(enum step_kind kind, enum step_way way);
	int cancel;			/* signalfd, or -1 */
	int node_lock;			/* descriptor while held, else -1 */
	struct lease lease;		/* ours; fd -1 when there is none */
	struct run_report report;	/* of the last run */
	unsigned *busy;			/* VMs whose leases somebody was at work on when we entered */
	size_t n_busy, busy_size;
	struct str notes;		/* what happened on the side, one line each, for people */
};

void claim_init(struct claim *c, struct host *h, const struct claim_world *world, unsigned vmid);
/* Lets go of locks and memory; changes nothing on disk or device. */
void claim_release(struct claim *c);

/*
 * Gets ready to claim for c->vmid: state folders, files in the place of leases that are none go aside,
 * a lease that this VM still has is locked (c->lease) once its old QEMU is gone, and the node lock
 * is held on return.  -EBUSY: the VM is running, or another task is starting it.
 */
int claim_enter(struct claim *c, struct err *e) _must_check_;

/*
 * Other VMs' leases are in the plan's way, by its refusals.  What a dead start or a lost stop has left, or
 * what only waits for its VM's next start, is given back now.  A VM whose QEMU is gone and which Proxmox has
 * locked, whose post-stop is about to come, is waited for a moment.  If somebody was at work on the lease when we
 * entered: waits, without the node lock, until he is through; longer for one that is giving back than for
 * one that is taking.  True when it is worth to enter and plan again.  What is in nobody's way is none of
 * our business: a start does not wait for the broken card of another VM.
 */
bool claim_make_way(struct claim *c, const struct plan *plan);

/* Until c->return_by: gives back what dead starts and lost stops of other VMs have left, where no watch is
 * there to do it. */
void claim_give_back_others(struct claim *c);

/* Lets go of the node lock and of this VM's own lease, whose file stays: others are waited for that may need
 * them.  Enter and plan again. */
void claim_step_aside(struct claim *c);

/* Lets go of the node lock for a while, for what only needs time: enter and plan again. */
void claim_pause(struct claim *c, uint64_t ms);

/*
 * May the start that made this lease still be under way?  1, 0, or negative: cannot be told.  Look for QEMU
 * before and once more after it.
 *
 * Proxmox holds its lock of the VM from before pre-start until QEMU is up or has failed (qemu-server:
 * QemuServer.pm: vm_start; so do a backup, API and migration, which start through it), and its task may go on
 * for hours after that.  Only where the task did not hold it, as when a disk is imported live
 * (live_import_from_files), the task's life has a say.
 */
int claim_start_goes_on(struct host *h, const struct claim_world *world, const struct lease *l, struct err *e) _must_check_;

/* What other VMs have, by their leases.  malloc'ed. */
int claim_holds(struct claim *c, struct hold **ret, size_t *ret_n, struct err *e) _must_check_;

/* Carries out a plan without refusals: writes the lease (in place of an older one of this VM, whose
 * devices must all be in the plan), drops the node lock, runs the steps.  On failure everything done
 * has been taken back and the lease is gone, or says what could not be. */
int claim_take(struct claim *c, const struct plan *plan, struct err *e) _must_check_;

/* Are all devices of the lease we found in the plan? */
bool claim_covers(const struct claim *c, const struct plan *plan);

/* Gives back what c->lease holds, its VM being gone.  Lets go of the node lock: enter again before
 * anything is planned. */
int claim_give_back(struct claim *c, struct err *e) _must_check_;

/*
 * post-stop and release: finds the VM's lease, waits until QEMU has let go, gives the devices back.
 * 0 with *ret_had false: there was no lease.  -EBUSY: the VM lives or holds on; nothing was touched.
 * With linger_ms, and a watch to end it, a complete lease only gets a time when it will be given
 * back (c->lease.linger): the VM's next start takes it over, another VM may have the devices at once.
 */
int claim_return(struct claim *c, bool *ret_had, struct err *e) _must_check_;

/* For claim_return(): `total_ms` from now for everything, of it at most `wait_ms` for QEMU to let go, so
 * that there is time left for the devices. */
void claim_budget(struct claim *c, uint64_t wait_ms, uint64_t total_ms);

/* Waits, at most c->release_ms, until nobody can have the lease's devices open any more. */
int claim_wait_gone(struct claim *c, struct lease *l, struct err *e) _must_check_;

#endif
