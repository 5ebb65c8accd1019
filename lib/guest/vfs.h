/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfs - virtual functions that a VM's start makes: the setting `vfs`.
 *
 * A hostpci entry may name a virtual function that does not exist yet.  Where it will be is known from its
 * physical function (sriov.h), so it gets a record in the snapshot and is planned like any other; a step
 * before all others makes it.  For a VM that asks for the physical function itself none are made.  What others have made stays theirs: an administrator's functions are never
 * taken away, and those of another VM's lease go with the last lease that has the step.
 */
#ifndef VFS_H
#define VFS_H

#include "guest.h"

struct vfs {
	struct plan_vfs *list;		/* owned */
	size_t n, size;
};

#define VFS_INIT { NULL, 0, 0 }

/* For a VM without the setting there is nothing to do.  What stands against it is a refusal in `plan`. */
int vfs_find(struct host *h, const struct guest *g, const struct guest_input *in, struct snapshot *s, struct vfs *ret,
	     struct plan *plan, struct err *e) _must_check_;

#endif
