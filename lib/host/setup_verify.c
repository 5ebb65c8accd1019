// SPDX-License-Identifier: GPL-2.0-or-later
/* What setup promised against what is: see setup.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup_int.h"

static void check_word(const struct facts *f, const struct setup_promise *p, struct findings *l)
{
	bool there = false, with = p->kind == SETUP_WITH;

	for (size_t i = 0; i < f->boot.now.n; i++)
		there |= boot_same_word(f->boot.now.v[i].text, p->text);
	if (there == with)
		finding_add(l, "setup-word", SEVERITY_OK, NULL, NULL, "The kernel was started with%s '%s', as promised.",
			    with ? "" : "out", p->text);
	else
		finding_add(l, "setup-word-missing", SEVERITY_PROBLEM, "/proc/cmdline", finding_text("%s, then reboot",
			    boot_chain_command(f->boot.chain)).s, "The kernel was started with%s '%s'.", there ? "" : "out", p->text);
}

static void check_vfio(const struct facts *f, const struct setup_promise *p, struct findings *l)
{
	const struct pdev *d;
	struct bdf a;

	if (bdf_parse(p->text, &a) < 0)
		return;
	d = snapshot_get(f->snapshot, a);
	if (d && d->vfio)
		finding_add(l, "setup-vfio", SEVERITY_OK, NULL, NULL, "%s is VFIO's, as promised.", p->text);
	else
		finding_add(l, "setup-vfio-missing", SEVERITY_PROBLEM, d ? finding_text("%s: %s", pdev_path(a, "driver").s,
			    d->driver[0] ? d->driver : "none").s : NULL,
			    d ? "update-initramfs -u -k all, then reboot" : "pve-gpu list --all; then pve-gpu setup --undo and again",
			    d ? "%s is not VFIO's." : "%s is not there any more.", p->text);
}

static int check_file(struct host *h, const struct setup_file *v, struct findings *l, struct err *e)
{
	mode_t mode;
	char *now;
	size_t len;
	int r = setup_read(h, v->path, &now, &len, &mode, e);

	if (r < 0)
		return r;
	if (setup_same(now, len, v->after, v->after_len))
		finding_add(l, "setup-file", SEVERITY_OK, NULL, NULL, "%s is as setup wrote it.", v->path);
	else
		finding_add(l, "setup-file-changed", SEVERITY_PROBLEM, v->path, "pve-gpu setup shows what would be changed now",
			    "%s is not as setup wrote it.", v->path);
	free(now);
	return 0;
}

int setup_verify(struct host *h, const struct facts *f, struct findings *ret, struct err *e)
{
	struct setup_record rec = SETUP_RECORD_INIT;
	char boot_id[sizeof(rec.boot_id)];
	int r = setup_record_load(h, &rec, e);

	*ret = (struct findings)FINDINGS_INIT;
	if (r < 0)
		return r;
	if (host_read_line(h, "/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)) == 0 && strcmp(boot_id, rec.boot_id) == 0)
		finding_add(ret, "setup-no-reboot", SEVERITY_PROBLEM, NULL, "reboot", "The host has not been rebooted since setup.");
	if (rec.pending)
		finding_add(ret, "setup-pending", SEVERITY_PROBLEM, NULL, "pve-gpu setup --apply", "Setup was cut short before its commands "
			    "had succeeded, so the next boot may not know of its changes.");
	for (size_t i = 0; r == 0 && i < rec.plan.n; i++)
		r = check_file(h, &rec.plan.files[i], ret, e);
	for (size_t i = 0; r == 0 && i < rec.plan.n_promises; i++) {
		if (rec.plan.promises[i].kind == SETUP_VFIO)
			check_vfio(f, &rec.plan.promises[i], ret);
		else
			check_word(f, &rec.plan.promises[i], ret);
	}
	if (r == 0 && !f->iommu)
		finding_add(ret, "setup-no-iommu", SEVERITY_PROBLEM, "/sys/class/iommu is empty", "pve-gpu doctor",
			    "There is no IOMMU at work.");
	setup_record_release(&rec);
	if (r == 0 && ret->failed)
		r = err_nomem(e);
	if (r < 0)
		findings_release(ret);
	else
		findings_sort(ret);
	return r;
}
