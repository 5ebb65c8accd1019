/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run - carries the steps of a lease out, or walks them back: chains side by side, the steps of
 * one chain in order, each in a worker with a deadline, each journaled before and after.
 *
 * The calling process never writes to a device itself.  A worker that does not come back in time is
 * left behind with the lease's lock in its hand, its step is marked stuck, and its device is not
 * touched again; the other devices go on.
 */
#ifndef RUN_H
#define RUN_H

#include "lease.h"
#include "step.h"

struct run_report {
	uint64_t ns;		/* the kernel's own time on the longest chain */
	unsigned stuck;		/* steps that did not come back */
	unsigned failed;	/* steps that could not be taken back */
	bool host_waits;	/* what was stopped before the first chain is not started again */
};

struct runner {
	struct host *h;
	struct lease *lease;
	uint64_t deadline;	/* host_now() value; no step starts after it, none waits beyond it */
	uint64_t (*limit)(enum step_kind kind, enum step_way way);	/* ms; step_limit() but in tests */
	enum step_end end;	/* for run_back(); END_UNUSED where the VM cannot have had the devices */
	bool tries_left;	/* for run_back(): somebody tries again what fails */
	int cancel;		/* a signalfd that interrupts run_forward(), or -1 */
	struct run_report report;
};

/* All steps, in order.  On the first failure no new step is begun, those under way are waited for,
 * and the error says which step of which device; the caller walks back. */
int run_forward(struct runner *r, struct err *e) _must_check_;

/* Takes back every step that took effect or may have, in reverse order.  What fails is recorded and
 * skipped over; the first error is returned when it is all over.  Beside a device that did not come back nobody
 * who may want it is started as long as there are tries left, and beside one that hangs never. */
int run_back(struct runner *r, struct err *e) _must_check_;

#endif
