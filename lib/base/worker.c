// SPDX-License-Identifier: GPL-2.0-or-later
/* Children that can be left behind: see worker.h. */
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc.h"

static void serve(struct host *h, worker_fn fn, void *arg, int fd, size_t request_size, size_t reply_size)
{
	void *request = malloc(request_size), *reply = calloc(1, reply_size);

	while (request && reply && recv(fd, request, request_size, 0) == (ssize_t)request_size) {
		fn(h, arg, request, reply);
		if (send(fd, reply, reply_size, MSG_NOSIGNAL) != (ssize_t)reply_size)
			break;
	}
	free(request);
	free(reply);
	_exit(0);
}

int worker_start(struct worker *w, struct host *h, worker_fn fn, void *arg, int keep,
		 size_t request_size, size_t reply_size, struct err *e)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, errno, "cannot create a socket for a worker: %s", err_text(errno));
	pid = fork();
	if (pid == 0) {
		int keeps[] = { pair[1], h->rootfd, keep };

		proc_shed(-1, keeps, 3);
		serve(h, fn, arg, pair[1], request_size, reply_size);
	}
	close(pair[1]);
	if (pid < 0) {
		int code = errno;

		close(pair[0]);
		return err_set(e, code, "cannot start a worker process: %s", err_text(code));
	}
	*w = (struct worker){ pid, pair[0], false, request_size, reply_size };
	return 0;
}

int worker_ask(struct worker *w, const void *request, struct err *e)
{
	if (send(w->fd, request, w->request_size, MSG_NOSIGNAL) != (ssize_t)w->request_size)
		return err_set(e, EPIPE, "worker process %d is gone", (int)w->pid);
	w->busy = true;
	return 0;
}

int worker_answer(struct worker *w, void *reply, struct err *e)
{
	ssize_t n;

	do {
		n = recv(w->fd, reply, w->reply_size, 0);
	} while (n < 0 && errno == EINTR);
	w->busy = false;
	if (n == (ssize_t)w->reply_size)
		return 0;
	n = w->pid;
	worker_stop(w);
	return err_set(e, EPIPE, "worker process %d died at its work", (int)n);
}

int worker_call(struct worker *w, const void *request, void *reply, int ms, struct err *e)
{
	struct pollfd p = { w->fd, POLLIN, 0 };
	int r = worker_ask(w, request, e);
	uint64_t end;

	if (r < 0)
		return r;
	end = host_default_ops.now(NULL) + (uint64_t)ms;
	do {
		uint64_t now = host_default_ops.now(NULL);

		r = poll(&p, 1, now < end ? (int)(end - now) : 0);
	} while (r < 0 && errno == EINTR);
	if (r <= 0)
		return err_set(e, ETIMEDOUT, "worker process %d did not answer within %d ms", (int)w->pid, ms);
	return worker_answer(w, reply, e);
}

void worker_stop(struct worker *w)
{
	if (w->pid > 0) {
		close(w->fd);
		/* An idle worker leaves at end of file; a busy one is somebody's who reads its pid. */
		if (!w->busy)
			while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
				;
	}
	*w = (struct worker)WORKER_INIT;
}
