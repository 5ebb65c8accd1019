/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch - the keeper of leases: does for a lease what post-stop would have done, when post-stop never
 * comes.
 *
 * Proxmox runs no hook when a start fails behind pre-start, and loses post-stop in several ways.  So
 * one process looks after all leases of the node.  The lease file is the only message between the
 * hook and it: nobody starts it but systemd, nobody waits for it, and killing it at any moment loses
 * nothing that is not in the files.
 *
 * It sleeps until the kernel has news:
 *
 *   inotify on the folder    a lease appeared or went; and IN_CLOSE_WRITE, which comes when the last
 *                            writer of a lease is gone (hook and workers share one open file), just
 *                            before its lock is free
 *   pidfd                    the Proxmox task that started the VM, its QEMU, a worker left behind
 *                            in the kernel, our own children
 *
 * Only two things have no event and are looked at again after pauses: the grace periods below, and
 * Proxmox's own lock of a VM whose QEMU is gone or has not come up yet, every 1 to 5 seconds.  While all
 * VMs run, nothing is looked at.
 *
 * A lease is over when nobody works on it, no QEMU of the VM is there, and
 *
 *   - it is not complete, or its return was begun: whoever was at it has died.  At once;
 *   - the VM's Proxmox lock is free, and the start held it (as all do but that of an import) or its task
 *     is gone: the start failed (`settle_ms` later: the launcher's QEMU may be in the middle of its execve).
 *     However long the task goes on, as that of a backup does, it keeps no devices;
 *   - the QEMU that was there is gone, the VM's Proxmox lock is free, and post-stop has not come
 *     within `grace_ms`;
 *   - post-stop has let it linger for the VM's next start, the time is over, and the VM's Proxmox lock
 *     is free;
 *   - its file is damaged or of another boot: it is put aside, no device is touched.
 *
 * A VM that has left for another node needs no rule of its own: its QEMU is gone from here.  One
 * whose QEMU waits for a migration's end has a QEMU.
 *
 * All of this is judged again under the lease's lock before anything is done.  The return itself is
 * done by a child, one per lease, so that a device that takes its time holds up no other.  What
 * fails is tried again, three times; then it is left to people, and said so.  Where all devices are back
 * and only a service or a container of the host's does not come up again, which may be locked by its own
 * backup for an hour, it is said so once, and tried on for as long as that takes.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "claim.h"

#define WATCH_RETRIES 3

struct watched;

struct watch {
	struct host *h;
	const struct claim_world *world;
	FILE *out;			/* one line per event, unless the journal gets it */
	int journal;			/* journal_open(), or -1: each event with its fields */
	/* Tells the administrator that something could not be given back; called in a process of its
	 * own, once per incident.  NULL = nobody is told. */
	void (*notify)(struct watch *w, unsigned vmid, const char *text);
	int stop;			/* readable: finish what is under way, then return; -1 = never */
	uint64_t grace_ms;
	uint64_t settle_ms;
	uint64_t retry_ms[WATCH_RETRIES];
	uint64_t (*limit)(enum step_kind kind, enum step_way way);	/* as in struct claim */
	/* A descriptor that becomes readable when the process has ended; -ESRCH: it has already. */
	int (*follow)(struct host *h, struct lease_process p);
	/* Called before a sleep that only news can end; may be NULL. */
	void (*rest)(void);

	/* its own */
	struct watched *list;
	size_t n, size;
	int events;			/* inotify */
	int alive;			/* LEASE_KEEPER, locked */
	bool rescan, stopping, foreign, told_foreign;
};

void watch_init(struct watch *w, struct host *h, const struct claim_world *world, FILE *out);
void watch_release(struct watch *w);

/* Looks after the leases until none is left (0) or told to stop (1).  Negative: it cannot watch. */
int watch_run(struct watch *w, struct err *e) _must_check_;

/* Says something on the side, as watch itself would; vmid 0 = of no VM. */
void watch_remark(struct watch *w, unsigned vmid, const char *text);

/* The default of `follow`: a pidfd. */
int watch_pidfd(struct host *h, struct lease_process p);

#endif
