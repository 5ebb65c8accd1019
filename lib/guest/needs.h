/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * needs - what Proxmox's configuration says this node cannot do without, in the words of a scan.
 */
#ifndef NEEDS_H
#define NEEDS_H

#include "err.h"
#include "host.h"
#include "inuse.h"

struct needs {
	struct inuse_needs list;	/* for inuse_scan() and scout() */
	struct inuse_need *v;		/* owned */
};

#define NEEDS_INIT { { NULL, 0, false }, NULL }

/* Negative with a sentence when a file is there but cannot be read. */
int needs_load(struct host *h, struct needs *ret, struct err *e) _must_check_;
void needs_release(struct needs *n);

#endif
