/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan_int - what the parts of a plan share; nobody else includes it.
 *
 *   plan.c         which functions, in which chains, by which steps
 *   plan_reset.c   which card is reset how, and when
 */
#ifndef PLAN_INT_H
#define PLAN_INT_H

#include "plan.h"

int plan_add_step(struct plan *p, enum step_kind kind, const struct device *v, const char *from,
		  const char *to, const char *arg, struct err *e) _must_check_;

/* The reset in whose name v stands, if it does: one per slot, or per bus where only that helps. */
int plan_reset(struct plan *p, const struct plan_input *in, const struct device *v, struct err *e) _must_check_;

#endif
