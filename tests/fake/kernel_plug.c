// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel_plug - a function leaves the bus, and a rescan of its port finds it again; virtual functions come and go.
 *
 * drivers/pci/pci-sysfs.c (remove_store, dev_rescan_store), drivers/pci/remove.c, drivers/pci/probe.c
 * (pci_device_add: a new device object knows nothing of what was written to the old one).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel_int.h"
#include "str.h"

static struct tfs_path away(struct bdf a, const char *what)
{
	return tfs_path("/.fake/away/%s/%s", BDF_S(a), what);
}

static struct tfs_path group_link(int group, struct bdf a)
{
	return tfs_path("/sys/kernel/iommu_groups/%d/devices/%s", group, BDF_S(a));
}

int kernel_remove(struct fake_op *op, struct bdf a)
{
	int root = root_of(op->k), group = bus_group(root, a), r;
	struct bus_name driver = bus_driver(root, a);
	char path[512];

	if (driver.s[0])
		violation(op->k, "%s: %s has it", fake_log(op->k, op->n), driver.s);
	r = tfs_resolve(root, bus_attr(a, "").s, path, sizeof(path));
	if (r >= 0)
		r = tfs_mkdirs(root, tfs_path("/.fake/away/%s", BDF_S(a)).s);
	if (r >= 0)
		r = tfs_putf(root, away(a, "path").s, 0644, "%s", path);
	if (r >= 0)
		r = tfs_putf(root, away(a, "group").s, 0644, "%d", group);
	if (r >= 0)
		r = host_default_ops.rename(&op->k->host, path, away(a, "folder").s);
	if (r < 0)
		return r;
	if (group >= 0)
		tfs_unlink(root, group_link(group, a).s);
	return tfs_unlink(root, tfs_path("/sys/bus/pci/devices/%s", BDF_S(a)).s);
}

/* As pci_device_add() makes it. */
static void forget(struct fake_kernel *k, struct bdf a)
{
	static const char *const fresh[][2] = {
		{ "driver_override", "(null)" }, { "power/control", "on" }, { "d3cold_allowed", "1" },
	};
	char methods[128];

	for (size_t i = 0; i < ARRAY_SIZE(fresh); i++)
		tfs_putf(root_of(k), bus_attr(a, fresh[i][0]).s, 0644, "%s\n", fresh[i][1]);
	if (tfs_get(root_of(k), bus_hidden("methods", a).s, methods, sizeof(methods)) > 0)
		tfs_putf(root_of(k), bus_attr(a, "reset_method").s, 0644, "%s\n", methods);
}

static int put_back(struct fake_op *op, struct bdf a, const char *path)
{
	int root = root_of(op->k), r;
	char text[16];
	uint64_t group;

	r = host_default_ops.rename(&op->k->host, away(a, "folder").s, path);
	if (r < 0)
		return r;
	tfs_link_to(root, tfs_path("/sys/bus/pci/devices/%s", BDF_S(a)).s, path);
	tfs_get(root, away(a, "group").s, text, sizeof(text));
	if (str_to_u64(text, 10, &group) == 0)
		tfs_link_to(root, group_link((int)group, a).s, path);
	tfs_remove(root, tfs_path("/.fake/away/%s", BDF_S(a)).s);
	forget(op->k, a);
	return 0;
}

static int appear(struct fake_op *op, struct bdf a, const char *path)
{
	int r = put_back(op, a, path);

	if (r < 0)
		return r;
	/* What does not answer is not found. */
	if (reset_hits(op, a, "rescan") < 0)
		return kernel_remove(op, a);
	(void)kernel_drivers_probe(op, BDF_S(a));
	return 0;
}

int kernel_rescan(struct fake_op *op, struct bdf bridge)
{
	int root = root_of(op->k), r = 0;
	struct tfs_names names;
	char port[512];

	if (tfs_resolve(root, bus_attr(bridge, "").s, port, sizeof(port)) < 0)
		return -ENODEV;
	if (tfs_list(root, "/.fake/away", &names) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct bdf a;
		char path[512];

		if (bdf_parse(names.v[i], &a) == 0 && tfs_get(root, away(a, "path").s, path, sizeof(path)) > 0 &&
		    strncmp(path, port, strlen(port)) == 0)
			r = appear(op, a, path);
	}
	tfs_names_release(&names);
	return r;
}

/* --- virtual functions (drivers/pci/iov.c) ------------------------------------------------------- */

static struct tfs_path virtfn(struct bdf pf, unsigned i)
{
	return bus_attr(pf, tfs_path("virtfn%u", i).s);
}

static struct tfs_path once(struct bdf pf, unsigned i)
{
	return tfs_path("/.fake/vf/%s/%u", BDF_S(pf), i);
}

static unsigned count_vfs(struct fake_kernel *k, struct bdf pf)
{
	unsigned n = 0;

	while (tfs_is_link(root_of(k), virtfn(pf, n).s))
		n++;
	return n;
}

static int take_vf(struct fake_op *op, struct bdf pf, unsigned i)
{
	int root = root_of(op->k), r;
	char name[32];
	struct bdf a;

	if (tfs_linkname(root, virtfn(pf, i).s, name, sizeof(name)) < 0 || bdf_parse(name, &a) < 0)
		return -EIO;
	r = tfs_mkdirs(root, tfs_path("/.fake/vf/%s", BDF_S(pf)).s);
	if (r == 0)
		r = tfs_putf(root, once(pf, i).s, 0644, "%s", name);
	if (r == 0)
		r = kernel_remove(op, a);
	return r < 0 ? r : tfs_unlink(root, virtfn(pf, i).s);
}

/* Only those that the manifest has, and that were taken away. */
static int make_vf(struct fake_op *op, struct bdf pf, unsigned i)
{
	char name[32], path[512], autoprobe[8] = "";
	int root = root_of(op->k), r;
	struct bdf a;

	if (tfs_get(root, once(pf, i).s, name, sizeof(name)) <= 0 || bdf_parse(name, &a) < 0 ||
	    tfs_get(root, away(a, "path").s, path, sizeof(path)) <= 0)
		return -ENOMEM;
	r = put_back(op, a, path);
	if (r == 0)
		r = tfs_link_to(root, virtfn(pf, i).s, path);
	tfs_get(root, bus_attr(pf, "sriov_drivers_autoprobe").s, autoprobe, sizeof(autoprobe));
	if (r == 0 && autoprobe[0] == '1')
		(void)kernel_drivers_probe(op, name);
	return r;
}

/* sriov_numvfs_store */
int kernel_numvfs(struct fake_op *op, struct bdf pf, const char *value)
{
	char clean[8];
	unsigned now = count_vfs(op->k, pf);
	uint64_t n;
	int r = 0;

	snprintf(clean, sizeof(clean), "%.*s", (int)strcspn(value, "\n"), value);
	if (str_to_u64(clean, 10, &n) < 0)
		return -EINVAL;
	if (n == now)
		return 0;
	if (n && now)
		return -EBUSY;
	if (!bus_driver(root_of(op->k), pf).s[0])
		return -ENOENT;
	for (unsigned i = now; r == 0 && i-- > 0; )
		r = take_vf(op, pf, i);
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = make_vf(op, pf, i);
	return r < 0 ? r : tfs_putf(root_of(op->k), bus_attr(pf, "sriov_numvfs").s, 0644, "%u\n", (unsigned)n);
}

/* drivers/pci/pci-sysfs.c:__resource_resize_store */
int kernel_resize(struct fake_op *op, struct bdf a, const char *value)
{
	char sizes[32], text[2048], clean[8], *rest;
	int root = root_of(op->k);
	uint64_t bit, offered, start;
	struct bus_name driver = bus_driver(root, a);

	snprintf(clean, sizeof(clean), "%.*s", (int)strcspn(value, "\n"), value);
	tfs_get(root, bus_attr(a, "resource0_resize").s, sizes, sizeof(sizes));
	if (str_to_u64(clean, 10, &bit) < 0 || str_to_u64(sizes, 16, &offered) < 0)
		return -EINVAL;
	if (driver.s[0])
		return -EBUSY;
	if (bit > 43 || !(offered >> bit & 1))
		return -EINVAL;
	tfs_get(root, bus_attr(a, "resource").s, text, sizeof(text));
	rest = strchr(text, '\n');
	start = 0x4000000000;
	return tfs_putf(root, bus_attr(a, "resource").s, 0444, "0x%016llx 0x%016llx 0x000000000014220c%s\n",
			(unsigned long long)start, (unsigned long long)(start + (1ULL << (bit + 20)) - 1), rest ? rest : "");
}

/* The slots lose their power; what has a host driver is restored by it (pci_pm_resume), and the alarm is over. */
int kernel_suspend(struct fake_op *op, const char *value)
{
	int root = root_of(op->k), r = 0;
	struct bdf v[FAKE_DEVS];
	size_t n = bus_all(root, v, ARRAY_SIZE(v));

	if (strcmp(value, "mem") != 0)
		return -EINVAL;
	for (size_t i = 0; i < n && (r == 0 || r == -ENOTTY); i++)
		if (!bus_driver(root, v[i]).s[0] || strcmp(bus_driver(root, v[i]).s, "vfio-pci") == 0)
			r = reset_hits(op, v[i], "suspend");
	if (r == -ENOTTY)	/* a card that stays dead does not keep the host from waking up */
		r = 0;
	return r < 0 ? r : tfs_put(root, "/sys/class/rtc/rtc0/wakealarm", 0644, "\n", 1);
}
