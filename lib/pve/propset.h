/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * propset - changes one property of a property string; the rest stays as it is written.
 */
#ifndef PROPSET_H
#define PROPSET_H

#include "propstr.h"
#include "str.h"

/* Appends `value` with property `name` set to `to` (added at the end when it was not given), or without it
 * (`to` NULL).  The value is one that the format accepts.  -ENOMEM. */
int propset(const struct propfmt *fmt, const char *value, const char *name, const char *to,
	    struct str *ret) _must_check_;

#endif
