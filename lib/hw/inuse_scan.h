/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_scan - a scan under way, shared by the parts of inuse_scan(); not for others.
 */
#ifndef INUSE_SCAN_H
#define INUSE_SCAN_H

#include "inuse.h"
#include "inuse_walk.h"

struct inuse_scan {
	struct host *h;
	const struct bdf *fns;
	size_t n;
	const struct inuse_needs *needs;	/* may be NULL */
	struct inuse_parts parts;
	struct inuse *ret;
	size_t size;		/* room in ret->v */
};

/* A new finding about function `fn` with its object (raw text, made safe) and no text yet: the
 * caller adds that with inuse_text_add(), safe pieces only.  NULL = no memory.  The pointer is
 * valid until the next call. */
struct inuse_finding *inuse_scan_add(struct inuse_scan *s, size_t fn, enum inuse_kind kind,
				     enum inuse_weight weight, const char *object);

/* A finding of that kind and object (safe text) about that function, or NULL. */
struct inuse_finding *inuse_scan_get(struct inuse_scan *s, size_t fn, enum inuse_kind kind, const char *object);

#define INUSE_ADD(f, ...)	inuse_text_add((f)->text, sizeof((f)->text), __VA_ARGS__)

/* Who has nodes of the parts open. */
int inuse_users(struct inuse_scan *s, struct err *e) _must_check_;
/* Mounted, swap, pools, volumes on the disks among the parts. */
int inuse_storage(struct inuse_scan *s, struct err *e) _must_check_;
/* Addresses, routes, bridges on the interfaces among the parts. */
int inuse_network(struct inuse_scan *s, struct err *e) _must_check_;
/* What is plugged into the USB controllers. */
int inuse_usb(struct inuse_scan *s, struct err *e) _must_check_;
/* Screens and the console on them. */
int inuse_display(struct inuse_scan *s, struct err *e) _must_check_;

/* If function `of` went, would that one go with it? */
bool inuse_scan_goes(const struct inuse_scan *s, struct bdf of, struct bdf that);

/* The need of that kind and name, or NULL. */
const struct inuse_need *inuse_scan_need(const struct inuse_scan *s, enum inuse_need_kind kind, const char *name);

#endif
