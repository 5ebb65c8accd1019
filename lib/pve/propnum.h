/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * propnum - numbers and booleans as text, by the rules of Proxmox's schemas, without conversion.
 *
 * Proxmox keeps a number as it was written ("+04", "3.9e1") and compares its value with bounds
 * (pve-common: JSONSchema.pm: is_number, is_integer, check_prop).  So do these, at any length.
 */
#ifndef PROPNUM_H
#define PROPNUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 1 for 1, on, yes, true; 0 for 0, off, no, false, in any case; -1 for anything else. */
int propnum_bool(const char *s, size_t len);

bool propnum_is_digits(const char *s, size_t len);	/* one or more, nothing else */
bool propnum_is_int(const char *s, size_t len);		/* a sign is allowed */
bool propnum_is_number(const char *s, size_t len);	/* sign, fraction and exponent are allowed */

/* <0, 0, >0: a number that propnum_is_number() accepts against `bound`. */
int propnum_compare(const char *s, size_t len, uint32_t bound);

#endif
