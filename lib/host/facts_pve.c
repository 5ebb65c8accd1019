// SPDX-License-Identifier: GPL-2.0-or-later
/* Facts about Proxmox, its packages and ours, and the kernel's modules: see facts.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "facts_int.h"

#define STATUS_MAX (64u << 20)
#define MODULES_MAX (8u << 20)

/* --- Proxmox ----------------------------------------------------------------------------------- */

static void package_version(const char *status, const char *name, char *buf, size_t size)
{
	char head[64];
	const char *p, *end, *version;

	snprintf(head, sizeof(head), "Package: %s\n", name);
	p = str_starts(status, head) ? status : NULL;
	if (!p) {
		snprintf(head, sizeof(head), "\nPackage: %s\n", name);
		p = strstr(status, head);
	}
	version = p ? strstr(p, "\nVersion: ") : NULL;
	end = p ? strstr(p + 1, "\n\n") : NULL;
	if (!version || (end && version > end))
		return;
	version += strlen("\nVersion: ");
	snprintf(buf, size, "%.*s", (int)strcspn(version, "\n"), version);
}

static int read_quorum(struct host *h)
{
	char text[8192], *p;
	ssize_t n = host_read(h, "/etc/pve/.members", text, sizeof(text) - 1);

	if (n < 0)
		return -1;
	text[n] = '\0';
	p = strstr(text, "\"quorate\"");
	if (!p)
		return -1;	/* a single node has no "cluster" */
	p += strlen("\"quorate\"");
	p += strspn(p, " :");
	return *p == '1';
}

void facts_pve(struct host *h, struct facts *f)
{
	char *status, *dot;
	size_t len;

	facts_line(h, "/proc/sys/kernel/hostname", f->node, sizeof(f->node));
	dot = strchr(f->node, '.');
	if (dot)
		*dot = '\0';
	f->is_pve = host_exists(h, "/etc/pve/qemu-server");
	f->quorate = read_quorum(h);
	if (host_read_file(h, "/var/lib/dpkg/status", STATUS_MAX, &status, &len) == 0) {
		package_version(status, "pve-manager", f->pve_manager, sizeof(f->pve_manager));
		package_version(status, "qemu-server", f->qemu_server, sizeof(f->qemu_server));
		free(status);
	}
	f->hook_installed = host_exists(h, "/usr/libexec/pve-gpu/gpu-hook");
	f->keeper_enabled = host_exists(h, "/etc/systemd/system/paths.target.wants/pve-gpu-watch.path");
}

/* --- modules ----------------------------------------------------------------------------------- */

static void read_loaded(struct host *h, struct facts *f)
{
	char *text, *cursor, *line;
	size_t len;

	if (host_read_file(h, "/proc/modules", MODULES_MAX, &text, &len) < 0)
		return;
	cursor = text;
	(void)str_add(&f->loaded, "\n");
	while ((line = str_token(&cursor, "\n"))) {
		(void)str_addn(&f->loaded, line, strcspn(line, " "));
		(void)str_add(&f->loaded, "\n");
	}
	free(text);
}

static bool names_module(struct host *h, const struct facts *f, const char *file, const char *object, bool *ret_seen)
{
	char *text;
	size_t len;
	bool found;

	if (host_read_file(h, host_path("/lib/modules/%s/%s", f->kernel, file).s, MODULES_MAX, &text, &len) < 0)
		return false;
	*ret_seen = true;
	found = strstr(text, object) != NULL;
	free(text);
	return found;
}

static int find_vfio(struct host *h, const struct facts *f)
{
	bool seen = false;

	if (host_exists(h, "/sys/bus/pci/drivers/vfio-pci") || names_module(h, f, "modules.dep", "/vfio-pci.ko", &seen) ||
	    names_module(h, f, "modules.builtin", "/vfio-pci.ko", &seen))
		return 1;
	return seen ? 0 : -1;
}

/* Its installer and Debian's packages name the module (nvidia-current, nvidia-tesla-535...); a module that was
 * not built for this kernel yet will be, and /usr/share/nvidia comes with the rest of the driver. */
static bool find_nvidia(struct host *h, const struct facts *f)
{
	static const char *const objects[] = { "/nvidia.ko", "/nvidia-current", "/nvidia-tesla", "/nvidia-legacy" };
	bool seen = false;

	if (facts_loaded(f, "nvidia") || host_exists(h, "/usr/share/nvidia"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (names_module(h, f, "modules.dep", objects[i], &seen))
			return true;
	return false;
}

/* The image holds what modprobe.d said when it was made. */
static void compare_initramfs(struct host *h, struct facts *f)
{
	struct stat image, st;
	time_t newest = 0;

	f->initramfs_stale = -1;
	if (host_stat(h, host_path("/boot/initrd.img-%s", f->kernel).s, &image) < 0)
		return;
	f->initramfs_stale = 0;
	for (size_t i = 0; i < f->mods.n; i++) {
		const struct mod_line *l = &f->mods.v[i];

		if (l->kind == MOD_LOAD || host_stat(h, l->at.file, &st) < 0 || st.st_mtime <= image.st_mtime ||
		    st.st_mtime <= newest)
			continue;
		newest = st.st_mtime;
		f->initramfs_stale = 1;
		f->initramfs_newer = l->at;
		f->initramfs_newer.line = 0;
	}
}

void facts_modules(struct host *h, struct facts *f)
{
	read_loaded(h, f);
	f->vfio_there = find_vfio(h, f);
	f->nvidia_there = find_nvidia(h, f);
	compare_initramfs(h, f);
}
