/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pmxcfs - writing below /etc/pve, which is no ordinary file system.
 *
 * What is peculiar about it (pve-cluster: src/pmxcfs; measured with pve-cluster 9.1.6):
 *
 *  - when it is not mounted, /etc/pve is a plain folder, and what is written there is lost in the
 *    cluster and in the way of the next mount.  It is mounted when /etc/pve/local is a link;
 *  - without quorum everything can be read and every change is EACCES, also for root; the owner's
 *    write bit of /etc/pve/local tells (Cluster.pm: check_cfs_quorum);
 *  - while the membership changes a write may be EBUSY for a moment;
 *  - every write(2) is a transaction in the whole cluster: a file is written with one;
 *  - O_TRUNC is a transaction of its own, so a file is never written in place: a temporary file
 *    beside it takes its place by rename.  A rename over a file that somebody has open is not atomic
 *    (FUSE moves the open one away first), so ours is closed by then;
 *  - modes are made up: 0640 is the only one that chmod accepts.
 *
 * In a tree that is no running machine the same rules are kept.
 */
#ifndef PMXCFS_H
#define PMXCFS_H

#include <stddef.h>

#include "err.h"
#include "host.h"

/* -ENOLINK: not mounted. */
int pmxcfs_check_mounted(struct host *h, struct err *e) _must_check_;
/* Mounted, and the cluster has quorum.  -ENOLINK, -EACCES. */
int pmxcfs_check_writable(struct host *h, struct err *e) _must_check_;

/*
 * Puts `bytes` in the place of the file at `path`, which must still hold the `old_len` bytes of `old`
 * (NULL: there must be no such file).  Whatever happens, the file holds the old bytes or the new ones.
 * -ESTALE: somebody else has changed it meanwhile, and nothing was written.  Waits out EBUSY for some
 * seconds.
 */
int pmxcfs_replace(struct host *h, const char *path, const char *old, size_t old_len, const char *bytes,
		   size_t len, struct err *e) _must_check_;

/* A whole file that pmxcfs can hold, read at once.  -ENOENT without a sentence. */
int pmxcfs_read(struct host *h, const char *path, char **ret, size_t *ret_len, struct err *e) _must_check_;

/* The same of a file that is known to be there: while pmxcfs replaces it, an open() of its name may fail with ENOENT for a
 * moment, which is waited out for 200 ms. */
int pmxcfs_read_listed(struct host *h, const char *path, char **ret, size_t *ret_len, struct err *e) _must_check_;

/*
 * The cluster-wide lock of a shared file, `name` being its path below /etc/pve ("mapping/pci.cfg"): a
 * folder in priv/lock, which expires after 120 s (Cluster.pm: $cfs_lock).  Waits at most `ms`.
 */
int pmxcfs_lock(struct host *h, const char *name, uint64_t ms, struct err *e) _must_check_;
void pmxcfs_unlock(struct host *h, const char *name);

#endif
