/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * leases - what state a lease is in, judged from outside: its record, the lock on its file, the
 * processes it names, and whether its VM lives.
 *
 * Nothing is changed and nothing is waited for.
 */
#ifndef LEASES_H
#define LEASES_H

#include "claim.h"
#include "lease.h"
#include "step.h"

enum leased_state {
	LEASED_STARTING,	/* a hook is taking the devices, or QEMU is about to come up */
	LEASED_RUNNING,		/* the VM's QEMU is there */
	LEASED_RETURNING,	/* somebody is giving the devices back */
	LEASED_LINGERING,	/* the VM has ended; the devices wait for its next start */
	LEASED_STUCK,		/* a step has not come back from the kernel */
	LEASED_LEFT,		/* nobody works on it and no VM uses it */
	LEASED_UNCLEAR,		/* whether the VM lives cannot be told */
	LEASED_DAMAGED,		/* the file is not to be trusted */
	LEASED_STALE,		/* of an earlier boot */
};

struct leased {
	unsigned vmid;
	enum leased_state state;
	struct lease lease;		/* empty when damaged or stale */
	struct lease_process qemu;	/* pid 0 = none was found */
	bool busy;			/* somebody holds the lock on the lease */
	int step;			/* the step that was begun and not finished, or -1 */
	enum step_way way;		/* was it being done or taken back? */
	char text[800];			/* the state in words, no full stop */
	char advice[320];		/* what to do about it, "" = nothing */
};

#define LEASED_INIT { .lease = LEASE_INIT, .step = -1 }

/* -ENOENT: the VM has no lease (without a sentence).  Other errors: the leases cannot be read. */
int leased_look(struct host *h, const struct claim_world *world, unsigned vmid, struct leased *ret,
		struct err *e) _must_check_;
void leased_release(struct leased *l);

/* Somebody has to do something about it. */
bool leased_is_problem(enum leased_state state);

/* A stable word for programs: "starting", "running"... */
const char *leased_state_name(enum leased_state state);

#endif
