/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reset_int - what the parts of reset share; nobody else includes it.
 *
 *   reset.c        chains, guards, the kernel's own methods
 *   reset_wide.c   reset_subordinate, remove and rescan
 *   reset_power.c  D3hot and back
 *   reset_suspend.c  the whole host to sleep
 */
#ifndef RESET_INT_H
#define RESET_INT_H

#include "err.h"
#include "reset.h"

#define RESET_FUNCTIONS 64

/* One card while a chain is run over it. */
struct reset_job {
	struct host *h;
	const struct bdf *fns;
	size_t n;
	const char *method;	/* of the kernel; NULL: the list as it stands */
	uint64_t reached;	/* set by a method that succeeds for some functions only */
	uint64_t *ns;
};

/* Each: 0, or a negative errno and a sentence.  -ENOTTY and -ENODEV: it is not offered, nothing was done. */
int reset_wide_subordinate(struct reset_job *j, struct err *e) _must_check_;
int reset_wide_rescan(struct reset_job *j, struct err *e) _must_check_;
int reset_power_d3(struct reset_job *j, struct err *e) _must_check_;
int reset_suspend(struct reset_job *j, struct err *e) _must_check_;

bool reset_is_ours(const struct reset_job *j, struct bdf bdf);
/* On vfio-pci, and nobody has it open. */
int reset_is_free(struct reset_job *j, struct err *e) _must_check_;

#endif
