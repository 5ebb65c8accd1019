// SPDX-License-Identifier: GPL-2.0-or-later
/* The seam's default operations, and the value readers on top of any operations: see host.h. */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"
#include "str.h"

static int open_in_root(struct host *h, const char *path, int flags, mode_t mode)
{
	/* openat2 refuses what open would ignore: O_NOCTTY beside O_PATH, a mode without O_CREAT. */
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY)),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_IN_ROOT,
	};
	int tries = 0;		/* EAGAIN: a rename raced with the look-up, see openat2(2) */
	long fd;

	do {
		fd = syscall(SYS_openat2, h->rootfd, path, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN) && tries++ < 1000);
	return fd < 0 ? -errno : (int)fd;
}

static ssize_t default_read(struct host *h, const char *path, void *buf, size_t size)
{
	int fd = open_in_root(h, path, O_RDONLY | O_NONBLOCK, 0);
	size_t n = 0;
	ssize_t r;

	if (fd < 0)
		return fd;
	do {
		r = read(fd, (char *)buf + n, size - n);
		if (r > 0)
			n += (size_t)r;
	} while ((r > 0 && n < size) || (r < 0 && errno == EINTR));
	r = r < 0 ? -errno : (ssize_t)n;
	close(fd);
	return r;
}

static int default_append(struct host *h, int fd, const void *data, size_t len)
{
	ssize_t n;

	(void)h;
	do {
		n = write(fd, data, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static int default_write(struct host *h, const char *path, const void *data, size_t len)
{
	int fd = open_in_root(h, path, O_WRONLY, 0), r;

	if (fd < 0)
		return fd;
	r = default_append(h, fd, data, len);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

static int default_readlink(struct host *h, const char *path, char *buf, size_t size)
{
	int fd = open_in_root(h, path, O_PATH | O_NOFOLLOW, 0);
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", buf, size);
	if (n < 0)
		r = errno == ENOENT ? -EINVAL : -errno;	/* ENOENT here: not a link */
	else if ((size_t)n >= size)
		r = -ENAMETOOLONG;
	else
		buf[n] = '\0';
	close(fd);
	return r;
}

static int default_list(struct host *h, const char *path, host_name_fn fn, void *arg)
{
	int fd = open_in_root(h, path, O_RDONLY | O_DIRECTORY, 0), r = 0;
	struct dirent *d;
	DIR *dir;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r == 0) {
		errno = 0;
		d = readdir(dir);
		if (!d) {
			r = -errno;
			break;
		}
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			r = fn(arg, d->d_name);
	}
	closedir(dir);
	return r;
}

static int default_stat(struct host *h, const char *path, struct stat *ret)
{
	int fd = open_in_root(h, path, O_PATH, 0), r;

	if (fd < 0)
		return fd;
	r = fstat(fd, ret) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* Runs fn on the folder of `path` and the last element of its name. */
static int in_parent(struct host *h, const char *path, int *ret_dirfd, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char dir[512];
	int fd;

	if (!slash || (size_t)(slash - path) >= sizeof(dir) - 1 || !slash[1])
		return -EINVAL;
	memcpy(dir, path, (size_t)(slash - path) + 1);
	dir[slash - path + 1] = '\0';
	fd = open_in_root(h, dir, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	*ret_dirfd = fd;
	*ret_name = slash + 1;
	return 0;
}

static int default_rename(struct host *h, const char *from, const char *to)
{
	const char *a, *b;
	int da, db, r;

	r = in_parent(h, from, &da, &a);
	if (r < 0)
		return r;
	r = in_parent(h, to, &db, &b);
	if (r == 0) {
		r = renameat(da, a, db, b) < 0 ? -errno : 0;
		close(db);
	}
	close(da);
	return r;
}

static int default_unlink(struct host *h, const char *path)
{
	const char *name;
	int dir, r = in_parent(h, path, &dir, &name);

	if (r < 0)
		return r;
	r = unlinkat(dir, name, 0) < 0 ? -errno : 0;
	if (r == -EISDIR)
		r = unlinkat(dir, name, AT_REMOVEDIR) < 0 ? -errno : 0;
	close(dir);
	return r;
}

static int default_mkdir(struct host *h, const char *path, mode_t mode)
{
	const char *name;
	int dir, r = in_parent(h, path, &dir, &name);

	if (r < 0)
		return r;
	r = mkdirat(dir, name, mode) < 0 ? -errno : 0;
	close(dir);
	return r;
}

static int default_ioctl(struct host *h, int fd, unsigned long request, void *arg)
{
	int r = ioctl(fd, request, arg);

	(void)h;
	return r < 0 ? -errno : r;
}

static int default_run(struct host *h, const char *const argv[], uint64_t ms, struct host_run *ret)
{
	return h->real ? proc_run(argv, ms, ret) : -EPERM;
}

/* The descriptor first: what it names is what is looked at next, and what gets the signal. */
static int default_signal(struct host *h, pid_t pid, uint64_t start, int sig)
{
	int fd = h->real ? (int)syscall(SYS_pidfd_open, pid, 0) : -1, r = 0;

	if (!h->real)
		return -EPERM;
	if (fd < 0)
		return -errno;
	if (start == 0 || proc_start(h, pid) != start)
		r = -ESRCH;
	else if (syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) < 0)
		r = -errno;
	close(fd);
	return r;
}

static uint64_t default_now(struct host *h)
{
	struct timespec t;

	(void)h;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void default_sleep(struct host *h, uint64_t ms)
{
	struct timespec t = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	(void)h;
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

const struct host_ops host_default_ops = {
	.read = default_read,
	.write = default_write,
	.readlink = default_readlink,
	.list = default_list,
	.stat = default_stat,
	.open = open_in_root,
	.append = default_append,
	.rename = default_rename,
	.unlink = default_unlink,
	.mkdir = default_mkdir,
	.ioctl = default_ioctl,
	.run = default_run,
	.signal = default_signal,
	.now = default_now,
	.sleep = default_sleep,
};

int host_open(struct host *h, const char *root, struct err *e)
{
	if (!root)
		root = "/";
	h->ops = &host_default_ops;
	h->priv = NULL;
	h->real = strcmp(root, "/") == 0;
	h->rootfd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (h->rootfd < 0)
		return err_set(e, errno, "cannot open the root folder '%s': %s", root, err_text(errno));
	return 0;
}

void host_close(struct host *h)
{
	if (h->rootfd >= 0)
		close(h->rootfd);
	h->rootfd = -1;
}

struct host_path host_path(const char *fmt, ...)
{
	struct host_path p;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(p.s, sizeof(p.s), fmt, ap);
	va_end(ap);
	/* A path that does not fit names nothing, rather than something else. */
	if (n < 0 || (size_t)n >= sizeof(p.s))
		memcpy(p.s, "/\1", 3);
	return p;
}

ssize_t host_read(struct host *h, const char *path, void *buf, size_t size)
{
	return h->ops->read(h, path, buf, size);
}

int host_write(struct host *h, const char *path, const char *value)
{
	return h->ops->write(h, path, value, strlen(value));
}

int host_readlink(struct host *h, const char *path, char *buf, size_t size)
{
	return h->ops->readlink(h, path, buf, size);
}

int host_list(struct host *h, const char *path, host_name_fn fn, void *arg)
{
	return h->ops->list(h, path, fn, arg);
}

int host_stat(struct host *h, const char *path, struct stat *ret)
{
	return h->ops->stat(h, path, ret);
}

bool host_exists(struct host *h, const char *path)
{
	struct stat st;

	return host_stat(h, path, &st) == 0;
}

int host_open_file(struct host *h, const char *path, int flags, mode_t mode)
{
	return h->ops->open(h, path, flags, mode);
}

int host_append(struct host *h, int fd, const void *data, size_t len)
{
	return h->ops->append(h, fd, data, len);
}

int host_rename(struct host *h, const char *from, const char *to)
{
	return h->ops->rename(h, from, to);
}

int host_unlink(struct host *h, const char *path)
{
	return h->ops->unlink(h, path);
}

int host_mkdir(struct host *h, const char *path, mode_t mode)
{
	return h->ops->mkdir(h, path, mode);
}

int host_ioctl(struct host *h, int fd, unsigned long request, void *arg)
{
	return h->ops->ioctl(h, fd, request, arg);
}

int host_run(struct host *h, const char *const argv[], uint64_t ms, struct host_run *ret)
{
	return h->ops->run(h, argv, ms, ret);
}

int host_signal(struct host *h, pid_t pid, uint64_t start, int sig)
{
	return h->ops->signal(h, pid, start, sig);
}

uint64_t host_now(struct host *h)
{
	return h->ops->now(h);
}

void host_sleep(struct host *h, uint64_t ms)
{
	h->ops->sleep(h, ms);
}
