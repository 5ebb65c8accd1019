// SPDX-License-Identifier: GPL-2.0-or-later
/* Facts whose reading can block: see scout.h. */
#include "scout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "health.h"
#include "vfio.h"
#include "worker.h"

struct question {
	enum { ASK_FUNCTION, ASK_OPEN, ASK_USERS, ASK_FINDING } what;
	struct bdf bdf;
	bool vf;
	size_t i;
};

struct answer {
	int r;
	char override[PDEV_NAME];
	bool dead;
	struct pdev_link link;
	size_t n, unseen;
	struct inuse_finding finding;
	struct err e;
};

/* What the child knows: the functions from its parent, the scan it made itself. */
struct child {
	const struct bdf *fns;
	size_t n;
	const struct inuse_needs *needs;
	struct inuse *found;
};

static void serve(struct host *h, void *arg, const void *request, void *reply)
{
	const struct question *q = request;
	struct child *c = arg;
	struct answer *a = reply;

	memset(a, 0, sizeof(*a));
	switch (q->what) {
	case ASK_FUNCTION:
		a->r = pdev_read_override(h, q->bdf, a->override, sizeof(a->override));
		health_glance(h, q->bdf, q->vf, &a->dead, &a->link);
		break;
	case ASK_OPEN:
		a->r = vfio_group_is_busy(h, q->bdf);
		break;
	case ASK_USERS:
		a->r = inuse_scan(h, c->fns, c->n, c->needs, &c->found, &a->e);
		a->n = a->r < 0 ? 0 : c->found->n;
		a->unseen = a->r < 0 ? 0 : c->found->unseen;
		break;
	case ASK_FINDING:
		if (c->found && q->i < c->found->n)
			a->finding = c->found->v[q->i];
		break;
	}
}

static int ask(struct worker *w, const struct question *q, struct answer *a, int ms, struct err *e)
{
	int r = worker_call(w, q, a, ms, e);

	if (r != -ETIMEDOUT)
		return r;
	if (q->what == ASK_FUNCTION)
		return err_set(e, ETIMEDOUT, "%s does not answer: reading its driver_override did not return within "
			       "%d ms, so another process hangs in the kernel while it writes to this device; see "
			       "'ps -eo pid,stat,wchan:30,args' for a process in state D, and 'dmesg'",
			       BDF_S(q->bdf), ms);
	if (q->what == ASK_OPEN)
		return err_set(e, ETIMEDOUT, "%s does not answer: opening its VFIO group did not return within %d ms; "
			       "see 'dmesg'", BDF_S(q->bdf), ms);
	return err_set(e, ETIMEDOUT, "looking for processes that use the devices did not return within %d ms: a "
		       "process hangs in the kernel; see 'ps -eo pid,stat,wchan:30,args' for state D, and 'dmesg'",
		       ms);
}

static int ask_function(struct worker *w, struct snapshot *s, struct bdf bdf, struct answer *a, int ms,
			struct err *e)
{
	const struct pdev *d = snapshot_get(s, bdf);
	struct question q;
	int r;

	memset(&q, 0, sizeof(q));	/* the gaps too: it is sent as bytes */
	q.what = ASK_FUNCTION;
	q.bdf = bdf;
	q.vf = d && d->is_vf;
	r = ask(w, &q, a, ms, e);
	if (r < 0)
		return r;
	/* A captured tree may lack the attribute; every kernel since 3.16 has it. */
	if (a->r < 0 && a->r != -ENOENT)
		return err_set(e, -a->r, "cannot read driver_override of %s: %s", BDF_S(bdf), err_text(a->r));
	snapshot_learn(s, bdf, a->r < 0 ? "" : a->override);
	snapshot_learn_health(s, bdf, a->dead, a->link);
	return 0;
}

/* Enabled although it is on a VFIO driver: a driver's leftover, or a user whom no process shows. */
static int ask_open(struct worker *w, struct snapshot *s, struct bdf bdf, struct answer *a, int ms, struct err *e)
{
	const struct pdev *d = snapshot_get(s, bdf);
	struct question q;
	int r;

	if (!d || !d->vfio || d->enable <= 0)
		return 0;
	memset(&q, 0, sizeof(q));
	q.what = ASK_OPEN;
	q.bdf = bdf;
	r = ask(w, &q, a, ms, e);
	if (r == 0 && a->r > 0)
		snapshot_learn_open(s, bdf);
	return r;
}

static int ask_users(struct worker *w, struct answer *a, int ms, struct inuse **ret, struct err *e)
{
	struct question q;
	struct inuse *u;
	size_t n;
	int r;

	memset(&q, 0, sizeof(q));
	q.what = ASK_USERS;
	r = ask(w, &q, a, ms, e);
	n = a->n;
	if (r == 0 && a->r < 0) {
		*e = a->e;
		r = a->r;
	}
	if (r < 0)
		return r;
	u = calloc(1, sizeof(*u));
	if (u)
		u->v = calloc(n ? n : 1, sizeof(*u->v));
	if (!u || !u->v) {
		free(u);
		return err_nomem(e);
	}
	u->unseen = a->unseen;
	q.what = ASK_FINDING;
	for (q.i = 0; r == 0 && q.i < n; q.i++) {
		r = ask(w, &q, a, ms, e);
		if (r == 0)
			u->v[u->n++] = a->finding;
	}
	if (r < 0)
		inuse_free(u);
	else
		*ret = u;
	return r;
}

int scout(struct host *h, struct snapshot *s, const struct bdf *fns, size_t n, int ms, bool try_open,
	  const struct inuse_needs *needs, struct inuse **ret_inuse, struct err *e)
{
	struct child c = { fns, n, needs, NULL };
	struct answer *a = malloc(sizeof(*a));
	struct worker w = WORKER_INIT;
	int r;

	if (!a)
		return err_nomem(e);
	r = worker_start(&w, h, serve, &c, -1, sizeof(struct question), sizeof(*a), e);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = ask_function(&w, s, fns[i], a, ms, e);
	for (size_t i = 0; r == 0 && try_open && i < n; i++)
		r = ask_open(&w, s, fns[i], a, ms, e);
	if (r == 0 && ret_inuse)
		r = ask_users(&w, a, ms, ret_inuse, e);
	worker_stop(&w);
	free(a);
	return r;
}

int scout_users(struct host *h, const struct bdf *fns, size_t n, int ms, const struct inuse_needs *needs,
		struct inuse **ret, struct err *e)
{
	struct child c = { fns, n, needs, NULL };
	struct answer *a = malloc(sizeof(*a));
	struct worker w = WORKER_INIT;
	int r;

	if (!a)
		return err_nomem(e);
	r = worker_start(&w, h, serve, &c, -1, sizeof(struct question), sizeof(*a), e);
	if (r == 0)
		r = ask_users(&w, a, ms, ret, e);
	worker_stop(&w);
	free(a);
	return r;
}
