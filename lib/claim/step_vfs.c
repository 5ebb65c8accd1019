// SPDX-License-Identifier: GPL-2.0-or-later
/* Virtual functions made, and taken away when nobody has them any more: see step_int.h. */
#include "step_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lease.h"
#include "sriov.h"
#include "str.h"

static int parse(struct run *c, struct bdf *pf, unsigned *n)
{
	uint64_t v;

	if (bdf_parse(c->s->to, pf) < 0 || str_to_u64(c->s->arg, 10, &v) < 0 || v == 0 || v > 65535)
		return err_set(&c->reply->e, EINVAL, "'%s' of '%s' are no virtual functions", c->s->arg, c->s->to);
	*n = (unsigned)v;
	return 0;
}

int vfs_do(struct run *c)
{
	struct bdf pf;
	unsigned n;
	int r = parse(c, &pf, &n);

	if (r < 0)
		return r;
	c->reply->enable = 1;
	return sriov_make(c->h, pf, n, &c->reply->ns, &c->reply->e);
}

static bool is_of(struct host *h, struct bdf vf, struct bdf pf)
{
	char name[32];

	return host_read_linkname(h, pdev_path(vf, "physfn").s, name, sizeof(name)) == 0 && strcmp(name, BDF_S(pf)) == 0;
}

/* One that this lease has bound and that did not go back: as long as it has a driver, the lease has to stay. */
static int all_let_go(struct run *c, const struct lease *own, struct bdf pf)
{
	for (size_t i = 0; i < own->plan.n_devices; i++) {
		const struct device *v = &own->plan.devices[i];
		char driver[PDEV_NAME];

		if (v->driver[0] || lease_stays(own, v->bdf) || !is_of(c->h, v->bdf, pf) ||
		    host_read_linkname(c->h, pdev_path(v->bdf, "driver").s, driver, sizeof(driver)) < 0)
			continue;
		return err_set(&c->reply->e, EBUSY, "%s, one of them, is still on %s", BDF_S(v->bdf), driver);
	}
	return 0;
}

/* Not taken back, or not yet.  One that takes its own step back at this moment has let go of the functions. */
static bool needs(const struct lease *l, struct bdf pf)
{
	for (size_t i = 0; i < l->plan.n_steps; i++) {
		enum lease_mark mark = l->at[i].mark;

		if (step_makes_vfs(&l->plan.steps[i], pf) && mark != MARK_UNDO && mark != MARK_UNDONE && mark != MARK_FAILED)
			return true;
	}
	return false;
}

/* 1: another VM's lease has been planned with them.  What cannot be read may be one. */
static int others_need_them(struct run *c, struct bdf pf)
{
	unsigned *ids = NULL;
	size_t n = 0;
	int found = lease_list(c->h, &ids, &n, &c->reply->e);

	for (size_t i = 0; found == 0 && i < n; i++) {
		struct lease l = LEASE_INIT;
		struct err e = ERR_INIT;
		int r = ids[i] == c->vmid ? -ENOENT : lease_load(c->h, ids[i], &l, &e);

		found = r == 0 ? needs(&l, pf) : r != -ENOENT && r != -EBADMSG && r != -ESTALE;
		lease_release(&l);
	}
	free(ids);
	return found;
}

int vfs_undo(struct run *c)
{
	struct lease own = LEASE_INIT;
	struct err ignored = ERR_INIT;
	struct bdf pf;
	unsigned n;
	int r = parse(c, &pf, &n);

	if (r == 0 && lease_load(c->h, c->vmid, &own, &ignored) == 0)
		r = all_let_go(c, &own, pf);
	lease_release(&own);
	if (r == 0)
		r = others_need_them(c, pf);
	if (r == 0)
		r = sriov_unmake(c->h, pf, n, c->s->keep, &c->reply->ns, &c->reply->e);
	if (r > 0)
		snprintf(c->reply->used, sizeof(c->reply->used), STEP_VFS_STAY);
	return r < 0 ? r : 0;
}
