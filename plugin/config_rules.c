// SPDX-License-Identifier: GPL-2.0-or-later
/* What is wrong with a hostpci line: see config_rules.h. */
#include "config_rules.h"

#include <ctype.h>
#include <string.h>

struct look {
	struct config_look *l;
	struct config_entry *en;
	const struct hostpci *p;
};

/* A value of the section that was asked for; what waits for the next start counts on what there is now. */
static const char *value_of(const struct look *k, const char *key)
{
	if (k->l->section->kind == VMCONF_PENDING)
		return vmedit_effective(k->l->conf, key);
	return vmconf_get(k->l->conf, k->l->section, key);
}

static bool is_q35(const struct look *k)
{
	const char *machine = value_of(k, "machine");

	return machine && strstr(machine, "q35");
}

static bool has_gpu(const struct look *k)
{
	for (size_t i = 0; i < k->en->n_devices; i++)
		if (k->en->devices[i].d && pdev_is_gpu(k->en->devices[i].d))
			return true;
	return false;
}

static void say(struct look *k, const char *text)
{
	(void)str_addf(&k->en->problems, "%s\n", text);
}

/* --- lines that Proxmox drops ------------------------------------------------------------------ */

static bool parses(const char *text, size_t len)
{
	struct propstr p;
	struct err ignored = ERR_INIT;

	return propstr_parse(&hostpci_fmt, text, len, NULL, &p, &ignored) == 0;
}

/* Would it be fine in lower case, or without its blanks?  Then that is what is wrong. */
static void dropped(struct look *k)
{
	struct str lower = STR_INIT, tight = STR_INIT;

	if (k->en->ok)
		return;
	for (size_t i = 0; i < k->en->value_len; i++) {
		char c = (char)tolower((unsigned char)k->en->value[i]);

		(void)str_addn(&lower, &c, 1);
		if (k->en->value[i] != ' ' && k->en->value[i] != '\t')
			(void)str_addn(&tight, k->en->value + i, 1);
	}
	if (parses(lower.s, lower.len))
		say(k, "addresses and options are written in lower case: Proxmox takes no other");
	else if (parses(tight.s, tight.len))
		say(k, "there may be no blank behind a comma, nor anywhere else: Proxmox takes it for part of a name");
	str_release(&lower);
	str_release(&tight);
}

/* --- lines that it takes ----------------------------------------------------------------------- */

static void start(struct look *k)
{
	struct err why = ERR_INIT;

	if (k->en->ok && hostpci_check_start(k->en->value, k->en->value_len, &why) < 0)
		(void)str_addf(&k->en->problems, "%s, so the VM does not start\n", why.msg);
}

static void pcie(struct look *k)
{
	if (k->p->pcie && !is_q35(k))
		say(k, "pcie=1 needs the machine type q35, and this VM has i440fx, so it does not start: remove pcie=1 "
		       "or set 'machine: q35'");
}

static void primary_alone(struct look *k)
{
	if (!k->p->x_vga)
		return;
	for (size_t i = 0; i < k->l->n; i++)
		if (&k->l->list[i] != k->en && k->l->parsed[i].x_vga)
			(void)str_addf(&k->en->problems, "x-vga=1 is also in %s: a guest has one primary card\n",
				       k->l->list[i].key);
}

static void primary_display(struct look *k)
{
	const char *vga = value_of(k, "vga");

	if (k->p->x_vga && vga && strncmp(vga, "none", 4) != 0 && strncmp(vga, "serial", 6) != 0)
		say(k, "x-vga=1 makes this the primary card, but 'vga:' gives the guest another display, which it will use "
		       "first: set 'vga: none'");
}

static void primary_rom(struct look *k)
{
	if (k->p->x_vga && !k->p->rombar)
		say(k, "rombar=0 hides the ROM that a primary card (x-vga=1) starts with: the screen stays black");
}

static void primary_kind(struct look *k)
{
	if (k->p->x_vga && k->en->n_devices && k->en->devices[0].d && !has_gpu(k))
		say(k, "x-vga=1 is for graphics cards, and this is none");
}

static void rom_unused(struct look *k)
{
	if (k->p->romfile && !k->p->rombar)
		say(k, "romfile has no effect together with rombar=0");
}

static void rom_missing(struct look *k)
{
	if (k->p->romfile && k->l->here && !host_exists(k->l->h, host_path("/usr/share/kvm/%s", k->p->romfile).s))
		(void)str_addf(&k->en->problems, "there is no /usr/share/kvm/%s, so the VM does not start\n", k->p->romfile);
}

static void igd(struct look *k)
{
	const char *vga = value_of(k, "vga");

	if (!k->p->legacy_igd)
		return;
	if (is_q35(k))
		say(k, "legacy-igd=1 needs the machine type i440fx");
	if (!vga || strncmp(vga, "none", 4) != 0)
		say(k, "legacy-igd=1 needs 'vga: none'");
	if (k->p->x_vga || k->p->mdev || !k->p->rombar)
		say(k, "legacy-igd=1 goes with none of x-vga=1, mdev and rombar=0");
	if (k->p->n_ids != 1)
		say(k, "legacy-igd=1 is for one single function, xx:02.0");
}

/* Functions of the slot that the guest does not get: its sound is often one of them. */
static void half_a_card(struct look *k)
{
	if (!k->l->snapshot || !has_gpu(k))
		return;
	for (size_t i = 0; i < snapshot_count(k->l->snapshot); i++) {
		struct bdf a = snapshot_address(k->l->snapshot, i);
		bool slot = false, mine = false;

		for (size_t n = 0; n < k->en->n_devices; n++) {
			slot |= bdf_same_slot(a, k->en->devices[n].bdf) && k->en->devices[n].d && !k->en->devices[n].d->is_vf;
			mine |= bdf_same(a, k->en->devices[n].bdf);
		}
		for (size_t n = 0; n < k->l->n; n++)
			for (size_t m = 0; m < k->l->list[n].n_devices; m++)
				mine |= bdf_same(a, k->l->list[n].devices[m].bdf);
		if (slot && !mine)
			(void)str_addf(&k->en->problems, "%s is part of the same card, and the guest does not get it: leave "
				       "the function out of the address (%.*s)\n", BDF_S(a), (int)strlen(BDF_S(a)) - 2, BDF_S(a));
	}
}

static bool shares_device(const struct config_entry *a, const struct config_entry *b)
{
	for (size_t i = 0; i < a->n_devices; i++)
		for (size_t k = 0; k < b->n_devices; k++)
			if (bdf_same(a->devices[i].bdf, b->devices[k].bdf))
				return true;
	return false;
}

static void twice(struct look *k)
{
	for (size_t i = 0; i < k->l->n; i++)
		if (&k->l->list[i] != k->en && k->p->n_ids && k->l->parsed[i].n_ids &&
		    shares_device(k->en, &k->l->list[i]))
			(void)str_addf(&k->en->problems, "%s names the same device, so the VM does not start\n",
				       k->l->list[i].key);
}

static void (*const rules[])(struct look *k) = {
	dropped, start, pcie, primary_alone, primary_display, primary_rom, primary_kind, rom_unused, rom_missing, igd,
	half_a_card, twice,
};

int config_rules(struct config_look *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		struct look k = { l, &l->list[i], &l->parsed[i] };

		for (size_t r = 0; r < ARRAY_SIZE(rules); r++)
			rules[r](&k);
		if (l->list[i].problems.failed)
			return err_nomem(e);
	}
	return 0;
}
