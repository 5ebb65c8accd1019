// SPDX-License-Identifier: GPL-2.0-or-later
/* Questions with a deadline: see probe.h. */
#include "probe.h"

#include <errno.h>
#include <string.h>

#include "pdev.h"
#include "health.h"
#include "str.h"

#define ANSWER_MS 2000

enum what { ASK_OVERRIDE, ASK_HEALTH };

struct question {
	enum what what;
	struct bdf bdf;
	struct pdev_link before;
};

struct answer {
	int r;
	char override[PDEV_NAME];
	struct health health;
	struct health_errors errors;
};

static void serve(struct host *h, void *arg, const void *request, void *reply)
{
	const struct question *q = request;
	struct answer *a = reply;

	(void)arg;
	memset(a, 0, sizeof(*a));
	switch (q->what) {
	case ASK_OVERRIDE:
		a->r = pdev_read_override(h, q->bdf, a->override, sizeof(a->override));
		break;
	case ASK_HEALTH:
		if (!host_exists(h, pdev_path(q->bdf, "config").s)) {
			a->r = -ENOENT;
			break;
		}
		health_look(h, q->bdf, &q->before, &a->health);
		health_errors(h, q->bdf, &a->errors);
		break;
	}
}

static int ask(struct probe *p, enum what what, struct bdf bdf, const struct pdev_link *before, struct answer *a,
	       struct err *e)
{
	struct question q;
	int r = 0;

	memset(&q, 0, sizeof(q));	/* its bytes are sent, gaps between the members included */
	q.what = what;
	q.bdf.domain = bdf.domain;
	q.bdf.bus = bdf.bus;
	q.bdf.dev = bdf.dev;
	q.bdf.fn = bdf.fn;
	if (before)
		q.before = *before;
	if (p->worker.pid == 0)
		r = worker_start(&p->worker, p->h, serve, NULL, -1, sizeof(q), sizeof(*a), e);
	if (r == 0)
		r = worker_call(&p->worker, &q, a, ANSWER_MS, e);
	if (r < 0)
		worker_stop(&p->worker);
	if (r == -ETIMEDOUT)
		return err_set(e, ETIMEDOUT, "%s did not answer within %d s: another process hangs in the kernel at "
			       "this device; see 'ps -eo pid,stat,wchan:30,args' for state D, and 'dmesg'", BDF_S(bdf),
			       ANSWER_MS / 1000);
	return r;
}

int probe_override(struct probe *p, struct bdf bdf, char *buf, size_t size, struct err *e)
{
	struct answer a;
	int r = ask(p, ASK_OVERRIDE, bdf, NULL, &a, e);

	if (r < 0)
		return r;
	if (a.r < 0)
		return err_set(e, -a.r, "cannot read driver_override of %s: %s", BDF_S(bdf), err_text(a.r));
	return str_copy(buf, size, a.override);
}

int probe_health(struct probe *p, struct bdf bdf, const struct pdev_link *before, struct health *ret,
		 struct health_errors *ret_errors, struct err *e)
{
	struct answer a;
	int r = ask(p, ASK_HEALTH, bdf, before, &a, e);

	if (r < 0)
		return r;
	if (a.r < 0)
		return err_set(e, -a.r, "%s has no config space that could be read", BDF_S(bdf));
	*ret = a.health;
	if (ret_errors)
		*ret_errors = a.errors;
	return 0;
}

void probe_stop(struct probe *p)
{
	worker_stop(&p->worker);
}
