// SPDX-License-Identifier: GPL-2.0-or-later
/* Modules: blacklists, static ids, what is loaded for nothing, what the initramfs does not know yet. */
#include <stdio.h>
#include <string.h>

#include "rule_int.h"

static void vfio_missing(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->vfio_there == 0)
		RULE_ADD(l, r, finding_text("/lib/modules/%s/modules.dep", f->kernel).s, "boot a kernel of Proxmox",
			 "This kernel has no vfio-pci.");
}

/* --- blacklists -------------------------------------------------------------------------------- */

#define BLACKLIST_TEXT "%s is kept from loading, so a card that a VM gives back stays without a driver; a card goes to a VM " \
		       "and comes back without any blacklist."

static void forbidden_words(const struct facts *f, const struct rule *r, struct findings *l, bool hardware)
{
	static const char *const names[] = { "module_blacklist", "modprobe.blacklist" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct boot_word *w = rule_word(f, names[i]);
		char list[256], *cursor = list, *module;

		if (!w || str_copy(list, sizeof(list), boot_value(w)) < 0)
			continue;
		while ((module = str_token(&cursor, ","))) {
			mod_normalise(module);
			if (!rule_is_card_driver(module) || rule_is_kept_away(f, module) ||
			    rule_has_hardware(f, module) != hardware)
				continue;
			RULE_ADD(l, r, rule_seen_word(w).s, rule_without(f, w->text).s,
				 hardware ? BLACKLIST_TEXT : "%s is kept from loading, and nothing here would need it.", module);
		}
	}
}

static void forbidden(const struct facts *f, const struct rule *r, struct findings *l, bool hardware)
{
	for (size_t i = 0; i < f->mods.n; i++) {
		const struct mod_line *m = &f->mods.v[i];

		if (!mod_forbids(m) || !rule_is_card_driver(m->module) || rule_is_kept_away(f, m->module) ||
		    rule_has_hardware(f, m->module) != hardware)
			continue;
		RULE_ADD(l, r, rule_seen_line(m).s, finding_text("take the line out of %s, then: update-initramfs -u -k all, and "
			 "reboot", m->at.file).s,
			 hardware ? BLACKLIST_TEXT : "%s is kept from loading, and nothing here would need it.", m->module);
	}
	forbidden_words(f, r, l, hardware);
}

static void blacklist(const struct facts *f, const struct rule *r, struct findings *l)
{
	forbidden(f, r, l, true);
}

static void blacklist_unused(const struct facts *f, const struct rule *r, struct findings *l)
{
	forbidden(f, r, l, false);
}

/* --- static ids -------------------------------------------------------------------------------- */

struct ids {
	char text[256];
	struct finding_text seen;
	struct finding_text fix;
};

static bool ids_of_line(const struct facts *f, size_t i, struct ids *ret)
{
	const struct mod_line *m = &f->mods.v[i];

	if (m->kind != MOD_OPTIONS || strcmp(m->module, "vfio_pci") != 0 ||
	    !mod_option(m, "ids", ret->text, sizeof(ret->text)))
		return false;
	ret->seen = rule_seen_line(m);
	ret->fix = finding_text("take ids= out of %s, then: update-initramfs -u -k all, and reboot", m->at.file);
	return true;
}

static bool ids_of_word(const struct facts *f, struct ids *ret)
{
	const struct boot_word *w = rule_word(f, "vfio-pci.ids");

	if (!w || str_copy(ret->text, sizeof(ret->text), boot_value(w)) < 0)
		return false;
	ret->seen = rule_seen_word(w);
	ret->fix = rule_without(f, w->text);
	return true;
}

/* Number i of all places that hold ids: the lines of modprobe.d, then the command line. */
static bool ids_at(const struct facts *f, size_t i, struct ids *ret)
{
	return i < f->mods.n ? ids_of_line(f, i, ret) : ids_of_word(f, ret);
}

static void ids_twin(const struct facts *f, const struct rule *r, struct findings *l)
{
	struct ids ids;

	for (size_t i = 0; i <= f->mods.n; i++) {
		char *cursor = ids.text, *id;

		if (!ids_at(f, i, &ids))
			continue;
		while ((id = str_token(&cursor, ","))) {
			size_t at = 0;
			const struct pdev *first = rule_id_next(f, id, &at), *second = first ? rule_id_next(f, id, &at) : NULL;

			if (second && !bdf_same_slot(first->bdf, second->bdf))
				RULE_ADD(l, r, ids.seen.s, ids.fix.s, "ids=%s catches %s and its twin %s: VFIO takes both at boot, "
					 "wanted or not.", id, BDF_S(first->bdf), BDF_S(second->bdf));
		}
	}
}

static void ids_late(const struct facts *f, const struct rule *r, struct findings *l)
{
	struct ids ids;

	for (size_t i = 0; i <= f->mods.n; i++) {
		char *cursor = ids.text, *id;

		if (!ids_at(f, i, &ids))
			continue;
		while ((id = str_token(&cursor, ","))) {
			size_t at = 0;
			const struct pdev *d;

			while ((d = rule_id_next(f, id, &at)))
				if (d->driver[0] && !d->vfio)
					RULE_ADD(l, r, ids.seen.s, finding_text("echo 'softdep %s pre: vfio-pci' "
						 ">>/etc/modprobe.d/vfio.conf; update-initramfs -u -k all, and reboot; or %s",
						 d->module[0] ? d->module : d->driver, ids.fix.s).s,
						 "ids=%s is to give %s to VFIO, but %s was there first.", id, BDF_S(d->bdf), d->driver);
		}
	}
}

/* For a disk controller it is right: the host must not find the guest's disks. */
static bool only_cards(const struct facts *f, const struct ids *ids)
{
	char list[sizeof(ids->text)], *cursor = list, *id;

	memcpy(list, ids->text, sizeof(list));
	while ((id = str_token(&cursor, ",")))
		if (!rule_is_card_id(f, id))
			return false;
	return true;
}

static void ids_static(const struct facts *f, const struct rule *r, struct findings *l)
{
	struct ids ids;

	for (size_t i = 0; i <= f->mods.n; i++)
		if (ids_at(f, i, &ids) && only_cards(f, &ids))
			RULE_ADD(l, r, ids.seen.s, ids.fix.s,
				 "Devices are given to VFIO at boot by their ids, so the host never has them, not even when no VM "
				 "runs; gpu-hook needs nothing of this, it takes a device by its address when a VM starts.");
}

/* --- lists of modules -------------------------------------------------------------------------- */

static bool is_vfio_module(const char *m)
{
	return strcmp(m, "vfio") == 0 || strcmp(m, "vfio_pci") == 0 || strcmp(m, "vfio_iommu_type1") == 0;
}

static void virqfd(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->mods.n; i++) {
		const struct mod_line *m = &f->mods.v[i];

		if ((m->kind == MOD_LOAD || m->kind == MOD_INITRAMFS) && strcmp(m->module, "vfio_virqfd") == 0 &&
		    facts_kernel_from(f, 6, 2))
			RULE_ADD(l, r, rule_seen_line(m).s, finding_text("take the line out of %s", m->at.file).s,
				 "The module vfio_virqfd does not exist any more: it is part of vfio since kernel 6.2.");
	}
}

static void listed(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->mods.n; i++) {
		const struct mod_line *m = &f->mods.v[i];

		if ((m->kind != MOD_LOAD && m->kind != MOD_INITRAMFS) || !is_vfio_module(m->module))
			continue;
		RULE_ADD(l, r, rule_seen_line(m).s, NULL,
			 "VFIO's modules are listed to be loaded at boot, which does no harm and is not needed: they come when the "
			 "first VM with a device starts.");
		return;
	}
}

static void disable_vga(const struct facts *f, const struct rule *r, struct findings *l)
{
	char value[8];

	for (size_t i = 0; i < f->mods.n; i++) {
		const struct mod_line *m = &f->mods.v[i];

		if (m->kind == MOD_OPTIONS && strcmp(m->module, "vfio_pci") == 0 &&
		    mod_option(m, "disable_vga", value, sizeof(value)) && strcmp(value, "0") != 0)
			RULE_ADD(l, r, rule_seen_line(m).s, finding_text("take disable_vga=%s out of %s", value, m->at.file).s,
				 "'disable_vga=%s' has no effect on VMs with OVMF and breaks x-vga=1 on others.", value);
	}
}

static void ignore_msrs(const struct facts *f, const struct rule *r, struct findings *l)
{
	char value[8];

	for (size_t i = 0; i < f->mods.n; i++) {
		const struct mod_line *m = &f->mods.v[i];

		if (m->kind == MOD_OPTIONS && strcmp(m->module, "kvm") == 0 &&
		    mod_option(m, "ignore_msrs", value, sizeof(value)) && strchr("1Yy", value[0]) && value[0])
			RULE_ADD(l, r, rule_seen_line(m).s, finding_text("take it out of %s unless a guest needs it", m->at.file).s,
				 "'ignore_msrs=%s' has nothing to do with passthrough, and hides errors of guests.", value);
	}
}

static void stale(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->initramfs_stale == 1)
		RULE_ADD(l, r, finding_text("%s is newer than /boot/initrd.img-%s", f->initramfs_newer.file, f->kernel).s,
			 "update-initramfs -u -k all", "The initramfs was made before the last change of module settings, so the "
			 "early boot does not know of it.");
}

const struct rule rules_modules[] = {
	{ "vfio-missing", SEVERITY_BLOCKER, vfio_missing },
	{ "blacklist", SEVERITY_PROBLEM, blacklist },
	{ "blacklist-unused", SEVERITY_HINT, blacklist_unused },
	{ "ids-twin", SEVERITY_PROBLEM, ids_twin },
	{ "ids-late", SEVERITY_PROBLEM, ids_late },
	{ "ids-static", SEVERITY_HINT, ids_static },
	{ "initramfs-stale", SEVERITY_PROBLEM, stale },
	{ "vfio-virqfd", SEVERITY_HINT, virqfd },
	{ "vfio-listed", SEVERITY_HINT, listed },
	{ "disable-vga", SEVERITY_HINT, disable_vga },
	{ "ignore-msrs", SEVERITY_HINT, ignore_msrs },
	{ .id = NULL },
};
