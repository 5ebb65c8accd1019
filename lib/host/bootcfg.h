/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootcfg - how this node boots, and which kernel command line it has now and gets next time.
 *
 * Proxmox has two boot chains (pve-docs: system-booting.adoc): GRUB, with the command line in
 * /etc/default/grub, and systemd-boot, with one line in /etc/kernel/cmdline.  Both files may exist;
 * changing the one that is not used does nothing.  Where /etc/kernel/proxmox-boot-uuids exists,
 * proxmox-boot-tool keeps the boot partitions, whichever of the two lies on them.
 *
 * Which one started the running kernel is said by its command line: GRUB begins it with BOOT_IMAGE=
 * (grub-core/loader/i386/linux.c), the entries for systemd-boot are loaded with initrd=\EFI\...  Where
 * neither is there, only one file decides, and with both the chain is unknown: a wrong guess would
 * change a file that nobody reads.
 */
#ifndef BOOTCFG_H
#define BOOTCFG_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "host.h"
#include "source.h"

enum boot_chain {
	BOOT_UNKNOWN,
	BOOT_GRUB,
	BOOT_TOOL_GRUB,		/* GRUB on partitions that proxmox-boot-tool keeps */
	BOOT_SYSTEMD,		/* systemd-boot; always by proxmox-boot-tool */
};

struct boot_word {
	char text[256];		/* "intel_iommu=on" */
	struct source at;
};

struct boot_words {
	struct boot_word *v;
	size_t n, size;
};

struct bootcfg {
	enum boot_chain chain;
	struct boot_words now;		/* /proc/cmdline */
	struct boot_words next;		/* the file of this chain; of an unknown one both files */
	struct boot_words unused;	/* the file of the other chain */
};

#define BOOT_GRUB_FILE "/etc/default/grub"
#define BOOT_SYSTEMD_FILE "/etc/kernel/cmdline"
#define BOOT_TOOL_FILE "/etc/kernel/proxmox-boot-uuids"

int bootcfg_load(struct host *h, struct bootcfg *ret, struct err *e) _must_check_;
void bootcfg_release(struct bootcfg *b);

const char *boot_chain_text(enum boot_chain chain);	/* "GRUB", "systemd-boot (proxmox-boot-tool)"... */
const char *boot_chain_file(enum boot_chain chain);	/* where its command line is changed */
const char *boot_chain_command(enum boot_chain chain);	/* what makes a change take effect at the next boot */

/*
 * The last word of this name, or NULL: "iommu" finds "iommu=pt", "quiet" finds "quiet"; the kernel
 * takes '-' and '_' in a name for the same.  The value is what follows '=', "" without one.
 */
const struct boot_word *boot_find(const struct boot_words *l, const char *name);
/* The word of this name that has `item` as its value or in the comma list that is its value. */
const struct boot_word *boot_find_item(const struct boot_words *l, const char *name, const char *item);
const char *boot_value(const struct boot_word *w);

/* Is it a word that matters to passthrough? */
bool boot_matters(const struct boot_word *w);
bool boot_same_word(const char *a, const char *b);

#endif
