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

/* A longer form than the code point needs (and, of 13 bytes, more than 63 bits). */
static bool is_overlong(const unsigned char *s, size_t n)
{
	static const unsigned char least[] = { 0, 0, 0, 0xa0, 0x90, 0x88, 0x84, 0x82 };

	if (n == 2)
		return s[0] < 0xc2;
	if (n < sizeof(least))
		return (s[0] == 0xe0 || s[0] == 0xf0 || s[0] == 0xf8 || s[0] == 0xfc || s[0] == 0xfe) &&
		       s[1] < least[n];
	for (size_t i = 1; i < 7; i++)
		if (s[i] != 0x80)
			return s[i] > 0x80 && (i > 2 ? false : true);
	return true;
}

/* The bytes that belong together, and whether they make a character. */
static size_t sequence(const unsigned char *s, size_t len, bool *ret_good)
{
	size_t want = announced(*s), n = 1;

	*ret_good = *s < 0x80;
	if (want == 1)
		return 1;
	while (n < want && n < len && is_continuation(s[n]))
		n++;
	if (n < want)
		return n;
	*ret_good = !is_overlong(s, n);
	return *ret_good ? n : 1;
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
