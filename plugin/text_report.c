// SPDX-License-Identifier: GPL-2.0-or-later
/* A report as text, to be pasted where help is asked for. */
#include <string.h>

#include "out.h"
#include "report.h"
#include "text.h"

static void put_title(struct out *o, const char *title)
{
	fputc('\n', o->to);
	text_put(o, TONE_HEAD, "%s", title);
	fputs("\n\n", o->to);
}

static void put_lines(struct out *o, const char *lines)
{
	while (lines && *lines) {
		size_t n = strcspn(lines, "\n");

		fputs("  ", o->to);
		text_put(o, TONE_PLAIN, "%.*s", (int)n, lines);
		fputc('\n', o->to);
		lines += n + (lines[n] != '\0');
	}
}

static void put_device(struct out *o, const struct report_device *v)
{
	const struct pdev *d = v->d;
	size_t indent = 2 + 2 * (size_t)v->depth;

	fprintf(o->to, "%*s", (int)indent, "");
	text_wrap(o, v->card ? TONE_HEAD : TONE_PLAIN, indent, indent + 4, "%s %s [%04x:%04x] %s", BDF_SHORT(d->bdf), v->name,
		  d->vendor, d->device, pdev_class_text(pdev_class(d)));
	fprintf(o->to, "%*s", (int)indent + 4, "");
	if (d->group >= 0)
		text_wrap(o, TONE_PLAIN, indent + 4, indent + 4, "%s, group %d, reset: %s%s%s", d->driver[0] ? d->driver : "no driver",
			  d->group, d->reset_method[0] ? d->reset_method : "none", v->held[0] ? ", held by " : "", v->held);
	else
		text_wrap(o, TONE_PLAIN, indent + 4, indent + 4, "%s, no group, reset: %s%s%s", d->driver[0] ? d->driver : "no driver",
			  d->reset_method[0] ? d->reset_method : "none", v->held[0] ? ", held by " : "", v->held);
}

static void put_words(struct out *o, const char *what, const struct boot_words *l)
{
	struct str line = STR_INIT;

	for (size_t i = 0; i < l->n; i++)
		if (boot_matters(&l->v[i]))
			(void)str_addf(&line, " %s", l->v[i].text);
	fputs("  ", o->to);
	text_wrap(o, TONE_PLAIN, 2, 4, "%s:%s", what, line.len ? line.s : " nothing about passthrough");
	str_release(&line);
}

static void put_modules(struct out *o, const struct modconf *c)
{
	for (size_t i = 0; i < c->n; i++) {
		fputs("  ", o->to);
		text_wrap(o, TONE_PLAIN, 2, 4, "%s: %s", source_format(&c->v[i].at).s, c->v[i].text);
	}
}

static void put_vm(struct out *o, const struct report_vm *v)
{
	char title[32];

	snprintf(title, sizeof(title), "VM %u", v->vmid);
	put_title(o, title);
	put_lines(o, v->config);
	fputc('\n', o->to);
	text_findings(o, &v->findings);
}

void text_report(struct out *o, const struct report *r)
{
	text_put(o, TONE_HEAD, "pve-gpu %s, report", PVE_GPU_VERSION);
	fputs("\n\n", o->to);
	text_host(o, r->facts);
	if (r->facts->qemu_server[0])
		fprintf(o->to, "  qemu-server %s\n", r->facts->qemu_server);
	put_words(o, "the kernel was started with", &r->facts->boot.now);
	put_words(o, "the next one will be with", &r->facts->boot.next);
	put_modules(o, &r->facts->mods);
	put_title(o, "Findings");
	text_findings(o, &r->findings);
	put_title(o, "Devices");
	for (size_t i = 0; i < r->n_devices; i++)
		put_device(o, &r->devices[i]);
	if (r->n_others)
		fprintf(o->to, "  and %zu other function%s\n", r->n_others, r->n_others == 1 ? "" : "s");
	put_title(o, "Leases");
	put_lines(o, r->leases ? r->leases : "none\n");
	for (size_t i = 0; i < r->n_vms; i++)
		put_vm(o, &r->vms[i]);
	put_title(o, "Logs");
	put_lines(o, r->log ? r->log : "nothing\n");
}
