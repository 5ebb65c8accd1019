/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_match - which of a set of device nodes a number or a path means.
 */
#ifndef INUSE_MATCH_H
#define INUSE_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "inuse_proc.h"

struct inuse_match {
	const struct inuse_node *nodes;		/* by number; borrowed */
	const struct inuse_node **by_name;
	size_t n;
};

/* Called for every node that fits: several functions may share one (a VFIO group's). */
typedef int (*inuse_match_fn)(void *arg, size_t node);

/* Sorts nodes[] in place and borrows it.  -ENOMEM. */
int inuse_match_init(struct inuse_match *m, struct inuse_node *nodes, size_t n) _must_check_;
void inuse_match_release(struct inuse_match *m);

int inuse_match_number(const struct inuse_match *m, bool block, unsigned major, unsigned minor,
		       inuse_match_fn fn, void *arg) _must_check_;

/* "/dev/dri/card0", also with the " (deleted)" that the kernel appends for a node that was removed
 * (fs/d_path.c).  `path` is changed. */
int inuse_match_path(const struct inuse_match *m, char *path, inuse_match_fn fn, void *arg) _must_check_;

#endif
