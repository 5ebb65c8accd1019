// SPDX-License-Identifier: GPL-2.0-or-later
/* What an attach is about, and every reason not to do it: see attach.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "schema_check.h"

void attach_note(struct attach *a, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)str_addf(&a->notes, "%s\n", text);
}

int attach_refuse(struct attach *a, const char *id, const char *hint, struct err *e, const char *fmt, ...)
{
	char text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return plan_refuse(&a->refusals, id, NULL, e, hint, "%s", text);
}

/* --- arguments --------------------------------------------------------------------------------- */

/* A virtual function is a device of its own: the others of its slot may be other VMs'. */
static bool is_vf(struct attach *a, struct bdf bdf)
{
	return host_exists(a->c->h, pdev_path(bdf, "physfn").s);
}

static void set_address(struct attach *a, struct attach_item *item, struct bdf bdf, bool whole)
{
	const char *full = BDF_S(bdf);
	size_t len = strlen(full);

	if (!whole && !a->c->attach.function && !is_vf(a, bdf)) {
		whole = true;
		item->widened = true;
	}
	snprintf(item->host, sizeof(item->host), "%.*s", (int)(whole ? len - 2 : len), full);
}

static int read_item(struct attach *a, const char *arg)
{
	struct attach_item *item = &a->items[a->n];
	struct bdf bdf;
	bool whole;

	*item = (struct attach_item){ .arg = arg };
	if (bdf_parse_user(arg, &bdf, &whole) == 0) {
		if (whole && a->c->attach.function)
			return cli_usage(a->c, "--function is for one function, and '%s' names none: %s.0?", arg, arg);
		set_address(a, item, bdf, whole);
	} else if (schema_check_configid.ok(arg, strlen(arg))) {
		item->mapping = arg;
	} else {
		return cli_usage(a->c, "'%s' is neither a PCI address (01:00, 0000:01:00.0) nor a mapping's name", arg);
	}
	a->n++;
	return 0;
}

int attach_read_args(struct attach *a)
{
	int status = 0;

	if (a->c->n_args - 1 > HOSTPCI_MAX)
		return cli_usage(a->c, "a VM has at most %d devices", HOSTPCI_MAX);
	for (size_t i = 1; status == 0 && i < a->c->n_args; i++)
		status = read_item(a, a->c->args[i]);
	if (status == 0 && a->c->attach.romfile && a->n > 1)
		return cli_usage(a->c, "--romfile is for one device: attach the others in another call");
	if (status == 0 && a->c->attach.romfile && strpbrk(a->c->attach.romfile, ",;\n"))
		return cli_usage(a->c, "--romfile: the name may contain neither ',' nor ';'");
	return status;
}

/* --- what a start would say -------------------------------------------------------------------- */

static int add_entry(struct guest *g, const struct attach_item *item, struct err *e)
{
	struct guest_pci *p = &g->pci[g->n];
	struct str value = STR_INIT;

	(void)str_addf(&value, "%s%s", item->mapping ? "mapping=" : "", item->mapping ? item->mapping : item->host);
	snprintf(p->key, sizeof(p->key), "device %u", (unsigned)g->n + 1);
	p->pci = (struct hostpci)HOSTPCI_INIT;
	p->value = str_steal(&value);
	if (!p->value)
		return err_nomem(e);
	g->n++;
	return hostpci_parse(p->value, strlen(p->value), &p->pci, e);
}

static int plan_start(struct attach *a, struct settings *settings, struct err *e)
{
	struct guest g = { .vmid = a->vmid, .kind = GUEST_VM, .notes = STR_INIT };
	struct guest_input in = { .settings = settings, .now_unix = a->c->now_unix };
	struct err why = ERR_INIT;
	int r = 0;

	if (settings_load(a->c->h, NULL, a->vmid, settings, &why) < 0) {
		attach_note(a, "judging with the default settings: %s", why.msg);
		settings_init(settings);
	}
	for (size_t i = 0; r == 0 && i < a->n; i++)
		r = add_entry(&g, &a->items[i], e);
	if (r == 0)
		r = guest_plan(a->c->h, &g, &in, &a->view, e);
	guest_release(&g);
	return r;
}

/* Of the reasons not to start now, those that speak against this configuration at any time. */
static bool is_lasting(const char *id)
{
	static const char *const passing[] = { "held", "in-use", "group-member", "no-reset", "no-iommu", "no-group" };

	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		if (strcmp(passing[i], id) == 0)
			return false;
	return true;
}

/* The host's own screen or keyboard: whether it can do without, a person says. */
static bool is_console(const struct refusal *o)
{
	return strcmp(o->setting, "allow") == 0;
}

static int take_over_refusals(struct attach *a, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->view.plan.n_refusals; i++) {
		const struct refusal *o = &a->view.plan.refusals[i];

		if (is_console(o) && a->c->attach.yes_host_console) {
			attach_note(a, "%s: a start will still be refused. %s", o->reason, o->hint);
		} else if (is_lasting(o->id)) {
			r = plan_refuse(&a->refusals, o->id, NULL, e, is_console(o) ? "If this host can be reached by network, say "
					"so: --yes-host-console." : o->hint, "%s", o->reason);
			if (r == 0)
				memcpy(a->refusals.refusals[a->refusals.n_refusals - 1].address, o->address,
				       sizeof(o->address));
		} else if (strcmp(o->id, "group-member") != 0) {
			attach_note(a, "as things are, the VM would not start: %s. %s", o->reason, o->hint);
		}
	}
	return r;
}

/* --- isolation --------------------------------------------------------------------------------- */

/* The VM has this function already, or a neighbour in its slot is asked for. */
static bool belongs(const struct attach *a, struct bdf bdf)
{
	for (size_t i = 0; i < a->view.plan.n_devices; i++) {
		const struct device *v = &a->view.plan.devices[i];

		if (v->key[0] && bdf_same_slot(v->bdf, bdf))
			return true;
	}
	for (unsigned i = 0; i < HOSTPCI_MAX; i++) {
		char key[12];
		const char *value;
		struct hostpci p = HOSTPCI_INIT;
		struct err ignored = ERR_INIT;
		bool found = false;

		snprintf(key, sizeof(key), "hostpci%u", i);
		value = vmedit_effective(a->seen, key);
		if (!value || hostpci_parse(value, strlen(value), &p, &ignored) < 0)
			continue;
		for (size_t k = 0; k < p.n_ids; k++)
			found |= hostpci_id_matches(p.ids[k].text, BDF_S(bdf));
		hostpci_release(&p);
		if (found)
			return true;
	}
	return false;
}

static int isolation(struct attach *a, const struct settings *settings, struct err *e)
{
	_cleanup_(str_release) struct str members = STR_INIT;
	const struct plan *p = &a->view.plan;
	int group = -1;

	for (size_t i = 0; i < p->n_devices; i++) {
		const struct pdev *d = snapshot_get(a->view.snapshot, p->devices[i].bdf);

		if (p->devices[i].key[0] || !d || d->bridge || belongs(a, d->bdf))
			continue;
		(void)str_addf(&members, "%s%s (%s, %s%s)", members.len ? ", " : "", BDF_S(d->bdf),
			       pdev_class_text(pdev_class(d)), d->driver[0] ? "on " : "no driver", d->driver);
		group = d->group;
	}
	if (members.failed)
		return err_nomem(e);
	if (!members.len)
		return 0;
	if (settings->group_members == SETTINGS_MEMBERS_TAKE) {
		attach_note(a, "IOMMU group %d is not isolated; these go along, as '%s' says: %.600s", group,
			    settings->origin[SETTINGS_GROUP_MEMBERS].text, members.s);
		return 0;
	}
	return attach_refuse(a, "not-isolated", "Use a slot with a group of its own, attach these devices in the same call, or "
			     "set 'group_members = take' in /etc/pve-gpu/settings.ini.", e,
			     "IOMMU group %d is not isolated: the host would also lose %.600s", group, members.s);
}

/* --- all of it --------------------------------------------------------------------------------- */

static void find_cards(struct attach *a)
{
	for (size_t i = 0; i < a->view.plan.n_devices; i++) {
		const struct device *v = &a->view.plan.devices[i];
		const struct pdev *d = snapshot_get(a->view.snapshot, v->bdf);

		for (size_t k = 0; d && pdev_is_gpu(d) && k < a->n; k++) {
			char key[12];

			snprintf(key, sizeof(key), "device %u", (unsigned)k + 1);
			if (strcmp(v->key, key) == 0)
				a->items[k].gpu = a->gpu = true;
		}
	}
}

/* With a whole slot come functions that nobody thinks of: an APU's USB controllers. */
static void note_company(struct attach *a)
{
	for (size_t i = 0; i < a->view.plan.n_devices; i++) {
		const struct pdev *d = snapshot_get(a->view.snapshot, a->view.plan.devices[i].bdf);
		unsigned base = d ? d->class >> 16 : 0;

		if (d && a->gpu && a->view.plan.devices[i].key[0] && d->bdf.fn > 0 && base != 0x03 && base != 0x04)
			attach_note(a, "%s (%s%s%s) goes to the VM as part of the same slot; --function gives single functions",
				    BDF_S(d->bdf), pdev_class_text(pdev_class(d)), d->driver[0] ? ", on " : "", d->driver);
	}
}

/* Who named one function of several may not have meant the card. */
static void note_widened(struct attach *a)
{
	for (size_t i = 0; i < a->n; i++) {
		size_t n = 0;

		for (size_t k = 0; k < a->view.plan.n_devices; k++)
			n += str_starts(BDF_S(a->view.plan.devices[k].bdf), a->items[i].host) && a->view.plan.devices[k].key[0];
		if (a->items[i].widened && n > 1)
			attach_note(a, "'%s' stands for all %zu functions of %s; for that one alone add --function", a->items[i].arg,
				    n, a->items[i].host);
	}
}

static void check_rom(struct attach *a)
{
	const char *rom = a->c->attach.romfile;

	if (rom && !host_exists(a->c->h, host_path("/usr/share/kvm/%s", rom).s))
		attach_note(a, "there is no /usr/share/kvm/%s yet, and without it the VM does not start", rom);
}

int attach_judge(struct attach *a, struct err *e)
{
	struct settings settings;
	int r = plan_start(a, &settings, e);

	if (r == 0)
		r = take_over_refusals(a, e);
	if (r == 0)
		r = isolation(a, &settings, e);
	if (r == 0) {
		find_cards(a);
		note_widened(a);
		note_company(a);
		check_rom(a);
	}
	return r;
}
