// SPDX-License-Identifier: GPL-2.0-or-later
/* kernel_main - the program under test as a process, and the processes it leaves behind. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel_int.h"
#include "str.h"

#define PIPE_GRACE_MS 150

void fake_main_set(struct fake_kernel *k, pid_t pid)
{
	k->shared->main = pid;
}

static void child(struct fake_kernel *k, int (*fn)(struct host *h, void *arg), void *arg, int out)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), status;

	fake_main_set(k, getpid());
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	close(out);
	status = fn(&k->host, arg);
	fflush(NULL);
	_exit(status);
}

/* What there is to read now; true at the end of file. */
static bool drain(int fd, struct fake_outcome *ret, size_t *n)
{
	for (;;) {
		size_t room = sizeof(ret->output) - 1 - *n;
		char waste[512];
		ssize_t got = read(fd, room ? ret->output + *n : waste, room ? room : sizeof(waste));

		if (got > 0 && room)
			*n += (size_t)got;
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return true;
		if (got < 0 && errno == EAGAIN)
			return false;
	}
}

/* Until the process has ended or the time is over; then the pipe gets a little more. */
static void watch(int fd, int pidfd, unsigned ms, uint64_t (*now)(struct host *h), struct fake_outcome *ret)
{
	struct pollfd p[2] = { { pidfd, POLLIN, 0 }, { fd, POLLIN, 0 } };
	uint64_t begin = now(NULL), end = begin + ms;
	bool over = false, eof = false;
	size_t n = 0;

	while (!over || (!eof && now(NULL) < end)) {
		uint64_t t = now(NULL);

		if (!over && t >= end) {
			ret->timed_out = true;
			break;
		}
		(void)poll(p, 2, (int)(end > t ? end - t : 0));
		if (p[1].revents && drain(fd, ret, &n)) {
			eof = true;
			p[1].fd = -1;
		}
		if (!over && p[0].revents) {
			over = true;
			ret->ms = now(NULL) - begin;
			end = now(NULL) + PIPE_GRACE_MS;
			p[0].fd = -1;
		}
	}
	ret->pipe_held = over && !eof;
	ret->output[n] = '\0';
}

static void reap(pid_t pid, struct fake_outcome *ret)
{
	int status = 0;

	if (ret->timed_out)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	ret->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int fake_main_run(struct fake_kernel *k, int (*fn)(struct host *h, void *arg), void *arg, unsigned ms,
		  struct fake_outcome *ret)
{
	int out[2], pidfd, r = 0;
	pid_t pid;

	memset(ret, 0, sizeof(*ret));
	ret->status = -1;
	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(out[0]);
		fcntl(out[1], F_SETFL, 0);
		child(k, fn, arg, out[1]);
	}
	close(out[1]);
	pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		r = -errno;
		ret->timed_out = true;
	} else {
		watch(out[0], pidfd, ms, host_default_ops.now, ret);
		close(pidfd);
	}
	if (pid > 0)
		reap(pid, ret);
	close(out[0]);
	return r;
}

/* --- those left behind ------------------------------------------------------------------------ */

static bool is_stuck_pid(const struct fake_kernel *k, pid_t pid)
{
	for (size_t i = 0; i < ARRAY_SIZE(k->shared->stuck); i++)
		if (k->shared->stuck[i].pid == pid)
			return true;
	return false;
}

/* Our children that live and do not hang. */
static unsigned count_children(const struct fake_kernel *k)
{
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct tfs_names names;
	unsigned count = 0;

	if (proc < 0 || tfs_list(proc, "/", &names) < 0)
		return 0;
	for (size_t i = 0; i < names.n; i++) {
		char text[512], state, *paren;
		uint64_t pid;
		int parent;

		if (str_to_u64(names.v[i], 10, &pid) < 0 ||
		    tfs_get(proc, tfs_path("/%s/stat", names.v[i]).s, text, sizeof(text)) <= 0)
			continue;
		paren = strrchr(text, ')');
		if (paren && sscanf(paren + 1, " %c %d", &state, &parent) == 2 && parent == getpid() &&
		    state != 'Z' && !is_stuck_pid(k, (pid_t)pid))
			count++;
	}
	tfs_names_release(&names);
	close(proc);
	return count;
}

unsigned fake_settle(struct fake_kernel *k, unsigned ms)
{
	uint64_t end = host_default_ops.now(NULL) + ms;
	unsigned left;

	for (;;) {
		pid_t pid;

		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0)
			return 0;
		left = count_children(k);
		if (left == 0 && !k->shared->closing)
			return 0;
		if (host_default_ops.now(NULL) >= end)
			return left;
		nap(2);
	}
}
