// SPDX-License-Identifier: GPL-2.0-or-later
/* What an attach writes: see attach.h.  Runs under the VM's lock, on the config as it is then. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "propset.h"

static struct host_path slot_key(unsigned i)
{
	return host_path("hostpci%u", i);
}

static bool is_word(const char *option, const char *word)
{
	return option && strcmp(option, word) == 0;
}

/* --- slots ------------------------------------------------------------------------------------- */

static bool is_used(const struct vmconf *c, const char *key)
{
	return vmconf_current(c, key) || vmedit_effective(c, key);
}

/* A line of this name that Proxmox drops: it may be used, but somebody will look for it there. */
static bool is_littered(const struct vmconf *c, const char *key)
{
	for (size_t i = 0; i < c->sections[0].end; i++)
		if (c->lines[i].verdict == VMCONF_DROPPED && c->lines[i].key && strcmp(c->lines[i].key, key) == 0)
			return true;
	return false;
}

static int next_free(const struct vmconf *c, bool tidy)
{
	for (unsigned i = 0; i < HOSTPCI_MAX; i++)
		if (!is_used(c, slot_key(i).s) && !(tidy && is_littered(c, slot_key(i).s)))
			return (int)i;
	return -1;
}

static int choose_slot(struct attach *a, const struct vmconf *c, size_t item, struct err *e)
{
	const char *wish = item == 0 ? a->c->attach.slot : NULL;
	uint64_t n = 0;
	int free_slot;

	if (wish && str_to_u64(wish, 10, &n) == 0) {
		if (is_used(c, slot_key((unsigned)n).s))
			return err_set(e, EPERM, "hostpci%u of VM %u is taken (%.200s); nothing was changed. Without --slot the "
				       "next free one is used", (unsigned)n, a->vmid,
				       vmedit_effective(c, slot_key((unsigned)n).s) ? vmedit_effective(c, slot_key((unsigned)n).s) :
				       "until its removal takes effect");
		return (int)n;
	}
	free_slot = next_free(c, true);
	if (free_slot < 0)
		free_slot = next_free(c, false);
	if (free_slot < 0)
		return err_set(e, EPERM, "VM %u has %d devices already, and Proxmox knows no more than that; nothing was "
			       "changed. Take one out: pve-gpu detach %u hostpciN", a->vmid, HOSTPCI_MAX, a->vmid);
	return free_slot;
}

/* --- what is there already --------------------------------------------------------------------- */

static bool is_same(const struct attach *a, const struct attach_item *item, const struct hostpci *p)
{
	bool same = item->mapping && p->mapping && strcmp(item->mapping, p->mapping) == 0;

	for (size_t i = 0; !item->mapping && i < p->n_ids; i++)
		for (size_t k = 0; k < a->view.plan.n_devices; k++) {
			const char *name = BDF_S(a->view.plan.devices[k].bdf);

			same |= a->view.plan.devices[k].key[0] && str_starts(name, item->host) &&
				hostpci_id_matches(p->ids[i].text, name);
		}
	return same;
}

static int check_entry(struct attach *a, const char *key, const struct hostpci *p, struct err *e)
{
	for (size_t k = 0; k < a->n; k++)
		if (is_same(a, &a->items[k], p))
			return err_set(e, EPERM, "VM %u has %s already, as %s; nothing was changed. Take it out first: pve-gpu "
				       "detach %u %s", a->vmid, a->items[k].arg, key, a->vmid, key);
	if (p->x_vga && a->c->attach.primary)
		return err_set(e, EPERM, "%s of VM %u is its primary card already (x-vga=1), and a guest has one; nothing was "
			       "changed. Leave out --primary", key, a->vmid);
	return 0;
}

static int check_present(struct attach *a, const struct vmconf *c, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < HOSTPCI_MAX; i++) {
		struct hostpci p = HOSTPCI_INIT;
		const char *value = vmedit_effective(c, slot_key(i).s);
		struct err ignored = ERR_INIT;

		if (!value || hostpci_parse(value, strlen(value), &p, &ignored) < 0)
			continue;
		r = check_entry(a, slot_key(i).s, &p, e);
		hostpci_release(&p);
	}
	return r;
}

/* --- machine, firmware, CPU, display ----------------------------------------------------------- */

static bool has_q35(const struct vmconf *c)
{
	const char *machine = vmedit_effective(c, "machine");

	return machine && strstr(machine, "q35");
}

/* "pc-i440fx-9.2+pve1" becomes "pc-q35-9.2+pve1": Windows guests keep the version they are pinned to. */
static int to_q35(const char *machine, struct str *ret)
{
	_cleanup_(str_release) struct str type = STR_INIT;
	const struct slice *old;
	struct propstr p;
	struct err ignored = ERR_INIT;

	if (propstr_parse(&schema_format_machine, machine, strlen(machine), NULL, &p, &ignored) < 0)
		return str_add(ret, "q35");
	old = propstr_get(&p, "type");
	if (old && old->len > 10 && memcmp(old->s, "pc-i440fx-", 10) == 0)
		(void)str_addf(&type, "pc-q35-%.*s", (int)old->len - 10, old->s + 10);
	else
		(void)str_add(&type, "q35");
	return propset(&schema_format_machine, machine, "type", type.s, ret);
}

static int edit_machine(struct attach *a, struct vmedit *ed, struct err *e)
{
	const char *machine = vmedit_effective(ed->now, "machine"), *arch = vmedit_effective(ed->now, "arch");
	_cleanup_(str_release) struct str q35 = STR_INIT;

	if (is_word(a->c->attach.machine, "keep") || has_q35(ed->now))
		return 0;
	if (!a->c->attach.machine && (!a->gpu || (arch && strcmp(arch, "x86_64") != 0)))
		return 0;
	if (!a->c->attach.machine && machine) {
		attach_note(a, "the machine type stays '%.100s', so the card is plain PCI to the guest; --machine q35 makes it "
			    "PCI-Express (an installed Windows may want its network set up again)", machine);
		return 0;
	}
	if (machine && to_q35(machine, &q35) < 0)
		return err_nomem(e);
	return vmedit_put(ed, "machine", machine ? q35.s : "q35", e);
}

/* The storage of the VM's first disk; a fair guess at where its EFI disk should lie. */
static void guess_storage(const struct vmconf *c, char *buf, size_t size)
{
	snprintf(buf, size, "STORAGE");
	for (const struct vmconf_line *line = NULL; (line = vmconf_next(c, c->sections, line)); ) {
		size_t n = strcspn(line->value, ":,=");

		if (schema_is_drive(line->key, strlen(line->key)) && line->value[n] == ':' && !strstr(line->value, "media=cdrom") &&
		    n > 1 && line->value[0] != '/') {
			snprintf(buf, size, "%.*s", (int)n, line->value);
			return;
		}
	}
}

static void note_efidisk(struct attach *a, const struct vmconf *c)
{
	char storage[128];

	if (vmedit_effective(c, "efidisk0"))
		return;
	guess_storage(c, storage, sizeof(storage));
	attach_note(a, "OVMF forgets its settings without an EFI disk, and only Proxmox can make one: qm set %u --efidisk0 "
		    "%s:1,efitype=4m,pre-enrolled-keys=0", a->vmid, storage);
}

static int edit_bios(struct attach *a, struct vmedit *ed, struct err *e)
{
	const char *bios = vmedit_effective(ed->now, "bios");

	if (is_word(bios, "ovmf")) {
		if (a->gpu || a->c->attach.bios)
			note_efidisk(a, ed->now);
		return 0;
	}
	if (is_word(a->c->attach.bios, "ovmf")) {
		note_efidisk(a, ed->now);
		return vmedit_put(ed, "bios", "ovmf", e);
	}
	if (a->gpu && !a->c->attach.bios)
		attach_note(a, "the firmware stays SeaBIOS. Cards work best with OVMF, but a guest that was installed under SeaBIOS "
			    "does not boot under OVMF: for a new guest add --bios ovmf");
	return 0;
}

static int edit_cpu(struct attach *a, struct vmedit *ed, struct err *e)
{
	const char *cpu = vmedit_effective(ed->now, "cpu");
	_cleanup_(str_release) struct str host = STR_INIT;

	if (!cpu && !is_word(a->c->attach.cpu, "keep") && (a->gpu || a->c->attach.cpu))
		return vmedit_put(ed, "cpu", "host", e);
	if (!cpu || !is_word(a->c->attach.cpu, "host"))
		return 0;
	if (propset(&schema_format_cpu, cpu, "cputype", "host", &host) < 0)
		return err_nomem(e);
	return vmedit_put(ed, "cpu", host.s, e);
}

/* Proxmox takes the emulated display away by itself when there is a primary card; said here, it is seen. */
static int edit_display(struct attach *a, struct vmedit *ed, struct err *e)
{
	const char *vga = vmedit_effective(ed->now, "vga"), *wish = a->c->attach.display;

	if (!wish && (!a->c->attach.primary || vga)) {
		if (a->c->attach.primary && strncmp(vga, "none", 4) != 0)
			attach_note(a, "the emulated display stays ('vga: %.80s'), and the guest will show its first picture there; "
				    "--display none takes it away", vga);
		return 0;
	}
	if (is_word(wish, "keep"))
		return 0;
	return vmedit_put(ed, "vga", wish ? wish : "none", e);
}

/* --- devices ----------------------------------------------------------------------------------- */

static int put_item(struct attach *a, struct vmedit *ed, size_t i, bool primary, struct err *e)
{
	struct attach_item *item = &a->items[i];
	struct hostpci_id id = { .text = item->host };
	struct hostpci p = HOSTPCI_INIT;
	_cleanup_(str_release) struct str value = STR_INIT;
	int slot = choose_slot(a, ed->now, i, e);

	if (slot < 0)
		return slot;
	p.ids = &id;
	p.n_ids = item->mapping ? 0 : 1;
	p.mapping = item->mapping;
	p.pcie = has_q35(ed->now) && !a->c->attach.no_pcie;
	p.rombar = p.has_rombar = !a->c->attach.no_rombar;
	p.has_rombar = a->c->attach.no_rombar;
	p.romfile = a->c->attach.romfile;
	p.x_vga = primary;
	if (hostpci_format(&p, &value) < 0)
		return err_nomem(e);
	snprintf(item->key, sizeof(item->key), "hostpci%u", (unsigned)slot % HOSTPCI_MAX);
	return vmedit_put(ed, item->key, value.s, e);
}

/* The primary card is the first card; where none is known to be one, the first device. */
static size_t primary_item(const struct attach *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->items[i].gpu)
			return i;
	return 0;
}

static int edit_devices(struct attach *a, struct vmedit *ed, struct err *e)
{
	int r = check_present(a, ed->now, e);

	for (size_t i = 0; r == 0 && i < a->n; i++)
		r = put_item(a, ed, i, a->c->attach.primary && i == primary_item(a), e);
	return r;
}

/* What to do about the hookscript was decided before the lock was taken. */
static int edit_hook(struct attach *a, struct vmedit *ed, struct err *e)
{
	const char *seen = vmedit_effective(a->seen, "hookscript"), *now = vmedit_effective(ed->now, "hookscript");

	if (!a->c->attach.no_hook && (seen && now ? strcmp(seen, now) != 0 : seen != now))
		return err_set(e, EWOULDBLOCK, "the hookscript of VM %u was changed meanwhile (now '%.200s'); nothing was changed. Try "
			       "again", a->vmid, now ? now : "");
	return a->hook.s[0] ? vmedit_put(ed, "hookscript", a->hook.s, e) : 0;
}

static int edit_hidden(struct attach *a, struct vmedit *ed, struct err *e)
{
	return a->c->attach.hide_hypervisor ? attach_hide(a, ed, e) : 0;
}

int attach_edit(void *arg, struct vmedit *ed, struct err *e)
{
	static int (*const edits[])(struct attach *a, struct vmedit *ed, struct err *e) = {
		edit_machine, edit_bios, edit_cpu, edit_hidden, edit_display, edit_devices, edit_hook,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(edits); i++)
		r = edits[i](arg, ed, e);
	return r;
}

size_t attach_keys(const struct attach *a, const char *keys[ATTACH_KEYS])
{
	static const char *const settings[] = { "machine", "bios", "cpu", "args", "vga", "hookscript" };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		keys[n++] = settings[i];
	for (size_t i = 0; i < a->n; i++)
		keys[n++] = a->items[i].key;
	return n;
}
