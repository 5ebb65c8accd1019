// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel_bind - drivers meet devices, in the order of checks of Linux.
 *
 * drivers/base/bus.c (bind_store, unbind_store, drivers_probe_store), drivers/base/dd.c
 * (device_driver_attach, really_probe, __device_release_driver), drivers/pci/pci-driver.c
 * (pci_match_device, pci_dma_configure, new_id_store), drivers/vfio/pci/vfio_pci_core.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_int.h"
#include "str.h"

static bool is_vfio(const char *driver)
{
	return strcmp(driver, "vfio-pci") == 0;
}

static bool word_in(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || strchr(" \n", p[-1])) && (!p[n] || strchr(" \n", p[n])))
			return true;
	return false;
}

static bool list_has(struct fake_kernel *k, const char *path, const char *word)
{
	char text[4096];

	return tfs_get(root_of(k), path, text, sizeof(text)) > 0 && word_in(text, word);
}

/* "10de:2684" */
static struct bus_name id_of(struct fake_kernel *k, struct bdf a)
{
	char vendor[16], device[16];
	struct bus_name id = { "" };

	if (tfs_get(root_of(k), bus_attr(a, "vendor").s, vendor, sizeof(vendor)) > 2 &&
	    tfs_get(root_of(k), bus_attr(a, "device").s, device, sizeof(device)) > 2)
		snprintf(id.s, sizeof(id.s), "%s:%s", vendor + 2, device + 2);
	return id;
}

/* pci_match_device(): an override decides alone; dynamic ids come before the driver's own table. */
static bool matches(struct fake_kernel *k, struct bdf a, const char *driver)
{
	char override[64];

	tfs_get(root_of(k), bus_attr(a, "driver_override").s, override, sizeof(override));
	if (override[0] && strcmp(override, "(null)") != 0)
		return strcmp(override, driver) == 0;
	if (list_has(k, tfs_path("/.fake/dynid/%s", driver).s, id_of(k, a).s))
		return true;
	return list_has(k, bus_hidden("native", a).s, driver);
}

static void set_attr(struct fake_kernel *k, struct bdf a, const char *name, const char *value)
{
	tfs_putf(root_of(k), bus_attr(a, name).s, 0644, "%s\n", value);
}

static void enable_add(struct fake_kernel *k, struct bdf a, int delta)
{
	char text[16];
	uint64_t n = 0;

	tfs_get(root_of(k), bus_attr(a, "enable").s, text, sizeof(text));
	if (str_to_u64(text, 10, &n) == 0 && (delta > 0 || n > 0))
		set_attr(k, a, "enable", tfs_path("%lld", (long long)n + delta).s);
}

/* --- probe ------------------------------------------------------------------------------------ */

/* What makes a probe fail; the links exist meanwhile. */
static int probe_verdict(struct fake_kernel *k, struct bdf a, const char *driver)
{
	int err;

	if (is_vfio(driver) && bus_group(root_of(k), a) < 0)
		return -EINVAL;
	if (is_vfio(driver) && bus_is_bridge(root_of(k), a))
		return -EINVAL;
	if (is_vfio(driver) && bus_is_pf_in_use(root_of(k), a))
		return -EBUSY;
	return rule_applies(k, FAKE_PROBE_FAILS, driver, a, &err) ? -err : 0;
}

static int probe_done(struct fake_kernel *k, struct bdf a, const char *driver)
{
	if (is_vfio(driver)) {
		set_attr(k, a, "power/control", "auto");	/* pm_runtime_allow() */
		return bus_vfio_show(root_of(k), a);
	}
	if (bus_driver_is_harmless(driver))
		return 0;
	enable_add(k, a, 1);
	return bus_children_show(root_of(k), a);
}

/* really_probe(), the device's lock held. */
static int probe(struct fake_op *op, struct bdf a, const char *driver)
{
	struct fake_kernel *k = op->k;
	int group = bus_group(root_of(k), a), lock, slow = 0, r;

	/* pci_dma_configure(): before anything of the driver runs, and nothing is logged */
	if (!bus_driver_is_harmless(driver) && group >= 0 && group_is_claimed(k, group))
		return -EBUSY;
	lock = klock(k);
	r = bus_join(root_of(k), a, driver);
	kunlock(lock);
	if (r < 0)
		return r;
	if (rule_applies(k, FAKE_PROBE_SLOW, driver, a, &slow))
		nap((unsigned)slow);
	r = probe_verdict(k, a, driver);
	lock = klock(k);
	r = r < 0 ? r : probe_done(k, a, driver);
	if (r < 0)
		bus_part(root_of(k), a, driver);
	kunlock(lock);
	if (r == 0)
		counts_of(k, a)->bind++;
	return r;
}

static int parse_value(struct fake_kernel *k, const char *value, struct bdf *ret)
{
	char text[64];

	if (str_copy(text, sizeof(text), value) < 0)
		return -ENODEV;
	text[strcspn(text, "\n")] = '\0';
	return bdf_parse(text, ret) < 0 || !bus_known(root_of(k), *ret) ? -ENODEV : 0;
}

/* bind_store(): the match comes first, so a bound device of another driver is ENODEV. */
int kernel_bind(struct fake_op *op, const char *driver, const char *value)
{
	struct bdf a;
	int r = parse_value(op->k, value, &a), lock;

	if (r < 0)
		return r;
	lock = device_lock(op, a);
	if (lock < 0)
		return lock;
	if (!matches(op->k, a, driver))
		r = -ENODEV;
	else if (bus_driver(root_of(op->k), a).s[0])
		r = -EBUSY;
	else
		r = probe(op, a, driver);
	kunlock(lock);
	return r;
}

/* device_attach(): the drivers in order of registration until one has it.  A failed probe only
 * passes the device on; an owned group is an error. */
static int attach(struct fake_op *op, struct bdf a)
{
	char text[2048], *cursor = text, *driver;
	int lock = device_lock(op, a), r = 0;

	if (lock < 0)
		return lock;
	tfs_get(root_of(op->k), "/.fake/order", text, sizeof(text));
	while (!bus_driver(root_of(op->k), a).s[0] && (driver = str_token(&cursor, "\n"))) {
		int group = bus_group(root_of(op->k), a);

		if (!matches(op->k, a, driver))
			continue;
		if (!bus_driver_is_harmless(driver) && group >= 0 && group_is_claimed(op->k, group)) {
			r = -EINVAL;
			break;
		}
		(void)probe(op, a, driver);
	}
	kunlock(lock);
	return r;
}

int kernel_drivers_probe(struct fake_op *op, const char *value)
{
	struct bdf a;
	int r = parse_value(op->k, value, &a);

	return r < 0 ? r : attach(op, a);
}

/* --- remove ----------------------------------------------------------------------------------- */

/* What the driver's remove callback does after the links are gone. */
static int remove_done(struct fake_kernel *k, struct bdf a, const char *driver)
{
	if (is_vfio(driver)) {
		set_attr(k, a, "power/control", "on");		/* pm_runtime_forbid() */
		set_attr(k, a, "power_state", "D0");
		set_attr(k, a, "power/runtime_status", "active");
		return bus_vfio_hide(root_of(k), a);
	}
	if (bus_driver_is_harmless(driver))
		return 0;
	if (!rule_applies(k, FAKE_ENABLE_LEAKS, driver, a, NULL))
		enable_add(k, a, -1);
	return bus_children_hide(root_of(k), a);
}

/* __device_release_driver(), the device's lock held. */
static int release(struct fake_op *op, struct bdf a, const char *driver)
{
	struct fake_kernel *k = op->k;
	int lock, slow = 0, r;

	if (bus_driver_is_host(driver) && bus_is_pf_in_use(root_of(k), a))
		violation(k, "%s: %s has virtual functions", fake_log(k, op->n), BDF_S(a));
	if (is_vfio(driver) && device_is_open(k, a))
		violation(k, "%s: somebody has %s open", fake_log(k, op->n), BDF_S(a));
	lock = klock(k);
	r = bus_part(root_of(k), a, driver);
	kunlock(lock);
	if (r < 0)
		return r;
	op_hang(op);
	if (is_vfio(driver))
		op_wait(op, a, true, device_is_open);	/* vfio_unregister_group_dev() */
	if (rule_applies(k, FAKE_REMOVE_SLOW, driver, a, &slow))
		nap((unsigned)slow);
	lock = klock(k);
	r = remove_done(k, a, driver);
	kunlock(lock);
	counts_of(k, a)->unbind++;
	return r;
}

int kernel_unbind(struct fake_op *op, const char *driver, const char *value)
{
	struct bdf a;
	int r = parse_value(op->k, value, &a), lock;

	if (r < 0)
		return r;
	lock = device_lock(op, a);
	if (lock < 0)
		return lock;
	if (strcmp(bus_driver(root_of(op->k), a).s, driver) != 0)
		r = -ENODEV;
	else
		r = release(op, a, driver);
	kunlock(lock);
	return r;
}

/* --- ids and modules -------------------------------------------------------------------------- */

/* driver_attach(): every device without a driver that the new one matches. */
static void attach_all(struct fake_op *op, const char *driver)
{
	struct bdf v[FAKE_DEVS];
	size_t n = bus_all(root_of(op->k), v, ARRAY_SIZE(v));

	for (size_t i = 0; i < n; i++) {
		int lock;

		if (!matches(op->k, v[i], driver))
			continue;
		lock = device_lock(op, v[i]);
		if (lock >= 0 && !bus_driver(root_of(op->k), v[i]).s[0])
			(void)probe(op, v[i], driver);
		kunlock(lock);
	}
}

int kernel_new_id(struct fake_op *op, const char *driver, unsigned vendor, unsigned device)
{
	struct tfs_path path = tfs_path("/.fake/dynid/%s", driver);
	struct bus_name id;
	int r;

	snprintf(id.s, sizeof(id.s), "%04x:%04x", vendor, device);
	if (list_has(op->k, path.s, id.s))
		return -EEXIST;
	r = tfs_addf(root_of(op->k), path.s, "%s", id.s);
	if (r == 0)
		attach_all(op, driver);
	return r;
}

int kernel_remove_id(struct fake_op *op, const char *driver, unsigned vendor, unsigned device)
{
	char text[2048], *cursor = text, *line;
	struct tfs_path path = tfs_path("/.fake/dynid/%s", driver);
	struct bus_name id;
	int r = -ENODEV;

	snprintf(id.s, sizeof(id.s), "%04x:%04x", vendor, device);
	if (!list_has(op->k, path.s, id.s))
		return r;
	tfs_get(root_of(op->k), path.s, text, sizeof(text));
	r = tfs_unlink(root_of(op->k), path.s);
	while (r == 0 && (line = str_token(&cursor, "\n")))
		if (strcmp(line, id.s) != 0)
			r = tfs_addf(root_of(op->k), path.s, "%s", line);
	return r;
}

static void underscores(char *s)
{
	for (; (s = strchr(s, '-')); )
		*s = '_';
}

/* A line of /.fake/modules: "nvidia nvidia". */
static void load_driver(struct fake_op *op, const char *driver, const char *module)
{
	int lock = klock(op->k);
	bool known = bus_driver_known(root_of(op->k), driver);

	if (!known)
		bus_driver_add(root_of(op->k), driver, module);
	kunlock(lock);
	if (!known)
		attach_all(op, driver);
}

int kernel_load(struct fake_op *op, const char *name)
{
	char text[4096], *cursor = text, *line, wanted[64];
	bool found;

	if (str_copy(wanted, sizeof(wanted), name) < 0)
		return 1;
	underscores(wanted);
	found = tfs_exists(root_of(op->k), tfs_path("/sys/module/%s", wanted).s);
	tfs_get(root_of(op->k), "/.fake/modules", text, sizeof(text));
	while ((line = str_token(&cursor, "\n"))) {
		char *driver = strchr(line, ' ');

		if (!driver)
			continue;
		*driver++ = '\0';
		underscores(line);
		if (strcmp(line, wanted) != 0)
			continue;
		load_driver(op, driver, line);
		found = true;
	}
	return found ? 0 : 1;
}
