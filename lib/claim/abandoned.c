// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices that somebody has given up: see abandoned.h. */
#include "abandoned.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "claim_int.h"
#include "worker.h"

int abandoned_step(const struct lease *l, struct bdf bdf)
{
	int found = -1;

	for (size_t i = 0; i < l->plan.n_steps; i++) {
		const struct step *s = &l->plan.steps[i];

		if (!(step_has_device(s) && bdf_same(s->bdf, bdf)) && !step_makes_vfs(s, bdf))
			continue;
		if (l->at[i].mark == MARK_STUCK)
			return (int)i;
		if (l->at[i].mark == MARK_FAILED)
			found = (int)i;
	}
	return found;
}

/* --- what there is ------------------------------------------------------------------------------- */

struct list {
	struct host *h;
	struct abandoned *v;
	size_t n, size;
};

static int add_device(struct list *list, const struct lease *l, const char *file, bool locked, struct bdf bdf)
{
	int i = abandoned_step(l, bdf);
	struct abandoned *a;

	if (i < 0)
		return 0;
	if (array_room(&list->v, list->n, &list->size, sizeof(*list->v)) < 0)
		return -ENOMEM;
	a = &list->v[list->n++];
	*a = (struct abandoned){
		.vmid = l->vmid, .bdf = bdf, .hangs = locked && l->at[i].mark == MARK_STUCK,
		.step = step_describe(&l->plan.steps[i], lease_way(l, (size_t)i)),
	};
	snprintf(a->file, sizeof(a->file), "%.63s", file);
	snprintf(a->why, sizeof(a->why), "%.159s", l->at[i].why);
	return 0;
}

/* "100.0"; what is called otherwise, or cannot be read, is somebody else's. */
static int add_file(void *arg, const char *name)
{
	struct host_path path = host_path(LEASE_ABANDONED "/%s", name);
	struct list *list = arg;
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	char id[16];
	unsigned vmid;
	struct bdf pf;
	bool locked;
	int r = 0;

	snprintf(id, sizeof(id), "%.*s", (int)strcspn(name, "."), name);
	if (str_to_vmid(id, &vmid) < 0)
		return 0;
	locked = lease_is_locked(list->h, path.s);
	if (lease_read(list->h, path.s, vmid, &l, &e) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < l.plan.n_devices; i++)
		r = add_device(list, &l, path.s, locked, l.plan.devices[i].bdf);
	for (size_t i = 0; r == 0 && i < l.plan.n_steps; i++)
		if (l.plan.steps[i].kind == STEP_VFS && bdf_parse(l.plan.steps[i].to, &pf) == 0)
			r = add_device(list, &l, path.s, locked, pf);
	lease_release(&l);
	return r;
}

int abandoned_list(struct host *h, struct abandoned **ret, size_t *ret_n, struct err *e)
{
	struct list list = { .h = h };
	int r = host_list(h, LEASE_ABANDONED, add_file, &list);

	if (r < 0 && r != -ENOENT) {
		free(list.v);
		return err_set(e, -r, "cannot list what was given up in " LEASE_ABANDONED ": %s", err_text(r));
	}
	*ret = list.v;
	*ret_n = list.n;
	return 0;
}

/* --- giving up ----------------------------------------------------------------------------------- */

/* Nobody but a worker that hangs has a hand on it, and something cannot be given back. */
static bool beyond_help(const struct lease *l)
{
	bool found = false;

	for (size_t i = 0; i < l->plan.n_steps; i++) {
		enum lease_mark mark = l->at[i].mark;

		if (mark == MARK_INTENT || mark == MARK_UNDO)
			return false;
		found |= mark == MARK_STUCK || mark == MARK_FAILED;
	}
	return found;
}

/* What this is about may hang on the very device, as what could not be given back does. */
static int undo(struct claim *c, const struct step *s, struct err *e)
{
	uint64_t ms = step_limit(s->kind, STEP_UNDO);
	struct worker w = WORKER_INIT;
	struct step_request q;
	struct step_reply a;
	int r = worker_start(&w, c->h, step_serve, NULL, -1, sizeof(q), sizeof(a), e);

	if (r < 0)
		return r;
	memset(&q, 0, sizeof(q));
	q.vmid = c->vmid;
	q.way = STEP_UNDO;
	q.step = *s;
	q.until = host_now(c->h) + ms;
	r = worker_call(&w, &q, &a, (int)ms, e);
	worker_stop(&w);
	if (r == 0 && a.r < 0) {
		*e = a.e;
		r = a.r;
	}
	return r;
}

/* Nobody will come back for this lease: what was stopped for it starts now, and what becomes of that is said.
 * Virtual functions stay: the one that was given up may be one of them, or their own card. */
static void start_again(struct claim *c, const struct step *stopped, size_t n)
{
	while (n-- > 0) {
		struct err e = ERR_INIT;

		if (stopped[n].kind == STEP_VFS)
			(void)str_addf(&c->notes, "the virtual functions of %s stay\n", stopped[n].to);
		else
			(void)str_addf(&c->notes, "%s: %s\n", step_describe(&stopped[n], STEP_UNDO).s,
				       undo(c, &stopped[n], &e) < 0 ? e.msg : "done");
	}
}

/* Under the node lock, so that no claim sees the device between lease and record. */
static int give_up(struct claim *c, struct err *e)
{
	struct lease l = LEASE_INIT;
	struct host_path to;
	struct err mine = ERR_INIT;
	struct step *stopped = NULL;
	size_t n = 0;
	int r = claim_lock_node(c, &mine);

	if (r == 0)
		r = lease_load(c->h, c->vmid, &l, &mine);
	if (r == 0 && !beyond_help(&l))
		r = 1;
	if (r == 0 && lease_stopped(&l, &stopped, &n) < 0)
		r = err_nomem(&mine);
	if (r == 0)
		r = lease_move(c->h, c->vmid, LEASE_ABANDONED, &to, &mine);
	claim_unlock_node(c);
	if (r == 0)
		start_again(c, stopped, n);
	lease_release(&l);
	free(stopped);
	if (r < 0)
		*e = mine;
	return r;
}

int claim_abandon(struct claim *c, bool *ret_had, bool *ret_given_up, struct err *e)
{
	int r = claim_return(c, ret_had, e), q;

	*ret_given_up = false;
	/* Refused, or not touched, or not to be read: that is the answer. */
	if (r == 0 || r == -EBADMSG || r == -ESTALE || (r != -EWOULDBLOCK && !c->lease.returning))
		return r;
	q = give_up(c, e);
	if (q > 0)
		return r;
	*ret_given_up = q == 0;
	return q;
}
