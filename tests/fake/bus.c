// SPDX-License-Identifier: GPL-2.0-or-later
/* Drivers and devices on the PCI bus of a tree: see bus.h. */
#include "bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

#define DRIVERS "/sys/bus/pci/drivers"

struct tfs_path bus_attr(struct bdf a, const char *attr)
{
	return tfs_path("/sys/bus/pci/devices/%s%s%s", BDF_S(a), *attr ? "/" : "", attr);
}

struct tfs_path bus_hidden(const char *kind, struct bdf a)
{
	return tfs_path("/.fake/%s/%s", kind, BDF_S(a));
}

bool bus_known(int root, struct bdf a)
{
	return tfs_exists(root, bus_attr(a, "").s);
}

bool bus_is_bridge(int root, struct bdf a)
{
	return tfs_exists(root, bus_attr(a, "pci_bus").s);
}

bool bus_is_pf_in_use(int root, struct bdf a)
{
	return tfs_is_link(root, bus_attr(a, "virtfn0").s);
}

size_t bus_list(int root, const char *folder, struct bdf *v, size_t max)
{
	struct tfs_names names;
	size_t n = 0;

	if (tfs_list(root, folder, &names) < 0)
		return 0;
	for (size_t i = 0; i < names.n && n < max; i++)
		if (bdf_parse(names.v[i], &v[n]) == 0)
			n++;
	tfs_names_release(&names);
	qsort(v, n, sizeof(*v), bdf_compare_qsort);
	return n;
}

size_t bus_all(int root, struct bdf *v, size_t max)
{
	return bus_list(root, "/sys/bus/pci/devices", v, max);
}

int bus_group(int root, struct bdf a)
{
	struct bus_name name;
	uint64_t n;

	if (tfs_linkname(root, bus_attr(a, "iommu_group").s, name.s, sizeof(name.s)) < 0)
		return -1;
	return str_to_u64(name.s, 10, &n) < 0 ? -1 : (int)n;
}

size_t bus_group_members(int root, int group, struct bdf *v, size_t max)
{
	return bus_list(root, tfs_path("/sys/kernel/iommu_groups/%d/devices", group).s, v, max);
}

bool bus_driver_known(int root, const char *driver)
{
	return tfs_exists(root, tfs_path(DRIVERS "/%s", driver).s);
}

/* /sys/module/M with its link back to the driver. */
static int module_add(int root, const char *driver, const char *module)
{
	const char *top = tfs_path("/sys/module/%s", module).s;
	int r = tfs_putf(root, tfs_path("%s/initstate", top).s, 0444, "live\n");

	if (r == 0)
		r = tfs_putf(root, tfs_path("%s/refcnt", top).s, 0444, "0\n");
	if (r == 0)
		r = tfs_link_to(root, tfs_path("%s/drivers/pci:%s", top, driver).s,
				tfs_path(DRIVERS "/%s", driver).s);
	if (r == 0)
		r = tfs_link_to(root, tfs_path(DRIVERS "/%s/module", driver).s, top);
	return r;
}

int bus_driver_add(int root, const char *driver, const char *module)
{
	static const char *const files[] = { "bind", "unbind", "new_id", "remove_id", "uevent" };
	int r = 0;

	if (bus_driver_known(root, driver))
		return 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(files); i++)
		r = tfs_put(root, tfs_path(DRIVERS "/%s/%s", driver, files[i]).s, 0200, "", 0);
	if (r == 0 && *module)
		r = module_add(root, driver, module);
	if (r == 0)
		r = tfs_addf(root, "/.fake/order", "%s", driver);
	if (r == 0 && strcmp(driver, "vfio-pci") == 0 && !tfs_exists(root, "/dev/iommu"))
		r = tfs_put(root, "/dev/vfio/vfio", 0666, "", 0);
	return r;
}

struct bus_name bus_driver(int root, struct bdf a)
{
	struct bus_name name;

	if (tfs_linkname(root, bus_attr(a, "driver").s, name.s, sizeof(name.s)) < 0)
		name.s[0] = '\0';
	return name;
}

bool bus_driver_is_harmless(const char *driver)
{
	return strcmp(driver, "vfio-pci") == 0 || strcmp(driver, "pci-stub") == 0 ||
	       strcmp(driver, "pcieport") == 0;
}

/* The device's real folder, which links must name. */
static int device_path(int root, struct bdf a, struct tfs_path *ret)
{
	return tfs_resolve(root, bus_attr(a, "").s, ret->s, sizeof(ret->s));
}

/* The first line of `uevent` names the driver, while there is one. */
static int uevent_driver(int root, struct bdf a, const char *driver)
{
	char old[1024], *rest = old;
	ssize_t n = tfs_get(root, bus_attr(a, "uevent").s, old, sizeof(old));

	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	if (str_starts(old, "DRIVER="))
		rest = old + strcspn(old, "\n") + (strchr(old, '\n') != NULL);
	return tfs_putf(root, bus_attr(a, "uevent").s, 0644, "%s%s%s%s\n", *driver ? "DRIVER=" : "",
			driver, *driver ? "\n" : "", rest);
}

int bus_join(int root, struct bdf a, const char *driver)
{
	struct tfs_path dev, drv = tfs_path(DRIVERS "/%s", driver);
	int r = device_path(root, a, &dev);

	if (r == 0)
		r = tfs_link_to(root, tfs_path("%s/%s", drv.s, BDF_S(a)).s, dev.s);
	if (r == 0)
		r = tfs_link_to(root, tfs_path("%s/driver", dev.s).s, drv.s);
	return r < 0 ? r : uevent_driver(root, a, driver);
}

int bus_part(int root, struct bdf a, const char *driver)
{
	int r = tfs_unlink(root, tfs_path(DRIVERS "/%s/%s", driver, BDF_S(a)).s);

	if (r == 0)
		r = tfs_unlink(root, bus_attr(a, "driver").s);
	return r < 0 ? r : uevent_driver(root, a, "");
}

/* One line of /.fake/children: "drm/card0 226:0", "nvme/nvme0/nvme0n1 b259:0" or "net/enp5s0". */
struct child {
	struct tfs_path path;		/* its real folder */
	struct tfs_path top;		/* the device's folder "drm" it lies in, which goes with it */
	struct tfs_path class, number;	/* the links to it; number.s[0] = '\0': it has no node */
	char dev[24];
};

/* "/sys/class/drm/card0".  USB root hubs belong to a bus, not a class. */
static struct tfs_path class_link(const char *name, bool block)
{
	const char *last = strrchr(name, '/');

	if (!last)
		return tfs_path("/sys/bus/usb/devices/%s", name);
	if (block || strstr(name, "/i2c-dev/"))
		return tfs_path("/sys/class/%s%s", block ? "block" : "i2c-dev", last);
	return tfs_path("/sys/class/%.*s%s", (int)strcspn(name, "/"), name, last);
}

static int child_parse(int root, struct bdf a, char *line, struct child *ret)
{
	struct tfs_path top;
	char *number, *name = str_token(&line, " ");
	int r = device_path(root, a, &top);
	bool block;

	if (r < 0 || !name)
		return r < 0 ? r : -EINVAL;
	number = str_token(&line, " ");
	block = number && *number == 'b';
	ret->path = tfs_path("%s/%s", top.s, name);
	ret->top = tfs_path("%s/%.*s", top.s, (int)strcspn(name, "/"), name);
	ret->class = class_link(name, block);
	ret->number.s[0] = ret->dev[0] = '\0';
	if (!number)
		return 0;
	ret->number = tfs_path("/sys/dev/%s/%s", block ? "block" : "char", number + block);
	return str_copy(ret->dev, sizeof(ret->dev), number + block);
}

/* "nvme0n1/nvme0n1p3", "sda/sda1": what it lies in is a disk already. */
static bool is_partition(int root, const struct child *c)
{
	const char *name = strrchr(c->path.s, '/'), *up = name;

	while (up > c->path.s && up[-1] != '/')
		up--;
	return strstr(c->class.s, "/block/") &&
	       tfs_is_link(root, tfs_path("/sys/class/block/%.*s", (int)(name - up), up).s);
}

static int child_show(int root, struct child *c)
{
	int r = tfs_mkdirs(root, c->path.s);

	if (r == 0 && is_partition(root, c))
		r = tfs_putf(root, tfs_path("%s/partition", c->path.s).s, 0444, "%s\n",
			     c->path.s + strlen(c->path.s) - 1);

	if (r == 0 && c->dev[0])
		r = tfs_putf(root, tfs_path("%s/dev", c->path.s).s, 0444, "%s\n", c->dev);
	if (r == 0 && c->number.s[0])
		r = tfs_link_to(root, c->number.s, c->path.s);
	if (r == 0)
		r = tfs_link_to(root, c->class.s, c->path.s);
	*strrchr(c->class.s, '/') = '\0';
	return r < 0 ? r : tfs_link_to(root, tfs_path("%s/subsystem", c->path.s).s, c->class.s);
}

static int child_hide(int root, struct child *c)
{
	tfs_unlink(root, c->class.s);
	if (c->number.s[0])
		tfs_unlink(root, c->number.s);
	return tfs_remove(root, c->top.s);
}

static int children_each(int root, struct bdf a, int (*fn)(int root, struct child *c))
{
	char text[2048], *cursor = text, *line;
	int r = 0;

	if (tfs_get(root, bus_hidden("children", a).s, text, sizeof(text)) < 0)
		return 0;
	while (r == 0 && (line = str_token(&cursor, "\n"))) {
		struct child c;

		r = child_parse(root, a, line, &c);
		if (r == 0)
			r = fn(root, &c);
	}
	return r;
}

int bus_children_show(int root, struct bdf a)
{
	return children_each(root, a, child_show);
}

int bus_children_hide(int root, struct bdf a)
{
	return children_each(root, a, child_hide);
}

int bus_vfio_show(int root, struct bdf a)
{
	struct tfs_path dev;
	int group = bus_group(root, a), n = 0, r = device_path(root, a, &dev);

	if (r < 0)
		return r;
	while (tfs_is_link(root, tfs_path("/sys/class/vfio-dev/vfio%d", n).s))
		n++;
	dev = tfs_path("%.400s/vfio-dev/vfio%d", dev.s, n);
	r = tfs_putf(root, tfs_path("%.480s/dev", dev.s).s, 0444, "511:%d\n", n);
	if (r == 0)
		r = tfs_link_to(root, tfs_path("/sys/class/vfio-dev/vfio%d", n).s, dev.s);
	if (r == 0 && tfs_exists(root, "/dev/iommu"))
		return tfs_putf(root, tfs_path("/dev/vfio/devices/vfio%d", n).s, 0600, "%s", BDF_S(a));
	if (r == 0 && group >= 0 && !tfs_exists(root, tfs_path("/dev/vfio/%d", group).s))
		r = tfs_put(root, tfs_path("/dev/vfio/%d", group).s, 0600, "", 0);
	return r;
}

static bool group_on_vfio(int root, int group)
{
	struct bdf v[256];
	size_t n = bus_group_members(root, group, v, ARRAY_SIZE(v));

	for (size_t i = 0; i < n; i++)
		if (strcmp(bus_driver(root, v[i]).s, "vfio-pci") == 0)
			return true;
	return false;
}

int bus_vfio_hide(int root, struct bdf a)
{
	int group = bus_group(root, a);
	struct tfs_names names;

	if (tfs_list(root, bus_attr(a, "vfio-dev").s, &names) == 0) {
		for (size_t i = 0; i < names.n; i++) {
			tfs_unlink(root, tfs_path("/sys/class/vfio-dev/%s", names.v[i]).s);
			tfs_unlink(root, tfs_path("/dev/vfio/devices/%s", names.v[i]).s);
		}
		tfs_names_release(&names);
	}
	if (group >= 0 && !group_on_vfio(root, group))
		tfs_unlink(root, tfs_path("/dev/vfio/%d", group).s);
	return tfs_remove(root, bus_attr(a, "vfio-dev").s);
}
