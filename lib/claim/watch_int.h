/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_int - what the three parts of the keeper share; nobody else includes it.
 *
 *   watch.c        the folder, the loop
 *   watch_judge.c  is a lease over, and what to do about it
 *   watch_back.c   giving back, in a child
 *   watch_tell.c   saying what happened
 */
#ifndef WATCH_INT_H
#define WATCH_INT_H

#include "watch.h"

enum verdict {
	UNKNOWN, BUSY, RUNS, STARTING, LOCKED, LINGERS, UNCLEAR, GONE,
	DIED_TAKING, DIED_RETURNING, LET_GO, START_FAILED, STOP_LOST, LINGERED, BROKEN,
};

struct watched {
	unsigned vmid;
	ino_t ino;			/* which lease of this VM it is */
	struct lease_process task, qemu;
	enum verdict verdict;
	uint64_t since;			/* when the verdict became this one */
	uint64_t due;			/* when to look again; 0 = when there is news */
	uint64_t linger;		/* LINGERS: until when */
	uint64_t not_before;		/* the next try */
	unsigned failures, looks;
	int follow;			/* of the process that the verdict hangs on */
	int child_fd;
	pid_t child;
	bool news, told_held, told_hung;
	bool devices_back;		/* only something of the host's has not come up again */
};

#define WATCH_BLIND_MS 5000	/* a process that no descriptor can be had for */

/* The last four are incidents: something could not be given back. */
enum watch_event {
	WATCH_GAVE_BACK, WATCH_NOTE, WATCH_UNCLEAR, WATCH_RETRY,
	WATCH_HELD, WATCH_HANGS, WATCH_FAILED, WATCH_ASIDE,
};

/* One entry in the journal, or one line; of an incident the administrator is told, once for this
 * lease.  `l` may be NULL. */
void watch_say(struct watch *w, const struct watched *v, enum watch_event event, const struct lease *l,
	       const char *fmt, ...) _printf_(5, 6);
/* The same words as they are, of no incident. */
void watch_line(struct watch *w, unsigned vmid, enum watch_event event, const struct lease *l, const char *text);
/* The VM's lease is gone: the next one has incidents of its own. */
void watch_forget(struct watch *w, unsigned vmid);

int watch_pidfd_of(pid_t pid);

/* Looks at the lease, and begins to give it back when the time has come. */
void watch_judge(struct watch *w, struct watched *v);
/* Nobody has the lease's lock: how is it?  Afterwards v->follow tells of the end of what keeps it. */
enum verdict watch_verdict(struct watch *w, struct watched *v, const struct lease *l, struct err *e);

/* NULL = it is not over. */
const char *watch_why_over(enum verdict verdict);

/* A child of its own for this lease; v->child says that it is at work. */
void watch_begin(struct watch *w, struct watched *v);
/* The child has ended, or is waited for. */
void watch_reap(struct watch *w, struct watched *v);
/* Somebody is about to let go of a lock: a few looks in a row, then only events count (0). */
uint64_t watch_busy_pause(unsigned looks);

#endif
