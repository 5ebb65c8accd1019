/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reset - bringing a card into a known state, and proof that it answers.
 *
 * A reset is believed only when the card answers after it.  What is tried, in which order, is a chain:
 * names separated by blanks, "flr hot subordinate".  Before each method its preconditions are looked
 * at, after it the functions; the first that leaves all of them alive ends the chain.
 *
 *   device_specific acpi flr af_flr pm bus cxl_bus   a method of the kernel, chosen through reset_method
 *                   (drivers/pci/pci.c:pci_reset_fn_methods); the previous order is put back
 *   vfio            VFIO_DEVICE_RESET, each function
 *   hot             VFIO hot reset of slot or bus (vfio.h)
 *   subordinate     the bridge's reset_subordinate: the whole bus
 *   d3              D3hot and back, each function
 *   rescan          off the bus and found again: every lost attribute is put back
 *   suspend         the host sleeps (S3) and the clock wakes it: the slots lose their power.  In no chain, only
 *                   when somebody asks for it by name; that no VM runs is the caller's to see to
 *
 * Never is a function reset that is not on vfio-pci or that somebody has open, nor a bus with a function
 * that is not ours.  All functions here may block (a card that does not come back is polled for 60 s,
 * drivers/pci/pci.c:pci_dev_wait): call them in a worker.
 */
#ifndef RESET_H
#define RESET_H

#include <stddef.h>
#include <stdint.h>

#include "pdev.h"

#define RESET_NAME 24
#define RESET_BEGIN_MS 65000	/* no further method is begun once this much time has passed... */
#define RESET_LIMIT_MS 140000	/* ...and the last one has ended by then */

struct reset_result {
	char used[RESET_NAME];	/* what worked; "none": the kernel offers nothing */
	uint64_t reached;	/* bit i: fns[i] was reset; a method of the kernel may be offered for some only */
	uint64_t ns;		/* the kernel's own time */
};

/*
 * Runs a chain over the functions of one card, all of them ours and on vfio-pci.  With `exact` false a
 * method of the kernel means `reset` with the list as it stands, whatever is first in it; with true
 * that method and no other.  0 with used = "none": nothing in the chain is offered for this card.
 * Else the first method's errno (-EIO: it is dead) and what each of them said.
 */
int reset_run(struct host *h, const char *chain, bool exact, const struct bdf *fns, size_t n,
	      struct reset_result *ret, struct err *e) _must_check_;

/* After a rescan that was cut short: finds functions again that are off the bus.  `bridge` is what they
 * hang below. */
int reset_recover(struct host *h, struct bdf bridge, const struct bdf *fns, size_t n, uint64_t *ns,
		  struct err *e) _must_check_;

/* Can the function be reset by its own attribute?  `bus` in the list works only for a function that
 * is alone on its bus (pci_parent_bus_reset), whatever the list says; `alone` is the caller's
 * knowledge of that. */
bool reset_own_works(const struct pdev *d, bool alone);

/* The first method of the function's list, as a word for people ("flr"). */
const char *reset_first_method(const struct pdev *d, char *buf, size_t size);

/* A name of a method; `why`, if not NULL, gets what it does, in words. */
bool reset_is_method(const char *name, const char **why);
/* It is there only for somebody who asks for it, and reset_is_method() does not know it. */
bool reset_is_by_hand(const char *name);
/* It reaches more than the function it is sent to: the bus has to be ours. */
bool reset_is_wide(const char *name);
/* It goes through the function's own attribute, and is there only where the function lists it. */
bool reset_is_own(const char *name);
/* All names, for help: "device_specific acpi ... rescan". */
const char *reset_methods(void);

#endif
