/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * units - the services that are to be stopped for a VM by name, whether or not they have a device open right
 * now: those of the setting's list and, with `auto`, those that quirks know to come back to such a device all the
 * time.  Only what runs is in the answer.
 */
#ifndef UNITS_H
#define UNITS_H

#include "plan.h"
#include "settings.h"

/* *ret is malloc'ed. */
int units_find(struct host *h, const struct settings_list *services, const struct quirk_hit *quirks, size_t n_quirks,
	       struct unit **ret, size_t *ret_n, struct err *e) _must_check_;

/* What systemd would stop with these, and by `auto` with the services that have a device open, as far as it runs.
 * systemd is asked, unless the machine is only a captured tree.  *ret is malloc'ed. */
int units_pulled(struct host *h, const struct settings_list *services, const struct unit *units, size_t n_units,
		 const struct inuse *inuse, struct pull **ret, size_t *ret_n, struct err *e) _must_check_;

#endif
