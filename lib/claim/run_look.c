// SPDX-License-Identifier: GPL-2.0-or-later
/* Is everybody gone who was to be stopped: see run_look.h. */
#include "run_look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scout.h"

static bool stops_somebody(const struct plan *p)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		enum step_kind kind = p->steps[i].kind;

		if (kind == STEP_SERVICE || kind == STEP_CONTAINER || kind == STEP_FREEZE || kind == STEP_PROCESS)
			return true;
	}
	return false;
}

static bool on_host_driver(struct host *h, struct bdf bdf)
{
	char driver[PDEV_NAME];

	return host_read_linkname(h, pdev_path(bdf, "driver").s, driver, sizeof(driver)) == 0 &&
	       strcmp(driver, "vfio-pci") != 0 && strcmp(driver, "pci-stub") != 0;
}

static bool is_dragged(const struct plan *p, struct bdf bdf)
{
	for (size_t i = 0; i < p->n_devices; i++)
		if (bdf_same(p->devices[i].bdf, bdf))
			return p->devices[i].key[0] == '\0';
	return true;
}

static bool is_frozen(const struct plan *p, const struct inuse_who *who)
{
	if (who->place != INUSE_IN_CONTAINER)
		return false;
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_FREEZE && p->steps[i].enable == 1 && strcmp(p->steps[i].to, who->place_id) == 0)
			return true;
	return false;
}

/* As judge.c has it of users that no step frees. */
static bool is_in_the_way(const struct plan *p, const struct inuse_finding *f)
{
	if (f->kind != INUSE_PROCESS || f->who.pid <= 0)
		return false;
	if (f->weight == INUSE_HANGS)
		return true;
	return f->weight == INUSE_BUSY && !is_dragged(p, f->bdf) && !is_frozen(p, &f->who);
}

int run_look(struct host *h, const struct lease *l, int ms, struct err *e)
{
	const struct plan *p = &l->plan;
	struct bdf *fns = NULL;
	struct inuse *u = NULL;
	size_t n = 0;
	int r = 0;

	if (!stops_somebody(p))
		return 0;
	fns = calloc(p->n_devices ? p->n_devices : 1, sizeof(*fns));
	if (!fns)
		return err_nomem(e);
	for (size_t i = 0; i < p->n_devices; i++)
		if (on_host_driver(h, p->devices[i].bdf))
			fns[n++] = p->devices[i].bdf;
	if (n)
		r = scout_users(h, fns, n, ms, NULL, &u, e);
	for (size_t i = 0; r == 0 && u && i < u->n; i++)
		if (is_in_the_way(p, &u->v[i]))
			r = err_set(e, EBUSY, "%s is in use although everybody was stopped who was to be: %s. Stop what uses "
				    "it, then start the VM again", BDF_S(u->v[i].bdf), u->v[i].text);
	if (u)
		inuse_free(u);
	free(fns);
	return r;
}
