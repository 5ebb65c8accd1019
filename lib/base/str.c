// SPDX-License-Identifier: GPL-2.0-or-later
/* Growable string and strict parsing: see str.h. */
#include "str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char str_empty[1] = "";

static int str_grow(struct str *s, size_t more)
{
	size_t size = s->size ? s->size : 64;
	char *p;

	if (s->failed)
		return -ENOMEM;
	if (s->len + more + 1 <= s->size)
		return 0;
	while (size < s->len + more + 1)
		size *= 2;
	p = realloc(s->size ? s->s : NULL, size);
	if (!p) {
		s->failed = true;
		return -ENOMEM;
	}
	s->s = p;
	s->size = size;
	return 0;
}

int str_addn(struct str *s, const void *bytes, size_t n)
{
	int r = str_grow(s, n);

	if (r < 0)
		return r;
	if (n)
		memcpy(s->s + s->len, bytes, n);
	s->len += n;
	s->s[s->len] = '\0';
	return 0;
}

int str_add(struct str *s, const char *text)
{
	return str_addn(s, text, strlen(text));
}

static int str_addv(struct str *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static int str_addv(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	int n, r;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	r = n < 0 ? -EINVAL : str_grow(s, (size_t)n);
	if (r == 0) {
		vsnprintf(s->s + s->len, (size_t)n + 1, fmt, again);
		s->len += (size_t)n;
	}
	va_end(again);
	return r;
}

int str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = str_addv(s, fmt, ap);
	va_end(ap);
	return r;
}

void str_clear(struct str *s)
{
	s->len = 0;
	if (s->size)
		s->s[0] = '\0';
}

void str_release(struct str *s)
{
	if (s->size)
		free(s->s);
	*s = (struct str)STR_INIT;
}

char *str_steal(struct str *s)
{
	char *p;

	if (s->failed || str_grow(s, 0) < 0)
		return NULL;
	p = s->s;
	p[s->len] = '\0';
	*s = (struct str)STR_INIT;
	return p;
}

int str_to_u64(const char *text, unsigned base, uint64_t *ret)
{
	char *end;
	unsigned long long v;

	if (base == 16 ? !isxdigit((unsigned char)*text) : !isdigit((unsigned char)*text))
		return -EINVAL;
	if (base == 16 && text[0] == '0' && (text[1] | 32) == 'x')
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, (int)base);
	if (*end)
		return -EINVAL;
	if (errno)
		return -ERANGE;
	*ret = v;
	return 0;
}

int str_to_vmid(const char *text, unsigned *ret)
{
	uint64_t v;

	if (str_to_u64(text, 10, &v) < 0 || *text == '0' || v < 100 || v > 999999999)
		return -EINVAL;
	*ret = (unsigned)v;
	return 0;
}

int str_copy(char *dst, size_t size, const char *src)
{
	size_t n = strlen(src);

	if (n >= size) {
		if (size)
			dst[0] = '\0';
		return -ENAMETOOLONG;
	}
	memcpy(dst, src, n + 1);
	return 0;
}

char *str_strip(char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	n = strlen(s);
	while (n && isspace((unsigned char)s[n - 1]))
		s[--n] = '\0';
	return s;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Length of the valid UTF-8 sequence at p (no overlong forms, no surrogates), 0 if there is none. */
static size_t utf8_sequence(const unsigned char *p)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 :
		   (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (n == 3 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0)))
		return 0;
	if (n == 4 && ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90)))
		return 0;
	/* C1 controls steer terminals just as C0 ones do. */
	if (n == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return 0;
	return n;
}

int str_add_safe(struct str *s, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; ) {
		size_t n = utf8_sequence(p);
		int r;

		if (*p == '\\')
			r = str_add(s, "\\\\");
		else if (n == 0 || *p < 0x20 || *p == 0x7f)
			r = str_addf(s, "\\x%02x", *p);
		else
			r = str_addn(s, p, n);
		if (r < 0)
			return r;
		p += n ? n : 1;
	}
	return 0;
}

char *str_token(char **cursor, const char *separators)
{
	char *p = *cursor + strspn(*cursor, separators);
	size_t n = strcspn(p, separators);

	if (n == 0)
		return NULL;
	*cursor = p + n + (p[n] != '\0');
	p[n] = '\0';
	return p;
}

int str_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}
