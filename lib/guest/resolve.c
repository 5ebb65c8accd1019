// SPDX-License-Identifier: GPL-2.0-or-later
/* hostpci entries to functions, as Proxmox would choose: see resolve.h. */
#include "resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "mapping.h"
#include "nodename.h"
#include "reservation.h"

/* Alternatives of one entry; each is the functions of one (multifunction) device. */
struct choice {
	struct bdf fns[64];
	size_t n;
};

struct work {
	struct host *h;
	const struct guest_input *in;
	unsigned vmid;
	struct snapshot *s;
	struct wishes *wishes;
	struct wishes kept;		/* chosen like the others, but left to the host: driver=keep */
	struct plan *plan;
	struct reservations reserved;
	bool reserved_read;
	const struct guest_pci *entry;
	struct err *e;
};

static int refuse(struct work *w, const char *id, const char *hint, const char *reason)
{
	return plan_refuse(w->plan, id, NULL, w->e, hint, "%s: %s", w->entry->key, reason);
}

/* Everything in sysfs whose name begins so, in order of name. */
static int match(struct work *w, const char *id, struct choice *c, size_t *ret_found)
{
	*ret_found = 0;
	for (size_t i = 0; i < snapshot_count(w->s); i++) {
		struct bdf a = snapshot_address(w->s, i);

		if (!hostpci_id_matches(id, BDF_S(a)))
			continue;
		(*ret_found)++;
		if (c->n == ARRAY_SIZE(c->fns))
			return err_set(w->e, E2BIG, "%s means more than %zu functions", w->entry->key, c->n);
		c->fns[c->n++] = a;
	}
	return 0;
}

static int absent(struct work *w, const char *id)
{
	struct refusal *r;
	int q = plan_refuse(w->plan, "absent", NULL, w->e, "See what is there with 'pve-gpu list --all'; addresses "
			    "move when cards or firmware settings change.",
			    "%s: there is no PCI device %s on this host", w->entry->key, id);

	if (q == 0) {
		r = &w->plan->refusals[w->plan->n_refusals - 1];
		snprintf(r->address, sizeof(r->address), "%.23s", id);
	}
	return q;
}

/* 1: everything was found. */
static int match_all(struct work *w, const char *const *ids, size_t n, struct choice *c)
{
	int all = 1;

	for (size_t i = 0; i < n; i++) {
		size_t found;
		int r = match(w, ids[i], c, &found);

		if (r == 0 && found == 0) {
			r = absent(w, ids[i]);
			all = 0;
		}
		if (r < 0)
			return r;
	}
	return all;
}

static bool has(const struct wishes *o, struct bdf a)
{
	for (size_t i = 0; i < o->n; i++)
		if (bdf_same(o->list[i].bdf, a))
			return true;
	return false;
}

/* By any entry of this VM (PCI.pm: choose_hostpci_devices' $used looks at no driver=). */
static bool wanted_already(const struct work *w, struct bdf a)
{
	return has(w->wishes, a) || has(&w->kept, a);
}

static int add_want(struct work *w, struct bdf a)
{
	struct wishes *o = w->entry->left_alone ? &w->kept : w->wishes;

	if (wanted_already(w, a))
		return plan_refuse(w->plan, "twice", &a, w->e, "Remove one of the two entries.",
				   "%s: %s is assigned more than once; Proxmox refuses such a start", w->entry->key,
				   BDF_S(a));
	if (array_room(&o->list, o->n, &o->size, sizeof(*o->list)) < 0)
		return err_nomem(w->e);
	o->list[o->n].bdf = a;
	snprintf(o->list[o->n++].key, sizeof(o->list->key), "%s", w->entry->key);
	return 0;
}

static int take_choice(struct work *w, const struct choice *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n; i++) {
		r = snapshot_want(w->h, w->s, c->fns[i], w->e);
		if (r == 0 && !w->entry->pci.mdev)
			r = add_want(w, c->fns[i]);
	}
	return r;
}

/* --- mappings ---------------------------------------------------------------------------------- */

static int reserved_by_other(struct work *w, struct bdf a)
{
	int r = 0;

	if (!w->reserved_read) {
		r = reservation_load(w->h, &w->reserved, w->e);
		if (r < 0)
			return r;
		w->reserved_read = true;
	}
	for (size_t i = 0; i < w->reserved.n; i++) {
		const struct reservation *v = &w->reserved.list[i];

		if (v->vmid == w->vmid || !reservation_covers(v, a))
			continue;
		r = reservation_in_force(w->h, v, w->in->now_unix, w->e);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Free in Proxmox's eyes (not used by this VM, not reserved) and in ours (no lease). */
static int is_free(struct work *w, const struct choice *c)
{
	for (size_t i = 0; i < c->n; i++) {
		int r = reserved_by_other(w, c->fns[i]);

		if (r < 0)
			return r;
		if (r > 0 || wanted_already(w, c->fns[i]))
			return 0;
		for (size_t k = 0; k < w->in->n_holds; k++)
			if (bdf_same(w->in->holds[k].bdf, c->fns[i]))
				return 0;
	}
	return 1;
}

static void facts_of(struct work *w, struct bdf a, struct mapping_facts *f)
{
	const struct pdev *d = snapshot_get(w->s, a);

	memset(f, 0, sizeof(*f));
	f->group = -1;
	if (!d)
		return;
	*f = (struct mapping_facts){
		.present = true, .vendor = d->vendor, .device = d->device,
		/* Proxmox asks for it wherever sysfs has one, be it 0000:0000. */
		.has_subsystem = host_exists(w->h, pdev_path(a, "subsystem_vendor").s) &&
				 host_exists(w->h, pdev_path(a, "subsystem_device").s),
		.subsystem_vendor = d->subvendor, .subsystem_device = d->subdevice,
		.group = d->group, .mdev = d->mdev_types || d->nvidia_vgpu,
	};
}

/* Proxmox compares every alternative with the hardware at every start and dies on a difference. */
static int check_entry(struct work *w, const struct mapping *m, const struct mapping_entry *entry)
{
	int ok = 1;

	for (size_t i = 0; i < entry->n_paths; i++) {
		struct mapping_facts facts;
		struct err mine = ERR_INIT;
		struct bdf a;
		bool whole;
		int r = mapping_path(entry->paths[i], &a, &whole);

		if (r == 0 && snapshot_want(w->h, w->s, a, &mine) < 0)
			r = -ENODEV;
		facts_of(w, a, &facts);
		mine = (struct err)ERR_INIT;
		if (r == 0 || r == -ENODEV)
			r = mapping_check(m, entry, i, &facts, &mine);
		else
			err_set(&mine, EINVAL, "'%s' can be no device's address", entry->paths[i]);
		if (r == 0)
			continue;
		ok = 0;
		r = refuse(w, "mapping", "Bring the mapping up to date in Datacenter > Resource Mappings.", mine.msg);
		if (r < 0)
			return r;
	}
	return ok;
}

/* Fills one choice per alternative; 1 when all of them exist and are as the mapping says. */
static int alternatives(struct work *w, const struct mapping *m, struct choice *list)
{
	int good = 1;

	for (size_t i = 0; i < m->n_entries; i++) {
		const struct mapping_entry *entry = &m->entries[i];
		int r = check_entry(w, m, entry);

		if (r > 0)
			r = match_all(w, entry->paths, entry->n_paths, &list[i]);
		if (r < 0)
			return r;
		if (r == 0)
			good = 0;
	}
	return good;
}

static int choose(struct work *w, const struct mapping *m, const struct choice *list)
{
	char text[200];

	if (m->n_entries == 1)
		return take_choice(w, &list[0]);
	for (size_t i = 0; i < m->n_entries; i++) {
		int r = is_free(w, &list[i]);

		if (r < 0)
			return r;
		if (r > 0)
			return take_choice(w, &list[i]);
	}
	snprintf(text, sizeof(text), "all %zu devices of the mapping '%.64s' on this node are in use", m->n_entries,
		 m->name);
	return refuse(w, "mapping-full", "Stop a VM that has one of them ('pve-gpu status' lists them).", text);
}

static int resolve_mapping(struct work *w)
{
	struct mapping m = MAPPING_INIT;
	struct err mine = ERR_INIT;
	struct choice *list = NULL;
	char node[NODENAME_SIZE];
	int r = nodename_read(w->h, node, sizeof(node), w->e);

	if (r < 0)
		return r;
	r = mapping_load(w->h, w->entry->pci.mapping, node, &m, &mine);
	if (r == -ENOMEM)
		return err_nomem(w->e);
	if (r < 0)
		return refuse(w, "mapping", "Check Datacenter > Resource Mappings.", mine.msg);
	list = calloc(m.n_entries ? m.n_entries : 1, sizeof(*list));
	r = list ? alternatives(w, &m, list) : err_nomem(w->e);
	if (r > 0)
		r = choose(w, &m, list);
	free(list);
	mapping_release(&m);
	return r;
}

static int resolve_host(struct work *w)
{
	const struct hostpci *p = &w->entry->pci;
	struct choice c = { .n = 0 };
	int r = 1;

	for (size_t i = 0; r >= 0 && i < p->n_ids; i++) {
		int one = match_all(w, &p->ids[i].text, 1, &c);

		r = one < 0 ? one : r && one;
	}
	return r <= 0 ? r : take_choice(w, &c);
}

static int resolve_entry(struct work *w)
{
	struct err mine = ERR_INIT;

	if (hostpci_check_start(w->entry->value, strlen(w->entry->value), &mine) < 0)
		return refuse(w, "config", "Correct the line with 'qm set'; Proxmox refuses such a start too.",
			      mine.msg);
	/* A mediated device's mapping is Proxmox's affair altogether. */
	if (w->entry->pci.mapping)
		return w->entry->left_alone && w->entry->pci.mdev ? 0 : resolve_mapping(w);
	return resolve_host(w);
}

int resolve(struct host *h, const struct guest *g, const struct guest_input *in, struct snapshot *s,
	    struct wishes *ret, struct plan *plan, struct err *e)
{
	struct work w = { .h = h, .in = in, .vmid = g->vmid, .s = s, .wishes = ret, .plan = plan,
			  .reserved = RESERVATIONS_INIT, .e = e };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < g->n; i++) {
		w.entry = &g->pci[i];
		r = resolve_entry(&w);
	}
	reservation_release(&w.reserved);
	free(w.kept.list);
	return r < 0 ? r : 0;
}
