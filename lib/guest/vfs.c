// SPDX-License-Identifier: GPL-2.0-or-later
/* Virtual functions that a start makes: see vfs.h. */
#include "vfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "sriov.h"

enum { MOST = 256 };

struct work {
	struct host *h;
	const struct guest *g;
	const struct guest_input *in;
	struct snapshot *s;
	struct vfs *ret;
	struct plan *plan;
	unsigned n;
	struct err *e;
};

static int read_setting(const struct settings *s, unsigned *ret, struct err *e)
{
	uint64_t n = 0;

	*ret = 0;
	if (!*s->vfs.text)
		return 0;
	if (str_to_u64(s->vfs.text, 10, &n) < 0 || n == 0 || n > MOST)
		return err_set(e, EINVAL, "%s: vfs = %s: a number from 1 to %d is needed", s->origin[SETTINGS_VFS].text, s->vfs.text,
			       MOST);
	*ret = (unsigned)n;
	return 0;
}

static bool is_asked_for(const struct guest *g, struct bdf a)
{
	for (size_t i = 0; i < g->n; i++)
		for (size_t k = 0; !g->pci[i].left_alone && k < g->pci[i].pci.n_ids; k++)
			if (hostpci_id_matches(g->pci[i].pci.ids[k].text, BDF_S(a)))
				return true;
	return false;
}

/* Which of the functions that `n` would make does the VM ask for? */
static bool any_asked_for(const struct work *w, const struct sriov *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (is_asked_for(w->g, sriov_address(s, i)))
			return true;
	return false;
}

/* Another VM's lease has made them, or is at it: they go when the last lease that says so is closed. */
static const struct hold *made_by_lease(const struct work *w, struct bdf pf)
{
	for (size_t i = 0; i < w->in->n_holds; i++)
		if (w->in->holds[i].vfs && bdf_same(w->in->holds[i].bdf, pf))
			return &w->in->holds[i];
	return NULL;
}

/* What its making changes for a moment is as that lease has found it. */
static int add(struct work *w, const struct sriov *s, const struct hold *maker, unsigned n)
{
	struct plan_vfs *v;

	if (array_room(&w->ret->list, w->ret->n, &w->ret->size, sizeof(*v)) < 0)
		return err_nomem(w->e);
	v = &w->ret->list[w->ret->n++];
	*v = (struct plan_vfs){ .pf = s->pf, .n = n };
	if (maker)
		memcpy(v->autoprobe, maker->autoprobe, sizeof(v->autoprobe));
	else if (host_read_line(w->h, pdev_path(s->pf, "sriov_drivers_autoprobe").s, v->autoprobe, sizeof(v->autoprobe)) < 0)
		v->autoprobe[0] = '\0';
	return 0;
}

/* What the kernel will show of it: every virtual function can do an FLR (PCI Express: 9.3.3.3.1). */
static int expect(struct work *w, const struct sriov *s, const struct pdev *pf, struct bdf a)
{
	struct pdev d = {
		.bdf = a, .vendor = pf->vendor, .device = s->vf_device, .subvendor = pf->subvendor, .class = pf->class, .group = -1,
		.has_reset = true, .reset_method = "flr", .d3cold = -1, .enable = -1, .boot_vga = -1, .numa = pf->numa, .is_vf = true,
		.pf = s->pf, .has_parent = pf->has_parent, .parent = pf->parent, .has_bars = true, .coming = true,
	};

	return snapshot_expect(w->s, &d) < 0 ? err_nomem(w->e) : 0;
}

/* A write to its physical function hangs, and another one would. */
static int refuse_hung(struct work *w, struct bdf pf)
{
	for (size_t i = 0; i < w->in->n_holds; i++)
		if (w->in->holds[i].hangs && bdf_same(w->in->holds[i].bdf, pf))
			return plan_refuse(w->plan, "held", &pf, w->e, "Give this VM another device, or reboot the host: only that "
					   "ends it for certain.", "%s, whose virtual functions are to be made, is held by %s",
					   BDF_S(pf), w->in->holds[i].who);
	return 0;
}

static int look(struct work *w, const struct sriov *s)
{
	const struct hold *maker = made_by_lease(w, s->pf);
	unsigned n = maker ? maker->vfs : w->n;
	const struct pdev *pf;
	int r;

	/* '03:00' asks for the card, also where its virtual functions would be in the same slot. */
	if (is_asked_for(w->g, s->pf) || !any_asked_for(w, s, n))
		return 0;
	if (s->now)
		return maker ? add(w, s, maker, n) : 0;
	if (n > s->total) {
		r = plan_refuse(w->plan, "vfs", &s->pf, w->e, "Set vfs to no more than that.", "%s can have %u virtual functions, and "
				"'vfs' asks for %u", BDF_S(s->pf), s->total, n);
		if (r == 0)
			snprintf(w->plan->refusals[w->plan->n_refusals - 1].setting, sizeof(w->plan->refusals->setting), "vfs");
		return r;
	}
	r = refuse_hung(w, s->pf);
	if (r == 0)
		r = snapshot_want(w->h, w->s, s->pf, w->e);
	pf = r < 0 ? NULL : snapshot_get(w->s, s->pf);
	for (unsigned i = 0; r == 0 && pf && i < n; i++)
		r = expect(w, s, pf, sriov_address(s, i));
	return r == 0 ? add(w, s, maker, n) : r;
}

int vfs_find(struct host *h, const struct guest *g, const struct guest_input *in, struct snapshot *s, struct vfs *ret,
	     struct plan *plan, struct err *e)
{
	struct work w = { .h = h, .g = g, .in = in, .s = s, .ret = ret, .plan = plan, .e = e };
	size_t n = snapshot_count(s);
	struct sriov *pfs;
	size_t n_pfs = 0;
	int r = read_setting(in->settings, &w.n, e);

	if (r < 0 || !w.n)
		return r;
	pfs = calloc(n + 1, sizeof(*pfs));
	if (!pfs)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		n_pfs += sriov_read(h, snapshot_address(s, i), &pfs[n_pfs]) == 0;
	for (size_t i = 0; r == 0 && i < n_pfs; i++)
		r = look(&w, &pfs[i]);
	free(pfs);
	return r;
}
