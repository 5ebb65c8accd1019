// SPDX-License-Identifier: GPL-2.0-or-later
/* PCI addresses: see bdf.h. */
#include "bdf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Reads min..max hex digits; -1 when there are fewer, or more follow. */
static int hex_field(const char **p, int min, int max, bool upper, uint32_t *ret)
{
	uint32_t v = 0;
	int n = 0;

	for (; isxdigit((unsigned char)**p) && (upper || !isupper((unsigned char)**p)); (*p)++) {
		int c = tolower((unsigned char)**p);

		if (++n > max)
			return -1;
		v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*ret = v;
	return n < min ? -1 : 0;
}

static int parse_tail(const char *p, bool upper, bool need_fn, struct bdf *a, bool *whole)
{
	uint32_t bus, dev, fn = 0;

	*whole = false;
	if (hex_field(&p, 2, 2, upper, &bus) < 0 || *p++ != ':')
		return -EINVAL;
	if (hex_field(&p, 2, 2, upper, &dev) < 0 || dev > 31)
		return -EINVAL;
	if (*p == '\0' && !need_fn)
		*whole = true;
	else if (*p++ != '.' || hex_field(&p, 1, 1, upper, &fn) < 0 || fn > 7 || *p)
		return -EINVAL;
	a->bus = (uint8_t)bus;
	a->dev = (uint8_t)dev;
	a->fn = (uint16_t)fn;
	return 0;
}

static int parse(const char *text, bool user, struct bdf *ret, bool *whole)
{
	const char *first = strchr(text, ':'), *p = text;
	struct bdf a = { 0, 0, 0, 0 };

	if (!first)
		return -EINVAL;
	if (strchr(first + 1, ':')) {
		if (hex_field(&p, user ? 1 : 4, 8, user, &a.domain) < 0 || *p++ != ':')
			return -EINVAL;
	} else if (!user) {
		return -EINVAL;
	}
	if (parse_tail(p, user, !user, &a, whole) < 0)
		return -EINVAL;
	*ret = a;
	return 0;
}

int bdf_parse(const char *text, struct bdf *ret)
{
	bool whole;

	return parse(text, false, ret, &whole);
}

int bdf_parse_user(const char *text, struct bdf *ret, bool *ret_whole)
{
	bool whole;
	int r = parse(text, true, ret, &whole);

	if (r == 0)
		*ret_whole = whole;
	return r;
}

struct bdf_text bdf_format(struct bdf a)
{
	struct bdf_text t;

	snprintf(t.s, sizeof(t.s), "%04x:%02x:%02x.%x", a.domain, a.bus, a.dev & 31, a.fn & 7);
	return t;
}

struct bdf_text bdf_short(struct bdf a)
{
	struct bdf_text t = bdf_format(a);

	if (a.domain == 0)
		memmove(t.s, t.s + 5, strlen(t.s + 5) + 1);
	return t;
}

static uint64_t number(struct bdf a)
{
	return (uint64_t)a.domain << 16 | (uint64_t)a.bus << 8 | (uint64_t)(a.dev << 3) | a.fn;
}

int bdf_compare(struct bdf a, struct bdf b)
{
	return (number(a) > number(b)) - (number(a) < number(b));
}

bool bdf_same(struct bdf a, struct bdf b)
{
	return number(a) == number(b);
}

bool bdf_same_slot(struct bdf a, struct bdf b)
{
	return number(a) >> 3 == number(b) >> 3;
}

bool bdf_same_bus(struct bdf a, struct bdf b)
{
	return number(a) >> 8 == number(b) >> 8;
}

int bdf_compare_qsort(const void *a, const void *b)
{
	return bdf_compare(*(const struct bdf *)a, *(const struct bdf *)b);
}
