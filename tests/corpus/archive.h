/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * archive - reads the text files of this folder; README.md describes them.
 *
 * For tests only, which end at the first failure: whatever cannot be read is one.
 */
#ifndef ARCHIVE_H
#define ARCHIVE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

struct archive {
	const char *path;
	char *text, *next;
	unsigned line;
};

static inline void archive_open(struct archive *a, const char *path)
{
	FILE *f = fopen(path, "rb");
	struct str s = STR_INIT;
	char buf[4096];
	size_t n;

	if (!f)
		fail_msg("cannot open %s (run the tests from the top of the source tree)", path);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		assert_int_equal(str_addn(&s, buf, n), 0);
	(void)fclose(f);
	*a = (struct archive){ .path = path, .text = str_steal(&s) };
	assert_non_null(a->text);
	a->next = a->text;
}

static inline void archive_close(struct archive *a)
{
	free(a->text);
}

/* The next line that is no comment, without its line feed; NULL at the end. */
static inline char *archive_next(struct archive *a)
{
	char *line;

	do {
		line = a->next;
		if (!*line)
			return NULL;
		a->next = line + strcspn(line, "\n");
		if (*a->next)
			*a->next++ = '\0';
		a->line++;
	} while (*line == '#');
	return line;
}

static inline unsigned archive_hex(const char *s)
{
	char digits[3] = { s[0], s[0] ? s[1] : '\0', '\0' };
	uint64_t value = 0;

	assert_int_equal(str_to_u64(digits, 16, &value), 0);
	return (unsigned)value;
}

/* One character or escape of *s to `out`. */
static inline void archive_unit(const char **s, struct str *out)
{
	char c = *(*s)++;

	if (c == '\\') {
		c = *(*s)++;
		if (c == 'x') {
			c = (char)archive_hex(*s);
			*s += 2;
		}
	}
	assert_int_equal(str_addn(out, &c, 1), 0);
}

static inline void archive_repeat(const char **s, struct str *out)
{
	struct str unit = STR_INIT;
	unsigned n = 0;

	for (*s += 2; **s != ':'; (*s)++)
		n = n * 10 + (unsigned)(**s - '0');
	for ((*s)++; **s != '}'; )
		archive_unit(s, &unit);
	(*s)++;
	while (n--)
		assert_int_equal(str_addn(out, unit.s, unit.len), 0);
	str_release(&unit);
}

/* Appends the bytes a value stands for. */
static inline void archive_value(const char *s, struct str *out)
{
	while (*s) {
		if (s[0] == '\\' && s[1] == '{')
			archive_repeat(&s, out);
		else
			archive_unit(&s, out);
	}
}

/* What stands behind the tag and its blank. */
static inline const char *archive_text(const char *line, size_t tag)
{
	return line[tag] ? line + tag + 1 : "";
}

/* The bytes of a string of hex digits. */
static inline void archive_bytes(const char *s, struct str *out)
{
	for (; *s; s += 2) {
		char c = (char)archive_hex(s);

		assert_int_equal(str_addn(out, &c, 1), 0);
	}
}

#endif
