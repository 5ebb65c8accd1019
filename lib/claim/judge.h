/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge - the rules by which a plan is refused.
 *
 * A table of rules, each looking at one device of the plan; all of them are asked about all
 * devices, so that one attempt tells everything that is wrong.  A new reason to refuse is a row.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "plan.h"

/* Adds refusals to the plan, whose devices and steps are complete. */
int judge(const struct plan_input *in, struct plan *p, struct err *e) _must_check_;

#endif
