/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lease - the record that a VM holds devices, and the journal of what was done to them.
 *
 * /run/pve-gpu/leases/<vmid> is a text file: the whole plan first, written at once under another
 * name and renamed into place before anything is touched; then one appended line per event.  Every
 * line ends in a checksum; a torn last line never happened.  A reboot empties /run, and the
 * kernel forgets bindings and overrides with it.
 *
 *   pve-gpu-lease 1 vmid=100 boot=... task=PID:START       locked=1: it held Proxmox's lock of the VM
 *   device 0000:01:00.0 key=hostpci0 id=10de:2684 ... driver=nvidia module=nvidia override= ...
 *   step 0 kind=override chain=1 at=0000:01:00.0 from= to=vfio-pci ...      kept=1: an earlier start,
 *                                    whose lease this one replaces, may have done it
 *   plan devices=2 steps=9
 *   intent 0            written before the step is done
 *   done 0 ns=41000 enable=0
 *   claimed             all steps are done: the VM may start
 *   qemu PID:START
 *   linger MS           the VM has ended; until then (CLOCK_MONOTONIC) its devices wait for its next start
 *   undo 8              written before it is taken back
 *   undone 8
 *   failed 8 TEXT       could not be taken back
 *   stuck 4 PID:START   the worker did not come back from the kernel
 *
 * Who works on a lease holds flock(2) on its file, and so does every worker it has sent into the
 * kernel: as long as a writer is at work, nobody else gets the lock.  The kernel gives it up when the
 * last of them ends, however it ends.
 */
#ifndef LEASE_H
#define LEASE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host.h"
#include "plan.h"
#include "step.h"

#define LEASE_RUN "/run/pve-gpu"
#define LEASE_DIR LEASE_RUN "/leases"
#define LEASE_ASIDE LEASE_RUN "/broken"
#define LEASE_ABANDONED LEASE_RUN "/abandoned"
#define LEASE_TOLD LEASE_RUN "/told"	/* what watch has told the administrator */
#define LEASE_LOCK LEASE_RUN "/lock"
#define LEASE_KEEPER LEASE_RUN "/watch"	/* locked, shared, as long as a watch is there */

enum lease_mark { MARK_PLANNED, MARK_INTENT, MARK_DONE, MARK_UNDO, MARK_UNDONE, MARK_FAILED, MARK_STUCK };

/* A process, safe against a pid that is used again: start is field 22 of /proc/PID/stat. */
struct lease_process {
	pid_t pid;		/* 0 = none */
	uint64_t start;
};

struct lease {
	struct host *h;
	int fd;			/* locked, open for appending; -1 when only read */
	unsigned vmid;
	char boot[40];
	struct lease_process task;	/* the Proxmox task that called the hook */
	bool task_locked;		/* and held Proxmox's lock of the VM then: it does to the end of a start */
	struct lease_process qemu;	/* noted by post-start */
	struct lease_process stuck;	/* the last worker that was left behind */
	size_t whole;			/* bytes of whole lines, as read */
	uint64_t written;		/* when the file was last written, seconds since 1970 */
	bool claimed;			/* every step was done */
	bool returning;			/* a walk back has begun */
	uint64_t linger;		/* host_now() value until which it is kept for the VM's next start; 0 = it is not */
	struct plan plan;		/* devices and steps; no refusals */
	struct lease_step {
		enum lease_mark mark;
		uint64_t ns;
		char why[160];
		char used[RESET_NAME];	/* this run: see struct step_reply */
		uint64_t reached;
	} *at;			/* per step */
};

#define LEASE_INIT { .fd = -1, .plan = PLAN_INIT }

/* The folders below /run, ours alone. */
int lease_prepare(struct host *h, struct err *e) _must_check_;

/* Writes the plan and locks the file; replaces a lease of the same VM.  From here on the devices are
 * accounted for. */
int lease_create(struct host *h, const struct plan *plan, struct lease_process task, bool task_locked,
		 struct lease *ret, struct err *e) _must_check_;

/* Reads without a lock.  -ENOENT: no lease.  -EBADMSG: damaged (and whatever could be read is lost);
 * -ESTALE: of another boot. */
int lease_load(struct host *h, unsigned vmid, struct lease *ret, struct err *e) _must_check_;

/* The same of any file: `vmid` is whose it must be. */
int lease_read(struct host *h, const char *path, unsigned vmid, struct lease *ret, struct err *e) _must_check_;

/* Whoever works on a lease holds its lock, as does a worker left behind in the kernel.  A shared lock
 * that is let go at once disturbs neither, and a descriptor for reading raises no event. */
bool lease_is_locked(struct host *h, const char *path);

/* Reads and locks, waiting `ms` for whoever works on it.  -EWOULDBLOCK: somebody still does; the
 * sentence says at which step. */
int lease_open(struct host *h, unsigned vmid, uint64_t ms, struct lease *ret, struct err *e) _must_check_;

/* One line each; `text` may be NULL.  The state in memory follows the file. */
int lease_mark(struct lease *l, size_t step, enum lease_mark mark, uint64_t ns, int enable,
	       const char *text, struct err *e) _must_check_;
int lease_note_claimed(struct lease *l, struct err *e) _must_check_;
int lease_note_qemu(struct lease *l, struct lease_process qemu, struct err *e) _must_check_;
int lease_note_linger(struct lease *l, uint64_t until, struct err *e) _must_check_;
int lease_note_stuck(struct lease *l, size_t step, struct lease_process worker, struct err *e) _must_check_;

/* The devices are the host's again: the file goes. */
int lease_remove(struct lease *l, struct err *e) _must_check_;
/* Moves the file into the folder, as VMID.NUMBER. */
int lease_move(struct host *h, unsigned vmid, const char *folder, struct host_path *ret, struct err *e) _must_check_;
/* A file that is no lease of this boot cannot be acted on.  Under its lock, for which it waits `ms`, and if it
 * still is one: puts it aside for people to look at, or removes it where it is of another boot (why->code is
 * ESTALE).  1: done, `why` says what is wrong with it; 0: there is none, or somebody is at it; negative: it
 * could not be done, for the reason in `e`. */
int lease_dispose(struct host *h, unsigned vmid, uint64_t ms, struct err *why, struct err *e) _must_check_;
/* Frees and unlocks; changes nothing on disk or device. */
void lease_release(struct lease *l);

/* Start time of a process (field 22 of /proc/PID/stat), 0 when there is none. */
uint64_t lease_process_start(struct host *h, pid_t pid);
bool lease_process_alive(struct host *h, struct lease_process p);

/* All VM ids that have a lease, ascending; malloc'ed.  A missing folder is none. */
int lease_list(struct host *h, unsigned **ret, size_t *ret_n, struct err *e) _must_check_;

/* The step that was begun and not finished, or -1. */
int lease_open_step(const struct lease *l);

/* Nothing that was done to the device is left to take back: the lease is only there because something of the
 * host's that was stopped for it does not come up again. */
bool lease_gave_back(const struct lease *l, struct bdf bdf);

/* The steps by which something of the host's was stopped and not started again.  malloc'ed. */
int lease_stopped(const struct lease *l, struct step **ret, size_t *ret_n);
/* The journal does not say which way a stuck step was going: it was being taken back when it had
 * been done before, or when a later step of its chain has been taken back. */
enum step_way lease_way(const struct lease *l, size_t step);
/* The device rests on vfio-pci once its VM has had it. */
bool lease_stays(const struct lease *l, struct bdf bdf);
/* The step took effect, or may have; virtual functions are left to whoever is planned with them. */
bool lease_touched(const struct lease *l, size_t step);

struct lease_path { char s[64]; };
struct lease_path lease_path(unsigned vmid);

/* This boot's id; "" when the kernel does not tell. */
void lease_boot_id(struct host *h, char *buf, size_t size);

#endif
