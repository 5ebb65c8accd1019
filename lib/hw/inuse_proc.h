/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_proc - one pass over /proc that finds who has any of a set of device nodes open or mapped.
 *
 * Costs per process: open, two getdents64 and close of /proc/PID/fd, and one statx per descriptor;
 * with `maps`, open, the reads and close of /proc/PID/maps.  The number of nodes does not matter
 * (binary search), and no process is looked at twice.  A big machine is shared among a few threads,
 * which only collect; the callbacks are called afterwards, by the caller's thread, in the order of
 * pids.
 */
#ifndef INUSE_PROC_H
#define INUSE_PROC_H

#include <stdbool.h>
#include <stddef.h>

#include "bdf.h"
#include "err.h"
#include "host.h"

/* A device node to look for. */
struct inuse_node {
	bool block;
	bool numbered;		/* major and minor are known; otherwise only its name can match */
	unsigned major, minor;
	char name[64];		/* below /dev: "dri/card0"; "" = never matched by name */
	size_t tag;		/* the caller's */
};

struct inuse_pass {
	struct host *h;
	struct inuse_node *nodes;	/* inuse_proc_run() sorts them */
	size_t n;
	bool maps;		/* also look for mappings whose descriptor was closed */
	bool vfio;		/* also report anonymous VFIO device files */

	/* A process has node i open or mapped; may be called repeatedly for the same pair. */
	int (*found)(void *arg, int pid, size_t i);
	/* It has a VFIO device file, of the PCI function *bdf, or NULL where the kernel does not tell
	 * (drivers/vfio/vfio_main.c:vfio_device_show_fdinfo). */
	int (*device)(void *arg, int pid, const struct bdf *bdf);
	/* That was all of a process for which one of the above was called. */
	int (*done)(void *arg, int pid);
	void *arg;

	size_t unseen;		/* out: processes that permissions hide from us, wholly or in part */
};

/* Walks /proc.  Processes that vanish meanwhile are no error; a negative errno of a callback (they
 * make no sentence) ends the pass; this process is left out on the running machine. */
int inuse_proc_run(struct inuse_pass *p, struct err *e) _must_check_;

#endif
