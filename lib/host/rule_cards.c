// SPDX-License-Identifier: GPL-2.0-or-later
/* The graphics cards themselves: who uses them, how they are reset, whether they can be reached. */
#include <stdio.h>
#include <string.h>

#include "resettable.h"
#include "rule_int.h"

#define BAR_64BIT_PREFETCH 0x102000	/* IORESOURCE_MEM_64 | IORESOURCE_PREFETCH (linux/ioport.h) */
#define BAR_UNSET 0x20000000		/* IORESOURCE_UNSET */

static void no_card(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (!f->n_cards)
		RULE_ADD(l, r, NULL, "pve-gpu list --all shows every device that a VM could have",
			 "There is no graphics card in this host.");
}

/* How to make a user of a card let go of it. */
static struct finding_text stop_user(const struct inuse_who *w)
{
	switch (w->place) {
	case INUSE_IN_CONTAINER: return finding_text("pct stop %s", w->place_id);
	case INUSE_OF_VM: return finding_text("qm shutdown %s", w->place_id);
	case INUSE_OF_USER:
	case INUSE_ON_HOST: break;
	}
	if (strstr(w->unit, ".service"))
		return finding_text("systemctl stop %s", w->unit);
	return finding_text("end process %d", w->pid);
}

static void users(const struct facts *f, const struct rule *r, struct findings *l, bool hangs)
{
	for (size_t i = 0; f->inuse && i < f->inuse->n; i++) {
		const struct inuse_finding *v = &f->inuse->v[i];

		if (v->kind != INUSE_PROCESS || v->weight < INUSE_BUSY || (v->weight >= INUSE_HANGS) != hangs)
			continue;
		RULE_ADD(l, r, NULL, finding_text("before a VM starts with it: %s", stop_user(&v->who).s).s, "%s is %s%s.",
			 BDF_S(v->bdf), v->text, hangs ? "; taking it away now would hang in the kernel" : "");
	}
}

static void held_hard(const struct facts *f, const struct rule *r, struct findings *l)
{
	users(f, r, l, true);
}

static void held(const struct facts *f, const struct rule *r, struct findings *l)
{
	users(f, r, l, false);
}

static void users_unknown(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->inuse_why[0])
		RULE_ADD(l, r, NULL, NULL, "Who uses the cards could not be found out: %s.", f->inuse_why);
}

static void only_card(const struct facts *f, const struct rule *r, struct findings *l)
{
	size_t n = 0;
	const struct pdev *d = f->n_cards ? f->cards[0].d : NULL;

	for (size_t i = 0; i < f->n_cards; i++)
		n += rule_first_of_slot(f, i) && !f->cards[i].d->is_vf;
	if (n == 1)
		RULE_ADD(l, r, f->console[0] ? finding_text("/sys/class/tty/console/active: %s", f->console).s : NULL,
			 "make sure that you reach the host by ssh or its web page, or add a serial console "
			 "(console=ttyS0), before you give the card away",
			 "%s is the only graphics card: while a VM has it, the host has no screen.", BDF_S(d->bdf));
}

static void radeon(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->n_cards; i++)
		if (strcmp(f->cards[i].d->driver, "radeon") == 0)
			RULE_ADD(l, r, finding_text("%s: radeon", pdev_path(f->cards[i].d->bdf, "driver").s).s,
				 finding_text("keep radeon away from it: echo 'options vfio-pci ids=%04x:%04x' "
					      ">/etc/modprobe.d/vfio.conf; echo 'softdep radeon pre: vfio-pci' "
					      ">>/etc/modprobe.d/vfio.conf; update-initramfs -u -k all, and reboot",
					      f->cards[i].d->vendor, f->cards[i].d->device).s,
				 "%s is driven by radeon, which cannot let go of a card safely: this card has to be VFIO's "
				 "from the boot on.", BDF_S(f->cards[i].d->bdf));
}

static void firmware_fb(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->n_cards; i++) {
		const struct card *c = &f->cards[i];

		/* VFIO takes the frame buffer off VGA cards by itself (vfio_pci_vga_init). */
		if (!c->firmware_fb[0] || pdev_class(c->d) == 0x0300)
			continue;
		RULE_ADD(l, r, finding_text("/proc/iomem: %s", c->firmware_fb).s, rule_with(f, "initcall_blacklist=sysfb_init").s,
			 "The firmware's frame buffer (%s) lies in the memory of %s, which is no VGA card, so VFIO cannot "
			 "remove it and a start may fail with \"can't reserve\".", c->firmware_fb, BDF_S(c->d->bdf));
	}
}

static void asleep(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->n_cards; i++) {
		const struct pdev *d = f->cards[i].d;

		if (strcmp(d->power_state, "D3cold") == 0)
			RULE_ADD(l, r, finding_text("%s: D3cold", pdev_path(d->bdf, "power_state").s).s,
				 finding_text("if a start says that it does not answer: echo 0 >%s",
					      pdev_path(d->bdf, "d3cold_allowed").s).s,
				 "%s is switched off (D3cold) while nobody uses it; some cards do not come back from that.",
				 BDF_S(d->bdf));
	}
}

static void rom_shadow(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->n_cards; i++) {
		const struct pdev *d = f->cards[i].d;

		if (!f->efi && f->firmware_iommu >= 0 && d->boot_vga == 1 && f->cards[i].rom)
			RULE_ADD(l, r, "/sys/firmware/efi is missing", finding_text("boot by UEFI without CSM, or let another card be "
				 "the boot display; else save the ROM to /usr/share/kvm and say romfile= for %s",
				 BDF_SHORT(d->bdf)).s,
				 "%s is the boot display of a host that booted by legacy BIOS: its ROM is a changed copy, with "
				 "which a guest may show no picture.", BDF_S(d->bdf));
	}
}

static void unassigned(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->n_cards; i++)
		for (size_t k = 0; k < FACT_BARS; k++) {
			const struct fact_bar *b = &f->cards[i].bars[k];

			if (b->size && b->flags & BAR_UNSET)
				RULE_ADD(l, r, finding_text("%s, line %zu", pdev_path(f->cards[i].d->bdf, "resource").s, k + 1).s,
					 finding_text("switch on \"Above 4G decoding\" in the firmware's setup; %s",
						      rule_with(f, "pci=realloc").s).s,
					 "BAR %zu of %s (%llu MiB) has no address: the card cannot work.", k,
					 BDF_S(f->cards[i].d->bdf), (unsigned long long)(b->size >> 20));
		}
}

/* Large BARs that could lie above 4 GiB lie below it, all of them: the firmware keeps them there. */
static void below_4g(const struct facts *f, const struct rule *r, struct findings *l)
{
	const struct card *large = NULL;

	for (size_t i = 0; i < f->n_cards; i++)
		for (size_t k = 0; k < FACT_BARS; k++) {
			const struct fact_bar *b = &f->cards[i].bars[k];

			if (!b->size || b->flags & BAR_UNSET || (b->flags & BAR_64BIT_PREFETCH) != BAR_64BIT_PREFETCH)
				continue;
			if (b->start >> 32)
				return;
			if (b->size >= 256u << 20)
				large = &f->cards[i];
		}
	if (large)
		RULE_ADD(l, r, pdev_path(large->d->bdf, "resource").s, "switch on \"Above 4G decoding\" in the firmware's setup",
			 "The memory of %s lies below 4 GiB, so \"Above 4G decoding\" seems to be off: more or larger cards "
			 "will not find room.", BDF_S(large->d->bdf));
}

static void no_reset(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->n_cards; i++) {
		const struct pdev *d = f->cards[i].d;

		/* A card behind a port of its own can be reset with that port's bus. */
		if (!d->has_reset && !d->is_vf && !d->has_parent && !d->mdev_types)
			RULE_ADD(l, r, finding_text("%s is missing", pdev_path(d->bdf, "reset").s).s, NULL,
				 "The kernel has no way to reset %s: after a guest it may not work again before the host "
				 "reboots.", BDF_S(d->bdf));
	}
}

static void vendor_reset_missing(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->n_cards; i++) {
		const struct pdev *d = f->cards[i].d;

		if (d->vendor == 0x1002 && vendor_reset_knows(d->device) && !facts_loaded(f, "vendor_reset"))
			RULE_ADD(l, r, finding_text("%s: %04x:%04x", pdev_path(d->bdf, "device").s, d->vendor, d->device).s,
				 f->secure_boot == 1 ? "vendor-reset would have to be signed for Secure Boot; or shut guests down "
				 "cleanly and reboot the host when the card stays dead" :
				 "install the module vendor-reset (https://github.com/gnif/vendor-reset) for this kernel, load it "
				 "at boot, and shut guests down cleanly",
				 "%s is an AMD card that does not survive an ordinary reset; the module vendor-reset knows how, and "
				 "it is not loaded.", BDF_S(d->bdf));
	}
}

static void vendor_reset_unused(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->n_cards; i++)
		if (f->cards[i].d->vendor == 0x1002 && vendor_reset_knows(f->cards[i].d->device))
			return;
	if (facts_loaded(f, "vendor_reset"))
		RULE_ADD(l, r, "/proc/modules: vendor_reset", "remove the module; it helps Polaris, Vega and Navi 1x only",
			 "The module vendor-reset is loaded, but no card here is one that it knows.");
}

static void vendor_reset_idle(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->n_cards; i++) {
		const struct pdev *d = f->cards[i].d;

		if (d->vendor == 0x1002 && vendor_reset_knows(d->device) && facts_loaded(f, "vendor_reset") &&
		    !strstr(d->reset_method, "device_specific"))
			RULE_ADD(l, r, finding_text("%s: %s", pdev_path(d->bdf, "reset_method").s, d->reset_method).s,
				 finding_text("echo device_specific >%s, by a udev rule at every boot",
					      pdev_path(d->bdf, "reset_method").s).s,
				 "The module vendor-reset is loaded, but the kernel does not ask it to reset %s.", BDF_S(d->bdf));
	}
}

static void nvswitch(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < snapshot_count(f->snapshot); i++) {
		const struct pdev *d = snapshot_at(f->snapshot, i);

		if (!d || d->vendor != 0x10de || pdev_class(d) != 0x0680)
			continue;
		RULE_ADD(l, r, finding_text("%s: 0680", pdev_path(d->bdf, "class").s).s,
			 "see NVIDIA's Fabric Manager guide, chapter \"Shared NVSwitch\": activate the partition before a VM starts",
			 "%s is an NVSwitch: its Fabric Manager has to be told which GPUs a VM gets, which pve-gpu does not do.",
			 BDF_S(d->bdf));
		return;
	}
}

const struct rule rules_cards[] = {
	{ "no-card", SEVERITY_HINT, no_card },
	{ "card-held-hard", SEVERITY_PROBLEM, held_hard },
	{ "card-held", SEVERITY_HINT, held },
	{ "card-users-unknown", SEVERITY_PROBLEM, users_unknown },
	{ "only-card", SEVERITY_HINT, only_card },
	{ "radeon", SEVERITY_PROBLEM, radeon },
	{ "firmware-framebuffer", SEVERITY_PROBLEM, firmware_fb },
	{ "card-asleep", SEVERITY_HINT, asleep },
	{ "rom-shadow", SEVERITY_HINT, rom_shadow },
	{ "bar-unassigned", SEVERITY_PROBLEM, unassigned },
	{ "below-4g", SEVERITY_HINT, below_4g },
	{ "no-reset", SEVERITY_HINT, no_reset },
	{ "vendor-reset-missing", SEVERITY_PROBLEM, vendor_reset_missing },
	{ "vendor-reset-unused", SEVERITY_HINT, vendor_reset_unused },
	{ "vendor-reset-idle", SEVERITY_PROBLEM, vendor_reset_idle },
	{ "nvswitch", SEVERITY_HINT, nvswitch },
	{ .id = NULL },
};
