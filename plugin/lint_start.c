// SPDX-License-Identifier: GPL-2.0-or-later
/* What keeps the VM from starting, or its devices from working: see lint.h. */
#include <stdio.h>
#include <string.h>

#include "lint.h"

static void not_planned(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	if (l->unplanned[0])
		LINT_ADD(f, r, NULL, finding_text("pve-gpu plan %u", l->vmid).s, "A start cannot be planned: %s", l->unplanned);
}

/* Without an IOMMU that is the host's own blocker, said once. */
static void refused(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const struct plan *p = &l->view.plan;

	if (p->n_refusals)
		LINT_ADD(f, r, NULL, finding_text("pve-gpu plan %u", l->vmid).s, "A start would be refused now%s: %s.",
			 p->n_refusals > 1 ? ", among other reasons" : "", p->refusals[0].reason);
}

static void dropped(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const char *p = l->guest.notes.s;

	while (*p) {
		size_t n = strcspn(p, "\n");

		LINT_ADD(f, r, l->path, "write the line anew: qm set, or the web page", "%c%.*s", p[0] == 'l' ? 'L' : p[0],
			 (int)(n ? n - 1 : 0), p + 1);
		p += n + (p[n] != '\0');
	}
}

static void no_hookscript(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	if (!l->hookscript && guest_has_devices(&l->guest))
		LINT_ADD(f, r, lint_seen(l, "hookscript").s, lint_set(l, "hookscript local:snippets/gpu-hook").s,
			 "The VM has no hookscript: Proxmox takes the devices without looking who uses them, and never gives "
			 "them back.");
}

static void no_efidisk(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	if (lint_is_ovmf(l) && !lint_get(l, "efidisk0"))
		LINT_ADD(f, r, lint_seen(l, "efidisk0").s, lint_set(l, "efidisk0 STORAGE:1,efitype=4m,pre-enrolled-keys=0").s,
			 "The firmware is OVMF, but there is no EFI disk: its boot entries are lost at every stop.");
}

static void pcie_needs_q35(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	for (size_t i = 0; i < l->guest.n; i++)
		if (l->guest.pci[i].pci.pcie && !lint_is_q35(l))
			LINT_ADD(f, r, lint_seen(l, l->guest.pci[i].key).s, lint_set(l, "machine q35").s,
				 "%s says pcie=1, which only a q35 machine can: the start fails.", l->guest.pci[i].key);
}

/* The other functions of a card's slot that the VM does not have. */
static size_t missing_functions(const struct lint *l, const struct device *v, struct str *names)
{
	size_t n = 0;

	for (size_t i = 0; i < snapshot_count(l->facts->snapshot); i++) {
		const struct pdev *d = snapshot_at(l->facts->snapshot, i);
		bool there = false;

		if (!d || !bdf_same_slot(d->bdf, v->bdf) || d->is_vf)
			continue;
		for (size_t k = 0; k < l->view.plan.n_devices; k++)
			there |= l->view.plan.devices[k].key[0] && bdf_same(l->view.plan.devices[k].bdf, d->bdf);
		if (!there)
			(void)str_addf(names, "%s%s (%s)", n++ ? ", " : "", BDF_SHORT(d->bdf), pdev_class_text(pdev_class(d)));
	}
	return n;
}

static void half_a_card(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const struct device *v;

	for (size_t i = 0; (v = lint_card(l, i)); i++) {
		struct str names = STR_INIT;
		struct bdf_text slot = bdf_format(v->bdf);

		slot.s[strcspn(slot.s, ".")] = '\0';
		if (v->bdf.fn == 0 && missing_functions(l, v, &names))
			LINT_ADD(f, r, lint_seen(l, v->key).s, lint_set(l, "%s %s,...: all functions, with the options that stand there "
				 "now", v->key, slot.s).s, "%s is only a part of its card; %s is not with it, so the card cannot be reset as "
				 "a whole and the guest's driver may miss it.", BDF_S(v->bdf), names.s);
		str_release(&names);
	}
}

static void rom_missing(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	for (size_t i = 0; i < l->guest.n; i++)
		if (l->romfiles[i])
			LINT_ADD(f, r, lint_seen(l, l->guest.pci[i].key).s, "put the file into /usr/share/kvm, or take romfile= away",
				 "%s names the ROM file '%s', which is not in /usr/share/kvm: the start fails.", l->guest.pci[i].key,
				 l->romfiles[i]);
}

static void mdev_left(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	for (size_t i = 0; i < l->guest.n; i++)
		if (l->mdevs[i].s[0])
			LINT_ADD(f, r, l->mdevs[i].s, finding_text("echo 1 >%s/remove", l->mdevs[i].s).s,
				 "The VM does not run, but the mediated device (virtual GPU) of %s is still there: its place on the "
				 "card is taken, and the card cannot be passed through whole.", l->guest.pci[i].key);
}

static void two_primaries(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const char *first = NULL;

	for (size_t i = 0; i < l->guest.n; i++) {
		if (!l->guest.pci[i].pci.x_vga)
			continue;
		if (first)
			LINT_ADD(f, r, lint_seen(l, l->guest.pci[i].key).s, "leave x-vga=1 at one of them",
				 "%s and %s both say x-vga=1, but there is one primary display.", first, l->guest.pci[i].key);
		first = l->guest.pci[i].key;
	}
}

static void huge_without_numa(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	if (lint_get(l, "hugepages") && !lint_is_on(l, "numa", false))
		LINT_ADD(f, r, lint_seen(l, "hugepages").s, lint_set(l, "numa 1").s,
			 "Huge pages need numa: 1, without which the start fails.");
}

static void huge_uneven(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const char *size = lint_get(l, "hugepages");
	uint64_t mib = lint_memory(l), page = size && strcmp(size, "1024") == 0 ? 1024 : 2;

	if (size && mib % page)
		LINT_ADD(f, r, lint_seen(l, "memory").s, lint_set(l, "memory %llu", (unsigned long long)(mib - mib % page)).s,
			 "%llu MiB of memory are no multiple of the huge page's %llu MiB, so the start fails.",
			 (unsigned long long)mib, (unsigned long long)page);
}

static void too_much(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	uint64_t host = l->facts->memory >> 20, mib = lint_memory(l);

	if (host && mib > host / 10 * 9)
		LINT_ADD(f, r, lint_seen(l, "memory").s, lint_set(l, "memory %llu", (unsigned long long)(host / 10 * 8 / 1024 * 1024)).s,
			 "The VM wants %llu of the host's %llu MiB, and with devices it gets all of it at once: the start is "
			 "likely to fail for lack of memory.", (unsigned long long)mib, (unsigned long long)host);
}

static void no_kvm(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	if (!lint_is_on(l, "kvm", true))
		LINT_ADD(f, r, lint_seen(l, "kvm").s, lint_set(l, "delete kvm").s,
			 "kvm: 0 makes QEMU emulate the processor; devices do not work with that.");
}

/* An odd number of unescaped quotes: Perl's shellwords() then returns nothing at all. */
static bool quotes_open(const char *p)
{
	char quote = '\0';

	for (; *p; p++) {
		if (*p == '\\' && quote != '\'' && p[1])
			p++;
		else if (quote ? *p == quote : *p == '"' || *p == '\'')
			quote = quote ? '\0' : *p;
	}
	return quote != '\0';
}

static void args_quotes(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const char *args = lint_get(l, "args");

	if (args && quotes_open(args))
		LINT_ADD(f, r, lint_seen(l, "args").s, lint_set(l, "args '...'").s,
			 "A quote in args is not closed, so Proxmox leaves all of args out without a word.");
}

static void args_cpu(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const char *args = lint_get(l, "args"), *at = args ? strstr(args, "-cpu ") : NULL;

	if (at && (at == args || at[-1] == ' '))
		LINT_ADD(f, r, lint_seen(l, "args").s, finding_text("qm set %u --cpu host,hidden=1 if it has to be, and take -cpu out of args",
			 l->vmid).s, "-cpu in args replaces the whole processor line of Proxmox, with everything that it sets for the guest's "
			 "system.");
}

const struct lint_rule lint_start_rules[] = {
	{ "vm-not-planned", SEVERITY_PROBLEM, not_planned, NULL },
	{ "vm-refused", SEVERITY_PROBLEM, refused, NULL },
	{ "vm-line-dropped", SEVERITY_PROBLEM, dropped, NULL },
	{ "vm-no-hookscript", SEVERITY_PROBLEM, no_hookscript, NULL },
	{ "vm-no-efidisk", SEVERITY_PROBLEM, no_efidisk, NULL },
	{ "vm-pcie-without-q35", SEVERITY_PROBLEM, pcie_needs_q35, NULL },
	{ "vm-half-a-card", SEVERITY_PROBLEM, half_a_card, NULL },
	{ "vm-rom-missing", SEVERITY_PROBLEM, rom_missing, NULL },
	{ "vm-mdev-left", SEVERITY_PROBLEM, mdev_left, NULL },
	{ "vm-two-primaries", SEVERITY_PROBLEM, two_primaries, NULL },
	{ "vm-huge-pages-numa", SEVERITY_PROBLEM, huge_without_numa, lint_fix_numa },
	{ "vm-huge-pages-uneven", SEVERITY_PROBLEM, huge_uneven, NULL },
	{ "vm-memory", SEVERITY_PROBLEM, too_much, NULL },
	{ "vm-kvm-off", SEVERITY_PROBLEM, no_kvm, lint_fix_kvm },
	{ "vm-args-quotes", SEVERITY_PROBLEM, args_quotes, NULL },
	{ "vm-args-cpu", SEVERITY_PROBLEM, args_cpu, NULL },
	{ .id = NULL },
};
