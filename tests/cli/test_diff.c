// SPDX-License-Identifier: GPL-2.0-or-later
/* A diff is right when applying it gives the new text; here many invented pairs are tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diff.h"

static const char *line_of(const char *s, size_t *ret)
{
	const char *feed = strchr(s, '\n');

	*ret = feed ? (size_t)(feed - s) + 1 : strlen(s);
	return s + *ret;
}

/* "@@ -A,B ..." -> A, from 0 */
static size_t hunk_start(const char *hunk)
{
	char *rest;
	size_t first = strtoul(hunk + 4, &rest, 10), n = *rest == ',' ? strtoul(rest + 1, NULL, 10) : 1;

	return n ? first - 1 : first;
}

/* Applies the diff to `before`; fails the test where it does not fit. */
static void apply(const char *before, const char *diff, struct str *out)
{
	size_t at = 0, n;

	for (const char *p = diff, *next; *p; p = next) {
		const char *after_next;
		size_t m;

		next = line_of(p, &n);
		if (strncmp(p, "---", 3) == 0 || strncmp(p, "+++", 3) == 0 || *p == '\\')
			continue;
		if (*p == '@') {
			for (size_t want = hunk_start(p); at < want; at++, before += m) {
				(void)line_of(before, &m);
				assert_int_equal(str_addn(out, before, m), 0);
			}
			continue;
		}
		after_next = *next == '\\' ? p + n - 1 : p + n;		/* no line feed at the end of the file */
		if (*p != '+') {
			(void)line_of(before, &m);
			assert_int_equal(m, after_next - p - 1);
			assert_memory_equal(before, p + 1, m);
			before += m;
			at++;
		}
		if (*p != '-')
			assert_int_equal(str_addn(out, p + 1, (size_t)(after_next - p - 1)), 0);
	}
	assert_int_equal(str_add(out, before), 0);
}

static void check(const char *before, const char *after)
{
	struct str diff = STR_INIT, got = STR_INIT;

	assert_int_equal(diff_unified("/x", before, strlen(before), after, strlen(after), &diff), 0);
	apply(before, diff.s, &got);
	if (strcmp(got.s, after) != 0)
		fail_msg("from\n%s\nto\n%s\nthe diff is\n%s\nwhich gives\n%s", before, after, diff.s, got.s);
	if (strcmp(before, after) == 0)
		assert_string_equal(diff.s, "");
	str_release(&diff);
	str_release(&got);
}

static void known_texts(void **state)
{
	static const char *const texts[] = {
		"", "a\n", "a", "a\nb\n", "b\na\n", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n", "a\nb\nc\nX\ne\nf\ng\nh\ni\nj\nk\nY\n",
		"\n\n\n", "\n", "a\r\nb\r\n", "a\nb",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
			check(texts[i], texts[k]);
}

static void invented_texts(void **state)
{
	uint32_t seed = 7;
	char texts[2][200];

	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		for (int t = 0; t < 2; t++) {
			size_t n = 0, lines = (seed = seed * 1664525u + 1013904223u) >> 27;

			for (size_t i = 0; i < lines; i++) {
				seed = seed * 1664525u + 1013904223u;
				texts[t][n++] = (char)('a' + (seed >> 29));
				texts[t][n++] = '\n';
			}
			texts[t][n - (n && seed >> 31)] = '\0';
		}
		check(texts[0], texts[1]);
	}
}

static void hunks_keep_apart_what_is_far_apart(void **state)
{
	struct str diff = STR_INIT;
	const char *a = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n", *b = "X\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\nY\n";

	(void)state;
	assert_int_equal(diff_unified("/etc/x", a, strlen(a), b, strlen(b), &diff), 0);
	assert_string_equal(diff.s, "--- a/etc/x\n+++ b/etc/x\n@@ -1,4 +1,4 @@\n-1\n+X\n 2\n 3\n 4\n@@ -10,3 +10,4 @@\n 10\n 11\n 12\n+Y\n");
	str_release(&diff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts),
		cmocka_unit_test(invented_texts),
		cmocka_unit_test(hunks_keep_apart_what_is_far_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
