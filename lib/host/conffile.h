/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conffile - configuration files as lines, and folders of them in the order in which they are read.
 */
#ifndef CONFFILE_H
#define CONFFILE_H

#include <stddef.h>

#include "err.h"
#include "host.h"

#define CONFFILE_MAX (1024 * 1024)

/* One line without its newline, white space at both ends removed; it may be changed.  `continued`
 * lines (a backslash at the end) come as one, with the number of the first. */
typedef int (*conffile_line_fn)(void *arg, const char *path, unsigned line, char *text);

/* Every line of the file that is neither empty nor a comment ('#').  A file that is not there has
 * none; one that cannot be read fails with a sentence. */
int conffile_lines(struct host *h, const char *path, conffile_line_fn fn, void *arg, struct err *e) _must_check_;

/*
 * The same for all files ending in `suffix` in `n` folders, sorted by their names.  A name that stands in
 * an earlier folder hides its namesakes, as modprobe.d(5) and modules-load.d(5) have it.
 */
int conffile_folders(struct host *h, const char *const folders[], size_t n, const char *suffix,
		     conffile_line_fn fn, void *arg, struct err *e) _must_check_;

#endif
