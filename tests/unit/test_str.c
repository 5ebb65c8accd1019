// SPDX-License-Identifier: GPL-2.0-or-later
/* Growable strings, strict numbers, text made safe, tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

static const struct { const char *text; unsigned base; int r; uint64_t v; } numbers[] = {
	{ "0", 10, 0, 0 }, { "00", 10, 0, 0 }, { "42", 10, 0, 42 }, { "007", 10, 0, 7 },
	{ "18446744073709551615", 10, 0, UINT64_MAX },
	{ "18446744073709551616", 10, -ERANGE, 0 },
	{ "99999999999999999999999999", 10, -ERANGE, 0 },
	{ "", 10, -EINVAL, 0 }, { " 1", 10, -EINVAL, 0 }, { "1 ", 10, -EINVAL, 0 }, { "1\n", 10, -EINVAL, 0 },
	{ "+1", 10, -EINVAL, 0 }, { "-1", 10, -EINVAL, 0 }, { "-0", 10, -EINVAL, 0 }, { "1x", 10, -EINVAL, 0 },
	{ "0x1", 10, -EINVAL, 0 }, { "a", 10, -EINVAL, 0 }, { "1.0", 10, -EINVAL, 0 },
	{ "99999999999999999999x", 10, -EINVAL, 0 },
	{ "0", 16, 0, 0 }, { "10de", 16, 0, 0x10de }, { "10DE", 16, 0, 0x10de },
	{ "ffffffffffffffff", 16, 0, UINT64_MAX }, { "10000000000000000", 16, -ERANGE, 0 },
	{ "0x10de", 16, -EINVAL, 0 }, { "0X10de", 16, -EINVAL, 0 }, { "", 16, -EINVAL, 0 },
	{ "g", 16, -EINVAL, 0 }, { "-1", 16, -EINVAL, 0 }, { " f", 16, -EINVAL, 0 }, { "f ", 16, -EINVAL, 0 },
};

static void numbers_are_strict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t v = 77;
		int r = str_to_u64(numbers[i].text, numbers[i].base, &v);

		if (r != numbers[i].r)
			fail_msg("'%s' in base %u returned %d", numbers[i].text, numbers[i].base, r);
		assert_int_equal(v, r == 0 ? numbers[i].v : 77);
	}
}

static const struct { const char *text; unsigned vmid; } vmids[] = {
	{ "100", 100 }, { "999999999", 999999999 }, { "101", 101 },
	{ "99", 0 }, { "0", 0 }, { "", 0 }, { "-1", 0 }, { "1000000000", 0 }, { "99999999999", 0 },
	{ "18446744073709551716", 0 },	/* 2^64 + 100 */
	{ "4294967396", 0 },		/* 2^32 + 100 */
	{ "0100", 0 }, { "100 ", 0 }, { " 100", 0 }, { "100\n", 0 }, { "+100", 0 }, { "1e3", 0 }, { "0x64", 0 },
	{ "100.conf", 0 }, { "../100", 0 },
};

static void vmids_as_proxmox_has_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vmids); i++) {
		unsigned v = 7;
		int r = str_to_vmid(vmids[i].text, &v);

		if ((r == 0) != (vmids[i].vmid != 0))
			fail_msg("'%s' returned %d", vmids[i].text, r);
		assert_int_equal(r, vmids[i].vmid ? 0 : -EINVAL);
		assert_int_equal(v, vmids[i].vmid ? vmids[i].vmid : 7);
	}
}

static const struct { const char *in, *out; } safe[] = {
	{ "", "" }, { "plain text", "plain text" },
	{ "a\nb", "a\\x0ab" }, { "\r\t\b", "\\x0d\\x09\\x08" }, { "\x1b[31mred", "\\x1b[31mred" },
	{ "\x7f", "\\x7f" }, { "\x01\x1f", "\\x01\\x1f" },
	{ "a\\b", "a\\\\b" }, { "\\x0a", "\\\\x0a" },	/* what looks escaped is not taken for it */
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" }, { "\xe2\x82\xac", "\xe2\x82\xac" },
	{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" }, { "\xc2\xa0", "\xc2\xa0" }, { "\xdf\xbf", "\xdf\xbf" },
	{ "\xc2\x9b" "31m", "\\xc2\\x9b31m" },		/* C1: CSI in two bytes */
	{ "\xc2\x80", "\\xc2\\x80" }, { "\xc2\x9f", "\\xc2\\x9f" },
	{ "\x9b" "31m", "\\x9b31m" },			/* ... and in one */
	{ "\xff\xfe", "\\xff\\xfe" }, { "\x80", "\\x80" }, { "\xbf" "a", "\\xbfa" },
	{ "\xc0\xaf", "\\xc0\\xaf" }, { "\xc1\xbf", "\\xc1\\xbf" },	/* overlong */
	{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" }, { "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf" },
	{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" }, { "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, { "\xed\x9f\xbf", "\xed\x9f\xbf" },	/* surrogates */
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, { "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
	{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
	{ "\xc3", "\\xc3" }, { "\xe2\x82", "\\xe2\\x82" }, { "\xf0\x9f\x98", "\\xf0\\x9f\\x98" },	/* cut */
	{ "\xe2\x82z", "\\xe2\\x82z" }, { "\xc3\n", "\\xc3\\x0a" },
};

static void text_is_made_safe(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(safe); i++) {
		struct str s = STR_INIT;

		assert_int_equal(str_add_safe(&s, safe[i].in), 0);
		assert_string_equal(s.s, safe[i].out);
		str_release(&s);
	}
}

/* Whatever one, two or three bytes: nothing that steers a terminal gets through. */
static void no_control_gets_through(void **state)
{
	struct str s = STR_INIT;

	(void)state;
	for (unsigned v = 1; v < 1U << 24; v += v < 1U << 16 ? 1 : 4099) {
		char in[4] = { (char)v, (char)(v >> 8), (char)(v >> 16), '\0' };

		str_clear(&s);
		assert_int_equal(str_add_safe(&s, in), 0);
		for (const unsigned char *p = (const unsigned char *)s.s; *p; p++) {
			assert_true(*p >= 0x20 && *p != 0x7f);
			assert_false(p[0] == 0xc2 && p[1] < 0xa0);
		}
	}
	str_release(&s);
}

static void grows_over_every_size(void **state)
{
	struct str s = STR_INIT;

	(void)state;
	assert_string_equal(s.s, "");
	for (size_t i = 0; i < 5000; i++) {
		assert_int_equal(str_addn(&s, "x", 1), 0);
		assert_int_equal(s.len, i + 1);
		assert_int_equal(s.s[s.len], '\0');
	}
	assert_int_equal(strlen(s.s), 5000);
	assert_int_equal(str_addf(&s, "%0*d", 3000, 7), 0);
	assert_int_equal(s.len, 8000);
	str_release(&s);
	assert_string_equal(s.s, "");
	assert_int_equal(str_add(&s, "again"), 0);
	assert_string_equal(s.s, "again");
	str_release(&s);
}

static void bytes_may_be_nul(void **state)
{
	struct str s = STR_INIT;

	(void)state;
	assert_int_equal(str_addn(&s, "a\0b", 3), 0);
	assert_int_equal(s.len, 3);
	assert_memory_equal(s.s, "a\0b", 4);
	str_clear(&s);
	assert_int_equal(s.len, 0);
	assert_string_equal(s.s, "");
	str_release(&s);
}

static void steal_hands_the_buffer_over(void **state)
{
	struct str s = STR_INIT, empty = STR_INIT, failed = STR_INIT;
	char *p;

	(void)state;
	assert_int_equal(str_add(&s, "mine"), 0);
	p = str_steal(&s);
	assert_string_equal(p, "mine");
	free(p);
	assert_string_equal(s.s, "");
	p = str_steal(&empty);
	assert_string_equal(p, "");
	free(p);
	failed.failed = true;
	assert_null(str_steal(&failed));
}

/* After one failure every append fails: a run of them is checked once at its end. */
static void failure_sticks(void **state)
{
	struct str s = STR_INIT;

	(void)state;
	s.failed = true;
	assert_int_equal(str_add(&s, "a"), -ENOMEM);
	assert_int_equal(str_addf(&s, "%d", 1), -ENOMEM);
	assert_int_equal(str_add_safe(&s, "\n"), -ENOMEM);
	assert_string_equal(s.s, "");
	str_release(&s);
	assert_false(s.failed);
}

static void copies_or_says_so(void **state)
{
	char buf[4] = "zzz";

	(void)state;
	assert_int_equal(str_copy(buf, sizeof(buf), "abc"), 0);
	assert_string_equal(buf, "abc");
	assert_int_equal(str_copy(buf, sizeof(buf), "abcd"), -ENAMETOOLONG);
	assert_string_equal(buf, "");
	assert_int_equal(str_copy(buf, sizeof(buf), ""), 0);
	assert_int_equal(str_copy(buf, 0, "a"), -ENAMETOOLONG);
	assert_int_equal(str_copy(buf, 1, ""), 0);
}

static const struct { const char *in, *out; } strips[] = {
	{ "", "" }, { " ", "" }, { " \t\r\n", "" }, { "a", "a" }, { "  a b \n", "a b" }, { "a ", "a" }, { " a", "a" },
};

static void strips_both_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strips); i++) {
		char buf[32];

		assert_int_equal(str_copy(buf, sizeof(buf), strips[i].in), 0);
		assert_string_equal(str_strip(buf), strips[i].out);
	}
}

static const struct { const char *in, *separators; const char *tokens[5]; } tokens[] = {
	{ "", " ", { NULL } }, { "   ", " ", { NULL } }, { "a", " ", { "a" } },
	{ "a b", " ", { "a", "b" } }, { "  a   b  ", " ", { "a", "b" } },
	{ "a\nb\n", "\n", { "a", "b" } }, { "a,b;c", ",;", { "a", "b", "c" } }, { "a b", ",", { "a b" } },
	{ "flr bus", " ", { "flr", "bus" } },
};

static void splits_into_tokens(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		char buf[32], *cursor = buf;

		assert_int_equal(str_copy(buf, sizeof(buf), tokens[i].in), 0);
		for (size_t k = 0; tokens[i].tokens[k]; k++)
			assert_string_equal(str_token(&cursor, tokens[i].separators), tokens[i].tokens[k]);
		assert_null(str_token(&cursor, tokens[i].separators));
		assert_null(str_token(&cursor, tokens[i].separators));
	}
}

static void begins_and_compares(void **state)
{
	const char *list[] = { "b", "a", "ab" };

	(void)state;
	assert_true(str_starts("virtfn3", "virtfn"));
	assert_true(str_starts("x", ""));
	assert_false(str_starts("virt", "virtfn"));
	qsort(list, 3, sizeof(*list), str_compare);
	assert_string_equal(list[0], "a");
	assert_string_equal(list[1], "ab");
	assert_string_equal(list[2], "b");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_strict),
		cmocka_unit_test(vmids_as_proxmox_has_them),
		cmocka_unit_test(text_is_made_safe),
		cmocka_unit_test(no_control_gets_through),
		cmocka_unit_test(grows_over_every_size),
		cmocka_unit_test(bytes_may_be_nul),
		cmocka_unit_test(steal_hands_the_buffer_over),
		cmocka_unit_test(failure_sticks),
		cmocka_unit_test(copies_or_says_so),
		cmocka_unit_test(strips_both_ends),
		cmocka_unit_test(splits_into_tokens),
		cmocka_unit_test(begins_and_compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
