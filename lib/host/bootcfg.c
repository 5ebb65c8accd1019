// SPDX-License-Identifier: GPL-2.0-or-later
/* The boot chain and the kernel's command lines: see bootcfg.h. */
#include "bootcfg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "bootgrub.h"
#include "conffile.h"
#include "str.h"

/* A word that is cut would be another word; none that matters is that long. */
int boot_add(struct boot_words *l, const char *text, const char *file, unsigned line)
{
	struct boot_word *w;

	if (strlen(text) >= sizeof(w->text))
		return 0;
	if (array_room(&l->v, l->n, &l->size, sizeof(*l->v)) < 0)
		return -ENOMEM;
	w = &l->v[l->n++];
	str_copy(w->text, sizeof(w->text), text);
	str_copy(w->at.file, sizeof(w->at.file), file);
	w->at.line = line;
	return 0;
}

/* One line of words; double quotes keep blanks together (lib/cmdline.c:next_arg). */
static int add_line(struct boot_words *l, char *text, const char *file, unsigned line)
{
	for (char *p = text, *start; *(p += strspn(p, " \t")); ) {
		bool quoted = false;
		int r;

		for (start = p; *p && (quoted || !strchr(" \t", *p)); p++)
			quoted ^= *p == '"';
		if (*p)
			*p++ = '\0';
		r = boot_add(l, start, file, line);
		if (r < 0)
			return r;
	}
	return 0;
}

static int load_now(struct host *h, struct boot_words *l, struct err *e)
{
	char text[8192];
	int r = host_read_line(h, "/proc/cmdline", text, sizeof(text));

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = add_line(l, text, "/proc/cmdline", 0);
	return r < 0 ? err_set(e, -r, "cannot read '/proc/cmdline': %s", err_text(r)) : 0;
}

static int systemd_line(void *arg, const char *path, unsigned line, char *text)
{
	return add_line(arg, text, path, line);
}

/* --- which chain ------------------------------------------------------------------------------- */

static bool by_grub(const struct bootcfg *b)
{
	return boot_find(&b->now, "BOOT_IMAGE") != NULL;
}

static bool by_systemd(const struct bootcfg *b)
{
	const struct boot_word *w = boot_find(&b->now, "initrd");

	return w && str_starts(boot_value(w), "\\EFI\\");
}

static enum boot_chain find_chain(struct host *h, const struct bootcfg *b)
{
	bool tool = host_exists(h, BOOT_TOOL_FILE), grub = host_exists(h, BOOT_GRUB_FILE),
	     systemd = host_exists(h, BOOT_SYSTEMD_FILE);

	if (by_grub(b))
		return !grub ? BOOT_UNKNOWN : tool ? BOOT_TOOL_GRUB : BOOT_GRUB;
	if (by_systemd(b))
		return systemd && tool ? BOOT_SYSTEMD : BOOT_UNKNOWN;
	if (grub && !systemd)
		return tool ? BOOT_TOOL_GRUB : BOOT_GRUB;
	return systemd && tool && !grub ? BOOT_SYSTEMD : BOOT_UNKNOWN;
}

int bootcfg_load(struct host *h, struct bootcfg *ret, struct err *e)
{
	struct bootcfg b = { .chain = BOOT_UNKNOWN };
	struct boot_words *grub = &b.next, *systemd = &b.next;
	int r = load_now(h, &b.now, e);

	if (r == 0) {
		b.chain = find_chain(h, &b);
		if (b.chain == BOOT_SYSTEMD)
			grub = &b.unused;
		else if (b.chain != BOOT_UNKNOWN)
			systemd = &b.unused;
		r = bootgrub_load(h, grub, e);
	}
	if (r == 0)
		r = conffile_lines(h, BOOT_SYSTEMD_FILE, systemd_line, systemd, e);
	if (r < 0)
		bootcfg_release(&b);
	else
		*ret = b;
	return r;
}

void bootcfg_release(struct bootcfg *b)
{
	free(b->now.v);
	free(b->next.v);
	free(b->unused.v);
	memset(b, 0, sizeof(*b));
}

/* --- words about it ---------------------------------------------------------------------------- */

const char *boot_chain_text(enum boot_chain chain)
{
	switch (chain) {
	case BOOT_UNKNOWN: return "an unknown boot chain";
	case BOOT_GRUB: return "GRUB";
	case BOOT_TOOL_GRUB: return "GRUB (proxmox-boot-tool)";
	case BOOT_SYSTEMD: return "systemd-boot (proxmox-boot-tool)";
	}
	return "an unknown boot chain";
}

const char *boot_chain_file(enum boot_chain chain)
{
	switch (chain) {
	case BOOT_GRUB:
	case BOOT_TOOL_GRUB: return "GRUB_CMDLINE_LINUX_DEFAULT in " BOOT_GRUB_FILE;
	case BOOT_SYSTEMD: return "the line in " BOOT_SYSTEMD_FILE;
	case BOOT_UNKNOWN: break;
	}
	return "the kernel's command line";
}

const char *boot_chain_command(enum boot_chain chain)
{
	switch (chain) {
	case BOOT_GRUB:
	case BOOT_TOOL_GRUB: return "update-grub";
	case BOOT_SYSTEMD: return "proxmox-boot-tool refresh";
	case BOOT_UNKNOWN: break;
	}
	return "the boot loader's own command";
}

static size_t name_length(const char *word)
{
	return strcspn(word, "=");
}

static bool same_name(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]))
			return false;
	return true;
}

const struct boot_word *boot_find(const struct boot_words *l, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = l->n; i-- > 0; )
		if (name_length(l->v[i].text) == n && same_name(l->v[i].text, name, n))
			return &l->v[i];
	return NULL;
}

const char *boot_value(const struct boot_word *w)
{
	const char *equals = strchr(w->text, '=');

	return equals ? equals + 1 : "";
}

static bool has_item(const char *list, const char *item)
{
	size_t n = strlen(item);

	for (;; list++) {
		size_t here = strcspn(list, ",");

		if (here == n && memcmp(list, item, n) == 0)
			return true;
		list += here;
		if (!*list)
			return false;
	}
}

const struct boot_word *boot_find_item(const struct boot_words *l, const char *name, const char *item)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < l->n; i++) {
		const struct boot_word *w = &l->v[i];

		if (name_length(w->text) == n && same_name(w->text, name, n) && has_item(boot_value(w), item))
			return w;
	}
	return NULL;
}

bool boot_same_word(const char *a, const char *b)
{
	size_t n = name_length(a);

	return name_length(b) == n && same_name(a, b, n) && strcmp(a + n, b + n) == 0;
}

bool boot_matters(const struct boot_word *w)
{
	static const char *const names[] = {
		"iommu", "intel_iommu", "amd_iommu", "intremap", "iommu.passthrough", "iommu.strict", "pcie_acs_override",
		"pci", "pcie_aspm", "video", "initcall_blacklist", "nomodeset", "nofb", "module_blacklist",
		"modprobe.blacklist", "noapic", "hugepages", "hugepagesz", "default_hugepagesz", "disable_idle_d3",
	};
	static const char *const modules[] = {
		"vfio", "vfio_pci", "vfio_iommu_type1", "kvm", "kvm_intel", "kvm_amd", "nouveau", "nvidia", "nvidia_drm",
		"amdgpu", "radeon", "i915", "xe", "snd_hda_intel", "rd.driver",
	};
	size_t n = name_length(w->text), dot = strcspn(w->text, ".=");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == n && same_name(w->text, names[i], n))
			return true;
	for (size_t i = 0; w->text[dot] == '.' && i < ARRAY_SIZE(modules); i++)
		if (strlen(modules[i]) == dot && same_name(w->text, modules[i], dot))
			return true;
	return false;
}
