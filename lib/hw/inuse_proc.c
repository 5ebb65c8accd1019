// SPDX-License-Identifier: GPL-2.0-or-later
/* One pass over /proc: see inuse_proc.h. */
#include "inuse_proc.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crowd.h"
#include "inuse_peek.h"

enum {
	THREADS = 8,
	SHARE = 250,	/* processes below which another thread costs more than it saves */
};

struct queue {
	struct crowd crowd;
	pid_t self;		/* left out; 0 = nobody is */
	atomic_size_t next;	/* the first that no thread has taken */
	atomic_int error;	/* of whoever failed first */
};

struct worker_thread {
	struct queue *queue;
	struct inuse_peek peek;
	pthread_t id;
	bool started;
};

static void *work(void *arg)
{
	struct worker_thread *w = arg;
	struct queue *q = w->queue;
	const struct crowd *c = &q->crowd;

	while (atomic_load(&q->error) == 0) {
		size_t i = atomic_fetch_add(&q->next, 1);
		int r = i < c->n && c->pids[i] != q->self ? inuse_peek(&w->peek, c->pids[i]) : 0;

		if (r < 0)
			atomic_store(&q->error, r);
		if (i >= c->n)
			break;
	}
	return NULL;
}

/* A tree's operations belong to a test and one thread. */
static size_t count_threads(const struct crowd *c, const struct host *h)
{
	long cpus = h->real ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
	size_t n = c->n / SHARE;

	if (cpus < 1 || n < 1)
		return 1;
	if (n > (size_t)cpus)
		n = (size_t)cpus;
	return n < THREADS ? n : THREADS;
}

/* The caller's thread works too; a thread that cannot be had is done without. */
static int look(struct queue *q, struct worker_thread *w, size_t threads)
{
	for (size_t i = 1; i < threads; i++)
		w[i].started = pthread_create(&w[i].id, NULL, work, &w[i]) == 0;
	work(&w[0]);
	for (size_t i = 1; i < threads; i++)
		if (w[i].started)
			pthread_join(w[i].id, NULL);
	return atomic_load(&q->error);
}

static int by_pid(const void *a, const void *b)
{
	const struct inuse_hit *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->vfio != y->vfio)
		return x->vfio ? 1 : -1;
	return (x->i > y->i) - (x->i < y->i);
}

static int tell(struct inuse_pass *p, const struct inuse_hit *v, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (v[i].vfio)
			r = p->device(p->arg, v[i].pid, v[i].named ? &v[i].bdf : NULL);
		else
			r = p->found(p->arg, v[i].pid, v[i].i);
		if (r == 0 && (i + 1 == n || v[i + 1].pid != v[i].pid))
			r = p->done(p->arg, v[i].pid);
	}
	return r;
}

/* All threads' hits in the order of pids. */
static int tell_all(struct inuse_pass *p, const struct worker_thread *w, size_t threads)
{
	struct inuse_hit *v;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < threads; i++) {
		n += w[i].peek.n;
		p->unseen += w[i].peek.unseen;
	}
	v = calloc(n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < threads; i++) {
		if (w[i].peek.n)
			memcpy(v + n, w[i].peek.hits, w[i].peek.n * sizeof(*v));
		n += w[i].peek.n;
	}
	qsort(v, n, sizeof(*v), by_pid);
	r = tell(p, v, n);
	free(v);
	return r;
}

static int run(struct inuse_pass *p, struct queue *q, const struct inuse_match *match)
{
	struct worker_thread w[THREADS] = { 0 };
	size_t threads = count_threads(&q->crowd, p->h);
	int r = 0;

	for (size_t i = 0; r == 0 && i < threads; i++) {
		w[i].queue = q;
		w[i].peek.pass = p;
		w[i].peek.match = match;
		r = inuse_maps_init(&w[i].peek.maps, p->maps);
	}
	if (r == 0)
		r = look(q, w, threads);
	if (r == 0)
		r = tell_all(p, w, threads);
	for (size_t i = 0; i < threads; i++) {
		inuse_maps_release(&w[i].peek.maps);
		free(w[i].peek.hits);
	}
	return r;
}

int inuse_proc_run(struct inuse_pass *p, struct err *e)
{
	struct queue q = { .crowd = CROWD_INIT, .self = p->h->real ? getpid() : 0 };
	struct inuse_match match = { .n = 0 };
	int r;

	p->unseen = 0;
	r = crowd_list(p->h, &q.crowd);
	if (r == 0)
		r = inuse_match_init(&match, p->nodes, p->n);
	if (r == 0)
		r = run(p, &q, &match);
	inuse_match_release(&match);
	crowd_release(&q.crowd);
	return r < 0 ? err_set(e, -r, "cannot look through the processes in /proc: %s", err_text(r)) : 0;
}
