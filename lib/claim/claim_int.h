/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claim_int - what the parts of a claim share; nobody else includes it.
 *
 *   claim.c        taking, giving back, waiting for QEMU
 *   claim_enter.c  what is in the way of a claim when it begins
 *   claim_holds.c  what other VMs have
 *   abandoned.c    what was given up
 */
#ifndef CLAIM_INT_H
#define CLAIM_INT_H

#include "claim.h"

#define CLAIM_LOCK_MS 3000	/* how long a lease's lock is waited for */

int claim_lock_node(struct claim *c, struct err *e) _must_check_;
void claim_unlock_node(struct claim *c);

/* Under the lease's lock: everything back, and the file goes. */
int claim_walk_back(struct claim *c, struct lease *l, struct run_report *report, struct err *e) _must_check_;

/* A watch is there. */
bool claim_has_keeper(struct host *h);

/* The first device of the lease that somebody has open. */
const struct device *claim_still_open(struct claim *c, const struct lease *l);

/* lease_dispose(), and a note says so.  Negative: it is still there. */
int claim_dispose(struct claim *c, unsigned vmid, struct err *e);

#endif
