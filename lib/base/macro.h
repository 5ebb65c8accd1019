/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes and small macros that every layer may use. */
#ifndef MACRO_H
#define MACRO_H

#define _must_check_	__attribute__((warn_unused_result))
#define _printf_(a, b)	__attribute__((format(printf, a, b)))
#define _unused_	__attribute__((unused))
/* Runs f(&variable) when the variable leaves its scope.  For memory and descriptors only: the
 * state of a device is never undone by a scope ending. */
#define _cleanup_(f)	__attribute__((cleanup(f)))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif
