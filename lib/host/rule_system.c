// SPDX-License-Identifier: GPL-2.0-or-later
/* Versions, Secure Boot, the cluster, and what of ours is installed. */
#include <stdio.h>
#include <string.h>

#include "rule_int.h"

static unsigned long major_of(const char *version)
{
	char digits[8];
	size_t n = strspn(version, "0123456789");
	uint64_t v;

	if (n >= sizeof(digits))
		return 0;
	memcpy(digits, version, n);
	digits[n] = '\0';
	return str_to_u64(digits, 10, &v) < 0 ? 0 : (unsigned long)v;
}

static void old(const struct facts *f, const struct rule *r, struct findings *l)
{
	unsigned long major = major_of(f->pve_manager);

	if (major && major < 8)
		RULE_ADD(l, r, finding_text("/var/lib/dpkg/status: pve-manager %s", f->pve_manager).s,
			 "upgrade to Proxmox VE 8 or 9: https://pve.proxmox.com/wiki/Category:Upgrade",
			 "This is Proxmox VE %lu; pve-gpu is made for 8 and 9.", major);
}

static void not_pve(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (!f->is_pve)
		RULE_ADD(l, r, "/etc/pve/qemu-server is missing", "systemctl status pve-cluster",
			 "There is no Proxmox here, or its cluster file system is not mounted.");
}

static void no_quorum(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->quorate == 0)
		RULE_ADD(l, r, "/etc/pve/.members: quorate 0", "pvecm status",
			 "The cluster has no quorum: no VM starts, and no configuration can be changed.");
}

static void locked_down(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->secure_boot == 1 && strcmp(f->lockdown, "none") != 0)
		RULE_ADD(l, r, f->lockdown[0] ? finding_text("/sys/kernel/security/lockdown: %s", f->lockdown).s : NULL,
			 "sign such modules (dkms does with a key enrolled by mokutil), or switch Secure Boot off",
			 "Secure Boot is on: modules that are not signed (vendor-reset, NVIDIA's own builds) do not load; taking "
			 "and giving back cards works.");
}

/* Kernels whose amdgpu crashes when it lets go of a card: 7.0.14, until Proxmox took the change back. */
static void bad_kernel(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->kernel_version != 0x07000e)
		return;
	for (size_t i = 0; i < f->n_cards; i++)
		if (strcmp(f->cards[i].d->driver, "amdgpu") == 0) {
			RULE_ADD(l, r, finding_text("/proc/sys/kernel/osrelease: %s", f->kernel).s,
				 "install a newer kernel, or boot an older one: proxmox-boot-tool kernel pin",
				 "Kernel %s is known to crash when amdgpu lets go of a card, and %s is on amdgpu.", f->kernel,
				 BDF_S(f->cards[i].d->bdf));
			return;
		}
}

static void keeper_off(const struct facts *f, const struct rule *r, struct findings *l)
{
	if (f->hook_installed && !f->keeper_enabled)
		RULE_ADD(l, r, "/etc/systemd/system/paths.target.wants/pve-gpu-watch.path is missing",
			 "systemctl enable --now pve-gpu-watch.path",
			 "The keeper is not enabled: when a start fails or a hook is killed, nobody gives the devices back.");
}

const struct rule rules_system[] = {
	{ "not-proxmox", SEVERITY_PROBLEM, not_pve },
	{ "pve-old", SEVERITY_PROBLEM, old },
	{ "no-quorum", SEVERITY_PROBLEM, no_quorum },
	{ "kernel-crashes-amdgpu", SEVERITY_PROBLEM, bad_kernel },
	{ "secure-boot", SEVERITY_HINT, locked_down },
	{ "keeper-off", SEVERITY_PROBLEM, keeper_off },
	{ .id = NULL },
};
