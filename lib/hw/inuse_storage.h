/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_storage - the storage part of a scan under way; not for others.
 *
 * Functions return 0 or -ENOMEM; a disk that vanishes meanwhile carries nothing.
 */
#ifndef INUSE_STORAGE_H
#define INUSE_STORAGE_H

#include "inuse_disk.h"
#include "inuse_mounts.h"
#include "inuse_scan.h"

struct inuse_seen {
	size_t fn;
	unsigned major, minor;
};

struct inuse_store {
	struct inuse_scan *scan;
	struct inuse_mounts mounts;
	size_t fn;			/* the function whose disks are looked at */
	unsigned depth;			/* of holders on holders */
	struct inuse_seen *visited;	/* holders, each once per function */
	size_t n_visited;
};

/* All uses of one block device, and of what is built on it. */
int inuse_storage_look(struct inuse_store *st, const struct inuse_disk *d) _must_check_;

/* What is built on it: volumes, arrays, caches. */
int inuse_holders_look(struct inuse_store *st, const struct inuse_disk *d) _must_check_;

/* "pve-vm--101--disk--0" -> "pve": a volume's name joins group and volume with one dash and doubles
 * the dashes inside them (LVM's dm_build_dm_name). */
void inuse_group_name(const char *dm_name, char *buf, size_t size);

/* What is written on it, where the kernel shows no user: pools above all.  `used` = something
 * is known to use it already. */
int inuse_labels_look(struct inuse_store *st, const struct inuse_disk *d, bool used) _must_check_;

#endif
