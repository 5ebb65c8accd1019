/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * upkeep - what this node cannot do without, as far as only Proxmox's configuration says it.
 *
 * The kernel shows what is mounted, swapped on or routed.  It does not show that a network without
 * a gateway is the cluster's heartbeat, that migrations go over another, or that a volume group with no
 * active volume is a storage whose VMs happen to be off.  Read are
 *
 *   /etc/pve/corosync.conf	ringN_addr of this node (corosync.conf(5); names are looked up in /etc/hosts)
 *   /etc/pve/datacenter.cfg	network= of `migration` and `replication` (pve-cluster: DataCenterConfig.pm)
 *   /etc/pve/ceph.conf		public_network, cluster_network
 *   /etc/pve/storage.cfg	volume groups, pools and servers of the storages that this node uses
 *   /etc/hosts			the address that the node's own name stands for (pve-cluster: pve_cert and others)
 *
 * A file that is not there asks for nothing.
 */
#ifndef UPKEEP_H
#define UPKEEP_H

#include <stddef.h>

#include "err.h"
#include "host.h"

enum upkeep_kind {
	UPKEEP_NETWORK,		/* `name` is an address of this node, or a network as "10.1.0.0/16" */
	UPKEEP_SERVER,		/* `name` is the address of another machine */
	UPKEEP_GROUP,		/* `name` is an LVM volume group */
	UPKEEP_POOL,		/* `name` is a ZFS pool */
};

struct upkeep_item {
	enum upkeep_kind kind;
	char name[128];		/* raw */
	char why[160];		/* "the Proxmox storage vmdata", "corosync link 0"; safe text */
};

struct upkeep {
	struct upkeep_item *list;
	size_t n, size;
};

#define UPKEEP_INIT { NULL, 0, 0 }

/* Negative with a sentence when a file is there but cannot be read: "cannot tell" is not "not needed". */
int upkeep_load(struct host *h, struct upkeep *ret, struct err *e) _must_check_;
void upkeep_release(struct upkeep *u);

#endif
