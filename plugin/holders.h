/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holders - who has which function right now: our leases, open VFIO groups, Proxmox's reservations.
 */
#ifndef HOLDERS_H
#define HOLDERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bdf.h"
#include "err.h"
#include "host.h"
#include "snapshot.h"
#include "str.h"

enum holder_kind {
	HOLDER_LEASE,		/* a lease of ours */
	HOLDER_VFIO,		/* a process has its group or device node open */
	HOLDER_RESERVATION,	/* Proxmox has promised it to a VM */
};

struct holder {
	struct bdf bdf;
	enum holder_kind kind;
	unsigned vmid;		/* 0 = no VM */
	pid_t pid;		/* 0 = unknown */
	char text[360];		/* in words, safe */
};

struct holders {
	struct holder *list;	/* by address, then kind */
	size_t n, size;
};

#define HOLDERS_INIT { NULL, 0, 0 }

/*
 * Holders of the functions whose records are in the snapshot.  What could not be looked at (leases,
 * as somebody who is not root) becomes a line in `notes`; only lack of memory fails.
 */
int holders_find(struct host *h, const struct snapshot *s, uint64_t now_unix, struct holders *ret,
		 struct str *notes, struct err *e) _must_check_;
void holders_release(struct holders *o);

/* The holders of one function: *ret_n of them at the returned place. */
const struct holder *holders_of(const struct holders *o, struct bdf bdf, size_t *ret_n);

#endif
