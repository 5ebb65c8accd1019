// SPDX-License-Identifier: GPL-2.0-or-later
/* Putting files of the system in place: see setup_int.h.
 *
 * Whatever is on its way has a name that begins with a dot: initramfs-tools runs every other file of its
 * folders of scripts and hooks, and so a half of one when the process is killed (initramfs-tools:
 * scripts/functions: set_initlist). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "setup_int.h"

#define MARK ".pve-gpu-new"

/* "/etc/default/.grub.pve-gpu-new" */
static struct host_path staged_path(const struct setup_file *f)
{
	const char *name = strrchr(f->path, '/') + 1;

	return host_path("%.*s.%s" MARK, (int)(name - f->path), f->path, name);
}

static int stage_one(struct host *h, const struct setup_file *f, const char *text, size_t len, struct err *e)
{
	struct host_path staged = staged_path(f);
	int r = file_mkdirs(h, host_path("%.*s", (int)(strrchr(f->path, '/') - f->path), f->path).s, 0755);

	if (r == 0)
		r = file_replace(h, staged.s, text, len, f->mode);
	return r < 0 ? err_set(e, -r, "cannot write '%s': %s", staged.s, err_text(r)) : 0;
}

int setup_stage(struct host *h, const struct setup_plan *p, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n; i++)
		r = stage_one(h, &p->files[i], p->files[i].after, p->files[i].after_len, e);
	return r;
}

int setup_place(struct host *h, const struct setup_file *f, struct err *e)
{
	int r = host_rename(h, staged_path(f).s, f->path);

	return r < 0 ? err_set(e, -r, "cannot put the new '%s' in place: %s", f->path, err_text(r)) : 0;
}

int setup_put_back(struct host *h, const struct setup_file *f, struct err *e)
{
	int r;

	if (f->before) {
		r = stage_one(h, f, f->before, f->before_len, e);
		return r < 0 ? r : setup_place(h, f, e);
	}
	r = host_unlink(h, f->path);
	return r < 0 && r != -ENOENT ? err_set(e, -r, "cannot remove '%s': %s", f->path, err_text(r)) : 0;
}

struct sweep {
	struct host *h;
	const char *folder;
};

static int sweep_one(void *arg, const char *name)
{
	const struct sweep *s = arg;

	if (strstr(name, MARK))
		(void)host_unlink(s->h, host_path("%s/%s", s->folder, name).s);
	return 0;
}

void setup_sweep(struct host *h)
{
	/* of every file that setup may write (BOOT_*_FILE, modconf.c, setup.c) */
	static const char *const folders[] = {
		"/etc", "/etc/default", "/etc/default/grub.d", "/etc/kernel", "/etc/modprobe.d", "/etc/modules-load.d",
		"/etc/initramfs-tools", "/etc/initramfs-tools/hooks", "/etc/initramfs-tools/scripts/init-top",
	};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		struct sweep s = { h, folders[i] };

		(void)!host_list(h, folders[i], sweep_one, &s);
	}
}
