/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quirks - what is known of certain hardware and its resets, as data.
 *
 * A quirk says which devices it is about, and what to do otherwise for them; each names where that is known
 * from, and since when, so that it can be judged.  Lore that is contradictory, or that cannot be acted on,
 * is a hint and nothing else.  The files are read by lib/guest/quirkfile.c.
 */
#ifndef QUIRKS_H
#define QUIRKS_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "pdev.h"

#define QUIRK_IDS 24

struct quirk {
	char name[40];
	struct { uint16_t vendor, device, mask; } ids[QUIRK_IDS];	/* device & mask; none = any */
	size_t n;
	uint32_t class, class_mask;	/* of the 24 bits; mask 0 = any */
	char driver[PDEV_NAME];		/* the host driver; "" = any */
	char module[PDEV_NAME];		/* counts only while this module is loaded; "" = always */
	char order[PDEV_METHODS];	/* chain of resets instead of the usual one (reset.h) */
	char never[PDEV_METHODS];	/* methods that must not be used */
	char services[200];		/* systemd units that have such a device open, or open it again and again */
	char hint[200], source[200];
	char date[12];			/* "2026-03-01": when that was looked at last */
};

/* One line "key = value" of a quirk.  -EINVAL and a sentence. */
int quirk_set(struct quirk *q, const char *key, const char *value, struct err *e) _must_check_;

/* After its last line: it says which devices, what about them, source and date. */
int quirk_check(const struct quirk *q, struct err *e) _must_check_;

/* Whether the module is loaded is not looked at. */
bool quirk_fits(const struct quirk *q, const struct pdev *d);
bool quirk_module_is_there(struct host *h, const struct quirk *q);

/* "QUIRK (DATE, SOURCE): what it means" */
struct quirk_text { char s[640]; };
struct quirk_text quirk_describe(const struct quirk *q);

#endif
