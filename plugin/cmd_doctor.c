// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu doctor [VMID]: what is true on this host or of this VM, why it matters, what to type. */
#include <errno.h>

#include "edited.h"
#include "facts.h"
#include "finding.h"
#include "lint.h"
#include "logscan.h"

static int host_findings(struct cli *c, const struct facts *facts, struct findings *l, struct err *e)
{
	int r = findings_of_host(facts, l, e);

	if (r == 0)
		r = logscan_host(c->h, l, e);
	if (r == 0)
		findings_sort(l);
	return r;
}

/* What can be mended by changing files need not be typed. */
static void note_setup(struct cli *c, const struct facts *facts)
{
	const struct setup_wish wish = { .way = SETUP_DYNAMIC };
	struct err e = ERR_INIT;
	struct setup_plan plan;

	if (setup_make(c->h, facts, &wish, &plan, &e) == 0 && plan.n)
		out_note(&c->out, "'pve-gpu setup' shows %zu file%s that it would change because of this", plan.n,
			 plan.n == 1 ? "" : "s");
	setup_release(&plan);
}

static int examine_host(struct cli *c, struct doctor_result *r, struct err *e)
{
	int status = host_findings(c, r->facts, &r->findings, e);

	if (status == 0) {
		out_doctor(&c->out, r);
		note_setup(c, r->facts);
	}
	return status;
}

/* The VM alone; what concerns the host is told in a line. */
static void note_host(struct cli *c, const struct facts *facts)
{
	struct findings host = FINDINGS_INIT;
	struct err e = ERR_INIT;

	if (findings_of_host(facts, &host, &e) < 0)
		return;
	if (findings_count(&host, SEVERITY_BLOCKER))
		out_note(&c->out, "the host has a blocker, because of which no VM can have a device: pve-gpu doctor");
	else if (findings_count(&host, SEVERITY_PROBLEM))
		out_note(&c->out, "the host has problems of its own: pve-gpu doctor");
	findings_release(&host);
}

/* The safe ones, through the editor that attach uses: the VM's lock, a look back, a diff. */
static int mend_vm(struct cli *c, struct lint *l)
{
	struct vmfile_edit what = { .edit = lint_fix, .arg = l, .dry_run = c->dry_run };
	struct vmfile_change change = VMFILE_CHANGE_INIT;
	struct vmfile_models models;
	struct err e = ERR_INIT;
	int status;

	vmfile_models_load(c->h, &models);
	if (vmfile_change(c->h, l->vmid, &models.env, &what, &change, &e) < 0)
		status = edited_not(c, l->vmid, &e);
	else
		status = edited(c, l->vmid, &change, NULL, 0);
	vmfile_change_release(&change);
	vmfile_models_release(&models);
	return status;
}

static int mend(struct cli *c, const struct doctor_result *r, struct err *e)
{
	struct lint l;
	int status = lint_load(c->h, r->vmid, c->now_unix, r->facts, &l, e);

	if (status == 0 && l.guest.kind != GUEST_VM)
		status = err_set(e, EINVAL, "%u is no VM that runs with devices: there is nothing to mend", r->vmid);
	if (status == 0)
		status = mend_vm(c, &l);
	lint_release(&l);
	return status;
}

static int examine_vm(struct cli *c, struct doctor_result *r, struct err *e)
{
	struct lint l;
	int status = lint_load(c->h, r->vmid, c->now_unix, r->facts, &l, e);

	if (status == 0 && l.guest.kind != GUEST_VM) {
		finding_add(&r->findings, "vm-none", SEVERITY_OK, NULL, NULL, "%u is a %s.", r->vmid, l.guest.kind == GUEST_CONTAINER ?
			    "container: it takes no PCI devices" : "template: it never runs with devices");
		out_doctor(&c->out, r);
	} else if (status == 0) {
		if (!l.guest.n)
			out_note(&c->out, "VM %u has no hostpci entries; only what could be said without is looked at", r->vmid);
		note_host(c, r->facts);
		status = lint_findings(&l, &r->findings, e);
		if (status == 0)
			out_doctor(&c->out, r);
	}
	lint_release(&l);
	return status;
}

int cmd_doctor(struct cli *c)
{
	struct doctor_result r = { .findings = FINDINGS_INIT };
	struct err e = ERR_INIT;
	struct facts *facts = NULL;
	int status = c->n_args ? cli_vmid(c, 0, &r.vmid) : 0;

	if (!status && c->fix && !r.vmid)
		status = cli_usage(c, "--fix is for a VM: pve-gpu doctor VMID --fix; a host is mended by 'pve-gpu setup'");
	if (!status && c->dry_run && !c->fix)
		status = cli_usage(c, "--dry-run goes with --fix; without that nothing is changed anyway");
	if (status)
		return status;
	status = facts_load(c->h, &facts, &e);
	r.facts = facts;
	if (status == 0 && c->fix) {
		status = mend(c, &r, &e);
		facts_free(facts);
		return status < 0 ? cli_failed(c, &e) : status;
	}
	if (status == 0)
		status = r.vmid ? examine_vm(c, &r, &e) : examine_host(c, &r, &e);
	if (status == 0)
		status = findings_worst(&r.findings) >= SEVERITY_PROBLEM ? CLI_PROBLEMS : CLI_DONE;
	findings_release(&r.findings);
	facts_free(facts);
	return status < 0 ? cli_failed(c, &e) : status;
}
