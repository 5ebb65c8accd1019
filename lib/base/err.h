/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * err - the one error idiom: a negative errno as return value plus a caller-owned sentence.
 *
 * A function that can fail returns int: 0 (or a count) for success, a negative errno for failure,
 * and takes `struct err *e` as its last parameter, never NULL.  On success `e` is untouched.  On
 * failure `e->msg` is a complete sentence for a person: what was tried, on which object, why it
 * failed and, where there is something to do about it, what to type.  The value lives on the
 * stack of main() or of a test; it owns nothing and needs no release.
 *
 *   leaf:    return err_set(e, EBUSY, "%s is bound to %s", a, b);      -> -EBUSY
 *   middle:  return err_wrap(e, "VM %u", vmid);                        -> the same code
 *   top:     print e.msg once
 */
#ifndef ERR_H
#define ERR_H

#include "macro.h"

struct err {
	int code;		/* positive errno, 0 = nothing happened */
	char msg[1536];
};

#define ERR_INIT { 0, "" }

/* Sets code and sentence; returns -code.  code must be > 0 (0 becomes EINVAL, so that an error
 * can never turn into success). */
int err_set(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);

/* Puts "TEXT: " before the sentence; returns the code already there. */
int err_wrap(struct err *e, const char *fmt, ...) _printf_(2, 3);

/* Appends " TEXT" to the sentence, for the advice that only the caller knows; a TEXT that begins a sentence
 * of its own ends the one before.  Returns the code. */
int err_hint(struct err *e, const char *fmt, ...) _printf_(2, 3);

/* Out of memory, in one line: returns -ENOMEM. */
int err_nomem(struct err *e);

/* The C library's text for a (positive or negative) errno; thread-safe, never NULL. */
const char *err_text(int code);

#endif
