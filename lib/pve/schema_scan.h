/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schema_scan - a cursor over bytes for hand-written matchers.
 *
 * Each function moves the cursor over what it names and says whether (or how much of) it was
 * there.  The patterns matched this way never need to go back.
 */
#ifndef SCHEMA_SCAN_H
#define SCHEMA_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct scan {
	const char *p, *end;
};

static inline struct scan scan_of(const char *s, size_t len)
{
	return (struct scan){ s, s + len };
}

static inline bool scan_done(const struct scan *c)
{
	return c->p == c->end;
}

static inline bool scan_char(struct scan *c, char want)
{
	if (c->p == c->end || *c->p != want)
		return false;
	c->p++;
	return true;
}

static inline bool scan_text(struct scan *c, const char *want)
{
	size_t n = strlen(want);

	if ((size_t)(c->end - c->p) < n || memcmp(c->p, want, n) != 0)
		return false;
	c->p += n;
	return true;
}

static inline size_t scan_while(struct scan *c, bool (*is)(char c))
{
	const char *start = c->p;

	while (c->p < c->end && is(*c->p))
		c->p++;
	return (size_t)(c->p - start);
}

static inline bool scan_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool scan_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool scan_is_alnum(char c)
{
	return scan_is_digit(c) || scan_is_alpha(c);
}

static inline bool scan_is_hex(char c)
{
	return scan_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline bool scan_is_lower_hex(char c)
{
	return scan_is_digit(c) || (c >= 'a' && c <= 'f');
}

/* Perl's \s over bytes. */
static inline bool scan_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif
