/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reset - bringing a card into a known state, and proof that it answers.
 *
 * A reset is chosen by what the kernel offers and believed only when the card answers after it.
 * All functions here may block (a card that does not come back is polled for 60 s,
 * drivers/pci/pci.c:pci_dev_wait): call them in a worker.
 */
#ifndef RESET_H
#define RESET_H

#include <stddef.h>
#include <stdint.h>

#include "pdev.h"

enum reset_way {
	RESET_NONE,	/* the kernel offers nothing */
	RESET_SYSFS,	/* the functions' own reset attribute */
	RESET_HOT,	/* VFIO hot reset over all functions of the bus */
};

/* Can the function be reset by its own attribute?  `bus` in the list works only for a function that
 * is alone on its bus (pci_parent_bus_reset), whatever the list says; `alone` is the caller's
 * knowledge of that. */
bool reset_own_works(const struct pdev *d, bool alone);

/* The first method of the function's list, as a word for people ("flr"). */
const char *reset_first_method(const struct pdev *d, char *buf, size_t size);

/*
 * Resets the functions of one card.  With RESET_SYSFS each function that has a `reset` attribute
 * is reset by it; should the kernel then say "no method" (ENOTTY), and with RESET_HOT, the whole
 * card goes through VFIO; should that fail too, functions with an attribute of their own still get
 * their turn.  *ret_used says what worked in the end;
 * RESET_NONE with success: it turned out that the kernel offers nothing.  All functions must be on
 * vfio-pci.
 */
int reset_card(struct host *h, const struct bdf *fns, size_t n, enum reset_way way, bool hot_allowed,
	       enum reset_way *ret_used, uint64_t *ns, struct err *e) _must_check_;

/*
 * Does the function answer?  Its config space is readable and has the identity that sysfs
 * remembers (sysfs keeps the IDs of a card that fell off the bus), it is in D0, and its BARs are
 * programmed.  -EIO and a sentence when it does not.
 */
int reset_check(struct host *h, struct bdf bdf, struct err *e) _must_check_;

#endif
