// SPDX-License-Identifier: GPL-2.0-or-later
/* Gathering a report: see report.h. */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "holders.h"
#include "leases.h"
#include "lint.h"
#include "logscan.h"
#include "names.h"
#include "scrub.h"

/* Lines of a VM's configuration that passthrough looks at; the others are nobody's business. */
static const char *const keys[] = {
	"agent", "args", "balloon", "bios", "boot", "cores", "cpu", "efidisk", "hookscript", "hostpci", "hugepages", "kvm", "lock",
	"machine", "memory", "numa", "onboot", "ostype", "scsihw", "sockets", "template", "vga",
};

/* --- devices ----------------------------------------------------------------------------------- */

static bool is_of_card(const struct facts *f, const struct pdev *d)
{
	for (size_t i = 0; i < f->n_cards; i++)
		if (bdf_same_slot(f->cards[i].d->bdf, d->bdf))
			return true;
	return false;
}

static bool shares_with_card(const struct facts *f, const struct pdev *d)
{
	for (size_t i = 0; d->group >= 0 && i < f->n_cards; i++)
		if (f->cards[i].d->group == d->group)
			return true;
	return false;
}

static bool leads_to_card(const struct facts *f, const struct pdev *bridge)
{
	for (size_t i = 0; i < f->n_cards; i++)
		for (const struct pdev *d = f->cards[i].d; d && d->has_parent; d = snapshot_get(f->snapshot, d->parent))
			if (bdf_same(d->parent, bridge->bdf))
				return true;
	return false;
}

static bool is_shown(const struct facts *f, const struct pdev *d)
{
	return is_of_card(f, d) || shares_with_card(f, d) || leads_to_card(f, d);
}

/* Everything whose bridge is `above` (NULL: none that is shown), each followed by what is behind it. */
static int add_below(struct report *r, const struct pdev *above, unsigned depth, struct err *e)
{
	const struct snapshot *s = r->facts->snapshot;
	int status = 0;

	for (size_t i = 0; status == 0 && depth < 16 && i < snapshot_count(s); i++) {
		const struct pdev *d = snapshot_at(s, i), *up = d && d->has_parent ? snapshot_get(s, d->parent) : NULL;

		if (!d || !is_shown(r->facts, d) || (above ? !up || !bdf_same(up->bdf, above->bdf) : up && is_shown(r->facts, up)))
			continue;
		if (array_room(&r->devices, r->n_devices, &r->devices_size, sizeof(*r->devices)) < 0)
			return err_nomem(e);
		r->devices[r->n_devices++] = (struct report_device){ .d = d, .depth = depth, .card = is_of_card(r->facts, d) };
		status = add_below(r, d, depth + 1, e);
	}
	return status;
}

static int find_names(struct host *h, struct report *r, struct err *e)
{
	struct names_id *ids = calloc(r->n_devices + 1, sizeof(*ids));
	struct names *names = NULL;
	int status = ids ? 0 : err_nomem(e);

	for (size_t i = 0; ids && i < r->n_devices; i++)
		ids[i] = (struct names_id){ r->devices[i].d->vendor, r->devices[i].d->device };
	if (status == 0)
		status = names_start(h, ids, r->n_devices, &names, e);
	if (status == 0) {
		names_patience(names, 10000);
		for (size_t i = 0; i < r->n_devices; i++)
			snprintf(r->devices[i].name, sizeof(r->devices[i].name), "%s", names_get(names, i));
	}
	names_free(names);
	free(ids);
	return status;
}

/* Containers and services are found by their open nodes; VMs by lease, group or reservation. */
static void add_users(const struct facts *f, struct report_device *v)
{
	for (size_t i = 0; f->inuse && i < f->inuse->n && !v->held[0]; i++) {
		const struct inuse_finding *u = &f->inuse->v[i];

		if (bdf_same(u->bdf, v->d->bdf) && u->kind == INUSE_PROCESS)
			snprintf(v->held, sizeof(v->held), "%s", inuse_who_format(&u->who).s);
	}
}

static int find_holders(struct host *h, uint64_t now_unix, struct report *r, struct err *e)
{
	struct holders holders = HOLDERS_INIT;
	struct str notes = STR_INIT;
	int status = holders_find(h, r->facts->snapshot, now_unix, &holders, &notes, e);

	for (size_t i = 0; status == 0 && i < r->n_devices; i++) {
		struct report_device *v = &r->devices[i];
		size_t n;
		const struct holder *held = holders_of(&holders, v->d->bdf, &n);

		if (n)
			snprintf(v->held, sizeof(v->held), "%s", held->text);
		add_users(r->facts, v);
		if (!v->held[0] && !v->d->bridge)
			snprintf(v->held, sizeof(v->held), "%s", v->d->driver[0] && !v->d->vfio ? "the host" : "nobody");
	}
	holders_release(&holders);
	str_release(&notes);
	return status;
}

static int find_devices(struct host *h, uint64_t now_unix, struct report *r, struct err *e)
{
	int status = add_below(r, NULL, 0, e);

	r->n_others = snapshot_count(r->facts->snapshot) - r->n_devices;
	if (status == 0)
		status = find_names(h, r, e);
	return status == 0 ? find_holders(h, now_unix, r, e) : status;
}

/* --- VMs --------------------------------------------------------------------------------------- */

static bool is_key(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t n = strlen(keys[i]);

		if (strncmp(key, keys[i], n) == 0 && strspn(key + n, "0123456789") == strlen(key + n))
			return true;
	}
	return false;
}

static char *config_lines(const struct lint *l)
{
	const struct vmconf_section *s = vmconf_section(l->conf, VMCONF_MAIN, NULL);
	struct str text = STR_INIT;

	for (const struct vmconf_line *line = NULL; (line = vmconf_next(l->conf, s, line)); )
		if (is_key(line->key))
			(void)str_addf(&text, "%s: %s\n", line->key, line->value);
	return str_steal(&text);
}

static int add_vm(struct host *h, uint64_t now_unix, unsigned vmid, struct report *r, struct err *e)
{
	struct err why = ERR_INIT;
	struct report_vm *v;
	struct lint l;
	int status = lint_load(h, vmid, now_unix, r->facts, &l, &why);

	/* A configuration that cannot be read is told of by the lint of that VM alone. */
	if (status < 0 || l.guest.kind != GUEST_VM || !l.guest.n) {
		lint_release(&l);
		return status == -ENOMEM ? err_nomem(e) : 0;
	}
	status = 0;
	if (array_room(&r->vms, r->n_vms, &r->vms_size, sizeof(*r->vms)) < 0) {
		lint_release(&l);
		return err_nomem(e);
	}
	v = &r->vms[r->n_vms++];
	*v = (struct report_vm){ .vmid = vmid, .findings = FINDINGS_INIT, .config = config_lines(&l) };
	status = v->config ? lint_findings(&l, &v->findings, e) : err_nomem(e);
	lint_release(&l);
	return status;
}

struct ids {
	unsigned *v;
	size_t n, size;
};

static int add_id(void *arg, const char *name)
{
	struct ids *l = arg;
	char copy[16];
	size_t n = strlen(name);

	if (n < 5 || n - 5 >= sizeof(copy) || strcmp(name + n - 5, ".conf") != 0)
		return 0;
	memcpy(copy, name, n - 5);
	copy[n - 5] = '\0';
	if (array_room(&l->v, l->n, &l->size, sizeof(*l->v)) < 0)
		return -ENOMEM;
	if (str_to_vmid(copy, &l->v[l->n]) == 0)
		l->n++;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

static int find_vms(struct host *h, uint64_t now_unix, struct report *r, struct err *e)
{
	struct ids ids = { NULL, 0, 0 };
	int status = host_list(h, "/etc/pve/qemu-server", add_id, &ids);

	status = status == -ENOMEM ? err_nomem(e) : 0;	/* no Proxmox: no VMs */
	if (ids.n)
		qsort(ids.v, ids.n, sizeof(*ids.v), by_number);
	for (size_t i = 0; status == 0 && i < ids.n; i++)
		status = add_vm(h, now_unix, ids.v[i], r, e);
	free(ids.v);
	return status;
}

static int find_leases(struct host *h, struct report *r, struct err *e)
{
	struct str text = STR_INIT;
	struct err why = ERR_INIT;
	unsigned *ids = NULL;
	size_t n = 0;

	if (lease_list(h, &ids, &n, &why) < 0)
		(void)str_addf(&text, "%s\n", why.msg);
	for (size_t i = 0; i < n; i++) {
		struct leased l = LEASED_INIT;

		if (leased_look(h, &guest_world, ids[i], &l, &why) == 0)
			(void)str_addf(&text, "VM %u: %s\n", ids[i], l.text);
		leased_release(&l);
	}
	free(ids);
	if (text.failed) {
		str_release(&text);
		return err_nomem(e);
	}
	r->leases = text.len ? str_steal(&text) : NULL;
	str_release(&text);
	return 0;
}

/* --- all of it --------------------------------------------------------------------------------- */

static int find_findings(struct host *h, struct report *r, struct err *e)
{
	struct logscan *s = NULL;
	int status = findings_of_host(r->facts, &r->findings, e);

	if (status == 0)
		status = logscan_new(&s, e);
	if (status == 0) {
		logscan_keep(s);
		status = logscan_read(h, s, &r->findings, e);
		r->log = *logscan_kept(s) ? strdup(logscan_kept(s)) : NULL;
		findings_sort(&r->findings);
	}
	logscan_free(s);
	return status;
}

static int scrub_findings(struct findings *l)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->n; i++) {
		r = scrub_string(&l->v[i].text);
		if (r == 0)
			r = scrub_string(&l->v[i].evidence);
	}
	return r;
}

static int scrub_report(struct report *r, struct err *e)
{
	int status = scrub_findings(&r->findings);

	for (size_t i = 0; status == 0 && i < r->n_vms; i++) {
		status = scrub_string(&r->vms[i].config);
		if (status == 0)
			status = scrub_findings(&r->vms[i].findings);
	}
	if (status == 0)
		status = scrub_string(&r->log);
	return status < 0 ? err_nomem(e) : 0;
}

int report_make(struct host *h, uint64_t now_unix, struct report *ret, struct err *e)
{
	int r;

	*ret = (struct report){ .findings = FINDINGS_INIT };
	r = facts_load(h, &ret->facts, e);
	if (r == 0)
		r = find_findings(h, ret, e);
	if (r == 0)
		r = find_devices(h, now_unix, ret, e);
	if (r == 0)
		r = find_vms(h, now_unix, ret, e);
	if (r == 0)
		r = find_leases(h, ret, e);
	return r == 0 ? scrub_report(ret, e) : r;
}

void report_release(struct report *r)
{
	for (size_t i = 0; i < r->n_vms; i++) {
		free(r->vms[i].config);
		findings_release(&r->vms[i].findings);
	}
	free(r->vms);
	free(r->devices);
	free(r->leases);
	free(r->log);
	findings_release(&r->findings);
	facts_free(r->facts);
	memset(r, 0, sizeof(*r));
}
