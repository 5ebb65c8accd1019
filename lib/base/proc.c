// SPDX-License-Identifier: GPL-2.0-or-later
/* Children: see proc.h. */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "str.h"

#define GRACE_MS 1000

struct stat_line { char state; uint64_t start; };

/* -ESRCH: there is no such process; the kernel answers ENOENT before, and ESRCH after the file was opened. */
static int read_stat(struct host *h, const char *path, struct stat_line *ret)
{
	char buf[1024], *p;
	ssize_t n = host_read(h, path, buf, sizeof(buf) - 1);

	if (n <= 0)
		return n == 0 || n == -ENOENT ? -ESRCH : (int)n;
	buf[n] = '\0';
	p = strrchr(buf, ')');	/* the name may hold blanks and parentheses */
	if (!p || p[1] != ' ')
		return -EBADMSG;
	ret->state = p[2];
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return -EBADMSG;
	p++;
	p[strcspn(p, " \n")] = '\0';
	return str_to_u64(p, 10, &ret->start) == 0 ? 0 : -EBADMSG;
}

uint64_t proc_start(struct host *h, pid_t pid)
{
	struct stat_line s;

	return read_stat(h, host_path("/proc/%d/stat", (int)pid).s, &s) == 0 ? s.start : 0;
}

struct threads { struct host *h; pid_t pid; };

static bool is_zombie(char state)
{
	return state == 'Z' || state == 'X' || state == 'x';
}

static int thread_is_alive(void *arg, const char *name)
{
	struct threads *t = arg;
	struct stat_line s;
	int r = read_stat(t->h, host_path("/proc/%d/task/%s/stat", (int)t->pid, name).s, &s);

	return r != -ESRCH && (r < 0 || !is_zombie(s.state));
}

bool proc_is_alive(struct host *h, pid_t pid, uint64_t start)
{
	struct threads t = { h, pid };
	struct stat_line s;
	int r = read_stat(h, host_path("/proc/%d/stat", (int)pid).s, &s);

	if (r < 0)
		return r != -ESRCH;
	if (s.start != start || !is_zombie(s.state))
		return s.start == start;
	r = host_list(h, host_path("/proc/%d/task", (int)pid).s, thread_is_alive, &t);
	return r != 0 && r != -ENOENT && r != -ESRCH;
}

static void close_all_but(const int keep[], int n)
{
	unsigned from = 3;

	for (;;) {
		unsigned next = ~0U;

		for (int i = 0; i < n; i++)
			if (keep[i] >= (int)from && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next == ~0U)
			break;
		if (next > from)
			syscall(SYS_close_range, from, next - 1, 0);
		from = next + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}

static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What is ignored would stay so across execve(2). */
static void signals_default(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };

	for (int s = 1; s < 32; s++)	/* nobody hands down real-time signals */
		sigaction(s, &dfl, NULL);
}

void proc_shed(int output, const int keep[], int n)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	unblock_signals();
	if (null >= 0)
		dup2(null, 0);
	else
		close(0);
	for (int fd = 1; fd <= 2; fd++) {
		if (output >= 0)
			dup2(output, fd);
		else if (null >= 0)
			dup2(null, fd);
		else
			close(fd);
	}
	close_all_but(keep, n);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void child(const char *const argv[], int output, int report)
{
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	int code;

	proc_shed(output, &report, 1);
	signals_default();
	execve(argv[0], (char *const *)argv, (char *const *)env);
	code = errno;
	(void)!write(report, &code, sizeof(code));
	_exit(127);
}

/* Reads what the child says until end of file or the deadline; the excess is read and dropped. */
static void collect(int fd, int pidfd, uint64_t end, struct host_run *ret)
{
	struct pollfd p[2] = { { fd, POLLIN, 0 }, { pidfd, POLLIN, 0 } };
	size_t n = 0;
	char waste[512];

	for (;;) {
		uint64_t now = now_ms();
		size_t room = sizeof(ret->output) - 1 - n;
		ssize_t got;

		if (now >= end) {
			ret->timed_out = true;
			break;
		}
		if (poll(p, 2, (int)(end - now)) < 0 && errno != EINTR)
			break;
		got = read(fd, room ? ret->output + n : waste, room ? room : sizeof(waste));
		if (got > 0 && room)
			n += (size_t)got;
		/* The program is gone: whoever else holds its pipe does not hold us. */
		if (got == 0 || (got < 0 && errno == EAGAIN && (p[1].revents & POLLIN)))
			break;
	}
	ret->output[n] = '\0';
}

static bool wait_until(int pidfd, uint64_t end)
{
	struct pollfd p = { pidfd, POLLIN, 0 };

	for (;;) {
		uint64_t now = now_ms();
		int r = poll(&p, 1, now < end ? (int)(end - now) : 0);

		if (r > 0)
			return true;
		if (r == 0 && now >= end)
			return false;
	}
}

static void reap(pid_t pid, int pidfd, uint64_t end, struct host_run *ret)
{
	int status;

	if (!wait_until(pidfd, ret->timed_out ? 0 : end)) {
		ret->timed_out = true;
		kill(-pid, SIGTERM);
		if (!wait_until(pidfd, now_ms() + GRACE_MS)) {
			kill(-pid, SIGKILL);
			if (!wait_until(pidfd, now_ms() + GRACE_MS))
				return;		/* stuck in the kernel: left behind */
		}
	}
	if (waitpid(pid, &status, 0) != pid)
		return;
	if (WIFEXITED(status))
		ret->status = WEXITSTATUS(status);
	else
		ret->signal = WTERMSIG(status);
}

int proc_run(const char *const argv[], uint64_t ms, struct host_run *ret)
{
	int out[2], report[2], code = 0, pidfd;
	uint64_t end = now_ms() + ms;
	pid_t pid;

	memset(ret, 0, sizeof(*ret));
	ret->status = -1;
	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	fcntl(out[0], F_SETFL, O_NONBLOCK);	/* our end only: the program's stdout is an ordinary one */
	if (pipe2(report, O_CLOEXEC) < 0) {
		code = errno;
		close(out[0]);
		close(out[1]);
		return -code;
	}
	pid = fork();
	if (pid == 0)
		child(argv, out[1], report[1]);
	code = pid < 0 ? errno : 0;
	close(out[1]);
	close(report[1]);
	pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (pid > 0 && pidfd >= 0) {
		collect(out[0], pidfd, end, ret);
		reap(pid, pidfd, end, ret);
		close(pidfd);
		if (ret->status == 127 && read(report[0], &code, sizeof(code)) != sizeof(code))
			code = 0;
	} else if (pid > 0) {
		code = errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(out[0]);
	close(report[0]);
	return -code;
}
