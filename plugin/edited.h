/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edited - how a change of a VM's config ends: shown, refused or failed.
 */
#ifndef EDITED_H
#define EDITED_H

#include "cli.h"
#include "plan.h"
#include "vmfile.h"

/* All reasons at once; CLI_REFUSED. */
int edited_refused(struct cli *c, unsigned vmid, const struct plan *refusals);

/* One reason, by its code a refusal (CLI_REFUSED) or a failure (CLI_FAILED). */
int edited_not(struct cli *c, unsigned vmid, const struct err *e);

/* The diff; CLI_DONE. */
int edited(struct cli *c, unsigned vmid, const struct vmfile_change *change, const char *const *keys, size_t n_keys);

#endif
