// SPDX-License-Identifier: GPL-2.0-or-later
/* A report as one page: see report.h.  Groups have colours and say their number; the picture of the topology is
 * made of nested lists, so it needs no script and survives any width, paper and a screen reader. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "text.h"

static const char style[] =
"*{box-sizing:border-box}"
"body{margin:0;font:16px/1.5 system-ui,sans-serif;color:#1b1f24;background:#fff;overflow-wrap:anywhere}"
"main{max-width:64rem;margin:0 auto;padding:1rem}"
"h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}"
"h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:1px solid #8c959f}"
"h3{font-size:1rem;margin:1.5rem 0 .5rem}"
"p{margin:.25rem 0}"
"dl{display:grid;grid-template-columns:minmax(7rem,max-content) minmax(0,1fr);gap:.15rem 1rem;margin:0}"
"dt{color:#57606a}dd{margin:0}"
"code,pre{font:.85rem/1.45 ui-monospace,monospace}"
"pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f8fa;border:1px solid #d0d7de;padding:.5rem;margin:.5rem 0}"
"ul.tree,ul.tree ul{list-style:none;margin:0;padding:0}"
"ul.tree ul{margin-left:.6rem;padding-left:.8rem;border-left:2px solid #8c959f}"
"ul.tree li{margin:.4rem 0}"
".device{border:1px solid #8c959f;border-left:.6rem solid hsl(var(--h,0) 55% 45%);border-radius:.3rem;padding:.3rem .6rem;"
"background:hsl(var(--h,0) 55% 97%)}"
".device.plain{border-left-color:#8c959f;background:#fff}"
".device.card{border-width:2px;border-left-width:.6rem;font-weight:600}"
".device.card .more{font-weight:400}"
".more{font-size:.9rem;color:#3d444d}"
".held,.label{display:inline-block;border:1px solid #57606a;border-radius:.6rem;padding:0 .5rem;margin:.1rem .3rem .1rem 0;font-size:.85rem;"
"background:#fff;color:#1b1f24;font-weight:400;max-width:100%}"
".finding{border-left:.3rem solid #8c959f;padding:.1rem 0 .1rem .7rem;margin:.6rem 0}"
".blocker,.problem{border-left-color:#b42318}.hint{border-left-color:#9a6700}.ok{border-left-color:#1a7f37}"
".finding .severity{font-weight:700}"
"@media print{body{font-size:11pt}main{max-width:none;padding:0}.device,.finding,pre{break-inside:avoid}"
"*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

/* Text for a page: made safe for people's eyes first, then for the page. */
static void add_text(struct str *s, const char *text)
{
	struct str clean = STR_INIT;

	if (text_clean(&clean, text) < 0)
		s->failed = true;
	for (const char *p = clean.s; *p; p++) {
		switch (*p) {
		case '&': (void)str_add(s, "&amp;"); break;
		case '<': (void)str_add(s, "&lt;"); break;
		case '>': (void)str_add(s, "&gt;"); break;
		case '"': (void)str_add(s, "&quot;"); break;
		default: (void)str_addn(s, p, 1); break;
		}
	}
	str_release(&clean);
}

/* Lines of their own stay lines. */
static void add_block(struct str *s, const char *lines)
{
	struct str line = STR_INIT;

	(void)str_add(s, "<pre>");
	while (lines && *lines) {
		size_t n = strcspn(lines, "\n");

		str_clear(&line);
		(void)str_addn(&line, lines, n);
		add_text(s, line.s);
		(void)str_add(s, "\n");
		lines += n + (lines[n] != '\0');
	}
	(void)str_add(s, "</pre>\n");
	str_release(&line);
}

static void add_pair(struct str *s, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	(void)str_addf(s, "<dt>%s</dt><dd>", name);
	add_text(s, value);
	(void)str_add(s, "</dd>\n");
}

/* --- the host ---------------------------------------------------------------------------------- */

static void add_words(struct str *s, const char *name, const struct boot_words *l)
{
	struct str line = STR_INIT;

	for (size_t i = 0; i < l->n; i++)
		if (boot_matters(&l->v[i]))
			(void)str_addf(&line, "%s%s", line.len ? " " : "", l->v[i].text);
	add_pair(s, name, line.len ? line.s : "nothing about passthrough");
	str_release(&line);
}

static void add_host(struct str *s, const struct facts *f)
{
	(void)str_add(s, "<section>\n<h2>Host</h2>\n<dl>\n");
	add_pair(s, "Proxmox VE", f->pve_manager);
	add_pair(s, "qemu-server", f->qemu_server);
	add_pair(s, "Kernel", f->kernel);
	add_pair(s, "Processor", f->cpu_model);
	add_pair(s, "Firmware", f->firmware_iommu < 0 ? "" : f->efi ? "UEFI" : "legacy BIOS");
	add_pair(s, "Boots by", f->boot.chain == BOOT_UNKNOWN ? "" : boot_chain_text(f->boot.chain));
	add_pair(s, "IOMMU", f->iommu ? "at work" : "not at work");
	add_words(s, "Started with", &f->boot.now);
	add_words(s, "Next start with", &f->boot.next);
	(void)str_add(s, "</dl>\n");
	if (f->mods.n) {
		struct str lines = STR_INIT;

		for (size_t i = 0; i < f->mods.n; i++)
			(void)str_addf(&lines, "%s: %s\n", source_format(&f->mods.v[i].at).s, f->mods.v[i].text);
		(void)str_add(s, "<h3>Module settings</h3>\n");
		add_block(s, lines.s);
		str_release(&lines);
	}
	(void)str_add(s, "</section>\n");
}

/* --- the picture ------------------------------------------------------------------------------- */

static void add_device(struct str *s, const struct report_device *v)
{
	const struct pdev *d = v->d;

	if (d->group >= 0)	/* neighbours in number are far apart in colour */
		(void)str_addf(s, "<div class=\"device%s\" style=\"--h:%d\">", v->card ? " card" : "", d->group * 137 % 360);
	else
		(void)str_addf(s, "<div class=\"device plain%s\">", v->card ? " card" : "");
	(void)str_addf(s, "%s ", BDF_SHORT(d->bdf));
	add_text(s, v->name);
	(void)str_add(s, "<div class=\"more\">");
	if (d->group >= 0)
		(void)str_addf(s, "<span class=\"label\">group %d</span>", d->group);
	else
		(void)str_add(s, "<span class=\"label\">no group</span>");
	if (v->held[0]) {
		(void)str_add(s, "<span class=\"held\">held by ");
		add_text(s, v->held);
		(void)str_add(s, "</span>");
	}
	add_text(s, pdev_class_text(pdev_class(d)));
	(void)str_add(s, ", ");
	add_text(s, d->driver[0] ? d->driver : "no driver");
	(void)str_add(s, ", reset: ");
	add_text(s, d->reset_method[0] ? d->reset_method : "none");
	(void)str_addf(s, ", id %04x:%04x</div></div>", d->vendor, d->device);
}

static void add_topology(struct str *s, const struct report *r)
{
	unsigned depth = 0;

	(void)str_add(s, "<section>\n<h2>Topology</h2>\n<p>Bridges and what is behind them. Functions of one IOMMU group have one colour and "
		      "say its number; a VM takes a group as a whole.</p>\n");
	if (r->n_devices)
		(void)str_add(s, "<ul class=\"tree\">\n");
	for (size_t i = 0; i < r->n_devices; i++) {
		const struct report_device *v = &r->devices[i];

		for (; depth > v->depth; depth--)
			(void)str_add(s, "</ul></li>\n");
		(void)str_add(s, "<li>");
		add_device(s, v);
		if (i + 1 < r->n_devices && r->devices[i + 1].depth > v->depth) {
			(void)str_add(s, "\n<ul>\n");
			depth++;
		} else {
			(void)str_add(s, "</li>\n");
		}
	}
	for (; depth; depth--)
		(void)str_add(s, "</ul></li>\n");
	if (r->n_devices)
		(void)str_add(s, "</ul>\n");
	if (r->n_others)
		(void)str_addf(s, "<p>And %zu other function%s.</p>\n", r->n_others, r->n_others == 1 ? "" : "s");
	(void)str_add(s, "</section>\n");
}

/* --- findings ---------------------------------------------------------------------------------- */

static void add_findings(struct str *s, const struct findings *l)
{
	if (!l->n)
		(void)str_add(s, "<p>Nothing is wrong.</p>\n");
	for (size_t i = 0; i < l->n; i++) {
		const struct finding *v = &l->v[i];

		(void)str_addf(s, "<div class=\"finding %s\"><p><span class=\"severity\">%s</span> ", severity_name(v->severity),
			       severity_name(v->severity));
		add_text(s, v->text);
		(void)str_addf(s, " <code>%s</code></p>\n", v->id);
		if (v->evidence) {
			(void)str_add(s, "<p class=\"more\">seen: <code>");
			add_text(s, v->evidence);
			(void)str_add(s, "</code></p>\n");
		}
		if (v->fix) {
			(void)str_add(s, "<p>→ ");
			add_text(s, v->fix);
			(void)str_add(s, "</p>\n");
		}
		(void)str_add(s, "</div>\n");
	}
}

static void add_vms(struct str *s, const struct report *r)
{
	for (size_t i = 0; i < r->n_vms; i++) {
		(void)str_addf(s, "<section>\n<h2>VM %u</h2>\n", r->vms[i].vmid);
		add_block(s, r->vms[i].config);
		add_findings(s, &r->vms[i].findings);
		(void)str_add(s, "</section>\n");
	}
}

int html_report(const struct report *r, struct str *page)
{
	(void)str_add(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>pve-gpu report</title>\n<style>");
	(void)str_add(page, style);
	(void)str_add(page, "</style>\n</head>\n<body>\n<main>\n<h1>");
	add_text(page, r->facts->node[0] ? r->facts->node : "this host");
	(void)str_add(page, ": passthrough report</h1>\n<p>By pve-gpu " PVE_GPU_VERSION ". MAC addresses, UUIDs, serial numbers and keys "
		      "were taken out.</p>\n");
	add_host(page, r->facts);
	add_topology(page, r);
	(void)str_add(page, "<section>\n<h2>Findings</h2>\n");
	add_findings(page, &r->findings);
	(void)str_add(page, "</section>\n<section>\n<h2>Leases</h2>\n");
	add_block(page, r->leases ? r->leases : "none");
	(void)str_add(page, "</section>\n");
	add_vms(page, r);
	(void)str_add(page, "<section>\n<h2>Logs</h2>\n");
	add_block(page, r->log ? r->log : "nothing");
	(void)str_add(page, "</section>\n</main>\n</body>\n</html>\n");
	return page->failed ? -ENOMEM : 0;
}
