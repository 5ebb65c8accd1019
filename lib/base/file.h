/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file - state files: locks with a deadline and atomic replacement, on top of host.h.
 */
#ifndef FILE_H
#define FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "host.h"

void file_closep(int *fd);	/* for _cleanup_ */

/* flock(2) LOCK_EX, polled until `ms` have passed (0 = one try).  -EWOULDBLOCK when another holds it.
 * EINTR is retried. */
int file_flock(struct host *h, int fd, uint64_t ms) _must_check_;

/* Opens (creating, 0600) and locks `path`; the descriptor or a negative errno with a sentence. */
int file_lock(struct host *h, const char *path, uint64_t ms, struct err *e) _must_check_;

/* 1: the locked descriptor is still what lies at `path`; 0: it was unlinked or replaced meanwhile;
 * negative: it cannot be told. */
int file_is_current(struct host *h, int fd, const char *path);

/* Puts a whole file in place at once: a temporary one beside it, flushed, takes its name.  Whatever
 * happens, the path holds the old content or the new.  For other places than /etc/pve: see pmxcfs.h. */
int file_replace(struct host *h, const char *path, const void *bytes, size_t len, mode_t mode) _must_check_;

/* Creates the folder and what is missing above it, with this mode whatever the umask.  0 also when it
 * was there. */
int file_mkdirs(struct host *h, const char *path, mode_t mode) _must_check_;

/* Creates the folder and checks that it is a folder of ours that others cannot write to. */
int file_private_dir(struct host *h, const char *path, struct err *e) _must_check_;

/* On the running machine: can nobody but root put another file in the place of this one?  That takes every folder above
 * it to be root's, and writable by root and root's group alone; those above its own folder may be sticky.  The way there
 * is looked at as it is written: a link in it must be the administrator's.  -EPERM with what to type. */
int file_check_place(struct host *h, const char *path, struct err *e) _must_check_;

#endif
