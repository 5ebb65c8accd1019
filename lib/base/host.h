/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host - the seam: the only way from this program to the machine.
 *
 * A `struct host` is a root directory plus a small table of operations.  Paths are written as on
 * the real machine ("/sys/bus/pci/...") and are opened below the root with openat2(2)
 * RESOLVE_IN_ROOT, so that no symbolic link inside a captured tree leads out of it; the running
 * machine is the root "/" and takes the same code path.  Tests replace operations, one per kind of
 * contact with the kernel, never our own functions.
 *
 * A host is made once, in main() or in a test, and outlives everything that uses it.  It is the
 * first parameter of whatever touches the machine.
 *
 * All operations return 0 or a count for success and a negative errno for failure; they do not
 * make sentences (the callers, who know what they were after, do).  None of them has a deadline
 * of its own except host_run(): see worker.h for writes that may block in the kernel.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "err.h"

struct host;

/* Called per directory entry ("." and ".." left out); non-zero stops and is returned. */
typedef int (*host_name_fn)(void *arg, const char *name);

/* What host_run() reports of a child. */
struct host_run {
	int status;		/* exit status, or -1 when it did not exit by itself */
	int signal;		/* the signal that ended it, or 0 */
	bool timed_out;
	char output[2048];	/* stdout and stderr, the first bytes, NUL-terminated */
};

struct host_ops {
	/* Whole content from offset 0, at most size bytes; returns the count. */
	ssize_t (*read)(struct host *h, const char *path, void *buf, size_t size);
	/* One write(2) of the whole value to an existing attribute: no O_CREAT, no O_TRUNC; a short
	 * write is -EIO. */
	int (*write)(struct host *h, const char *path, const void *data, size_t len);
	/* Target text of a symbolic link, NUL-terminated; -ENAMETOOLONG when it does not fit. */
	int (*readlink)(struct host *h, const char *path, char *buf, size_t size);
	int (*list)(struct host *h, const char *path, host_name_fn fn, void *arg);
	/* Follows links inside the root. */
	int (*stat)(struct host *h, const char *path, struct stat *ret);
	/* A descriptor (O_CLOEXEC added) for state files and device nodes. */
	int (*open)(struct host *h, const char *path, int flags, mode_t mode);
	/* All of data to a descriptor from open(), in one write(2); short is -EIO. */
	int (*append)(struct host *h, int fd, const void *data, size_t len);
	int (*rename)(struct host *h, const char *from, const char *to);
	int (*unlink)(struct host *h, const char *path);	/* a folder, too, if it is empty */
	int (*mkdir)(struct host *h, const char *path, mode_t mode);
	int (*ioctl)(struct host *h, int fd, unsigned long request, void *arg);
	/* Runs argv[0] (an absolute path on the machine) without a shell, with a clean environment,
	 * stdin from /dev/null, in a process group of its own; waits at most `ms`. */
	int (*run)(struct host *h, const char *const argv[], uint64_t ms, struct host_run *ret);
	/* Sends `sig` to the process that has this pid and began at `start` (field 22 of its stat); -ESRCH:
	 * there is no such process, or the pid is another's by now. */
	int (*signal)(struct host *h, pid_t pid, uint64_t start, int sig);
	uint64_t (*now)(struct host *h);	/* milliseconds, CLOCK_MONOTONIC */
	void (*sleep)(struct host *h, uint64_t ms);
};

struct host {
	const struct host_ops *ops;
	int rootfd;
	bool real;		/* the root is the running machine's "/" */
	void *priv;		/* the operations' own state (tests) */
};

/* The running machine, or a tree laid out like it.  root NULL or "/" = the machine. */
int host_open(struct host *h, const char *root, struct err *e) _must_check_;
void host_close(struct host *h);
extern const struct host_ops host_default_ops;

/* Formats a path into a fixed buffer; host paths are short. */
struct host_path { char s[512]; };
struct host_path host_path(const char *fmt, ...) _printf_(1, 2);

ssize_t host_read(struct host *h, const char *path, void *buf, size_t size) _must_check_;
int host_write(struct host *h, const char *path, const char *value) _must_check_;
int host_readlink(struct host *h, const char *path, char *buf, size_t size) _must_check_;
int host_list(struct host *h, const char *path, host_name_fn fn, void *arg) _must_check_;
bool host_exists(struct host *h, const char *path);	/* false also when it cannot be told */
int host_stat(struct host *h, const char *path, struct stat *ret) _must_check_;
int host_open_file(struct host *h, const char *path, int flags, mode_t mode) _must_check_;
int host_append(struct host *h, int fd, const void *data, size_t len) _must_check_;
int host_rename(struct host *h, const char *from, const char *to) _must_check_;
int host_unlink(struct host *h, const char *path);
int host_mkdir(struct host *h, const char *path, mode_t mode);
int host_ioctl(struct host *h, int fd, unsigned long request, void *arg) _must_check_;
int host_run(struct host *h, const char *const argv[], uint64_t ms, struct host_run *ret) _must_check_;
int host_signal(struct host *h, pid_t pid, uint64_t start, int sig) _must_check_;
uint64_t host_now(struct host *h);
void host_sleep(struct host *h, uint64_t ms);

/* --- values, as sysfs has them --------------------------------------------------------- */

/* One line: read, cut at the first newline, trailing white space removed, NUL-terminated.
 * -ENAMETOOLONG when it does not fit. */
int host_read_line(struct host *h, const char *path, char *buf, size_t size) _must_check_;
/* "0x10de", "10de" (base 16) or "12" (base 10). */
int host_read_u64(struct host *h, const char *path, unsigned base, uint64_t *ret) _must_check_;
/* The last element of a link's target: driver, iommu_group, module... */
int host_read_linkname(struct host *h, const char *path, char *buf, size_t size) _must_check_;

/* A whole file up to `limit` bytes, NUL-terminated, malloc'ed; *ret_len without the NUL.
 * -EFBIG beyond the limit, -EISDIR for a directory, -EINVAL for what is no regular file
 * (checked before it is opened for reading, so that a FIFO cannot hang us). */
int host_read_file(struct host *h, const char *path, size_t limit, char **ret, size_t *ret_len) _must_check_;

#endif
