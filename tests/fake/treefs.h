/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * treefs - files below a directory that stands for "/".
 *
 * Paths begin with '/' and are resolved inside the directory whatever links lie in it, so that a
 * tree from a stranger cannot reach out.  Making something makes the folders above it.  All
 * functions return 0 or a count, or a negative errno.
 */
#ifndef TREEFS_H
#define TREEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "macro.h"

struct tfs_path { char s[512]; };
struct tfs_path tfs_path(const char *fmt, ...) _printf_(1, 2);

int tfs_open(int root, const char *path, int flags, mode_t mode);
int tfs_mkdirs(int root, const char *path);
/* The whole content, replaced in one step: a reader sees the old or the new one. */
int tfs_put(int root, const char *path, mode_t mode, const void *data, size_t len);
int tfs_putf(int root, const char *path, mode_t mode, const char *fmt, ...) _printf_(4, 5);
/* One more line at the end. */
int tfs_addf(int root, const char *path, const char *fmt, ...) _printf_(3, 4);
int tfs_link(int root, const char *path, const char *target);
/* A link at `path` to the absolute `target`, written the way sysfs does: relative. */
int tfs_link_to(int root, const char *path, const char *target);
int tfs_unlink(int root, const char *path);
/* Everything at and below; a path that is not there is fine. */
int tfs_remove(int root, const char *path);
bool tfs_exists(int root, const char *path);
bool tfs_is_link(int root, const char *path);

ssize_t tfs_read(int root, const char *path, void *buf, size_t size);
/* Content as a string, without the newlines at its end; the count. */
ssize_t tfs_get(int root, const char *path, char *buf, size_t size);
int tfs_readlink(int root, const char *path, char *buf, size_t size);
/* The last element of a link's target. */
int tfs_linkname(int root, const char *path, char *buf, size_t size);
/* Where a path leads, links resolved, as an absolute path of the tree. */
int tfs_resolve(int root, const char *path, char *buf, size_t size);
/* The same for a descriptor. */
int tfs_fdpath(int root, int fd, char *buf, size_t size);

/* Sorted names in a folder; free with tfs_names_release(). */
struct tfs_names {
	char **v;
	size_t n;
};
int tfs_list(int root, const char *path, struct tfs_names *ret);
void tfs_names_release(struct tfs_names *l);

#endif
