// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu plan VMID: what pre-start would do now.  The same functions decide as there (hook/prestart.c);
 * nothing is locked, created or written. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "cli.h"
#include "guest.h"
#include "hookscript.h"
#include "names.h"
#include "tell.h"

struct planning {
	struct cli *c;
	unsigned vmid;
	struct guest guest;
	struct settings settings;
	struct claim claim;		/* only for looking: it is never entered */
	struct leased own;		/* of an earlier start of this VM; vmid 0 = there is none */
	/* What a start would first give back, as it was before anybody touched it: this VM's own
	 * unfinished lease and those that other VMs left behind. */
	struct device *origins;
	size_t n_origins, origins_size;
	struct guest_view view;
	struct plan_result result;
};

static const char *why_nothing(const struct guest *g)
{
	switch (g->kind) {
	case GUEST_TEMPLATE:
		return "is a template: it never runs with devices";
	case GUEST_CONTAINER:
		return "is a container: it takes no PCI devices";
	case GUEST_VM:
		break;
	}
	if (g->n == 0)
		return "has no hostpci entries: there is nothing to take";
	return guest_has_devices(g) ? NULL :
	       "has only mediated devices or 'driver=keep' entries, which Proxmox handles by itself";
}

static void note_entries_left_alone(struct planning *p)
{
	for (size_t i = 0; i < p->guest.n; i++) {
		const struct guest_pci *pci = &p->guest.pci[i];

		if (pci->left_alone)
			out_note(&p->c->out, "%s is left to Proxmox: %s", pci->key,
				 pci->pci.mdev ? "it is a mediated device" : "it says 'driver=keep'");
	}
}

/* Settings of the VM lie beside its hookscript; without one nothing of this happens at a start. */
static const char *find_folder(struct planning *p, struct hookscript *hook)
{
	struct err why = ERR_INIT;

	if (hookscript_find(p->c->h, p->vmid, hook, &why) < 0)
		out_note(&p->c->out, "settings of this VM alone are not looked for: %s", why.msg);
	else if (!hook->volid[0])
		out_note(&p->c->out, "VM %u has no hookscript, so a start does nothing of this: qm set %u "
			 "--hookscript local:snippets/gpu-hook", p->vmid, p->vmid);
	return hook->folder[0] ? hook->folder : NULL;
}

static int add_origins(struct planning *p, const struct lease *l, struct err *e)
{
	for (size_t i = 0; i < l->plan.n_devices; i++) {
		if (array_room(&p->origins, p->n_origins, &p->origins_size, sizeof(*p->origins)) < 0)
			return err_nomem(e);
		p->origins[p->n_origins++] = l->plan.devices[i];
	}
	return 0;
}

static int find_own(struct planning *p, struct err *e)
{
	int r = leased_look(p->c->h, &guest_world, p->vmid, &p->own, e);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (p->own.state == LEASED_DAMAGED || p->own.state == LEASED_STALE)
		out_note(&p->c->out, "VM %u: %s; a start would not act on it", p->vmid, p->own.text);
	else if (!p->own.busy)
		out_note(&p->c->out, "VM %u has a lease of an earlier start, which a new one takes over or gives "
			 "back first; 'pve-gpu status %u' shows it", p->vmid, p->vmid);
	return add_origins(p, &p->own.lease, e);
}

/* 1: a start of this VM that wants what is in this lease gives it back: what was left behind, or waits for its
 * own VM's next start (claim_make_way). */
static int is_left(struct planning *p, unsigned vmid, struct err *e)
{
	struct leased l = LEASED_INIT;
	struct err why = ERR_INIT;
	int r = leased_look(p->c->h, &guest_world, vmid, &l, &why);

	if (r < 0)
		return 0;
	if ((l.state == LEASED_LEFT || l.state == LEASED_LINGERING) && !l.busy) {
		r = add_origins(p, &l.lease, e);
		if (r == 0) {
			out_note(&p->c->out, "a start would first give back what VM %u left behind%s, if it wants it; 'pve-gpu "
				 "status %u' shows it", vmid, l.state == LEASED_LEFT ? "" : " for its next start", vmid);
			r = 1;
		}
	}
	leased_release(&l);
	return r;
}

/* Other VMs' leases, without those that would be given back first.  They come one VM after another. */
static int find_holds(struct planning *p, struct hold **ret, size_t *ret_n, struct err *e)
{
	unsigned last = 0;
	size_t n = 0, kept = 0;
	int r = claim_holds(&p->claim, ret, &n, e), left = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if ((*ret)[i].vmid != last)
			left = is_left(p, (*ret)[i].vmid, e);
		last = (*ret)[i].vmid;
		if (left < 0)
			r = left;
		else if (left == 0)
			(*ret)[kept++] = (*ret)[i];
	}
	*ret_n = kept;
	return r;
}

/* The last refusal becomes the first. */
static void headline(struct plan *p)
{
	struct refusal last = p->refusals[p->n_refusals - 1];

	memmove(p->refusals + 1, p->refusals, (p->n_refusals - 1) * sizeof(*p->refusals));
	p->refusals[0] = last;
}

/* pre-start gives up on a VM that runs, before it plans anything. */
static int refuse_running(struct planning *p, struct err *e)
{
	struct lease_process qemu;
	char hint[64];
	int r = guest_qemu(p->c->h, p->vmid, &qemu, e);

	if (r <= 0)
		return r;
	snprintf(hint, sizeof(hint), "'pve-gpu status %u' shows what it holds.", p->vmid);
	r = plan_refuse(&p->view.plan, "running", NULL, e, hint, "VM %u runs already (pid %d)", p->vmid,
			(int)qemu.pid);
	if (r == 0)
		headline(&p->view.plan);
	return r;
}

/* Nor does it touch what somebody else is at work on. */
static int refuse_busy(struct planning *p, struct err *e)
{
	int r = plan_refuse(&p->view.plan, "busy", NULL, e, p->own.advice, "somebody is at work on the devices of "
			    "VM %u: %s", p->vmid, p->own.text);

	if (r == 0)
		headline(&p->view.plan);
	return r;
}

static int make_plan(struct planning *p, struct err *e)
{
	struct guest_input in = { .settings = &p->settings, .now_unix = p->c->now_unix };
	struct hold *holds = NULL;
	struct step *stopped = NULL;
	int r = find_holds(p, &holds, &in.n_holds, e);

	if (r == 0 && lease_stopped(&p->own.lease, &stopped, &in.n_stopped) < 0)
		r = err_nomem(e);
	in.stopped = stopped;
	in.holds = holds;
	in.origins = p->origins;
	in.n_origins = p->n_origins;
	if (r == 0)
		r = guest_plan(p->c->h, &p->guest, &in, &p->view, e);
	free(holds);
	free(stopped);
	/* That a device does not answer is explained by the step that hangs on it. */
	if (p->own.busy && (r == 0 || r == -ETIMEDOUT))
		return refuse_busy(p, e);
	return r == 0 ? refuse_running(p, e) : r;
}

static int look(struct planning *p, struct err *e)
{
	struct hookscript hook;
	int r;

	note_entries_left_alone(p);
	r = settings_load(p->c->h, find_folder(p, &hook), p->vmid, &p->settings, e);
	guest_adapt(&p->guest, &p->settings);
	if (p->guest.backup)
		out_note(&p->c->out, "VM %u is locked by a backup (lock: backup): a start now is the backup's", p->vmid);
	if (r == 0)
		r = find_own(p, e);
	return r == 0 ? make_plan(p, e) : r;
}

static int show(struct planning *p, struct err *e)
{
	const struct plan *plan = &p->view.plan;
	struct names *names = tell_names(p->c->h, plan);
	const char **list = calloc(plan->n_devices + 1, sizeof(*list));

	if (names)
		names_patience(names, 10000);
	for (size_t i = 0; list && i < plan->n_devices; i++)
		list[i] = names ? names_get(names, i) : "";
	p->result.plan = plan;
	p->result.snapshot = p->view.snapshot;
	p->result.inuse = p->view.inuse;
	p->result.settings = &p->settings;
	p->result.names = list;
	if (list)
		out_plan(&p->c->out, &p->result);
	free(list);
	names_free(names);
	return list ? 0 : err_nomem(e);
}

static int show_nothing(struct planning *p)
{
	if (p->guest.kind == GUEST_VM && host_exists(p->c->h, lease_path(p->vmid).s))
		out_note(&p->c->out, "VM %u has a lease of an earlier start, which a new one gives back; "
			 "'pve-gpu status %u' shows it", p->vmid, p->vmid);
	out_plan(&p->c->out, &p->result);
	return CLI_DONE;
}

static int with_guest(struct planning *p)
{
	struct err e = ERR_INIT;
	int r;

	out_notes(&p->c->out, p->guest.notes.s);
	p->result.vmid = p->vmid;
	p->result.nothing = why_nothing(&p->guest);
	if (p->result.nothing)
		return show_nothing(p);
	r = look(p, &e);
	if (r == 0)
		r = show(p, &e);
	if (r < 0)
		return cli_failed(p->c, &e);
	return p->view.plan.n_refusals ? CLI_REFUSED : CLI_DONE;
}

int cmd_plan(struct cli *c)
{
	struct planning p = { .c = c, .own = LEASED_INIT, .view = GUEST_VIEW_INIT };
	struct err e = ERR_INIT;
	int status = cli_vmid(c, 0, &p.vmid);

	if (status)
		return status;
	if (guest_load(c->h, p.vmid, NULL, &p.guest, &e) < 0)
		return cli_failed(c, &e);
	claim_init(&p.claim, c->h, &guest_world, p.vmid);
	status = with_guest(&p);
	guest_view_release(&p.view);
	leased_release(&p.own);
	free(p.origins);
	claim_release(&p.claim);
	guest_release(&p.guest);
	return status;
}
