/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proc - children: what a child must shed before it may do anything, and running a program with a
 * deadline.  The default host operations use it; nothing else runs programs.
 */
#ifndef PROC_H
#define PROC_H

#include <stdint.h>
#include <sys/types.h>

#include "host.h"

/* In a fresh child: own session, no signal blocked, /dev/null on 0-2 (stdout and stderr on `output`
 * if that is >= 0), every other descriptor closed except the `n` of keep[] (-1 is skipped).  What
 * the parent ignores (SIGPIPE) stays ignored. */
void proc_shed(int output, const int keep[], int n);

/* When a process began: field 22 of /proc/PID/stat, ticks since boot; with the pid it names one process
 * for ever.  0 = there is none. */
uint64_t proc_start(struct host *h, pid_t pid);

/*
 * That very process still exists: same pid, same start time.  A zombie counts as gone once none of
 * its threads is left: files are closed before a thread becomes a zombie, but after a SIGKILL the
 * main thread is often a zombie while others are still on their way out with the files open.
 * True also when it cannot be told; the caller's deadline ends the wait.
 */
bool proc_is_alive(struct host *h, pid_t pid, uint64_t start);

/* host_ops.run on the running machine: argv[0] is an absolute path; the environment holds PATH,
 * LC_ALL=C and nothing else.  A program that cannot be executed is the errno of execve(2).
 * After `ms` the group gets SIGTERM, a second later SIGKILL; a child that survives even that is
 * left behind (timed_out says so). */
int proc_run(const char *const argv[], uint64_t ms, struct host_run *ret) _must_check_;

#endif
