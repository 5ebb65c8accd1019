// SPDX-License-Identifier: GPL-2.0-or-later
/* The fake kernel: drivers, overrides, resets, power and modules answer as Linux does. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

/* Two cards of one kind behind ports of their own; the first has a sound function beside it.  A
 * network card with a virtual function; a card in no group. */
static const char machine[] =
	"host pve1\niommu intel\ndriver vfio-pci\ndriver pci-stub\ndriver nouveau\n"
	"loadable nvidiafb\nloadable i2c-late driver=late-driver\n"
	"pci 0000:00:01.0 8086:1901 class=060400 bus=01 driver=pcieport group=1 reset=pm\n"
	"pci 0000:00:02.0 8086:1905 class=060400 bus=02 driver=pcieport group=2\n"
	"pci 0000:00:03.0 8086:1909 class=060400 bus=03 driver=pcieport group=3\n"
	"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia native=\"nvidia nouveau\" group=11 "
	"reset=bus bars=16m nodes=drm/card0@226:0\n"
	"pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=snd_hda_intel group=11 bars=16k\n"
	"pci 0000:02:00.0 10de:2684 class=030000 parent=0000:00:02.0 driver=nvidia native=\"nvidia nouveau\" group=12 "
	"reset=\"flr bus\" bars=16m nodes=drm/card1@226:1\n"
	"pci 0000:03:00.0 8086:1572 class=020000 parent=0000:00:03.0 driver=i40e group=13 reset=flr vfs=8\n"
	"pci 0000:03:02.0 8086:154c class=020000 parent=0000:00:03.0 physfn=0000:03:00.0 driver=iavf group=14 reset=flr\n"
	"pci 0000:00:1f.0 1234:0001 class=088000 native=late-driver\n";

#define DEV(bdf)	"/sys/bus/pci/devices/0000:" bdf
#define DRV(name)	"/sys/bus/pci/drivers/" name
#define CARD		"0000:01:00.0"
#define SOUND		"0000:01:00.1"
#define TWIN		"0000:02:00.0"

static const struct bdf card = { 0, 1, 0, 0 }, sound = { 0, 1, 0, 1 }, twin = { 0, 2, 0, 0 };

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

static void reads(struct fake_kernel *k, const char *path, const char *expected)
{
	char text[256];

	assert_int_equal(host_read_line(&k->host, path, text, sizeof(text)), 0);
	assert_string_equal(text, expected);
}

static void is_on(struct fake_kernel *k, struct bdf a, const char *driver)
{
	assert_string_equal(tree_attr(k->tree.dir, a, "driver").s, driver);
}

static void broke(struct fake_kernel *k, const char *part)
{
	if (!strstr(fake_violations(k), part))
		fail_msg("no violation '%s' in: %s", part, fake_violations(k));
	fake_violations_clear(k);
}

/* Override, unbind, bind. */
static void take(struct fake_kernel *k, const char *bdf, const char *from)
{
	struct host *h = &k->host;

	assert_int_equal(host_write(h, host_path("/sys/bus/pci/devices/%s/driver_override", bdf).s, "vfio-pci"), 0);
	assert_int_equal(host_write(h, host_path("/sys/bus/pci/drivers/%s/unbind", from).s, bdf), 0);
	assert_int_equal(host_write(h, DRV("vfio-pci/bind"), bdf), 0);
}

static void test_override_is_a_name_or_nothing(void **state)
{
	struct fake_kernel *k = *state;

	reads(k, DEV("01:00.0/driver_override"), "(null)");
	assert_int_equal(host_write(&k->host, DEV("01:00.0/driver_override"), "vfio-pci"), 0);
	reads(k, DEV("01:00.0/driver_override"), "vfio-pci");
	assert_int_equal(host_write(&k->host, DEV("01:00.0/driver_override"), ""), 0);
	reads(k, DEV("01:00.0/driver_override"), "vfio-pci");
	assert_int_equal(host_write(&k->host, DEV("01:00.0/driver_override"), "\n"), 0);
	reads(k, DEV("01:00.0/driver_override"), "(null)");
	is_on(k, card, "nvidia");
	assert_string_equal(fake_violations(k), "");
	assert_int_equal(host_write(&k->host, DEV("01:00.0/driver_override"), "(null)"), 0);
	broke(k, "\"(null)\" is the name of no driver");
}

static void test_unbind_and_bind_by_address(void **state)
{
	struct fake_kernel *k = *state;
	char *before = fake_kernel_dump(k, TREE_CHILDREN), *after;
	struct str diff = STR_INIT;

	assert_int_equal(host_write(&k->host, DRV("nvidia/unbind"), CARD), 0);
	is_on(k, card, "");
	assert_false(host_exists(&k->host, DRV("nvidia/" CARD)));
	assert_false(host_exists(&k->host, "/sys/class/drm/card0"));
	reads(k, DEV("01:00.0/enable"), "0");
	reads(k, DEV("01:00.0/uevent"), "PCI_CLASS=30000");
	assert_int_equal(host_write(&k->host, DRV("nvidia/bind"), CARD "\n"), 0);
	is_on(k, card, "nvidia");
	assert_true(host_exists(&k->host, "/sys/class/drm/card0/dev"));
	reads(k, DEV("01:00.0/uevent"), "DRIVER=nvidia");
	after = fake_kernel_dump(k, TREE_CHILDREN);
	assert_int_equal(tree_diff(before, after, &diff), 0);
	assert_int_equal(fake_counts(k, card).bind, 1);
	assert_int_equal(fake_counts(k, card).unbind, 1);
	assert_string_equal(fake_violations(k), "");
	str_release(&diff);
	free(before);
	free(after);
}

static void test_errno_of_bind_and_unbind(void **state)
{
	static const struct { const char *override, *path, *value; int r; } cases[] = {
		{ NULL, DRV("nvidia/unbind"), "0000:0f:00.0", -ENODEV },	/* nothing there */
		{ NULL, DRV("nouveau/unbind"), CARD, -ENODEV },			/* not its driver */
		{ NULL, DRV("nvidia/bind"), "garbage", -ENODEV },
		{ NULL, DRV("nvidia/bind"), CARD, -EBUSY },			/* bound */
		{ NULL, DRV("vfio-pci/bind"), CARD, -ENODEV },			/* no match comes first */
		{ "vfio-pci", DRV("nvidia/bind"), CARD, -ENODEV },
		{ "vfio-pci", DRV("vfio-pci/bind"), CARD, -EBUSY },
		{ NULL, DRV("absent/bind"), CARD, -ENOENT },
	};
	struct fake_kernel *k = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(host_write(&k->host, DEV("01:00.0/driver_override"),
					    cases[i].override ? cases[i].override : "\n"), 0);
		assert_int_equal(host_write(&k->host, cases[i].path, cases[i].value), cases[i].r);
		is_on(k, card, "nvidia");
	}
}

static void test_vfio_pci_refuses(void **state)
{
	struct fake_kernel *k = *state;
	struct host *h = &k->host;

	/* no group */
	assert_int_equal(host_write(h, DEV("00:1f.0/driver_override"), "vfio-pci"), 0);
	assert_int_equal(host_write(h, DRV("vfio-pci/bind"), "0000:00:1f.0"), -EINVAL);
	/* a bridge */
	assert_int_equal(host_write(h, DEV("00:01.0/driver_override"), "vfio-pci"), 0);
	assert_int_equal(host_write(h, DRV("pcieport/unbind"), "0000:00:01.0"), 0);
	assert_int_equal(host_write(h, DRV("vfio-pci/bind"), "0000:00:01.0"), -EINVAL);
	assert_string_equal(tree_attr(k->tree.dir, (struct bdf){ 0, 0, 1, 0 }, "driver").s, "");
	/* a physical function with virtual ones */
	assert_int_equal(host_write(h, DEV("03:00.0/driver_override"), "vfio-pci"), 0);
	assert_int_equal(host_write(h, DRV("i40e/unbind"), "0000:03:00.0"), 0);
	broke(k, "0000:03:00.0 has virtual functions");
	assert_int_equal(host_write(h, DRV("vfio-pci/bind"), "0000:03:00.0"), -EBUSY);
}

static void test_what_vfio_pci_changes(void **state)
{
	struct fake_kernel *k = *state;
	struct host *h = &k->host;
	char cfg[256];

	take(k, CARD, "nvidia");
	is_on(k, card, "vfio-pci");
	reads(k, DEV("01:00.0/power/control"), "auto");
	reads(k, DEV("01:00.0/power_state"), "D3hot");
	reads(k, DEV("01:00.0/power/runtime_status"), "suspended");
	assert_int_equal(host_read(h, DEV("01:00.0/config"), cfg, sizeof(cfg)), 256);
	assert_int_equal(cfg[0x64] & 3, 3);
	assert_true(host_exists(h, DEV("01:00.0/vfio-dev/vfio0/dev")));
	assert_true(host_exists(h, "/dev/vfio/11"));
	assert_int_equal(host_write(h, DEV("01:00.0/power/control"), "on"), 0);
	reads(k, DEV("01:00.0/power_state"), "D0");
	assert_int_equal(host_read(h, DEV("01:00.0/config"), cfg, sizeof(cfg)), 256);
	assert_int_equal(cfg[0x64] & 3, 0);
	take(k, SOUND, "snd_hda_intel");
	assert_true(host_exists(h, DEV("01:00.1/vfio-dev/vfio1")));
	assert_int_equal(host_write(h, DEV("01:00.0/power/control"), "auto"), 0);
	assert_int_equal(host_write(h, DRV("vfio-pci/unbind"), CARD), 0);
	reads(k, DEV("01:00.0/power/control"), "on");
	assert_false(host_exists(h, DEV("01:00.0/vfio-dev")));
	assert_true(host_exists(h, "/dev/vfio/11"));	/* the sound function still is of the group */
	assert_int_equal(host_write(h, DRV("vfio-pci/unbind"), SOUND), 0);
	assert_false(host_exists(h, "/dev/vfio/11"));
	assert_int_equal(host_write(h, DEV("01:00.0/power/control"), "sometimes"), -EINVAL);
	assert_string_equal(fake_violations(k), "");
}

static void test_probe_chooses_and_says_nothing(void **state)
{
	struct fake_kernel *k = *state;
	struct host *h = &k->host;

	assert_int_equal(host_write(h, DRV("nvidia/unbind"), CARD), 0);
	assert_int_equal(host_write(h, "/sys/bus/pci/drivers_probe", CARD), 0);
	is_on(k, card, "nouveau");	/* registered first */
	assert_int_equal(host_write(h, "/sys/bus/pci/drivers_probe", CARD), 0);
	assert_int_equal(host_write(h, DRV("nouveau/unbind"), CARD), 0);
	assert_int_equal(host_write(h, DEV("01:00.0/driver_override"), "none"), 0);
	assert_int_equal(host_write(h, "/sys/bus/pci/drivers_probe", CARD), 0);
	is_on(k, card, "");
	assert_int_equal(host_write(h, "/sys/bus/pci/drivers_probe", "0000:0f:00.0"), -ENODEV);
	/* a dynamic id of vfio-pci comes first of all */
	assert_int_equal(host_write(h, DEV("01:00.0/driver_override"), "\n"), 0);
	fake_dynid_add(k, "vfio-pci", 0x10de, 0x2684);
	is_on(k, card, "vfio-pci");	/* as soon as it was added */
	is_on(k, twin, "nvidia");
}

static void test_failing_probe(void **state)
{
	struct fake_kernel *k = *state;
	struct host *h = &k->host;

	fake_rule_add(k, (struct fake_rule){ .kind = FAKE_PROBE_FAILS, .driver = "nvidia", .value = EIO, .times = 1 });
	assert_int_equal(host_write(h, DRV("nvidia/unbind"), CARD), 0);
	assert_int_equal(host_write(h, DRV("nvidia/bind"), CARD), -EIO);
	is_on(k, card, "");
	assert_int_equal(host_write(h, DRV("nvidia/bind"), CARD), 0);
	fake_rule_add(k, (struct fake_rule){ .kind = FAKE_PROBE_FAILS, .device = TWIN, .value = ENOMEM });
	assert_int_equal(host_write(h, DRV("nvidia/unbind"), TWIN), 0);
	assert_int_equal(host_write(h, "/sys/bus/pci/drivers_probe", TWIN), 0);	/* and no word of it */
	is_on(k, twin, "");
	fake_rule_clear(k);
	assert_int_equal(host_write(h, DRV("nvidia/bind"), TWIN), 0);
}

static void test_leaking_enable(void **state)
{
	struct fake_kernel *k = *state;

	fake_rule_add(k, (struct fake_rule){ .kind = FAKE_ENABLE_LEAKS, .driver = "nvidia" });
	take(k, CARD, "nvidia");
	reads(k, DEV("01:00.0/enable"), "1");
}

static void test_host_driver_while_the_group_is_taken(void **state)
{
	struct fake_kernel *k = *state;
	struct host *h = &k->host;
	struct err e = ERR_INIT;

	take(k, CARD, "nvidia");
	assert_int_equal(fake_vm_start(k, 100, &card, 1, NULL, &e), -EPERM);	/* sound is the host's */
	take(k, SOUND, "snd_hda_intel");
	assert_int_equal(fake_vm_start(k, 100, &card, 1, NULL, &e), 0);
	assert_int_equal(fake_vm_start(k, 101, &sound, 1, NULL, &e), -EBUSY);
	reads(k, DEV("01:00.0/enable"), "1");
	reads(k, DEV("01:00.0/power_state"), "D0");
	assert_int_equal(host_write(h, DRV("vfio-pci/unbind"), SOUND), 0);	/* it is not open */
	assert_int_equal(host_write(h, DEV("01:00.1/driver_override"), "\n"), 0);
	assert_int_equal(host_write(h, DRV("snd_hda_intel/bind"), SOUND), -EBUSY);
	assert_int_equal(host_write(h, "/sys/bus/pci/drivers_probe", SOUND), -EINVAL);
	is_on(k, sound, "");
	assert_string_equal(fake_violations(k), "");
	fake_vm_fade(k, 100);
	assert_int_equal(host_write(h, DRV("snd_hda_intel/bind"), SOUND), -EBUSY);	/* it holds on */
	fake_vm_end(k, 100);
	reads(k, DEV("01:00.0/enable"), "0");
	assert_int_equal(host_write(h, DRV("snd_hda_intel/bind"), SOUND), 0);
}

static void test_reset_attribute(void **state)
{
	struct fake_kernel *k = *state;
	struct host *h = &k->host;

	take(k, CARD, "nvidia");
	take(k, SOUND, "snd_hda_intel");
	take(k, TWIN, "nvidia");
	assert_int_equal(host_write(h, DEV("02:00.0/reset"), "1"), 0);
	assert_int_equal(host_write(h, DEV("02:00.0/reset"), "2"), -EINVAL);
	assert_int_equal(fake_counts(k, twin).reset, 1);
	/* `bus` is listed, but the function is not alone on its bus */
	reads(k, DEV("01:00.0/reset_method"), "bus");
	assert_int_equal(host_write(h, DEV("01:00.0/reset"), "1"), -ENOTTY);
	assert_int_equal(host_write(h, DEV("01:00.1/reset"), "1"), -ENOENT);
	assert_int_equal(fake_counts(k, card).reset, 0);
	/* alone on its bus it works */
	assert_int_equal(host_write(h, DEV("02:00.0/reset_method"), "bus"), 0);
	assert_int_equal(host_write(h, DEV("02:00.0/reset"), "1"), 0);
	fake_rule_add(k, (struct fake_rule){ .kind = FAKE_NO_BUS_RESET, .device = TWIN });
	assert_int_equal(host_write(h, DEV("02:00.0/reset"), "1"), -ENOTTY);
	assert_string_equal(fake_violations(k), "");
}

static void test_reset_method(void **state)
{
	struct fake_kernel *k = *state;
	struct host *h = &k->host;

	assert_int_equal(host_write(h, DEV("02:00.0/reset_method"), "bus flr"), 0);
	reads(k, DEV("02:00.0/reset_method"), "bus flr");
	assert_int_equal(host_write(h, DEV("02:00.0/reset_method"), "pm"), -EINVAL);
	assert_int_equal(host_write(h, DEV("02:00.0/reset_method"), "lr"), -EINVAL);
	reads(k, DEV("02:00.0/reset_method"), "bus flr");
	assert_int_equal(host_write(h, DEV("02:00.0/reset_method"), "\n"), 0);
	reads(k, DEV("02:00.0/reset_method"), "");
	assert_int_equal(host_write(h, DEV("02:00.0/reset_method"), "default"), 0);
	reads(k, DEV("02:00.0/reset_method"), "flr bus");
	/* looking again shows the truth about the card with two functions */
	assert_int_equal(host_write(h, DEV("01:00.0/reset_method"), "default"), 0);
	reads(k, DEV("01:00.0/reset_method"), "");
}

static void test_resets_that_fail_or_kill(void **state)
{
	struct fake_kernel *k = *state;
	struct host *h = &k->host;
	uint8_t cfg[256];

	take(k, TWIN, "nvidia");
	fake_rule_add(k, (struct fake_rule){ .kind = FAKE_RESET_FAILS, .device = TWIN, .value = ETIMEDOUT, .times = 1 });
	assert_int_equal(host_write(h, DEV("02:00.0/reset"), "1"), -ETIMEDOUT);
	fake_rule_add(k, (struct fake_rule){ .kind = FAKE_RESET_IS_DEATH });
	assert_int_equal(host_write(h, DEV("02:00.0/reset"), "1"), 0);
	assert_int_equal(host_read(h, DEV("02:00.0/config"), cfg, sizeof(cfg)), 256);
	assert_int_equal(cfg[0] & cfg[1] & cfg[0x34], 0xff);
	reads(k, DEV("02:00.0/vendor"), "0x10de");
	fake_device_revive(k, twin);
	assert_int_equal(host_read(h, DEV("02:00.0/config"), cfg, sizeof(cfg)), 256);
	assert_int_equal(cfg[0], 0xde);
}

static void test_resets_that_hurt(void **state)
{
	struct fake_kernel *k = *state;
	struct host *h = &k->host;
	struct err e = ERR_INIT;

	assert_int_equal(host_write(h, DEV("02:00.0/reset"), "1"), 0);
	broke(k, "0000:02:00.0 belongs to the host driver nvidia");
	assert_int_equal(host_write(h, DEV("00:01.0/reset_subordinate"), "1"), 0);
	broke(k, "0000:01:00.1 belongs to the host driver snd_hda_intel");
	assert_int_equal(fake_counts(k, sound).bus_reset, 1);
	take(k, TWIN, "nvidia");
	assert_int_equal(fake_vm_start(k, 100, &twin, 1, NULL, &e), 0);
	assert_int_equal(host_write(h, DEV("02:00.0/reset"), "1"), 0);
	broke(k, "VM 100 has 0000:02:00.0 open");
}

static void test_forbidden_writes(void **state)
{
	static const struct { const char *path, *value, *says; } cases[] = {
		{ DRV("vfio-pci/new_id"), "10de 2684", "nobody is to write ids" },
		{ DRV("vfio-pci/remove_id"), "10de 2684", "nobody is to write ids" },
		{ DEV("01:00.0/remove"), "1", "nobody is to remove or rescan" },
		{ DEV("00:01.0/rescan"), "1", "nobody is to remove or rescan" },
		{ "/sys/bus/pci/rescan", "1", "nobody is to remove or rescan" },
	};
	struct fake_kernel *k = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(host_write(&k->host, cases[i].path, cases[i].value), -EACCES);
		broke(k, cases[i].says);
	}
	fake_settings(k)->allow = FAKE_ALLOW_NEW_ID | FAKE_ALLOW_REMOVE_ID;
	assert_int_equal(host_write(&k->host, DRV("nvidia/unbind"), CARD), 0);
	assert_int_equal(host_write(&k->host, DRV("vfio-pci/new_id"), "10de 2684"), 0);
	is_on(k, card, "vfio-pci");
	assert_int_equal(host_write(&k->host, DRV("vfio-pci/new_id"), "10de 2684"), -EEXIST);
	assert_int_equal(host_write(&k->host, DRV("vfio-pci/remove_id"), "10de 2684"), 0);
	assert_int_equal(host_write(&k->host, DRV("vfio-pci/remove_id"), "10de 2684"), -ENODEV);
	is_on(k, card, "vfio-pci");
	assert_string_equal(fake_violations(k), "");
}

static int run(struct fake_kernel *k, const char *a, const char *b, const char *c, struct host_run *ret)
{
	const char *const argv[] = { a, b, c, NULL };

	return host_run(&k->host, argv, 1000, ret);
}

static void test_modules(void **state)
{
	struct fake_kernel *k = *state;
	struct host_run r;

	assert_false(host_exists(&k->host, DRV("late-driver")));
	assert_int_equal(run(k, "/sbin/modprobe", "--", "i2c_late", &r), 0);
	assert_int_equal(r.status, 0);
	assert_true(host_exists(&k->host, DRV("late-driver/bind")));
	reads(k, "/sys/module/i2c_late/initstate", "live");
	assert_string_equal(tree_attr(k->tree.dir, (struct bdf){ 0, 0, 0x1f, 0 }, "driver").s, "late-driver");
	assert_int_equal(run(k, "/sbin/modprobe", "-q", "vfio-pci", &r), 0);	/* loaded already */
	assert_int_equal(r.status, 0);
	assert_int_equal(run(k, "/sbin/modprobe", "--", "nonsense", &r), 0);
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.output, "Module nonsense not found"));
	assert_int_equal(run(k, "/usr/bin/nvidia-smi", "-q", NULL, &r), 0);
	assert_int_equal(r.status, 127);
	fake_run_answer(k, "nvidia-smi", 0, "580.105.08\n");
	assert_int_equal(run(k, "/usr/bin/nvidia-smi", "-q", NULL, &r), 0);
	assert_string_equal(r.output, "580.105.08\n");
	assert_string_equal(fake_violations(k), "");
	assert_int_equal(run(k, "/sbin/modprobe", "-r", "nvidia", &r), 0);
	broke(k, "nobody is to unload modules");
}

static void test_plain_attributes_are_replaced(void **state)
{
	struct fake_kernel *k = *state;

	assert_int_equal(host_write(&k->host, DEV("01:00.0/d3cold_allowed"), "0"), 0);
	reads(k, DEV("01:00.0/d3cold_allowed"), "0");
	assert_int_equal(host_write(&k->host, DEV("01:00.0/d3cold_allowed"), "x"), -EINVAL);
	assert_int_equal(host_write(&k->host, "/proc/sys/kernel/hostname", "a\n"), 0);
	reads(k, "/proc/sys/kernel/hostname", "a");
	assert_int_equal(host_write(&k->host, DEV("01:00.0/nothing"), "1"), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_override_is_a_name_or_nothing),
		TEST(test_unbind_and_bind_by_address),
		TEST(test_errno_of_bind_and_unbind),
		TEST(test_vfio_pci_refuses),
		TEST(test_what_vfio_pci_changes),
		TEST(test_probe_chooses_and_says_nothing),
		TEST(test_failing_probe),
		TEST(test_leaking_enable),
		TEST(test_host_driver_while_the_group_is_taken),
		TEST(test_reset_attribute),
		TEST(test_reset_method),
		TEST(test_resets_that_fail_or_kill),
		TEST(test_resets_that_hurt),
		TEST(test_forbidden_writes),
		TEST(test_modules),
		TEST(test_plain_attributes_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
