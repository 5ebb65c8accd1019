/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_disk - one block device: its names, what is written on it, whether the kernel uses it.
 */
#ifndef INUSE_DISK_H
#define INUSE_DISK_H

#include <stdbool.h>

#include "err.h"
#include "host.h"

struct inuse_disk {
	struct host_path path;		/* in sysfs */
	char name[64];			/* "nvme0n1p2", "dm-0"; '!' as sysfs has it */
	unsigned major, minor;
	char dm_name[160], dm_uuid[192];	/* "" unless it is a device-mapper volume */
};

/* -ENOENT and the like when it is gone. */
int inuse_disk_load(struct inuse_disk *d, struct host *h, const char *path, const char *name) _must_check_;

/* What a person calls it: "/dev/mapper/pve-root", "/dev/nvme0n1p2"; safe text. */
struct inuse_disk_text { char s[200]; };
struct inuse_disk_text inuse_disk_node(const struct inuse_disk *d);

/* Is /dev/PATH this device?  By number on the running machine, by name in a tree. */
bool inuse_disk_is(const struct inuse_disk *d, struct host *h, const char *path);

/* What udev found on it (its database, not the disk): "zfs_member" and "rpool"; "" = nothing. */
struct inuse_label {
	char type[32];
	char label[128];	/* raw */
	char id[64];		/* raw; of an LVM physical volume its own */
	char group[128];	/* raw; the LVM group of a physical volume, where udev's rules note it */
};
void inuse_disk_label(const struct inuse_disk *d, struct host *h, struct inuse_label *ret);

/*
 * Does somebody in the kernel have it claimed: a mount in whatever namespace, a pool, an array, an
 * export?  Asked by opening it exclusively for reading, which the kernel refuses with EBUSY when
 * the disk or one of its partitions is claimed (block/bdev.c:bd_may_claim), and which does no
 * input or output on a fixed disk.  1, 0, or -1 when it cannot be told: no node, no permission, a
 * captured tree.
 */
int inuse_disk_claimed(const struct inuse_disk *d, struct host *h);

#endif
