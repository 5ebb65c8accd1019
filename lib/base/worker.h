/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker - a child that does what may block in the kernel, and can be left behind.
 *
 * A write to unbind, bind or reset may never return and cannot be killed
 * (drivers/base/bus.c:unbind_store holds the device lock while the driver's remove callback
 * waits).  No poll and no alarm helps the process that wrote.  So such work is asked of a child
 * over a socket pair: the parent waits with a deadline and, when it passes, goes on without the
 * child and reports its pid.
 *
 * The child inherits nothing it could harm us with: standard streams are /dev/null (Proxmox's
 * run_command reads both pipes to end-of-file, whoever holds them), every other descriptor is
 * closed except the host's root and those the caller names, no signal is blocked, and it sits in a
 * session of its own.  It ends when the parent's end of the socket closes.
 *
 * Requests and replies are fixed-size values without pointers.
 */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "err.h"
#include "host.h"

/* Runs in the child for each request; fills the reply. */
typedef void (*worker_fn)(struct host *h, void *arg, const void *request, void *reply);

struct worker {
	pid_t pid;		/* 0 = none */
	int fd;			/* our end of the socket; poll it for POLLIN */
	bool busy;		/* a request is under way */
	size_t request_size, reply_size;
};

#define WORKER_INIT { 0, -1, false, 0, 0 }

/* Forks.  `keep` (may be -1) is one descriptor the child holds on to: the lease, whose flock then
 * tells everybody that a writer is still at work. */
int worker_start(struct worker *w, struct host *h, worker_fn fn, void *arg, int keep,
		 size_t request_size, size_t reply_size, struct err *e) _must_check_;

int worker_ask(struct worker *w, const void *request, struct err *e) _must_check_;

/* After poll() said readable.  -EPIPE when the child died (its exit is then reaped). */
int worker_answer(struct worker *w, void *reply, struct err *e) _must_check_;

/* Ask and wait up to `ms`.  -ETIMEDOUT leaves the worker busy: abandon it. */
int worker_call(struct worker *w, const void *request, void *reply, int ms, struct err *e) _must_check_;

/* An idle worker ends at once and is reaped; a busy one is abandoned.  Safe on WORKER_INIT. */
void worker_stop(struct worker *w);

#endif
