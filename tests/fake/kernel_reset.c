// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel_reset - resets and power states.
 *
 * drivers/pci/pci.c (pci_reset_function, pci_parent_bus_reset, __pci_reset_bus),
 * drivers/pci/pci-sysfs.c (reset_method_store, reset_subordinate_store),
 * drivers/vfio/pci/vfio_pci_core.c (vfio_pci_for_each_slot_or_bus).
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_int.h"
#include "str.h"

/* The folder that holds the function: its bridge's, or the root bus's. */
static struct tfs_path folder_of(const struct fake_kernel *k, struct bdf a)
{
	struct tfs_path p;
	char *slash;

	if (tfs_resolve(root_of(k), bus_attr(a, "").s, p.s, sizeof(p.s)) < 0)
		p.s[0] = '\0';
	slash = strrchr(p.s, '/');
	if (slash)
		*slash = '\0';
	return p;
}

static bool has_bridge(const struct tfs_path *folder)
{
	const char *name = strrchr(folder->s, '/');
	struct bdf a;

	return name && bdf_parse(name + 1, &a) == 0;
}

/* A virtual function's bus is its physical function's. */
static struct bdf physical(struct fake_kernel *k, struct bdf a)
{
	struct bus_name name;
	struct bdf pf;

	if (tfs_linkname(root_of(k), bus_attr(a, "physfn").s, name.s, sizeof(name.s)) < 0 ||
	    bdf_parse(name.s, &pf) < 0)
		return a;
	return pf;
}

static bool is_below(struct fake_kernel *k, struct bdf a, const struct tfs_path *folder)
{
	struct tfs_path p = folder_of(k, a);
	size_t n = strlen(folder->s);

	return strncmp(p.s, folder->s, n) == 0 && (p.s[n] == '/' || p.s[n] == '\0');
}

static size_t all_below(struct fake_kernel *k, const struct tfs_path *folder, struct bdf *v, size_t max)
{
	struct bdf all[FAKE_DEVS];
	size_t n = bus_all(root_of(k), all, ARRAY_SIZE(all)), out = 0;

	for (size_t i = 0; i < n && out < max; i++)
		if (is_below(k, all[i], folder))
			v[out++] = all[i];
	return out;
}

size_t reset_set(struct fake_kernel *k, struct bdf a, struct bdf *v, size_t max)
{
	struct tfs_path folder = folder_of(k, physical(k, a));
	size_t n = has_bridge(&folder) ? all_below(k, &folder, v, max) : 0;

	for (size_t i = 0; i < n; i++)
		if (rule_applies(k, FAKE_NO_BUS_RESET, "", v[i], NULL))
			return 0;
	return n;
}

/* --- what a reset does to a function ---------------------------------------------------------- */

/* Who would suffer. */
static void guard(struct fake_op *op, struct bdf a)
{
	struct bus_name driver = bus_driver(root_of(op->k), a);
	unsigned vmid;

	if (bus_driver_is_host(driver.s))
		violation(op->k, "%s: %s belongs to the host driver %s", fake_log(op->k, op->n), BDF_S(a),
			  driver.s);
	if (vm_has_open(op->k, a, &vmid))
		violation(op->k, "%s: VM %u has %s open", fake_log(op->k, op->n), vmid, BDF_S(a));
}

static bool is_dead(struct fake_kernel *k, struct bdf a)
{
	return tfs_exists(root_of(k), bus_hidden("config", a).s);
}

int reset_hits(struct fake_op *op, struct bdf a, const char *method)
{
	bool bus = strcmp(method, "hot") == 0 || strcmp(method, "subordinate") == 0;
	struct fake_counts *c = counts_of(op->k, a);
	int value = 0;

	guard(op, a);
	if (rule_applies(op->k, FAKE_RESET_SLOW, method, a, &value))
		nap((unsigned)value);
	if (rule_applies(op->k, FAKE_RESET_FAILS, method, a, &value))
		return -value;
	if (is_dead(op->k, a)) {
		/* pci_dev_wait(): it never becomes ready */
		if (!rule_applies(op->k, FAKE_RESET_REVIVES, method, a, NULL))
			return -ENOTTY;
		fake_device_revive(op->k, a);
	}
	__atomic_add_fetch(bus ? &c->bus_reset : &c->reset, 1, __ATOMIC_SEQ_CST);
	if (rule_applies(op->k, FAKE_RESET_IS_DEATH, method, a, NULL))
		fake_device_die(op->k, a);
	return 0;
}

static bool bus_reset_works(struct fake_kernel *k, struct bdf a)
{
	struct tfs_path folder = folder_of(k, a);
	struct bdf v[2];

	/* pci_parent_bus_reset(): alone on its bus, and the bus is not a root bus */
	return has_bridge(&folder) && all_below(k, &folder, v, 2) == 1 &&
	       !rule_applies(k, FAKE_NO_BUS_RESET, "", a, NULL);
}

/* The enabled methods in order, each of which may answer "not me" (-ENOTTY). */
bool function_reset_works(struct fake_kernel *k, struct bdf a)
{
	char text[128], *cursor = text, *word;

	tfs_get(root_of(k), bus_attr(a, "reset_method").s, text, sizeof(text));
	while ((word = str_token(&cursor, " ")))
		if (strcmp(word, "bus") != 0 || bus_reset_works(k, a))
			return true;
	return false;
}

static int function_reset(struct fake_op *op, struct bdf a)
{
	char text[128], *cursor = text, *word;
	int r = -ENOTTY;

	tfs_get(root_of(op->k), bus_attr(a, "reset_method").s, text, sizeof(text));
	guard(op, a);
	while (r == -ENOTTY && (word = str_token(&cursor, " ")))
		if (strcmp(word, "bus") != 0 || bus_reset_works(op->k, a))
			r = reset_hits(op, a, word);
	return r;
}

int kernel_reset(struct fake_op *op, struct bdf a)
{
	int lock = device_lock(op, a), r;

	if (lock < 0)
		return lock;
	r = function_reset(op, a);
	kunlock(lock);
	return r;
}

int kernel_reset_below(struct fake_op *op, struct bdf bridge)
{
	struct tfs_path folder;
	struct bdf v[FAKE_DEVS];
	size_t n;
	int r = tfs_resolve(root_of(op->k), bus_attr(bridge, "").s, folder.s, sizeof(folder.s));

	if (r < 0)
		return r;
	n = all_below(op->k, &folder, v, ARRAY_SIZE(v));
	if (n == 0)
		return -ENOTTY;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = rule_applies(op->k, FAKE_NO_BUS_RESET, "", v[i], NULL) ? -ENOTTY : 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = reset_hits(op, v[i], "subordinate");
	return r;
}

/* --- attributes ------------------------------------------------------------------------------- */

static bool all_supported(const char *value, const char *supported)
{
	char copy[256], *cursor = copy, *word;

	if (str_copy(copy, sizeof(copy), value) < 0)
		return false;
	while ((word = str_token(&cursor, " \n"))) {
		const char *p = strstr(supported, word);
		size_t n = strlen(word);

		if (!p || (p > supported && p[-1] != ' ') || (p[n] && p[n] != ' '))
			return false;
	}
	return true;
}

/* Writing `default` looks again: `bus` goes when the function turns out not to be alone. */
static void stock_methods(struct fake_kernel *k, struct bdf a, char *supported, char *buf, size_t size)
{
	char *cursor = supported, *word;
	size_t n = 0;

	buf[0] = '\0';
	while (n < size && (word = str_token(&cursor, " ")))
		if (strcmp(word, "bus") != 0 || bus_reset_works(k, a))
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? " " : "", word);
}

int kernel_reset_method(struct fake_op *op, struct bdf a, const char *value)
{
	char supported[256], clean[256];

	tfs_get(root_of(op->k), bus_hidden("methods", a).s, supported, sizeof(supported));
	if (str_copy(clean, sizeof(clean), value) < 0)
		return -EINVAL;
	clean[strcspn(clean, "\n")] = '\0';
	if (strcmp(clean, "default") == 0) {
		stock_methods(op->k, a, supported, clean, sizeof(clean));
	} else if (!all_supported(clean, supported)) {
		return -EINVAL;
	}
	return tfs_putf(root_of(op->k), bus_attr(a, "reset_method").s, 0644, "%s\n", clean);
}

static bool wakes_reset(struct fake_kernel *k, struct bdf a);

int kernel_power(struct fake_op *op, struct bdf a, const char *value)
{
	size_t n = strcspn(value, "\n");
	bool was_asleep = is_asleep(op->k, a);

	if (!(n == 4 && strncmp(value, "auto", n) == 0) && !(n == 2 && strncmp(value, "on", n) == 0))
		return -EINVAL;
	if (n == 2 && was_asleep && wakes_reset(op->k, a))
		(void)reset_hits(op, a, "d3");	/* the write has no answer to give */
	return tfs_putf(root_of(op->k), bus_attr(a, "power/control").s, 0644, "%.*s\n", (int)n, value);
}

/* --- power ------------------------------------------------------------------------------------ */

/* Where the PM capability lies in a config space, 0 = none. */
static unsigned pm_cap(const uint8_t *cfg, size_t n)
{
	unsigned at = n >= 64 && cfg[PCI_STATUS] & PCI_STATUS_CAP_LIST ? cfg[PCI_CAPABILITY_LIST] : 0;

	for (int i = 0; i < 48 && at >= 0x40 && at + PCI_PM_CTRL + 1 < n; i++, at = cfg[at + 1])
		if (cfg[at] == PCI_CAP_ID_PM)
			return at;
	return 0;
}

/* No_Soft_Reset is clear: D3hot to D0 is a reset. */
static bool wakes_reset(struct fake_kernel *k, struct bdf a)
{
	uint8_t cfg[256];
	ssize_t n = tfs_read(root_of(k), bus_attr(a, "config").s, cfg, sizeof(cfg));
	unsigned at = pm_cap(cfg, n > 0 ? (size_t)n : 0);

	return at && !(cfg[at + PCI_PM_CTRL] & PCI_PM_CTRL_NO_SOFT_RESET);
}

bool is_asleep(const struct fake_kernel *k, struct bdf a)
{
	uint8_t cfg[256];
	char control[16];
	ssize_t n;

	if (k->shared->settings.no_idle_d3 || strcmp(bus_driver(root_of(k), a).s, "vfio-pci") != 0)
		return false;
	tfs_get(root_of(k), bus_attr(a, "power/control").s, control, sizeof(control));
	if (strcmp(control, "auto") != 0 || device_is_open(k, a) ||
	    rule_applies((struct fake_kernel *)k, FAKE_REFUSES_D3, "", a, NULL))
		return false;
	n = tfs_read(root_of(k), bus_attr(a, "config").s, cfg, sizeof(cfg));
	return n > 0 && pm_cap(cfg, (size_t)n) != 0;
}

/* The attributes that tell of the power state say what is, not what was written last. */
ssize_t power_read(struct fake_kernel *k, struct bdf a, const char *attr, void *buf, ssize_t n, size_t size)
{
	bool vfio = strcmp(bus_driver(root_of(k), a).s, "vfio-pci") == 0, asleep = is_asleep(k, a);
	const char *text = NULL;

	if (strcmp(attr, "config") == 0) {
		uint8_t *cfg = buf;
		unsigned at = pm_cap(cfg, n > 0 ? (size_t)n : 0);

		if (at && vfio)
			cfg[at + PCI_PM_CTRL] = (uint8_t)((cfg[at + PCI_PM_CTRL] & ~3) | (asleep ? 3 : 0));
		return n;
	}
	if (vfio && strcmp(attr, "power_state") == 0)
		text = asleep ? "D3hot\n" : "D0\n";
	if (vfio && strcmp(attr, "power/runtime_status") == 0)
		text = asleep ? "suspended\n" : "active\n";
	if (!text || strlen(text) > size)
		return n;
	memcpy(buf, text, strlen(text));
	return (ssize_t)strlen(text);
}
