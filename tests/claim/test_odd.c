// SPDX-License-Identifier: GPL-2.0-or-later
/* What hosts and people do to a claim from outside: VMs that ran without the hook, devices that are pulled
 * or bound by hand, settings, VMs that lose their devices while something is stuck. */
#include "keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "treefs.h"

static const struct scenario nic = { .tree = "nic-vfs", .vmid = 103 };
static const struct scenario four = { .tree = "gpu-four", .vmid = 100 };
static const struct scenario impatient = {
	.tree = "gpu-audio", .vmid = 100, .settings = "[claim]\nstop_deadline = 6\nrelease_wait = 55\n",
};

static const struct bdf gpu = { 0, 1, 0, 0 }, audio = { 0, 1, 0, 1 }, card = { 0, 0x0a, 0, 0 };

static void says(const struct play *p, const char *text)
{
	if (!strstr(p->o.output, text))
		fail_msg("%s: it does not say '%s', but:\n%s", p->s->tree, text, p->o.output);
}

static void does_not_say(const struct play *p, const char *text)
{
	if (strstr(p->o.output, text))
		fail_msg("%s: it says '%s':\n%s", p->s->tree, text, p->o.output);
}

/* VM 102 was started without the hook and is dying: nothing in /proc shows it, but the group is its own. */
static void test_dying_without_a_lease(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &nic);
	fake_vm_fade(&p.k, 102);
	free(p.before);
	p.before = fake_kernel_dump(&p.k, TREE_LEASES);
	fake_settings(&p.k)->time_scale = play_scale(20);
	assert_int_equal(play_hook(&p, 103, "pre-start"), 4);
	says(&p, "0000:01:02.3 is still open through VFIO");
	says(&p, "nothing was touched");
	play_same(&p, "while a dying QEMU has it");
	play_close(&p);
}

static void test_dying_and_gone_in_time(void **state)
{
	struct play p;
	pid_t child;

	(void)state;
	play_open(&p, &nic);
	fake_vm_fade(&p.k, 102);
	child = fork();
	if (child == 0) {
		usleep(500000);
		fake_vm_end(&p.k, 102);
		_exit(0);
	}
	assert_int_equal(play_hook(&p, 103, "pre-start"), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	play_taken(&p, 103, "after a dying QEMU was gone");
	play_close(&p);
}

/* The whole post-stop is bounded by stop_deadline, and some of it is kept for the devices. */
static void test_settings_bound_the_wait(void **state)
{
	struct bdf devices[] = { gpu, audio };
	struct err e = ERR_INIT;
	struct play p;

	(void)state;
	play_open(&p, &impatient);
	play_claim(&p, 100);
	assert_int_equal(fake_vm_start(&p.k, 100, devices, 2, NULL, &e), 0);
	fake_vm_fade(&p.k, 100);
	fake_settings(&p.k)->time_scale = play_scale(20);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 1);
	says(&p, "after waiting 3 s");
	play_close(&p);
}

/* A driver that needs twenty seconds for its probe is slow, not stuck. */
static void test_a_slow_driver_gets_its_time(void **state)
{
	static const struct scenario s = { .tree = "gpu-audio", .vmid = 100 };
	struct play p;

	(void)state;
	play_open(&p, &s);
	play_claim(&p, 100);
	fake_settings(&p.k)->time_scale = play_scale(8);
	fake_rule_add(&p.k, (struct fake_rule){ .kind = FAKE_PROBE_SLOW, .device = "0000:01:00.0", .value = 2500 });
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	play_same(&p, "a probe of twenty seconds");
	play_close(&p);
}

static void write_config(struct play *p, const char *text)
{
	play_put(p, "/etc/pve/nodes/pve1/qemu-server/100.conf", text);
}

/* A stuck device of yesterday is no reason why a VM should not start without it. */
static void test_a_vm_without_devices_starts(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &four);
	fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_HANG_LOCKED, .match = "snd_hda_intel/unbind" });
	assert_int_equal(play_hook_limited(&p, 100, "pre-start", 20000 / play_scale(20)), 1);
	write_config(&p, "cores: 2\n");
	fake_settings(&p.k)->time_scale = play_scale(20);
	assert_int_equal(play_hook(&p, 100, "pre-start"), 0);
	says(&p, "warning: what an earlier start has taken could not be given back");
	write_config(&p, "cores: 2\ntemplate: 1\nhostpci0: 0a:00\n");
	assert_int_equal(play_hook(&p, 100, "pre-start"), 0);
	fake_hang_release(&p.k);
	fake_fault_clear(&p.k);
	fake_settle(&p.k, 3000);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	play_close(&p);
}

static void test_only_what_is_true_is_said(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &four);
	play_claim(&p, 100);
	write_config(&p, "cores: 2\nhostpci0: 0a:00\nhostpci1: 55:00\n");
	assert_int_equal(play_hook(&p, 100, "pre-start"), 4);
	says(&p, "what an earlier start had taken was given back");
	does_not_say(&p, "nothing was touched");
	play_close(&p);
}

static void pull(struct play *p, const char *address)
{
	assert_int_equal(tfs_unlink(p->k.host.rootfd, tfs_path("/sys/bus/pci/devices/%s", address).s), 0);
}

static void test_what_is_gone_is_not_given_back(void **state)
{
	static const struct scenario s = { .tree = "nic-vfs", .vmid = 100 };
	struct play p;

	(void)state;
	play_open(&p, &s);
	play_claim(&p, 100);
	pull(&p, "0000:01:02.0");
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	says(&p, "0000:01:02.0 is no longer the 8086:154c that VM 100 had");
	says(&p, "is no longer there");
	says(&p, "1 function of 1 device given back");
	play_close(&p);
}

/* It could not go back to nvidia, and the administrator has made nouveau do: the next start takes it from
 * there, and gives it back to there. */
static void test_bound_by_hand(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &four);
	play_claim(&p, 100);
	fake_rule_add(&p.k, (struct fake_rule){ .kind = FAKE_PROBE_FAILS, .driver = "nvidia", .value = 5 });
	assert_int_equal(play_hook(&p, 100, "post-stop"), 1);
	fake_rule_clear(&p.k);
	assert_int_equal(host_write(&p.k.host, "/sys/bus/pci/drivers/nouveau/bind", BDF_S(card)), 0);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 1);
	says(&p, "where somebody else has put it");
	assert_int_equal(play_hook(&p, 100, "pre-start"), 0);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	assert_string_equal(tree_attr(p.k.tree.dir, card, "driver").s, "nouveau");
	assert_false(host_exists(&p.k.host, lease_path(100).s));
	play_close(&p);
}

/* What the kernel has no reset for is not called reset because its neighbour was. */
static void test_each_function_has_its_own_reset(void **state)
{
	static const struct scenario s = { .tree = "reset-half", .vmid = 100 };
	struct play p;

	(void)state;
	play_open(&p, &s);
	assert_int_equal(play_hook(&p, 100, "pre-start"), 0);
	says(&p, "xhci_hcd → vfio-pci, reset by pm");
	says(&p, "no driver → vfio-pci, not reset (the kernel offers no way)");
	assert_int_equal(fake_counts(&p.k, (struct bdf){ 0, 0, 0x14, 2 }).reset, 0);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	play_same(&p, "a device that cannot be reset");
	play_close(&p);
}

static int run_orphan(struct host *h, void *arg)
{
	struct hook k = { .h = h, .limit = step_limit, .cancel = -1, .out = stdout, .parent = 1 };
	char name[] = "gpu-hook", vmid[] = "100", phase[] = "pre-start", *argv[] = { name, vmid, phase, NULL };
	int status;

	(void)arg;
	k.now_unix = (uint64_t)time(NULL);
	status = hook_main(&k, 3, argv);
	fflush(stdout);
	return status;
}

/* The task was killed before its hook looked who it is: whoever has adopted the hook is not the task. */
static void test_an_orphaned_hook(void **state)
{
	static const struct scenario s = { .tree = "gpu-audio", .vmid = 100 };
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	struct play p;

	(void)state;
	play_open(&p, &s);
	assert_int_equal(fake_main_run(&p.k, run_orphan, NULL, 60000, &p.o), 0);
	assert_int_equal(p.o.status, 0);
	assert_int_equal(lease_load(&p.k.host, 100, &l, &e), 0);
	assert_int_equal(l.task.pid, 0);
	lease_release(&l);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	play_same(&p, "an orphaned hook");
	play_close(&p);
}

/* A start that began after somebody had typed 'release', and looked: its devices stay. */
static void test_release_and_start(void **state)
{
	static const struct scenario s = { .tree = "gpu-audio", .vmid = 100 };
	struct err e = ERR_INIT;
	struct claim c;
	struct play p;
	bool had;
	int lock;

	(void)state;
	play_open(&p, &s);
	play_claim(&p, 100);
	lock = play_pve_lock(&p, 100);
	claim_init(&c, &p.k.host, &guest_world, 100);
	c.by_hand = true;
	assert_int_equal(claim_return(&c, &had, &e), -EBUSY);
	assert_non_null(strstr(e.msg, "nothing was touched"));
	claim_release(&c);
	play_taken(&p, 100, "after a release during a start");
	close(lock);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	play_close(&p);
}

/* A whole lease that others could have written: the devices are told by nobody who may. */
static void foreign_lease(struct play *p, const char *lease, bool owner)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s%s", p->k.tree.dir, lease_path(100).s);
	play_put(p, lease_path(100).s, lease);
	assert_int_equal(owner ? chown(path, 65534, 65534) : chmod(path, 0666), 0);
	fake_kernel_rewind(&p->k);
}

static void is_aside(struct play *p, const char *by, unsigned n)
{
	if (!host_exists(&p->k.host, host_path("/run/pve-gpu/broken/100.%u", n).s))
		fail_msg("%s: the file is not there to be read", by);
	play_same(p, "%s, with a foreign lease", by);
}

static void was_put_aside(struct play *p, const char *by, unsigned n)
{
	says(p, "the lease '/run/pve-gpu/leases/100' is not a file that only root can write");
	says(p, "it was put aside in /run/pve-gpu/broken");
	if (fake_log_find(&p->k, "/sys/"))
		fail_msg("%s: a device was touched", by);
	is_aside(p, by, n);
}

/* Of another owner as of another mode; only root can make the first. */
static void test_a_foreign_lease(void **state)
{
	bool both = geteuid() == 0;
	unsigned n = 0;
	char *lease;
	struct play p;
	size_t len;

	(void)state;
	play_open(&p, &scenarios[0]);
	play_claim(&p, 100);
	assert_int_equal(host_read_file(&p.k.host, lease_path(100).s, 1 << 20, &lease, &len), 0);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	for (int owner = 0; owner <= both; owner++) {
		foreign_lease(&p, lease, owner);
		keeper_to_end(&p, "a foreign lease", n);
		was_put_aside(&p, "watch", n++);
		foreign_lease(&p, lease, owner);
		assert_int_equal(play_hook(&p, 100, "post-stop"), 1);
		was_put_aside(&p, "post-stop", n++);
		foreign_lease(&p, lease, owner);
		write_config(&p, "cores: 2\nhostpci0: 55:00\n");
		assert_int_not_equal(play_hook(&p, 100, "pre-start"), 0);
		was_put_aside(&p, "pre-start", n++);
		foreign_lease(&p, lease, owner);
		play_claim(&p, p.s->rival);
		says(&p, "it was put aside in /run/pve-gpu/broken");
		assert_int_equal(play_hook(&p, p.s->rival, "post-stop"), 0);
		is_aside(&p, "another VM's start", n++);
	}
	free(lease);
	play_close(&p);
}

static struct play *sneaked;

/* The start goes on to its end just before the look at Proxmox's lock. */
static int unlocked_by_now(struct host *h, unsigned vmid, struct err *e)
{
	(void)h;
	(void)vmid;
	(void)e;
	play_vm_up(sneaked, false);
	return 0;
}

static void test_release_and_qemu(void **state)
{
	static const struct scenario s = { .tree = "gpu-audio", .vmid = 100 };
	const struct claim_world world = { guest_world.vm_process, unlocked_by_now };
	struct err e = ERR_INIT;
	struct claim c;
	struct play p;
	bool had;

	(void)state;
	play_open(&p, &s);
	play_claim(&p, 100);
	sneaked = &p;
	claim_init(&c, &p.k.host, &world, 100);
	c.by_hand = true;
	c.release_ms = 20;
	assert_int_equal(claim_return(&c, &had, &e), -EBUSY);
	claim_release(&c);
	play_taken(&p, 100, "after a release when QEMU came up");
	fake_vm_end(&p.k, 100);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	play_same(&p, "after the VM had ended");
	play_close(&p);
}

/* Loading a module is about no single device. */
static void test_a_module_that_hangs(void **state)
{
	static const struct scenario s = { .tree = "gpu-audio", .vmid = 100, .fresh = true };
	struct play p;

	(void)state;
	play_open(&p, &s);
	fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_HANG, .match = "modprobe" });
	assert_int_equal(play_hook_limited(&p, 100, "pre-start", 20000 / play_scale(20)), 1);
	says(&p, "VM 100: stuck. The step 'load the driver vfio-pci'");
	does_not_say(&p, "0000:00:00.0");
	fake_hang_release(&p.k);
	play_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dying_without_a_lease),
		cmocka_unit_test(test_dying_and_gone_in_time),
		cmocka_unit_test(test_settings_bound_the_wait),
		cmocka_unit_test(test_a_slow_driver_gets_its_time),
		cmocka_unit_test(test_a_vm_without_devices_starts),
		cmocka_unit_test(test_only_what_is_true_is_said),
		cmocka_unit_test(test_what_is_gone_is_not_given_back),
		cmocka_unit_test(test_bound_by_hand),
		cmocka_unit_test(test_each_function_has_its_own_reset),
		cmocka_unit_test(test_an_orphaned_hook),
		cmocka_unit_test(test_release_and_start),
		cmocka_unit_test(test_release_and_qemu),
		cmocka_unit_test(test_a_foreign_lease),
		cmocka_unit_test(test_a_module_that_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
