// SPDX-License-Identifier: GPL-2.0-or-later
/* Cards that come back: when they are reset before the host gets them, and what becomes of those that died. */
#include "play.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct bdf card = { 0, 0x0a, 0, 0 };	/* of gpu-four: four functions, hot reset */

static unsigned resets(struct play *p)
{
	return fake_counts(&p->k, card).reset + fake_counts(&p->k, card).bus_reset;
}

/* Runs the VM through; how many resets of its card came from us, before and after. */
static void through(struct play *p, const char *settings, enum step_end end, unsigned before, unsigned after)
{
	struct scenario s = { .tree = "gpu-four", .vmid = 100, .settings = settings };
	unsigned at_claim, at_return;
	const char *parent = end == END_UNCLEAN ? "task UPID:pve1:1:2:3:qmstop:100:root@pam:" :
			     "task UPID:pve1:1:2:3:qmshutdown:100:root@pam:";

	play_open(p, &s);
	play_task_begins(p);
	play_put(p, host_path("/proc/%d/cmdline", (int)getpid()).s, parent);
	play_claim(p, 100);
	at_claim = resets(p);
	play_vm_up(p, true);
	fake_vm_end(&p->k, 100);
	if (play_hook(p, 100, "post-stop") != 0)
		fail_msg("%s", p->o.output);
	at_return = resets(p) - at_claim;
	assert_int_equal(host_unlink(&p->k.host, host_path("/proc/%d/cmdline", (int)getpid()).s), 0);
	play_task_ends(p);
	play_same(p, "after a %s end", end == END_UNCLEAN ? "violent" : "quiet");
	if (at_claim != before || at_return != after)
		fail_msg("%s: %u resets at the claim, %u at the return\n%s", settings ? settings : "auto", at_claim,
			 at_return, p->o.output);
	play_close(p);
}

static const struct { const char *settings; unsigned before, clean, unclean; } whens[] = {
	{ NULL, 1, 0, 1 },
	{ "[claim]\nreset = always\n", 1, 1, 1 },
	{ "[claim]\nreset = never\n", 0, 0, 0 },
	{ "[claim]\nreset = on-claim\n", 1, 0, 0 },
	{ "[claim]\nreset = on-return\n", 0, 1, 1 },
};

static void test_when(void **state)
{
	struct play p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(whens); i++) {
		through(&p, whens[i].settings, END_CLEAN, whens[i].before, whens[i].clean);
		through(&p, whens[i].settings, END_UNCLEAN, whens[i].before, whens[i].unclean);
	}
}

static void open_running(struct play *p)
{
	static const struct scenario s = { .tree = "gpu-four", .vmid = 100 };

	play_open(p, &s);
	play_claim(p, 100);
	play_vm_up(p, true);
	fake_vm_end(&p->k, 100);
	fake_kernel_rewind(&p->k);
}

/* The guest left a corpse; the reset wakes it up. */
static void test_revived(void **state)
{
	struct play p;

	(void)state;
	open_running(&p);
	fake_device_die(&p.k, card);
	fake_rule_add(&p.k, (struct fake_rule){ .kind = FAKE_RESET_REVIVES, .driver = "subordinate" });
	if (play_hook(&p, 100, "post-stop") != 0)
		fail_msg("%s", p.o.output);
	assert_non_null(strstr(p.o.output, "reset by subordinate before"));
	play_same(&p, "after a reset that helped");
	play_close(&p);
}

/* Nothing helps: no host driver gets it, the lease says why, and once it is alive again all is well. */
static void test_dead(void **state)
{
	struct play p;

	(void)state;
	open_running(&p);
	fake_device_die(&p.k, card);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 1);
	assert_non_null(strstr(p.o.output, "is dead, and no reset brings it back"));
	assert_non_null(strstr(p.o.output, "power cycle"));
	assert_string_equal(tree_attr(p.k.tree.dir, card, "driver").s, "vfio-pci");
	assert_int_equal(fake_log_find(&p.k, "drivers/nvidia/bind"), 0);
	assert_int_equal(play_hook(&p, 100, "pre-start"), 4);	/* nor does a VM */
	assert_non_null(strstr(p.o.output, "is dead: it does not answer"));
	fake_device_revive(&p.k, card);
	if (play_hook(&p, 100, "post-stop") != 0)
		fail_msg("%s", p.o.output);
	play_same(&p, "after power had come back");
	play_close(&p);
}

/* Dead before anything was touched. */
static void test_dead_before(void **state)
{
	static const struct scenario s = { .tree = "gpu-four", .vmid = 100 };
	struct play p;

	(void)state;
	play_open(&p, &s);
	fake_device_die(&p.k, card);
	assert_int_equal(play_hook(&p, 100, "pre-start"), 4);
	assert_non_null(strstr(p.o.output, "is dead"));
	assert_int_equal(fake_log_find(&p.k, "/sys/"), 0);
	play_same(&p, "a dead card");
	play_close(&p);
}

/* The reset says that it worked and killed it: no claim, everything back where it was. */
static void test_killed_by_reset(void **state)
{
	static const struct scenario s = { .tree = "gpu-four", .vmid = 100 };
	struct play p;

	(void)state;
	play_open(&p, &s);
	fake_rule_add(&p.k, (struct fake_rule){ .kind = FAKE_RESET_IS_DEATH, .device = "0000:0a:00.0" });
	assert_int_equal(play_hook(&p, 100, "pre-start"), 1);
	assert_non_null(strstr(p.o.output, "is dead"));
	assert_non_null(strstr(p.o.output, "Everything was put back"));
	play_same(&p, "a reset that kills");
	play_close(&p);
}

static const struct { const char *settings, *power, *runtime; } rests[] = {
	{ "[claim]\nidle = vfio-d3\n", "auto", "suspended" }, { "[claim]\nidle = awake\n", "on", "active" },
};

/* After a VM it stays on vfio-pci, asleep or awake; after a start that failed it goes back. */
static void test_idle(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rests); i++) {
		struct scenario s = { .tree = "arc", .vmid = 100, .settings = rests[i].settings };
		char state_now[16];
		struct lease l = LEASE_INIT;
		struct err e = ERR_INIT;
		struct bdf gpu;
		struct play p;

		play_open(&p, &s);
		fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_FAIL, .match = "reset 1", .err = EIO });
		fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_FAIL, .match = "ioctl", .err = EIO });
		fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_FAIL, .match = "reset_subordinate", .err = EIO });
		assert_int_equal(play_hook(&p, 100, "pre-start"), 1);
		play_same(&p, "a start that failed");
		fake_fault_clear(&p.k);
		play_claim(&p, 100);
		assert_int_equal(lease_load(&p.k.host, 100, &l, &e), 0);
		gpu = l.plan.devices[0].bdf;
		lease_release(&l);
		play_vm_up(&p, true);
		fake_vm_end(&p.k, 100);
		if (play_hook(&p, 100, "post-stop") != 0)
			fail_msg("%s", p.o.output);
		assert_non_null(strstr(p.o.output, "stays on vfio-pci until its next VM"));
		assert_string_equal(tree_attr(p.k.tree.dir, gpu, "driver").s, "vfio-pci");
		assert_string_equal(tree_attr(p.k.tree.dir, gpu, "power/control").s, rests[i].power);
		assert_int_equal(host_read_line(&p.k.host, pdev_path(gpu, "power/runtime_status").s, state_now,
						sizeof(state_now)), 0);
		assert_string_equal(state_now, rests[i].runtime);
		play_claim(&p, 100);		/* and the next VM gets it from there */
		if (play_hook(&p, 100, "post-stop") != 0)
			fail_msg("%s", p.o.output);
		assert_string_equal(tree_attr(p.k.tree.dir, gpu, "power/control").s, rests[i].power);
		assert_string_equal(fake_violations(&p.k), "");
		play_close(&p);
	}
}

/* d3cold_allowed is 0 while a VM has it. */
static void test_d3cold(void **state)
{
	static const struct scenario s = { .tree = "gpu-four", .vmid = 100 };
	struct play p;

	(void)state;
	play_open(&p, &s);
	assert_string_equal(tree_attr(p.k.tree.dir, card, "d3cold_allowed").s, "1");
	play_claim(&p, 100);
	assert_string_equal(tree_attr(p.k.tree.dir, card, "d3cold_allowed").s, "0");
	assert_string_equal(tree_attr(p.k.tree.dir, card, "power/control").s, "on");
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	play_same(&p, "d3cold");
	play_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_revived),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_dead_before),
		cmocka_unit_test(test_killed_by_reset),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_d3cold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
