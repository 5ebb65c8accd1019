/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decodes the text of comments and descriptions. */
#include "vmconf_text.h"

#include "schema_scan.h"

static unsigned hex_value(char c)
{
	return scan_is_digit(c) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
}

size_t vmconf_text_unescape(char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '%' && len - i > 2 && scan_is_hex(s[i + 1]) && scan_is_hex(s[i + 2])) {
			s[n++] = (char)(hex_value(s[i + 1]) << 4 | hex_value(s[i + 2]));
			i += 2;
		} else {
			s[n++] = s[i];
		}
	}
	return n;
}

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The length of the sequence that a start byte announces; Perl knows up to 13 bytes. */
static size_t announced(unsigned char c)
{
	if (c < 0xc0)
		return 1;
	if (c < 0xe0)
		return 2;
	if (c < 0xf0)
		return 3;
	if (c < 0xf8)
		return 4;
	if (c < 0xfc)
		return 5;
	if (c < 0xfe)
		return 6;
	return c == 0xfe ? 7 : 13;
}

/* A longer form than the code point needs. */
static bool is_overlong(const unsigned char *s, size_t n)
{
	static const unsigned char least[] = { 0, 0, 0, 0xa0, 0x90, 0x88, 0x84, 0x82 };

	if (n == 2)
		return s[0] < 0xc2;
	if (n < sizeof(least))
		return (s[0] & (0x7f >> n)) == 0 && s[1] < least[n];
	/* Of 13 bytes Perl takes what fits into 63 bits and not into the 36 of seven bytes. */
	return s[1] != 0x80 || s[2] > 0x87 || memcmp(s + 2, "\x80\x80\x80\x80\x80", 5) == 0;
}

/* `want` - 1 continuation bytes behind a lead byte make a character of Unicode's that may be used:
 * neither overlong nor beyond 10ffff nor a noncharacter.  (No lead below can make a surrogate.) */
static bool is_strict(unsigned char lead, const unsigned char *rest, size_t want)
{
	uint32_t c = lead & (0x7fU >> want);

	for (size_t i = 0; i + 1 < want; i++) {
		if (!is_continuation(rest[i]))
			return false;
		c = c << 6 | (rest[i] & 0x3f);
	}
	if ((lead == 0xe0 && c < 0x800) || (lead == 0xf0 && c < 0x10000) || c > 0x10ffff)
		return false;
	return (c & 0xfffe) != 0xfffe && (c < 0xfdd0 || c > 0xfdef);
}

/*
 * What Perl 5.36 takes a byte for that stands behind one which cannot begin a character: its fast
 * path does not look at the first verdict and reads its table one column off from there
 * (inline.h: Perl_utf8n_to_uvchr_msgs).  0: for nothing.
 */
static unsigned char misread(unsigned char c)
{
	if (c < 0xc0 || c == 0xf0)
		return 0;
	if (c < 0xc2 || c == 0xed || c > 0xf4)
		return 0xc2;
	if (c < 0xe0)
		return 0xe1;
	if (c == 0xe0)
		return 0xf0;
	if (c < 0xef)
		return 0xef;
	if (c == 0xef)
		return 0xf4;
	return c == 0xf4 ? 0xf1 : 0xe0;
}

/* How many bytes such a mistake swallows, or 0. */
static size_t swallowed(const unsigned char *s, size_t len)
{
	unsigned char lead;
	size_t want;

	if (len < 3 || (*s >= 0xc2 && *s <= 0xf4 && *s != 0xed))
		return 0;
	lead = misread(s[1]);
	want = announced(lead);
	return lead && len > want && is_strict(lead, s + 2, want) ? 1 + want : 0;
}

/* The bytes that belong together, and whether they make a character. */
static size_t sequence(const unsigned char *s, size_t len, bool *ret_good)
{
	size_t want = announced(*s), n = 1, mistake;

	*ret_good = *s < 0x80;
	while (n < want && n < len && is_continuation(s[n]))
		n++;
	if (want > 1)
		*ret_good = n == want && !is_overlong(s, n);
	mistake = *ret_good ? 0 : swallowed(s, len);
	return mistake ? mistake : n;
}

int vmconf_text_decode(const char *s, size_t len, struct str *out)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = 0; i < len; ) {
		size_t start = i, n = 1;
		bool good = true;

		/* What is fine goes over in one piece. */
		while (i < len && (n = sequence(p + i, len - i, &good), good))
			i += n;
		(void)str_addn(out, s + start, i - start);
		if (i == len)
			break;
		(void)str_add(out, "\xef\xbf\xbd");
		i += n;
	}
	return out->failed ? -1 : 0;
}

/* White space of Unicode beyond ASCII, as UTF-8. */
static const char *const wide_spaces[] = {
	"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
	"\xe2\x81\x9f", "\xe3\x80\x80", "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83",
	"\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89",
	"\xe2\x80\x8a",
};

static size_t space_before(const char *s, size_t len)
{
	if (len && scan_is_space(s[len - 1]))
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(wide_spaces); i++) {
		size_t n = strlen(wide_spaces[i]);

		if (len >= n && memcmp(s + len - n, wide_spaces[i], n) == 0)
			return n;
	}
	return 0;
}

size_t vmconf_text_trim(const char *s, size_t len)
{
	size_t n;

	while ((n = space_before(s, len)) > 0)
		len -= n;
	return len;
}
