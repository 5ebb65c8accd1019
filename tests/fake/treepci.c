// SPDX-License-Identifier: GPL-2.0-or-later
/* treepci - the `pci` and `root` lines of a machine: all that sysfs shows of a function. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "manifest.h"
#include "str.h"

/* --- keys ------------------------------------------------------------------------------------- */

enum key_kind { KEY_TEXT, KEY_HEX, KEY_NUMBER, KEY_YES_NO };

#define KEY(field, kind) { #field, kind, offsetof(struct tree_dev, field), sizeof(((struct tree_dev *)0)->field) }

static const struct key {
	const char *name;
	enum key_kind kind;
	size_t offset, size;
} keys[] = {
	KEY(class, KEY_HEX), KEY(revision, KEY_HEX), KEY(subsystem, KEY_TEXT), KEY(driver, KEY_TEXT),
	KEY(module, KEY_TEXT), KEY(native, KEY_TEXT), KEY(group, KEY_NUMBER), KEY(reset, KEY_TEXT),
	KEY(boot_vga, KEY_NUMBER), KEY(numa, KEY_NUMBER), KEY(override, KEY_TEXT), KEY(power, KEY_TEXT),
	KEY(d3cold, KEY_NUMBER), KEY(state, KEY_TEXT), KEY(enable, KEY_NUMBER), KEY(irq, KEY_NUMBER),
	KEY(speed, KEY_TEXT), KEY(width, KEY_NUMBER), KEY(bars, KEY_TEXT), KEY(rom, KEY_TEXT),
	KEY(nodes, KEY_TEXT), KEY(mdev, KEY_TEXT), KEY(bus, KEY_TEXT), KEY(port, KEY_TEXT),
	KEY(vfs, KEY_NUMBER), KEY(pcie, KEY_YES_NO), KEY(pm, KEY_YES_NO), KEY(vgpu, KEY_YES_NO),
	KEY(dead, KEY_YES_NO),
};

static int set_number(struct manifest *m, const char *key, const char *value, int *ret)
{
	uint64_t n;

	if (str_to_u64(value, 10, &n) < 0 || n > 100000)
		return manifest_bad(m, "%s='%s' is not a number", key, value);
	*ret = (int)n;
	return 0;
}

static int set_key(struct manifest *m, struct tree_dev *d, const struct key *k, const char *value)
{
	void *field = (char *)d + k->offset;

	switch (k->kind) {
	case KEY_NUMBER:
		return set_number(m, k->name, value, field);
	case KEY_HEX:
		return str_to_u64(value, 16, field) < 0 ?
			manifest_bad(m, "%s='%s' is not hex digits", k->name, value) : 0;
	case KEY_YES_NO:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
			return manifest_bad(m, "%s='%s' is neither yes nor no", k->name, value);
		break;
	case KEY_TEXT:
		break;
	}
	return str_copy(field, k->size, value) < 0 ?
		manifest_bad(m, "%s='%s' is too long", k->name, value) : 0;
}

/* parent= and physfn= name functions that stand further up. */
static int set_relation(struct manifest *m, const char *key, const char *value, struct bdf *ret)
{
	if (bdf_parse(value, ret) < 0 || !manifest_dev(m, *ret))
		return manifest_bad(m, "%s='%s' is no function of a line above", key, value);
	return 0;
}

static int set_word(struct manifest *m, struct tree_dev *d, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		return manifest_bad(m, "'%s' is not KEY=VALUE", word);
	*value++ = '\0';
	if (strcmp(word, "parent") == 0) {
		d->has_parent = true;
		return set_relation(m, word, value, &d->parent);
	}
	if (strcmp(word, "physfn") == 0) {
		d->has_physfn = true;
		return set_relation(m, word, value, &d->physfn);
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(word, keys[i].name) == 0)
			return set_key(m, d, &keys[i], value);
	return manifest_bad(m, "unknown key '%s'", word);
}

/* bus=01 or bus=01-03 */
static int set_bus(struct manifest *m, struct tree_dev *d)
{
	char text[sizeof(d->bus)], *cursor = text, *first, *last;
	uint64_t a, b;

	if (!d->bus[0])
		return 0;
	memcpy(text, d->bus, sizeof(text));
	first = str_token(&cursor, "-");
	last = str_token(&cursor, "-");
	if (!first || str_to_u64(first, 16, &a) < 0 || str_to_u64(last ? last : first, 16, &b) < 0 ||
	    a > b || b > 255)
		return manifest_bad(m, "bus='%s' is not BB or BB-BB", d->bus);
	d->bridge = true;
	d->secondary = (unsigned)a;
	d->subordinate = (unsigned)b;
	return 0;
}

static void set_defaults(struct tree_dev *d)
{
	bool vfio = strcmp(d->driver, "vfio-pci") == 0;

	if (strcmp(d->module, "-") == 0) {
		str_copy(d->module, sizeof(d->module), strcmp(d->driver, "pcieport") == 0 ? "" : d->driver);
		for (char *p = d->module; (p = strchr(p, '-')); )
			*p = '_';
	}
	if (!d->native[0] && bus_driver_is_host(d->driver))
		str_copy(d->native, sizeof(d->native), d->driver);
	if (d->enable < 0)
		d->enable = d->driver[0] && !vfio;
	if (!d->power[0])
		str_copy(d->power, sizeof(d->power), vfio || d->bridge ? "auto" : "on");
	if (!d->state[0])
		str_copy(d->state, sizeof(d->state), vfio && strcmp(d->power, "auto") == 0 &&
			 strcmp(d->pm, "no") != 0 ? "D3hot" : "D0");
	if (d->boot_vga < 0 && d->class >> 8 == 0x0300)
		d->boot_vga = 0;
}

/* --- files ------------------------------------------------------------------------------------ */

static int attr(struct manifest *m, struct tree_dev *d, mode_t mode, const char *name, const char *fmt, ...)
	_printf_(5, 6);
static int attr(struct manifest *m, struct tree_dev *d, mode_t mode, const char *name, const char *fmt, ...)
{
	struct tfs_path path = tfs_path("%s/%s", d->path.s, name), value;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value.s, sizeof(value.s) - 1, fmt, ap);
	va_end(ap);
	return manifest_did(m, tfs_putf(m->root, path.s, mode, "%s\n", value.s), path.s);
}

/* For files that can only be written. */
static int knob(struct manifest *m, struct tree_dev *d, const char *name)
{
	struct tfs_path path = tfs_path("%s/%s", d->path.s, name);

	return manifest_did(m, tfs_put(m->root, path.s, 0200, "", 0), path.s);
}

static int write_identity(struct manifest *m, struct tree_dev *d)
{
	struct tfs_path alias = tfs_path("pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", d->vendor, d->device,
					 d->subvendor, d->subdevice, (unsigned)(d->class >> 16) & 0xff,
					 (unsigned)(d->class >> 8) & 0xff, (unsigned)d->class & 0xff);
	int r = attr(m, d, 0444, "vendor", "0x%04x", d->vendor);

	r = r ? r : attr(m, d, 0444, "device", "0x%04x", d->device);
	r = r ? r : attr(m, d, 0444, "subsystem_vendor", "0x%04x", d->subvendor);
	r = r ? r : attr(m, d, 0444, "subsystem_device", "0x%04x", d->subdevice);
	r = r ? r : attr(m, d, 0444, "class", "0x%06x", (unsigned)d->class);
	r = r ? r : attr(m, d, 0444, "revision", "0x%02x", (unsigned)d->revision);
	r = r ? r : attr(m, d, 0444, "modalias", "%s", alias.s);
	r = r ? r : attr(m, d, 0644, "uevent", "PCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n"
			 "PCI_SLOT_NAME=%s\nMODALIAS=%s", (unsigned)d->class, d->vendor, d->device,
			 d->subvendor, d->subdevice, BDF_S(d->a), alias.s);
	return r;
}

static int write_state(struct manifest *m, struct tree_dev *d)
{
	bool asleep = strcmp(d->state, "D0") != 0;
	int r = attr(m, d, 0644, "enable", "%d", d->enable);

	r = r ? r : attr(m, d, 0444, "irq", "%d", d->irq < 0 ? 16 + d->a.fn : d->irq);
	r = r ? r : attr(m, d, 0644, "driver_override", "%s", d->override[0] ? d->override : "(null)");
	r = r ? r : attr(m, d, 0644, "numa_node", "%d", d->numa);
	r = r ? r : attr(m, d, 0444, "local_cpulist", "0-15");
	r = r ? r : attr(m, d, 0644, "d3cold_allowed", "%d", d->d3cold);
	r = r ? r : attr(m, d, 0444, "power_state", "%s", d->state);
	r = r ? r : attr(m, d, 0644, "power/control", "%s", d->power);
	r = r ? r : attr(m, d, 0444, "power/runtime_status", "%s", asleep ? "suspended" : "active");
	r = r ? r : attr(m, d, 0644, "msi_bus", "1");
	r = r ? r : knob(m, d, "remove");
	r = r ? r : knob(m, d, "rescan");
	return r;
}

static int write_optional(struct manifest *m, struct tree_dev *d)
{
	int r = 0;

	if (d->boot_vga >= 0)
		r = attr(m, d, 0444, "boot_vga", "%d", d->boot_vga);
	if (r == 0 && d->reset[0]) {
		r = knob(m, d, "reset");
		r = r ? r : attr(m, d, 0644, "reset_method", "%s", d->reset);
	}
	if (r == 0 && d->rom[0])
		r = knob(m, d, "rom");
	if (r == 0 && d->speed[0]) {
		r = attr(m, d, 0444, "current_link_speed", "%s", d->speed);
		r = r ? r : attr(m, d, 0444, "max_link_speed", "%s", d->speed);
		r = r ? r : attr(m, d, 0444, "current_link_width", "%d", d->width);
		r = r ? r : attr(m, d, 0444, "max_link_width", "%d", d->width);
	}
	if (r == 0 && strcmp(d->vgpu, "yes") == 0)
		r = attr(m, d, 0644, "nvidia/current_vgpu_type", "0");
	if (r == 0 && d->mdev[0])
		r = attr(m, d, 0444, tfs_path("mdev_supported_types/%s/available_instances", d->mdev).s, "4");
	return r;
}

static int write_sriov(struct manifest *m, struct tree_dev *d)
{
	struct tree_dev *pf = d->has_physfn ? manifest_dev(m, d->physfn) : NULL;
	struct tfs_path link;
	int r = 0;

	if (d->vfs > 0) {
		r = attr(m, d, 0444, "sriov_totalvfs", "%d", d->vfs);
		r = r ? r : attr(m, d, 0644, "sriov_numvfs", "0");
		r = r ? r : attr(m, d, 0644, "sriov_drivers_autoprobe", "1");
	}
	if (r < 0 || !pf)
		return r;
	link = tfs_path("%s/virtfn%u", pf->path.s, pf->n_vfs++);
	r = tfs_link_to(m->root, link.s, d->path.s);
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("%s/physfn", d->path.s).s, pf->path.s);
	r = manifest_did(m, r, link.s);
	return r < 0 ? r : attr(m, pf, 0644, "sriov_numvfs", "%u", pf->n_vfs);
}

static int write_bridge(struct manifest *m, struct tree_dev *d)
{
	struct tfs_path bus = tfs_path("%s/pci_bus/%04x:%02x", d->path.s, d->a.domain, d->secondary);
	int r;

	if (!d->bridge)
		return 0;
	r = tfs_put(m->root, tfs_path("%s/rescan", bus.s).s, 0200, "", 0);
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("/sys/class/pci_bus/%04x:%02x", d->a.domain, d->secondary).s,
				bus.s);
	r = manifest_did(m, r, bus.s);
	r = r ? r : knob(m, d, "reset_subordinate");
	r = r ? r : attr(m, d, 0444, "secondary_bus_number", "%u", d->secondary);
	return r ? r : attr(m, d, 0444, "subordinate_bus_number", "%u", d->subordinate);
}

/* --- links ------------------------------------------------------------------------------------ */

static int group_make(struct manifest *m, int group)
{
	struct tfs_path dir = tfs_path("/sys/kernel/iommu_groups/%d", group);
	int r;

	if (tfs_exists(m->root, dir.s))
		return 0;
	r = tfs_putf(m->root, tfs_path("%s/type", dir.s).s, 0644, "DMA-FQ\n");
	if (r == 0)
		r = tfs_putf(m->root, tfs_path("%s/reserved_regions", dir.s).s, 0444,
			     "0x00000000fee00000 0x00000000feefffff msi\n");
	return r;
}

static int link_group(struct manifest *m, struct tree_dev *d)
{
	struct tfs_path dir = tfs_path("/sys/kernel/iommu_groups/%d", d->group);
	int r;

	if (d->group < 0)
		return 0;
	if (!m->iommu[0])
		return manifest_bad(m, "group=%d on a machine without an 'iommu' line", d->group);
	r = group_make(m, d->group);
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("%s/devices/%s", dir.s, BDF_S(d->a)).s, d->path.s);
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("%s/iommu_group", d->path.s).s, dir.s);
	if (r == 0 && m->iommu_path.s[0])
		r = tfs_link_to(m->root, tfs_path("%s/iommu", d->path.s).s, m->iommu_path.s);
	return manifest_did(m, r, dir.s);
}

static int link_bus(struct manifest *m, struct tree_dev *d)
{
	struct tfs_path path = bus_attr(d->a, "");
	int r = tfs_link_to(m->root, path.s, d->path.s);

	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("%s/subsystem", d->path.s).s, "/sys/bus/pci");
	return manifest_did(m, r, path.s);
}

static int bind(struct manifest *m, struct tree_dev *d)
{
	int r = 0;

	if (d->driver[0]) {
		r = bus_driver_add(m->root, d->driver, d->module);
		r = r < 0 ? r : bus_join(m->root, d->a, d->driver);
		if (r == 0 && strcmp(d->driver, "vfio-pci") == 0)
			r = bus_vfio_show(m->root, d->a);
		else if (r == 0 && bus_driver_is_host(d->driver))
			r = bus_children_show(m->root, d->a);
	}
	return manifest_did(m, r, d->path.s);
}

/* What sysfs does not show, for the fake kernel. */
static int write_hidden(struct manifest *m, struct tree_dev *d)
{
	char nodes[sizeof(d->nodes)], *cursor = nodes, *word;
	int r = 0;

	if (d->native[0])
		r = tfs_putf(m->root, bus_hidden("native", d->a).s, 0644, "%s\n", d->native);
	if (r == 0 && d->reset[0])
		r = tfs_putf(m->root, bus_hidden("methods", d->a).s, 0644, "%s\n", d->reset);
	memcpy(nodes, d->nodes, sizeof(nodes));
	while (r == 0 && (word = str_token(&cursor, " "))) {
		char *number = strchr(word, '@');

		if (number)
			*number++ = '\0';
		if (*word == '/' || (!strchr(word, '/') && !str_starts(word, "usb")))
			return manifest_bad(m, "nodes: '%s' is not SUBSYSTEM/NAME", word);
		r = tfs_addf(m->root, bus_hidden("children", d->a).s, "%s%s%s", word, number ? " " : "",
			     number ? number : "");
	}
	return manifest_did(m, r, "/.fake");
}

/* --- the lines -------------------------------------------------------------------------------- */

static struct tree_root_bus *root_of(struct manifest *m, uint32_t domain, unsigned bus)
{
	struct tree_root_bus *b;

	for (size_t i = 0; i < m->n_roots; i++)
		if (m->roots[i].domain == domain && m->roots[i].bus == bus)
			return &m->roots[i];
	if (m->n_roots == ARRAY_SIZE(m->roots))
		return NULL;
	b = &m->roots[m->n_roots++];
	b->domain = domain;
	b->bus = bus;
	b->path = tfs_path("/sys/devices/pci%04x:%02x", domain, bus);
	return b;
}

int manifest_root(struct manifest *m, const struct manifest_line *l)
{
	const char *under = manifest_value(l, "under");
	struct tree_root_bus *b;
	struct tree_dev *d;
	char text[32];
	struct bdf a;

	if (strlen(l->v[1]) > 16 || snprintf(text, sizeof(text), "%s:00.0", l->v[1]) < 0 ||
	    bdf_parse(text, &a) < 0)
		return manifest_bad(m, "'%s' is not DDDD:BB", l->v[1]);
	b = root_of(m, a.domain, a.bus);
	if (!b)
		return manifest_bad(m, "too many root buses");
	if (under) {
		d = bdf_parse(under, &a) < 0 ? NULL : manifest_dev(m, a);
		if (!d)
			return manifest_bad(m, "under='%s' is no function of a line above", under);
		b->path = tfs_path("%s/pci%s", d->path.s, l->v[1]);
	}
	return 0;
}

static int place(struct manifest *m, struct tree_dev *d)
{
	struct tree_dev *up = d->has_parent ? manifest_dev(m, d->parent) : NULL;
	struct tree_root_bus *b;

	if (up && (!up->bridge || d->a.bus < up->secondary || d->a.bus > up->subordinate))
		return manifest_bad(m, "%s has no bus %02x below it", BDF_S(up->a), d->a.bus);
	b = up ? NULL : root_of(m, d->a.domain, d->a.bus);
	if (!up && !b)
		return manifest_bad(m, "too many root buses");
	d->path = tfs_path("%s/%s", up ? up->path.s : b->path.s, BDF_S(d->a));
	return 0;
}

/* A card with more than one function says so in every function's header. */
static int mark_siblings(struct manifest *m, struct tree_dev *d)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->n_devs; i++) {
		struct tree_dev *o = &m->devs[i];

		if (o == d || o->has_physfn || d->has_physfn || !bdf_same_slot(o->a, d->a))
			continue;
		r = treecfg_multifunction(m, o);
		r = r ? r : treecfg_multifunction(m, d);
	}
	return r;
}

static int emit(struct manifest *m, struct tree_dev *d)
{
	static int (*const steps[])(struct manifest *m, struct tree_dev *d) = {
		link_bus, write_identity, write_state, write_optional, write_bridge, write_sriov, treecfg_write,
		mark_siblings, link_group, write_hidden, bind,
	};
	int r = manifest_did(m, tfs_mkdirs(m->root, d->path.s), d->path.s);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++)
		r = steps[i](m, d);
	return r;
}

static int parse(struct manifest *m, const struct manifest_line *l, struct tree_dev *d)
{
	int r = 0;

	if (bdf_parse(l->v[1], &d->a) < 0)
		return manifest_bad(m, "'%s' is not an address", l->v[1]);
	if (manifest_dev(m, d->a) != d)
		return manifest_bad(m, "%s stands here twice", l->v[1]);
	if (manifest_id(l->v[2], &d->vendor, &d->device) < 0)
		return manifest_bad(m, "'%s' is not VVVV:DDDD", l->v[2]);
	for (size_t i = 3; r == 0 && i < l->n; i++)
		r = set_word(m, d, l->v[i]);
	if (r == 0 && d->subsystem[0] && manifest_id(d->subsystem, &d->subvendor, &d->subdevice) < 0)
		return manifest_bad(m, "subsystem='%s' is not VVVV:DDDD", d->subsystem);
	return r < 0 ? r : set_bus(m, d);
}

int manifest_pci(struct manifest *m, const struct manifest_line *l)
{
	struct tree_dev *v = realloc(m->devs, (m->n_devs + 1) * sizeof(*v)), *d;
	int r;

	if (!v)
		return err_nomem(m->e);
	m->devs = v;
	d = &m->devs[m->n_devs++];
	*d = (struct tree_dev){
		.group = -1, .boot_vga = -1, .numa = -1, .d3cold = 1, .enable = -1, .irq = -1,
		.module = "-",
	};
	r = parse(m, l, d);
	if (r == 0)
		r = place(m, d);
	if (r < 0)
		return r;
	set_defaults(d);
	return emit(m, d);
}
