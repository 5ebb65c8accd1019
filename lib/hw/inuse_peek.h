/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_peek - what one process has open: its part of a pass over /proc.
 *
 * Threads share their process's descriptors.  When a process's own table is empty although it has
 * threads (its first thread has ended: kernel/exit.c:exit_files), the threads' tables are read.
 */
#ifndef INUSE_PEEK_H
#define INUSE_PEEK_H

#include "inuse_maps.h"
#include "inuse_match.h"
#include "inuse_proc.h"

/* One descriptor or mapping that matters. */
struct inuse_hit {
	int pid;
	bool vfio;		/* a VFIO device file, of `bdf` if `named`; otherwise node `i` */
	bool named;
	struct bdf bdf;
	size_t i;
};

/* One thread's work.  `pass` and `match` are shared and not changed. */
struct inuse_peek {
	const struct inuse_pass *pass;
	const struct inuse_match *match;
	struct inuse_maps maps;
	struct inuse_hit *hits;
	size_t n, size;
	size_t unseen;

	int pid;		/* the process being looked at */
	bool hidden;
};

/* Adds the hits of one process.  0 also for a process that is gone or hidden. */
int inuse_peek(struct inuse_peek *p, int pid) _must_check_;

#endif
