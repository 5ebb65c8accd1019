// SPDX-License-Identifier: GPL-2.0-or-later
/* The host's routes by interface: see inuse_routes.h. */
#include "inuse_routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

/* A router may have a million routes; the default routes come first in both files. */
enum { LIMIT = 1 << 20 };
enum { UP = 0x0001, REJECT = 0x0200 };	/* RTF_ of linux/route.h */

static int add(struct inuse_routes *r, const char *name, const struct inuse_route *route)
{
	if (r->n == r->size) {
		size_t size = r->size ? r->size * 2 : 16;
		struct inuse_route *v = realloc(r->v, size * sizeof(*v));

		if (!v)
			return -ENOMEM;
		r->v = v;
		r->size = size;
	}
	r->v[r->n] = *route;
	if (str_copy(r->v[r->n].name, sizeof(r->v[r->n].name), name) == 0)
		r->n++;
	return 0;
}

/* "Iface Destination Gateway Flags RefCnt Use Metric Mask ...": hexadecimal, in the machine's own
 * order of bytes. */
static int add_ipv4(struct inuse_routes *r, char *line)
{
	char *fields[8];
	uint64_t address, flags, mask;
	struct inuse_route route = { .is_default = false };
	const unsigned char *b = route.address;
	uint32_t in;

	for (int i = 0; i < 8; i++) {
		fields[i] = str_token(&line, " \t");
		if (!fields[i])
			return 0;
	}
	if (str_to_u64(fields[1], 16, &address) < 0 || str_to_u64(fields[3], 16, &flags) < 0 ||
	    str_to_u64(fields[7], 16, &mask) < 0 || !(flags & UP) || (flags & REJECT))
		return 0;
	in = (uint32_t)address;
	memcpy(route.address, &in, sizeof(in));
	route.bits = (unsigned)__builtin_popcount((uint32_t)mask);
	route.is_default = address == 0 && mask == 0;
	if (b[0] == 169 && b[1] == 254)
		return 0;
	snprintf(route.net, sizeof(route.net), "%u.%u.%u.%u/%u", b[0], b[1], b[2], b[3], route.bits);
	return add(r, fields[0], &route);
}

static void read_hex(const char *text, unsigned char *ret, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char digits[3] = { text[2 * i], text[2 * i] ? text[2 * i + 1] : '\0', '\0' };
		uint64_t v;

		if (str_to_u64(digits, 16, &v) < 0)
			return;
		ret[i] = (unsigned char)v;
	}
}

/* "destination prefixlen source prefixlen gateway metric refcnt use flags interface" */
static int add_ipv6(struct inuse_routes *r, char *line)
{
	struct inuse_route route = { .v6 = true };
	char *fields[10];
	uint64_t flags, len;

	for (int i = 0; i < 10; i++) {
		fields[i] = str_token(&line, " \t");
		if (!fields[i])
			return 0;
	}
	if (str_to_u64(fields[8], 16, &flags) < 0 || !(flags & UP) || (flags & REJECT) ||
	    str_to_u64(fields[1], 16, &len) < 0 || strcmp(fields[9], "lo") == 0 ||
	    str_starts(fields[0], "fe8") || str_starts(fields[0], "ff"))
		return 0;
	route.is_default = len == 0;
	route.bits = (unsigned)len;
	read_hex(fields[0], route.address, sizeof(route.address));
	return add(r, fields[9], &route);
}

static int load(struct inuse_routes *r, struct host *h, const char *path,
		int (*parse)(struct inuse_routes *r, char *line))
{
	char *text = malloc(LIMIT + 1), *p = text, *line;
	ssize_t n;
	int x = 0;

	if (!text)
		return -ENOMEM;
	n = host_read(h, path, text, LIMIT);
	text[n > 0 ? n : 0] = '\0';
	while (x == 0 && (line = str_token(&p, "\n")))
		x = parse(r, line);
	free(text);
	return x;
}

int inuse_routes_load(struct inuse_routes *r, struct host *h)
{
	int x;

	*r = (struct inuse_routes){ NULL, 0, 0 };
	x = load(r, h, "/proc/net/route", add_ipv4);
	if (x == 0)
		x = load(r, h, "/proc/net/ipv6_route", add_ipv6);
	return x;
}

void inuse_routes_release(struct inuse_routes *r)
{
	free(r->v);
	*r = (struct inuse_routes){ NULL, 0, 0 };
}

bool inuse_routes_default(const struct inuse_routes *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].is_default && strcmp(r->v[i].name, name) == 0)
			return true;
	return false;
}

static bool covers(const struct inuse_route *v, const unsigned char *address)
{
	unsigned whole = v->bits / 8, rest = v->bits % 8;
	unsigned char mask = (unsigned char)(0xff << (8 - rest));

	return memcmp(v->address, address, whole) == 0 &&
	       (!rest || (v->address[whole] & mask) == (address[whole] & mask));
}

const char *inuse_routes_via(const struct inuse_routes *r, const char *address)
{
	const struct inuse_route *best = NULL;
	unsigned char bytes[16] = { 0 };
	bool v6 = strchr(address, ':');
	char text[64];

	if (str_copy(text, sizeof(text), address) < 0)
		return NULL;
	text[strcspn(text, "/")] = '\0';
	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes) != 1)
		return NULL;
	for (size_t i = 0; i < r->n; i++) {
		const struct inuse_route *v = &r->v[i];

		if (v->v6 == v6 && v->bits <= (v6 ? 128 : 32) && covers(v, bytes) && (!best || v->bits > best->bits))
			best = v;
	}
	return best ? best->name : NULL;
}

const struct inuse_route *inuse_routes_other(const struct inuse_routes *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->v[i].is_default && strcmp(r->v[i].name, name) == 0)
			return &r->v[i];
	return NULL;
}
