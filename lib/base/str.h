/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * str - a growable string, and the only strict number and token parsing of the project.
 *
 * `struct str` owns its buffer; `s.s` is always a valid NUL-terminated string ("" when empty), the
 * length counts bytes (NUL bytes may be inside).  Growing can fail: the functions return 0 or
 * -ENOMEM and set `failed`, so that a run of appends may be checked once at its end.
 */
#ifndef STR_H
#define STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "macro.h"

struct str {
	char *s;
	size_t len, size;
	bool failed;
};

extern char str_empty[1];
#define STR_INIT { str_empty, 0, 0, false }

int str_add(struct str *s, const char *text);
int str_addn(struct str *s, const void *bytes, size_t n);
int str_addf(struct str *s, const char *fmt, ...) _printf_(2, 3);
void str_clear(struct str *s);			/* length 0, buffer kept */
void str_release(struct str *s);		/* frees; the value is empty and usable again */
char *str_steal(struct str *s);			/* the buffer becomes the caller's (free()); NULL = no memory */

/* Strict numbers: the whole text, no sign, no white space, no overflow; base 10 or 16 (without
 * "0x").  0 and *ret set, or -EINVAL / -ERANGE. */
int str_to_u64(const char *text, unsigned base, uint64_t *ret) _must_check_;

/* A Proxmox VM id: decimal, 100..999999999, no leading zero (pve-common JSONSchema.pm pve-vmid). */
int str_to_vmid(const char *text, unsigned *ret) _must_check_;

/* Copies src into dst of `size` bytes; -ENAMETOOLONG leaves dst "" instead of a cut copy. */
int str_copy(char *dst, size_t size, const char *src);

/* Removes white space at both ends in place and returns the new start. */
char *str_strip(char *s);

bool str_starts(const char *s, const char *prefix);

/* Appends `text` made safe for one line of a terminal or log: control characters, DEL and bytes
 * that are not valid UTF-8 become \xNN, a backslash becomes \\.  Names from hardware, processes and
 * configs go through this before they are printed. */
int str_add_safe(struct str *s, const char *text);

/* The next token of *cursor separated by any byte of `separators` (runs count as one); the token is
 * NUL-terminated in place.  NULL at the end. */
char *str_token(char **cursor, const char *separators);

/* Order for qsort over char * elements. */
int str_compare(const void *a, const void *b);

#endif
