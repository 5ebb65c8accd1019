/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scrub - taking out of a text what should not be shown around: MAC addresses, UUIDs, serial numbers,
 * keys and passwords.
 *
 * Each is replaced by something of the same kind that says nothing, so that the text still reads.
 */
#ifndef SCRUB_H
#define SCRUB_H

#include "str.h"

/* Appends the text, scrubbed, line by line.  -ENOMEM. */
int scrub_add(struct str *s, const char *text) _must_check_;

/* Scrubs a string of malloc() in place of itself; NULL stays NULL. */
int scrub_string(char **text) _must_check_;

#endif
