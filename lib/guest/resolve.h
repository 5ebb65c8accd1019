/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve - which functions a VM's hostpci entries mean on this machine, right now.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "guest.h"

struct wishes {
	struct want *list;
	size_t n, size;
};

/* Follows hosts and mappings; what is wrong with an entry becomes a refusal in `plan`.  Reads the
 * records it needs into the snapshot. */
int resolve(struct host *h, const struct guest *g, const struct guest_input *in, struct snapshot *s,
	    struct wishes *ret, struct plan *plan, struct err *e) _must_check_;

#endif
