// SPDX-License-Identifier: GPL-2.0-or-later
/* Binding by address, against the fake kernel: what was asked for is what happened, or a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "driver.h"
#include "kernel.h"
#include "pdev.h"

static const char machine[] =
	"host pve1\niommu intel\nroot 0000:00\ndriver vfio-pci\ndriver nvidia\ndriver nouveau\n"
	"loadable snd_hda_intel driver=snd_hda_intel\nloadable empty driver=other\n"
	"pci 0000:00:01.0 8086:460d class=060400 bus=01 driver=pcieport group=1\n"
	"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia group=14 reset=flr power=auto\n"
	"pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 native=snd_hda_intel group=14 reset=flr\n";

static const struct bdf gpu = { 0, 1, 0, 0 }, audio = { 0, 1, 0, 1 }, none = { 0, 9, 0, 0 };

struct box { struct fake_kernel k; struct err e; uint64_t ns; };

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b || fake_kernel_open_text(&b->k, machine, &b->e) < 0) {
		print_error("%s\n", b ? b->e.msg : "");
		return -1;
	}
	fake_settings(&b->k)->time_scale = 20;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;

	assert_string_equal(fake_violations(&b->k), "");
	fake_kernel_close(&b->k);
	free(b);
	return 0;
}

static void fails(struct box *b, int r, int want, const char *part)
{
	if (r != want || !strstr(b->e.msg, part))
		fail_msg("returned %d, wanted %d with '%s': %s", r, want, part, b->e.msg);
	assert_int_equal(b->e.code, -want);
	b->e = (struct err)ERR_INIT;
}

static void works(struct box *b, int r)
{
	if (r != 0)
		fail_msg("%s", b->e.msg);
	assert_string_equal(b->e.msg, "");
}

static const char *on(struct box *b, struct bdf a)
{
	static char name[PDEV_NAME];

	works(b, driver_current(&b->k.host, a, name, sizeof(name), &b->e));
	return name;
}

static void who_drives_it(void **state)
{
	struct box *b = *state;
	char name[PDEV_NAME];

	assert_string_equal(on(b, gpu), "nvidia");
	assert_string_equal(on(b, audio), "");
	fails(b, driver_current(&b->k.host, none, name, sizeof(name), &b->e), -ENODEV, "left the bus");
	fails(b, driver_current(&b->k.host, gpu, name, 3, &b->e), -ENAMETOOLONG, "0000:01:00.0");
}

static void there_and_back(void **state)
{
	struct box *b = *state;
	struct host *h = &b->k.host;
	char *before = fake_kernel_dump(&b->k, 0), *after;

	works(b, driver_set_override(h, gpu, "vfio-pci", &b->ns, &b->e));
	works(b, driver_unbind(h, gpu, "nvidia", &b->ns, &b->e));
	assert_string_equal(on(b, gpu), "");
	works(b, driver_unbind(h, gpu, "nvidia", &b->ns, &b->e));	/* nothing is bound: done */
	works(b, driver_bind(h, gpu, "vfio-pci", &b->ns, &b->e));
	assert_string_equal(on(b, gpu), "vfio-pci");
	works(b, driver_bind(h, gpu, "vfio-pci", &b->ns, &b->e));
	assert_true(b->ns > 0);
	works(b, driver_unbind(h, gpu, "vfio-pci", &b->ns, &b->e));
	works(b, driver_set_override(h, gpu, "nvidia", &b->ns, &b->e));
	works(b, driver_bind(h, gpu, "nvidia", &b->ns, &b->e));
	works(b, driver_set_override(h, gpu, "", &b->ns, &b->e));
	works(b, driver_attr(h, gpu, "power/control", "auto", &b->ns, &b->e));
	after = fake_kernel_dump(&b->k, 0);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* Cleared by a newline; "(null)" is what an unset override reads, and no name. */
static void overrides(void **state)
{
	struct box *b = *state;
	char text[PDEV_NAME];

	assert_int_equal(pdev_read_override(&b->k.host, gpu, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	works(b, driver_set_override(&b->k.host, gpu, "none", &b->ns, &b->e));
	assert_int_equal(pdev_read_override(&b->k.host, gpu, text, sizeof(text)), 0);
	assert_string_equal(text, "none");
	works(b, driver_set_override(&b->k.host, gpu, "", &b->ns, &b->e));
	assert_string_equal(tree_attr(b->k.tree.dir, gpu, "driver_override").s, "(null)");
	fails(b, driver_set_override(&b->k.host, none, "vfio-pci", &b->ns, &b->e), -ENOENT, "0000:09:00.0");
}

static void an_unbind_from_another_driver(void **state)
{
	struct box *b = *state;

	fails(b, driver_unbind(&b->k.host, gpu, "nouveau", &b->ns, &b->e), -EBUSY, "is on nvidia, not on nouveau");
	assert_string_equal(on(b, gpu), "nvidia");
	assert_int_equal(fake_log_count(&b->k), 0);
}

static void a_bind_that_is_not_accepted(void **state)
{
	struct box *b = *state;

	/* vfio-pci takes only what is overridden to it */
	fails(b, driver_bind(&b->k.host, audio, "vfio-pci", &b->ns, &b->e), -ENODEV, "driver_override");
	fails(b, driver_bind(&b->k.host, gpu, "vfio-pci", &b->ns, &b->e), -EBUSY, "on nvidia already");
	fails(b, driver_bind(&b->k.host, audio, "nosuch", &b->ns, &b->e), -ENOENT, "nosuch");
	assert_string_equal(on(b, gpu), "nvidia");
	assert_string_equal(on(b, audio), "");
}

static const struct { int err, want; const char *part; unsigned times, tries; } probes[] = {
	{ ENOMEM, -ENOMEM, "Cannot allocate memory", 0, 1 },
	{ EIO, -EIO, "probe failed", 0, 1 },
	{ EBUSY, -EBUSY, "IOMMU group", 0, 6 },		/* tried again for a short while */
	{ EBUSY, 0, "", 2, 3 },
	{ EAGAIN, 0, "", 1, 2 },
};

static void probes_that_fail(void **state)
{
	struct box *b = *state;

	works(b, driver_set_override(&b->k.host, audio, "vfio-pci", &b->ns, &b->e));
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		int r;

		fake_kernel_rewind(&b->k);
		fake_rule_add(&b->k, (struct fake_rule){ .kind = FAKE_PROBE_FAILS, .driver = "vfio-pci",
							 .value = probes[i].err, .times = probes[i].times });
		r = driver_bind(&b->k.host, audio, "vfio-pci", &b->ns, &b->e);
		if (probes[i].want)
			fails(b, r, probes[i].want, probes[i].part);
		else
			works(b, r);
		assert_int_equal(fake_log_find(&b->k, "/vfio-pci/bind"), probes[i].tries);
		assert_string_equal(on(b, audio), probes[i].want ? "" : "vfio-pci");
		fake_rule_clear(&b->k);
		works(b, driver_unbind(&b->k.host, audio, "vfio-pci", &b->ns, &b->e));
	}
}

/* While a VM has the group no native driver binds; vfio-pci does. */
static void a_group_that_a_vm_owns(void **state)
{
	struct box *b = *state;

	works(b, driver_unbind(&b->k.host, gpu, "nvidia", &b->ns, &b->e));
	works(b, driver_set_override(&b->k.host, audio, "vfio-pci", &b->ns, &b->e));
	works(b, driver_bind(&b->k.host, audio, "vfio-pci", &b->ns, &b->e));
	works(b, fake_vm_start(&b->k, 101, &audio, 1, NULL, &b->e));
	fails(b, driver_bind(&b->k.host, gpu, "nvidia", &b->ns, &b->e), -EBUSY, "a VM still owns its IOMMU group");
	fake_vm_end(&b->k, 101);
	works(b, driver_bind(&b->k.host, gpu, "nvidia", &b->ns, &b->e));
}

/* The link is gone before the driver's remove has finished: it is the write's return that counts. */
static void a_slow_remove_is_waited_for(void **state)
{
	struct box *b = *state;

	fake_rule_add(&b->k, (struct fake_rule){ .kind = FAKE_REMOVE_SLOW, .driver = "nvidia", .value = 120 });
	works(b, driver_unbind(&b->k.host, gpu, "nvidia", &b->ns, &b->e));
	assert_true(b->ns >= 100 * 1000000ULL);
}

static void faults_are_told(void **state)
{
	static const int errnos[] = { EBUSY, ENODEV, EIO, ENOTTY };
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++) {
		fake_kernel_rewind(&b->k);
		fake_fault_add(&b->k, (struct fake_fault){ .kind = FAKE_FAIL, .at = 1, .err = errnos[i], .times = 1 });
		fails(b, driver_unbind(&b->k.host, gpu, "nvidia", &b->ns, &b->e), -errnos[i], "cannot unbind 0000:01:00.0");
		assert_string_equal(on(b, gpu), "nvidia");
		fake_kernel_rewind(&b->k);
		fake_fault_add(&b->k, (struct fake_fault){ .kind = FAKE_FAIL, .at = 1, .err = errnos[i], .times = 1 });
		fails(b, driver_set_override(&b->k.host, gpu, "x", &b->ns, &b->e), -errnos[i], "driver_override");
	}
	fake_fault_clear(&b->k);
}

static void modules(void **state)
{
	struct box *b = *state;
	struct host *h = &b->k.host;

	works(b, driver_need(h, "nvidia", "nvidia", 1000, &b->ns, &b->e));
	assert_int_equal(fake_log_count(&b->k), 0);	/* it is there: nothing is run */
	fails(b, driver_need(h, "amdgpu", "", 1000, &b->ns, &b->e), -ENOENT, "which module");
	works(b, driver_need(h, "snd_hda_intel", "snd_hda_intel", 1000, &b->ns, &b->e));
	assert_true(host_exists(h, "/sys/bus/pci/drivers/snd_hda_intel"));
	fails(b, driver_need(h, "amdgpu", "amdgpu", 1000, &b->ns, &b->e), -ENOENT, "still no driver amdgpu");
	fails(b, driver_need(h, "wanted", "empty", 1000, &b->ns, &b->e), -ENOENT, "still no driver wanted");
}

static void attributes(void **state)
{
	struct box *b = *state;

	works(b, driver_attr(&b->k.host, gpu, "power/control", "on", &b->ns, &b->e));
	assert_string_equal(tree_attr(b->k.tree.dir, gpu, "power/control").s, "on");
	fails(b, driver_attr(&b->k.host, gpu, "nosuch", "1", &b->ns, &b->e), -ENOENT, "nosuch of 0000:01:00.0");
}

int main(void)
{
#define BOX(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		BOX(who_drives_it), BOX(there_and_back), BOX(overrides), BOX(an_unbind_from_another_driver),
		BOX(a_bind_that_is_not_accepted), BOX(probes_that_fail), BOX(a_group_that_a_vm_owns),
		BOX(a_slow_remove_is_waited_for), BOX(faults_are_told), BOX(modules), BOX(attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
