/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trial - taking a card that nobody uses, and giving it back, without a VM.
 *
 * The way is that of a claim, with a lease of its own (GUEST_NOBODY): the same refusals, the same steps, the
 * same keeper should we die in the middle.  So nothing that is in use, and no function that a host driver
 * owns, is ever reset.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "cli.h"
#include "guest.h"

struct trial {
	struct cli *c;
	struct bdf bdf;			/* function 0 of the card, or a virtual function */
	struct guest guest;
	struct settings settings;
	const char *chain;		/* of resets; "" = what the card offers */
	bool dead_too;
	bool host_sleeps;		/* the chain is "suspend": refused while any VM runs */
	struct claim claim;
	struct guest_view view;
	struct trial_function {
		struct bdf bdf;
		struct health before, after;
	} fns[64];
	size_t n;
	uint64_t take_ms, back_ms;	/* how long it took, all in all */
	uint64_t take_ns, back_ns;	/* the kernel's own time of it */
	char used[RESET_NAME];		/* how the card was reset */
};

/* Reads the address in args[0] and settings.ini.  0, or the exit status. */
int trial_open(struct trial *t, struct cli *c) _must_check_;
void trial_close(struct trial *t);

/* Plans only: t->view.plan has the steps, or the refusals. */
int trial_plan(struct trial *t, struct err *e) _must_check_;

/* Takes the card and resets it, as planned; on failure it is back where it was, as after claim_take().
 * -EPERM with refusals in t->view.plan: nothing was touched. */
int trial_take(struct trial *t, struct err *e) _must_check_;

/* Looks at its functions, then gives it back. */
int trial_back(struct trial *t, struct err *e) _must_check_;

#endif
