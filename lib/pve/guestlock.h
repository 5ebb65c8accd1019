/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guestlock - the lock Proxmox holds while it starts, stops or changes one VM.
 *
 * /var/lock/qemu-server/lock-<vmid>.conf, flock(2) LOCK_EX, created on demand and never removed
 * (pve-common: Tools.pm: lock_file_full; pve-guest-common: AbstractConfig.pm: lock_config).  It is
 * local to the node.  Deleting the file breaks mutual exclusion for everybody who waits on it: we
 * never do.
 *
 * A hook runs while its caller holds this lock, so from inside the hook of a VM the lock of that VM
 * reads "held" and can never be taken.
 */
#ifndef GUESTLOCK_H
#define GUESTLOCK_H

#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "host.h"

enum guestlock_state { GUESTLOCK_FREE, GUESTLOCK_HELD };

struct guestlock_holder {
	pid_t pid;
	char name[64];		/* the process's name, safe to print; "" when unknown */
};

/* Could it be had right now, without waiting?  Tries and lets go at once.  A file that is not there
 * is not created: nobody holds it.  Two callers do not disturb each other (a shared lock); a
 * Proxmox command that arrives in between waits its usual seconds. */
int guestlock_probe(struct host *h, unsigned vmid, enum guestlock_state *ret, struct err *e) _must_check_;

/* Who holds it, from /proc/locks.  1 and *ret, or 0 when it cannot be told (nobody, or another pid
 * namespace).  The pid is that of the process which took the lock; a child may hold it now. */
int guestlock_holder(struct host *h, unsigned vmid, struct guestlock_holder *ret) _must_check_;

/* Takes it for an edit, waiting at most `ms`: creates folder (0755) and file (0644) where they are
 * missing, as Proxmox does.  The descriptor is the caller's; closing it lets go.  -EWOULDBLOCK with
 * a sentence that names the holder.  The caller must read the config only after this. */
int guestlock_take(struct host *h, unsigned vmid, uint64_t ms, struct err *e) _must_check_;

#endif
