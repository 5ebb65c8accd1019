// SPDX-License-Identifier: GPL-2.0-or-later
/* What the guest will stumble over: see lint.h. */
#include <stdio.h>
#include <string.h>

#include "lint.h"

static void well(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	if (!l->unplanned[0] && !l->view.plan.n_refusals && l->view.plan.n_devices)
		LINT_ADD(f, r, NULL, NULL, "A start would take %zu function%s now.", l->view.plan.n_devices,
			 l->view.plan.n_devices == 1 ? "" : "s");
}

static void seabios(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	if (lint_card(l, 0) && !lint_is_ovmf(l))
		LINT_ADD(f, r, lint_seen(l, "bios").s, lint_set(l, "bios ovmf --efidisk0 STORAGE:1,efitype=4m,pre-enrolled-keys=0, before "
			 "the guest is installed: a system that was installed with SeaBIOS does not boot with OVMF").s,
			 "The guest boots by SeaBIOS; graphics cards of today expect UEFI, which is OVMF.");
}

static void secure_boot(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	char keys[8];

	if (lint_card(l, 0) && lint_is_ovmf(l) &&
	    lint_prop(l, &schema_drive_efidisk, "efidisk0", "pre-enrolled-keys", keys, sizeof(keys)) && strcmp(keys, "0") != 0)
		LINT_ADD(f, r, lint_seen(l, "efidisk0").s, "switch Secure Boot off in the guest's firmware setup (Esc at its start) if "
			 "the driver does not load", "The EFI disk has Secure Boot's keys: the guest loads signed drivers and ROMs only.");
}

static void display(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const char *vga = lint_get(l, "vga");
	bool primary = false;

	for (size_t i = 0; i < l->guest.n; i++)
		primary |= l->guest.pci[i].pci.x_vga;
	if (!lint_card(l, 0) || primary || (vga && (strncmp(vga, "none", 4) == 0 || strncmp(vga, "serial", 6) == 0)))
		return;
	LINT_ADD(f, r, lint_seen(l, "vga").s, lint_set(l, "vga none, once the guest can be reached without it: by RDP, Parsec or "
		 "Sunshine with a monitor or a dummy plug at the card, or by that monitor itself").s,
		 "The guest has Proxmox's emulated display beside the card, and may show its picture on that one.");
}

static void several_cards(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const char *first = lint_card(l, 0) ? lint_card(l, 0)->key : "";
	const char *vga = lint_get(l, "vga");
	const struct device *v;
	bool several = false;

	for (size_t i = 0; (v = lint_card(l, i)); i++)
		several |= strcmp(v->key, first) != 0;
	for (size_t i = 0; i < l->guest.n; i++)
		if (l->guest.pci[i].pci.x_vga)
			several = false;
	if (several && vga && strncmp(vga, "none", 4) == 0)
		LINT_ADD(f, r, lint_seen(l, first).s, finding_text("say x-vga=1 at the card that has the monitor; with OVMF this also "
			 "hides KVM from the guest, so: qm set %u --cpu host,hidden=0", l->vmid).s,
			 "The VM has several cards and none of them is the primary one, so it is chance which one shows the boot.");
}

static void rombar(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const struct device *v;

	for (size_t i = 0; (v = lint_card(l, i)); i++)
		for (size_t k = 0; k < l->guest.n; k++)
			if (strcmp(l->guest.pci[k].key, v->key) == 0 && !l->guest.pci[k].pci.rombar)
				LINT_ADD(f, r, lint_seen(l, v->key).s, "take rombar=0 away, unless the card's ROM makes the guest hang",
					 "rombar=0 hides the ROM of %s from the guest: no picture before its driver runs, and some drivers "
					 "do not start.", BDF_S(v->bdf));
}

static void balloon(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const char *value = lint_get(l, "balloon");
	uint64_t mib;

	if (guest_has_devices(&l->guest) && value && str_to_u64(value, 10, &mib) == 0 && mib && mib < lint_memory(l))
		LINT_ADD(f, r, lint_seen(l, "balloon").s, lint_set(l, "balloon 0").s,
			 "Ballooning has no effect: with devices all of the VM's memory is pinned from its start on.");
}

static void agent(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	char on[8];

	if (guest_has_devices(&l->guest) &&
	    (!lint_prop(l, &schema_format_agent, "agent", "enabled", on, sizeof(on)) || strcmp(on, "0") == 0))
		LINT_ADD(f, r, lint_seen(l, "agent").s, lint_set(l, "agent 1, and install qemu-guest-agent in the guest").s,
			 "The guest agent is off; it makes the guest shut down cleanly, which leaves cards in a better state than a "
			 "stop does.");
}

/* --- Error 43 ---------------------------------------------------------------------------------- */

/* Fermi and older: their last drivers (391 and before) refuse to work where they see a hypervisor;
 * newer cards have drivers that do not mind since 465. */
static bool is_old_nvidia(const struct device *v)
{
	return v->vendor == 0x10de && (v->device < 0x0fc0 || (v->device >= 0x1040 && v->device <= 0x10c5) ||
				       (v->device >= 0x1200 && v->device <= 0x1251));
}

static bool is_hidden(const struct lint *l)
{
	const char *args = lint_get(l, "args");
	char on[8];

	return (args && strstr(args, "kvm=off")) ||
	       (lint_prop(l, &schema_format_cpu, "cpu", "hidden", on, sizeof(on)) && strcmp(on, "1") == 0);
}

static const char *hidden_key(const struct lint *l)
{
	const char *args = lint_get(l, "args");

	return args && strstr(args, "kvm=off") ? "args" : "cpu";
}

static void hide(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const struct device *v;

	for (size_t i = 0; (v = lint_card(l, i)); i++)
		if (lint_is_windows(l) && is_old_nvidia(v) && !is_hidden(l))
			LINT_ADD(f, r, lint_seen(l, "cpu").s, lint_set(l, "cpu host,hidden=1,hv-vendor-id=proxmox").s,
				 "%s is an NVIDIA card whose last driver stops with Error 43 when it sees a hypervisor.", BDF_S(v->bdf));
}

static void hidden_for_nothing(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const struct device *v;

	for (size_t i = 0; (v = lint_card(l, i)); i++)
		if (is_old_nvidia(v))
			return;
	if (lint_card(l, 0) && is_hidden(l))
		LINT_ADD(f, r, lint_seen(l, hidden_key(l)).s, strcmp(hidden_key(l), "args") == 0 ? "take kvm=off out of args" :
			 "take hidden=1 out of the cpu line",
			 "KVM is hidden from the guest, which no card here needs: NVIDIA's drivers since 465 do not mind, others never "
			 "did. Should there be an Error 43 all the same, look at the reset, the ROM and the BAR's size.");
}

const struct lint_rule lint_guest_rules[] = {
	{ "vm-would-start", SEVERITY_OK, well, NULL },
	{ "vm-seabios", SEVERITY_HINT, seabios, NULL },
	{ "vm-secure-boot", SEVERITY_HINT, secure_boot, NULL },
	{ "vm-display", SEVERITY_HINT, display, NULL },
	{ "vm-no-primary", SEVERITY_HINT, several_cards, NULL },
	{ "vm-rombar", SEVERITY_HINT, rombar, NULL },
	{ "vm-balloon", SEVERITY_HINT, balloon, lint_fix_balloon },
	{ "vm-agent", SEVERITY_HINT, agent, lint_fix_agent },
	{ "vm-error-43", SEVERITY_PROBLEM, hide, NULL },
	{ "vm-hidden", SEVERITY_HINT, hidden_for_nothing, NULL },
	{ .id = NULL },
};
