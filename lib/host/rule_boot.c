// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's command line: what is not yet so, what nobody reads, what guides have left there. */
#include <stdio.h>
#include <string.h>

#include "rule_int.h"

static bool has_word(const struct boot_words *l, const char *text)
{
	for (size_t i = 0; i < l->n; i++)
		if (boot_same_word(l->v[i].text, text))
			return true;
	return false;
}

static bool any_matters(const struct boot_words *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (boot_matters(&l->v[i]))
			return true;
	return false;
}

static void chain(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->boot.chain != BOOT_UNKNOWN)
		RULE_ADD(l, r, NULL, NULL, "The host boots by %s; its kernel command line is %s.",
			 boot_chain_text(f->boot.chain), boot_chain_file(f->boot.chain));
}

static void chain_unknown(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->boot.chain == BOOT_UNKNOWN && (f->boot.next.n || f->boot.unused.n))
		RULE_ADD(l, r, "/proc/cmdline, " BOOT_GRUB_FILE ", " BOOT_SYSTEMD_FILE ", " BOOT_TOOL_FILE,
			 "proxmox-boot-tool status; efibootmgr -v",
			 "It cannot be told how this host boots, so it is not clear which file holds its kernel command line.");
}

/* Words of the file that are not in force, and words in force that the file does not have. */
static void pending(const struct facts *f, const struct rule *r, struct findings *l)
{
	const struct boot_words *now = &f->boot.now, *next = &f->boot.next;

	if (f->boot.chain == BOOT_UNKNOWN || !now->n)
		return;
	for (size_t i = 0; i < next->n; i++)
		if (boot_matters(&next->v[i]) && !has_word(now, next->v[i].text))
			RULE_ADD(l, r, rule_seen_word(&next->v[i]).s,
				 finding_text("%s, then reboot", boot_chain_command(f->boot.chain)).s,
				 "'%s' is configured, but the running kernel was not started with it.", next->v[i].text);
	for (size_t i = 0; i < now->n; i++)
		if (boot_matters(&now->v[i]) && !has_word(next, now->v[i].text))
			RULE_ADD(l, r, rule_seen_word(&now->v[i]).s,
				 finding_text("%s, then reboot, if it is to go; otherwise put it into %s",
					      boot_chain_command(f->boot.chain), boot_chain_file(f->boot.chain)).s,
				 "The running kernel was started with '%s', which is not configured for the next boot.",
				 now->v[i].text);
}

static void wrong_file(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->boot.unused.n; i++) {
		const struct boot_word *w = &f->boot.unused.v[i];

		if (boot_matters(w) && !has_word(&f->boot.next, w->text))
			RULE_ADD(l, r, rule_seen_word(w).s, finding_text("if it is wanted: %s", rule_with(f, w->text).s).s,
				 "'%s' stands in a file that this host does not read when it boots: it boots by %s.", w->text,
				 boot_chain_text(f->boot.chain));
	}
}

/* --- what guides say --------------------------------------------------------------------------- */

static void amd_iommu_on(const struct facts *f, const struct rule *r, struct findings *l)
{
	const struct boot_word *w = rule_item(f, "amd_iommu", "on");

	if (w)
		RULE_ADD(l, r, rule_seen_word(w).s, rule_without(f, w->text).s,
			 "'amd_iommu=on' does nothing: the kernel has no such value, and AMD's IOMMU is on by itself.");
}

static void iommu_on(const struct facts *f, const struct rule *r, struct findings *l)
{
	const struct boot_word *w = rule_item(f, "iommu", "on");

	if (w)
		RULE_ADD(l, r, rule_seen_word(w).s, rule_without(f, w->text).s,
			 "'iommu=on' does nothing: the kernel has no such value.");
}

static void other_vendor(const struct facts *f, const struct rule *r, struct findings *l)
{
	const struct boot_word *w = f->cpu == CPU_AMD ? rule_word(f, "intel_iommu") :
				    f->cpu == CPU_INTEL ? rule_word(f, "amd_iommu") : NULL;

	if (w && strcmp(w->text, "amd_iommu=on") != 0)
		RULE_ADD(l, r, rule_seen_word(w).s, rule_without(f, w->text).s, "'%s' does nothing on this processor, which is by %s.",
			 w->text, cpu_vendor_text(f->cpu));
}

static void intel_iommu_on(const struct facts *f, const struct rule *r, struct findings *l)
{
	const struct boot_word *w = rule_item(f, "intel_iommu", "on");

	if (w && f->cpu == CPU_INTEL && strcmp(f->intel_default, "on") == 0)
		RULE_ADD(l, r, rule_seen_word(w).s, NULL,
			 "'intel_iommu=on' is not needed with kernel %s, which has it on by itself; it does no harm.", f->kernel);
}

static void iommu_pt(const struct facts *f, const struct rule *r, struct findings *l)
{
	const struct boot_word *w = rule_item(f, "iommu", "pt");

	if (w)
		RULE_ADD(l, r, rule_seen_word(w).s, NULL,
			 "'iommu=pt' is a matter of taste: it spares the host's own devices the translation, and changes "
			 "nothing for devices of VMs.");
}

static void video_off(const struct facts *f, const struct rule *r, struct findings *l)
{
	static const char *const items[] = { "efifb:off", "vesafb:off", "simplefb:off" };

	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		const struct boot_word *w = rule_item(f, "video", items[i]);

		if (!w)
			continue;
		RULE_ADD(l, r, rule_seen_word(w).s, rule_without(f, w->text).s,
			 "'%s' is of an older time: the screen of the boot is simpledrm's today, which does not hear it, and "
			 "VFIO removes it from a VGA card by itself.", w->text);
		return;
	}
}

static void no_sysfb(const struct facts *f, const struct rule *r, struct findings *l)
{
	const struct boot_word *w = rule_item(f, "initcall_blacklist", "sysfb_init");

	if (!w)
		return;
	for (size_t i = 0; i < f->n_cards; i++)
		if (pdev_class(f->cards[i].d) != 0x0300 && f->cards[i].d->vfio)
			return;		/* the one case where it helps */
	RULE_ADD(l, r, rule_seen_word(w).s, rule_without(f, w->text).s,
		 "'%s' takes away the screen of the boot, and for VGA cards it is not needed: VFIO removes the firmware's "
		 "frame buffer by itself.", w->text);
}

static void no_driver(const struct facts *f, const struct rule *r, struct findings *l)
{
	static const char *const names[] = { "nomodeset", "nofb" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct boot_word *w = rule_word(f, names[i]);

		if (w)
			RULE_ADD(l, r, rule_seen_word(w).s, rule_without(f, w->text).s,
				 "'%s' keeps the host's own graphics drivers from working, so a card that a VM gives back is of "
				 "no use to the host.", w->text);
	}
}

static void harmful(const struct facts *f, const struct rule *r, struct findings *l)
{
	const struct boot_word *w[] = { rule_word(f, "noapic"), f->iommu ? rule_item(f, "iommu", "soft") : NULL };

	for (size_t i = 0; i < ARRAY_SIZE(w); i++)
		if (w[i])
			RULE_ADD(l, r, rule_seen_word(w[i]).s, rule_without(f, w[i]->text).s,
				 "'%s' works against passthrough: it bypasses what VFIO needs.", w[i]->text);
}

static void huge(const struct facts *f, const struct rule *r, struct findings *l)
{
	uint64_t bytes = f->huge[0] * 2097152 + f->huge[1] * 1073741824;

	if (bytes && f->memory && bytes > f->memory / 10 * 9)
		RULE_ADD(l, r, "/sys/kernel/mm/hugepages", NULL, "Huge pages take %llu of %llu MiB: little is left for the host.",
			 (unsigned long long)(bytes >> 20), (unsigned long long)(f->memory >> 20));
}

static void silence(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->boot.chain != BOOT_UNKNOWN && f->boot.now.n && !any_matters(&f->boot.now) && !any_matters(&f->boot.next))
		RULE_ADD(l, r, NULL, NULL, "Nothing about passthrough is on the kernel's command line%s.",
			 f->iommu ? ", and nothing has to be" : "");
}

const struct rule rules_boot[] = {
	{ "boot-chain", SEVERITY_OK, chain },
	{ "boot-chain-unknown", SEVERITY_HINT, chain_unknown },
	{ "cmdline-pending", SEVERITY_PROBLEM, pending },
	{ "cmdline-wrong-file", SEVERITY_PROBLEM, wrong_file },
	{ "cmdline-plain", SEVERITY_OK, silence },
	{ "no-host-driver", SEVERITY_PROBLEM, no_driver },
	{ "cmdline-harmful", SEVERITY_PROBLEM, harmful },
	{ "amd-iommu-on", SEVERITY_HINT, amd_iommu_on },
	{ "iommu-on", SEVERITY_HINT, iommu_on },
	{ "iommu-other-vendor", SEVERITY_HINT, other_vendor },
	{ "intel-iommu-on", SEVERITY_HINT, intel_iommu_on },
	{ "iommu-pt", SEVERITY_HINT, iommu_pt },
	{ "video-off", SEVERITY_HINT, video_off },
	{ "no-sysfb", SEVERITY_HINT, no_sysfb },
	{ "huge-pages-most", SEVERITY_HINT, huge },
	{ .id = NULL },
};
