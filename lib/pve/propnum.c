/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and booleans as text: recognised and compared without being converted. */
#include "propnum.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int propnum_bool(const char *s, size_t len)
{
	static const struct { const char *word; int value; } words[] = {
		{ "1", 1 }, { "on", 1 }, { "yes", 1 }, { "true", 1 },
		{ "0", 0 }, { "off", 0 }, { "no", 0 }, { "false", 0 },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == len && strncasecmp(s, words[i].word, len) == 0)
			return words[i].value;
	return -1;
}

bool propnum_is_digits(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(s[i]))
			return false;
	return len > 0;
}

bool propnum_is_int(const char *s, size_t len)
{
	if (len && (*s == '+' || *s == '-')) {
		s++;
		len--;
	}
	return propnum_is_digits(s, len);
}

/* A number taken apart: digits before and after the point, and the power of ten. */
struct parts {
	const char *whole, *fraction;
	size_t n_whole, n_fraction;
	int64_t exponent;
	bool negative, valid;
};

static size_t skip_digits(const char *s, const char *end)
{
	size_t n = 0;

	while (s + n < end && is_digit(s[n]))
		n++;
	return n;
}

/* Far beyond any bound the exact exponent does not matter. */
static bool read_exponent(const char *s, const char *end, int64_t *ret)
{
	bool negative = s < end && *s == '-';
	int64_t value = 0;

	if (s < end && (*s == '+' || *s == '-'))
		s++;
	if (!propnum_is_digits(s, (size_t)(end - s)))
		return false;
	for (; s < end && value < INT32_MAX; s++)
		value = value * 10 + (*s - '0');
	*ret = negative ? -value : value;
	return true;
}

static struct parts take_apart(const char *s, size_t len)
{
	const char *end = s + len;
	struct parts p = { 0 };

	if (s < end && (*s == '+' || *s == '-'))
		p.negative = *s++ == '-';
	p.whole = s;
	p.n_whole = skip_digits(s, end);
	s += p.n_whole;
	if (s < end && *s == '.') {
		p.fraction = ++s;
		p.n_fraction = skip_digits(s, end);
		s += p.n_fraction;
	}
	p.valid = p.n_whole + p.n_fraction > 0;
	if (s < end && (*s == 'e' || *s == 'E'))
		p.valid = p.valid && read_exponent(s + 1, end, &p.exponent);
	else
		p.valid = p.valid && s == end;
	return p;
}

bool propnum_is_number(const char *s, size_t len)
{
	return take_apart(s, len).valid;
}

static char digit_at(const struct parts *p, size_t i)
{
	return i < p->n_whole ? p->whole[i] : p->fraction[i - p->n_whole];
}

int propnum_compare(const char *s, size_t len, uint32_t bound)
{
	struct parts p = take_apart(s, len);
	size_t n = p.n_whole + p.n_fraction, first = 0, skip = 0;
	int64_t point;		/* digits before it, from the first on that is not 0 */
	uint64_t value = 0;
	bool more = false;

	while (first < n && digit_at(&p, first) == '0')
		first++;
	if (first == n)
		return bound ? -1 : 0;
	if (p.negative)
		return -1;
	point = (int64_t)p.n_whole - (int64_t)first + p.exponent;
	if (point > 12)
		return 1;
	for (size_t i = first; (int64_t)(i - first) < point; i++)
		value = value * 10 + (i < n ? (uint64_t)(digit_at(&p, i) - '0') : 0);
	/* Perl compares doubles: beyond their digits there is nothing. */
	if (point > 0)
		skip = (size_t)point;
	for (size_t i = first + skip; i < n && i - first < 17 && !more; i++)
		more = digit_at(&p, i) != '0';
	if (value != bound)
		return value < bound ? -1 : 1;
	return more ? 1 : 0;
}
