// SPDX-License-Identifier: GPL-2.0-or-later
/* The fake kernel's /dev/vfio: who may open what, and resets through it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"

/* A card with two functions, one alone with FLR, one on the root bus, two behind one port in groups
 * of their own; all on vfio-pci. */
static const char machine[] =
	"host pve1\niommu intel\n"
	"pci 0000:00:01.0 8086:1901 class=060400 bus=01 driver=pcieport group=1\n"
	"pci 0000:00:02.0 8086:1905 class=060400 bus=02 driver=pcieport group=2\n"
	"pci 0000:00:03.0 8086:1909 class=060400 bus=03 driver=pcieport group=3\n"
	"pci 0000:00:14.0 8086:7a60 class=0c0330 driver=vfio-pci native=xhci_hcd group=10 bars=64k:64\n"
	"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=vfio-pci native=nvidia group=11 reset=bus\n"
	"pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=vfio-pci native=snd_hda_intel group=11\n"
	"pci 0000:02:00.0 10de:26b1 class=030000 parent=0000:00:02.0 driver=vfio-pci native=nvidia group=12 reset=flr\n"
	"pci 0000:03:00.0 1002:73bf class=030000 parent=0000:00:03.0 driver=vfio-pci native=amdgpu group=13\n"
	"pci 0000:03:00.1 1002:ab28 class=040300 parent=0000:00:03.0 driver=vfio-pci native=snd_hda_intel group=14\n"
	"driver snd_hda_intel\ndriver nvidia\n";

#define DEV(bdf)	"/sys/bus/pci/devices/0000:" bdf
#define DRV(name)	"/sys/bus/pci/drivers/" name

static const struct bdf card = { 0, 1, 0, 0 }, sound = { 0, 1, 0, 1 }, flr = { 0, 2, 0, 0 };

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

static int open_node(struct fake_kernel *k, const char *path)
{
	return host_open_file(&k->host, path, O_RDWR, 0);
}

static int set_iommu(struct fake_kernel *k, int container)
{
	return host_ioctl(&k->host, container, VFIO_SET_IOMMU, (void *)(uintptr_t)VFIO_TYPE1v2_IOMMU);
}

static unsigned group_flags(struct fake_kernel *k, int group)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	assert_int_equal(host_ioctl(&k->host, group, VFIO_GROUP_GET_STATUS, &status), 0);
	return status.flags;
}

/* A device's descriptor, its group in a container of its own. */
struct session {
	int container, group, device;
};

static void session_open(struct fake_kernel *k, struct session *s, int group, const char *device)
{
	char name[20];

	snprintf(name, sizeof(name), "%s", device);
	s->container = open_node(k, "/dev/vfio/vfio");
	s->group = open_node(k, host_path("/dev/vfio/%d", group).s);
	assert_true(s->container >= 0 && s->group >= 0);
	assert_int_equal(host_ioctl(&k->host, s->group, VFIO_GROUP_SET_CONTAINER, &s->container), 0);
	assert_int_equal(set_iommu(k, s->container), 0);
	s->device = host_ioctl(&k->host, s->group, VFIO_GROUP_GET_DEVICE_FD, name);
	assert_true(s->device >= 0);
}

static void session_close(struct session *s)
{
	close(s->device);
	close(s->group);
	close(s->container);
}

static int hot_reset(struct fake_kernel *k, int device, const int *groups, unsigned n)
{
	union {
		struct vfio_pci_hot_reset r;
		char room[sizeof(struct vfio_pci_hot_reset) + 8 * sizeof(int32_t)];
	} u;

	memset(&u, 0, sizeof(u));
	u.r.argsz = (uint32_t)(sizeof(u.r) + n * sizeof(int32_t));
	u.r.count = n;
	for (unsigned i = 0; i < n; i++)
		u.r.group_fds[i] = groups[i];
	return host_ioctl(&k->host, device, VFIO_DEVICE_PCI_HOT_RESET, &u.r);
}

static void test_container(void **state)
{
	struct fake_kernel *k = *state;
	int fd = open_node(k, "/dev/vfio/vfio");

	assert_true(fd >= 0);
	assert_int_equal(host_ioctl(&k->host, fd, VFIO_GET_API_VERSION, NULL), VFIO_API_VERSION);
	assert_int_equal(host_ioctl(&k->host, fd, VFIO_CHECK_EXTENSION, (void *)(uintptr_t)VFIO_TYPE1v2_IOMMU), 1);
	assert_int_equal(host_ioctl(&k->host, fd, VFIO_CHECK_EXTENSION, (void *)(uintptr_t)VFIO_SPAPR_TCE_IOMMU), 0);
	assert_int_equal(set_iommu(k, fd), -EINVAL);	/* no group in it */
	close(fd);
}

static void test_a_group_is_opened_once(void **state)
{
	struct fake_kernel *k = *state;
	int a = open_node(k, "/dev/vfio/11"), status, life[2];
	char end;
	pid_t pid;

	assert_true(a >= 0);
	assert_int_equal(open_node(k, "/dev/vfio/11"), -EBUSY);
	assert_int_equal(pipe(life), 0);
	pid = fork();	/* a child that lives on keeps it open */
	if (pid == 0) {
		close(life[1]);
		_exit((int)read(life[0], &end, 1));
	}
	close(life[0]);
	close(a);
	assert_int_equal(open_node(k, "/dev/vfio/11"), -EBUSY);
	close(life[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	a = open_node(k, "/dev/vfio/11");
	assert_true(a >= 0);
	close(a);
	assert_int_equal(open_node(k, "/dev/vfio/99"), -ENOENT);
}

static void test_viability(void **state)
{
	struct fake_kernel *k = *state;
	struct host *h = &k->host;
	int container = open_node(k, "/dev/vfio/vfio"), group = open_node(k, "/dev/vfio/11");

	assert_int_equal(group_flags(k, group), VFIO_GROUP_FLAGS_VIABLE);
	assert_int_equal(host_write(h, DRV("vfio-pci/unbind"), "0000:01:00.1"), 0);
	assert_int_equal(group_flags(k, group), VFIO_GROUP_FLAGS_VIABLE);	/* driverless is well */
	assert_int_equal(host_write(h, DRV("snd_hda_intel/bind"), "0000:01:00.1"), 0);
	assert_int_equal(group_flags(k, group), 0);
	assert_int_equal(host_ioctl(h, group, VFIO_GROUP_SET_CONTAINER, &container), -EPERM);
	assert_int_equal(host_write(h, DRV("snd_hda_intel/unbind"), "0000:01:00.1"), 0);
	assert_int_equal(host_ioctl(h, group, VFIO_GROUP_SET_CONTAINER, &group), -EINVAL);
	assert_int_equal(host_ioctl(h, group, VFIO_GROUP_SET_CONTAINER, &container), 0);
	assert_int_equal(host_ioctl(h, group, VFIO_GROUP_SET_CONTAINER, &container), -EINVAL);
	assert_int_equal(group_flags(k, group), VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET);
	/* the group has an owner now */
	assert_int_equal(host_write(h, DRV("snd_hda_intel/bind"), "0000:01:00.1"), -EBUSY);
	assert_int_equal(host_ioctl(h, group, VFIO_GROUP_UNSET_CONTAINER, NULL), 0);
	assert_int_equal(host_write(h, DRV("snd_hda_intel/bind"), "0000:01:00.1"), 0);
	close(group);
	close(container);
}

static void test_order_of_opening(void **state)
{
	struct fake_kernel *k = *state;
	struct host *h = &k->host;
	int container = open_node(k, "/dev/vfio/vfio"), group = open_node(k, "/dev/vfio/11"), fd;
	char name[] = "0000:01:00.0", other[] = "0000:02:00.0";

	assert_int_equal(host_ioctl(h, group, VFIO_GROUP_GET_DEVICE_FD, name), -EINVAL);
	assert_int_equal(host_ioctl(h, group, VFIO_GROUP_SET_CONTAINER, &container), 0);
	assert_int_equal(host_ioctl(h, group, VFIO_GROUP_GET_DEVICE_FD, name), -EINVAL);
	fake_settings(k)->no_intremap = true;
	assert_int_equal(set_iommu(k, container), -EPERM);
	fake_settings(k)->no_intremap = false;
	assert_int_equal(set_iommu(k, container), 0);
	assert_int_equal(set_iommu(k, container), -EINVAL);
	assert_int_equal(host_ioctl(h, group, VFIO_GROUP_GET_DEVICE_FD, other), -ENODEV);
	fd = host_ioctl(h, group, VFIO_GROUP_GET_DEVICE_FD, name);
	assert_true(fd >= 0);
	assert_int_equal(host_ioctl(h, group, VFIO_GROUP_UNSET_CONTAINER, NULL), -EBUSY);
	close(fd);
	close(group);
	close(container);
}

static void test_enable_counts_open_devices(void **state)
{
	struct fake_kernel *k = *state;
	struct session s;
	uint64_t n;
	char text[32];

	session_open(k, &s, 12, "0000:02:00.0");
	assert_int_equal(host_read_u64(&k->host, DEV("02:00.0/enable"), 10, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(host_read_line(&k->host, DEV("02:00.0/power_state"), text, sizeof(text)), 0);
	assert_string_equal(text, "D0");
	assert_int_equal(fake_counts(k, flr).open_reset, 1);
	session_close(&s);
	assert_int_equal(host_read_u64(&k->host, DEV("02:00.0/enable"), 10, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(host_read_line(&k->host, DEV("02:00.0/power_state"), text, sizeof(text)), 0);
	assert_string_equal(text, "D3hot");
}

static void test_function_reset(void **state)
{
	struct fake_kernel *k = *state;
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct session s;

	session_open(k, &s, 12, "0000:02:00.0");
	assert_int_equal(host_ioctl(&k->host, s.device, VFIO_DEVICE_GET_INFO, &info), 0);
	assert_int_equal(info.flags, VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
	assert_int_equal(info.num_regions, VFIO_PCI_NUM_REGIONS);
	assert_int_equal(host_ioctl(&k->host, s.device, VFIO_DEVICE_RESET, NULL), 0);
	assert_int_equal(fake_counts(k, flr).reset, 1);
	session_close(&s);
	session_open(k, &s, 11, "0000:01:00.0");
	info.argsz = sizeof(info);
	assert_int_equal(host_ioctl(&k->host, s.device, VFIO_DEVICE_GET_INFO, &info), 0);
	assert_int_equal(info.flags, VFIO_DEVICE_FLAGS_PCI);
	assert_int_equal(host_ioctl(&k->host, s.device, VFIO_DEVICE_RESET, NULL), -EINVAL);
	session_close(&s);
}

static void test_hot_reset_info(void **state)
{
	struct fake_kernel *k = *state;
	union {
		struct vfio_pci_hot_reset_info i;
		char room[sizeof(struct vfio_pci_hot_reset_info) + 8 * sizeof(struct vfio_pci_dependent_device)];
	} u;
	struct session s;

	memset(&u, 0, sizeof(u));
	session_open(k, &s, 11, "0000:01:00.0");
	u.i.argsz = sizeof(u.i);
	assert_int_equal(host_ioctl(&k->host, s.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &u.i), -ENOSPC);
	assert_int_equal(u.i.count, 2);
	u.i.argsz = sizeof(u);
	assert_int_equal(host_ioctl(&k->host, s.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &u.i), 0);
	assert_int_equal(u.i.count, 2);
	assert_int_equal(u.i.devices[1].group_id, 11);
	assert_int_equal(u.i.devices[1].segment, 0);
	assert_int_equal(u.i.devices[1].bus, 1);
	assert_int_equal(u.i.devices[1].devfn, 1);
	session_close(&s);
	/* on the root bus there is nothing to pull */
	session_open(k, &s, 10, "0000:00:14.0");
	u.i.argsz = sizeof(u);
	assert_int_equal(host_ioctl(&k->host, s.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &u.i), -ENODEV);
	session_close(&s);
}

static void test_hot_reset_of_a_card(void **state)
{
	struct fake_kernel *k = *state;
	struct session s;

	session_open(k, &s, 11, "0000:01:00.0");
	assert_int_equal(hot_reset(k, s.device, NULL, 0), -EINVAL);
	assert_int_equal(hot_reset(k, s.device, &s.container, 1), -EINVAL);
	assert_int_equal(hot_reset(k, s.device, &s.group, 1), 0);
	assert_int_equal(fake_counts(k, card).bus_reset, 1);
	assert_int_equal(fake_counts(k, sound).bus_reset, 1);
	fake_rule_add(k, (struct fake_rule){ .kind = FAKE_NO_BUS_RESET, .device = "0000:01:00.1", .times = 1 });
	assert_int_equal(hot_reset(k, s.device, &s.group, 1), -ENODEV);
	/* a function without a driver makes a viable group that cannot be reset */
	assert_int_equal(host_write(&k->host, DRV("vfio-pci/unbind"), "0000:01:00.1"), 0);
	assert_int_equal(hot_reset(k, s.device, &s.group, 1), -EINVAL);
	assert_string_equal(fake_violations(k), "");
	session_close(&s);
}

static void test_hot_reset_over_two_groups(void **state)
{
	struct fake_kernel *k = *state;
	struct session s;
	int groups[2];

	session_open(k, &s, 13, "0000:03:00.0");
	groups[0] = s.group;
	assert_int_equal(hot_reset(k, s.device, groups, 1), -EINVAL);
	groups[1] = open_node(k, "/dev/vfio/14");
	assert_int_equal(hot_reset(k, s.device, groups, 2), -EINVAL);
	assert_int_equal(host_ioctl(&k->host, groups[1], VFIO_GROUP_SET_CONTAINER, &s.container), 0);
	assert_int_equal(hot_reset(k, s.device, groups, 2), 0);
	assert_int_equal(fake_counts(k, (struct bdf){ 0, 3, 0, 1 }).bus_reset, 1);
	close(groups[1]);
	session_close(&s);
}

static void test_a_vm_keeps_others_out(void **state)
{
	struct fake_kernel *k = *state;
	struct err e = ERR_INIT;
	pid_t pid;

	assert_int_equal(fake_vm_start(k, 100, &card, 1, &pid, &e), 0);
	assert_true(host_exists(&k->host, host_path("/proc/%d/fd/4", (int)pid).s));
	assert_int_equal(open_node(k, "/dev/vfio/11"), -EBUSY);
	assert_int_equal(fake_vm_start(k, 101, &sound, 1, NULL, &e), -EBUSY);
	fake_vm_fade(k, 100);
	assert_int_equal(open_node(k, "/dev/vfio/11"), -EBUSY);
	fake_vm_end(k, 100);
	assert_int_equal(fake_vm_start(k, 101, &sound, 1, NULL, &e), 0);
	fake_vm_end(k, 101);
	assert_string_equal(fake_violations(k), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_container),
		TEST(test_a_group_is_opened_once),
		TEST(test_viability),
		TEST(test_order_of_opening),
		TEST(test_enable_counts_open_devices),
		TEST(test_function_reset),
		TEST(test_hot_reset_info),
		TEST(test_hot_reset_of_a_card),
		TEST(test_hot_reset_over_two_groups),
		TEST(test_a_vm_keeps_others_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
