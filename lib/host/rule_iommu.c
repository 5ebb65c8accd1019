// SPDX-License-Identifier: GPL-2.0-or-later
/* Can this host separate a device from the rest of memory at all? */
#include <stdio.h>
#include <string.h>

#include "rule_int.h"

#define FIRMWARE_FIX "switch on %s in the firmware's setup (BIOS), then reboot"

static void virtualisation_off(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->virtualisation == 0)
		RULE_ADD(l, r, "/proc/cpuinfo: neither vmx nor svm among the flags",
			 finding_text("switch on %s in the firmware's setup, then reboot", f->cpu == CPU_AMD ? "SVM" :
				      f->cpu == CPU_INTEL ? "VMX (Intel virtualization technology)" : "virtualisation").s,
			 "The processor's virtualisation is switched off, so no VM runs at full speed.");
}

static void firmware_off(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (!f->iommu && f->firmware_iommu == 0)
		RULE_ADD(l, r, "/sys/firmware/acpi/tables: neither DMAR nor IVRS nor IORT",
			 finding_text(FIRMWARE_FIX, facts_iommu_name(f)).s,
			 "The firmware offers no IOMMU: it is switched off there, or this board has none.");
}

/* What on the command line keeps the kernel from using it; NULL = nothing. */
static const struct boot_word *iommu_forbidden(const struct boot_words *l)
{
	static const char *const names[] = { "iommu", "intel_iommu", "amd_iommu" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct boot_word *w = boot_find_item(l, names[i], "off");

		if (w)
			return w;
	}
	return boot_find_item(l, "iommu", "soft");
}

static void kernel_off(const struct facts *f, const struct rule *r, struct findings *l)
{
	const struct boot_word *w = iommu_forbidden(&f->boot.now), *next = boot_find_item(&f->boot.next, "intel_iommu", "on");

	if (f->iommu || f->firmware_iommu != 1)
		return;
	if (w)
		RULE_ADD(l, r, rule_seen_word(w).s, rule_without(f, w->text).s,
			 "The firmware offers an IOMMU, but '%s' on the kernel's command line keeps it off.", w->text);
	else if (f->cpu == CPU_INTEL && next)
		RULE_ADD(l, r, rule_seen_word(next).s, finding_text("%s, then reboot", boot_chain_command(f->boot.chain)).s,
			 "The firmware offers an IOMMU; it is switched on for the next boot, and not yet in this one.");
	else if (f->cpu == CPU_INTEL)
		RULE_ADD(l, r, finding_text("/sys/class/iommu is empty; kernel %s leaves it %s", f->kernel,
					    f->intel_default[0] ? f->intel_default : "off unless told otherwise").s,
			 rule_with(f, "intel_iommu=on").s,
			 "The firmware offers an IOMMU, but this kernel uses an Intel one only when it is told to.");
	else
		RULE_ADD(l, r, "/sys/class/iommu is empty", "see 'dmesg | grep -e AMD-Vi -e DMAR -e iommu' for the reason",
			 "The firmware offers an IOMMU (table %s), but the kernel does not use it.", f->firmware_table);
}

static void none(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (!f->iommu && f->firmware_iommu < 0)
		RULE_ADD(l, r, "/sys/class/iommu is empty", finding_text(FIRMWARE_FIX "%s", facts_iommu_name(f),
			 f->cpu == CPU_INTEL || f->cpu == CPU_UNKNOWN ? "; on Intel with a kernel before 6.8 also put "
			 "intel_iommu=on on the kernel's command line" : "").s,
			 "There is no IOMMU at work, so no VM can have a device.");
}

static void works(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->iommu)
		RULE_ADD(l, r, NULL, NULL, "The IOMMU is at work%s.", f->remapping == 1 ?
			 " and remaps interrupts" : "");
}

static void remapping_off(const struct facts *f, const struct rule *r, struct findings *l)
{
	const struct boot_word *w = boot_find_item(&f->boot.now, "intremap", "off");

	if (!f->iommu || f->remapping != 0)
		return;
	RULE_ADD(l, r, w ? rule_seen_word(w).s : "/proc/interrupts: no chip is called IR-...", w ? rule_without(f, w->text).s :
		 "switch on interrupt remapping (often called x2APIC) in the firmware's setup; update the firmware",
		 "Interrupts are not remapped, so VFIO refuses to give a device to a VM.");
}

static void unsafe(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->unsafe_interrupts)
		RULE_ADD(l, r, "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts: Y",
			 "take allow_unsafe_interrupts=1 out of /etc/modprobe.d and off the kernel's command line, then "
			 "reboot", "allow_unsafe_interrupts is on: a guest with a device can raise any interrupt on the "
			 "host%s.", f->remapping == 1 ? ", and this host does not need it" : "");
}

static void no_iommu_mode(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->no_iommu_mode)
		RULE_ADD(l, r, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode: Y",
			 "echo 0 >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode, and take it out of /etc/modprobe.d",
			 "VFIO's mode without an IOMMU is on: it protects nothing, and QEMU cannot use it.");
}

static void no_group(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; f->iommu && i < f->n_cards; i++) {
		const struct pdev *d = f->cards[i].d;
		bool igpu = d->vendor == 0x8086 && d->bdf.bus == 0;
		const struct boot_word *w = boot_find_item(&f->boot.now, "intel_iommu", "igfx_off");

		if (d->group >= 0)
			continue;
		RULE_ADD(l, r, w ? rule_seen_word(w).s :
			 finding_text("%s is missing", pdev_path(d->bdf, "iommu_group").s).s,
			 w ? rule_without(f, "igfx_off").s : igpu ? rule_with(f, "intel_iommu=on").s :
			 "update the firmware: its tables do not name this device",
			 "%s is in no IOMMU group, so no VM can have it%s.", BDF_S(d->bdf),
			 igpu ? ": the kernel leaves the built-in graphics out" : "");
	}
}

const struct rule rules_iommu[] = {
	{ "cpu-virtualisation-off", SEVERITY_BLOCKER, virtualisation_off },
	{ "iommu-firmware-off", SEVERITY_BLOCKER, firmware_off },
	{ "iommu-kernel-off", SEVERITY_BLOCKER, kernel_off },
	{ "iommu-none", SEVERITY_BLOCKER, none },
	{ "iommu-works", SEVERITY_OK, works },
	{ "interrupt-remapping-off", SEVERITY_BLOCKER, remapping_off },
	{ "unsafe-interrupts", SEVERITY_PROBLEM, unsafe },
	{ "no-iommu-mode", SEVERITY_PROBLEM, no_iommu_mode },
	{ "card-without-group", SEVERITY_PROBLEM, no_group },
	{ .id = NULL },
};
