// SPDX-License-Identifier: GPL-2.0-or-later
/* The fake kernel's numbers and faults: failing, killing, hanging, and processes left behind. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"
#include "worker.h"

static const char machine[] =
	"host pve1\niommu intel\ndriver vfio-pci\n"
	"pci 0000:00:01.0 8086:1901 class=060400 bus=01 driver=pcieport group=1\n"
	"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia group=11 reset=flr\n"
	"pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=snd_hda_intel group=11\n";

#define DEV(bdf)	"/sys/bus/pci/devices/0000:" bdf
#define DRV(name)	"/sys/bus/pci/drivers/" name
#define CARD		"0000:01:00.0"

static const struct bdf card = { 0, 1, 0, 0 };

static int setup(void **state)
{
	static struct fake_kernel k;
	struct err e = ERR_INIT;

	if (fake_kernel_open_text(&k, machine, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return -1;
	}
	*state = &k;
	return 0;
}

static int teardown(void **state)
{
	fake_kernel_close(*state);
	return 0;
}

static void is_on(struct fake_kernel *k, const char *driver)
{
	assert_string_equal(tree_attr(k->tree.dir, card, "driver").s, driver);
}

/* --- programs under test ---------------------------------------------------------------------- */

/* Operation 1 to 3: override, unbind, bind. */
static int take(struct host *h, void *arg)
{
	(void)arg;
	if (host_write(h, DEV("01:00.0/driver_override"), "vfio-pci") < 0)
		return 1;
	if (host_write(h, DRV("nvidia/unbind"), CARD) < 0)
		return 2;
	if (host_write(h, DRV("vfio-pci/bind"), CARD) < 0)
		return 3;
	puts("taken");
	return 0;
}

static void in_worker(struct host *h, void *arg, const void *request, void *reply)
{
	(void)arg;
	(void)request;
	*(int *)reply = take(h, NULL);
}

static int take_within(struct host *h, unsigned ms)
{
	struct worker w = WORKER_INIT;
	struct err e = ERR_INIT;
	int request = 0, reply = 0;

	if (worker_start(&w, h, in_worker, NULL, -1, sizeof(request), sizeof(reply), &e) < 0)
		return 10;
	if (worker_call(&w, &request, &reply, ms, &e) < 0) {
		puts(e.msg);
		worker_stop(&w);
		return 11;
	}
	worker_stop(&w);
	return reply;
}

/* The same by a worker, which gets all the time it needs, or 300 ms. */
static int take_by_worker(struct host *h, void *arg)
{
	(void)arg;
	return take_within(h, 60000);
}

static int take_in_haste(struct host *h, void *arg)
{
	(void)arg;
	return take_within(h, 300);
}

/* Its child stays until /run/go is there. */
static int leave_a_holder(struct host *h, void *arg)
{
	(void)arg;
	if (fork() == 0) {
		for (int i = 0; i < 2000 && !host_exists(h, "/run/go"); i++)
			usleep(10000);
		_exit(0);
	}
	return 0;
}

static int sleep_long(struct host *h, void *arg)
{
	(void)h;
	(void)arg;
	sleep(60);
	return 0;
}

static int run_main(struct fake_kernel *k, int (*fn)(struct host *, void *), struct fake_outcome *o)
{
	assert_int_equal(fake_main_run(k, fn, NULL, 10000, o), 0);
	return o->status;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void test_everything_that_changes_has_a_number(void **state)
{
	struct fake_kernel *k = *state;
	struct host *h = &k->host;
	const char *const argv[] = { "/sbin/modprobe", "--", "vfio-pci", NULL };
	struct host_run run;
	int fd;

	assert_int_equal(host_mkdir(h, "/run/pve-gpu", 0700), 0);
	fd = host_open_file(h, "/run/pve-gpu/x", O_RDWR | O_CREAT | O_APPEND, 0600);
	assert_true(fd >= 0);
	assert_int_equal(host_append(h, fd, "a line\n", 7), 0);
	close(fd);
	fd = host_open_file(h, "/run/pve-gpu/x", O_RDWR | O_CREAT, 0600);	/* changes nothing */
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(host_rename(h, "/run/pve-gpu/x", "/run/pve-gpu/y"), 0);
	assert_int_equal(host_unlink(h, "/run/pve-gpu/y"), 0);
	assert_int_equal(host_run(h, argv, 100, &run), 0);
	assert_int_equal(host_write(h, DEV("01:00.0/driver_override"), "\n"), 0);
	assert_int_equal(fake_log_count(k), 7);
	assert_string_equal(fake_log(k, 1), "mkdir /run/pve-gpu");
	assert_string_equal(fake_log(k, 2), "create /run/pve-gpu/x");
	assert_string_equal(fake_log(k, 3), "append /run/pve-gpu/x a line\\n");
	assert_string_equal(fake_log(k, 4), "rename /run/pve-gpu/x /run/pve-gpu/y");
	assert_string_equal(fake_log(k, 5), "unlink /run/pve-gpu/y");
	assert_string_equal(fake_log(k, 6), "run /sbin/modprobe -- vfio-pci");
	assert_string_equal(fake_log(k, 7), "write " DEV("01:00.0/driver_override") " \\n");
	assert_string_equal(fake_log(k, 8), "");
	assert_int_equal(fake_log_find(k, "/run/pve-gpu/x"), 3);
	fake_kernel_rewind(k);
	assert_int_equal(fake_log_count(k), 0);
}

static void test_failing_a_number(void **state)
{
	static const int codes[] = { EBUSY, ENODEV, EIO, ENOTTY };
	struct fake_kernel *k = *state;
	char *before = fake_kernel_dump(k, 0);

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		char *after;

		fake_kernel_rewind(k);
		fake_fault_add(k, (struct fake_fault){ .kind = FAKE_FAIL, .at = 2, .err = codes[i] });
		assert_int_equal(host_write(&k->host, DEV("01:00.0/power/control"), "on"), 0);
		assert_int_equal(host_write(&k->host, DRV("nvidia/unbind"), CARD), -codes[i]);
		after = fake_kernel_dump(k, 0);
		assert_string_equal(before, after);
		free(after);
	}
	free(before);
}

static void test_failing_by_text(void **state)
{
	struct fake_kernel *k = *state;

	fake_fault_add(k, (struct fake_fault){ .kind = FAKE_FAIL, .match = "nvidia/unbind", .err = EIO, .times = 2 });
	assert_int_equal(host_write(&k->host, DRV("nvidia/unbind"), CARD), -EIO);
	assert_int_equal(host_write(&k->host, DRV("snd_hda_intel/unbind"), "0000:01:00.1"), 0);
	assert_int_equal(host_write(&k->host, DRV("nvidia/unbind"), CARD), -EIO);
	assert_int_equal(host_write(&k->host, DRV("nvidia/unbind"), CARD), 0);
}

/* --- the program under test ------------------------------------------------------------------- */

static void test_a_program_runs_and_is_heard(void **state)
{
	struct fake_kernel *k = *state;
	struct fake_outcome o;

	assert_int_equal(run_main(k, take, &o), 0);
	assert_string_equal(o.output, "taken\n");
	assert_int_equal(o.signal, 0);
	assert_false(o.timed_out || o.pipe_held);
	is_on(k, "vfio-pci");
	assert_int_equal(fake_log_count(k), 3);
}

static void test_a_program_that_does_not_end(void **state)
{
	struct fake_outcome o;

	assert_int_equal(fake_main_run(*state, sleep_long, NULL, 100, &o), 0);
	assert_true(o.timed_out);
	assert_int_equal(o.signal, SIGKILL);
}

static void test_who_holds_the_pipe(void **state)
{
	struct fake_kernel *k = *state;
	struct fake_outcome o;

	assert_int_equal(run_main(k, leave_a_holder, &o), 0);
	assert_true(o.pipe_held);
	assert_int_equal(fake_settle(k, 50), 1);
	assert_int_equal(host_mkdir(&k->host, "/run/go", 0700), 0);
	assert_int_equal(fake_settle(k, 20000), 0);
}

/* --- killing ---------------------------------------------------------------------------------- */

static void kill_at(struct fake_kernel *k, enum fake_fault_kind kind, unsigned n,
		    int (*fn)(struct host *, void *), const char *driver)
{
	struct fake_outcome o;

	fake_kernel_rewind(k);
	fake_fault_add(k, (struct fake_fault){ .kind = kind, .at = n });
	assert_int_equal(run_main(k, fn, &o), -1);
	assert_int_equal(o.signal, SIGKILL);
	assert_int_equal(fake_settle(k, 3000), 0);
	is_on(k, driver);
}

static void test_killing_before_and_after(void **state)
{
	struct fake_kernel *k = *state;

	kill_at(k, FAKE_KILL_BEFORE, 2, take, "nvidia");
	assert_int_equal(fake_log_count(k), 2);
	kill_at(k, FAKE_KILL_AFTER, 2, take, "");
	assert_int_equal(fake_log_count(k), 2);
}

static void test_killing_a_worker_kills_both(void **state)
{
	kill_at(*state, FAKE_KILL_BEFORE, 2, take_by_worker, "nvidia");
	kill_at(*state, FAKE_KILL_AFTER, 2, take_by_worker, "");
}

static void test_killing_main_leaves_the_worker_at_work(void **state)
{
	kill_at(*state, FAKE_KILL_MAIN, 2, take_by_worker, "vfio-pci");
	assert_int_equal(fake_log_count(*state), 3);
}

/* --- hanging ---------------------------------------------------------------------------------- */

static void test_hanging_without_effect(void **state)
{
	struct fake_kernel *k = *state;
	struct fake_outcome o;

	fake_fault_add(k, (struct fake_fault){ .kind = FAKE_HANG, .at = 2 });
	assert_int_equal(run_main(k, take_in_haste, &o), 11);
	assert_false(o.pipe_held);
	assert_non_null(strstr(o.output, "did not answer within 300 ms"));
	assert_int_equal(fake_hanging(k), 1);
	assert_int_equal(fake_settle(k, 1000), 0);	/* the hanging one does not count */
	is_on(k, "nvidia");
	assert_string_equal(fake_violations(k), "");
	assert_int_equal(host_write(&k->host, DEV("01:00.0/power/control"), "on"), 0);
	assert_non_null(strstr(fake_violations(k), "power/control on: an earlier write to the device still hangs"));
	fake_hang_release(k);
	assert_int_equal(fake_settle(k, 3000), 0);
	assert_int_equal(fake_hanging(k), 0);
	is_on(k, "vfio-pci");
}

static int read_override(struct host *h, void *arg)
{
	char text[64];

	(void)arg;
	return host_read_line(h, DEV("01:00.0/driver_override"), text, sizeof(text)) < 0;
}

static int read_enable(struct host *h, void *arg)
{
	char text[64];

	(void)arg;
	return host_read_line(h, DEV("01:00.0/enable"), text, sizeof(text)) < 0;
}

static int write_override(struct host *h, void *arg)
{
	(void)arg;
	return host_write(h, DEV("01:00.0/driver_override"), "\n") < 0;
}

static void test_hanging_with_the_lock(void **state)
{
	struct fake_kernel *k = *state;
	struct fake_outcome o;

	fake_fault_add(k, (struct fake_fault){ .kind = FAKE_HANG_LOCKED, .match = "unbind" });
	assert_int_equal(run_main(k, take_in_haste, &o), 11);
	is_on(k, "");	/* the links are gone: no sign that it has finished */
	assert_int_equal(run_main(k, read_enable, &o), 0);
	assert_int_equal(fake_main_run(k, read_override, NULL, 200, &o), 0);
	assert_true(o.timed_out);
	assert_string_equal(fake_violations(k), "");
	assert_int_equal(fake_main_run(k, write_override, NULL, 200, &o), 0);
	assert_true(o.timed_out);
	assert_non_null(strstr(fake_violations(k), "still hangs"));
	/* not even the death of the writer lets go */
	assert_int_equal(fake_hanging(k), 1);
	fake_hang_release(k);
	assert_int_equal(fake_settle(k, 3000), 0);
	assert_int_equal(run_main(k, write_override, &o), 0);
	is_on(k, "vfio-pci");
}

static int unbind_vfio(struct host *h, void *arg)
{
	(void)arg;
	return host_write(h, DRV("vfio-pci/unbind"), CARD) < 0;
}

static void test_unbinding_an_open_device_waits_for_its_user(void **state)
{
	struct fake_kernel *k = *state;
	struct fake_outcome o;
	struct err e = ERR_INIT;

	assert_int_equal(host_write(&k->host, DRV("snd_hda_intel/unbind"), "0000:01:00.1"), 0);
	assert_int_equal(run_main(k, take, &o), 0);
	assert_int_equal(fake_vm_start(k, 100, &card, 1, NULL, &e), 0);
	assert_int_equal(fake_main_run(k, unbind_vfio, NULL, 200, &o), 0);
	assert_true(o.timed_out);
	assert_non_null(strstr(fake_violations(k), "somebody has 0000:01:00.0 open"));
	is_on(k, "");
	fake_vm_end(k, 100);
}

static void test_slow_drivers(void **state)
{
	struct fake_kernel *k = *state;
	uint64_t start = host_default_ops.now(&k->host);

	fake_rule_add(k, (struct fake_rule){ .kind = FAKE_REMOVE_SLOW, .driver = "nvidia", .value = 60 });
	fake_rule_add(k, (struct fake_rule){ .kind = FAKE_PROBE_SLOW, .driver = "vfio-pci", .value = 60 });
	fake_fault_add(k, (struct fake_fault){ .kind = FAKE_DELAY, .at = 1, .ms = 60 });
	assert_int_equal(take(&k->host, NULL), 0);
	assert_true(host_default_ops.now(&k->host) - start >= 180);
}

static void test_clock_can_run_faster(void **state)
{
	struct fake_kernel *k = *state;
	uint64_t real = host_default_ops.now(&k->host), fake;

	fake_settings(k)->time_scale = 50;
	fake = host_now(&k->host);
	host_sleep(&k->host, 2000);
	assert_in_range(host_now(&k->host) - fake, 2000, 95000);
	assert_in_range(host_default_ops.now(&k->host) - real, 40, 1900);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_everything_that_changes_has_a_number),
		TEST(test_failing_a_number),
		TEST(test_failing_by_text),
		TEST(test_a_program_runs_and_is_heard),
		TEST(test_a_program_that_does_not_end),
		TEST(test_who_holds_the_pipe),
		TEST(test_killing_before_and_after),
		TEST(test_killing_a_worker_kills_both),
		TEST(test_killing_main_leaves_the_worker_at_work),
		TEST(test_hanging_without_effect),
		TEST(test_hanging_with_the_lock),
		TEST(test_unbinding_an_open_device_waits_for_its_user),
		TEST(test_slow_drivers),
		TEST(test_clock_can_run_faster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
