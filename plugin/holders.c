// SPDX-License-Identifier: GPL-2.0-or-later
/* Leases, open groups and reservations, by function: see holders.h. */
#include "holders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "inuse.h"
#include "lease.h"
#include "reservation.h"

static int add(struct holders *o, struct bdf bdf, enum holder_kind kind, unsigned vmid, pid_t pid,
	       const char *text)
{
	struct holder *v;

	if (array_room(&o->list, o->n, &o->size, sizeof(*o->list)) < 0)
		return -ENOMEM;
	v = &o->list[o->n++];
	*v = (struct holder){ .bdf = bdf, .kind = kind, .vmid = vmid, .pid = pid };
	snprintf(v->text, sizeof(v->text), "%s", text);
	return 0;
}

static int add_lease(struct host *h, unsigned vmid, struct holders *o, struct str *notes)
{
	struct lease l = LEASE_INIT;
	struct err why = ERR_INIT;
	char text[32];
	int r = lease_load(h, vmid, &l, &why);

	if (r == -ENOENT)
		return 0;	/* it ended meanwhile */
	if (r < 0)
		return str_addf(notes, "%s; 'pve-gpu status %u' tells more\n", why.msg, vmid);
	snprintf(text, sizeof(text), "VM %u", vmid);
	for (size_t i = 0; r == 0 && i < l.plan.n_devices; i++)
		r = add(o, l.plan.devices[i].bdf, HOLDER_LEASE, vmid, l.qemu.pid, text);
	lease_release(&l);
	return r;
}

static int add_leases(struct host *h, struct holders *o, struct str *notes)
{
	struct err why = ERR_INIT;
	unsigned *ids = NULL;
	size_t n = 0;
	int r = lease_list(h, &ids, &n, &why);

	if (r < 0)
		return str_addf(notes, "%s; who holds what is not shown\n", why.msg);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_lease(h, ids[i], o, notes);
	free(ids);
	return r;
}

/* The groups of functions that a process can have open: those on a VFIO driver. */
static size_t vfio_groups(const struct snapshot *s, unsigned *groups)
{
	size_t n = 0;

	for (size_t i = 0; i < snapshot_count(s); i++) {
		const struct pdev *d = snapshot_at(s, i);

		if (d && d->vfio && d->group >= 0)
			groups[n++] = (unsigned)d->group;
	}
	return n;
}

static int add_process(const struct snapshot *s, const struct inuse_vfio_holder *v, struct holders *o)
{
	struct inuse_who_text text = inuse_who_format(&v->who);
	uint64_t vmid = 0;
	int r = 0;

	if (v->who.place != INUSE_OF_VM || str_to_u64(v->who.place_id, 10, &vmid) < 0)
		vmid = 0;
	for (size_t i = 0; r == 0 && i < snapshot_count(s); i++) {
		const struct pdev *d = snapshot_at(s, i);

		if (d && d->vfio && d->group >= 0 && (unsigned)d->group == v->group)
			r = add(o, d->bdf, HOLDER_VFIO, (unsigned)vmid, v->who.pid, text.s);
	}
	return r;
}

static int add_open(struct host *h, const struct snapshot *s, struct holders *o, struct str *notes)
{
	_cleanup_(inuse_vfio_freep) struct inuse_vfio *held = NULL;
	unsigned *groups = calloc(snapshot_count(s) + 1, sizeof(*groups));
	struct err why = ERR_INIT;
	size_t n;
	int r;

	if (!groups)
		return -ENOMEM;
	n = vfio_groups(s, groups);
	r = n ? inuse_vfio(h, groups, n, &held, &why) : 0;
	free(groups);
	if (r < 0)
		return r == -ENOMEM ? r : str_addf(notes, "%s\n", why.msg);
	for (size_t i = 0; r == 0 && held && i < held->n; i++)
		if (held->v[i].exact)
			r = add_process(s, &held->v[i], o);
	if (r == 0 && held && held->unseen)
		r = str_addf(notes, "%zu processes could not be looked into: only root sees what they hold\n",
			     held->unseen);
	return r;
}

static int add_reservation(struct host *h, const struct snapshot *s, const struct reservation *v,
			   uint64_t now_unix, struct holders *o, struct str *notes)
{
	pid_t pid = v->kind == RESERVATION_PID ? (pid_t)v->value : 0;
	struct err why = ERR_INIT;
	char text[48];
	int r = reservation_in_force(h, v, now_unix, &why);

	if (r < 0)
		return r == -ENOMEM ? r : str_addf(notes, "%s\n", why.msg);
	snprintf(text, sizeof(text), "reserved for VM %u", v->vmid);
	for (size_t i = 0; r > 0 && i < snapshot_count(s); i++) {
		struct bdf a = snapshot_address(s, i);

		if (reservation_covers(v, a) && add(o, a, HOLDER_RESERVATION, v->vmid, pid, text) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_reserved(struct host *h, const struct snapshot *s, uint64_t now_unix, struct holders *o,
			struct str *notes)
{
	struct reservations list = RESERVATIONS_INIT;
	struct err why = ERR_INIT;
	int r = reservation_load(h, &list, &why);

	if (r < 0)
		return r == -ENOMEM ? r : str_addf(notes, "%s\n", why.msg);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = add_reservation(h, s, &list.list[i], now_unix, o, notes);
	reservation_release(&list);
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;
	int r = bdf_compare(x->bdf, y->bdf);

	return r ? r : (int)x->kind - (int)y->kind;
}

int holders_find(struct host *h, const struct snapshot *s, uint64_t now_unix, struct holders *ret,
		 struct str *notes, struct err *e)
{
	struct holders o = HOLDERS_INIT;
	int r = add_leases(h, &o, notes);

	if (r == 0)
		r = add_open(h, s, &o, notes);
	if (r == 0)
		r = add_reserved(h, s, now_unix, &o, notes);
	if (r < 0) {
		holders_release(&o);
		return err_nomem(e);
	}
	if (o.n)
		qsort(o.list, o.n, sizeof(*o.list), compare);
	*ret = o;
	return 0;
}

void holders_release(struct holders *o)
{
	free(o->list);
	*o = (struct holders)HOLDERS_INIT;
}

const struct holder *holders_of(const struct holders *o, struct bdf bdf, size_t *ret_n)
{
	size_t first = 0;

	*ret_n = 0;
	while (first < o->n && bdf_compare(o->list[first].bdf, bdf) < 0)
		first++;
	while (first + *ret_n < o->n && bdf_same(o->list[first + *ret_n].bdf, bdf))
		(*ret_n)++;
	return o->list ? o->list + first : NULL;
}
