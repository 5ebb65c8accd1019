/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bdf - a PCI address as a value: domain:bus:device.function.
 *
 * Passed by value; past the parser no address is a string.  Domains may be wider than four hex
 * digits (Intel VMD counts from 10000).
 */
#ifndef BDF_H
#define BDF_H

#include <stdbool.h>
#include <stdint.h>

#include "macro.h"

struct bdf {
	uint32_t domain;
	uint8_t bus, dev;	/* dev 0..31 */
	uint16_t fn;		/* 0..7; its width leaves no gap: addresses are sent as bytes */
};

/* A buffer for bdf_format(): eight digits of domain at the most. */
struct bdf_text { char s[20]; };

/* Full sysfs form only: at least four digits of domain, "0000:01:00.0".  -EINVAL otherwise. */
int bdf_parse(const char *text, struct bdf *ret) _must_check_;

/* What a person types: the domain may be missing, upper case is accepted, the function may be
 * missing (then *ret_whole is true and fn is 0).  -EINVAL otherwise. */
int bdf_parse_user(const char *text, struct bdf *ret, bool *ret_whole) _must_check_;

struct bdf_text bdf_format(struct bdf a);	/* "0000:01:00.0" */
struct bdf_text bdf_short(struct bdf a);	/* "01:00.0" in domain 0, else the full form */
#define BDF_S(a)	(bdf_format(a).s)
#define BDF_SHORT(a)	(bdf_short(a).s)

int bdf_compare(struct bdf a, struct bdf b);	/* <0, 0, >0 by domain, bus, device, function */
bool bdf_same(struct bdf a, struct bdf b);
bool bdf_same_slot(struct bdf a, struct bdf b);	/* all but the function */
bool bdf_same_bus(struct bdf a, struct bdf b);	/* domain and bus */
int bdf_compare_qsort(const void *a, const void *b);	/* over struct bdf elements */

#endif
