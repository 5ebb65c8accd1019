// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands on a fake kernel: what looks writes nothing, what gives back gives back exactly, and
 * refuses while anybody else has a say. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "desk.h"

/* The card of VM 100 in tests/trees/gpu-four.tree; VM 101 wants it too. */
static const struct bdf card[] = { { 0, 10, 0, 0 }, { 0, 10, 0, 1 }, { 0, 10, 0, 2 }, { 0, 10, 0, 3 } };

static bool on_vfio(struct desk *d, const struct bdf *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(tree_attr(d->k.tree.dir, list[i], "driver").s, "vfio-pci") != 0)
			return false;
	return true;
}

static void start_vm(struct desk *d, unsigned vmid, const struct bdf *list, size_t n)
{
	struct err e = ERR_INIT;

	if (fake_vm_start(&d->k, vmid, list, n, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

static void looking_writes_nothing(void **state)
{
	static const char *const lines[] = {
		"pve-gpu list --all", "pve-gpu list --json", "pve-gpu status", "pve-gpu status --json",
		"pve-gpu plan 101", "pve-gpu plan 100 --json", "pve-gpu release 100 --dry-run",
		"pve-gpu release --all --dry-run --json",
	};
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	for (int taken = 0; taken < 2; taken++) {
		for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
			fake_kernel_rewind(&d.k);
			run(&d, lines[i]);
			if (fake_log_count(&d.k))
				fail_msg("'%s' did: %s", lines[i], fake_log(&d.k, 1));
		}
		if (!taken)
			expect(&d, "gpu-hook 100 pre-start", 0);
	}
	close_desk(&d);
}

static void gives_back_what_was_left(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "gpu-hook 100 pre-start", 0);
	assert_true(on_vfio(&d, card, ARRAY_SIZE(card)));
	expect(&d, "pve-gpu status", CLI_PROBLEMS);
	said(&d, "left over");
	said(&d, "pve-gpu release 100");
	expect(&d, "pve-gpu release 100", CLI_DONE);
	said(&d, "vfio-pci → nvidia");
	same_as_before(&d);
	expect(&d, "pve-gpu release 100", CLI_DONE);
	said(&d, "VM 100 holds no devices");
	expect(&d, "pve-gpu status", CLI_DONE);
	close_desk(&d);
}

static void refuses_while_the_vm_lives(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "gpu-hook 100 pre-start", 0);
	start_vm(&d, 100, card, ARRAY_SIZE(card));
	expect(&d, "gpu-hook 100 post-start", 0);
	expect(&d, "pve-gpu status", CLI_DONE);
	said(&d, "held by the running VM");
	fake_kernel_rewind(&d.k);
	expect(&d, "pve-gpu release 100", CLI_REFUSED);
	said(&d, "qm stop 100");
	expect(&d, "pve-gpu release --all --json", CLI_REFUSED);
	said(&d, "\"refused\"");
	assert_int_equal(fake_log_count(&d.k), 0);
	assert_true(on_vfio(&d, card, ARRAY_SIZE(card)));

	/* Dying: it looks gone and has the devices open. */
	fake_vm_fade(&d.k, 100);
	expect(&d, "pve-gpu release 100", CLI_REFUSED);
	assert_true(on_vfio(&d, card, ARRAY_SIZE(card)));
	fake_vm_end(&d.k, 100);
	expect(&d, "pve-gpu release --all", CLI_DONE);
	same_as_before(&d);
	close_desk(&d);
}

/* A start or stop is Proxmox's business as long as it holds the VM's lock. */
static void refuses_while_proxmox_is_at_it(void **state)
{
	struct desk d;
	int fd;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "gpu-hook 100 pre-start", 0);
	(void)host_mkdir(&d.k.host, "/var", 0755);
	(void)host_mkdir(&d.k.host, "/var/lock", 0755);
	(void)host_mkdir(&d.k.host, "/var/lock/qemu-server", 0755);
	fd = host_open_file(&d.k.host, "/var/lock/qemu-server/lock-100.conf", O_RDWR | O_CREAT, 0644);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	fake_kernel_rewind(&d.k);
	expect(&d, "pve-gpu release 100", CLI_REFUSED);
	said(&d, "starting, stopping or changing VM 100");
	assert_int_equal(fake_log_count(&d.k), 0);
	expect(&d, "pve-gpu status", CLI_DONE);
	said(&d, "QEMU is not up yet");
	close(fd);
	expect(&d, "pve-gpu release 100", CLI_DONE);
	same_as_before(&d);
	close_desk(&d);
}

static void refuses_while_somebody_is_at_work(void **state)
{
	struct desk d;
	int fd;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "gpu-hook 100 pre-start", 0);
	fd = host_open_file(&d.k.host, "/run/pve-gpu/leases/100", O_RDONLY, 0);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	fake_kernel_rewind(&d.k);
	expect(&d, "pve-gpu release 100", CLI_REFUSED);
	said(&d, "somebody is at work on the devices of VM 100");
	expect(&d, "pve-gpu release 100 --dry-run", CLI_REFUSED);
	expect(&d, "pve-gpu plan 100 --json", CLI_REFUSED);
	said(&d, "\"busy\"");
	expect(&d, "pve-gpu plan 101", CLI_REFUSED);
	expect(&d, "pve-gpu status", CLI_DONE);
	said(&d, "being given back");
	assert_int_equal(fake_log_count(&d.k), 0);
	close(fd);
	expect(&d, "pve-gpu release 100", CLI_DONE);
	same_as_before(&d);
	close_desk(&d);
}

static void names_a_step_that_hangs(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	fake_fault_add(&d.k, (struct fake_fault){ .kind = FAKE_HANG_LOCKED, .match = "nvidia/unbind 0000:0a:00.0",
						   .times = 1 });
	expect(&d, "gpu-hook 100 pre-start", 1);
	assert_int_equal(fake_hanging(&d.k), 1);
	expect(&d, "pve-gpu status 100", CLI_PROBLEMS);
	said(&d, "stuck: step");
	said(&d, "unbind 0000:0a:00.0 from nvidia");
	expect(&d, "pve-gpu release 100", CLI_REFUSED);
	expect(&d, "pve-gpu list", CLI_DONE);
	said(&d, "did not answer");
	fake_hang_release(&d.k);
	fake_settle(&d.k, 5000);
	expect(&d, "pve-gpu status 100", CLI_PROBLEMS);
	said(&d, "has come back since");
	expect(&d, "pve-gpu release 100", CLI_DONE);
	same_as_before(&d);
	close_desk(&d);
}

static void says_what_could_not_be_given_back(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "gpu-hook 100 pre-start", 0);
	fake_rule_add(&d.k, (struct fake_rule){ .kind = FAKE_PROBE_FAILS, .driver = "nvidia", .value = 5 });
	expect(&d, "pve-gpu release 100", CLI_FAILED);
	said(&d, "0000:0a:00.0");
	expect(&d, "pve-gpu status", CLI_PROBLEMS);
	said(&d, "failed: ");
	fake_rule_clear(&d.k);
	expect(&d, "pve-gpu release 100", CLI_DONE);
	same_as_before(&d);
	close_desk(&d);
}

/* Given up while it hangs: nobody gets it.  Once the kernel has let go, the next start takes it as it is. */
static void gives_up_what_hangs(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	fake_fault_add(&d.k, (struct fake_fault){ .kind = FAKE_HANG_LOCKED, .match = "nvidia/unbind 0000:0a:00.0",
						  .times = 1 });
	expect(&d, "gpu-hook 100 pre-start", 1);
	expect(&d, "pve-gpu release --abandon --dry-run 100", CLI_DONE);
	said(&d, "0a:00.0 [10de:1e07]: would be given up");
	expect(&d, "pve-gpu release --abandon 100", CLI_DONE);
	said(&d, "0000:0a:00.0 was given up: the step 'unbind 0000:0a:00.0 from nvidia' hangs");
	said(&d, "/run/pve-gpu/abandoned/100.0");
	expect(&d, "pve-gpu release 100", CLI_DONE);
	said(&d, "holds no devices");
	expect(&d, "pve-gpu status", CLI_PROBLEMS);
	said(&d, "was given up");
	expect(&d, "pve-gpu status --json", CLI_PROBLEMS);
	said(&d, "\"hangs\": true");
	for (int i = 0; i < 2; i++) {
		expect(&d, i ? "gpu-hook 101 pre-start" : "gpu-hook 100 pre-start", 4);
		said(&d, "0000:0a:00.0 is held by a step that hangs in the kernel since VM 100 had it");
		said(&d, "reboot the host");
	}
	fake_hang_release(&d.k);
	fake_settle(&d.k, 5000);
	expect(&d, "pve-gpu status 100", CLI_PROBLEMS);
	said(&d, "came back from the kernel later");
	expect(&d, "gpu-hook 101 pre-start", 0);
	assert_true(on_vfio(&d, card, ARRAY_SIZE(card)));
	expect(&d, "gpu-hook 101 post-stop", 0);
	assert_false(on_vfio(&d, card, 1));
	close_desk(&d);
}

/* What works is given back as ever; what refuses for good is recorded; somebody at work is let be. */
static void gives_up_what_refuses(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "gpu-hook 100 pre-start", 0);
	expect(&d, "pve-gpu release --abandon 100 --json", CLI_DONE);
	said(&d, "\"verdict\": \"returned\"");
	same_as_before(&d);
	expect(&d, "pve-gpu release --abandon --all", CLI_USAGE);
	expect(&d, "gpu-hook 100 pre-start", 0);
	start_vm(&d, 100, card, ARRAY_SIZE(card));
	expect(&d, "pve-gpu release --abandon 100", CLI_REFUSED);
	assert_true(on_vfio(&d, card, ARRAY_SIZE(card)));
	fake_vm_end(&d.k, 100);
	fake_rule_add(&d.k, (struct fake_rule){ .kind = FAKE_PROBE_FAILS, .driver = "nvidia", .value = 5 });
	expect(&d, "pve-gpu release --abandon 100", CLI_DONE);
	said(&d, "0000:0a:00.0 was given up: cannot bind 0000:0a:00.0 to nvidia");
	said(&d, "The next start takes");
	fake_rule_clear(&d.k);
	expect(&d, "pve-gpu status", CLI_PROBLEMS);
	expect(&d, "gpu-hook 100 pre-start", 0);
	expect(&d, "gpu-hook 100 post-stop", 0);
	assert_string_equal(tree_attr(d.k.tree.dir, card[0], "driver").s, "");
	assert_string_equal(tree_attr(d.k.tree.dir, card[1], "driver").s, "snd_hda_intel");
	close_desk(&d);
}

static void given_up_for_programs(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "gpu-hook 100 pre-start", 0);
	fake_rule_add(&d.k, (struct fake_rule){ .kind = FAKE_PROBE_FAILS, .driver = "nvidia", .value = 5 });
	expect(&d, "pve-gpu release --abandon 100 --json", CLI_DONE);
	said(&d, "\"verdict\": \"abandoned\"");
	said(&d, "\"why\": \"cannot bind 0000:0a:00.0 to nvidia");
	said(&d, "\"hangs\": false");
	close_desk(&d);
}

static void one_runs_and_one_is_left(void **state)
{
	const struct bdf twin[] = { { 0, 0x42, 0, 0 }, { 0, 0x42, 0, 1 } };
	struct desk d;

	(void)state;
	open_desk(&d, "twins");
	expect(&d, "gpu-hook 100 pre-start", 0);
	start_vm(&d, 100, twin, ARRAY_SIZE(twin));
	expect(&d, "gpu-hook 101 pre-start", 0);
	expect(&d, "pve-gpu release --all", CLI_REFUSED);
	assert_true(on_vfio(&d, twin, ARRAY_SIZE(twin)));
	expect(&d, "pve-gpu status 101", CLI_DONE);
	said(&d, "VM 101 holds no devices");
	fake_vm_end(&d.k, 100);
	expect(&d, "pve-gpu release 100", CLI_DONE);
	same_as_before(&d);
	close_desk(&d);
}

static void a_damaged_lease_is_put_aside(void **state)
{
	char path[PATH_MAX + 64];
	struct desk d;
	FILE *f;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "gpu-hook 100 pre-start", 0);
	snprintf(path, sizeof(path), "%s/run/pve-gpu/leases/100", d.k.tree.dir);
	f = fopen(path, "r+");
	assert_non_null(f);
	fputs("PVE", f);
	fclose(f);
	expect(&d, "pve-gpu status", CLI_PROBLEMS);
	said(&d, "/run/pve-gpu/leases/100");
	expect(&d, "pve-gpu release 100 --dry-run", CLI_FAILED);
	assert_int_equal(access(path, F_OK), 0);
	expect(&d, "pve-gpu release 100", CLI_FAILED);
	said(&d, "put aside");
	assert_int_not_equal(access(path, F_OK), 0);
	expect(&d, "pve-gpu status", CLI_PROBLEMS);
	said(&d, "/run/pve-gpu/broken/100.0");
	close_desk(&d);
}

/* What a start gives back first is no obstacle to it. */
static void plan_foresees_recovery(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "gpu-hook 100 pre-start", 0);
	expect(&d, "pve-gpu plan 101", CLI_DONE);
	said(&d, "first give back what VM 100 left behind");
	expect(&d, "gpu-hook 101 pre-start", 0);
	expect(&d, "pve-gpu release 101", CLI_DONE);
	same_as_before(&d);

	expect(&d, "gpu-hook 100 pre-start", 0);
	start_vm(&d, 100, card, ARRAY_SIZE(card));
	expect(&d, "pve-gpu plan 101", CLI_REFUSED);
	said(&d, "held by VM 100, which is running");
	expect(&d, "gpu-hook 101 pre-start", 4);
	expect(&d, "pve-gpu plan 100", CLI_REFUSED);
	said(&d, "VM 100 runs already");
	fake_vm_end(&d.k, 100);
	expect(&d, "pve-gpu release 100", CLI_DONE);
	same_as_before(&d);
	close_desk(&d);
}

/* After a stop with the setting linger, a watch being there. */
static void lingering_is_no_problem(void **state)
{
	struct desk d;
	int fd;

	(void)state;
	open_desk(&d, "gpu-four");
	fd = host_open_file(&d.k.host, "/etc/pve-gpu/settings.ini", O_WRONLY | O_APPEND, 0);
	assert_true(fd >= 0 && write(fd, "linger = 3600\n", 14) == 14);
	close(fd);
	expect(&d, "gpu-hook 100 pre-start", 0);
	fd = host_open_file(&d.k.host, LEASE_KEEPER, O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
	expect(&d, "gpu-hook 100 post-stop", 0);
	assert_true(on_vfio(&d, card, ARRAY_SIZE(card)));
	expect(&d, "pve-gpu status 100", CLI_DONE);
	said(&d, "kept for the VM's next start");
	expect(&d, "pve-gpu status --json", CLI_DONE);
	said(&d, "\"state\": \"lingering\"");
	expect(&d, "pve-gpu plan 101", CLI_DONE);
	said(&d, "left behind for its next start, if it wants it");
	expect(&d, "pve-gpu plan 100", CLI_DONE);
	expect(&d, "pve-gpu release 100", CLI_DONE);
	same_as_before(&d);
	close(fd);
	close_desk(&d);
}

static void a_dead_card_is_a_problem(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "gpu-hook 100 pre-start", 0);
	start_vm(&d, 100, card, ARRAY_SIZE(card));
	fake_device_die(&d.k, card[0]);
	expect(&d, "pve-gpu status", CLI_PROBLEMS);
	said(&d, "does not answer");
	expect(&d, "pve-gpu status --json", CLI_PROBLEMS);
	said(&d, "\"dead\"");
	fake_device_revive(&d.k, card[0]);
	expect(&d, "pve-gpu status", CLI_DONE);
	fake_vm_end(&d.k, 100);
	expect(&d, "pve-gpu release 100", CLI_DONE);
	close_desk(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looking_writes_nothing),
		cmocka_unit_test(gives_back_what_was_left),
		cmocka_unit_test(refuses_while_the_vm_lives),
		cmocka_unit_test(refuses_while_proxmox_is_at_it),
		cmocka_unit_test(refuses_while_somebody_is_at_work),
		cmocka_unit_test(names_a_step_that_hangs),
		cmocka_unit_test(says_what_could_not_be_given_back),
		cmocka_unit_test(gives_up_what_hangs),
		cmocka_unit_test(gives_up_what_refuses),
		cmocka_unit_test(given_up_for_programs),
		cmocka_unit_test(one_runs_and_one_is_left),
		cmocka_unit_test(a_damaged_lease_is_put_aside),
		cmocka_unit_test(plan_foresees_recovery),
		cmocka_unit_test(lingering_is_no_problem),
		cmocka_unit_test(a_dead_card_is_a_problem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
