/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_mounts - what is mounted and swapped on, as tables.
 */
#ifndef INUSE_MOUNTS_H
#define INUSE_MOUNTS_H

#include <stddef.h>

#include "err.h"
#include "host.h"

struct inuse_mount {
	unsigned major, minor;		/* 0:N for file systems that span devices (btrfs, zfs) */
	const char *point, *type, *source, *options;	/* raw, unescaped */
};

struct inuse_swap {
	const char *path;		/* raw, unescaped: "/dev/sda3", "/dev/mapper/pve-swap" */
};

struct inuse_mounts {
	struct inuse_mount *mounts;	/* the order of the kernel: root first */
	size_t n_mounts;
	struct inuse_swap *swaps;
	size_t n_swaps;
	char *mount_text, *swap_text;	/* what the pointers point into */
};

/* /proc/self/mountinfo (this process's mount namespace) and /proc/swaps.  A captured tree may lack
 * the former; on the running machine that is an error, because "cannot tell" is not "unused".  A
 * kernel without swap has none of the latter. */
int inuse_mounts_load(struct inuse_mounts *m, struct host *h, struct err *e) _must_check_;
void inuse_mounts_release(struct inuse_mounts *m);

#endif
