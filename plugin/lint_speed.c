// SPDX-License-Identifier: GPL-2.0-or-later
/* What costs against bare metal: see lint.h.  Every text says what to expect and who says so. */
#include <stdio.h>
#include <string.h>

#include "lint.h"

static void cpu_type(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	char type[64] = "kvm64";

	(void)lint_prop(l, &schema_format_cpu, "cpu", "cputype", type, sizeof(type));
	if (!guest_has_devices(&l->guest) || strcmp(type, "host") == 0 || strcmp(type, "max") == 0 ||
	    strncmp(type, "custom-", 7) == 0)
		return;
	LINT_ADD(f, r, lint_seen(l, "cpu").s, lint_set(l, "cpu host").s,
		 "The guest's processor is of type %s instead of host: programs do without instructions that it lacks (AVX and newer), "
		 "and its address space may be too small for large BARs (pve-docs: qm.adoc, CPU Type).", type);
}

static void no_pcie(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	for (size_t i = 0; i < l->guest.n; i++) {
		const struct guest_pci *p = &l->guest.pci[i];

		if (!p->left_alone && !p->pci.pcie)
			LINT_ADD(f, r, lint_seen(l, p->key).s, lint_is_q35(l) ? finding_text("add pcie=1 to %s", p->key).s :
				 lint_set(l, "machine q35, and add pcie=1 to %s; Windows sees a new machine then", p->key).s,
				 "%s appears as a conventional PCI device: the guest's driver sees no link and no extended capabilities, "
				 "such as resizable BARs, and may turn features off (pve-docs: qm-pci-passthrough.adoc).", p->key);
	}
}

static void small_pages(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	uint64_t mib = lint_memory(l);

	if (guest_has_devices(&l->guest) && !lint_get(l, "hugepages") && mib >= 8192)
		LINT_ADD(f, r, lint_seen(l, "hugepages").s, lint_set(l, "numa 1 --hugepages 1024 --keephugepages 1, with as many of them set aside "
			 "at boot: default_hugepagesz=1G hugepagesz=1G hugepages=%llu", (unsigned long long)((mib + 1023) / 1024)).s,
			 "%llu MiB in pages of 4 KiB: more misses in the processor's page tables, and a slower start, because every page "
			 "is pinned (Linux: admin-guide/mm/hugetlbpage.rst).", (unsigned long long)mib);
}

static void two_nodes(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const struct device *v = lint_card(l, 0);
	const struct card *c = v ? lint_facts_of(l, v) : NULL;
	char nodes[32];

	if (!c || l->facts->numa_nodes < 2 || c->d->numa < 0 || lint_get(l, "affinity") ||
	    lint_prop(l, &schema_format_numa, "numa0", "hostnodes", nodes, sizeof(nodes)))
		return;
	LINT_ADD(f, r, finding_text("%s; %s is at node %d of %u", lint_seen(l, "numa0").s, BDF_S(v->bdf), c->d->numa,
				    l->facts->numa_nodes).s,
		 lint_set(l, "numa 1 --numa0 cpus=0-N,memory=MIB,hostnodes=%d,policy=bind, and --affinity with that node's processors",
			  c->d->numa).s,
		 "Memory and processors of the VM may lie at another NUMA node than the card: every access goes over the link between "
		 "them (pve-docs: qm.adoc, NUMA).");
}

static void slow_start(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	uint64_t mib = lint_memory(l);

	if (guest_has_devices(&l->guest) && mib >= 65536)
		LINT_ADD(f, r, lint_seen(l, "memory").s, finding_text("when a start ends with 'got timeout': qm start %u --timeout 600; huge "
			 "pages make it fast", l->vmid).s,
			 "All of its %llu MiB are pinned when the VM starts, which takes its time; Proxmox waits no longer than its timeout "
			 "(qemu-server: QemuServer/Helpers.pm, config_aware_timeout).", (unsigned long long)mib);
}

static void aspm(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	if (lint_card(l, 0) && (strcmp(l->facts->aspm, "powersave") == 0 || strcmp(l->facts->aspm, "powersupersave") == 0))
		LINT_ADD(f, r, finding_text("the parameter policy of pcie_aspm: %s", l->facts->aspm).s,
			 "pcie_aspm.policy=default on the kernel's command line",
			 "PCI Express links sleep between transfers (ASPM %s): each wake-up adds microseconds of latency (Linux: "
			 "admin-guide/kernel-parameters.txt, pcie_aspm).", l->facts->aspm);
}

static void small_bar(const struct lint *l, const struct lint_rule *r, struct findings *f)
{
	const struct device *v;

	for (size_t i = 0; (v = lint_card(l, i)); i++) {
		const struct card *c = lint_facts_of(l, v);

		for (size_t k = 0; c && k < FACT_BARS; k++)
			if (c->bars[k].largest > c->bars[k].size && c->bars[k].size)
				LINT_ADD(f, r, finding_text("%s: up to %llu MiB", pdev_path(v->bdf, "resource").s,
					 (unsigned long long)(c->bars[k].largest >> 20)).s,
					 "switch on \"Resizable BAR\" in the firmware's setup; a guest cannot make it larger",
					 "BAR %zu of %s is %llu MiB and could be larger: the guest reaches the card's memory through a small "
					 "window (PCI: Resizable BAR; Linux: ABI/testing/sysfs-bus-pci).", k, BDF_S(v->bdf),
					 (unsigned long long)(c->bars[k].size >> 20));
	}
}

const struct lint_rule lint_speed_rules[] = {
	{ "vm-cpu-type", SEVERITY_HINT, cpu_type, lint_fix_cpu },
	{ "vm-no-pcie", SEVERITY_HINT, no_pcie, NULL },
	{ "vm-small-pages", SEVERITY_HINT, small_pages, NULL },
	{ "vm-numa", SEVERITY_HINT, two_nodes, NULL },
	{ "vm-slow-start", SEVERITY_HINT, slow_start, NULL },
	{ "vm-aspm", SEVERITY_HINT, aspm, NULL },
	{ "vm-small-bar", SEVERITY_HINT, small_bar, NULL },
	{ .id = NULL },
};
