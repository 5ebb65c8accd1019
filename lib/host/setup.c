// SPDX-License-Identifier: GPL-2.0-or-later
/* Making the plan: see setup.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "array.h"
#include "setup_int.h"
#include "setup_text.h"

#define FILE_MAX (1u << 20)
#define GRUB_OURS "/etc/default/grub.d/pve-gpu.cfg"
#define MODPROBE_OURS "/etc/modprobe.d/pve-gpu.conf"
#define EARLY_OURS "/etc/initramfs-tools/scripts/init-top/00-pve-gpu"
#define HOOK_OURS "/etc/initramfs-tools/hooks/pve-gpu"

/* --- files ------------------------------------------------------------------------------------- */

bool setup_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a && b ? a_len == b_len && memcmp(a, b, a_len) == 0 : a == b;
}

int setup_read(struct host *h, const char *path, char **ret, size_t *ret_len, mode_t *ret_mode, struct err *e)
{
	char target[256];
	struct stat st;
	int r;

	*ret = NULL;
	*ret_len = 0;
	if (host_readlink(h, path, target, sizeof(target)) == 0)
		return err_set(e, ELOOP, "'%s' is a link to '%.200s', which is not changed through it: set up that file by hand",
			       path, target);
	r = host_stat(h, path, &st);
	if (r == 0)
		r = host_read_file(h, path, FILE_MAX, ret, ret_len);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return err_set(e, -r, "cannot read '%s': %s", path, err_text(r));
	*ret_mode = st.st_mode & 07777;
	return 0;
}

int setup_file_set(struct setup_file *f, const char *text, size_t len, mode_t mode)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	copy[len] = '\0';
	free(f->after);
	f->after = copy;
	f->after_len = len;
	f->mode = mode;
	return 0;
}

struct setup_file *setup_file_of(struct host *h, struct setup_plan *p, const char *path, int *ret_r, struct err *e)
{
	struct setup_file f = { .mode = 0644 };

	*ret_r = 0;
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->files[i].path, path) == 0)
			return &p->files[i];
	if (str_copy(f.path, sizeof(f.path), path) < 0 || array_room(&p->files, p->n, &p->size, sizeof(f)) < 0) {
		*ret_r = err_nomem(e);
		return NULL;
	}
	*ret_r = setup_read(h, path, &f.before, &f.before_len, &f.mode, e);
	if (*ret_r == 0 && f.before && setup_file_set(&f, f.before, f.before_len, f.mode) < 0)
		*ret_r = err_nomem(e);
	if (*ret_r < 0) {
		free(f.before);
		return NULL;
	}
	p->files[p->n] = f;
	return &p->files[p->n++];
}

/* A file that is ours as a whole. */
static int own_file(struct host *h, struct setup_plan *p, const char *path, const char *text, mode_t mode, struct err *e)
{
	int r;
	struct setup_file *f = setup_file_of(h, p, path, &r, e);

	if (!f)
		return r;
	return setup_file_set(f, text, strlen(text), mode) < 0 ? err_nomem(e) : 0;
}

int setup_promise_add(struct setup_plan *p, int kind, const char *text)
{
	struct setup_promise *v;

	if (array_room(&p->promises, p->n_promises, &p->promises_size, sizeof(*v)) < 0)
		return -ENOMEM;
	v = &p->promises[p->n_promises++];
	v->kind = kind;
	snprintf(v->text, sizeof(v->text), "%s", text);
	return 0;
}

void setup_release(struct setup_plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->files[i].before);
		free(p->files[i].after);
	}
	free(p->files);
	free(p->promises);
	str_release(&p->why);
	str_release(&p->notes);
	*p = (struct setup_plan)SETUP_PLAN_INIT;
}

/* --- taking out -------------------------------------------------------------------------------- */

/* From the end of a file to its beginning, so that no line moves before it is looked for. */
static int by_line_down(const void *a, const void *b)
{
	const struct setup_cut *x = a, *y = b;
	int order = strcmp(x->at.file, y->at.file);

	if (order || x->at.line == y->at.line)
		return order ? order : strcmp(x->word, y->word);
	return x->at.line > y->at.line ? -1 : 1;
}

/* Its file is a link, through which nothing is changed: a note for the file. */
static bool is_linked(struct host *h, const struct setup_cut *c, struct setup_plan *p)
{
	char target[256], head[256];

	if (host_readlink(h, c->at.file, target, sizeof(target)) < 0)
		return false;
	snprintf(head, sizeof(head), "'%s' is a link", c->at.file);
	if (!strstr(p->notes.s, head))
		(void)str_addf(&p->notes, "%s to '%.200s', which is not changed through it: what is to be taken out there stays (line %u: %s)\n",
			       head, target, c->at.line, c->why);
	return true;
}

static int take_out(struct host *h, const struct setup_cut *c, struct setup_plan *p, struct err *e)
{
	struct setup_file *f;
	size_t len;
	int r;

	if (is_linked(h, c, p))
		return 0;
	f = setup_file_of(h, p, c->at.file, &r, e);
	if (!f)
		return r;
	if (!f->after)
		return 0;
	len = f->after_len;
	f->after_len = c->word[0] ? setup_cut_word(f->after, len, c->at.line, c->word) :
		       setup_cut_line(f->after, len, c->at.line);
	if (f->after_len == len)
		return 0;
	(void)str_addf(&p->why, "%s%s%s: taken out, because %s\n", source_format(&c->at).s, c->word[0] ? ": " : "", c->word,
		       c->why);
	if (str_starts(c->word, "pcie_acs_override"))
		(void)str_add(&p->notes, "without the ACS override groups become as large as they are: see 'pve-gpu doctor' after the reboot; "
			      "--keep-acs-override leaves it in place\n");
	p->refresh |= c->cmdline;
	p->initramfs |= !c->cmdline;
	return c->cmdline && setup_promise_add(p, SETUP_WITHOUT, c->word) < 0 ? err_nomem(e) : 0;
}

static int take_leftovers(struct host *h, const struct facts *f, const struct setup_wish *w, struct setup_plan *p,
			  struct err *e)
{
	struct setup_cuts cuts = { NULL, 0, 0 };
	int r = setup_leftovers(f, w, &cuts, &p->notes) < 0 ? err_nomem(e) : 0;

	if (cuts.n)
		qsort(cuts.v, cuts.n, sizeof(*cuts.v), by_line_down);
	for (size_t i = 0; r == 0 && i < cuts.n; i++)
		r = take_out(h, &cuts.v[i], p, e);
	free(cuts.v);
	return r;
}

/* --- putting in -------------------------------------------------------------------------------- */

static int add_to_systemd(struct host *h, struct setup_plan *p, const char *word, struct err *e)
{
	int r;
	struct setup_file *f = setup_file_of(h, p, BOOT_SYSTEMD_FILE, &r, e);
	struct str text = STR_INIT;
	size_t line;

	if (!f)
		return r;
	line = f->after ? strcspn(f->after, "\r\n") : 0;
	(void)str_addn(&text, f->after ? f->after : "", line);
	(void)str_addf(&text, "%s%s", line ? " " : "", word);
	(void)str_add(&text, f->after && f->after[line] ? f->after + line : "\n");
	r = text.failed || setup_file_set(f, text.s, text.len, f->mode) < 0 ? err_nomem(e) : 0;
	str_release(&text);
	return r;
}

static int add_word(struct host *h, const struct facts *f, struct setup_plan *p, const char *word, const char *why,
		    struct err *e)
{
	char text[256];
	int r;

	snprintf(text, sizeof(text), "# By pve-gpu setup; 'pve-gpu setup --undo' takes it back.\n"
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT %s\"\n", word);
	r = f->boot.chain == BOOT_SYSTEMD ? add_to_systemd(h, p, word, e) : own_file(h, p, GRUB_OURS, text, 0644, e);
	if (r < 0)
		return r;
	(void)str_addf(&p->why, "%s: put onto the kernel's command line, because %s\n", word, why);
	p->refresh = true;
	return setup_promise_add(p, SETUP_WITH, word) < 0 ? err_nomem(e) : 0;
}

static int need_iommu(struct host *h, const struct facts *f, struct setup_plan *p, struct err *e)
{
	if (f->cpu != CPU_INTEL || strcmp(f->intel_default, "on") == 0 || boot_find_item(&f->boot.next, "intel_iommu", "on"))
		return 0;
	if (f->firmware_iommu == 0)
		(void)str_add(&p->notes, "the firmware offers no IOMMU yet: switch VT-d on in its setup as well\n");
	return add_word(h, f, p, "intel_iommu=on", "this kernel leaves Intel's IOMMU off by itself", e);
}

/* --- cards that are VFIO's from the boot on ------------------------------------------------------ */

static bool is_wanted(const struct setup_wish *w, const struct pdev *d)
{
	for (size_t i = 0; i < w->n; i++)
		if (bdf_same_slot(w->cards[i], d->bdf) && !d->bridge)
			return true;
	return false;
}

static int static_by_address(struct host *h, const struct facts *f, const struct setup_wish *w, struct setup_plan *p,
			     struct err *e)
{
	struct str text = STR_INIT;
	int r = 0;

	(void)str_add(&text, "#!/bin/sh\n# By pve-gpu setup --static: VFIO's before any driver looks for devices.\n"
		      "[ \"$1\" = prereqs ] && exit 0\nfor device in");
	for (size_t i = 0; r == 0 && i < snapshot_count(f->snapshot); i++) {
		const struct pdev *d = snapshot_at(f->snapshot, i);

		if (!d || !is_wanted(w, d))
			continue;
		(void)str_addf(&text, " %s", BDF_S(d->bdf));
		if (setup_promise_add(p, SETUP_VFIO, BDF_S(d->bdf)) < 0)
			r = err_nomem(e);
	}
	(void)str_add(&text, "; do\n\techo vfio-pci >\"/sys/bus/pci/devices/$device/driver_override\"\ndone\n"
		      "modprobe -q vfio-pci || :\n");
	if (r == 0)
		r = text.failed ? err_nomem(e) : own_file(h, p, EARLY_OURS, text.s, 0755, e);
	if (r == 0)
		r = own_file(h, p, HOOK_OURS, "#!/bin/sh\n# By pve-gpu setup --static: the early boot needs the module.\n"
			     "[ \"$1\" = prereqs ] && exit 0\n. /usr/share/initramfs-tools/hook-functions\n"
			     "manual_add_modules vfio-pci\n", 0755, e);
	str_release(&text);
	p->initramfs = true;
	return r;
}

static void note_twins(const struct facts *f, const struct setup_wish *w, const struct pdev *d, struct setup_plan *p)
{
	for (size_t i = 0; i < snapshot_count(f->snapshot); i++) {
		const struct pdev *o = snapshot_at(f->snapshot, i);

		if (o && o->vendor == d->vendor && o->device == d->device && !is_wanted(w, o))
			(void)str_addf(&p->notes, "%s has the same id as %s (%04x:%04x) and goes to VFIO with it: --static tells them "
				       "apart\n", BDF_S(o->bdf), BDF_S(d->bdf), d->vendor, d->device);
	}
}

static int static_by_ids(struct host *h, const struct facts *f, const struct setup_wish *w, struct setup_plan *p,
			 struct err *e)
{
	static const char *const drivers[] = { "nouveau", "nvidia", "amdgpu", "radeon", "i915", "xe", "snd_hda_intel", "xhci_pci" };
	struct str text = STR_INIT;
	const char *comma = "";
	int r = 0;

	(void)str_add(&text, "# By pve-gpu setup --static-ids; 'pve-gpu setup --undo' takes it back.\noptions vfio-pci ids=");
	for (size_t i = 0; r == 0 && i < snapshot_count(f->snapshot); i++) {
		const struct pdev *d = snapshot_at(f->snapshot, i);

		if (!d || !is_wanted(w, d))
			continue;
		(void)str_addf(&text, "%s%04x:%04x", comma, d->vendor, d->device);
		comma = ",";
		note_twins(f, w, d, p);
		if (setup_promise_add(p, SETUP_VFIO, BDF_S(d->bdf)) < 0)
			r = err_nomem(e);
	}
	(void)str_add(&text, "\n");
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		(void)str_addf(&text, "softdep %s pre: vfio-pci\n", drivers[i]);
	if (r == 0)
		r = text.failed ? err_nomem(e) : own_file(h, p, MODPROBE_OURS, text.s, 0644, e);
	str_release(&text);
	p->initramfs = true;
	return r;
}

/* --- all of it --------------------------------------------------------------------------------- */

static void drop_unchanged(struct setup_plan *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct setup_file *f = &p->files[i];

		if (setup_same(f->before, f->before_len, f->after, f->after_len)) {
			free(f->before);
			free(f->after);
		} else {
			p->files[kept++] = *f;
		}
	}
	p->n = kept;
}

static int check_wish(const struct facts *f, const struct setup_wish *w, struct err *e)
{
	for (size_t i = 0; i < w->n; i++)
		if (!snapshot_get(f->snapshot, w->cards[i]))
			return err_set(e, ENODEV, "there is no device %s; 'pve-gpu list --all' shows all of them", BDF_S(w->cards[i]));
	return 0;
}

static int make_static(struct host *h, const struct facts *f, const struct setup_wish *w, struct setup_plan *p, struct err *e)
{
	switch (w->way) {
	case SETUP_STATIC: return static_by_address(h, f, w, p, e);
	case SETUP_STATIC_IDS: return static_by_ids(h, f, w, p, e);
	case SETUP_DYNAMIC: break;
	}
	return 0;
}

int setup_make(struct host *h, const struct facts *f, const struct setup_wish *w, struct setup_plan *ret, struct err *e)
{
	struct setup_plan *p = ret;
	int r;

	*p = (struct setup_plan)SETUP_PLAN_INIT;
	p->chain = f->boot.chain;
	r = check_wish(f, w, e);
	if (r == 0)
		r = take_leftovers(h, f, w, p, e);
	if (r == 0)
		r = need_iommu(h, f, p, e);
	if (r == 0 && p->refresh && f->boot.chain == BOOT_UNKNOWN)
		return err_set(e, ENOTSUP, "the kernel's command line has to change, but it cannot be told how this host boots: neither GRUB "
			       "nor systemd-boot by proxmox-boot-tool is certain; see 'proxmox-boot-tool status' and 'efibootmgr -v'");
	if (r == 0)
		r = make_static(h, f, w, p, e);
	if (r < 0)
		return r;
	drop_unchanged(p);
	if (!p->n)
		p->refresh = p->initramfs = false;
	if (setup_record_pending(h))
		(void)str_add(&p->notes, "an earlier 'pve-gpu setup --apply' was cut short after it wrote its files, so the next boot may not "
			      "know of them: --apply runs the commands that were due\n");
	return p->why.failed || p->notes.failed ? err_nomem(e) : 0;
}
