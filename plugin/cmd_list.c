// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu list: the machine's cards, or every function that a VM could have. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bar.h"
#include "cli.h"
#include "names.h"
#include "needs.h"
#include "probe.h"
#include "scout.h"
#include "snapshot.h"
#include "str.h"

struct listing {
	struct cli *c;
	struct snapshot *snapshot;
	struct holders holders;
	struct list_device *list;
	size_t n;
	struct inuse *inuse;
};

#define SCOUT_MS 8000

/* Bridges stay with the host, and so do the board's own links to the CPU and to its past. */
static bool is_assignable(const struct pdev *d)
{
	return !d->bridge && pdev_class(d) != 0x0600 && pdev_class(d) != 0x0601;
}

/* A display controller, or another function of its slot: sound, USB, UCSI belong to the card. */
static bool is_of_card(const struct snapshot *s, const struct pdev *d)
{
	for (size_t i = 0; i < snapshot_count(s); i++) {
		const struct pdev *o = snapshot_at(s, i);

		if (o && pdev_is_gpu(o) && bdf_same_slot(o->bdf, d->bdf))
			return true;
	}
	return false;
}

static int choose(struct listing *l, struct err *e)
{
	l->list = calloc(snapshot_count(l->snapshot) + 1, sizeof(*l->list));
	if (!l->list)
		return err_nomem(e);
	for (size_t i = 0; i < snapshot_count(l->snapshot); i++) {
		const struct pdev *d = snapshot_at(l->snapshot, i);
		bool card = is_of_card(l->snapshot, d);

		if (is_assignable(d) && (card || l->c->all))
			l->list[l->n++] = (struct list_device){ .d = d, .card = card, .name = "" };
	}
	return 0;
}

/* A card in D3cold is let sleep: reading its config space would power it up. */
static void find_health(struct list_device *v, struct probe *probe)
{
	struct err e = ERR_INIT;
	int r;

	if (strcmp(v->d->power_state, "D3cold") == 0)
		return;
	r = probe_health(probe, v->d->bdf, NULL, &v->health, &v->errors, &e);
	v->seen = r == 0 ? SEEN : r == -ETIMEDOUT ? SEEN_HANGING : NOT_SEEN;
	/* Nobody asked it to be awake; a claim will. */
	if (r == 0 && !v->health.usable && str_starts(v->d->power_state, "D3") && v->health.verdict == HEALTH_DEGRADED)
		v->health = (struct health){ .verdict = HEALTH_OK, .usable = true, .link = v->health.link };
}

/* One note per device that hangs; its override stays unknown. */
static void find_facts(struct listing *l)
{
	struct probe probe = PROBE_INIT(l->c->h);

	for (size_t i = 0; i < l->n; i++) {
		struct bdf bdf = l->list[i].d->bdf;
		struct err e = ERR_INIT;
		char override[PDEV_NAME];
		int r = probe_override(&probe, bdf, override, sizeof(override), &e);

		if (r == 0)
			snapshot_learn(l->snapshot, bdf, override);
		else if (r != -ENOENT)
			out_note(&l->c->out, "%s", e.msg);
		l->list[i].bar0_sizes = bar_sizes(l->c->h, bdf);
		l->list[i].bar0_size = l->list[i].bar0_sizes ? bar_size(l->c->h, bdf) : 0;
		if (r == 0 || r == -ENOENT)
			find_health(&l->list[i], &probe);
		else
			l->list[i].seen = SEEN_HANGING;
	}
	probe_stop(&probe);
}

static int find_holders(struct listing *l, struct err *e)
{
	struct str notes = STR_INIT;
	int r = holders_find(l->c->h, l->snapshot, l->c->now_unix, &l->holders, &notes, e);

	out_notes(&l->c->out, notes.s);
	str_release(&notes);
	for (size_t i = 0; r == 0 && i < l->n; i++) {
		struct list_device *v = &l->list[i];

		v->held = holders_of(&l->holders, v->d->bdf, &v->n_held);
		for (size_t k = 0; k < v->n_held; k++)
			if (v->held[k].kind == HOLDER_LEASE && v->lease == 0)
				v->lease = v->held[k].vmid;
	}
	return r;
}

/* What cannot be told is a note: a list is there to look at machines that are not well. */
static int find_uses(struct listing *l, struct err *e)
{
	_cleanup_(needs_release) struct needs needs = NEEDS_INIT;
	struct bdf *fns = calloc(l->n + 1, sizeof(*fns));
	struct err why = ERR_INIT;

	if (!fns)
		return err_nomem(e);
	for (size_t i = 0; i < l->n; i++)
		fns[i] = l->list[i].d->bdf;
	if (needs_load(l->c->h, &needs, &why) < 0)
		out_note(&l->c->out, "%s; what Proxmox needs of the devices is not shown", why.msg);
	needs.list.apart = true;
	if (l->n && scout_users(l->c->h, fns, l->n, SCOUT_MS, &needs.list, &l->inuse, &why) < 0)
		out_note(&l->c->out, "%s; who uses the devices is not shown", why.msg);
	free(fns);
	return 0;
}

static int find_names(struct listing *l, struct names **ret, struct err *e)
{
	struct names_id *ids = calloc(l->n + 1, sizeof(*ids));
	int r;

	if (!ids)
		return err_nomem(e);
	for (size_t i = 0; i < l->n; i++)
		ids[i] = (struct names_id){ l->list[i].d->vendor, l->list[i].d->device };
	r = names_start(l->c->h, ids, l->n, ret, e);
	if (r == 0)
		names_patience(*ret, 10000);
	free(ids);
	return r;
}

static void show(struct listing *l, struct names *names)
{
	struct list_result r = {
		.all = l->c->all, .iommu = snapshot_has_iommu(l->snapshot), .list = l->list, .n = l->n, .inuse = l->inuse,
	};

	for (size_t i = 0; i < l->n; i++)
		l->list[i].name = names_get(names, i);
	if (!r.iommu)
		out_note(&l->c->out, "this host has no IOMMU at work (/sys/class/iommu is empty), so no VM can "
			 "have a device: switch on VT-d or AMD-Vi in the firmware, on Intel also put "
			 "intel_iommu=on on the kernel's command line, then reboot");
	if (!l->n)
		out_note(&l->c->out, l->c->all ? "there is no function that a VM could have" :
			 "there is no graphics card; 'pve-gpu list --all' shows every device that a VM could "
			 "have");
	out_list(&l->c->out, &r);
}

int cmd_list(struct cli *c)
{
	struct listing l = { .c = c, .holders = HOLDERS_INIT };
	struct err e = ERR_INIT;
	struct names *names = NULL;
	int r = snapshot_load(c->h, &l.snapshot, &e);

	if (r == 0)
		r = choose(&l, &e);
	if (r == 0)
		r = find_names(&l, &names, &e);
	if (r == 0)
		find_facts(&l);
	if (r == 0)
		r = find_holders(&l, &e);
	if (r == 0)
		r = find_uses(&l, &e);
	if (r == 0)
		show(&l, names);
	names_free(names);
	holders_release(&l.holders);
	free(l.list);
	inuse_free(l.inuse);
	snapshot_free(l.snapshot);
	return r < 0 ? cli_failed(c, &e) : CLI_DONE;
}
