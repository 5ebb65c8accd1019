// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu reset and selftest on a fake kernel: an idle card is reset and back where it was; anybody else's is not
 * touched; a trial that was killed is put right by the next one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "desk.h"
#include "treefs.h"

/* tests/trees/gpu-four.tree: four functions, only a hot reset; VM 100 has the card. */
static const struct bdf card[] = { { 0, 10, 0, 0 }, { 0, 10, 0, 1 }, { 0, 10, 0, 2 }, { 0, 10, 0, 3 } };

static void start_vm(struct desk *d, unsigned vmid, const struct bdf *list, size_t n)
{
	struct err e = ERR_INIT;

	if (fake_vm_start(&d->k, vmid, list, n, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

static void rule(struct desk *d, enum fake_rule_kind kind, const char *method, int value)
{
	struct fake_rule r = { .kind = kind, .value = value };

	snprintf(r.driver, sizeof(r.driver), "%s", method);
	fake_rule_add(&d->k, r);
}

static void an_idle_card_is_reset(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "pve-gpu reset 0a:00", CLI_DONE);
	said(&d, "0000:0a:00.0 was reset by hot");
	said(&d, "0000:0a:00.3 ok");
	said(&d, "back on nvidia");
	assert_int_equal(fake_counts(&d.k, card[0]).bus_reset, 1);
	same_as_before(&d);
	expect(&d, "pve-gpu reset 0a:00.1 --json", CLI_DONE);
	said(&d, "\"verdict\": \"reset\"");
	said(&d, "\"method\": \"hot\"");
	said(&d, "\"health\": \"ok\"");
	same_as_before(&d);
	close_desk(&d);
}

/* What a VM's failed start has left on the card is the host's again first. */
static void a_left_over_card_is_reset(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "gpu-hook 100 pre-start", 0);
	expect(&d, "pve-gpu reset 0a:00", CLI_DONE);
	said(&d, "back on nvidia");
	same_as_before(&d);
	close_desk(&d);
}

static const struct { const char *line; int status; const char *part; } lines[] = {
	{ "pve-gpu reset 0a:00 --dry-run", CLI_DONE, "by the first that works of: hot subordinate" },
	{ "pve-gpu reset 0a:00 --dry-run --json", CLI_DONE, "would-reset" },
	{ "pve-gpu reset 0a:00 --chain --dry-run", CLI_DONE, "hot subordinate d3 rescan" },
	{ "pve-gpu reset 0a:00 --method sledgehammer", CLI_USAGE, "one of device_specific" },
	{ "pve-gpu reset 0a:00 --method hot --chain", CLI_USAGE, "not both" },
	{ "pve-gpu reset card", CLI_USAGE, "is no address" },
	{ "pve-gpu reset 7f:00 --dry-run", CLI_REFUSED, "there is no PCI device" },
	{ "pve-gpu selftest 0a:00 --rounds none", CLI_USAGE, "a number from 1 to 1000" },
	{ "pve-gpu selftest 0a:00 --rounds 0", CLI_USAGE, "a number from 1 to 1000" },
};

static void words(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		expect(&d, lines[i].line, lines[i].status);
		said(&d, lines[i].part);
		assert_int_equal(fake_log_count(&d.k), 0);
	}
	same_as_before(&d);
	close_desk(&d);
}

static const struct { const char *method; int status; } methods[] = {
	{ "hot", CLI_DONE }, { "subordinate", CLI_DONE }, { "rescan", CLI_DONE }, { "d3", CLI_FAILED },
	{ "flr", CLI_FAILED }, { "bus", CLI_FAILED }, { "vfio", CLI_FAILED },
};

/* Those that the card does not have are no success, and leave nothing behind either. */
static void each_method_alone(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	fake_settings(&d.k)->allow = FAKE_ALLOW_RESCAN;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		char line[64];

		snprintf(line, sizeof(line), "pve-gpu reset 0a:00 --method %s", methods[i].method);
		expect(&d, line, methods[i].status);
		said(&d, methods[i].status ? "does not offer this method" : "was reset by");
		same_as_before(&d);
	}
	close_desk(&d);
}

/* A host that can sleep, its clock's alarm free. */
static void can_suspend(struct desk *d, const char *mem_sleep)
{
	int root = d->k.host.rootfd;

	assert_int_equal(tfs_put(root, "/sys/power/state", 0644, "freeze mem disk\n", 16), 0);
	assert_int_equal(tfs_putf(root, "/sys/power/mem_sleep", 0644, "%s\n", mem_sleep), 0);
	assert_int_equal(tfs_put(root, "/sys/power/wakeup_count", 0644, "12\n", 3), 0);
	assert_int_equal(tfs_put(root, "/sys/class/rtc/rtc0/wakealarm", 0644, "\n", 1), 0);
}

/* The number of the operation, from 1. */
static unsigned when(struct desk *d, const char *operation)
{
	unsigned n = 1;

	while (n <= fake_log_count(&d->k) && strcmp(fake_log(&d->k, n), operation) != 0)
		n++;
	if (n > fake_log_count(&d->k))
		fail_msg("nobody did '%s'", operation);
	return n;
}

static void the_host_sleeps(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "pve-gpu reset 0a:00 --method suspend", CLI_FAILED);
	said(&d, "does not offer this method");
	can_suspend(&d, "[s2idle]");
	expect(&d, "pve-gpu reset 0a:00 --method suspend", CLI_FAILED);
	can_suspend(&d, "s2idle [deep]");
	fake_device_die(&d.k, card[0]);
	expect(&d, "pve-gpu reset 0a:00", CLI_FAILED);
	assert_int_equal(fake_log_find(&d.k, "/sys/power/state"), 0);	/* not on its own */
	rule(&d, FAKE_RESET_REVIVES, "suspend", 0);
	expect(&d, "pve-gpu reset 0a:00 --method suspend", CLI_DONE);
	said(&d, "was reset by suspend");
	assert_int_equal(fake_log_find(&d.k, "/sys/power/state mem"), 1);
	assert_true(when(&d, "write /sys/class/rtc/rtc0/wakealarm +8") < when(&d, "write /sys/power/wakeup_count 12"));
	assert_true(when(&d, "write /sys/power/wakeup_count 12") < when(&d, "write /sys/power/state mem"));
	same_as_before(&d);
	close_desk(&d);
}

/* As the alarm itself, when it comes too early. */
static void an_event_before_the_sleep(void **state)
{
	char text[32];
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	can_suspend(&d, "[deep]");
	fake_fault_add(&d.k, (struct fake_fault){ .kind = FAKE_FAIL, .match = "write /sys/power/wakeup_count", .err = EINVAL });
	expect(&d, "pve-gpu reset 0a:00 --method suspend", CLI_FAILED);
	said(&d, "something woke it while it was about to");
	assert_int_equal(fake_log_find(&d.k, "/sys/power/state"), 0);
	tfs_get(d.k.host.rootfd, "/sys/class/rtc/rtc0/wakealarm", text, sizeof(text));
	assert_string_equal(text, "0");
	fake_fault_clear(&d.k);
	/* Of a kernel that does not count. */
	can_suspend(&d, "[deep]");
	assert_int_equal(unlinkat(d.k.host.rootfd, "sys/power/wakeup_count", 0), 0);
	expect(&d, "pve-gpu reset 0a:00 --method suspend", CLI_DONE);
	same_as_before(&d);
	close_desk(&d);
}

/* Which sleep is chosen is put back; a host that stays awake leaves no alarm behind. */
static void a_sleep_that_fails(void **state)
{
	char text[32];
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	can_suspend(&d, "[s2idle] deep");
	rule(&d, FAKE_RESET_FAILS, "suspend", 16);
	expect(&d, "pve-gpu reset 0a:00 --method suspend", CLI_FAILED);
	said(&d, "the host did not suspend: Device or resource busy");
	tfs_get(d.k.host.rootfd, "/sys/power/mem_sleep", text, sizeof(text));
	assert_string_equal(text, "s2idle");	/* the name is what is written */
	tfs_get(d.k.host.rootfd, "/sys/class/rtc/rtc0/wakealarm", text, sizeof(text));
	assert_string_equal(text, "0");
	expect(&d, "pve-gpu reset 0a:00 --method suspend", CLI_FAILED);
	said(&d, "alarm is set already");
	assert_int_equal(fake_log_find(&d.k, "/sys/power"), 4);		/* of the first time */
	same_as_before(&d);
	close_desk(&d);
}

static void nobody_sleeps_under_a_guest(void **state)
{
	static const struct bdf other = { 0, 1, 0, 0 };
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	can_suspend(&d, "[deep]");
	start_vm(&d, 101, &other, 0);
	expect(&d, "pve-gpu reset 0a:00 --method suspend", CLI_REFUSED);
	said(&d, "VM 101 runs");
	expect(&d, "pve-gpu reset 0a:00 --method suspend --dry-run", CLI_REFUSED);
	assert_int_equal(fake_log_find(&d.k, "/sys/"), 0);
	fake_vm_end(&d.k, 101);
	close_desk(&d);
}

static void a_card_in_use_is_refused(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "gpu-hook 100 pre-start", 0);
	start_vm(&d, 100, card, ARRAY_SIZE(card));
	fake_kernel_rewind(&d.k);
	expect(&d, "pve-gpu reset 0a:00", CLI_REFUSED);
	said(&d, "held by VM 100");
	expect(&d, "pve-gpu selftest 0a:00 --rounds 2 --json", CLI_REFUSED);
	said(&d, "held by VM 100");
	expect(&d, "pve-gpu reset 0a:00 --json", CLI_REFUSED);
	said(&d, "\"id\": \"held\"");
	expect(&d, "pve-gpu reset 01:00", CLI_REFUSED);		/* the host's own disk */
	said(&d, "the host needs it");
	assert_int_equal(fake_log_find(&d.k, "/sys/"), 0);
	assert_int_equal(fake_log_find(&d.k, "ioctl"), 0);
	fake_vm_end(&d.k, 100);
	expect(&d, "pve-gpu release 100", CLI_DONE);
	same_as_before(&d);
	close_desk(&d);
}

static void a_dead_card_is_revived(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	fake_settings(&d.k)->allow = FAKE_ALLOW_RESCAN;
	fake_device_die(&d.k, card[0]);
	expect(&d, "pve-gpu reset 0a:00", CLI_FAILED);
	said(&d, "is dead, and no reset brings it back");
	said(&d, "pve-gpu reset 0000:0a:00.0 --chain");
	said(&d, "Everything was put back as it was");
	same_as_before(&d);
	rule(&d, FAKE_RESET_REVIVES, "rescan", 0);
	expect(&d, "pve-gpu reset 0a:00 --chain", CLI_DONE);
	said(&d, "was reset by rescan");
	expect(&d, "pve-gpu list", CLI_DONE);
	same_as_before(&d);
	close_desk(&d);
}

static void rounds(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	expect(&d, "pve-gpu selftest 0a:00 --rounds 3", CLI_DONE);
	said(&d, "3 of 3 rounds went well");
	assert_int_equal(fake_counts(&d.k, card[0]).bus_reset, 3);
	same_as_before(&d);
	expect(&d, "pve-gpu selftest 0a:00 --rounds 2 --json", CLI_DONE);
	said(&d, "\"asked\": 2");
	rule(&d, FAKE_RESET_IS_DEATH, "", 0);
	expect(&d, "pve-gpu selftest 0a:00 --rounds 3", CLI_FAILED);
	said(&d, "failed");
	said(&d, "0 of 3 rounds went well");
	same_as_before(&d);
	close_desk(&d);
}

/* Killed at every write of a rescan: the next trial, or release, puts it right. */
static void killed_in_the_middle(void **state)
{
	unsigned writes;
	struct desk d;

	(void)state;
	open_desk(&d, "gpu-four");
	fake_settings(&d.k)->allow = FAKE_ALLOW_RESCAN;
	fake_kernel_rewind(&d.k);
	expect(&d, "pve-gpu reset 0a:00 --method rescan", CLI_DONE);
	writes = fake_log_count(&d.k);
	assert_true(writes > 30);
	for (unsigned n = 1; n <= writes; n += 3) {
		fake_kernel_rewind(&d.k);
		fake_fault_add(&d.k, (struct fake_fault){ .kind = n % 2 ? FAKE_KILL_BEFORE : FAKE_KILL_AFTER, .at = n,
			       .times = 1 });
		run(&d, "pve-gpu reset 0a:00 --method rescan");
		fake_fault_clear(&d.k);
		fake_settle(&d.k, 5000);
		expect(&d, "pve-gpu release 999999999", CLI_DONE);
		same_as_before(&d);
	}
	close_desk(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_card_is_reset),
		cmocka_unit_test(a_left_over_card_is_reset),
		cmocka_unit_test(words),
		cmocka_unit_test(each_method_alone),
		cmocka_unit_test(the_host_sleeps), cmocka_unit_test(a_sleep_that_fails),
		cmocka_unit_test(an_event_before_the_sleep),
		cmocka_unit_test(nobody_sleeps_under_a_guest), cmocka_unit_test(a_card_in_use_is_refused),
		cmocka_unit_test(a_dead_card_is_revived),
		cmocka_unit_test(rounds),
		cmocka_unit_test(killed_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
