/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff - two texts as a unified diff, which patch(1) takes.
 */
#ifndef DIFF_H
#define DIFF_H

#include <stddef.h>

#include "str.h"

/* Appends "--- a/NAME", "+++ b/NAME" and the hunks with three lines around; nothing when the texts are
 * the same.  -ENOMEM. */
int diff_unified(const char *name, const char *before, size_t before_len, const char *after, size_t after_len,
		 struct str *ret) _must_check_;

#endif
