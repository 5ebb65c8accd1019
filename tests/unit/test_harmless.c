// SPDX-License-Identifier: GPL-2.0-or-later
/* Machines whose device a VM may have: a refusal here is as wrong as a missing one elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "guest.h"
#include "str.h"
#include "tree.h"

#define DEV	"/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0"
#define BASE	"host pve1\niommu intel\ndriver vfio-pci\n" \
		"pci 0000:00:01.0 8086:460d class=060400 bus=01 driver=pcieport group=1\n" \
		"pci 0000:00:1c.0 8086:7a3a class=060400 bus=04 driver=pcieport group=2\n" \
		"pci 0000:00:02.0 8086:a780 class=030000 driver=i915 group=5 boot_vga=1 nodes=\"drm/card0@226:0\"\n" \
		"pci 0000:04:00.0 8086:1533 class=020000 parent=0000:00:1c.0 driver=igb group=20 nodes=net/eno1\nbridge vmbr0 eno1\n"
#define FN(ids, rest)	"pci 0000:01:00.0 " ids " parent=0000:00:01.0 group=14 reset=flr " rest "\n"
#define GPU	FN("10de:2684 class=030000", "driver=nvidia boot_vga=0 nodes=\"drm/card1@226:1 drm/renderD128@226:128\"")
#define NVME	FN("144d:a80a class=010802", "driver=nvme nodes=\"nvme/nvme0@240:0 nvme/nvme0/nvme0n1@b259:0 nvme/nvme0/nvme0n1/nvme0n1p1@b259:1\"")
#define NIC	FN("8086:1572 class=020000", "driver=i40e nodes=net/eno2")
#define USB	FN("1b21:2142 class=0c0330", "driver=xhci_hcd nodes=\"usb3@189:256 usb3/3-1@189:257\"") \
		"link " DEV "/usb3/3-1/subsystem /sys/bus/usb\n"
#define ROUTES	"file /proc/net/route <<END\nIface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" \
		"vmbr0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\nEND\n"
#define LABEL(type, name)	"file /run/udev/data/b259:1 <<END\nE:ID_FS_TYPE=" type "\nE:ID_FS_LABEL=" name "\nEND\n"
#define PROCESS(fd)	"file /proc/812/comm x\nfile /proc/812/cgroup 0::/system.slice/x.service\nlink /proc/812/fd/3 " fd "\n"

static const struct { const char *name, *text; } machines[] = {
	{ "a card beside the board's graphics", GPU },
	{ "a card whose monitor is unplugged", GPU "file " DEV "/drm/card1/card1-DP-1/status disconnected\n" },
	{ "a card with a monitor, the console being elsewhere", GPU "file " DEV "/drm/card1/card1-DP-1/status connected\n" },
	{ "a process with another card open", GPU PROCESS("/dev/dri/card0") },
	{ "a process with what all NVIDIA cards share open", GPU PROCESS("/dev/nvidiactl") },
	{ "an accelerator without outputs", FN("10de:20f1 class=030200", "driver=nvidia") },
	{ "a card on vfio-pci since the boot, which was its display", "rm /sys/devices/pci0000:00/0000:00:02.0/boot_vga\n"
	  FN("10de:2684 class=030000", "driver=vfio-pci native=nouveau boot_vga=1") },
	{ "a card without a driver", FN("10de:2684 class=030000", "native=nouveau boot_vga=0") },
	{ "a sound function with an idle codec", FN("10de:22ba class=040300", "driver=snd_hda_intel nodes=\"sound/card1/controlC1@116:10\"") },
	{ "power keys of a card, read by logind", FN("10de:22ba class=040300", "driver=snd_hda_intel nodes=\"input/input9/event9@13:73\"")
	  PROCESS("/dev/input/event9") },
	{ "an empty disk", NVME },
	{ "a disk with an old file system", NVME LABEL("ext4", "old") },
	{ "a disk of an exported ZFS pool", NVME "dir /sys/module/zfs\ndir /proc/spl/kstat/zfs/rpool\n" LABEL("zfs_member", "tank") },
	{ "a disk of a volume group of another machine", NVME LABEL("LVM2_member", "")
	  "file /run/lvm/pvs_online/a <<END\n259:1\nvg:foreign\nEND\nfile /etc/pve/storage.cfg <<END\nlvm: mine\n\tvgname mine\n\nEND\n" },
	{ "a disk of a storage that is switched off", NVME LABEL("LVM2_member", "")
	  "file /run/lvm/pvs_online/a <<END\n259:1\nvg:old\nEND\nfile /etc/pve/storage.cfg <<END\nlvm: old\n\tvgname old\n\tdisable\n\nEND\n" },
	{ "a disk of a storage of another node", NVME LABEL("LVM2_member", "")
	  "file /run/lvm/pvs_online/a <<END\n259:1\nvg:theirs\nEND\nfile /etc/pve/storage.cfg <<END\nlvm: t\n\tvgname theirs\n\tnodes pve2\n\nEND\n" },
	{ "a second NIC that is down", NIC "file " DEV "/net/eno2/flags 0x1002\n" ROUTES },
	{ "a second NIC that is up, with a link, for nobody", NIC "file " DEV "/net/eno2/flags 0x1003\n" ROUTES },
	{ "a second NIC beside corosync's", NIC "file " DEV "/net/eno2/flags 0x1003\n" ROUTES
	  "file /etc/pve/corosync.conf <<END\nnodelist {\n node {\n  name: pve1\n  ring0_addr: 192.168.0.5\n }\n}\nEND\n" },
	{ "the port of a bridge that was taken down", NIC "file " DEV "/net/eno2/flags 0x1002\n"
	  "dir /sys/devices/virtual/net/vmbr1/bridge\nlink /sys/class/net/vmbr1 ../../devices/virtual/net/vmbr1\n"
	  "link " DEV "/net/eno2/upper_vmbr1 /sys/devices/virtual/net/vmbr1\n" ROUTES },
	{ "a USB controller with a stick that is not mounted", USB
	  "file " DEV "/usb3/3-1/3-1:1.0/bInterfaceClass 08\n" },
	{ "a USB controller with a keyboard, and another keyboard", USB "file " DEV "/usb3/3-1/3-1:1.0/bInterfaceClass 03\n"
	  "file " DEV "/usb3/3-1/3-1:1.0/bInterfaceSubClass 01\nfile " DEV "/usb3/3-1/3-1:1.0/bInterfaceProtocol 01\n"
	  "dir /sys/bus/serio/drivers/atkbd/serio0\n" },
	{ "a virtual function, its parent having the host's network", FN("8086:1572 class=020000", "driver=i40e vfs=8 nodes=net/eno2")
	  "pci 0000:01:02.0 8086:154c class=020000 parent=0000:00:01.0 driver=iavf group=15 reset=flr physfn=0000:01:00.0\n" ROUTES },
	{ "an NVSwitch", FN("10de:22a3 class=068000", "driver=nvidia") },
};

static void judge(const char *name, const char *text, bool vf)
{
	_cleanup_(str_release) struct str all = STR_INIT;
	struct guest_input in = { .now_unix = 1790000000 };
	struct guest_view v = GUEST_VIEW_INIT;
	struct settings settings;
	struct err e = ERR_INIT;
	struct guest g;
	struct tree t;
	struct host h;

	assert_int_equal(str_addf(&all, BASE "%sconfig 100 <<END\nhostpci0: 0000:01:%s,pcie=1\nmachine: q35\nEND\n", text,
				  vf ? "02.0" : "00.0"), 0);
	if (tree_open_text(&t, all.s, &e) < 0 || host_open(&h, t.dir, &e) < 0 || guest_load(&h, 100, NULL, &g, &e) < 0)
		fail_msg("%s: %s", name, e.msg);
	settings_init(&settings);
	in.settings = &settings;
	if (guest_plan(&h, &g, &in, &v, &e) < 0)
		fail_msg("%s: %s", name, e.msg);
	for (size_t i = 0; i < v.plan.n_refusals; i++)
		print_error("%s: %s: %s\n", name, v.plan.refusals[i].id, v.plan.refusals[i].reason);
	assert_int_equal(v.plan.n_refusals, 0);
	assert_int_equal(v.plan.n_devices, 1);
	guest_view_release(&v);
	guest_release(&g);
	host_close(&h);
	tree_close(&t);
}

static void harmless_machines_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		judge(machines[i].name, machines[i].text, strstr(machines[i].text, "physfn=") != NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(harmless_machines_pass) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
