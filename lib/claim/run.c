// SPDX-License-Identifier: GPL-2.0-or-later
/* The step runner: see run.h. */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "run_look.h"
#include "str.h"
#include "worker.h"

/* Looking who uses the devices takes a walk over /proc. */
#define LOOK_MS 8000

/* The host's clock decides about deadlines; poll only has to look at it often enough. */
#define SLICE_MS 50

struct lane {			/* one chain on its way */
	struct worker worker;
	unsigned chain;
	size_t at;		/* the step under way */
	bool over;
	uint64_t started, deadline;
	uint64_t ns;
};

struct race {
	struct runner *r;
	enum step_way way;
	struct lane *lanes;
	size_t n;
	bool stop;		/* begin nothing new */
	struct err first;
	struct step_request request;
	struct step_reply reply;
};

static struct plan *plan_of(struct race *c)
{
	return &c->r->lease->plan;
}

static void remember(struct race *c, const struct err *e)
{
	if (c->first.code == 0)
		c->first = *e;
}

static bool device_given_up(struct race *c, struct bdf bdf)
{
	struct lease *l = c->r->lease;

	for (size_t i = 0; i < l->plan.n_steps; i++) {
		const struct step *s = &l->plan.steps[i];

		if (!step_concerns(s, bdf))
			continue;
		/* A write hangs, it is dead, or could not leave vfio-pci: nothing more can be done to it. */
		if (l->at[i].mark == MARK_STUCK ||
		    (l->at[i].mark == MARK_FAILED && (s->kind == STEP_BIND || s->kind == STEP_RESET)))
			return true;
	}
	return false;
}

static bool wants_turn(struct race *c, const struct lane *lane, size_t i)
{
	const struct step *s = &plan_of(c)->steps[i];
	enum lease_mark mark = c->r->lease->at[i].mark;

	if (s->chain != lane->chain)
		return false;
	if (c->way == STEP_DO)
		return mark == MARK_PLANNED;
	return lease_touched(c->r->lease, i) && mark != MARK_FAILED && mark != MARK_STUCK &&
	       !(step_has_device(s) && device_given_up(c, s->bdf));
}

/* The lane's next step, or false when it is through. */
static bool next_step(struct race *c, struct lane *lane)
{
	size_t n = plan_of(c)->n_steps;

	for (size_t k = 0; k < n; k++) {
		size_t i = c->way == STEP_DO ? k : n - 1 - k;

		if (wants_turn(c, lane, i)) {
			lane->at = i;
			return true;
		}
	}
	return false;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int send_step(struct race *c, struct lane *lane, struct err *e)
{
	struct runner *r = c->r;
	struct step *s = &plan_of(c)->steps[lane->at];
	uint64_t now = host_now(r->h);
	int q;

	if (now >= r->deadline)
		return err_set(e, ETIMEDOUT, "out of time before the step '%s'", step_describe(s, c->way).s);
	q = lease_mark(r->lease, lane->at, c->way == STEP_DO ? MARK_INTENT : MARK_UNDO, 0, -1, NULL, e);
	/* Without a record nothing new is done; but what was done is taken back in any case. */
	if (q < 0 && c->way == STEP_DO)
		return q;
	if (lane->worker.pid == 0)
		q = worker_start(&lane->worker, r->h, step_serve, NULL, r->lease->fd,
				 sizeof(struct step_request), sizeof(struct step_reply), e);
	else
		q = 0;
	if (q < 0)
		return q;
	c->request.vmid = r->lease->vmid;
	c->request.way = c->way;
	c->request.end = r->end;
	c->request.step = *s;
	lane->started = now;
	lane->deadline = earlier(now + r->limit(s->kind, c->way), r->deadline);
	c->request.until = lane->deadline;
	return worker_ask(&lane->worker, &c->request, e);
}

static void mark_failed(struct race *c, size_t i, const struct err *why)
{
	struct err ignored = ERR_INIT;

	c->r->report.failed++;
	if (lease_mark(c->r->lease, i, MARK_FAILED, 0, -1, why->msg, &ignored) < 0)
		c->r->lease->at[i].mark = MARK_FAILED;
	snprintf(c->r->lease->at[i].why, sizeof(c->r->lease->at[i].why), "%.159s", why->msg);
}

static void step_failed(struct race *c, struct lane *lane, struct err *e)
{
	const struct step *s = &plan_of(c)->steps[lane->at];

	err_wrap(e, "cannot %s", step_describe(s, c->way).s);
	remember(c, e);
	if (c->way == STEP_DO)
		c->stop = true;
	else
		mark_failed(c, lane->at, e);
}

static void mark_over(struct race *c, struct lane *lane, uint64_t ns, int enable)
{
	struct err e = ERR_INIT;
	int r = lease_mark(c->r->lease, lane->at, c->way == STEP_DO ? MARK_DONE : MARK_UNDONE, ns, enable, NULL, &e);

	if (r < 0 && c->way == STEP_DO) {
		remember(c, &e);
		c->stop = true;
	} else if (r < 0) {
		c->r->lease->at[lane->at].mark = MARK_UNDONE;
	}
}

/* Sends the lane on its way to the next step, or ends it. */
static void advance(struct race *c, struct lane *lane)
{
	struct err e = ERR_INIT;

	while (!c->stop && next_step(c, lane)) {
		if (step_is_idle(plan_of(c)->steps[lane->at].kind, c->way)) {
			mark_over(c, lane, 0, -1);
			continue;
		}
		if (send_step(c, lane, &e) == 0)
			return;
		step_failed(c, lane, &e);
	}
	lane->over = true;
}

static void step_done(struct race *c, struct lane *lane)
{
	const struct step *s = &plan_of(c)->steps[lane->at];

	lane->ns += c->reply.ns;
	if (s->kind == STEP_RESET || s->kind == STEP_VFS) {
		memcpy(c->r->lease->at[lane->at].used, c->reply.used, sizeof(c->reply.used));
		c->r->lease->at[lane->at].reached = c->reply.reached;
	}
	mark_over(c, lane, c->reply.ns, c->reply.enable);
}

static void answered(struct race *c, struct lane *lane)
{
	struct err e = ERR_INIT;
	int r = worker_answer(&lane->worker, &c->reply, &e);

	if (r == 0 && c->reply.r == 0) {
		step_done(c, lane);
	} else {
		if (r == 0)
			e = c->reply.e;
		step_failed(c, lane, &e);
	}
	advance(c, lane);
}

/* Nobody can end a write that hangs in the kernel: leave it, name it, touch the device no more. */
static void stuck(struct race *c, struct lane *lane)
{
	struct lease *l = c->r->lease;
	const struct step *s = &plan_of(c)->steps[lane->at];
	struct lease_process who = { lane->worker.pid, 0 };
	struct err e = ERR_INIT, ignored = ERR_INIT;
	uint64_t waited = host_now(c->r->h) - lane->started;
	bool one = step_has_device(s);

	who.start = lease_process_start(c->r->h, who.pid);
	err_set(&e, ETIMEDOUT, "%s%sstuck. The step '%s' has not come back from the kernel after %llu s and was left "
		"behind (pid %d)%s. 'dmesg' tells what the driver waits for; when it lets go, type 'pve-gpu release %u'",
		one ? BDF_S(s->bdf) : "", one ? ": " : "", step_describe(s, c->way).s,
		(unsigned long long)(waited + 500) / 1000, (int)who.pid, one ? "; the device is not touched any more" : "",
		l->vmid);
	c->r->report.stuck++;
	if (lease_note_stuck(l, lane->at, who, &ignored) < 0)
		l->at[lane->at].mark = MARK_STUCK;
	remember(c, &e);
	if (c->way == STEP_DO)
		c->stop = true;
	worker_stop(&lane->worker);	/* busy: it is left behind */
	advance(c, lane);
}

static void cancelled(struct race *c)
{
	struct signalfd_siginfo info;
	struct err e = ERR_INIT;

	if (read(c->r->cancel, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	err_set(&e, ECANCELED, "cancelled by signal %u (%s)", info.ssi_signo,
		sigabbrev_np((int)info.ssi_signo) ? sigabbrev_np((int)info.ssi_signo) : "?");
	remember(c, &e);
	c->stop = true;
}

static int race_poll(struct race *c, struct pollfd *p)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		p[n++] = (struct pollfd){ c->lanes[i].over ? -1 : c->lanes[i].worker.fd, POLLIN, 0 };
	p[n++] = (struct pollfd){ c->way == STEP_DO && !c->stop ? c->r->cancel : -1, POLLIN, 0 };
	return poll(p, n, SLICE_MS);
}

static bool all_over(const struct race *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->lanes[i].over)
			return false;
	return true;
}

static void race_run(struct race *c, struct pollfd *p)
{
	for (size_t i = 0; i < c->n; i++)
		advance(c, &c->lanes[i]);
	while (!all_over(c)) {
		uint64_t now;
		int r = race_poll(c, p);

		if (r > 0 && p[c->n].revents)
			cancelled(c);
		now = host_now(c->r->h);
		for (size_t i = 0; i < c->n; i++) {
			if (c->lanes[i].over)
				continue;
			if (r > 0 && p[i].revents)
				answered(c, &c->lanes[i]);
			else if (now >= c->lanes[i].deadline)
				stuck(c, &c->lanes[i]);
		}
	}
}

/* The lanes `from`..`to` side by side. */
static int race(struct runner *r, enum step_way way, unsigned from, unsigned to, struct err *e)
{
	struct race c = { .r = r, .way = way, .n = to - from + 1 };
	struct pollfd *p = calloc(c.n + 1, sizeof(*p));
	uint64_t longest = 0;

	c.lanes = calloc(c.n, sizeof(*c.lanes));
	if (!p || !c.lanes) {
		free(p);
		free(c.lanes);
		return err_nomem(e);
	}
	for (size_t i = 0; i < c.n; i++) {
		c.lanes[i].worker = (struct worker)WORKER_INIT;
		c.lanes[i].chain = from + (unsigned)i;
	}
	race_run(&c, p);
	for (size_t i = 0; i < c.n; i++) {
		worker_stop(&c.lanes[i].worker);
		longest = c.lanes[i].ns > longest ? c.lanes[i].ns : longest;
	}
	r->report.ns += longest;
	free(p);
	free(c.lanes);
	if (c.first.code == 0)
		return 0;
	*e = c.first;
	return -e->code;
}

static bool has_chain_zero(const struct runner *r)
{
	return r->lease->plan.n_steps && r->lease->plan.steps[0].chain == 0;
}

/* Something of the host's that was stopped before the first chain. */
static bool has_stopped(const struct runner *r)
{
	for (size_t i = 0; i < r->lease->plan.n_steps; i++)
		if (r->lease->plan.steps[i].chain == 0 && !step_is_idle(r->lease->plan.steps[i].kind, STEP_UNDO) &&
		    lease_touched(r->lease, i))
			return true;
	return false;
}

/* Out of time the next step says so. */
static int look(struct runner *r, struct err *e)
{
	uint64_t now = host_now(r->h);

	return now < r->deadline ? run_look(r->h, r->lease, (int)earlier(LOOK_MS, r->deadline - now), e) : 0;
}

int run_forward(struct runner *r, struct err *e)
{
	int q = has_chain_zero(r) ? race(r, STEP_DO, 0, 0, e) : 0;

	if (q == 0 && has_chain_zero(r))
		q = look(r, e);
	if (q == 0 && r->lease->plan.chains)
		q = race(r, STEP_DO, 1, r->lease->plan.chains, e);
	return q;
}

/* A failed or stuck step of an earlier walk gets another chance: whoever holds the lock knows that
 * its writer is gone. */
static void second_chance(struct lease *l)
{
	for (size_t i = 0; i < l->plan.n_steps; i++)
		if (l->at[i].mark == MARK_FAILED || l->at[i].mark == MARK_STUCK)
			l->at[i].mark = MARK_UNDO;
}

int run_back(struct runner *r, struct err *e)
{
	int q;

	if (r->lease->plan.chains == 0)
		return 0;
	if (r->report.stuck == 0)
		second_chance(r->lease);
	q = race(r, STEP_UNDO, 1, r->lease->plan.chains, e);
	/* Whoever is started beside a device that hangs in the kernel may hang on it, too; whoever is without his device
	 * is not started a second time when it is there. */
	r->report.host_waits = (r->report.stuck || (r->report.failed && r->tries_left)) && has_stopped(r);
	if (!r->report.host_waits && has_stopped(r)) {
		struct err mine = ERR_INIT;
		int z = race(r, STEP_UNDO, 0, 0, &mine);

		if (q == 0 && z < 0) {
			*e = mine;
			q = z;
		}
	}
	return q;
}
