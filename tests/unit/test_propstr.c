/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Property strings: the grammar, what a table can say, numbers, and the normal form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "propnum.h"
#include "propstr.h"
#include "schema.h"

static bool three_letters(const char *s, size_t len)
{
	(void)s;
	return len == 3;
}

static const struct prop_check check_three = { three_letters, "three letters" };
static const char *const colours[] = { "red", "blue", NULL };

static const struct prop props[] = {
	{ .name = "first", .type = PROP_BOOL, .flags = PROP_DEFAULT },
	{ .name = "must", .flags = PROP_REQUIRED },
	{ .name = "count", .type = PROP_INT, .flags = PROP_MIN | PROP_MAX, .min = 2, .max = 10 },
	{ .name = "ratio", .type = PROP_NUMBER, .flags = PROP_MIN, .min = 1 },
	{ .name = "colour", .words = colours },
	{ .name = "code", .check = &check_three },
	{ .name = "short", .max_len = 4 },
	{ .name = "old-code", .alias = "code" },
	{ .name = "tied", .needs = "code" },
};
static const struct propfmt fmt = PROPFMT(props, NULL);

static int parse(const char *text, struct propstr *ret, struct err *e)
{
	*e = (struct err)ERR_INIT;
	return propstr_parse(&fmt, text, strlen(text), NULL, ret, e);
}

static void takes_what_the_table_allows(void **state)
{
	static const char *const good[] = {
		"must=x", "must=x,1", "1,must=x", "must=x,first=no", ",,must=x,,", " ,\t,must=x",
		"must=a=b", "must= ", "must=x,count=2", "must=x,count=+10", "must=x,count=0010",
		"must=x,ratio=1.5", "must=x,ratio=1e0", "must=x,ratio=.1e1", "must=x,colour=blue",
		"must=x,code=abc", "must=x,old-code=abc", "must=x,short=1234", "must=x,tied=1,code=abc",
		"first=0,must=x,1", "must=x\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct propstr p;
		struct err e;

		if (parse(good[i], &p, &e) < 0)
			fail_msg("'%s': %s", good[i], e.msg);
	}
}

static void refuses_the_rest_and_names_it(void **state)
{
	static const struct { const char *text, *word; } table[] = {
		{ "", "'must'" }, { "first=1", "'must'" }, { "must=", "must=" }, { "=x", "=x" },
		{ "=", "=" },
		{ "must=x, first=1", "' first'" }, { "must =x", "'must '" }, { "Must=x", "'Must'" },
		{ "must=x,must=x", "twice" }, { "must=x,1,0", "twice" },
		{ "must=x,first=1,1", "twice" },
		{ "must=x,1,first=0", "twice" }, { "must=x,first=2", "first=2" },
		{ "must=x,maybe", "first" },
		{ "must=x,count=1", "below 2" }, { "must=x,count=11", "above 10" },
		{ "must=x,count=-3", "below" },
		{ "must=x,count=3.0", "whole" }, { "must=x,ratio=0.99", "below 1" },
		{ "must=x,ratio=e1", "ratio" },
		{ "must=x,colour=RED", "colour" }, { "must=x,code=abcd", "three letters" },
		{ "must=x,code=abc,old-code=abc", "twice" }, { "must=x,short=12345", "short" },
		{ "must=x,tied=1", "'code'" }, { "must=a\nb", "no key or no value" },
		{ "must=x,bad=1", "'bad'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct propstr p;
		struct err e;

		if (parse(table[i].text, &p, &e) != -EINVAL)
			fail_msg("'%s' is accepted", table[i].text);
		if (!strstr(e.msg, table[i].word))
			fail_msg("'%s': %s", table[i].text, e.msg);
	}
}

static void keeps_values_as_proxmox_keeps_them(void **state)
{
	struct propstr p;
	struct err e;

	(void)state;
	assert_int_equal(parse("must=a=b,TRUE,count=+07,old-code=x=y\n", &p, &e), 0);
	assert_true(slice_is(*propstr_get(&p, "must"), "a=b"));
	assert_true(slice_is(*propstr_get(&p, "first"), "1"));
	assert_true(slice_is(*propstr_get(&p, "count"), "+07"));
	assert_true(slice_is(*propstr_get(&p, "code"), "x=y"));
	assert_null(propstr_get(&p, "old-code"));
	assert_null(propstr_get(&p, "ratio"));
	assert_null(propstr_get(&p, "nonsense"));
	assert_true(propstr_bool(&p, "first", false));
	assert_true(propstr_bool(&p, "ratio", true));
}

static void prints_the_normal_form(void **state)
{
	static const struct { const char *text, *printed; } table[] = {
		{ "must=x", "must=x" },
		{ "tied=1,code=abc,must=x,yes,colour=red", "1,must=x,code=abc,colour=red,tied=1" },
		{ "first=off,must=x", "0,must=x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct propstr p;
		struct err e;
		struct str out = STR_INIT;

		assert_int_equal(parse(table[i].text, &p, &e), 0);
		assert_int_equal(str_add(&out, "key: "), 0);
		assert_int_equal(propstr_print(&p, &out), 0);
		assert_string_equal(out.s + 5, table[i].printed);
		str_release(&out);
	}
}

/* The name of a network card is a key and a value at once. */
static void understands_key_aliases(void **state)
{
	static const struct { const char *text, *printed; } table[] = {
		
		{ "virtio=BC:24:11:00:00:01,bridge=vmbr0", "virtio=BC:24:11:00:00:01,bridge=vmbr0" },
		
		{ "bridge=vmbr0,macaddr=BC:24:11:00:00:01,e1000", "e1000=BC:24:11:00:00:01,bridge=vmbr0" },
		{ "model=virtio,firewall=yes", "virtio,firewall=1" },
		{ "virtio,virtio=BC:24:11:00:00:01", NULL },
		{ "virtio=BC:24:11:00:00:01,e1000", NULL },
		{ "virtio=BC:24:11:00:00:01,e1000=BC:24:11:00:00:01", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct propstr p;
		struct err e = ERR_INIT;
		struct str out = STR_INIT;
		int r = propstr_parse(&schema_format_net, table[i].text, strlen(table[i].text), NULL,
				      &p, &e);

		if ((r == 0) != (table[i].printed != NULL))
			fail_msg("'%s': %s", table[i].text, e.msg);
		if (r < 0)
			continue;
		assert_int_equal(propstr_print(&p, &out), 0);
		assert_string_equal(out.s, table[i].printed);
		str_release(&out);
	}
}

static void compares_numbers_of_any_length(void **state)
{
	static const struct { const char *text; uint32_t bound; int order; } table[] = {
		{ "0", 0, 0 }, { "-0.0", 0, 0 }, { "1", 0, 1 }, { "-1", 0, -1 },
		{ "00064", 64, 0 }, { "64.0", 64, 0 },
		{ "64.01", 64, 1 }, { "63.99", 64, -1 }, { "6.4e1", 64, 0 }, { "640e-1", 64, 0 },
		{ ".64E2", 64, 0 },
		{ "4294967295", 4294967295U, 0 }, { "4294967296", 4294967295U, 1 },
		{ "1e12", 5, 1 },
		{ "1e400", 5, 1 }, { "1e-400", 5, -1 }, { "1e-400", 0, 1 },
		{ "0e99999999999999999999", 1, -1 },
		{ "1e99999999999999999999", 1, 1 }, { "1e-99999999999999999999", 1, -1 },
		{ "99999999999999999999999999", 4294967295U, 1 },
		{ "64.00000000000000000001", 64, 0 },
		{ "0.000001e7", 10, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int r = propnum_compare(table[i].text, strlen(table[i].text), table[i].bound);

		assert_true(propnum_is_number(table[i].text, strlen(table[i].text)));
		if ((r > 0) - (r < 0) != table[i].order)
			fail_msg("%s and %u", table[i].text, table[i].bound);
	}
}

static void tells_numbers_from_other_text(void **state)
{
	static const char *const bad[] = {
		"", "+", "-", ".", "e1", "1e", "1e+", "1.2.3", "0x1", " 1", "1 ", "+-1", "1e1.5",
	};
	static const char *const good[] = {
		"1", "+1", "-1", "1.", ".1", "1.1", "1e1", "1E-1", "+.1e+1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (propnum_is_number(bad[i], strlen(bad[i])))
			fail_msg("'%s'", bad[i]);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!propnum_is_number(good[i], strlen(good[i])))
			fail_msg("'%s'", good[i]);
	assert_true(propnum_is_int("-5", 2));
	assert_false(propnum_is_int("5.", 2));
	assert_false(propnum_is_digits("+5", 2));
}

static void a_long_text_is_shown_short(void **state)
{
	char *text = malloc(100001);
	struct propstr p;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(text);
	memset(text, '\x01', 100000);
	text[50000] = '=';
	text[100000] = '\0';
	assert_int_equal(parse(text, &p, &e), -EINVAL);
	assert_true(strlen(e.msg) < 200);
	for (const char *s = e.msg; *s; s++)
		assert_true(*s >= ' ' && *s < '\x7f');
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_the_table_allows),
		cmocka_unit_test(refuses_the_rest_and_names_it),
		cmocka_unit_test(keeps_values_as_proxmox_keeps_them),
		cmocka_unit_test(prints_the_normal_form),
		cmocka_unit_test(understands_key_aliases),
		cmocka_unit_test(compares_numbers_of_any_length),
		cmocka_unit_test(tells_numbers_from_other_text),
		cmocka_unit_test(a_long_text_is_shown_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
