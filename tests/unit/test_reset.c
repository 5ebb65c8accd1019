// SPDX-License-Identifier: GPL-2.0-or-later
/* Which resets a function has; chains of them on a fake kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "reset.h"
#include "str.h"
#include "tree.h"

static const struct { bool file; const char *methods; bool alone, works; const char *first; } own[] = {
	{ true, "flr", false, true, "flr" }, { true, "flr bus", false, true, "flr" },
	{ true, "bus", false, false, "bus" }, { true, "bus", true, true, "bus" },
	{ true, "bus flr", false, true, "bus" }, { true, "pm", false, true, "pm" },
	{ true, "pm bus", false, true, "pm" }, { true, "af_flr", false, true, "af_flr" },
	{ true, "device_specific", false, true, "device_specific" }, { true, "acpi bus", false, true, "acpi" },
	{ true, "", false, false, "reset" },	/* before 5.15: nothing is known */
	{ true, "", true, true, "reset" },
	{ false, "", true, false, "reset" }, { false, "flr", true, false, "flr" },
};

static void own_reset_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		struct pdev d = { .has_reset = own[i].file };
		char word[PDEV_METHODS];

		assert_int_equal(str_copy(d.reset_method, sizeof(d.reset_method), own[i].methods), 0);
		if (reset_own_works(&d, own[i].alone) != own[i].works)
			fail_msg("'%s' alone=%d", own[i].methods, own[i].alone);
		assert_string_equal(reset_first_method(&d, word, sizeof(word)), own[i].first);
	}
}

static void a_long_method_needs_room(void **state)
{
	struct pdev d = { .reset_method = "device_specific bus" };
	char word[8];

	(void)state;
	assert_string_equal(reset_first_method(&d, word, sizeof(word)), "reset");
}

/* --- chains: every method fails in every way, before every other ---------------------------------- */

/* A card alone on its bus that has everything; its neighbour below another port is never touched. */
static const char everything[] =
	"host pve1\niommu intel\nroot 0000:00\ndriver vfio-pci\ndriver nvidia\n"
	"pci 0000:00:01.0 8086:460d class=060400 bus=01 driver=pcieport group=1\n"
	"pci 0000:00:02.0 8086:460d class=060400 bus=02 driver=pcieport group=2\n"
	"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=vfio-pci native=nvidia override=vfio-pci "
	"group=14 d3cold=0 reset=\"device_specific acpi flr af_flr pm bus cxl_bus\" bars=\"16m,32g:64p,32m:64p,128:io\"\n"
	"pci 0000:02:00.0 10de:2684 class=030000 parent=0000:00:02.0 driver=nvidia group=15 reset=flr bars=16m\n";

static const struct bdf card = { 0, 1, 0, 0 }, neighbour = { 0, 2, 0, 0 };

struct desk {
	struct fake_kernel k;
	char *before;
	struct reset_result result;
	struct err e;
};

static void open_desk(struct desk *d, const char *machine)
{
	memset(d, 0, sizeof(*d));
	if (fake_kernel_open_text(&d->k, machine, &d->e) < 0)
		fail_msg("%s", d->e.msg);
	fake_settings(&d->k)->time_scale = 50;
	fake_settings(&d->k)->allow = FAKE_ALLOW_RESCAN;
	/* As a claim leaves it: awake. */
	assert_int_equal(host_write(&d->k.host, pdev_path(card, "power/control").s, "on"), 0);
	d->before = fake_kernel_dump(&d->k, 0);
	assert_non_null(d->before);
}

static void close_desk(struct desk *d)
{
	free(d->before);
	fake_kernel_close(&d->k);
}

/* With the write `at` failing, 0 = none. */
static int run_failing(struct desk *d, unsigned at, const char *chain, bool exact, const struct bdf *fns, size_t n)
{
	d->result = (struct reset_result){ .ns = 0 };
	d->e = (struct err)ERR_INIT;
	fake_kernel_rewind(&d->k);
	if (at)
		fake_fault_add(&d->k, (struct fake_fault){ .kind = FAKE_FAIL, .at = at, .err = EIO });
	return reset_run(&d->k.host, chain, exact, fns, n, &d->result, &d->e);
}

static int run(struct desk *d, const char *chain, bool exact, const struct bdf *fns, size_t n)
{
	return run_failing(d, 0, chain, exact, fns, n);
}

/* Every attribute is as it was, and nobody suffered. */
static void as_before(struct desk *d, const char *what)
{
	char *now = fake_kernel_dump(&d->k, 0);
	struct str diff = STR_INIT;

	assert_non_null(now);
	if (tree_diff(d->before, now, &diff))
		fail_msg("%s: the card is not as it was:\n%s\n%s", what, diff.s, d->e.msg);
	if (fake_violations(&d->k)[0])
		fail_msg("%s: %s", what, fake_violations(&d->k));
	assert_int_equal(fake_counts(&d->k, neighbour).reset + fake_counts(&d->k, neighbour).bus_reset, 0);
	str_release(&diff);
	free(now);
}

static const struct { const char *name; bool revives; } names[] = {
	{ "device_specific", true }, { "acpi", true }, { "flr", false }, { "af_flr", false }, { "pm", false },
	{ "bus", true }, { "cxl_bus", true }, { "vfio", false }, { "hot", true }, { "subordinate", true },
	{ "d3", false }, { "rescan", true },
};

static void rule(struct desk *d, enum fake_rule_kind kind, const char *method, int value)
{
	struct fake_rule r = { .kind = kind, .value = value, .times = kind == FAKE_RESET_IS_DEATH };

	snprintf(r.driver, sizeof(r.driver), "%s", method);
	fake_rule_add(&d->k, r);
}

/* The method fails without having done anything. */
static void refuse(struct desk *d, const char *method, int code)
{
	if (strcmp(method, "d3") == 0)
		rule(d, FAKE_REFUSES_D3, "", 0);
	else
		rule(d, FAKE_RESET_FAILS, method, code);
}

/* A rescan that does not find the card again leaves nothing for others to try: it comes last. */
static bool can_come_first(const char *name)
{
	return strcmp(name, "rescan") != 0;
}

static void each_alone(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, everything);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct fake_counts was = fake_counts(&d.k, card), is;

		if (run(&d, names[i].name, true, &card, 1) < 0)
			fail_msg("%s: %s", names[i].name, d.e.msg);
		assert_string_equal(d.result.used, names[i].name);
		as_before(&d, names[i].name);
		is = fake_counts(&d.k, card);
		/* Bound to vfio-pci again it sleeps for a moment, and wakes: that is one more. */
		if (is.reset + is.bus_reset != was.reset + was.bus_reset + (can_come_first(names[i].name) ? 1 : 2))
			fail_msg("%s: %u resets", names[i].name, is.reset + is.bus_reset - was.reset - was.bus_reset);
		assert_true(reset_is_method(names[i].name, NULL) && strstr(reset_methods(), names[i].name));
	}
	close_desk(&d);
}

static const int codes[] = { EIO, EBUSY, ETIMEDOUT, ENOTTY };

static void the_first_good_one_ends_it(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, everything);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			for (size_t c = 0; c < ARRAY_SIZE(codes); c++) {
				char chain[64];

				if (i == k || !can_come_first(names[i].name))
					continue;
				snprintf(chain, sizeof(chain), "%s %s", names[i].name, names[k].name);
				fake_rule_clear(&d.k);
				refuse(&d, names[i].name, codes[c]);
				if (run(&d, chain, true, &card, 1) < 0)
					fail_msg("%s, %s: %s", chain, strerrorname_np(codes[c]), d.e.msg);
				assert_string_equal(d.result.used, names[k].name);
				as_before(&d, chain);
			}
	close_desk(&d);
}

/* It says that it worked, and nothing answers: only what can wake the dead is tried, and believed when the
 * card answers. */
static void a_reset_that_kills(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, everything);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			char chain[64];
			int r;

			if (i == k || !can_come_first(names[i].name))
				continue;
			snprintf(chain, sizeof(chain), "%s %s", names[i].name, names[k].name);
			fake_rule_clear(&d.k);
			rule(&d, FAKE_RESET_IS_DEATH, names[i].name, 0);
			rule(&d, FAKE_RESET_REVIVES, names[k].name, 0);
			r = run(&d, chain, true, &card, 1);
			if (r != (names[k].revives ? 0 : -EIO))
				fail_msg("%s: %d %s", chain, r, d.e.msg);
			if (r < 0 && (!strstr(d.e.msg, "is dead") || !strstr(d.e.msg, "power cycle")))
				fail_msg("%s: '%s'", chain, d.e.msg);
			fake_device_revive(&d.k, card);
			as_before(&d, chain);
		}
	close_desk(&d);
}

static void all_fail(void **state)
{
	static const char chain[] = "device_specific acpi flr af_flr pm bus cxl_bus vfio hot subordinate d3";
	struct desk d;

	(void)state;
	open_desk(&d, everything);
	for (size_t c = 0; c < ARRAY_SIZE(codes); c++) {
		int r;

		fake_rule_clear(&d.k);
		rule(&d, FAKE_REFUSES_D3, "", 0);
		rule(&d, FAKE_RESET_FAILS, "", codes[c]);
		r = run(&d, chain, true, &card, 1);
		assert_int_equal(r, codes[c] == ENOTTY ? -EIO : -codes[c]);	/* d3 was offered, and refused */
		for (size_t i = 0; i + 1 < ARRAY_SIZE(names); i++)
			assert_non_null(strstr(d.e.msg, names[i].name));
		as_before(&d, strerrorname_np(codes[c]));
	}
	close_desk(&d);
}

static void not_offered_is_no_failure(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, everything);
	rule(&d, FAKE_RESET_FAILS, "", ENOTTY);
	assert_int_equal(run(&d, "flr hot subordinate", false, &card, 1), 0);
	assert_string_equal(d.result.used, "none");
	assert_int_equal(run(&d, "sledgehammer", false, &card, 1), -EINVAL);
	as_before(&d, "nothing offered");
	close_desk(&d);
}

/* What is off the bus for good is said to be so; what was cut short is found again. */
static void lost_and_found(void **state)
{
	struct bdf port = { 0, 0, 1, 0 };
	uint64_t ns = 0;
	struct desk d;

	(void)state;
	open_desk(&d, everything);
	rule(&d, FAKE_RESET_FAILS, "rescan", EIO);
	assert_int_equal(run(&d, "rescan", true, &card, 1), -EIO);
	assert_non_null(strstr(d.e.msg, "not found again"));
	fake_rule_clear(&d.k);
	d.e = (struct err)ERR_INIT;
	assert_int_equal(reset_recover(&d.k.host, port, &card, 1, &ns, &d.e), 0);
	assert_true(host_exists(&d.k.host, pdev_path(card, "vendor").s));
	assert_string_equal(fake_violations(&d.k), "");
	close_desk(&d);
}

/* --- guards ---------------------------------------------------------------------------------------- */

#define TOP	"host pve1\niommu intel\nroot 0000:00\ndriver vfio-pci\ndriver nvidia\n" \
		"pci 0000:00:01.0 8086:460d class=060400 bus=01 driver=pcieport group=1\n"
#define FIRST	"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=vfio-pci group=14 reset=\"flr pm bus\" "

/* A stranger on the bus, on a host driver or on none: whatever reaches the bus stays away. */
static const char *const strangers[] = {
	TOP FIRST "bars=16m\npci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=nvidia group=15 bars=16k\n",
	TOP FIRST "bars=16m\npci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 group=15 bars=16k\n",
	TOP FIRST "bars=16m\npci 0000:01:01.0 8086:1533 class=020000 parent=0000:00:01.0 driver=vfio-pci group=15 bars=16k\n",
	"file /dev/iommu -\n" TOP FIRST
	"bars=16m\npci 0000:01:01.0 8086:1533 class=020000 parent=0000:00:01.0 driver=vfio-pci group=15 bars=16k\n",
};

static void strangers_on_the_bus_are_spared(void **state)
{
	static const char *const wide[] = { "bus", "hot", "subordinate", "rescan" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		struct desk d;

		open_desk(&d, strangers[i]);
		for (size_t k = 0; k < ARRAY_SIZE(wide); k++) {
			struct fake_counts was = fake_counts(&d.k, card), is;
			int r = run(&d, wide[k], true, &card, 1);

			if (r == 0 && strcmp(d.result.used, "none") != 0)
				fail_msg("machine %zu: %s went through", i, wide[k]);
			is = fake_counts(&d.k, card);
			assert_int_equal(is.reset + is.bus_reset, was.reset + was.bus_reset);
			as_before(&d, wide[k]);
		}
		close_desk(&d);
	}
}

static void never_on_a_host_driver(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, everything);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_true(run(&d, names[i].name, true, &neighbour, 1) < 0);
		assert_non_null(strstr(d.e.msg, "is on 'nvidia' instead of vfio-pci"));
		assert_int_equal(fake_log_count(&d.k), 0);
	}
	as_before(&d, "a host driver's card");
	close_desk(&d);
}

static void never_under_a_guest(void **state)
{
	static const char *const risky[] = { "subordinate", "rescan" };
	struct desk d;

	(void)state;
	open_desk(&d, everything);
	assert_int_equal(fake_vm_start(&d.k, 100, &card, 1, NULL, &d.e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(risky); i++) {
		assert_int_equal(run(&d, risky[i], true, &card, 1), -EBUSY);
		assert_non_null(strstr(d.e.msg, "is open"));
		assert_int_equal(fake_log_count(&d.k), 0);
	}
	close_desk(&d);
}

/* Function 0 lists `bus` although it cannot (kernel: pci_parent_bus_reset, ENOTTY). */
static const char lying[] = TOP
	"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=vfio-pci group=14 reset=bus bars=16m pm=no\n"
	"pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=vfio-pci group=14 reset=flr bars=16k pm=no\n";

static void a_lying_function_does_not_spoil_it(void **state)
{
	static const struct bdf fns[] = { { 0, 1, 0, 0 }, { 0, 1, 0, 1 } };
	struct desk d;

	(void)state;
	open_desk(&d, lying);
	assert_int_equal(run(&d, "flr", false, fns, 2), 0);
	assert_string_equal(d.result.used, "flr");
	assert_int_equal(fake_log_find(&d.k, "/reset 1"), 2);
	assert_int_equal(run(&d, "bus", true, fns, 2), 0);		/* chosen alone: nobody offers it in truth */
	assert_string_equal(d.result.used, "none");
	assert_int_equal(fake_log_find(&d.k, "/reset 1"), 0);
	assert_int_equal(run(&d, "bus hot", false, fns, 2), 0);
	assert_string_equal(d.result.used, "bus");
	assert_int_equal(run(&d, "hot", false, fns, 2), 0);
	assert_string_equal(d.result.used, "hot");
	assert_int_equal(run(&d, "d3", false, fns, 2), 0);		/* no power management: nothing to do */
	assert_string_equal(d.result.used, "none");
	as_before(&d, "two functions");
	close_desk(&d);
}

/* --- a kernel whose VFIO has no groups: nodes of devices, bound to one iommufd -------------------- */

#define NODES "file /dev/iommu -\n"

static void without_groups(void **state)
{
	static const struct bdf fns[] = { { 0, 1, 0, 0 }, { 0, 1, 0, 1 } };
	struct desk d;

	(void)state;
	open_desk(&d, NODES TOP
		  "pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=vfio-pci group=14 reset=bus bars=16m pm=no\n"
		  "pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=vfio-pci group=15 reset=flr bars=16k pm=no\n");
	for (unsigned at = 1; at <= 4; at++) {
		int r = run_failing(&d, at, "hot", false, fns, 2);

		if (r != (at <= 3 ? -EIO : 0))	/* two are bound, one reset */
			fail_msg("write %u: %s", at, d.e.msg);
		as_before(&d, "hot");
	}
	assert_string_equal(d.result.used, "hot");
	assert_int_equal(fake_log_find(&d.k, "BIND_IOMMUFD"), 2);
	assert_int_equal(fake_counts(&d.k, fns[1]).bus_reset, 1);
	assert_int_equal(run(&d, "vfio", false, &fns[1], 1), 0);
	assert_string_equal(d.result.used, "vfio");
	fake_settings(&d.k)->no_intremap = true;
	assert_int_equal(run(&d, "hot", false, fns, 2), -EPERM);
	assert_non_null(strstr(d.e.msg, "cannot bind 0000:01:00.0 to /dev/iommu"));
	assert_non_null(strstr(d.e.msg, "interrupt remapping"));
	as_before(&d, "hot");
	close_desk(&d);
}

/* The order is put back whatever the reset said, and is not written where it is the only one. */
static void a_chosen_method_leaves_the_order(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, everything);
	refuse(&d, "pm", EIO);
	assert_int_equal(run(&d, "pm", true, &card, 1), -EIO);
	assert_int_equal(fake_log_find(&d.k, "reset_method pm"), 1);
	assert_int_equal(fake_log_find(&d.k, "reset_method device_specific acpi flr"), 1);
	as_before(&d, "pm");
	assert_int_equal(run(&d, "flr", false, &card, 1), 0);
	assert_int_equal(fake_log_find(&d.k, "reset_method"), 0);	/* as the list stands: one write */
	assert_int_equal(fake_log_count(&d.k), 1);
	close_desk(&d);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_reset_table),
		cmocka_unit_test(a_long_method_needs_room),
		cmocka_unit_test(each_alone),
		cmocka_unit_test(the_first_good_one_ends_it),
		cmocka_unit_test(a_reset_that_kills),
		cmocka_unit_test(all_fail),
		cmocka_unit_test(not_offered_is_no_failure),
		cmocka_unit_test(lost_and_found),
		cmocka_unit_test(strangers_on_the_bus_are_spared),
		cmocka_unit_test(never_on_a_host_driver),
		cmocka_unit_test(never_under_a_guest),
		cmocka_unit_test(a_lying_function_does_not_spoil_it),
		cmocka_unit_test(without_groups),
		cmocka_unit_test(a_chosen_method_leaves_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
