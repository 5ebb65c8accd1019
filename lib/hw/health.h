/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * health - is a function alive, and all there?
 *
 * sysfs remembers the identity, the addresses and the link of a card that fell off the bus; only the
 * `config` file asks the card itself (drivers/pci/pci-sysfs.c:pci_read_config).  So the verdict comes from
 * config space: identity, D-state, BARs, decoding, link; the kernel's own records (`resource`, `enable`,
 * AER counters) say what should be there, and what has happened.
 *
 * All functions here may block while a reset is under way (drivers/pci/access.c:pci_wait_cfg): call them
 * in a worker.
 */
#ifndef HEALTH_H
#define HEALTH_H

#include <stddef.h>
#include <stdint.h>

#include "pdev.h"

enum health_verdict {
	HEALTH_OK,
	HEALTH_DEGRADED,	/* it answers, but something is not as it should be */
	HEALTH_DEAD,		/* nothing answers, or something else does */
};

struct health {
	enum health_verdict verdict;
	bool usable;		/* a VM may have it: it answers, is awake, and has its addresses */
	struct pdev_link link;	/* as it is now */
	char what[400];		/* what is wrong, a sentence without its full stop; "" when ok */
};

/* Errors that the function reported since boot, as the kernel counted them (`aer_dev_*`, PCI Express
 * advanced error reporting).  `known` is false where it has no such capability. */
struct health_errors {
	bool known;
	uint64_t correctable, nonfatal, fatal;
};

/* `before`, which may be NULL, is the link as it was once; a link that comes up narrower or slower is
 * degraded.  Always gives a verdict. */
void health_look(struct host *h, struct bdf bdf, const struct pdev_link *before, struct health *ret);

/* 0 when a VM may have it; else -EIO and the sentence. */
int health_check(struct host *h, struct bdf bdf, struct err *e) _must_check_;

/* One read: is anything there, and how is its link?  What cannot be read counts as there. */
void health_glance(struct host *h, struct bdf bdf, bool vf, bool *ret_dead, struct pdev_link *ret_link);

void health_errors(struct host *h, struct bdf bdf, struct health_errors *ret);

/* "ok", "degraded", "dead" */
const char *health_name(enum health_verdict v);

/* "16.0 GT/s x16", "" when it is not known (no PCI Express, a virtual function). */
struct health_link_text { char s[32]; };
struct health_link_text health_link(struct pdev_link l);

/* --- for the resets: what a function must look like after one ----------------------------------- */

struct health_mark {
	bool dead;		/* nothing answered */
	bool vf;
	uint32_t id;
	uint32_t bars[6];
};

/* Two reads around a reset: -EIO with a sentence when the function does not answer, or lost identity,
 * addresses or its wakefulness.  One that was dead before needs only come back. */
void health_before(struct host *h, struct bdf bdf, struct health_mark *ret);
int health_after(struct host *h, struct bdf bdf, const struct health_mark *before, struct err *e) _must_check_;

/* The function's power management can put it to sleep, and waking it resets it (PCI PM 1.2: No_Soft_Reset
 * is clear).  1, 0, or a negative errno when its config space cannot be read. */
int health_d3_resets(struct host *h, struct bdf bdf);

#endif
