// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shim - lets a folder behave like pmxcfs to one program, and fails or kills it where it is told to.
 *
 * Preloaded into the real command.  Below $PMXCFS_ROOT a call that changes something
 *
 *  - is a step, counted from 1; step $PMXCFS_STEP fails with errno $PMXCFS_ERRNO or, with
 *    PMXCFS_KILL=before or after, is the last thing the process does;
 *  - fails with EBUSY the first $PMXCFS_BUSY times, with EACCES while PMXCFS_QUORUM=0;
 *  - is refused as pmxcfs refuses it: another mode than 0640, more than 1 MiB.
 *
 * What pmxcfs would take, but no careful program does there, is written to $PMXCFS_LOG: truncating a file
 * that is there, writing twice, renaming over a file that is open here (not atomic with FUSE).
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIMIT (1024 * 1024)

static int steps, busy = -1;
static bool written[1024];

static int number(const char *name, int preset)
{
	const char *s = getenv(name);

	return s ? (int)strtol(s, NULL, 10) : preset;
}

static bool is_below(const char *path)
{
	const char *root = getenv("PMXCFS_ROOT");

	return root && strncmp(path, root, strlen(root)) == 0 && path[strlen(root)] == '/';
}

static bool fd_path(int fd, char *buf, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, size - 1);
	if (n < 0)
		return false;
	buf[n] = '\0';
	return true;
}

static bool fd_is_below(int fd)
{
	int kept = errno;
	char path[4096];
	bool below = fd_path(fd, path, sizeof(path)) && is_below(path);

	errno = kept;
	return below;
}

static bool name_is_below(int dir, const char *name)
{
	char path[4096];

	if (!fd_path(dir, path, sizeof(path) - 300))
		return false;
	snprintf(path + strlen(path), 300, "/%.290s", name);
	return is_below(path);
}

static void complain(const char *what)
{
	const char *log = getenv("PMXCFS_LOG");
	FILE *f = log ? fopen(log, "a") : NULL;

	if (f) {
		fprintf(f, "%s\n", what);
		fclose(f);
	}
}

/* 0: the call may go on; else it fails with this errno. */
static int before_step(void)
{
	if (busy < 0)
		busy = number("PMXCFS_BUSY", 0);
	if (number("PMXCFS_QUORUM", 1) == 0)
		return EACCES;
	if (busy > 0) {
		busy--;
		return EBUSY;
	}
	if (++steps != number("PMXCFS_STEP", 0))
		return 0;
	if (getenv("PMXCFS_KILL") && strcmp(getenv("PMXCFS_KILL"), "before") == 0)
		raise(SIGKILL);
	return number("PMXCFS_ERRNO", 0);
}

static void after_step(void)
{
	if (steps == number("PMXCFS_STEP", 0) && getenv("PMXCFS_KILL") && strcmp(getenv("PMXCFS_KILL"), "after") == 0)
		raise(SIGKILL);
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define STEP(condition, call) do {							\
		bool below_ = (condition);						\
		int fails_ = below_ ? before_step() : 0, result_;			\
		if (fails_) {								\
			errno = fails_;							\
			return -1;							\
		}									\
		result_ = (int)(call);							\
		if (below_)								\
			after_step();							\
		return result_;								\
	} while (0)

typedef long (*syscall_fn)(long, ...);

static long open_checked(syscall_fn real, long dir, const char *path, struct open_how *how, size_t size)
{
	bool creates = how->flags & O_CREAT;
	int fails = 0;
	long fd;

	/* Where it leads is known only when it is open; a lock or a state file is none of ours. */
	if (creates && strstr(path, "etc/pve/"))
		fails = before_step();
	if (fails) {
		errno = fails;
		return -1;
	}
	fd = real(SYS_openat2, dir, path, how, size);
	if (fd >= 0 && (how->flags & O_TRUNC) && fd_is_below((int)fd))
		complain("truncates a file in place");
	if (fd >= 0 && fd < 1024)
		written[fd] = false;
	if (creates && strstr(path, "etc/pve/"))
		after_step();
	return fd;
}

long syscall(long nr, ...)
{
	REAL(syscall);
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (nr == SYS_openat2)
		return open_checked(real, a[0], (const char *)a[1], (struct open_how *)a[2], (size_t)a[3]);
	return real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

ssize_t write(int fd, const void *data, size_t len)
{
	REAL(write);
	bool below = fd > 2 && fd_is_below(fd);
	int fails = below ? before_step() : 0;
	ssize_t n;

	if (below && len > LIMIT)
		fails = EFBIG;
	if (fails) {
		errno = fails;
		return -1;
	}
	if (below && fd < 1024 && written[fd])
		complain("writes a file in more than one go");
	n = real(fd, data, len);
	if (below && fd < 1024)
		written[fd] = true;
	if (below)
		after_step();
	return n;
}

int fchmod(int fd, mode_t mode)
{
	REAL(fchmod);

	if (fd_is_below(fd) && mode != 0640) {
		complain("wants another mode than 0640");
		errno = EPERM;
		return -1;
	}
	STEP(fd_is_below(fd), real(fd, mode));
}

int fsync(int fd)
{
	REAL(fsync);

	STEP(fd_is_below(fd), real(fd));
}

/* Closing reports what writing could not; the descriptor is gone all the same. */
int close(int fd)
{
	REAL(close);
	bool below = fd > 2 && fd < 1024 && written[fd] && fd_is_below(fd);
	int fails = below ? before_step() : 0, r = real(fd);

	if (below)
		after_step();
	if (!fails)
		return r;
	errno = fails;
	return -1;
}

/* Does this process have the file open that is about to be replaced? */
static void check_open(int dir, const char *name)
{
	struct stat target, mine;

	if (fstatat(dir, name, &target, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	for (int fd = 3; fd < 256; fd++)
		if (fstat(fd, &mine) == 0 && mine.st_ino == target.st_ino && mine.st_dev == target.st_dev)
			complain("renames over a file that is open");
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	REAL(renameat);

	if (name_is_below(to_dir, to))
		check_open(to_dir, to);
	STEP(name_is_below(to_dir, to), real(from_dir, from, to_dir, to));
}

int mkdirat(int dir, const char *name, mode_t mode)
{
	REAL(mkdirat);

	STEP(name_is_below(dir, name), real(dir, name, mode));
}
