// SPDX-License-Identifier: GPL-2.0-or-later
/* Preloaded under valgrind 3.19 (Debian 12), which does not know openat2 and pidfds: plays them
 * in user space, so that the same programs run there unchanged. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEPTH 64
#define LINKS 40

struct walk { int fd[DEPTH]; int n; char rest[2 * PATH_MAX]; int links; };

static long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	if (ret < 0 && ret > -4096) {
		errno = (int)-ret;
		return -1;
	}
	return ret;
}

static void walk_up(struct walk *w, int keep)
{
	while (w->n > keep)
		close(w->fd[--w->n]);
}

/* The link's target takes the place of its name; an absolute one starts from the root again. */
static int follow(struct walk *w, const char *target)
{
	char next[sizeof(w->rest)], tail[sizeof(w->rest)];

	memcpy(tail, w->rest, sizeof(tail));
	if (++w->links > LINKS) {
		errno = ELOOP;
		return -1;
	}
	if (snprintf(next, sizeof(next), "%s/%s", target, tail) >= (int)sizeof(next)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (*target == '/')
		walk_up(w, 1);
	memcpy(w->rest, next, sizeof(next));
	return 0;
}

/* One name off the front of the rest.  >= 0: the descriptor of the last; -1 failed; -2 go on. */
static int walk_step(struct walk *w, const struct open_how *how)
{
	char *p = w->rest + strspn(w->rest, "/"), name[NAME_MAX + 1], target[PATH_MAX], *tail;
	size_t len = strcspn(p, "/");
	bool last;
	ssize_t n;
	int fd;

	if (len == 0)
		return openat(w->fd[w->n - 1], ".", (int)how->flags & ~(O_CREAT | O_EXCL), 0);
	if (len > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, p, len);
	name[len] = '\0';
	tail = p + len;
	last = tail[strspn(tail, "/")] == '\0';
	memmove(w->rest, tail, strlen(tail) + 1);
	if (strcmp(name, ".") == 0)
		return -2;
	if (strcmp(name, "..") == 0) {
		walk_up(w, w->n > 1 ? w->n - 1 : 1);
		return -2;
	}
	n = readlinkat(w->fd[w->n - 1], name, target, sizeof(target) - 1);
	if (n >= 0 && !(last && (how->flags & O_NOFOLLOW))) {
		target[n] = '\0';
		return follow(w, target) < 0 ? -1 : -2;
	}
	if (last)
		return openat(w->fd[w->n - 1], name, (int)how->flags, (mode_t)how->mode);
	fd = openat(w->fd[w->n - 1], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || w->n == DEPTH)
		return -1;
	w->fd[w->n++] = fd;
	return -2;
}

static long open_in_root(int root, const char *path, const struct open_how *how)
{
	struct walk w = { .n = 1 };
	int fd = -2, code;

	if (strlen(path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!*path) {
		errno = ENOENT;
		return -1;
	}
	memcpy(w.rest, path, strlen(path) + 1);
	w.fd[0] = dup(root);
	if (w.fd[0] < 0)
		return -1;
	while (fd == -2)
		fd = walk_step(&w, how);
	code = errno;
	walk_up(&w, 0);
	errno = code;
	return fd;
}

/* A pipe whose writer is a process that ends when the other one has: readable then, like a pidfd. */
static long watch_pid(pid_t pid)
{
	struct timespec nap = { 0, 2000000 };
	char path[64], stat[256], *paren;
	int ends[2], fd;
	long middle;
	ssize_t n;

	if (kill(pid, 0) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	middle = raw(SYS_fork, 0, 0, 0, 0, 0, 0);
	if (middle == 0 && raw(SYS_fork, 0, 0, 0, 0, 0, 0) != 0)
		raw(SYS_exit_group, 0, 0, 0, 0, 0, 0);	/* the watcher is nobody's child: waitpid(-1) must not meet it */
	if (middle == 0) {
		raw(SYS_close_range, 0, ends[1] - 1, 0, 0, 0, 0);
		raw(SYS_close_range, ends[1] + 1, ~0U, 0, 0, 0, 0);
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
		while ((fd = open(path, O_RDONLY)) >= 0) {
			n = read(fd, stat, sizeof(stat) - 1);
			close(fd);
			stat[n > 0 ? n : 0] = '\0';
			paren = strrchr(stat, ')');
			if (!paren || paren[2] == 'Z' || paren[2] == 'X')
				break;
			nanosleep(&nap, NULL);
		}
		raw(SYS_write, ends[1], (long)"", 1, 0, 0, 0);
		raw(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	}
	raw(SYS_wait4, middle, 0, 0, 0, 0, 0);
	close(ends[1]);
	return ends[0];
}

static pid_t pid_of[1024];	/* by descriptor */

long syscall(long nr, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (nr == SYS_openat2) {
		const struct open_how *how = (const struct open_how *)a[2];

		if (how->resolve == RESOLVE_IN_ROOT)
			return open_in_root((int)a[0], (const char *)a[1], how);
	}
	if (nr == SYS_pidfd_open) {
		int fd = (int)watch_pid((pid_t)a[0]);

		if (fd >= 0 && fd < (int)(sizeof(pid_of) / sizeof(*pid_of)))
			pid_of[fd] = (pid_t)a[0];
		return fd;
	}
	if (nr == SYS_pidfd_send_signal)
		return kill(pid_of[a[0]], (int)a[1]);
	return raw(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
