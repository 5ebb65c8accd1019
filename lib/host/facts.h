/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * facts - what is true on this host, as far as passthrough is concerned, read once.
 *
 * Nothing here judges (see finding.h) and nothing is written.  A fact that cannot be known, because
 * this kernel does not show it or because a captured tree lacks the file, has its own value and leads
 * to no finding: -1 for a question of yes (1) or no (0), "" for a text.
 *
 * Where a fact comes from:
 *   firmware's IOMMU     names in /sys/firmware/acpi/tables: DMAR (Intel), IVRS (AMD), IORT (Arm)
 *   kernel's IOMMU       /sys/class/iommu (drivers/iommu/iommu-sysfs.c); Proxmox asks the same
 *   interrupt remapping  "IR-" in /proc/interrupts (kernel/irq: irq_chip names)
 *   Secure Boot          byte 4 of the efivar SecureBoot (UEFI specification 3.3)
 *   lockdown             the bracketed word of /sys/kernel/security/lockdown
 *   quorum               /etc/pve/.members (pmxcfs: cfs-plug-func.c)
 *   versions             /var/lib/dpkg/status
 */
#ifndef FACTS_H
#define FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootcfg.h"
#include "inuse.h"
#include "modconf.h"
#include "snapshot.h"
#include "str.h"

enum cpu_vendor { CPU_UNKNOWN, CPU_INTEL, CPU_AMD, CPU_ARM };

struct fact_bar {
	uint64_t start, size, flags;	/* as in `resource`; size 0 = not there */
	uint64_t largest;		/* the size it could have (resizable BAR); 0 = it has no choice */
};

#define FACT_BARS 6

/* A graphics function: what its record (pdev.h) does not have. */
struct card {
	const struct pdev *d;
	bool rom;			/* there is a ROM to read */
	int d3cold_allowed;
	bool rmrr;			/* its group must map memory one to one for the firmware */
	struct fact_bar bars[FACT_BARS];
	char firmware_fb[16];		/* the firmware's frame buffer lies in one of its BARs: its name */
};

struct facts {
	char node[64], kernel[96], cpu_model[96];
	unsigned kernel_version;	/* 6.8.12 -> 0x06080c; 0 = unknown */
	enum cpu_vendor cpu;
	int virtualisation;		/* vmx or svm among the flags; -1 on others than x86 */

	bool efi;
	int secure_boot;
	char lockdown[24];		/* "none", "integrity", "confidentiality" */
	int firmware_iommu;
	const char *firmware_table;	/* its name, NULL = none */

	bool iommu;
	int remapping;			/* of interrupts */
	bool unsafe_interrupts, no_iommu_mode;
	char intel_default[24];		/* "on", "off", "on but for graphics": how the kernel was built */

	char pve_manager[32], qemu_server[32];	/* versions */
	bool is_pve;
	int quorate;
	char console[128];		/* /sys/class/tty/console/active */
	uint64_t memory;		/* bytes */
	unsigned numa_nodes;		/* 0 = not known */
	char aspm[24];			/* the policy of PCI Express power saving: "default", "powersave"... */
	uint64_t huge[2];		/* pages of 2 MiB and of 1 GiB that are set aside */

	bool hook_installed, keeper_enabled;	/* ours */
	int vfio_there;			/* vfio-pci is registered, built in or can be loaded */
	bool nvidia_there;		/* NVIDIA's own driver is loaded or installed, for this kernel or at all */
	int initramfs_stale;		/* it is older than modprobe.d's newest file */
	struct source initramfs_newer;	/* that file */

	struct str loaded;		/* names of modules, each with a newline before and behind it */
	struct bootcfg boot;
	struct modconf mods;
	struct snapshot *snapshot;
	struct card *cards;		/* ascending by address */
	size_t n_cards;
	struct inuse *inuse;		/* who uses the cards; NULL = could not be found out */
	char inuse_why[512];		/* ... and why not */
};

/* *ret is the caller's: facts_free(). */
int facts_load(struct host *h, struct facts **ret, struct err *e) _must_check_;
void facts_free(struct facts *f);	/* accepts NULL */

bool facts_loaded(const struct facts *f, const char *module);	/* with '_' */
bool facts_kernel_from(const struct facts *f, unsigned major, unsigned minor);	/* known, and not older */
bool facts_pve_kernel(const struct facts *f);
const char *cpu_vendor_text(enum cpu_vendor v);
/* What the firmware's setup calls its IOMMU. */
const char *facts_iommu_name(const struct facts *f);

#endif
