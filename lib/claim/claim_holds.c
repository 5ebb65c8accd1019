// SPDX-License-Identifier: GPL-2.0-or-later
/* What other VMs have, by their leases: see claim.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "abandoned.h"
#include "array.h"
#include "claim_int.h"

struct holds { struct hold *list; size_t n, size; };

static void hold_text(struct claim *c, const struct lease *l, char *buf, size_t size)
{
	struct lease_process p = { 0, 0 };
	struct err e = ERR_INIT;
	int alive = c->world->vm_process(c->h, l->vmid, &p, &e), i = lease_open_step(l);

	if (alive > 0)
		snprintf(buf, size, "VM %u, which is running (pid %d)", l->vmid, (int)p.pid);
	else if (i >= 0)
		snprintf(buf, size, "VM %u, where the step '%s'%s%s has not finished", l->vmid,
			 step_kind_name(l->plan.steps[i].kind), step_has_device(&l->plan.steps[i]) ? " of " : "",
			 step_has_device(&l->plan.steps[i]) ? BDF_S(l->plan.steps[i].bdf) : "");
	else if (l->linger && !l->returning)
		snprintf(buf, size, "VM %u, which has ended and may be on its way up again", l->vmid);
	else if (l->returning)
		snprintf(buf, size, "VM %u, whose devices are on their way back", l->vmid);
	else if (l->claimed && l->qemu.pid && !lease_process_alive(c->h, l->qemu))
		snprintf(buf, size, "VM %u, which has ended; its devices are about to go back", l->vmid);
	else
		snprintf(buf, size, "VM %u, whose start is under way (if it is not: 'pve-gpu release %u')", l->vmid,
			 l->vmid);
}

/* Whoever takes the physical function takes its virtual ones from under this VM. */
static int add_vfs_holds(struct claim *c, const struct lease *l, struct holds *out)
{
	for (size_t i = 0; i < l->plan.n_steps; i++) {
		const struct step *s = &l->plan.steps[i];
		struct hold o = { .vmid = l->vmid };
		uint64_t n;

		if (s->kind != STEP_VFS || l->at[i].mark == MARK_UNDONE || bdf_parse(s->to, &o.bdf) < 0 || str_to_u64(s->arg, 10, &n) < 0)
			continue;
		o.vfs = (unsigned)n;
		snprintf(o.autoprobe, sizeof(o.autoprobe), "%.7s", s->keep);
		o.hangs = l->at[i].mark == MARK_STUCK;
		hold_text(c, l, o.who, sizeof(o.who));
		if (array_room(&out->list, out->n, &out->size, sizeof(o)) < 0)
			return -ENOMEM;
		out->list[out->n++] = o;
	}
	return 0;
}

static int add_lease_holds(struct claim *c, const struct lease *l, struct holds *out)
{
	for (size_t i = 0; i < l->plan.n_devices; i++) {
		struct hold *o;

		if (lease_gave_back(l, l->plan.devices[i].bdf))
			continue;	/* only a service does not come up again */
		if (array_room(&out->list, out->n, &out->size, sizeof(*o)) < 0)
			return -ENOMEM;
		o = &out->list[out->n++];
		*o = (struct hold){ .bdf = l->plan.devices[i].bdf, .vmid = l->vmid };
		hold_text(c, l, o->who, sizeof(o->who));
	}
	return add_vfs_holds(c, l, out);
}

/* What was given up and still hangs belongs to nobody, and must not be written to. */
static int add_abandoned(struct claim *c, struct holds *out, struct err *e)
{
	struct abandoned *list = NULL;
	size_t n = 0;
	int r = abandoned_list(c->h, &list, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct hold *o;

		if (!list[i].hangs)
			continue;
		if (array_room(&out->list, out->n, &out->size, sizeof(*o)) < 0) {
			r = err_nomem(e);
			break;
		}
		o = &out->list[out->n++];
		*o = (struct hold){ .bdf = list[i].bdf, .hangs = true };
		snprintf(o->who, sizeof(o->who), "a step that hangs in the kernel since VM %u had it (%.90s)", list[i].vmid,
			 list[i].step.s);
	}
	free(list);
	return r;
}

int claim_holds(struct claim *c, struct hold **ret, size_t *ret_n, struct err *e)
{
	struct holds out = { NULL, 0, 0 };
	unsigned *ids = NULL;
	size_t n = 0;
	int r = lease_list(c->h, &ids, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct lease l = LEASE_INIT;
		struct err mine = ERR_INIT;

		if (ids[i] == c->vmid)
			continue;
		r = lease_load(c->h, ids[i], &l, &mine);
		if (r == 0 && add_lease_holds(c, &l, &out) < 0)
			r = err_nomem(&mine);
		lease_release(&l);
		/* Gone meanwhile, or nothing that could be acted on; anything else must not look free. */
		if (r == -ENOENT || r == -EBADMSG || r == -ESTALE)
			r = 0;
		if (r < 0)
			*e = mine;
	}
	free(ids);
	if (r == 0)
		r = add_abandoned(c, &out, e);
	if (r < 0) {
		free(out.list);
		return r;
	}
	*ret = out.list;
	*ret_n = out.n;
	return 0;
}
