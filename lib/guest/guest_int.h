/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest_int - what the parts of guest share; nobody else includes it.
 *
 *   guest.c         configuration, facts, plan
 *   guest_policy.c  settings
 */
#ifndef GUEST_INT_H
#define GUEST_INT_H

#include "guest.h"

/* A refusal where the start is a backup's and the settings keep backups away from the devices. */
int guest_refuse_backup(const struct guest *g, const struct settings *s, struct plan *p, struct err *e) _must_check_;

#endif
