/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * abandoned - devices that somebody has given up: `pve-gpu release --abandon`.
 *
 * What can be given back is given back; then the lease, which would stay for ever, is moved to
 * /run/pve-gpu/abandoned/VMID.NUMBER, and is no lease any more: watch does not try again, and the VM's
 * next start begins anew.  Its file still says which step failed or hangs on which device, and
 * whoever hangs in the kernel still has the lock on it.  So, until the next boot:
 *
 *   - while the lock is held, the devices whose step hangs are held by "nobody", and no start gets
 *     them: there would be a second writer;
 *   - after that a start takes such a device as it is, and gives it back to what it is now.
 */
#ifndef ABANDONED_H
#define ABANDONED_H

#include "claim.h"

struct abandoned {
	unsigned vmid;			/* whose it was */
	char file[64];
	struct bdf bdf;
	struct step_text step;		/* what could not be taken back */
	char why[160];			/* as the driver said it; "" when it hung */
	bool hangs;			/* it has not come back from the kernel to this day */
};

/* Each device that was given up.  Negative: the list cannot be read. */
int abandoned_list(struct host *h, struct abandoned **ret, size_t *ret_n, struct err *e) _must_check_;

/*
 * Gives back what the VM holds and gives up the rest; c is ready for claim_return().  0 with
 * *ret_given_up false: everything went back, or there was nothing, as claim_return() has it.  -EBUSY, -EWOULDBLOCK: the VM lives, or somebody is at work who does not hang; nothing was
 * touched.
 */
int claim_abandon(struct claim *c, bool *ret_had, bool *ret_given_up, struct err *e) _must_check_;

/* The step of this device that failed or hangs, -1 = it is well. */
int abandoned_step(const struct lease *l, struct bdf bdf);

#endif
