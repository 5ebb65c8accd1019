// SPDX-License-Identifier: GPL-2.0-or-later
/* treehost - the lines of a machine that are not functions: the node, its IOMMU, drivers, VMs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "manifest.h"
#include "str.h"
#include "tree.h"

/* --- host ------------------------------------------------------------------------------------- */

/* What a Proxmox node always has; NODE stands for its name, KERNEL for `uname -r`. */
static const struct plain {
	const char *path, *text;
} plain[] = {
	{ "/etc/hostname", "NODE\n" },
	{ "/etc/hosts", "127.0.0.1 localhost\n192.0.2.10 NODE.example.org NODE\n" },
	{ "/etc/pve/datacenter.cfg", "keyboard: en-us\n" },
	{ "/etc/pve/storage.cfg", "dir: local\n\tpath /var/lib/vz\n\tcontent iso,vztmpl,backup,snippets\n\n"
		"lvmthin: local-lvm\n\tthinpool data\n\tvgname pve\n\tcontent rootdir,images\n" },
	{ "/proc/sys/kernel/hostname", "NODE\n" },
	{ "/proc/sys/kernel/osrelease", "KERNEL\n" },
	{ "/proc/version", "Linux version KERNEL (build@proxmox) (gcc (Debian 12.2.0-14) 12.2.0) #1 SMP\n" },
	{ "/proc/self/mountinfo",
		"22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw\n"
		"28 1 252:1 / / rw,relatime shared:1 - ext4 /dev/mapper/pve-root rw,errors=remount-ro\n"
		"41 28 0:38 / /etc/pve rw,nosuid,nodev,relatime shared:20 - fuse /dev/fuse rw,user_id=0\n" },
	{ "/proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
		"/dev/dm-0                               partition\t8388604\t\t0\t\t-2\n" },
	{ "/proc/net/route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
		"vmbr0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
		"vmbr0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n" },
	{ "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n" },
	{ "/sys/bus/pci/drivers_autoprobe", "1\n" },
};

static const char *const folders[] = {
	"/run/qemu-server", "/run/lock/qemu-server", "/var/lib/vz/snippets", "/sys/fs/cgroup/qemu.slice",
	"/sys/bus/pci/slots", "/sys/class/drm", "/sys/class/net", "/etc/modprobe.d", "/dev",
};

static int put_plain(struct manifest *m, const struct plain *p, const char *kernel)
{
	struct str text = STR_INIT;
	int r;

	for (const char *c = p->text; *c; c++) {
		if (str_starts(c, "NODE")) {
			str_add(&text, m->node);
			c += strlen("NODE") - 1;
		} else if (str_starts(c, "KERNEL")) {
			str_add(&text, kernel);
			c += strlen("KERNEL") - 1;
		} else {
			str_addn(&text, c, 1);
		}
	}
	r = text.failed ? -ENOMEM : tfs_put(m->root, p->path, 0644, text.s, text.len);
	str_release(&text);
	return manifest_did(m, r, p->path);
}

/* /etc/pve as pmxcfs shows it: real folders below nodes/, links to this node's. */
static int put_cluster(struct manifest *m)
{
	static const char *const kinds[] = { "qemu-server", "lxc" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++) {
		struct tfs_path own = tfs_path("nodes/%s/%s", m->node, kinds[i]);

		r = tfs_mkdirs(m->root, tfs_path("/etc/pve/%.400s", own.s).s);
		if (r == 0)
			r = tfs_link(m->root, tfs_path("/etc/pve/%s", kinds[i]).s, own.s);
	}
	if (r == 0)
		r = tfs_link(m->root, "/etc/pve/local", tfs_path("nodes/%s", m->node).s);
	if (r == 0)
		r = tfs_link(m->root, "/var/run", "../run");
	if (r == 0)
		r = tfs_link(m->root, "/var/lock", "../run/lock");
	return manifest_did(m, r, "/etc/pve");
}

int manifest_host(struct manifest *m, const struct manifest_line *l)
{
	const char *kernel = manifest_value(l, "kernel"), *boot = manifest_value(l, "boot_id"),
		   *cmdline = manifest_value(l, "cmdline");
	int r = 0;

	if (str_copy(m->node, sizeof(m->node), l->v[1]) < 0 || strchr(m->node, '/'))
		return manifest_bad(m, "'%s' is no name of a node", l->v[1]);
	kernel = kernel ? kernel : "6.8.12-11-pve";
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(plain); i++)
		r = put_plain(m, &plain[i], kernel);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(folders); i++)
		r = manifest_did(m, tfs_mkdirs(m->root, folders[i]), folders[i]);
	for (size_t i = 0; r == 0 && i < 2; i++)
		r = manifest_did(m, tfs_put(m->root, i ? "/sys/bus/pci/rescan" : "/sys/bus/pci/drivers_probe", 0200,
					    "", 0), "/sys/bus/pci");
	if (r == 0)
		r = put_cluster(m);
	if (r == 0)
		r = manifest_did(m, tfs_putf(m->root, "/proc/sys/kernel/random/boot_id", 0444, "%s\n",
					     boot ? boot : "6b0c5d1e-43f7-4e0a-9f28-7c1d2a9b3e54"), "boot_id");
	if (r == 0)
		r = manifest_did(m, tfs_putf(m->root, "/proc/cmdline", 0444, "%s\n", cmdline ? cmdline :
			"BOOT_IMAGE=/boot/vmlinuz root=/dev/mapper/pve-root ro quiet"), "/proc/cmdline");
	return r;
}

/* --- iommu ------------------------------------------------------------------------------------ */

static int iommu_files(struct manifest *m, bool intel)
{
	const char *sub = intel ? "intel-iommu" : "amd-iommu";
	int r = tfs_putf(m->root, tfs_path("%s/%s/cap", m->iommu_path.s, sub).s, 0444, "%s\n",
			 intel ? "d2008c40660462" : "14d60b10");

	if (r == 0)
		r = tfs_putf(m->root, tfs_path("%s/%s/%s", m->iommu_path.s, sub, intel ? "ecap" : "features").s,
			     0444, "%s\n", intel ? "f050da" : "246577efa2254afa:0");
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("/sys/class/iommu/%s", m->iommu).s, m->iommu_path.s);
	return manifest_did(m, r, m->iommu_path.s);
}

int manifest_iommu(struct manifest *m, const struct manifest_line *l)
{
	bool intel = strcmp(l->v[1], "intel") == 0;
	struct tree_dev *d = NULL;
	struct bdf a;

	if (!intel && strcmp(l->v[1], "amd") != 0)
		return manifest_bad(m, "'%s' is neither intel nor amd", l->v[1]);
	if (l->n > 2) {
		d = bdf_parse(l->v[2], &a) < 0 ? NULL : manifest_dev(m, a);
		if (!d)
			return manifest_bad(m, "'%s' is no function of a line above", l->v[2]);
	}
	str_copy(m->iommu, sizeof(m->iommu), intel ? "dmar0" : "ivhd0");
	m->iommu_path = d ? tfs_path("%s/iommu/%s", d->path.s, m->iommu) :
			tfs_path("/sys/devices/virtual/iommu/%s", m->iommu);
	return iommu_files(m, intel);
}

/* --- drivers ---------------------------------------------------------------------------------- */

static const char *default_module(const char *driver, char *buf, size_t size)
{
	if (str_copy(buf, size, driver) < 0)
		return "";
	for (char *p = buf; (p = strchr(p, '-')); )
		*p = '_';
	return buf;
}

int manifest_driver(struct manifest *m, const struct manifest_line *l)
{
	const char *module = manifest_value(l, "module");
	char buf[64];

	if (!module)
		module = default_module(l->v[1], buf, sizeof(buf));
	return manifest_did(m, bus_driver_add(m->root, l->v[1], module), l->v[1]);
}

int manifest_loadable(struct manifest *m, const struct manifest_line *l)
{
	const char *driver = manifest_value(l, "driver");

	return manifest_did(m, tfs_addf(m->root, "/.fake/modules", "%s %s", l->v[1], driver ? driver : l->v[1]),
			    "/.fake/modules");
}

int manifest_dynid(struct manifest *m, const struct manifest_line *l)
{
	unsigned vendor, device;

	if (manifest_id(l->v[2], &vendor, &device) < 0)
		return manifest_bad(m, "'%s' is not VVVV:DDDD", l->v[2]);
	return manifest_did(m, tfs_addf(m->root, tfs_path("/.fake/dynid/%s", l->v[1]).s, "%04x:%04x", vendor,
					device), "/.fake/dynid");
}

/* --- virtual machines ------------------------------------------------------------------------- */

int manifest_config(struct manifest *m, const struct manifest_line *l)
{
	struct tfs_path path = tfs_path("/etc/pve/nodes/%s/qemu-server/%s.conf", m->node, l->v[1]);
	unsigned vmid;

	if (!m->node[0] || str_to_vmid(l->v[1], &vmid) < 0 || !l->body)
		return manifest_bad(m, "'config' wants a VM's number, a text, and a 'host' line above");
	return manifest_did(m, tfs_put(m->root, path.s, 0640, l->body, l->body_len), path.s);
}

static int vm_devices(struct manifest *m, const char *hold, struct tree_vm *vm)
{
	char copy[1024], *cursor = copy, *word;

	if (str_copy(copy, sizeof(copy), hold) < 0)
		return manifest_bad(m, "hold= is too long");
	while ((word = str_token(&cursor, " "))) {
		if (vm->n_devices == TREE_VM_DEVICES || bdf_parse(word, &vm->devices[vm->n_devices]) < 0 ||
		    !bus_known(m->root, vm->devices[vm->n_devices]))
			return manifest_bad(m, "hold: '%s' is no function of a line above", word);
		vm->n_devices++;
	}
	return 0;
}

int manifest_vm(struct manifest *m, const struct manifest_line *l)
{
	const char *hold = manifest_value(l, "hold"), *pid = manifest_value(l, "pid"),
		   *start = manifest_value(l, "start"), *reserve = manifest_value(l, "reserve");
	struct tree_vm vm = { .start = 48211, .reserve = !reserve || strcmp(reserve, "no") != 0 };
	struct err e = ERR_INIT;
	char dir[PATH_MAX];
	uint64_t n;

	if (str_to_vmid(l->v[1], &vm.vmid) < 0 || !pid || str_to_u64(pid, 10, &n) < 0 || n == 0 || n >= 4194304)
		return manifest_bad(m, "'vm' wants a VM's number and pid=N below 4194304");
	vm.pid = (pid_t)n;
	if (start && str_to_u64(start, 10, &n) < 0)
		return manifest_bad(m, "start='%s' is not a number", start);
	vm.start = start ? n : vm.start;
	if (hold && vm_devices(m, hold, &vm) < 0)
		return -EINVAL;
	snprintf(dir, sizeof(dir), "/proc/self/fd/%d", m->root);
	return tree_vm_start(dir, &vm, &e) < 0 ? manifest_bad(m, "%s", e.msg) : 0;
}
