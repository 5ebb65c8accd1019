// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a function answers, and all of it, on bytes made for the purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "health.h"
#include "str.h"
#include "tree.h"
#include "treefs.h"

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
	int r = health_check(&b->h, a, &b->e);

	if (r < 0)
		fail_msg("%s", b->e.msg);
}

static void says(struct box *b, struct bdf a, const char *part)
{
	assert_int_equal(health_check(&b->h, a, &b->e), -EIO);
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

/* --- verdicts ------------------------------------------------------------------------------------ */

static struct health look(struct box *b, struct bdf a, const struct pdev_link *before)
{
	struct health ret;

	health_look(&b->h, a, before, &ret);
	assert_true((ret.verdict == HEALTH_OK) == (ret.what[0] == '\0'));
	assert_true(ret.usable || ret.verdict != HEALTH_OK);
	return ret;
}

static void verdicts(void **state)
{
	struct box *b = *state;
	uint8_t cfg[4096];
	size_t n = read_config(b, gpu, cfg);

	assert_int_equal(look(b, gpu, NULL).verdict, HEALTH_OK);
	cfg[pm_at(cfg) + 4] |= 3;
	write_config(b, gpu, cfg, n);
	assert_int_equal(look(b, gpu, NULL).verdict, HEALTH_DEGRADED);
	assert_false(look(b, gpu, NULL).usable);
	cfg[0] ^= 1;				/* the worst counts, whatever was found first */
	write_config(b, gpu, cfg, n);
	assert_int_equal(look(b, gpu, NULL).verdict, HEALTH_DEAD);
	assert_int_equal(look(b, (struct bdf){ 0, 9, 0, 0 }, NULL).verdict, HEALTH_DEAD);
	assert_string_equal(health_name(HEALTH_DEGRADED), "degraded");
}

static unsigned express_at(const uint8_t *cfg)
{
	unsigned at = cfg[0x34];

	for (int i = 0; i < 48 && at && cfg[at] != 0x10; i++)
		at = cfg[at + 1];
	assert_true(at >= 0x40);
	return at;
}

static const struct { struct pdev_link before; enum health_verdict verdict; const char *part; } links[] = {
	{ { 0, 0 }, HEALTH_OK, "" },			/* not known */
	{ { 3, 8 }, HEALTH_OK, "" },
	{ { 1, 4 }, HEALTH_OK, "" },			/* better than it was */
	{ { 3, 16 }, HEALTH_DEGRADED, "8.0 GT/s x8, it was 8.0 GT/s x16: reseat" },
	{ { 4, 8 }, HEALTH_DEGRADED, "8.0 GT/s x8, it was 16.0 GT/s x8: a card without work" },
};

static void a_link_is_compared_with_what_it_was(void **state)
{
	struct box *b = *state;
	uint8_t cfg[4096];
	size_t n = read_config(b, gpu, cfg);
	unsigned at = express_at(cfg);

	cfg[at + 0x12] = 0x83;
	cfg[at + 0x13] = 0;
	write_config(b, gpu, cfg, n);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		struct health h = look(b, gpu, &links[i].before);

		assert_int_equal(h.verdict, links[i].verdict);
		assert_true(h.usable);
		assert_non_null(strstr(h.what, links[i].part));
		assert_true(h.link.speed == 3 && h.link.width == 8);
	}
}

static void no_room_for_a_bar(void **state)
{
	struct box *b = *state;
	char text[2048], *second;
	ssize_t n = tfs_read(b->h.rootfd, pdev_path(gpu, "resource").s, text, sizeof(text) - 1);

	assert_true(n > 0);
	text[n] = '\0';
	second = strchr(text, '\n') + 1;
	memcpy(second, "0x0000000000000000 0x00000007ffffffff 0x000000002014220c", 56);
	assert_int_equal(tfs_put(b->h.rootfd, pdev_path(gpu, "resource").s, 0444, text, (size_t)n), 0);
	assert_int_equal(look(b, gpu, NULL).verdict, HEALTH_DEGRADED);
	assert_true(look(b, gpu, NULL).usable);
	assert_non_null(strstr(look(b, gpu, NULL).what, "no room for BAR 1"));
	assert_non_null(strstr(look(b, gpu, NULL).what, "32768 MiB"));
}

static const struct { const char *driver, *enable; uint8_t command; enum health_verdict verdict; } deaf[] = {
	{ "nvidia", "1", 0, HEALTH_DEGRADED }, { "nvidia", "1", 2, HEALTH_OK }, { "nvidia", "0", 0, HEALTH_OK },
	{ "vfio-pci", "1", 0, HEALTH_OK }, { NULL, "1", 0, HEALTH_OK },
};

static void enabled_but_deaf(void **state)
{
	struct box *b = *state;
	uint8_t cfg[4096];
	size_t n = read_config(b, gpu, cfg);

	for (size_t i = 0; i < ARRAY_SIZE(deaf); i++) {
		cfg[4] = deaf[i].command;
		write_config(b, gpu, cfg, n);
		assert_int_equal(tfs_putf(b->h.rootfd, pdev_path(gpu, "enable").s, 0644, "%s\n", deaf[i].enable), 0);
		(void)tfs_unlink(b->h.rootfd, pdev_path(gpu, "driver").s);
		if (deaf[i].driver)
			assert_int_equal(tfs_link(b->h.rootfd, pdev_path(gpu, "driver").s, deaf[i].driver), 0);
		assert_int_equal(look(b, gpu, NULL).verdict, deaf[i].verdict);
	}
}

static void errors_are_the_totals(void **state)
{
	struct box *b = *state;
	struct health_errors errors;
	struct health look;

	health_errors(&b->h, gpu, &errors);
	assert_false(errors.known);
	assert_int_equal(tfs_putf(b->h.rootfd, pdev_path(gpu, "aer_dev_fatal").s, 0444,
				  "Undefined 0\nDLP 7\nTOTAL_ERR_FATAL 7\n"), 0);
	assert_int_equal(tfs_putf(b->h.rootfd, pdev_path(gpu, "aer_dev_nonfatal").s, 0444, "TOTAL_ERR_NONFATAL 2\n"), 0);
	health_errors(&b->h, gpu, &errors);
	assert_false(errors.known);
	assert_int_equal(tfs_putf(b->h.rootfd, pdev_path(gpu, "aer_dev_correctable").s, 0444,
				  "RxErr 11\nTOTAL_ERR_COR 11\n"), 0);
	health_errors(&b->h, gpu, &errors);
	health_look(&b->h, gpu, NULL, &look);
	assert_true(look.verdict == HEALTH_DEGRADED && look.usable);
	assert_non_null(strstr(look.what, "reported 7 fatal errors since boot"));
	assert_true(errors.known && errors.fatal == 7 && errors.nonfatal == 2 && errors.correctable == 11);
}

/* --- around a reset -------------------------------------------------------------------------------- */

static const struct { unsigned at; uint8_t value; const char *part; } changes[] = {
	{ 0x3c, 0x55, NULL },			/* the interrupt line: nobody minds */
	{ 0x02, 0x01, "not as" },
	{ 0x13, 0x00, "BAR 0" },
};

static void around_a_reset(void **state)
{
	struct box *b = *state;
	uint8_t good[4096], cfg[4096];
	size_t n = read_config(b, gpu, good);
	struct health_mark mark;

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		write_config(b, gpu, good, n);
		health_before(&b->h, gpu, &mark);
		assert_false(mark.dead);
		memcpy(cfg, good, n);
		cfg[changes[i].at] = changes[i].value;
		if (changes[i].at == 0x13)
			memset(cfg + 0x10, 0, 4);
		write_config(b, gpu, cfg, n);
		b->e = (struct err)ERR_INIT;
		if (health_after(&b->h, gpu, &mark, &b->e) != (changes[i].part ? -EIO : 0) ||
		    (changes[i].part && !strstr(b->e.msg, changes[i].part)))
			fail_msg("byte %02x: '%s'", changes[i].at, b->e.msg);
	}
	memset(cfg, 0xff, n);
	write_config(b, gpu, cfg, n);
	assert_int_equal(health_after(&b->h, gpu, &mark, &b->e), -EIO);
	health_before(&b->h, gpu, &mark);	/* dead before: coming back is enough */
	assert_true(mark.dead);
	write_config(b, gpu, good, n);
	assert_int_equal(health_after(&b->h, gpu, &mark, &b->e), 0);
	assert_true(health_d3_resets(&b->h, (struct bdf){ 0, 9, 0, 0 }) < 0);
}

int main(void)
{
#define BOX(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		BOX(a_live_card_answers),
		BOX(all_ones_is_no_answer),
		BOX(another_identity),
		BOX(too_short_or_not_there),
		BOX(asleep),
		BOX(a_capability_list_without_end),
		BOX(lost_bars),
		BOX(a_virtual_function_answers),
		BOX(a_dead_virtual_function_does_not),
		BOX(verdicts),
		BOX(a_link_is_compared_with_what_it_was),
		BOX(no_room_for_a_bar),
		BOX(enabled_but_deaf),
		BOX(errors_are_the_totals),
		BOX(around_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
