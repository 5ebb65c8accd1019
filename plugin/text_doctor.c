// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings for people. */
#include <string.h>

#include "out.h"
#include "text.h"

#define LABEL 9		/* columns for "blocker" and what follows it */

static enum tone tone_of(enum severity s)
{
	switch (s) {
	case SEVERITY_BLOCKER:
	case SEVERITY_PROBLEM: return TONE_BAD;
	case SEVERITY_HINT: return TONE_HEAD;
	case SEVERITY_OK: return TONE_GOOD;
	}
	return TONE_PLAIN;
}

static void put_finding(struct out *o, const struct finding *v)
{
	const char *label = severity_name(v->severity);

	text_put(o, tone_of(v->severity), "%s", label);
	fprintf(o->to, "%*s", (int)(LABEL - strlen(label)), "");
	text_wrap(o, TONE_PLAIN, LABEL, LABEL, "%s [%s]", v->text, v->id);
	if (v->evidence) {
		fprintf(o->to, "%*s", LABEL, "");
		text_wrap(o, TONE_FAINT, LABEL, LABEL + 2, "seen: %s", v->evidence);
	}
	if (v->fix) {
		fprintf(o->to, "%*s→ ", LABEL, "");
		text_wrap(o, TONE_PLAIN, LABEL + 2, LABEL + 2, "%s", v->fix);
	}
}

void text_host(struct out *o, const struct facts *f)
{
	struct str line = STR_INIT;

	if (f->pve_manager[0])
		(void)str_addf(&line, "Proxmox VE %s, ", f->pve_manager);
	(void)str_addf(&line, "kernel %s", f->kernel[0] ? f->kernel : "unknown");
	if (f->cpu_model[0])
		(void)str_addf(&line, ", %s", f->cpu_model);
	if (f->firmware_iommu >= 0)
		(void)str_addf(&line, ", %s", f->efi ? "UEFI" : "legacy BIOS");
	if (f->boot.chain != BOOT_UNKNOWN)
		(void)str_addf(&line, ", %s", boot_chain_text(f->boot.chain));
	text_put(o, TONE_HEAD, "%s", f->node[0] ? f->node : "this host");
	fputs(": ", o->to);
	text_wrap(o, TONE_PLAIN, text_columns(f->node[0] ? f->node : "this host") + 2, 2, "%s", line.s);
	str_release(&line);
}

static void put_sum(struct out *o, const struct findings *l)
{
	static const enum severity order[] = { SEVERITY_BLOCKER, SEVERITY_PROBLEM, SEVERITY_HINT };
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		size_t n = findings_count(l, order[i]);

		if (!n)
			continue;
		fprintf(o->to, "%s%zu %s%s", comma, n, severity_name(order[i]), n == 1 ? "" : "s");
		comma = ", ";
	}
	fputs(*comma ? ".\n" : "Nothing is wrong.\n", o->to);
}

void text_findings(struct out *o, const struct findings *l)
{
	for (size_t i = 0; i < l->n; i++)
		put_finding(o, &l->v[i]);
	put_sum(o, l);
}

void text_doctor(struct out *o, const struct doctor_result *r)
{
	if (r->vmid) {
		text_put(o, TONE_HEAD, "VM %u", r->vmid);
		fputs(":\n", o->to);
	} else {
		text_host(o, r->facts);
	}
	text_findings(o, &r->findings);
}
