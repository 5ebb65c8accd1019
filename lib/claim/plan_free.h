/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan_free - getting devices free of the host's users, where the administrator wants that.
 *
 * A service, container or process that has a device open becomes a step before all chains: it is
 * stopped before the first device is touched, and, the steps being walked backwards, started again
 * when the last one is the host's again.  Only what runs is stopped, and only what was stopped is
 * started; where a device does not come back, only when watch has tried for the last time.
 * Who may be stopped is the policy's word; whoever holds a device without a step of this kind is a
 * reason to refuse (judge.c).
 *
 * With a service systemd stops those that require it, are bound to it or part of it, and starts none of them
 * again.  So each of them that runs is a step of its own, before the service's.  By `auto` none is stopped that
 * would take along what the host lives by.
 *
 * Never: process 1, what belongs to another VM, and by `auto` the services that the host lives by.  A
 * frozen container keeps what it has open, so freezing does not help where an unbind would wait for it.
 */
#ifndef PLAN_FREE_H
#define PLAN_FREE_H

#include "plan.h"

/* Adds the steps to the plan, whose devices are complete.  What an earlier start has stopped (in->stopped)
 * is taken over first. */
int plan_free(struct plan *p, const struct plan_input *in, struct err *e) _must_check_;

/* A step of the plan takes this user away before a device is touched. */
bool plan_frees(const struct plan *p, const struct inuse_finding *f);

/* The setting that decides about this user, "" = none does. */
const char *free_setting(const struct inuse_finding *f);

/* What would go down with the service and is not to be stopped by `auto`, a unit's name; NULL = nothing. */
const char *free_obstacle(const struct plan_input *in, const char *unit);

/* The service runs, or is on its way up or down: systemd keeps a link to its invocation just as long
 * (systemd: src/core/unit.c: unit_export_invocation_id, unit_notify). */
bool free_unit_is_active(struct host *h, const char *unit);

#endif
