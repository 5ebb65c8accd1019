// SPDX-License-Identifier: GPL-2.0-or-later
/* Machines as text: what lines become, and what is wrong with bad ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"
#include "treefs.h"

#define PORT	"pci 0000:00:01.0 8086:1901 class=060400 bus=01 driver=pcieport group=1 reset=pm\n"
#define GPU	"pci 0000:01:00.0 10de:2684 class=030000 revision=a1 subsystem=1043:88e2 parent=0000:00:01.0 driver=nvidia " \
		"native=\"nouveau nvidia\" group=2 reset=\"flr bus\" bars=\"16m,256m:64p,32m:64p,128:io\" rom=512k " \
		"nodes=\"drm/card0@226:0\"\n"
#define AUDIO	"pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=snd_hda_intel group=2 bars=16k\n"
#define HOST	"host pve1\niommu intel\n"

static const struct bdf gpu = { 0, 1, 0, 0 }, audio = { 0, 1, 0, 1 };

static void open_text(struct tree *t, const char *text)
{
	struct err e = ERR_INIT;

	if (tree_open_text(t, text, &e) < 0)
		fail_msg("%s", e.msg);
}

static void content_is(const struct tree *t, const char *path, const char *expected)
{
	int root = open(t->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char text[2048];

	assert_true(root >= 0);
	memset(text, 0, sizeof(text));
	if (tfs_read(root, path, text, sizeof(text) - 1) < 0)
		fail_msg("%s is not there", path);
	close(root);
	assert_string_equal(text, expected);
}

static void target_is(const struct tree *t, const char *path, const char *expected)
{
	int root = open(t->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char text[512];

	assert_int_equal(tfs_readlink(root, path, text, sizeof(text)), 0);
	close(root);
	assert_string_equal(text, expected);
}

static bool is_there(const struct tree *t, const char *path)
{
	int root = open(t->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool there = tfs_exists(root, path);

	close(root);
	return there;
}

static size_t config_of(const struct tree *t, struct bdf a, uint8_t *cfg)
{
	int root = open(t->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ssize_t n = tfs_read(root, tfs_path("/sys/bus/pci/devices/%s/config", BDF_S(a)).s, cfg, 4096);

	close(root);
	assert_true(n > 0);
	return (size_t)n;
}

static void test_plain_lines(void **state)
{
	struct tree t;

	(void)state;
	open_text(&t, "# comment\n"
		      "dir /a/b\n"
		      "file /etc/motd  two  words \n"
		      "file /empty\n"
		      "file /many <<END\n# no comment\n\\\nlast\nEND\n"
		      "link /x/y ../etc/motd\n"
		      "hex /bin 00ff 10\n"
		      "hex /bin @1 aa\n"
		      "file /gone x\nrm /gone\n"
		      "file /long one \\\n\ttwo\n");
	assert_true(is_there(&t, "/a/b"));
	content_is(&t, "/etc/motd", "two  words \n");
	content_is(&t, "/empty", "");
	content_is(&t, "/many", "# no comment\n\\\nlast\n");
	content_is(&t, "/x/y", "two  words \n");
	content_is(&t, "/long", "one two\n");
	assert_false(is_there(&t, "/gone"));
	tree_close(&t);
	assert_int_equal(access(t.dir, F_OK), -1);
}

static void test_attributes(void **state)
{
	static const struct { const char *attr, *content; } want[] = {
		{ "vendor", "0x10de\n" }, { "device", "0x2684\n" }, { "subsystem_vendor", "0x1043\n" },
		{ "subsystem_device", "0x88e2\n" }, { "class", "0x030000\n" }, { "revision", "0xa1\n" },
		{ "enable", "1\n" }, { "irq", "16\n" }, { "driver_override", "(null)\n" }, { "numa_node", "-1\n" },
		{ "d3cold_allowed", "1\n" }, { "power_state", "D0\n" }, { "power/control", "on\n" },
		{ "power/runtime_status", "active\n" }, { "boot_vga", "0\n" }, { "reset_method", "flr bus\n" },
		{ "reset", "" }, { "remove", "" }, { "drm/card0/dev", "226:0\n" },
		{ "modalias", "pci:v000010DEd00002684sv00001043sd000088E2bc03sc00i00\n" },
		{ "uevent", "DRIVER=nvidia\nPCI_CLASS=30000\nPCI_ID=10DE:2684\nPCI_SUBSYS_ID=1043:88E2\n"
			"PCI_SLOT_NAME=0000:01:00.0\nMODALIAS=pci:v000010DEd00002684sv00001043sd000088E2bc03sc00i00\n" },
	};
	struct tree t;

	(void)state;
	open_text(&t, HOST PORT GPU AUDIO);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		content_is(&t, tfs_path("/sys/bus/pci/devices/0000:01:00.0/%s", want[i].attr).s, want[i].content);
	assert_false(is_there(&t, "/sys/bus/pci/devices/0000:01:00.1/boot_vga"));
	assert_false(is_there(&t, "/sys/bus/pci/devices/0000:01:00.1/reset"));
	assert_false(is_there(&t, "/sys/bus/pci/devices/0000:01:00.1/reset_method"));
	assert_string_equal(tree_attr(t.dir, gpu, "driver").s, "nvidia");
	assert_string_equal(tree_attr(t.dir, gpu, "iommu_group").s, "2");
	assert_string_equal(tree_attr(t.dir, gpu, "nothing").s, "");
	tree_close(&t);
}

static void test_links_are_where_sysfs_has_them(void **state)
{
	struct tree t;

	(void)state;
	open_text(&t, HOST PORT GPU AUDIO);
	target_is(&t, "/sys/bus/pci/devices/0000:01:00.0",
		  "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0");
	target_is(&t, "/sys/bus/pci/devices/0000:01:00.0/driver", "../../../../bus/pci/drivers/nvidia");
	target_is(&t, "/sys/bus/pci/devices/0000:01:00.0/subsystem", "../../../../bus/pci");
	target_is(&t, "/sys/bus/pci/devices/0000:01:00.0/iommu_group", "../../../../kernel/iommu_groups/2");
	target_is(&t, "/sys/kernel/iommu_groups/2/devices/0000:01:00.1",
		  "../../../../devices/pci0000:00/0000:00:01.0/0000:01:00.1");
	target_is(&t, "/sys/bus/pci/drivers/nvidia/0000:01:00.0",
		  "../../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0");
	target_is(&t, "/sys/bus/pci/drivers/nvidia/module", "../../../../module/nvidia");
	target_is(&t, "/sys/class/drm/card0", "../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/drm/card0");
	assert_true(is_there(&t, "/sys/dev/char/226:0/subsystem"));
	assert_true(is_there(&t, "/sys/bus/pci/devices/0000:00:01.0/pci_bus/0000:01"));
	assert_true(is_there(&t, "/sys/class/iommu/dmar0"));
	assert_false(is_there(&t, "/sys/bus/pci/drivers/pcieport/module"));
	tree_close(&t);
}

static unsigned le32(const uint8_t *p)
{
	return p[0] | (unsigned)p[1] << 8 | (unsigned)p[2] << 16 | (unsigned)p[3] << 24;
}

static void test_config_agrees_with_attributes(void **state)
{
	uint8_t cfg[4096];
	struct tree t;

	(void)state;
	open_text(&t, HOST PORT GPU AUDIO);
	assert_int_equal(config_of(&t, gpu, cfg), 4096);
	assert_int_equal(le32(cfg), 0x268410de);
	assert_int_equal(le32(cfg + 8), 0x030000a1);
	assert_int_equal(cfg[4] & 7, 7);			/* I/O, memory, bus master */
	assert_int_equal(cfg[0x0e], 0x80);			/* it has siblings */
	assert_int_equal(le32(cfg + 0x10), 0x80000000);
	assert_int_equal(le32(cfg + 0x14) & 0xf, 0xc);		/* 64 bits, prefetchable */
	assert_int_equal(le32(cfg + 0x24), 0x3001);		/* I/O */
	assert_int_equal(le32(cfg + 0x2c), 0x88e21043);
	assert_int_equal(cfg[cfg[0x34]], 1);			/* power management */
	assert_true(le32(cfg + 0x78 + 4) & 1u << 28);		/* FLR */
	config_of(&t, audio, cfg);
	assert_int_equal(cfg[0x0e], 0x80);
	assert_false(le32(cfg + 0x78 + 4) & 1u << 28);
	config_of(&t, (struct bdf){ 0, 0, 1, 0 }, cfg);
	assert_int_equal(cfg[0x0e], 1);
	assert_int_equal(cfg[0x19], 1);
	content_is(&t, "/sys/bus/pci/devices/0000:01:00.1/resource",
		   "0x0000000081080000 0x0000000081083fff 0x0000000000040200\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		   "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
	tree_close(&t);
}

static void test_virtual_functions(void **state)
{
	uint8_t cfg[4096];
	struct tree t;

	(void)state;
	open_text(&t, HOST PORT
		  "pci 0000:01:00.0 8086:1572 class=020000 parent=0000:00:01.0 driver=i40e group=2 reset=flr vfs=64 bars=8m:64p\n"
		  "pci 0000:01:02.0 8086:154c class=020000 parent=0000:00:01.0 physfn=0000:01:00.0 group=3 reset=flr bars=64k:64p\n"
		  "pci 0000:01:02.1 8086:154c class=020000 parent=0000:00:01.0 physfn=0000:01:00.0 group=4 reset=flr bars=64k:64p\n");
	content_is(&t, "/sys/bus/pci/devices/0000:01:00.0/sriov_numvfs", "2\n");
	content_is(&t, "/sys/bus/pci/devices/0000:01:00.0/sriov_totalvfs", "64\n");
	target_is(&t, "/sys/bus/pci/devices/0000:01:00.0/virtfn1", "../0000:01:02.1");
	target_is(&t, "/sys/bus/pci/devices/0000:01:02.1/physfn", "../0000:01:00.0");
	config_of(&t, (struct bdf){ 0, 1, 2, 0 }, cfg);
	assert_int_equal(le32(cfg), 0xffffffff);	/* only the IDs read so */
	assert_int_equal(le32(cfg + 8) >> 8, 0x020000);
	assert_int_equal(le32(cfg + 0x10), 0);
	tree_close(&t);
}

static void test_a_function_on_vfio_pci(void **state)
{
	struct tree t;

	(void)state;
	open_text(&t, HOST PORT "pci 0000:01:00.0 1002:73bf class=030000 parent=0000:00:01.0 driver=vfio-pci native=amdgpu "
		  "group=17 nodes=drm/card1@226:1\ndynid vfio-pci 1002:73bf\n");
	content_is(&t, "/sys/bus/pci/devices/0000:01:00.0/enable", "0\n");
	content_is(&t, "/sys/bus/pci/devices/0000:01:00.0/power/control", "auto\n");
	content_is(&t, "/sys/bus/pci/devices/0000:01:00.0/power_state", "D3hot\n");
	assert_true(is_there(&t, "/sys/bus/pci/devices/0000:01:00.0/vfio-dev/vfio0/dev"));
	assert_true(is_there(&t, "/dev/vfio/17"));
	assert_true(is_there(&t, "/dev/vfio/vfio"));
	assert_false(is_there(&t, "/sys/class/drm/card1"));
	tree_close(&t);
}

static void test_wide_domain_behind_a_controller(void **state)
{
	struct tree t;

	(void)state;
	open_text(&t, HOST "pci 0000:00:0e.0 8086:467f class=010400 driver=vmd group=5\n"
		  "root 10000:e0 under=0000:00:0e.0\n"
		  "pci 10000:e0:06.0 8086:464d class=060400 bus=e1 driver=pcieport group=5\n"
		  "pci 10000:e1:00.0 144d:a80a class=010802 parent=10000:e0:06.0 driver=nvme group=5\n");
	target_is(&t, "/sys/bus/pci/devices/10000:e1:00.0", "../../../devices/pci0000:00/0000:00:0e.0/pci10000:e0/"
		  "10000:e0:06.0/10000:e1:00.0");
	tree_close(&t);
}

static void test_node_of_a_cluster(void **state)
{
	struct tree t;

	(void)state;
	open_text(&t, "host pve7 kernel=6.14.0-2-pve\nconfig 100 <<END\ncores: 2\nEND\n");
	content_is(&t, "/proc/sys/kernel/hostname", "pve7\n");
	content_is(&t, "/proc/sys/kernel/osrelease", "6.14.0-2-pve\n");
	content_is(&t, "/etc/pve/qemu-server/100.conf", "cores: 2\n");
	content_is(&t, "/etc/pve/local/qemu-server/100.conf", "cores: 2\n");
	content_is(&t, "/etc/pve/nodes/pve7/qemu-server/100.conf", "cores: 2\n");
	target_is(&t, "/etc/pve/local", "nodes/pve7");
	tree_close(&t);
}

static void test_disks_and_bridges(void **state)
{
	struct tree t;

	(void)state;
	open_text(&t, HOST PORT
		  "pci 0000:01:00.0 144d:a80a class=010802 parent=0000:00:01.0 driver=nvme group=2 nodes=\"nvme/nvme0@240:0 "
		  "nvme/nvme0/nvme0n1@b259:0 nvme/nvme0/nvme0n1/nvme0n1p3@b259:3\"\n"
		  "volume nvme0n1p3 dm-1 252:1 name=pve-root\n"
		  "pci 0000:01:00.1 8086:15f3 class=020000 parent=0000:00:01.0 driver=igc group=2 nodes=net/enp1s0\n"
		  "bridge vmbr0 enp1s0\n");
	content_is(&t, "/sys/dev/block/259:3/partition", "3\n");
	content_is(&t, "/sys/dev/block/252:1/dm/name", "pve-root\n");
	content_is(&t, "/sys/class/block/nvme0n1p3/holders/dm-1/dev", "252:1\n");
	content_is(&t, "/sys/class/block/dm-1/slaves/nvme0n1p3/dev", "259:3\n");
	content_is(&t, "/sys/class/net/enp1s0/master/operstate", "up\n");
	assert_true(is_there(&t, "/sys/class/net/vmbr0/lower_enp1s0"));
	tree_close(&t);
}

static void test_bad_lines_say_where(void **state)
{
	static const struct { const char *text, *says; } cases[] = {
		{ "\n\nfoo bar\n", "text:3: unknown verb 'foo'" },
		{ "pci 0000:01:00.0\n", "text:1: 'pci' wants more words" },
		{ "pci 01:00.0 10de:2684\n", "text:1: '01:00.0' is not an address" },
		{ "pci 0000:01:00.0 10DE:2684\n", "text:1: '10DE:2684' is not VVVV:DDDD" },
		{ "pci 0000:01:00.0 10de:2684 grup=1\n", "text:1: unknown key 'grup'" },
		{ "pci 0000:01:00.0 10de:2684 group=1\n", "text:1: group=1 on a machine without an 'iommu' line" },
		{ "pci 0000:01:00.0 10de:2684 parent=0000:00:01.0\n",
		  "text:1: parent='0000:00:01.0' is no function of a line above" },
		{ PORT "", "text:1: group=1 on a machine without an 'iommu' line" },
		{ "iommu intel\n" PORT "pci 0000:02:00.0 10de:2684 parent=0000:00:01.0\n",
		  "text:3: 0000:00:01.0 has no bus 02 below it" },
		{ "pci 0000:01:00.0 10de:2684\npci 0000:01:00.0 10de:2684\n", "text:2: 0000:01:00.0 stands here twice" },
		{ "pci 0000:01:00.0 10de:2684 bars=12q\n", "text:1: '12q' is not the size of a BAR" },
		{ "file /a <<END\nx\n", "text:1: no line 'END' ends this text" },
		{ "pci 0000:01:00.0 10de:2684 reset=\"flr bus\n", "text:1: a quote is not closed" },
		{ "file /../etc/x y\n", "text:1: the path '/../etc/x' leads out or is too long" },
		{ "file etc/x y\n", "text:1: 'etc/x' is not an absolute path" },
		{ "hex /x 0\n", "text:1: '0...' is not pairs of hex digits, 4096 at most" },
		{ "config 100 <<END\nEND\n", "text:1: 'config' wants a VM's number, a text, and a 'host' line above" },
		{ "host pve1\nvm 100 pid=99999999\n", "text:2: 'vm' wants a VM's number and pid=N below 4194304" },
		{ "host pve1\nvm 100 pid=4000000 hold=0000:01:00.0\n",
		  "text:2: hold: '0000:01:00.0' is no function of a line above" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		struct tree t;

		assert_int_equal(tree_open_text(&t, cases[i].text, &e), -EINVAL);
		assert_string_equal(e.msg, cases[i].says);
	}
}

static void test_a_link_cannot_lead_out(void **state)
{
	char outside[] = "/tmp/pve-gpu-outside-XXXXXX";
	char text[256];
	struct tree t;

	(void)state;
	assert_non_null(mkdtemp(outside));
	snprintf(text, sizeof(text), "dir %s\nlink /way %s\nlink /up ../../../../..%s\nfile /way/a x\nfile /up/b x\n",
		 outside, outside, outside);
	open_text(&t, text);
	assert_true(is_there(&t, tfs_path("%s/a", outside).s));
	assert_true(is_there(&t, tfs_path("%s/b", outside).s));
	assert_int_equal(rmdir(outside), 0);	/* nothing arrived in it */
	tree_close(&t);
}

static void test_dump_and_difference(void **state)
{
	struct str diff = STR_INIT;
	char *a, *b;
	struct tree t;

	(void)state;
	open_text(&t, HOST PORT GPU AUDIO "dynid vfio-pci 10de:2684\nfile /run/pve-gpu/leases/100 taken\n");
	a = tree_dump(t.dir, 0);
	assert_non_null(a);
	assert_non_null(strstr(a, "0000:01:00.0 driver=nvidia override=(null) power=on d3cold=1 reset=\"flr bus\" enable=1\n"));
	b = tree_dump(t.dir, TREE_DYNIDS | TREE_LEASES | TREE_CHILDREN);
	assert_non_null(b);
	assert_int_equal(tree_diff(a, b, &diff), 3);
	assert_string_equal(diff.s, "+0000:01:00.0 offers drm/card0\n+dynid vfio-pci: 10de:2684\n+lease 100: taken\n");
	str_clear(&diff);
	assert_int_equal(tree_diff(a, a, &diff), 0);
	str_release(&diff);
	free(a);
	free(b);
	tree_close(&t);
}

static void test_vm_comes_and_goes(void **state)
{
	struct tree_vm vm = { .vmid = 100, .pid = 4190100, .start = 777, .devices = { gpu, audio }, .n_devices = 2,
			      .reserve = true };
	struct err e = ERR_INIT;
	char *before, *after;
	struct str diff = STR_INIT;
	struct tree t;

	(void)state;
	open_text(&t, HOST PORT GPU AUDIO);
	before = tree_dump(t.dir, 0);
	assert_int_equal(tree_vm_start(t.dir, &vm, &e), 0);
	content_is(&t, "/run/qemu-server/100.pid", "4190100\n");
	content_is(&t, "/var/run/qemu-server/pci-id-reservations",
		   "0000:01:00.0 100 pid:4190100\n0000:01:00.1 100 pid:4190100\n");
	content_is(&t, "/proc/4190100/cgroup", "0::/qemu.slice/100.scope\n");
	content_is(&t, "/sys/bus/pci/devices/0000:01:00.0/enable", "2\n");
	target_is(&t, "/proc/4190100/fd/4", "/dev/vfio/2");
	assert_int_equal(tree_vm_fade(t.dir, 100, &e), 0);
	content_is(&t, "/proc/4190100/cmdline", "");
	content_is(&t, "/run/qemu-server/pci-id-reservations", "");
	content_is(&t, "/sys/bus/pci/devices/0000:01:00.0/enable", "2\n");
	assert_false(is_there(&t, "/run/qemu-server/100.pid"));
	assert_false(is_there(&t, "/proc/4190100/fd/4"));
	assert_int_equal(tree_vm_end(t.dir, 100, &e), 0);
	assert_false(is_there(&t, "/proc/4190100"));
	assert_int_equal(tree_vm_end(t.dir, 100, &e), -ESRCH);
	after = tree_dump(t.dir, 0);
	assert_int_equal(tree_diff(before, after, &diff), 0);
	str_release(&diff);
	free(before);
	free(after);
	tree_close(&t);
}

/* A machine of the collection begins with a sentence about it and unpacks; all but those of the doctor have a VM. */
static void test_every_machine_unpacks(void **state)
{
	glob_t g;

	(void)state;
	assert_int_equal(glob("tests/trees/*.tree", 0, NULL, &g), 0);
	assert_true(g.gl_pathc >= 14);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		char name[64], first[8] = "";
		struct err e = ERR_INIT;
		struct tree t;
		FILE *f = fopen(g.gl_pathv[i], "r");

		assert_non_null(f);
		assert_non_null(fgets(first, sizeof(first), f));
		fclose(f);
		if (strncmp(first, "# ", 2) != 0)
			fail_msg("%s does not say what machine it is", g.gl_pathv[i]);
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(g.gl_pathv[i] + strlen("tests/trees/"), "."),
			 g.gl_pathv[i] + strlen("tests/trees/"));
		if (tree_open(&t, name, &e) < 0)
			fail_msg("%s", e.msg);
		if (strncmp(name, "host-", 5) != 0 && !is_there(&t, "/etc/pve/qemu-server/100.conf"))
			fail_msg("%s has no VM 100", g.gl_pathv[i]);
		tree_close(&t);
	}
	globfree(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_lines),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_links_are_where_sysfs_has_them),
		cmocka_unit_test(test_config_agrees_with_attributes),
		cmocka_unit_test(test_virtual_functions),
		cmocka_unit_test(test_a_function_on_vfio_pci),
		cmocka_unit_test(test_wide_domain_behind_a_controller),
		cmocka_unit_test(test_node_of_a_cluster),
		cmocka_unit_test(test_disks_and_bridges),
		cmocka_unit_test(test_bad_lines_say_where),
		cmocka_unit_test(test_a_link_cannot_lead_out),
		cmocka_unit_test(test_dump_and_difference),
		cmocka_unit_test(test_vm_comes_and_goes),
		cmocka_unit_test(test_every_machine_unpacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
