// SPDX-License-Identifier: GPL-2.0-or-later
/* The plan for people: the verdict first, then what it is about, then how. */
#include <string.h>

#include "out.h"
#include "show.h"
#include "step.h"
#include "tell.h"
#include "text.h"

static void put_title(struct out *o, const struct plan_result *r)
{
	const struct plan *p = r->plan;

	if (p->n_refusals)
		text_put(o, TONE_BAD, "VM %u: a start would be refused; nothing would be touched.", r->vmid);
	else
		text_put(o, TONE_HEAD, "VM %u: a start would take %s.", r->vmid, text_count(p).s);
	fputc('\n', o->to);
}

/* One piece of advice for several refusals in a row is given once. */
static bool hint_follows(const struct plan *p, size_t i)
{
	return i + 1 < p->n_refusals && strcmp(p->refusals[i].hint, p->refusals[i + 1].hint) == 0;
}

static void put_refusals(struct out *o, const struct plan *p)
{
	bool gap = true;

	for (size_t i = 0; i < p->n_refusals; i++) {
		const struct refusal *f = &p->refusals[i];

		fputs(gap ? "\n  " : "  ", o->to);
		text_put(o, TONE_BAD, "refused:");
		fputc(' ', o->to);
		text_wrap(o, TONE_PLAIN, 11, 11, "%s.", f->reason);
		gap = !hint_follows(p, i);
		if (gap && f->hint[0]) {
			fprintf(o->to, "%11s", "");
			text_wrap(o, TONE_FAINT, 11, 11, "%s", f->hint);
		}
	}
}

/* What a start would make of the device; of a refused one, what it is. */
static void describe(struct str *line, const struct plan_result *r, const struct device *v)
{
	const char *now = show_driver_now(r, v), *driver = v->driver[0] ? v->driver : "no driver";

	(void)str_add(line, v->key[0] ? v->key : "not asked for");
	if (v->group >= 0)
		(void)str_addf(line, ", %sgroup %d", v->key[0] ? "" : "but in ", v->group);
	if (r->plan->n_refusals) {
		(void)str_addf(line, ", on %s", *now ? now : "no driver");
		return;
	}
	if (strcmp(v->driver, "vfio-pci") == 0)
		(void)str_add(line, ": on vfio-pci already");
	else
		(void)str_addf(line, ": %s → vfio-pci", driver);
	if (strcmp(now, v->driver) != 0)
		(void)str_addf(line, " (on %s now)", *now ? now : "no driver");
	(void)str_addf(line, ", %s", show_reset_words(r->plan, v).s);
}

/* A refusal or a warning has said it. */
static bool is_said(const struct plan *p, const struct inuse_finding *f)
{
	for (size_t i = 0; i < p->n_refusals; i++)
		if (strstr(p->refusals[i].reason, f->text))
			return true;
	for (size_t i = 0; i < p->n_warnings; i++)
		if (strstr(p->warnings[i].text, f->text))
			return true;
	return false;
}

static void put_uses(struct out *o, const struct plan_result *r, const struct device *v, size_t indent)
{
	for (size_t i = 0; r->inuse && i < r->inuse->n; i++) {
		const struct inuse_finding *f = &r->inuse->v[i];

		if (!bdf_same(f->bdf, v->bdf) || is_said(r->plan, f))
			continue;
		fprintf(o->to, "%*s", (int)indent, "");
		text_wrap(o, TONE_FAINT, indent, indent, "%s", f->text);
	}
}

static void put_device(struct out *o, const struct plan_result *r, size_t i)
{
	const struct device *v = &r->plan->devices[i];
	const char *address = BDF_SHORT(v->bdf);
	size_t indent = strlen(address) + 4;
	struct str line = STR_INIT;

	fprintf(o->to, "  %s  ", address);
	text_put(o, TONE_HEAD, "%s", r->names[i]);
	fprintf(o->to, "\n%*s", (int)indent, "");
	describe(&line, r, v);
	text_wrap(o, TONE_PLAIN, indent, indent, "%s", line.s);
	str_release(&line);
	put_uses(o, r, v, indent);
}

static void put_devices(struct out *o, const struct plan_result *r)
{
	if (!r->plan->n_devices)
		return;
	fprintf(o->to, "\n%s", r->plan->n_refusals ? "It is about:\n" : "");
	for (size_t i = 0; i < r->plan->n_devices; i++)
		put_device(o, r, i);
}

static void put_warnings(struct out *o, const struct plan *p)
{
	for (size_t i = 0; i < p->n_warnings; i++) {
		fputs(i ? "  " : "\n  ", o->to);
		text_put(o, TONE_BAD, "warning:");
		fputc(' ', o->to);
		text_wrap(o, TONE_PLAIN, 11, 11, "%s.", p->warnings[i].text);
	}
}

/* What is known of this hardware. */
static void put_quirks(struct out *o, const struct plan *p)
{
	for (size_t i = 0; i < p->n_quirks; i++) {
		if (!tell_is_news(p, i))
			continue;
		fputs(i ? "" : "\n", o->to);
		text_wrap(o, TONE_PLAIN, 0, 4, "  %s: %s", BDF_SHORT(p->quirks[i].bdf),
			  quirk_describe(&p->quirks[i].quirk).s);
	}
}

/* The steps of one chain, numbered on from *number. */
static void put_chain(struct out *o, const struct plan *p, unsigned chain, unsigned *number)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		if (p->steps[i].chain != chain)
			continue;
		fprintf(o->to, "%4u. ", ++*number);
		text_wrap(o, TONE_PLAIN, 6, 6, "%s", show_step(&p->steps[i]).s);
	}
}

/* What concerns all comes first, then chains side by side; in a chain one step follows the other. */
static void put_steps(struct out *o, const struct plan *p)
{
	unsigned number = 0;

	if (p->n_refusals || !p->n_steps)
		return;
	fputs("\nStep by step:\n", o->to);
	put_chain(o, p, 0, &number);
	if (p->chains > 1)
		fprintf(o->to, "%sside by side:\n", number ? "then, " : "");
	for (unsigned chain = 1; chain <= p->chains; chain++) {
		if (chain > 1)
			fputc('\n', o->to);
		put_chain(o, p, chain, &number);
	}
}

/* One is enough; that others reset again is nothing this hook decides. */
static void put_resets(struct out *o, const struct plan_result *r)
{
	struct show_resets n = show_resets(r);

	if (r->plan->n_refusals || !r->plan->n_devices)
		return;
	fputs("\nResets: ", o->to);
	text_wrap(o, TONE_PLAIN, 8, 8, "%u by this hook; then Proxmox resets %u function%s as it starts QEMU, and QEMU %u as it "
		  "opens them.%s", n.hook, n.proxmox, n.proxmox == 1 ? "" : "s", n.qemu,
		  n.proxmox && o->verbose ? " 'driver=keep' in a hostpci entry would save Proxmox's; but then neither "
		  "Proxmox nor this hook binds the device." : "");
}

/* ", step 7, 14" or ", refuses 0000:02:00.0", of what it has decided; "" when that was nothing. */
static bool add_decided(struct str *line, const struct plan *p, const struct settings *s, size_t setting)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_refusals; i++)
		if (show_decides_refusal(setting, &p->refusals[i]))
			(void)str_addf(line, "%s%s", n++ ? ", " : ", refuses ", p->refusals[i].address[0] ?
				       p->refusals[i].address : "the start");
	for (size_t i = 0; !p->n_refusals && i < p->n_steps; i++)
		if (show_decides_step(s, setting, &p->steps[i]))
			(void)str_addf(line, "%s%zu", n++ ? ", " : ", step ", i + 1);
	return n > 0;
}

/* Those that decided something, and whatever else somebody has set. */
static void put_settings(struct out *o, const struct plan *p, const struct settings *s)
{
	fputs("\nSettings:\n", o->to);
	for (size_t i = 0; i < SETTINGS_N; i++) {
		bool is_default = strcmp(s->origin[i].text, "default") == 0;
		struct str line = STR_INIT;

		if (strcmp(settings_keys[i].section, "claim") != 0)
			continue;
		(void)str_addf(&line, "  %s = %s  (%s)", settings_keys[i].name, show_setting(s, i).s, s->origin[i].text);
		if (add_decided(&line, p, s, i) || !is_default || i == SETTINGS_GROUP_MEMBERS || i == SETTINGS_RESET ||
		    o->verbose) {
			text_put(o, TONE_PLAIN, "%s", line.s);
			fputc('\n', o->to);
		}
		str_release(&line);
	}
}

void text_plan(struct out *o, const struct plan_result *r)
{
	if (r->nothing) {
		text_put(o, TONE_PLAIN, "VM %u %s.", r->vmid, r->nothing);
		fputc('\n', o->to);
		return;
	}
	put_title(o, r);
	put_refusals(o, r->plan);
	put_warnings(o, r->plan);
	put_devices(o, r);
	put_quirks(o, r->plan);
	put_steps(o, r->plan);
	put_resets(o, r);
	put_settings(o, r->plan, r->settings);
}
