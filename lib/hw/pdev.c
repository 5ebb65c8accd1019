// SPDX-License-Identifier: GPL-2.0-or-later
/* One PCI function from sysfs: see pdev.h. */
#include "pdev.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "str.h"

bool pdev_is_gpu(const struct pdev *d)
{
	return d->class >> 16 == 0x03 || pdev_class(d) == 0x0001;
}

const char *pdev_class_text(unsigned class16)
{
	static const struct { unsigned class16; const char *text; } exact[] = {
		{ 0x0001, "VGA device" }, { 0x0106, "SATA controller" }, { 0x0107, "SAS controller" },
		{ 0x0104, "RAID controller" }, { 0x0108, "NVMe drive" },
		{ 0x0200, "Ethernet controller" }, { 0x0207, "InfiniBand controller" },
		{ 0x0300, "VGA controller" }, { 0x0302, "3D controller" }, { 0x0380, "display controller" },
		{ 0x0401, "audio device" }, { 0x0403, "audio device" },
		{ 0x0600, "host bridge" }, { 0x0601, "ISA bridge" }, { 0x0604, "PCI bridge" },
		{ 0x0c03, "USB controller" }, { 0x0c05, "SMBus" }, { 0x0c80, "serial bus controller" },
		{ 0x1200, "processing accelerator" },
	};
	static const char *const base[] = {
		"device", "storage controller", "network controller", "display controller",
		"multimedia device", "memory controller", "bridge", "communication controller",
		"system peripheral", "input device", "docking station", "processor",
		"serial bus controller", "wireless controller", "intelligent controller",
		"satellite controller", "encryption controller", "signal processor",
		"processing accelerator",
	};

	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		if (exact[i].class16 == class16)
			return exact[i].text;
	return class16 >> 8 < ARRAY_SIZE(base) ? base[class16 >> 8] : "device";
}

struct host_path pdev_path(struct bdf bdf, const char *attr)
{
	return host_path("/sys/bus/pci/devices/%s/%s", BDF_S(bdf), attr);
}

static uint32_t read_hex(struct host *h, struct bdf bdf, const char *attr)
{
	uint64_t v;

	return host_read_u64(h, pdev_path(bdf, attr).s, 16, &v) < 0 ? 0 : (uint32_t)v;
}

static int read_int(struct host *h, struct bdf bdf, const char *attr, int unknown)
{
	uint64_t v;

	return host_read_u64(h, pdev_path(bdf, attr).s, 10, &v) < 0 ? unknown : (int)v;
}

static void read_text(struct host *h, struct bdf bdf, const char *attr, char *buf, size_t size)
{
	if (host_read_line(h, pdev_path(bdf, attr).s, buf, size) < 0)
		buf[0] = '\0';
}

int pdev_read_override(struct host *h, struct bdf bdf, char *buf, size_t size)
{
	int r = host_read_line(h, pdev_path(bdf, "driver_override").s, buf, size);

	if (r == 0 && strcmp(buf, "(null)") == 0)
		buf[0] = '\0';
	return r;
}

/* A mediated device is named by a UUID (drivers/vfio/mdev/mdev_core.c:mdev_device_create). */
static bool is_uuid(const char *name)
{
	return strlen(name) == 36 && strspn(name, "0123456789abcdefABCDEF-") == 36 && name[8] == '-' && name[23] == '-';
}

static int count_child(void *arg, const char *name)
{
	struct pdev *d = arg;

	d->vfs += str_starts(name, "virtfn");
	d->mdevs += is_uuid(name);
	return 0;
}

/* The links are counted: reading sriov_numvfs takes the device lock (iov.c:sriov_numvfs_show). */
static void count_children(struct host *h, struct pdev *d)
{
	if (!d->mdev_types && !host_exists(h, pdev_path(d->bdf, "sriov_numvfs").s))
		return;
	if (host_list(h, host_path("/sys/bus/pci/devices/%s", BDF_S(d->bdf)).s, count_child, d) < 0)
		d->vfs = 1;
}

/* Both names behind links: the driver, and the module that holds it. */
static void read_driver(struct host *h, struct pdev *d)
{
	d->driver[0] = d->module[0] = '\0';
	if (host_read_linkname(h, pdev_path(d->bdf, "driver").s, d->driver, sizeof(d->driver)) < 0)
		return;
	if (host_read_linkname(h, host_path("/sys/bus/pci/drivers/%s/module", d->driver).s,
			       d->module, sizeof(d->module)) < 0)
		d->module[0] = '\0';
	/* Variants (mlx5_vfio_pci, ...) show a vfio-dev folder just as vfio-pci does. */
	d->vfio = strcmp(d->driver, "vfio-pci") == 0 || host_exists(h, pdev_path(d->bdf, "vfio-dev").s);
}

/* The device's folder lies in its parent's: .../0000:00:01.0/0000:01:00.0 */
static void read_place(struct host *h, struct pdev *d)
{
	char target[512], name[PDEV_NAME], *last, *up;
	uint64_t group;

	d->group = -1;
	if (host_read_linkname(h, pdev_path(d->bdf, "iommu_group").s, name, sizeof(name)) == 0 &&
	    str_to_u64(name, 10, &group) == 0)
		d->group = (int)group;
	if (host_readlink(h, host_path("/sys/bus/pci/devices/%s", BDF_S(d->bdf)).s, target, sizeof(target)) < 0)
		return;
	last = strrchr(target, '/');
	if (!last)
		return;
	*last = '\0';
	up = strrchr(target, '/');
	d->has_parent = up && bdf_parse(up + 1, &d->parent) == 0;
}

static void read_sriov(struct host *h, struct pdev *d)
{
	char name[PDEV_NAME];

	d->is_vf = host_read_linkname(h, pdev_path(d->bdf, "physfn").s, name, sizeof(name)) == 0 &&
		   bdf_parse(name, &d->pf) == 0;
}

/* `resource`: a line "start end flags" per BAR; the first six are the BARs proper. */
static void read_bars(struct host *h, struct pdev *d)
{
	char buf[1024], *cursor = buf, *line;
	ssize_t n = host_read(h, pdev_path(d->bdf, "resource").s, buf, sizeof(buf) - 1);

	if (n < 0)
		return;
	buf[n] = '\0';
	for (int i = 0; i < 6 && (line = str_token(&cursor, "\n")); i++)
		if (strspn(line, "0x ") != strlen(line))
			d->has_bars = true;
}

int pdev_load(struct host *h, struct bdf bdf, struct pdev *ret, struct err *e)
{
	struct pdev d = { .bdf = bdf };
	uint64_t v;
	int r;

	r = host_read_u64(h, pdev_path(bdf, "vendor").s, 16, &v);
	if (r < 0)
		return err_set(e, -r, "PCI device %s: cannot read its vendor: %s", BDF_S(bdf), err_text(r));
	d.vendor = (uint16_t)v;
	d.device = (uint16_t)read_hex(h, bdf, "device");
	d.subvendor = (uint16_t)read_hex(h, bdf, "subsystem_vendor");
	d.subdevice = (uint16_t)read_hex(h, bdf, "subsystem_device");
	d.class = read_hex(h, bdf, "class") & 0xffffff;
	d.bridge = host_exists(h, pdev_path(bdf, "pci_bus").s) || pdev_class(&d) == 0x0604;
	d.enable = read_int(h, bdf, "enable", -1);
	d.boot_vga = read_int(h, bdf, "boot_vga", -1);
	d.numa = read_int(h, bdf, "numa_node", -1);
	d.has_reset = host_exists(h, pdev_path(bdf, "reset").s);
	read_text(h, bdf, "reset_method", d.reset_method, sizeof(d.reset_method));
	read_text(h, bdf, "power/control", d.power_control, sizeof(d.power_control));
	read_text(h, bdf, "power_state", d.power_state, sizeof(d.power_state));
	d.d3cold = read_int(h, bdf, "d3cold_allowed", -1);
	d.mdev_types = host_exists(h, pdev_path(bdf, "mdev_supported_types").s);
	d.nvidia_vgpu = host_exists(h, pdev_path(bdf, "nvidia").s);
	read_driver(h, &d);
	read_place(h, &d);
	read_sriov(h, &d);
	count_children(h, &d);
	read_bars(h, &d);
	*ret = d;
	return 0;
}

struct host_path pdev_mdev_path(unsigned index, unsigned vmid)
{
	return host_path("/sys/bus/mdev/devices/%08u-0000-0000-0000-%012u", index, vmid);
}
