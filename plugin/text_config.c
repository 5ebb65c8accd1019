// SPDX-License-Identifier: GPL-2.0-or-later
/* A VM's configuration for people. */
#include <string.h>

#include "out.h"
#include "text.h"

/* What decides about passthrough besides the device lines. */
static const char *const context[] = {
	"machine", "bios", "efidisk0", "cpu", "vga", "args", "hookscript", "boot", "memory", "hugepages",
};

static void put_device(struct out *o, const struct config_device *d)
{
	fprintf(o->to, "      %s  ", BDF_SHORT(d->bdf));
	if (!d->d) {
		text_put(o, TONE_BAD, "absent");
		fputc('\n', o->to);
		return;
	}
	text_put(o, TONE_HEAD, "%s", d->name);
	if (d->d->group >= 0)
		fprintf(o->to, ", group %d", d->d->group);
	fprintf(o->to, ", %s\n", d->d->driver[0] ? d->d->driver : "no driver");
}

static void put_sentences(struct out *o, const char *lines)
{
	while (*lines) {
		size_t n = strcspn(lines, "\n");

		fputs("      → ", o->to);
		text_wrap(o, TONE_BAD, 8, 8, "%.*s", (int)n, lines);
		lines += n + (lines[n] != '\0');
	}
}

static void put_entry(struct out *o, const struct config_entry *en)
{
	fprintf(o->to, "\n  ");
	text_put(o, TONE_HEAD, "%s", en->key);
	text_put(o, TONE_PLAIN, ": %.*s", (int)en->value_len, en->value);
	fputc('\n', o->to);
	if (!en->ok)
		put_sentences(o, "Proxmox drops this line: the VM starts without the device");
	if (en->error[0])
		put_sentences(o, en->error);
	for (size_t i = 0; i < en->n_devices; i++)
		put_device(o, &en->devices[i]);
	put_sentences(o, en->problems.s);
}

static void put_context(struct out *o, const struct config_result *r)
{
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(context); i++) {
		const char *value = vmconf_get(r->conf, r->section, context[i]);

		if (!value)
			continue;
		if (!any)
			fputc('\n', o->to);
		any = true;
		text_put(o, TONE_FAINT, "  %s: %s", context[i], value);
		fputc('\n', o->to);
	}
}

static void put_line(struct out *o, const struct vmconf *c, size_t i)
{
	const struct vmconf_line *line = &c->lines[i];
	struct err why = ERR_INIT;

	text_put(o, line->verdict == VMCONF_KEPT ? TONE_PLAIN : TONE_BAD, "  %4zu  %.*s", i + 1,
		 (int)line->len - (line->len && c->bytes[line->off + line->len - 1] == '\r'), c->bytes + line->off);
	fputc('\n', o->to);
	if (vmconf_explain(c, line, NULL, &why) < 0) {
		fputs("        → ", o->to);
		text_wrap(o, TONE_BAD, 10, 10, "%s: %s", line->verdict == VMCONF_SUPERSEDED ? "does not count" :
			  "Proxmox drops this line", why.msg);
	}
}

static void put_all(struct out *o, const struct config_result *r)
{
	fprintf(o->to, "\nThe whole file, digest %s:\n", r->conf->digest);
	for (size_t i = 0; i < r->conf->n_lines; i++)
		put_line(o, r->conf, i);
}

void text_config(struct out *o, const struct config_result *r)
{
	text_put(o, TONE_HEAD, "VM %u, %s: ", r->vmid, r->title);
	if (r->n == 0)
		fputs("no passthrough device\n", o->to);
	else
		fprintf(o->to, "%zu passthrough device%s\n", r->n, r->n == 1 ? "" : "s");
	for (size_t i = 0; i < r->n; i++)
		put_entry(o, &r->entries[i]);
	if (r->section)
		put_context(o, r);
	if (r->all)
		put_all(o, r);
}
