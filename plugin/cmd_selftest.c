// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu selftest ADDRESS: what a VM's start and stop do to a card, many times. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "trial.h"

#define ROUNDS 10
#define ROUNDS_MAX 1000

static bool interrupted(void)
{
	sigset_t set;

	return sigpending(&set) == 0 && (sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) ||
					 sigismember(&set, SIGHUP));
}

static int one_round(struct trial *t, struct selftest_round *ret, struct err *e)
{
	int r = trial_take(t, e);

	if (r == 0)
		r = trial_back(t, e);
	ret->take_ms = t->take_ms;
	ret->take_ns = t->take_ns;
	ret->back_ms = r == 0 ? t->back_ms : 0;
	ret->back_ns = r == 0 ? t->back_ns : 0;
	memcpy(ret->used, t->used, sizeof(ret->used));
	for (size_t i = 0; i < t->n; i++)
		if (t->fns[i].after.verdict > ret->health)
			ret->health = t->fns[i].after.verdict;
	ret->ok = r == 0 && ret->health != HEALTH_DEAD;
	return r;
}

static int test(struct trial *t, struct selftest_round *rounds, size_t n)
{
	struct selftest_result result = { .trial = t, .rounds = rounds, .asked = n, .why = "" };
	struct err e = ERR_INIT;
	int r = 0;

	while (r == 0 && result.n < n && !interrupted()) {
		r = one_round(t, &rounds[result.n], &e);
		result.refused = r == -EPERM && t->view.plan.n_refusals;
		if (!result.refused)
			result.n++;
	}
	out_notes(&t->c->out, t->claim.notes.s);
	if (r == 0 && result.n < n)
		out_note(&t->c->out, "ended after %zu of %zu rounds by a signal", result.n, n);
	result.why = e.msg;
	if (r < 0 && !result.refused)
		out_say(&t->c->out, &e);
	out_selftest(&t->c->out, &result);
	return result.refused ? CLI_REFUSED : r < 0 || !result.n || !rounds[result.n - 1].ok ? CLI_FAILED : CLI_DONE;
}

int cmd_selftest(struct cli *c)
{
	struct selftest_round *rounds;
	struct trial t;
	uint64_t n = ROUNDS;
	int status;

	if (c->rounds && (str_to_u64(c->rounds, 10, &n) < 0 || n < 1 || n > ROUNDS_MAX))
		return cli_usage(c, "--rounds %s: a number from 1 to %d is needed", c->rounds, ROUNDS_MAX);
	status = trial_open(&t, c);
	if (status)
		return status;
	rounds = calloc(n, sizeof(*rounds));
	if (rounds) {
		status = test(&t, rounds, n);
	} else {
		struct err e = ERR_INIT;

		err_nomem(&e);
		status = cli_failed(c, &e);
	}
	free(rounds);
	trial_close(&t);
	return status;
}
