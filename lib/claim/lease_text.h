/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lease_text - the lease's lines: writing them, and reading them back without trusting them.
 */
#ifndef LEASE_TEXT_H
#define LEASE_TEXT_H

#include "lease.h"
#include "str.h"

/* Appends one line: the formatted words, a checksum, a newline. */
int lease_line(struct str *s, const char *fmt, ...) _printf_(2, 3);

/* Appends " key=value" with everything but plain characters as %XX. */
int lease_word(struct str *s, const char *key, const char *value);

/* The whole beginning of a lease. */
int lease_format(const struct plan *plan, const char *boot, struct lease_process task, bool task_locked,
		 struct str *ret);

/* Text of a lease file into *l, whose lists are empty.  -EBADMSG and the line that is wrong. */
int lease_parse(struct lease *l, char *text, struct err *e) _must_check_;

#endif
