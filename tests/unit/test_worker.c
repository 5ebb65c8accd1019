// SPDX-License-Identifier: GPL-2.0-or-later
/* Children that can be left behind: they answer, die, hang, and hold nothing of ours but the lease. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker.h"

enum what { ADD, HANG, DIE, KILLED, LOOK };
struct ask { enum what what; int a, b; };
struct reply { int sum; int fds; pid_t sid; bool null[3]; };

static bool is_null(int fd)
{
	struct stat st, null;

	return fstat(fd, &st) == 0 && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev;
}

static void serve(struct host *h, void *arg, const void *request, void *reply)
{
	const struct ask *q = request;
	struct reply *r = reply;

	(void)h;
	memset(r, 0, sizeof(*r));
	switch (q->what) {
	case ADD:
		r->sum = q->a + q->b + (arg ? *(int *)arg : 0);
		break;
	case HANG:
		for (;;)
			pause();
	case DIE:
		_exit(3);
	case KILLED:
		raise(SIGKILL);
		break;
	case LOOK:
		for (int fd = 3; fd < 1024; fd++)
			r->fds += fcntl(fd, F_GETFD) >= 0;
		for (int fd = 0; fd < 3; fd++)
			r->null[fd] = is_null(fd);
		r->sid = getsid(0);
		break;
	}
}

static struct host h;

static int open_host(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return host_open(&h, NULL, &e);
}

static int close_host(void **state)
{
	(void)state;
	host_close(&h);
	return 0;
}

static struct worker started(void *arg, int keep)
{
	struct worker w = WORKER_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(worker_start(&w, &h, serve, arg, keep, sizeof(struct ask), sizeof(struct reply), &e), 0);
	return w;
}

static int call(struct worker *w, enum what what, struct reply *r, int ms, struct err *e)
{
	struct ask q;

	memset(&q, 0, sizeof(q));
	q.what = what;
	q.a = 20;
	q.b = 3;
	return worker_call(w, &q, r, ms, e);
}

static void no_children_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void answers_again_and_again(void **state)
{
	struct err e = ERR_INIT;
	struct reply r;
	int more = 100;
	struct worker w = started(&more, -1);

	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(call(&w, ADD, &r, 5000, &e), 0);
		assert_int_equal(r.sum, 123);
		assert_false(w.busy);
	}
	worker_stop(&w);
	assert_true(w.pid == 0 && w.fd == -1);
	worker_stop(&w);
	no_children_left();
}

static void death_is_a_broken_pipe(void **state)
{
	static const enum what ways[] = { DIE, KILLED };
	struct err e = ERR_INIT;
	struct reply r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct worker w = started(NULL, -1);

		assert_int_equal(call(&w, ways[i], &r, 5000, &e), -EPIPE);
		assert_non_null(strstr(e.msg, "died"));
		assert_int_equal(w.pid, 0);
		no_children_left();
	}
}

static void asking_the_dead(void **state)
{
	struct worker w = started(NULL, -1);
	struct err e = ERR_INIT;
	struct reply r;

	(void)state;
	kill(w.pid, SIGKILL);
	usleep(200000);
	assert_int_equal(call(&w, ADD, &r, 1000, &e), -EPIPE);
	worker_stop(&w);
	no_children_left();
}

static void end_of(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Whoever reads our output to its end (Proxmox does) is not held up by a worker left behind. */
static void an_abandoned_worker_holds_no_pipe(void **state)
{
	struct err e = ERR_INIT;
	struct pollfd p;
	struct worker w;
	struct reply r;
	int out[2], was;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(out), 0);
	was = dup(1);
	dup2(out[1], 1);
	w = started(NULL, -1);
	pid = w.pid;
	assert_int_equal(call(&w, HANG, &r, 100, &e), -ETIMEDOUT);
	assert_true(w.busy);
	worker_stop(&w);
	dup2(was, 1);
	close(was);
	close(out[1]);
	p = (struct pollfd){ out[0], POLLIN, 0 };
	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_true(p.revents & POLLHUP);
	close(out[0]);
	assert_int_equal(kill(pid, 0), 0);	/* it is still there, and nobody waits for it */
	end_of(pid);
}

static void it_inherits_nothing(void **state)
{
	int extra = open("/dev/null", O_RDONLY), keep = open("/dev/null", O_RDONLY), high = dup2(extra, 700);
	struct worker other = started(NULL, -1), w = started(NULL, keep), bare = started(NULL, -1);
	struct err e = ERR_INIT;
	struct reply r;

	(void)state;
	assert_int_equal(call(&w, LOOK, &r, 5000, &e), 0);
	assert_int_equal(r.fds, 3);		/* its socket, the root, the kept one */
	assert_true(r.null[0] && r.null[1] && r.null[2]);
	assert_true(r.sid == w.pid);
	assert_int_equal(call(&bare, LOOK, &r, 5000, &e), 0);
	assert_int_equal(r.fds, 2);
	worker_stop(&w);
	worker_stop(&other);
	worker_stop(&bare);
	close(extra);
	close(keep);
	close(high);
	no_children_left();
}

static bool locked(const char *path)
{
	int fd = open(path, O_RDONLY);
	bool held = flock(fd, LOCK_EX | LOCK_NB) < 0;

	close(fd);
	return held;
}

/* The lock is the worker's too: as long as it is in the kernel, nobody else gets it. */
static void a_kept_lock_lives_as_long_as_the_worker(void **state)
{
	char path[] = "/tmp/test-worker-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	struct err e = ERR_INIT;
	struct worker w;
	struct reply r;
	pid_t pid;

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	w = started(NULL, fd);
	pid = w.pid;
	assert_int_equal(call(&w, HANG, &r, 100, &e), -ETIMEDOUT);
	worker_stop(&w);
	close(fd);
	assert_true(locked(path));
	end_of(pid);
	assert_false(locked(path));

	fd = open(path, O_RDWR | O_CLOEXEC);		/* an idle one lets go with us */
	assert_int_equal(flock(fd, LOCK_EX), 0);
	w = started(NULL, fd);
	assert_int_equal(call(&w, ADD, &r, 5000, &e), 0);
	worker_stop(&w);
	close(fd);
	assert_false(locked(path));
	unlink(path);
}

/* The parent is killed: an idle worker ends by itself. */
static void it_ends_with_its_parent(void **state)
{
	int pipe_fd[2];
	pid_t parent, child = 0;

	(void)state;
	assert_int_equal(pipe(pipe_fd), 0);
	parent = fork();
	if (parent == 0) {
		struct worker w = started(NULL, -1);

		(void)!write(pipe_fd[1], &w.pid, sizeof(w.pid));
		for (;;)
			pause();
	}
	assert_int_equal(read(pipe_fd[0], &child, sizeof(child)), sizeof(child));
	end_of(parent);
	for (int i = 0; i < 100 && kill(child, 0) == 0; i++) {
		char name[64];
		FILE *f;
		char st = 'Z';

		snprintf(name, sizeof(name), "/proc/%d/stat", (int)child);
		f = fopen(name, "r");
		if (f && fscanf(f, "%*d %*s %c", &st) != 1)
			st = 'Z';
		if (f)
			fclose(f);
		if (st == 'Z')
			break;		/* its new parent has not reaped it yet */
		assert_true(i < 99);
		usleep(20000);
	}
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void starting_leaks_nothing(void **state)
{
	int first = open("/dev/null", O_RDONLY), last;

	(void)state;
	close(first);
	for (int i = 0; i < 5; i++) {
		struct worker w = started(NULL, -1);

		worker_stop(&w);
	}
	last = open("/dev/null", O_RDONLY);
	close(last);
	assert_int_equal(first, last);
	no_children_left();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_again_and_again),
		cmocka_unit_test(death_is_a_broken_pipe),
		cmocka_unit_test(asking_the_dead),
		cmocka_unit_test(an_abandoned_worker_holds_no_pipe),
		cmocka_unit_test(it_inherits_nothing),
		cmocka_unit_test(a_kept_lock_lives_as_long_as_the_worker),
		cmocka_unit_test(it_ends_with_its_parent),
		cmocka_unit_test(starting_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, open_host, close_host);
}
