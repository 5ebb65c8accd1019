/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_dir - folders with the kind of each entry, for walks over sysfs and /proc.
 *
 * host_list() gives names only; to learn which of the hundreds of attributes of a device are folders
 * would then cost three system calls for each.  The folder is opened through the host like any
 * other; its entries are read from the descriptor.
 */
#ifndef INUSE_DIR_H
#define INUSE_DIR_H

#include <stddef.h>

#include "host.h"

struct inuse_dir {
	int fd;			/* of the folder; for the *at() calls on its entries */
	size_t pos, len;
	_Alignas(8) char buf[32768];
};

/* Opens; only inuse_dir_close() after success. */
int inuse_dir_open(struct inuse_dir *d, struct host *h, const char *path) _must_check_;
void inuse_dir_close(struct inuse_dir *d);

/* 1 and the next name (valid until the next call) with its DT_ type, which is never DT_UNKNOWN;
 * 0 at the end; a negative errno.  "." and ".." are left out. */
int inuse_dir_next(struct inuse_dir *d, const char **ret_name, unsigned char *ret_type) _must_check_;

#endif
