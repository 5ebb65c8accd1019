// SPDX-License-Identifier: GPL-2.0-or-later
/* Virtual functions: where they will be, making them, taking them away. */
#include "test_inuse_tree.h"

#include <errno.h>

#include "sriov.h"

#define PF	"0000:01:00.0"

static const struct bdf pf = { 0, 1, 0, 0 };
static struct box *kernel;		/* whose writes are given a meaning */
static int refusal;			/* of a write to sriov_numvfs */
static bool same_group, autoprobe_stuck;
static unsigned others;			/* made by somebody else when that write begins */

static void make_vf(struct box *b, unsigned i)
{
	struct host_path bdf = host_path("0000:01:10.%u", i);

	box_put(b, host_path(PCI "%s/vendor", bdf.s).s, "0x8086\n");
	box_link(b, host_path("/sys/bus/pci/devices/%s", bdf.s).s, host_path("../../../devices/pci0000:00/%s", bdf.s).s);
	box_link(b, host_path(PCI PF "/virtfn%u", i).s, host_path("../%s", bdf.s).s);
	box_link(b, host_path(PCI "%s/iommu_group", bdf.s).s, same_group ? "../../g/7" : host_path("../../g/%u", 20 + i).s);
}

static void take_vfs(struct box *b)
{
	for (unsigned i = 0; i < 8; i++) {
		unlink(box_path(b, host_path(PCI PF "/virtfn%u", i).s).s);
		unlink(box_path(b, host_path("/sys/bus/pci/devices/0000:01:10.%u", i).s).s);
	}
}

/* drivers/pci/iov.c: sriov_numvfs_store */
static int write_attr(struct host *h, const char *path, const void *data, size_t len)
{
	unsigned n = 0;

	if (strstr(path, "autoprobe") && autoprobe_stuck)
		return -EACCES;
	if (strstr(path, "sriov_numvfs")) {
		while (others) {
			make_vf(kernel, --others);
			if (others == 0)
				return -EBUSY;
		}
		if (refusal)
			return -refusal;
		assert_int_equal(len, 1);
		n = (unsigned)(*(const char *)data - '0');
		take_vfs(kernel);
		for (unsigned i = 0; i < n; i++)
			make_vf(kernel, i);
	}
	return host_default_ops.write(h, path, data, len);
}

static struct host_ops ops;

static int setup(void **state)
{
	struct box *b = box_new();

	box_pci(b, PF);
	box_put(b, PCI PF "/sriov_totalvfs", "8\n");
	box_put(b, PCI PF "/sriov_numvfs", "0\n");
	box_put(b, PCI PF "/sriov_offset", "128\n");
	box_put(b, PCI PF "/sriov_stride", "1\n");
	box_put(b, PCI PF "/sriov_vf_device", "154c\n");
	box_put(b, PCI PF "/sriov_drivers_autoprobe", "1\n");
	box_link(b, PCI PF "/iommu_group", "../../g/7");
	ops = host_default_ops;
	ops.write = write_attr;
	b->h.ops = &ops;
	kernel = b;
	refusal = 0;
	others = 0;
	same_group = autoprobe_stuck = false;
	*state = b;
	return 0;
}

static void expect_attr(struct box *b, const char *attr, const char *want)
{
	char now[16];

	assert_int_equal(host_read_line(&b->h, host_path(PCI PF "/%s", attr).s, now, sizeof(now)), 0);
	assert_string_equal(now, want);
}

static unsigned now(struct box *b)
{
	struct sriov s;

	assert_int_equal(sriov_read(&b->h, pf, &s), 0);
	return s.now;
}

static void where_they_will_be(void **state)
{
	struct box *b = *state;
	struct sriov s, far = { .pf = { 0, 0x3b, 0, 1 }, .offset = 384, .stride = 2 };

	assert_int_equal(sriov_read(&b->h, pf, &s), 0);
	assert_int_equal(s.total, 8);
	assert_int_equal(s.vf_device, 0x154c);
	assert_string_equal(BDF_S(sriov_address(&s, 0)), "0000:01:10.0");
	assert_string_equal(BDF_S(sriov_address(&s, 7)), "0000:01:10.7");
	assert_string_equal(BDF_S(sriov_address(&s, 8)), "0000:01:11.0");
	assert_string_equal(BDF_S(sriov_address(&far, 0)), "0000:3c:10.1");	/* another bus */
	assert_int_equal(sriov_read(&b->h, (struct bdf){ 0, 9, 0, 0 }, &s), -ENOENT);
}

static void made_and_taken_away(void **state)
{
	struct box *b = *state;
	struct err e = ERR_INIT;
	uint64_t ns = 0;

	assert_int_equal(sriov_make(&b->h, pf, 4, &ns, &e), 0);
	assert_int_equal(now(b), 4);
	expect_attr(b, "sriov_drivers_autoprobe", "1");
	refusal = EBUSY;	/* no second write */
	assert_int_equal(sriov_make(&b->h, pf, 4, &ns, &e), 0);
	refusal = 0;
	assert_int_equal(sriov_unmake(&b->h, pf, 4, "1", &ns, &e), 0);
	assert_int_equal(now(b), 0);
	assert_int_equal(sriov_unmake(&b->h, pf, 2, "1", &ns, &e), 0);
}

static void one_in_use_keeps_all(void **state)
{
	struct box *b = *state;
	struct err e = ERR_INIT;
	uint64_t ns = 0;

	assert_int_equal(sriov_make(&b->h, pf, 2, &ns, &e), 0);
	box_link(b, PCI "0000:01:10.1/driver", "../../../bus/pci/drivers/vfio-pci");
	assert_int_equal(sriov_unmake(&b->h, pf, 2, "1", &ns, &e), 1);
	assert_int_equal(now(b), 2);
}

static void what_the_kernel_refuses_is_said(void **state)
{
	static const struct { int err; const char *part; } cases[] = {
		{ EBUSY, "already: stop the VMs that have them, then" }, { ENOENT, "no driver" }, { ERANGE, "sriov_numvfs of " PF },
	};
	struct box *b = *state;
	uint64_t ns = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err e = ERR_INIT;

		refusal = cases[i].err;
		assert_int_equal(sriov_make(&b->h, pf, 4, &ns, &e), -cases[i].err);
		assert_non_null(strstr(e.msg, cases[i].part));
		expect_attr(b, "sriov_drivers_autoprobe", "1");
	}
}

/* Proxmox binds whole groups: the physical function would go too. */
static void a_group_with_the_parent_is_refused(void **state)
{
	struct box *b = *state;
	struct err e = ERR_INIT;
	uint64_t ns = 0;

	same_group = true;
	assert_int_equal(sriov_make(&b->h, pf, 2, &ns, &e), -EPERM);
	assert_non_null(strstr(e.msg, "shares its IOMMU group"));
	assert_int_equal(now(b), 0);
	expect_attr(b, "sriov_drivers_autoprobe", "1");
}

/* An administrator was faster, with another number: his stay, also when the step is taken back. */
static void those_of_somebody_else_stay(void **state)
{
	struct box *b = *state;
	struct err e = ERR_INIT;
	uint64_t ns = 0;

	others = 3;
	assert_int_equal(sriov_make(&b->h, pf, 2, &ns, &e), -EBUSY);
	assert_int_equal(now(b), 3);
	assert_int_equal(sriov_unmake(&b->h, pf, 2, "1", &ns, &e), 1);
	assert_int_equal(now(b), 3);
}

/* Killed between its two writes. */
static void a_half_made_start_is_put_right(void **state)
{
	struct box *b = *state;
	struct err e = ERR_INIT;
	uint64_t ns = 0;

	box_put(b, PCI PF "/sriov_drivers_autoprobe", "0\n");
	assert_int_equal(sriov_unmake(&b->h, pf, 2, "1", &ns, &e), 0);
	expect_attr(b, "sriov_drivers_autoprobe", "1");
	autoprobe_stuck = true;
	assert_int_equal(sriov_unmake(&b->h, pf, 2, "0", &ns, &e), -EACCES);
}

#define T(name)	cmocka_unit_test_setup_teardown(name, setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(where_they_will_be),
		T(made_and_taken_away),
		T(one_in_use_keeps_all),
		T(what_the_kernel_refuses_is_said),
		T(a_group_with_the_parent_is_refused),
		T(those_of_somebody_else_stay),
		T(a_half_made_start_is_put_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
