/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_peers - what this host has to reach, or to be reached at, and by which interface that goes.
 *
 * A second interface without the default route often exists for just that: the network of NFS, CIFS,
 * CephFS or iSCSI.  Taking it stops the host's own file systems as surely as taking a disk.  Found is
 * what the kernel itself has mounted or logged in to; what only programs know of (librbd, a cluster's
 * heartbeat, migrations) comes from outside, as needs.
 */
#ifndef INUSE_PEERS_H
#define INUSE_PEERS_H

#include <stddef.h>

#include "err.h"
#include "host.h"
#include "inuse.h"
#include "inuse_routes.h"

struct inuse_peer {
	char name[32];		/* interface */
	char text[320];		/* "reaches the NFS server 10.10.10.5 of /mnt/pve/nas"; safe */
};

struct inuse_peers {
	struct inuse_peer *v;
	size_t n;
};

/* Reads /proc/self/mountinfo and /sys/class/iscsi_connection; `needs` may be NULL. */
int inuse_peers_load(struct inuse_peers *p, struct host *h, const struct inuse_routes *routes,
		     const struct inuse_needs *needs, struct err *e) _must_check_;
void inuse_peers_release(struct inuse_peers *p);

/* The first peer that is reached over an interface, or NULL. */
const struct inuse_peer *inuse_peers_over(const struct inuse_peers *p, const char *name);

#endif
