// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu doctor: what is true on this host, why it matters, what to type. */
#include "cli.h"
#include "facts.h"
#include "finding.h"
#include "logscan.h"

static int examine_host(struct cli *c, struct err *e)
{
	struct doctor_result r = { .findings = FINDINGS_INIT };
	struct facts *facts = NULL;
	int status = facts_load(c->h, &facts, e);

	if (status == 0)
		status = findings_of_host(facts, &r.findings, e);
	if (status == 0)
		status = logscan_host(c->h, &r.findings, e);
	if (status == 0) {
		findings_sort(&r.findings);
		r.facts = facts;
		out_doctor(&c->out, &r);
		status = findings_worst(&r.findings) >= SEVERITY_PROBLEM ? CLI_PROBLEMS : CLI_DONE;
	}
	findings_release(&r.findings);
	facts_free(facts);
	return status;
}

int cmd_doctor(struct cli *c)
{
	struct err e = ERR_INIT;
	int status = examine_host(c, &e);

	return status < 0 ? cli_failed(c, &e) : status;
}
