/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scout - looks that may never return, taken by a child with a deadline.
 *
 * While somebody's write to a device hangs in the kernel, reading its driver_override hangs too (up
 * to 6.1 it takes the device lock), and reading a process's memory map waits for a lock that a
 * stuck process may hold.  So these facts are gathered by one worker, all of them in one go.
 */
#ifndef SCOUT_H
#define SCOUT_H

#include "inuse.h"
#include "snapshot.h"

/*
 * Adds override, link and life sign of each function to the snapshot; with `try_open`, whether the VFIO group of
 * one that is enabled on a VFIO driver has an owner (which opens the group for a moment); and, when `ret_inuse` is not NULL, finds who uses
 * these functions (inuse_scan(), inuse_free()).  `ms` bounds each single answer.  -ETIMEDOUT: the scout did not
 * come back and was left behind; the sentence names the device it was looking at.
 */
int scout(struct host *h, struct snapshot *s, const struct bdf *fns, size_t n, int ms, bool try_open,
	  const struct inuse_needs *needs, struct inuse **ret_inuse, struct err *e) _must_check_;

/* Who uses these functions, alone. */
int scout_users(struct host *h, const struct bdf *fns, size_t n, int ms, const struct inuse_needs *needs,
		struct inuse **ret, struct err *e) _must_check_;

#endif
