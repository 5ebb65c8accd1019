// SPDX-License-Identifier: GPL-2.0-or-later
/* Fixed buffers that are shown to people: see inuse_text.h. */
#include "inuse_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "str.h"

/* Puts the mark of a cut at the end of a full buffer, not in the middle of a character. */
static void mark_cut(char *buf, size_t size)
{
	size_t n = size > 4 ? size - 4 : 0;

	while (n && ((unsigned char)buf[n] & 0xc0) == 0x80)
		n--;
	memcpy(buf + n, size > 4 ? "..." : "", size > 4 ? 4 : 1);
}

static void put(char *buf, size_t size, const char *text)
{
	size_t n = strlen(text);

	if (n < size) {
		memcpy(buf, text, n + 1);
		return;
	}
	memcpy(buf, text, size - 1);
	mark_cut(buf, size);
}

void inuse_text_safe(char *buf, size_t size, const char *raw)
{
	struct str s = STR_INIT;

	if (str_add_safe(&s, raw) < 0)
		put(buf, size, "?");	/* no memory for a name is no reason to lose the finding */
	else
		put(buf, size, s.s);
	str_release(&s);
}

void inuse_text_add(char *buf, size_t size, const char *fmt, ...)
{
	size_t n = strlen(buf);
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vsnprintf(buf + n, size - n, fmt, ap);
	va_end(ap);
	if (r >= 0 && (size_t)r >= size - n)
		mark_cut(buf, size);
}

static int octal(const char *p)
{
	for (int i = 0; i < 3; i++)
		if (p[i] < '0' || p[i] > (i ? '7' : '3'))
			return -1;
	return (p[0] - '0') * 64 + (p[1] - '0') * 8 + (p[2] - '0');
}

void inuse_text_unescape(char *s)
{
	char *to = s;

	while (*s) {
		int c = *s == '\\' ? octal(s + 1) : -1;

		*to++ = c > 0 ? (char)c : *s;
		s += c > 0 ? 4 : 1;
	}
	*to = '\0';
}
