// SPDX-License-Identifier: GPL-2.0-or-later
/* PCI addresses: what is one, how it is written, how they are ordered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bdf.h"

enum { NO, YES };

/* sysfs: does bdf_parse() take it; user: does bdf_parse_user(), and is it a whole slot. */
static const struct {
	const char *text;
	int sysfs, user, whole;
	struct bdf a;
} cases[] = {
	{ "0000:01:00.0", YES, YES, NO, { 0, 1, 0, 0 } },
	{ "0000:ff:1f.7", YES, YES, NO, { 0, 255, 31, 7 } },
	{ "10000:e1:00.0", YES, YES, NO, { 0x10000, 0xe1, 0, 0 } },
	{ "ffffffff:00:00.0", YES, YES, NO, { 0xffffffff, 0, 0, 0 } },
	{ "00000001:02:03.4", YES, YES, NO, { 1, 2, 3, 4 } },
	{ "01:00.0", NO, YES, NO, { 0, 1, 0, 0 } },
	{ "01:00", NO, YES, YES, { 0, 1, 0, 0 } },
	{ "0000:01:00", NO, YES, YES, { 0, 1, 0, 0 } },
	{ "0:01:00.0", NO, YES, NO, { 0, 1, 0, 0 } },
	{ "1:01:00.0", NO, YES, NO, { 1, 1, 0, 0 } },
	{ "0000:0A:1F.0", NO, YES, NO, { 0, 10, 31, 0 } },
	{ "0A:00.0", NO, YES, NO, { 0, 10, 0, 0 } },
	{ .text = "" }, { .text = ":" }, { .text = "::" }, { .text = ":::" }, { .text = "0000" },
	{ .text = "01.0" }, { .text = ":01:00.0" }, { .text = "0000::00.0" }, { .text = "0000:01:.0" },
	{ .text = "0000:01:00." }, { .text = "0000:01:00.8" }, { .text = "0000:01:00.00" },
	{ .text = "0000:01:00.0 " }, { .text = " 0000:01:00.0" }, { .text = "0000:01:00.0\n" },
	{ .text = "0000:01:20.0" }, { .text = "0000:01:ff.0" }, { .text = "0000:1:00.0" },
	{ .text = "0000:001:00.0" }, { .text = "0000:01:0.0" }, { .text = "0000:01:000.0" },
	{ .text = "100000000:01:00.0" }, { .text = "0000:01:00.0.0" }, { .text = "0000:01:00:0" },
	{ .text = "0000:01:00.g" }, { .text = "000g:01:00.0" }, { .text = "0x00:01:00.0" },
	{ .text = "-000:01:00.0" }, { .text = "0000:00:01:00.0" }, { .text = "1:00.0" },
	{ .text = "pci0000:00" }, { .text = "0000:01:00.0;0000:02:00.0" }, { .text = "../../0000:01:00.0" },
};

static void parses_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bdf a = { 9, 9, 9, 3 };
		int r = bdf_parse(cases[i].text, &a);

		if (r != (cases[i].sysfs ? 0 : -EINVAL))
			fail_msg("'%s' returned %d", cases[i].text, r);
		if (cases[i].sysfs)
			assert_true(bdf_same(a, cases[i].a));
		else
			assert_true(a.domain == 9 && a.bus == 9 && a.dev == 9 && a.fn == 3);
	}
}

static void parses_what_people_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bdf a = { 9, 9, 9, 3 };
		bool whole = !cases[i].whole;
		int r = bdf_parse_user(cases[i].text, &a, &whole);

		if (r != (cases[i].user ? 0 : -EINVAL))
			fail_msg("'%s' returned %d", cases[i].text, r);
		if (cases[i].user)
			assert_true(bdf_same(a, cases[i].a));
		assert_int_equal(whole, cases[i].user ? cases[i].whole : !cases[i].whole);
	}
}

static const struct { struct bdf a; const char *full, *brief; } formats[] = {
	{ { 0, 1, 0, 0 }, "0000:01:00.0", "01:00.0" },
	{ { 0, 0xff, 31, 7 }, "0000:ff:1f.7", "ff:1f.7" },
	{ { 1, 0, 2, 0 }, "0001:00:02.0", "0001:00:02.0" },
	{ { 0x10000, 0xe1, 0, 0 }, "10000:e1:00.0", "10000:e1:00.0" },
	{ { 0xffffffff, 0xff, 31, 7 }, "ffffffff:ff:1f.7", "ffffffff:ff:1f.7" },
	{ { 0, 1, 0x25, 9 }, "0000:01:05.1", "01:05.1" },	/* never outside of its fields */
};

static void formats_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		assert_string_equal(BDF_S(formats[i].a), formats[i].full);
		assert_string_equal(BDF_SHORT(formats[i].a), formats[i].brief);
	}
}

/* What is printed is read back as the same, over the whole range. */
static void survives_a_round_trip(void **state)
{
	static const uint32_t domains[] = { 0, 1, 0xffff, 0x10000, 0x7fffffff, 0xffffffff };

	(void)state;
	for (size_t d = 0; d < ARRAY_SIZE(domains); d++)
		for (unsigned v = 0; v < 65536; v += 7) {
			struct bdf a = { domains[d], (uint8_t)(v >> 8), (uint8_t)(v >> 3 & 31), (uint8_t)(v & 7) }, b;
			bool whole;

			assert_int_equal(bdf_parse(BDF_S(a), &b), 0);
			assert_true(bdf_same(a, b));
			assert_int_equal(bdf_parse_user(BDF_SHORT(a), &b, &whole), 0);
			assert_true(bdf_same(a, b) && !whole);
		}
}

static void are_ordered(void **state)
{
	/* ascending */
	static const struct bdf order[] = {
		{ 0, 0, 0, 0 }, { 0, 0, 0, 1 }, { 0, 0, 1, 0 }, { 0, 0, 31, 7 }, { 0, 1, 0, 0 }, { 0, 255, 31, 7 },
		{ 1, 0, 0, 0 }, { 0x10000, 0, 0, 0 }, { 0xffffffff, 0, 0, 0 },
	};
	struct bdf mixed[ARRAY_SIZE(order)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
			int c = bdf_compare(order[i], order[k]);

			assert_true(i < k ? c < 0 : i > k ? c > 0 : c == 0);
			assert_int_equal(bdf_same(order[i], order[k]), i == k);
		}
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		mixed[i] = order[(i * 4 + 3) % ARRAY_SIZE(order)];
	qsort(mixed, ARRAY_SIZE(mixed), sizeof(*mixed), bdf_compare_qsort);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_true(bdf_same(mixed[i], order[i]));
}

static void slots_and_buses(void **state)
{
	struct bdf a = { 0, 1, 0, 0 };

	(void)state;
	assert_true(bdf_same_slot(a, (struct bdf){ 0, 1, 0, 7 }));
	assert_false(bdf_same_slot(a, (struct bdf){ 0, 1, 1, 0 }));
	assert_true(bdf_same_bus(a, (struct bdf){ 0, 1, 31, 7 }));
	assert_false(bdf_same_bus(a, (struct bdf){ 0, 2, 0, 0 }));
	assert_false(bdf_same_bus(a, (struct bdf){ 0x10000, 1, 0, 0 }));
	assert_false(bdf_same_slot(a, (struct bdf){ 0x10000, 1, 0, 0 }));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_strictly),
		cmocka_unit_test(parses_what_people_type),
		cmocka_unit_test(formats_both_ways),
		cmocka_unit_test(survives_a_round_trip),
		cmocka_unit_test(are_ordered),
		cmocka_unit_test(slots_and_buses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
