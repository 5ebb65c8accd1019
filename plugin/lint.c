// SPDX-License-Identifier: GPL-2.0-or-later
/* A VM's configuration under the eye of the doctor: see lint.h. */
#include "lint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hookscript.h"

#define ROM_FOLDER "/usr/share/kvm"

const struct lint_rule *const lint_tables[] = { lint_start_rules, lint_guest_rules, lint_speed_rules, NULL };

static int load_config(struct host *h, struct lint *l, struct err *e)
{
	char *text;
	size_t len;
	int r;

	snprintf(l->path, sizeof(l->path), "/etc/pve/qemu-server/%u.conf", l->vmid);
	r = host_read_file(h, l->path, VMCONF_SIZE_MAX, &text, &len);
	if (r < 0)
		return err_set(e, -r, "cannot read '%s': %s", l->path, err_text(r));
	r = vmconf_parse(text, len, &l->conf, e);
	free(text);
	return r;
}

/* That a start cannot be planned is a finding, and the rest is worth knowing all the same. */
static void plan_start(struct host *h, struct lint *l, uint64_t now_unix)
{
	struct settings settings;
	struct guest_input in = { .settings = &settings, .now_unix = now_unix };
	struct hookscript hook;
	struct err e = ERR_INIT, none = ERR_INIT;
	int r;

	(void)!hookscript_find(h, l->vmid, &hook, &none);
	l->hookscript = hook.volid[0];
	r = settings_load(h, hook.folder[0] ? hook.folder : NULL, l->vmid, &settings, &e);
	if (r == 0 && guest_has_devices(&l->guest))
		r = guest_plan(h, &l->guest, &in, &l->view, &e);
	if (r < 0)
		snprintf(l->unplanned, sizeof(l->unplanned), "%s", e.msg);
}

/* pve-docs: romfile is relative to /usr/share/kvm. */
static void look_for_roms(struct host *h, struct lint *l)
{
	for (size_t i = 0; i < l->guest.n; i++) {
		const char *name = l->guest.pci[i].pci.romfile;

		if (name && !host_exists(h, host_path(ROM_FOLDER "/%s", name).s))
			l->romfiles[i] = name;
	}
}

/* Proxmox takes a mediated device away with its VM, and does not where the host or the task died first. */
static void look_for_mdevs(struct host *h, struct lint *l)
{
	struct lease_process qemu;
	struct err ignored = ERR_INIT;

	if (guest_qemu(h, l->vmid, &qemu, &ignored) != 0)
		return;
	for (size_t i = 0; i < l->guest.n; i++) {
		uint64_t index;
		struct host_path path;

		if (!l->guest.pci[i].pci.mdev || str_to_u64(l->guest.pci[i].key + strlen("hostpci"), 10, &index) < 0)
			continue;
		path = pdev_mdev_path((unsigned)index, l->vmid);
		if (host_exists(h, path.s))
			l->mdevs[i] = path;
	}
}

int lint_load(struct host *h, unsigned vmid, uint64_t now_unix, const struct facts *facts, struct lint *ret,
	      struct err *e)
{
	int r;

	*ret = (struct lint){ .vmid = vmid, .facts = facts, .view = GUEST_VIEW_INIT };
	r = guest_load(h, vmid, NULL, &ret->guest, e);
	if (r < 0 || ret->guest.kind != GUEST_VM)
		return r;
	r = load_config(h, ret, e);
	if (r == 0) {
		plan_start(h, ret, now_unix);
		look_for_roms(h, ret);
		look_for_mdevs(h, ret);
	}
	return r;
}

void lint_release(struct lint *l)
{
	guest_view_release(&l->view);
	guest_release(&l->guest);
	vmconf_free(l->conf);
	l->conf = NULL;
}

int lint_findings(const struct lint *l, struct findings *f, struct err *e)
{
	*f = (struct findings)FINDINGS_INIT;
	for (size_t i = 0; lint_tables[i]; i++)
		for (const struct lint_rule *r = lint_tables[i]; r->id; r++)
			r->check(l, r, f);
	if (f->failed) {
		findings_release(f);
		return err_nomem(e);
	}
	findings_sort(f);
	return 0;
}

/* --- for the rules ------------------------------------------------------------------------------- */

const char *lint_get(const struct lint *l, const char *key)
{
	return vmconf_current(l->conf, key);
}

bool lint_prop(const struct lint *l, const struct propfmt *fmt, const char *key, const char *name, char *buf,
	       size_t size)
{
	const char *value = lint_get(l, key);
	const struct slice *s;
	struct propstr p;
	struct err e = ERR_INIT;

	if (!value || propstr_parse(fmt, value, strlen(value), NULL, &p, &e) < 0)
		return false;
	s = propstr_get(&p, name);
	if (!s || !s->s || s->len >= size)
		return false;
	memcpy(buf, s->s, s->len);
	buf[s->len] = '\0';
	return true;
}

bool lint_is_on(const struct lint *l, const char *key, bool preset)
{
	const char *value = lint_get(l, key);

	return value ? strcmp(value, "0") != 0 : preset;
}

struct finding_text lint_seen(const struct lint *l, const char *key)
{
	const struct vmconf_section *s = vmconf_section(l->conf, VMCONF_MAIN, NULL);
	const struct vmconf_line *line = vmconf_find(l->conf, s, key);

	if (!line)
		return finding_text("%s has no '%s'", l->path, key);
	return finding_text("%s:%zu: %.*s", l->path, (size_t)(line - l->conf->lines) + 1,
			    (int)(line->len < 300 ? line->len : 300), l->conf->bytes + line->off);
}

struct finding_text lint_set(const struct lint *l, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return finding_text("qm set %u --%s", l->vmid, text);
}

bool lint_is_q35(const struct lint *l)
{
	char type[64];

	return lint_prop(l, &schema_format_machine, "machine", "type", type, sizeof(type)) && strstr(type, "q35");
}

bool lint_is_ovmf(const struct lint *l)
{
	const char *bios = lint_get(l, "bios");

	return bios && strcmp(bios, "ovmf") == 0;
}

bool lint_is_windows(const struct lint *l)
{
	const char *os = lint_get(l, "ostype");

	return os && os[0] == 'w';
}

uint64_t lint_memory(const struct lint *l)
{
	char text[32];
	uint64_t v;

	if (!lint_prop(l, &schema_format_memory, "memory", "current", text, sizeof(text)) || str_to_u64(text, 10, &v) < 0)
		return 512;
	return v;
}

const struct device *lint_card(const struct lint *l, size_t i)
{
	for (size_t k = 0; k < l->view.plan.n_devices; k++) {
		const struct device *v = &l->view.plan.devices[k];

		if (v->class >> 16 == 0x03 && v->key[0] && i-- == 0)
			return v;
	}
	return NULL;
}

const struct card *lint_facts_of(const struct lint *l, const struct device *v)
{
	for (size_t i = 0; i < l->facts->n_cards; i++)
		if (bdf_same(l->facts->cards[i].d->bdf, v->bdf))
			return &l->facts->cards[i];
	return NULL;
}
