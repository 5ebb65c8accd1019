// SPDX-License-Identifier: GPL-2.0-or-later
/* Which resets a function has, and whether a function answers, on bytes made for the purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reset.h"
#include "str.h"
#include "tree.h"
#include "treefs.h"

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

/* --- does it answer? ----------------------------------------------------------------------------- */

static const char machine[] =
	"iommu intel\n"
	"root 0000:00\n"
	"pci 0000:00:01.0 8086:460d class=060400 bus=01 driver=pcieport\n"
	"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=vfio-pci group=14 "
	"bars=\"16m,32g:64p,32m:64p,128:io\"\n"
	"pci 0000:01:00.1 8086:1572 class=020000 parent=0000:00:01.0 driver=vfio-pci group=15 bars=\"8m:64p\" vfs=8\n"
	"pci 0000:01:02.0 8086:154c class=020000 parent=0000:00:01.0 driver=vfio-pci group=16 physfn=0000:01:00.1 "
	"bars=\"64k:64p\"\n";

struct box { struct tree tree; struct host h; struct err e; };

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b || tree_open_text(&b->tree, machine, &b->e) < 0 || host_open(&b->h, b->tree.dir, &b->e) < 0) {
		print_error("%s\n", b ? b->e.msg : "");
		return -1;
	}
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;

	host_close(&b->h);
	tree_close(&b->tree);
	free(b);
	return 0;
}

static const struct bdf gpu = { 0, 1, 0, 0 }, pf = { 0, 1, 0, 1 }, vf = { 0, 1, 2, 0 };

static size_t read_config(struct box *b, struct bdf a, uint8_t *cfg)
{
	ssize_t n = tfs_read(b->h.rootfd, pdev_path(a, "config").s, cfg, 4096);

	assert_true(n >= 256);
	return (size_t)n;
}

static void write_config(struct box *b, struct bdf a, const uint8_t *cfg, size_t n)
{
	struct host_path link = pdev_path(a, "config");

	assert_int_equal(tfs_put(b->h.rootfd, link.s, 0644, cfg, n), 0);
}

static void answers(struct box *b, struct bdf a)
{
	int r = reset_check(&b->h, a, &b->e);

	if (r < 0)
		fail_msg("%s", b->e.msg);
}

static void says(struct box *b, struct bdf a, const char *part)
{
	assert_int_equal(reset_check(&b->h, a, &b->e), -EIO);
	if (!strstr(b->e.msg, part))
		fail_msg("'%s' lacks '%s'", b->e.msg, part);
	b->e = (struct err)ERR_INIT;
}

static void a_live_card_answers(void **state)
{
	answers(*state, gpu);
	answers(*state, pf);
}

static void all_ones_is_no_answer(void **state)
{
	struct box *b = *state;
	uint8_t cfg[4096];
	size_t n = read_config(b, gpu, cfg);

	memset(cfg, 0xff, n);
	write_config(b, gpu, cfg, n);
	says(b, gpu, "all ones");
}

static void another_identity(void **state)
{
	struct box *b = *state;
	uint8_t cfg[4096];
	size_t n = read_config(b, gpu, cfg);

	cfg[2] ^= 1;
	write_config(b, gpu, cfg, n);
	says(b, gpu, "answers as 10de:2685, not as 10de:2684");
}

static const size_t sizes[] = { 0, 1, 63 };

static void too_short_or_not_there(void **state)
{
	struct box *b = *state;
	uint8_t cfg[4096];
	size_t n = read_config(b, gpu, cfg);

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		write_config(b, gpu, cfg, sizes[i]);
		says(b, gpu, "too short");
	}
	write_config(b, gpu, cfg, 64);		/* what an ordinary user gets to see */
	answers(b, gpu);
	write_config(b, gpu, cfg, n);
	says(b, (struct bdf){ 0, 9, 0, 0 }, "No such file");
}

/* Where the power management capability is. */
static unsigned pm_at(const uint8_t *cfg)
{
	unsigned at = cfg[0x34];

	for (int i = 0; i < 48 && at && cfg[at] != 1; i++)
		at = cfg[at + 1];
	assert_true(at >= 0x40);
	return at;
}

static void asleep(void **state)
{
	struct box *b = *state;
	uint8_t cfg[4096];
	size_t n = read_config(b, gpu, cfg);
	unsigned at = pm_at(cfg);

	for (unsigned d = 1; d <= 3; d++) {
		char part[32];

		cfg[at + 4] = (uint8_t)((cfg[at + 4] & ~3U) | d);
		write_config(b, gpu, cfg, n);
		snprintf(part, sizeof(part), "asleep in D%u", d);
		says(b, gpu, part);
	}
	cfg[0x06] &= (uint8_t)~0x10;		/* no capabilities at all: always in D0 */
	write_config(b, gpu, cfg, n);
	answers(b, gpu);
}

/* A list that runs in a circle, or out of the bytes we have. */
static void a_capability_list_without_end(void **state)
{
	struct box *b = *state;
	uint8_t cfg[4096];
	size_t n = read_config(b, gpu, cfg);

	cfg[0x34] = 0x40;
	cfg[0x40] = 0x09;
	cfg[0x41] = 0x40;
	write_config(b, gpu, cfg, n);
	answers(b, gpu);
	cfg[0x34] = 0xfc;
	cfg[0xfc] = 0x01;
	cfg[0xfd] = 0xfc;
	write_config(b, gpu, cfg, 256);
	answers(b, gpu);
	cfg[0x34] = 0x20;			/* points into the header */
	write_config(b, gpu, cfg, n);
	answers(b, gpu);
}

/* bars="16m,32g:64p,32m:64p,128:io": BAR 0; 1 and 2; 3 and 4; 5. */
static const struct { unsigned bar; uint32_t value, upper; bool wide; const char *part; } bars[] = {
	{ 0, 0, 0, false, "BAR 0" }, { 0, 0xffffffff, 0, false, "BAR 0" }, { 0, 8, 0, false, "BAR 0" },
	{ 1, 0xc, 0, true, "BAR 1" },			/* a 64-bit BAR, both halves lost */
	{ 1, 0xc, 0x20, true, NULL },			/* above 4 GiB, the lower half is rightly zero */
	{ 1, 0xffffffff, 0xffffffff, true, "BAR 1" },
	{ 3, 0xc, 0, true, "BAR 3" },
	{ 5, 1, 0, false, "BAR 5" },			/* I/O */
	{ 5, 0xffffffff, 0, false, "BAR 5" },
};

static void lost_bars(void **state)
{
	struct box *b = *state;
	uint8_t good[4096], cfg[4096];
	size_t n = read_config(b, gpu, good);

	for (size_t i = 0; i < ARRAY_SIZE(bars); i++) {
		unsigned at = 0x10 + 4 * bars[i].bar;

		memcpy(cfg, good, n);
		for (unsigned k = 0; k < 4; k++) {
			cfg[at + k] = (uint8_t)(bars[i].value >> 8 * k);
			if (bars[i].wide)
				cfg[at + 4 + k] = (uint8_t)(bars[i].upper >> 8 * k);
		}
		write_config(b, gpu, cfg, n);
		if (bars[i].part)
			says(b, gpu, bars[i].part);
		else
			answers(b, gpu);
	}
}

/* SR-IOV 3.4.1.1 and 3.4.1.2: vendor and device of a virtual function read ffff, its BARs zero. */
static void a_virtual_function_answers(void **state)
{
	struct box *b = *state;
	uint8_t cfg[4096];

	(void)read_config(b, vf, cfg);
	assert_int_equal(cfg[0] | cfg[1] << 8, 0xffff);
	answers(b, vf);
}

static void a_dead_virtual_function_does_not(void **state)
{
	struct box *b = *state;
	uint8_t cfg[4096];
	size_t n = read_config(b, vf, cfg);

	memset(cfg, 0xff, n);
	write_config(b, vf, cfg, n);
	says(b, vf, "all ones");
}

/* --- reset_card() over plain files: what is tried, in which order, and what is said -------------------- */

static struct { char text[512]; const char *refuse; int err; } seen;

static int note_write(struct host *h, const char *path, const void *data, size_t len)
{
	(void)h;
	(void)data;
	(void)len;
	strncat(seen.text, path + strlen("/sys/bus/pci/devices/"), sizeof(seen.text) - strlen(seen.text) - 2);
	strcat(seen.text, " ");
	return seen.refuse && strstr(path, seen.refuse) ? -seen.err : 0;
}

static int card_reset(struct box *b, const struct bdf *fns, size_t n, enum reset_way way, bool hot,
		      enum reset_way *used)
{
	struct host_ops ops = host_default_ops;
	struct host h = b->h;
	uint64_t ns = 0;

	ops.write = note_write;
	h.ops = &ops;
	seen.text[0] = '\0';
	b->e = (struct err)ERR_INIT;
	return reset_card(&h, fns, n, way, hot, used, &ns, &b->e);
}

static void put_reset(struct box *b, struct bdf a)
{
	assert_int_equal(tfs_put(b->h.rootfd, pdev_path(a, "reset").s, 0200, "", 0), 0);
}

static void own_attributes_in_turn(void **state)
{
	struct bdf fns[] = { gpu, pf };
	enum reset_way used;
	struct box *b = *state;

	put_reset(b, gpu);
	put_reset(b, pf);
	seen.refuse = NULL;
	assert_int_equal(card_reset(b, fns, 2, RESET_SYSFS, false, &used), 0);
	assert_string_equal(seen.text, "0000:01:00.0/reset 0000:01:00.1/reset ");
	assert_int_equal(used, RESET_SYSFS);
}

/* Function 0 lists `bus` although it cannot (kernel: pci_parent_bus_reset, ENOTTY); the function that
 * can was reset.  That is what can be had, and no reason to refuse the start. */
static void a_lying_function_does_not_spoil_it(void **state)
{
	struct bdf fns[] = { gpu, pf };
	enum reset_way used;
	struct box *b = *state;

	put_reset(b, gpu);
	put_reset(b, pf);
	seen.refuse = "01:00.0/reset";
	seen.err = ENOTTY;
	assert_int_equal(card_reset(b, fns, 2, RESET_SYSFS, false, &used), 0);
	assert_string_equal(seen.text, "0000:01:00.0/reset 0000:01:00.1/reset ");
}

static void a_reset_that_fails_is_an_error(void **state)
{
	struct bdf fns[] = { gpu, pf };
	enum reset_way used;
	struct box *b = *state;

	put_reset(b, gpu);
	put_reset(b, pf);
	seen.refuse = "01:00.0/reset";
	seen.err = ETIMEDOUT;
	assert_int_equal(card_reset(b, fns, 2, RESET_SYSFS, false, &used), -ETIMEDOUT);
	assert_non_null(strstr(b->e.msg, "0000:01:00.0"));
	seen.refuse = "/reset";
	seen.err = ENOTTY;
	assert_int_equal(card_reset(b, fns, 2, RESET_SYSFS, false, &used), -ENOTTY);
	assert_non_null(strstr(b->e.msg, "no method works"));
}

/* There is no /dev/vfio here: the hot reset fails, the functions get their own. */
static void hot_falls_back_to_own(void **state)
{
	struct bdf fns[] = { gpu, pf };
	enum reset_way used;
	struct box *b = *state;

	put_reset(b, gpu);
	put_reset(b, pf);
	seen.refuse = NULL;
	assert_int_equal(card_reset(b, fns, 2, RESET_HOT, true, &used), 0);
	assert_int_equal(used, RESET_SYSFS);
	assert_string_equal(seen.text, "0000:01:00.0/reset 0000:01:00.1/reset ");
}

/* Whatever goes wrong, there is a sentence. */
static void every_failure_has_a_sentence(void **state)
{
	static const struct { enum reset_way way; bool hot; } ways[] = {
		{ RESET_SYSFS, false }, { RESET_SYSFS, true }, { RESET_HOT, true }, { RESET_HOT, false },
	};
	struct bdf fns[] = { vf };
	struct box *b = *state;

	put_reset(b, vf);
	seen.refuse = "/reset";
	seen.err = EIO;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		enum reset_way used;

		assert_true(card_reset(b, fns, 1, ways[i].way, ways[i].hot, &used) < 0);
		assert_true(strlen(b->e.msg) > 10);
	}
}

int main(void)
{
#define BOX(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_reset_table),
		cmocka_unit_test(a_long_method_needs_room),
		BOX(a_live_card_answers),
		BOX(all_ones_is_no_answer),
		BOX(another_identity),
		BOX(too_short_or_not_there),
		BOX(asleep),
		BOX(a_capability_list_without_end),
		BOX(lost_bars),
		BOX(a_virtual_function_answers),
		BOX(a_dead_virtual_function_does_not),
		BOX(own_attributes_in_turn),
		BOX(a_lying_function_does_not_spoil_it),
		BOX(a_reset_that_fails_is_an_error),
		BOX(hot_falls_back_to_own),
		BOX(every_failure_has_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
