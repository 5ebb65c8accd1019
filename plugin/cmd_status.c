// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu status [VMID]: leases, the state they are in, and whether their devices answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abandoned.h"
#include "array.h"
#include "cli.h"
#include "driver.h"
#include "guest.h"
#include "names.h"
#include "probe.h"
#include "scout.h"
#include "tell.h"

#define SCOUT_MS 8000

struct look {
	struct cli *c;
	struct probe probe;
	struct status_vm *vms;
	size_t n, size;
	char **aside;
	size_t n_aside, aside_size;
	struct abandoned *given_up;
	size_t n_given_up;
	bool problem;
};

/* --- devices ----------------------------------------------------------------------------------- */

/* While a guest has the device it may let it sleep, and slow its link down; that it is gone is bad news in any
 * state. */
static bool is_problem(const struct status_device *d, const struct status_vm *vm)
{
	if (d->seen == SEEN_HANGING || (d->seen == SEEN && d->health.verdict == HEALTH_DEAD))
		return true;
	return d->seen == SEEN && !d->health.usable && vm->l.state != LEASED_RUNNING;
}

static void look_at_device(struct look *k, const struct status_vm *vm, struct status_device *d)
{
	bool runs = vm->l.state == LEASED_RUNNING;
	struct err e = ERR_INIT;
	int r;

	if (driver_current(k->c->h, d->v->bdf, d->driver, sizeof(d->driver), &e) < 0) {
		d->seen = SEEN;
		d->health = (struct health){ .verdict = HEALTH_DEAD };
		snprintf(d->said, sizeof(d->said), "%.599s", e.msg);
		d->problem = true;
		return;
	}
	r = probe_health(&k->probe, d->v->bdf, runs ? NULL : &d->v->link, &d->health, &d->errors, &e);
	if (r == -ENOENT && !k->c->h->real)
		return;
	d->seen = r == -ETIMEDOUT ? SEEN_HANGING : r == 0 ? SEEN : NOT_SEEN;
	snprintf(d->said, sizeof(d->said), "%.599s", r < 0 ? e.msg : d->health.what);
	d->problem = is_problem(d, vm);
}

/* Who has them now: the guest's QEMU, or somebody who should not. */
static void look_at_users(struct look *k, struct status_vm *vm)
{
	const struct plan *p = &vm->l.lease.plan;
	const struct inuse_needs needs = { .apart = true };
	struct bdf *fns = calloc(p->n_devices + 1, sizeof(*fns));
	struct err why = ERR_INIT;

	for (size_t i = 0; fns && i < p->n_devices; i++)
		fns[i] = p->devices[i].bdf;
	if (fns && p->n_devices && scout_users(k->c->h, fns, p->n_devices, SCOUT_MS, &needs, &vm->inuse, &why) < 0)
		out_note(&k->c->out, "%s; who uses the devices is not shown", why.msg);
	free(fns);
}

static int look_at_devices(struct look *k, struct status_vm *vm, struct err *e)
{
	const struct plan *p = &vm->l.lease.plan;

	vm->names = tell_names(k->c->h, p);
	if (vm->names)
		names_patience(vm->names, 10000);
	vm->devices = calloc(p->n_devices + 1, sizeof(*vm->devices));
	if (!vm->devices)
		return err_nomem(e);
	for (size_t i = 0; i < p->n_devices; i++) {
		struct status_device *d = &vm->devices[i];

		d->v = &p->devices[i];
		look_at_device(k, vm, d);
		d->name = vm->names ? names_get(vm->names, i) : "";
		k->problem = k->problem || d->problem;
	}
	/* What hangs would hang whoever looks closer. */
	if (vm->l.state != LEASED_STUCK)
		look_at_users(k, vm);
	return 0;
}

/* --- leases ------------------------------------------------------------------------------------ */

static int add_vm(struct look *k, unsigned vmid, struct err *e)
{
	struct status_vm *vm;
	int r;

	if (array_room(&k->vms, k->n, &k->size, sizeof(*k->vms)) < 0)
		return err_nomem(e);
	vm = &k->vms[k->n];
	r = leased_look(k->c->h, &guest_world, vmid, &vm->l, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	k->n++;
	k->problem = k->problem || leased_is_problem(vm->l.state);
	return look_at_devices(k, vm, e);
}

static int add_all(struct look *k, struct err *e)
{
	unsigned *ids = NULL;
	size_t n = 0;
	int r = lease_list(k->c->h, &ids, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_vm(k, ids[i], e);
	free(ids);
	return r;
}

/* What claims put aside because it could not be read is nobody's any more until a person looks. */
static int add_aside(void *arg, const char *name)
{
	struct look *k = arg;
	char *path;

	if (array_room(&k->aside, k->n_aside, &k->aside_size, sizeof(*k->aside)) < 0 ||
	    asprintf(&path, LEASE_ASIDE "/%s", name) < 0)
		return -ENOMEM;
	k->aside[k->n_aside++] = path;
	return 0;
}

static int find_aside(struct look *k, struct err *e)
{
	int r = host_list(k->c->h, LEASE_ASIDE, add_aside, k);

	if (r == -ENOMEM)
		return err_nomem(e);
	if (k->n_aside) {
		qsort(k->aside, k->n_aside, sizeof(*k->aside), str_compare);
		k->problem = true;
	}
	return 0;
}

static int find_given_up(struct look *k, unsigned vmid, struct err *e)
{
	size_t n = 0;
	int r = abandoned_list(k->c->h, &k->given_up, &n, e);

	for (size_t i = 0; i < n; i++)
		if (!vmid || k->given_up[i].vmid == vmid)
			k->given_up[k->n_given_up++] = k->given_up[i];
	k->problem = k->problem || k->n_given_up;
	return r;
}

static void show(struct look *k, unsigned vmid)
{
	struct status_result r = {
		.vmid = vmid, .now_unix = k->c->now_unix, .vms = k->vms, .n = k->n,
		.aside = (const char *const *)k->aside, .n_aside = k->n_aside,
		.given_up = k->given_up, .n_given_up = k->n_given_up,
	};

	out_status(&k->c->out, &r);
}

static void look_release(struct look *k)
{
	for (size_t i = 0; i < k->n; i++) {
		leased_release(&k->vms[i].l);
		names_free(k->vms[i].names);
		free(k->vms[i].devices);
		inuse_free(k->vms[i].inuse);
	}
	free(k->vms);
	for (size_t i = 0; i < k->n_aside; i++)
		free(k->aside[i]);
	free(k->aside);
	free(k->given_up);
	probe_stop(&k->probe);
}

int cmd_status(struct cli *c)
{
	struct look k = { .c = c, .probe = PROBE_INIT(c->h) };
	struct err e = ERR_INIT;
	unsigned vmid = 0;
	int r;

	if (c->n_args && cli_vmid(c, 0, &vmid))
		return CLI_USAGE;
	r = vmid ? add_vm(&k, vmid, &e) : add_all(&k, &e);
	if (r == 0 && !vmid)
		r = find_aside(&k, &e);
	if (r == 0)
		r = find_given_up(&k, vmid, &e);
	if (r == 0)
		show(&k, vmid);
	look_release(&k);
	return r < 0 ? cli_failed(c, &e) : k.problem ? CLI_PROBLEMS : CLI_DONE;
}
