// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu reset ADDRESS: the card resets itself before our eyes. */
#include <errno.h>
#include <string.h>

#include "trial.h"

static int shown(struct trial *t, int verdict, const struct err *e)
{
	struct reset_outcome r = { .verdict = verdict, .trial = t, .why = e ? e->msg : "" };

	if (verdict == RESET_FAILED)
		out_say(&t->c->out, e);
	out_reset(&t->c->out, &r);
	return verdict == RESET_FAILED ? CLI_FAILED : verdict == RESET_REFUSED ? CLI_REFUSED : CLI_DONE;
}

static int would_reset(struct trial *t)
{
	struct err e = ERR_INIT;

	if (trial_plan(t, &e) < 0)
		return cli_failed(t->c, &e);
	return shown(t, t->view.plan.n_refusals ? RESET_REFUSED : RESET_WOULD, NULL);
}

static bool has_reset(const struct plan *p)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_RESET)
			return true;
	return false;
}

static int do_reset(struct trial *t)
{
	struct err e = ERR_INIT, back = ERR_INIT;
	int r = trial_take(t, &e);

	out_notes(&t->c->out, t->claim.notes.s);
	if (r == -EPERM && t->view.plan.n_refusals)
		return shown(t, RESET_REFUSED, NULL);
	if (r < 0)
		return shown(t, RESET_FAILED, &e);
	if (trial_back(t, &back) < 0)
		return shown(t, RESET_FAILED, &back);
	if (!has_reset(&t->view.plan) || !t->used[0] || strcmp(t->used, "none") == 0) {
		err_set(&e, ENOTTY, "%s was not reset: %s; it is back where it was", BDF_S(t->bdf), t->c->method ?
			"it does not offer this method" : "the kernel offers no way");
		return shown(t, RESET_FAILED, &e);
	}
	return shown(t, RESET_DONE, NULL);
}

int cmd_reset(struct cli *c)
{
	struct trial t;
	int status;

	if (c->method && c->chain)
		return cli_usage(c, "either --method or --chain, not both");
	if (c->method && !reset_is_method(c->method, NULL) && !reset_is_by_hand(c->method))
		return cli_usage(c, "there is no method '%s': one of %s, suspend", c->method, reset_methods());
	status = trial_open(&t, c);
	if (status)
		return status;
	t.chain = c->method ? c->method : c->chain ? PLAN_EVERY_RESET : "";
	t.dead_too = true;
	t.host_sleeps = c->method && reset_is_by_hand(c->method);
	status = c->dry_run ? would_reset(&t) : do_reset(&t);
	trial_close(&t);
	return status;
}
