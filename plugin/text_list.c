// SPDX-License-Identifier: GPL-2.0-or-later
/* The list for people: a line with the name per card, below it a line per function, all of them one
 * table. */
#include <string.h>

#include "bar.h"
#include "inuse.h"
#include "out.h"
#include "text.h"

/* Functions of a card stand below the card's name, other functions below their own; twins (virtual
 * functions, ports of a NIC) share one. */
static bool same_block(const struct list_device *a, const struct list_device *b)
{
	if (a->card || b->card)
		return a->card && b->card && bdf_same_slot(a->d->bdf, b->d->bdf);
	return strcmp(a->name, b->name) == 0;
}

static size_t block_end(const struct list_result *r, size_t first)
{
	size_t end = first + 1;

	while (end < r->n && same_block(&r->list[first], &r->list[end]))
		end++;
	return end;
}

/* The display controller gives the block its name, whatever function number it has. */
static const struct list_device *block_head(const struct list_result *r, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (pdev_is_gpu(r->list[i].d))
			return &r->list[i];
	return &r->list[first];
}

static void holder_text(const struct list_device *v, char *buf, size_t size)
{
	const struct holder *o = v->n_held ? &v->held[0] : NULL;

	if (o && o->kind == HOLDER_VFIO && o->vmid)
		snprintf(buf, size, "VM %u (pid %d)", o->vmid, (int)o->pid);
	else if (o)
		snprintf(buf, size, "%s", o->text);
	else
		snprintf(buf, size, "%s", v->d->driver[0] && !v->d->vfio ? "host" : "nobody");
}

static void add_header(struct table *t)
{
	static const char *const words[] = { "ADDRESS", "CLASS", "DRIVER", "GROUP", "RESET", "HELD BY" };

	table_row(t);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		table_cell(t, "%s", words[i]);
}

static void add_row(struct table *t, const struct list_device *v)
{
	const struct pdev *d = v->d;
	char holder[400];

	holder_text(v, holder, sizeof(holder));
	table_row(t);
	table_cell(t, "%s", BDF_SHORT(d->bdf));
	table_cell(t, "%s", pdev_class_text(pdev_class(d)));
	table_cell(t, "%s", d->driver[0] ? d->driver : "-");
	if (d->group < 0)
		table_cell(t, "-");
	else
		table_cell(t, "%d", d->group);
	table_cell(t, "%s", !d->has_reset ? "-" : d->reset_method[0] ? d->reset_method : "yes");
	table_cell(t, "%s", holder);
}

static void add_remark(struct str *s, const char *text)
{
	(void)str_addf(s, "%s%s", s->len ? ", " : "", text);
}

/* What an administrator would stumble over; with -v everything else that is known. */
static void remarks(const struct out *o, const struct list_device *v, struct str *s)
{
	const struct pdev *d = v->d;

	if (v->seen == SEEN && v->health.verdict != HEALTH_OK) {
		add_remark(s, health_name(v->health.verdict));
		(void)str_addf(s, ": %s", v->health.what);
	}
	if (d->override[0] && !v->lease) {
		add_remark(s, "driver_override is set: ");
		(void)str_add(s, d->override);
	}
	if (d->is_vf) {
		add_remark(s, "virtual function of ");
		(void)str_add(s, BDF_SHORT(d->pf));
	}
	if (d->vfs) {
		add_remark(s, "");
		(void)str_addf(s, "%u virtual function%s", d->vfs, d->vfs == 1 ? "" : "s");
	}
	for (size_t i = 1; i < v->n_held; i++)
		if (v->held[i].vmid != v->held[0].vmid || v->held[i].vmid == 0 || o->verbose)
			add_remark(s, v->held[i].text);
}

static void details(const struct list_device *v, struct str *s)
{
	const struct pdev *d = v->d;

	add_remark(s, v->name);
	(void)str_addf(s, ", id %04x:%04x, class %06x", d->vendor, d->device, d->class);
	if (d->subvendor || d->subdevice)
		(void)str_addf(s, ", subsystem %04x:%04x", d->subvendor, d->subdevice);
	if (d->module[0] && strcmp(d->module, d->driver) != 0)
		(void)str_addf(s, ", module %s", d->module);
	if (d->power_state[0])
		(void)str_addf(s, ", power %s (%s)", d->power_state, d->power_control);
	if (d->numa >= 0)
		(void)str_addf(s, ", NUMA node %d", d->numa);
	if (v->seen == SEEN && v->health.link.width)
		(void)str_addf(s, ", link %s", health_link(v->health.link).s);
	if (v->bar0_sizes)
		(void)str_addf(s, ", BAR 0 is %s large and can be %s", bar_format(v->bar0_size).s,
			       bar_list(v->bar0_sizes).s);
	if (v->seen == SEEN && v->errors.known)
		(void)str_addf(s, ", PCIe errors since boot: %llu fatal, %llu not fatal, %llu corrected",
			       (unsigned long long)v->errors.fatal, (unsigned long long)v->errors.nonfatal,
			       (unsigned long long)v->errors.correctable);
}

static void put_below(struct out *o, const struct table *t, struct str *s)
{
	size_t indent = 2 + t->width[0] + 2;

	if (s->len) {
		fprintf(o->to, "%*s", (int)indent, "");
		text_wrap(o, TONE_FAINT, indent, indent, "%s", s->s);
	}
	str_release(s);
}

/* A line each, the heaviest first; what is in nobody's way only with -v.  Who has it open through VFIO
 * stands in its row. */
static void put_uses(struct out *o, const struct table *t, const struct list_result *r, const struct list_device *v)
{
	for (size_t i = 0; r->inuse && i < r->inuse->n; i++) {
		const struct inuse_finding *f = &r->inuse->v[i];
		struct str s = STR_INIT;

		if (!bdf_same(f->bdf, v->d->bdf) || f->kind == INUSE_VFIO || (f->weight == INUSE_NOTE && !o->verbose))
			continue;
		(void)str_add(&s, f->text);
		put_below(o, t, &s);
	}
}

static void put_head(struct out *o, const struct list_device *head)
{
	text_put(o, TONE_HEAD, "%s", head->name);
	if (inuse_display_is_bmc(head->d->vendor, head->d->device))
		text_put(o, TONE_PLAIN, ", the board's remote console (BMC), no card for a VM");
	else if (head->d->boot_vga == 1)
		text_put(o, TONE_PLAIN, ", the boot display");
	fputc('\n', o->to);
}

void text_list(struct out *o, const struct list_result *r)
{
	struct table t = TABLE_INIT;

	add_header(&t);
	for (size_t i = 0; i < r->n; i++)
		add_row(&t, &r->list[i]);
	if (!t.failed && r->n)
		table_print_row(&t, o, 0, 2);
	for (size_t i = 0; !t.failed && i < r->n; ) {
		size_t end = block_end(r, i);

		put_head(o, block_head(r, i, end));
		for (; i < end; i++) {
			struct str below = STR_INIT;

			table_print_row(&t, o, i + 1, 2);
			remarks(o, &r->list[i], &below);
			put_below(o, &t, &below);
			put_uses(o, &t, r, &r->list[i]);
			if (o->verbose) {
				details(&r->list[i], &below);
				put_below(o, &t, &below);
			}
		}
	}
	table_release(&t);
}
