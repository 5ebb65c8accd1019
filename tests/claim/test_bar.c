// SPDX-License-Identifier: GPL-2.0-or-later
/* bar0: a card's first window gets the size that the VM wants, and its old one before the host gets it back. */
#include "play.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bar.h"

#define SNIPPETS "/var/lib/vz/snippets"

static struct bdf gpu;

static int run_hook(struct host *h, void *arg)
{
	struct hook k = { .h = h, .limit = step_limit, .cancel = -1, .out = stdout, .snippets = SNIPPETS,
			  .now_unix = (uint64_t)time(NULL) };
	char *argv[] = { (char[]){ "gpu-hook" }, (char[]){ "100" }, arg, NULL };
	int status = hook_main(&k, 3, argv);

	fflush(stdout);
	return status;
}

static int hook(struct play *p, char *phase)
{
	if (fake_main_run(&p->k, run_hook, phase, 60000, &p->o) < 0 || p->o.timed_out)
		fail_msg("the hook does not end: %s", p->o.output);
	return p->o.status;
}

static void make_dirs(struct play *p, const char *path)
{
	char part[128];

	for (const char *slash = strchr(path + 1, '/'); ; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", slash ? (int)(slash - path) : (int)strlen(path), path);
		(void)host_mkdir(&p->k.host, part, 0755);
		if (!slash)
			break;
	}
}

/* arc.tree with a card that offers 256M (bit 8) to 16G (bit 14). */
static void open_arc(struct play *p, const char *settings)
{
	static const struct scenario s = { .tree = "arc", .vmid = 100 };
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;

	play_open(p, &s);
	play_claim(p, 100);
	assert_int_equal(lease_load(&p->k.host, 100, &l, &e), 0);
	for (size_t i = l.plan.n_devices; i-- > 0; )
		if (l.plan.devices[i].class >> 16 == 3)
			gpu = l.plan.devices[i].bdf;
	lease_release(&l);
	assert_int_equal(play_hook(p, 100, "post-stop"), 0);
	make_dirs(p, SNIPPETS);
	play_put(p, SNIPPETS "/100.gpu.ini", settings);
	play_put(p, pdev_path(gpu, "resource0_resize").s, "0000000000007f00\n");
	assert_int_equal(host_write(&p->k.host, host_path("/sys/bus/pci/drivers/%s/unbind",
			 tree_attr(p->k.tree.dir, gpu, "driver").s).s, BDF_S(gpu)), 0);
	assert_int_equal(host_write(&p->k.host, pdev_path(gpu, "resource0_resize").s, "8"), 0);
	assert_int_equal(host_write(&p->k.host, "/sys/bus/pci/drivers_probe", BDF_S(gpu)), 0);
	free(p->before);
	p->before = fake_kernel_dump(&p->k, TREE_LEASES);
	fake_kernel_rewind(&p->k);
}

static void there_and_back(void **state)
{
	struct play p;

	(void)state;
	open_arc(&p, "[claim]\nbar0 = 8G\n");
	if (hook(&p, (char[]){ "pre-start" }) != 0)
		fail_msg("%s", p.o.output);
	play_taken(&p, 100, "with a larger BAR");
	assert_int_equal(bar_size(&p.k.host, gpu), 8192);
	if (hook(&p, (char[]){ "post-stop" }) != 0)
		fail_msg("%s", p.o.output);
	assert_int_equal(bar_size(&p.k.host, gpu), 256);
	play_same(&p, "after a larger BAR");
	play_close(&p);
}

static const struct { const char *settings; int status; const char *part; } wrong[] = {
	{ "[claim]\nbar0 = 32G\n", 4, "the card offers 256M, 512M, 1G, 2G, 4G, 8G, 16G" },
	{ "[claim]\nbar0 = 3G\n", 1, "a power of two" },
	{ "[claim]\nbar0 = large\n", 1, "a power of two" },
};

static void what_it_cannot_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct play p;

		open_arc(&p, wrong[i].settings);
		assert_int_equal(hook(&p, (char[]){ "pre-start" }), wrong[i].status);
		if (!strstr(p.o.output, wrong[i].part))
			fail_msg("'%s' is missing in: %s", wrong[i].part, p.o.output);
		assert_int_equal(fake_log_find(&p.k, "/sys/"), 0);
		play_same(&p, "a wrong size");
		play_close(&p);
	}
}

static const struct { int code; const char *part; } refused[] = {
	{ EBUSY, "a driver has the device" }, { ENOSPC, "Above 4G decoding" },
};

static void what_the_kernel_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct play p;

		open_arc(&p, "[claim]\nbar0 = 8G\n");
		fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_FAIL, .match = "resource0_resize", .err = refused[i].code });
		assert_int_equal(hook(&p, (char[]){ "pre-start" }), 1);
		if (!strstr(p.o.output, refused[i].part))
			fail_msg("'%s' is missing in: %s", refused[i].part, p.o.output);
		play_same(&p, "a refused size");
		play_close(&p);
	}
}

static const struct { const char *text; uint64_t mib; } sizes[] = {
	{ "256M", 256 }, { "1G", 1024 }, { "16G", 16384 }, { "1T", 1048576 }, { "1M", 1 },
};
static const char *const no_sizes[] = { "", "G", "8", "8g", "0M", "-1G", "3G", "8G ", "99999999G" };

static void words(void **state)
{
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(bar_parse(sizes[i].text, &v), 0);
		assert_int_equal(v, sizes[i].mib);
		assert_string_equal(bar_format(v).s, sizes[i].text);
		assert_int_equal(1ULL << bar_bit(v), v);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no_sizes); i++)
		assert_int_equal(bar_parse(no_sizes[i], &v), -EINVAL);
	assert_string_equal(bar_list(0x2500).s, "256M, 1G, 8G");
	assert_string_equal(bar_list(0).s, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(what_it_cannot_do),
		cmocka_unit_test(what_the_kernel_refuses),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
