/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_routes - which interfaces the host's routes use (main table, this network namespace).
 */
#ifndef INUSE_ROUTES_H
#define INUSE_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

struct inuse_route {
	char name[32];		/* interface */
	bool is_default;
	char net[24];		/* "10.10.10.0/24"; "" for an IPv6 network */
	bool v6;
	unsigned char address[16];	/* 4 or 16 bytes, as in struct in_addr or in6_addr */
	unsigned bits;			/* of it that count */
};

struct inuse_routes {
	struct inuse_route *v;
	size_t n, size;
};

/* /proc/net/route (net/ipv4/fib_trie.c:fib_route_seq_show) and /proc/net/ipv6_route
 * (net/ipv6/route.c:rt6_info_route); without link-local, multicast and reject routes.  -ENOMEM; a
 * protocol that the kernel does not have has no routes. */
int inuse_routes_load(struct inuse_routes *r, struct host *h) _must_check_;
void inuse_routes_release(struct inuse_routes *r);

bool inuse_routes_default(const struct inuse_routes *r, const char *name);
/* The interface by which an address ("10.0.0.5", "fd00::5"), or what a network ("10.0.0.0/24") begins with, is
 * reached: by the longest prefix.  NULL = none, or no such text. */
const char *inuse_routes_via(const struct inuse_routes *r, const char *address);
/* The first route over an interface that is no default route, or NULL. */
const struct inuse_route *inuse_routes_other(const struct inuse_routes *r, const char *name);

#endif
