// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu plan VMID: what pre-start would do now.  The same functions decide as there (hook/prestart.c);
 * nothing is locked, created or written. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	struct lease own;		/* of an earlier start of this VM, read without a lock */
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
		out_note(&p->c->out, "VM %u has no hookscript, so a start does nothing of this: qm set %u --hookscript "
			 "local:snippets/gpu-hook", p->vmid, p->vmid);
	return hook->folder[0] ? hook->folder : NULL;
}

/* What this VM's unfinished lease says about the devices before we touched them. */
static int find_own(struct planning *p, struct err *e)
{
	struct err why = ERR_INIT;
	int r = lease_load(p->c->h, p->vmid, &p->own, &why);

	if (r == -ENOENT)
		return 0;
	if (r == -EBADMSG || r == -ESTALE) {
		out_note(&p->c->out, "%s; a start would not act on it", why.msg);
		return 0;
	}
	if (r < 0)
		*e = why;
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

static int make_plan(struct planning *p, struct err *e)
{
	struct guest_input in = {
		.settings = &p->settings, .now_unix = p->c->now_unix,
		.origins = p->own.plan.devices, .n_origins = p->own.plan.n_devices,
	};
	struct hold *holds = NULL;
	int r = claim_holds(&p->claim, &holds, &in.n_holds, e);

	in.holds = holds;
	if (r == 0)
		r = guest_plan(p->c->h, &p->guest, &in, &p->view, e);
	free(holds);
	return r == 0 ? refuse_running(p, e) : r;
}

static int look(struct planning *p, struct err *e)
{
	struct hookscript hook;
	int r;

	note_entries_left_alone(p);
	r = settings_load(p->c->h, find_folder(p, &hook), p->vmid, &p->settings, e);
	if (r == 0)
		r = find_own(p, e);
	if (r == 0)
		r = make_plan(p, e);
	if (r == 0 && p->own.plan.n_devices)
		out_note(&p->c->out, "VM %u has a lease of an earlier start, which a new one takes over or gives back "
			 "first; 'pve-gpu status %u' shows it", p->vmid, p->vmid);
	return r;
}

static int show(struct planning *p, struct err *e)
{
	const struct plan *plan = &p->view.plan;
	struct names *names = tell_names(p->c->h, plan);
	const char **list = calloc(plan->n_devices + 1, sizeof(*list));

	for (size_t i = 0; list && i < plan->n_devices; i++)
		list[i] = names ? names_get(names, i) : "";
	p->result.plan = plan;
	p->result.snapshot = p->view.snapshot;
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
		out_note(&p->c->out, "VM %u has a lease of an earlier start, which a new one gives back; 'pve-gpu status "
			 "%u' shows it", p->vmid, p->vmid);
	out_plan(&p->c->out, &p->result);
	return EXIT_DONE;
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
	return p->view.plan.n_refusals ? EXIT_REFUSED : EXIT_DONE;
}

int cmd_plan(struct cli *c)
{
	struct planning p = { .c = c, .own = LEASE_INIT, .view = GUEST_VIEW_INIT };
	struct err e = ERR_INIT;
	int status = cli_vmid(c, 0, &p.vmid);

	if (status)
		return status;
	if (guest_load(c->h, p.vmid, NULL, &p.guest, &e) < 0)
		return cli_failed(c, &e);
	claim_init(&p.claim, c->h, &guest_world, p.vmid);
	status = with_guest(&p);
	guest_view_release(&p.view);
	lease_release(&p.own);
	claim_release(&p.claim);
	guest_release(&p.guest);
	return status;
}
