// SPDX-License-Identifier: GPL-2.0-or-later
/* VM id to plan: see guest.h. */
#include "guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "bar.h"
#include "guest_int.h"
#include "guestlock.h"
#include "inuse.h"
#include "needs.h"
#include "quirkfile.h"
#include "reservation.h"
#include "reset.h"
#include "resolve.h"
#include "running.h"
#include "scout.h"
#include "units.h"
#include "vfs.h"
#include "vmconf.h"

#define SCOUT_MS 8000

void guest_release(struct guest *g)
{
	for (size_t i = 0; i < g->n; i++) {
		hostpci_release(&g->pci[i].pci);
		free(g->pci[i].value);
	}
	str_release(&g->notes);
	g->n = 0;
}

bool guest_has_devices(const struct guest *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (!g->pci[i].left_alone)
			return true;
	return false;
}

/* --- the configuration --------------------------------------------------------------------------- */

/* A node's name comes from the environment: it becomes part of a path. */
static bool good_node(const char *name)
{
	return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
	       strlen(name);
}

static int read_config(struct host *h, unsigned vmid, const char *node, char **ret, size_t *ret_len,
		       struct host_path *ret_path, struct err *e)
{
	int r;

	*ret_path = host_path("/etc/pve/qemu-server/%u.conf", vmid);
	if (node && *node) {
		if (!good_node(node))
			return err_set(e, EINVAL, "PVE_MIGRATED_FROM='%.64s' is no node's name", node);
		*ret_path = host_path("/etc/pve/nodes/%s/qemu-server/%u.conf", node, vmid);
	}
	r = host_read_file(h, ret_path->s, VMCONF_SIZE_MAX, ret, ret_len);
	if (r == -ENOENT && node && *node) {	/* the migration is over: the file has moved here */
		*ret_path = host_path("/etc/pve/qemu-server/%u.conf", vmid);
		r = host_read_file(h, ret_path->s, VMCONF_SIZE_MAX, ret, ret_len);
	}
	if (r == 0 || r == -ENOENT)
		return r;
	return err_set(e, -r, "cannot read the configuration '%s': %s%s", ret_path->s,
		       r == -EINVAL ? "it is no regular file" : err_text(r),
		       r == -ENOTCONN ? " (is pve-cluster.service running?)" :
		       r == -EFBIG ? " (more than 1 MiB; Proxmox cannot hold such a file)" : "");
}

static int add_pci(struct guest *g, unsigned index, const char *value, struct err *e)
{
	struct guest_pci *p = &g->pci[g->n];
	struct err mine = ERR_INIT;
	int r;

	snprintf(p->key, sizeof(p->key), "hostpci%u", index);
	p->pci = (struct hostpci)HOSTPCI_INIT;
	r = hostpci_parse(value, strlen(value), &p->pci, &mine);
	if (r == -ENOMEM)
		return err_nomem(e);
	if (r < 0)	/* the reader keeps no such line; should it ever, Proxmox cannot start the VM */
		return err_set(e, -r, "%s: %s", p->key, mine.msg);
	p->value = strdup(value);
	g->n++;
	if (!p->value)
		return err_nomem(e);
	p->left_alone = p->pci.mdev || p->pci.driver == HOSTPCI_KEEP;
	return 0;
}

/* A device line that Proxmox's reader throws away: the VM will start without that device. */
static void note_dropped(struct guest *g, const struct vmconf *c)
{
	for (size_t i = 0; i < c->n_lines; i++) {
		const struct vmconf_line *line = &c->lines[i];
		struct err why = ERR_INIT;

		if (c->sections[line->section].kind != VMCONF_MAIN || line->verdict != VMCONF_DROPPED || !line->key ||
		    strncmp(line->key, "hostpci", 7) != 0)
			continue;
		(void)vmconf_explain(c, line, NULL, &why);
		(void)str_add(&g->notes, "line ");
		(void)str_addf(&g->notes, "%zu of the configuration ('", i + 1);
		(void)str_add_safe(&g->notes, line->key);
		(void)str_add(&g->notes, "') is thrown away by Proxmox: ");
		(void)str_add(&g->notes, why.msg);
		(void)str_add(&g->notes, "\n");
	}
}

static int read_devices(struct guest *g, const struct vmconf *c, struct err *e)
{
	const char *template = vmconf_current(c, "template"), *lock = vmconf_current(c, "lock");
	int r = 0;

	g->backup = lock && strcmp(lock, "backup") == 0;

	if (template && strcmp(template, "1") == 0)
		g->kind = GUEST_TEMPLATE;
	for (unsigned i = 0; r == 0 && i < HOSTPCI_MAX; i++) {
		char key[12];
		const char *value;

		snprintf(key, sizeof(key), "hostpci%u", i);
		value = vmconf_current(c, key);
		/* To Perl "" and "0" are no value: Proxmox passes over them. */
		if (value && *value && strcmp(value, "0") != 0)
			r = add_pci(g, i, value, e);
	}
	note_dropped(g, c);
	return r;
}

int guest_load(struct host *h, unsigned vmid, const char *migrated_from, struct guest *ret,
	       struct err *e)
{
	struct guest g = { .vmid = vmid, .kind = GUEST_VM, .notes = STR_INIT };
	struct vmconf *c = NULL;
	struct host_path path;
	char *text;
	size_t len;
	int r = read_config(h, vmid, migrated_from, &text, &len, &path, e);

	if (r == -ENOENT && host_exists(h, host_path("/etc/pve/lxc/%u.conf", vmid).s)) {
		g.kind = GUEST_CONTAINER;
		*ret = g;
		return 0;
	}
	if (r == -ENOENT)
		return err_set(e, ENOENT, "there is no VM %u on this node: '%s' does not exist%s", vmid, path.s,
			       host_exists(h, "/etc/pve/local") ? "" : " (and /etc/pve is not mounted: is "
			       "pve-cluster.service running?)");
	if (r < 0)
		return r;
	r = vmconf_parse(text, len, &c, e);
	free(text);
	if (r == 0)
		r = read_devices(&g, c, e);
	vmconf_free(c);
	if (r < 0)
		guest_release(&g);
	else
		*ret = g;
	return r < 0 ? err_wrap(e, "configuration of VM %u", vmid) : 0;
}

int guest_nobody(struct host *h, struct bdf bdf, bool whole, struct guest *ret, struct err *e)
{
	struct guest g = { .vmid = GUEST_NOBODY, .kind = GUEST_VM, .notes = STR_INIT };
	char value[24];
	int r;

	if (host_exists(h, host_path("/etc/pve/qemu-server/%u.conf", GUEST_NOBODY).s))
		return err_set(e, EEXIST, "there is a VM %u; this command needs that number for itself", GUEST_NOBODY);
	snprintf(value, sizeof(value), "%s", BDF_S(bdf));
	if (whole)
		*strrchr(value, '.') = '\0';
	r = add_pci(&g, 0, value, e);
	if (r < 0)
		guest_release(&g);
	else
		*ret = g;
	return r;
}

/* --- the plan ------------------------------------------------------------------------------------ */

void guest_view_release(struct guest_view *v)
{
	snapshot_freep(&v->snapshot);
	inuse_free(v->inuse);
	v->inuse = NULL;
	plan_release(&v->plan);
}

struct holds { struct hold *list; size_t n, size; };

static int add_hold(struct holds *o, struct bdf bdf, unsigned vmid, const char *who)
{
	if (array_room(&o->list, o->n, &o->size, sizeof(*o->list)) < 0)
		return -ENOMEM;
	o->list[o->n] = (struct hold){ .bdf = bdf, .vmid = vmid };
	snprintf(o->list[o->n++].who, sizeof(o->list->who), "%s", who);
	return 0;
}

static int leased(struct holds *o, const struct guest_input *in)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < in->n_holds; i++) {
		r = add_hold(o, in->holds[i].bdf, in->holds[i].vmid, in->holds[i].who);
		if (r == 0)
			o->list[o->n - 1].hangs = in->holds[i].hangs;
	}
	return r;
}

/* Proxmox's own reservations, where they are in force. */
static int reserved(struct host *h, const struct guest *g, const struct guest_input *in,
		    const struct bdf *fns, size_t n, struct holds *o, struct err *e)
{
	struct reservations list = RESERVATIONS_INIT;
	int r = reservation_load(h, &list, e);

	for (size_t i = 0; r >= 0 && i < list.n; i++) {
		const struct reservation *v = &list.list[i];
		char who[160];

		if (v->vmid == g->vmid)
			continue;
		r = reservation_in_force(h, v, in->now_unix, e);
		if (v->kind == RESERVATION_PID)
			snprintf(who, sizeof(who), "VM %u, which is running (pid %llu)", v->vmid,
				 (unsigned long long)v->value);
		else
			snprintf(who, sizeof(who), "VM %u, for which Proxmox has reserved it (its start is under way)",
				 v->vmid);
		for (size_t k = 0; r > 0 && k < n; k++)
			if (reservation_covers(v, fns[k]) && add_hold(o, fns[k], v->vmid, who) < 0)
				r = err_nomem(e);
	}
	reservation_release(&list);
	return r < 0 ? r : 0;
}

/* A function can be open through VFIO only while its driver is a VFIO one. */
static int vfio_groups(const struct snapshot *s, const struct bdf *fns, size_t n, unsigned *groups)
{
	int count = 0;

	for (size_t i = 0; i < n; i++) {
		const struct pdev *d = snapshot_get(s, fns[i]);

		if (d && d->vfio && d->group >= 0)
			groups[count++] = (unsigned)d->group;
	}
	return count;
}

static int opened(struct host *h, const struct guest *g, const struct snapshot *s, const struct bdf *fns,
		  size_t n, struct holds *o, struct err *e)
{
	_cleanup_(inuse_vfio_freep) struct inuse_vfio *held = NULL;
	unsigned *groups = calloc(n ? n : 1, sizeof(*groups));
	int count, r;

	if (!groups)
		return err_nomem(e);
	count = vfio_groups(s, fns, n, groups);
	r = count ? inuse_vfio(h, groups, (size_t)count, &held, e) : 0;
	free(groups);
	for (size_t i = 0; r == 0 && held && i < held->n; i++) {
		const struct inuse_vfio_holder *v = &held->v[i];
		uint64_t vmid = 0;
		char who[160];

		if (!v->exact)
			continue;
		if (v->who.place == INUSE_OF_VM && str_to_u64(v->who.place_id, 10, &vmid) < 0)
			vmid = 0;
		if (vmid == g->vmid)
			continue;	/* our own QEMU on its way out: it is waited for */
		snprintf(who, sizeof(who), "%.140s", inuse_who_format(&v->who).s);
		for (size_t k = 0; r == 0 && k < n; k++) {
			const struct pdev *d = snapshot_get(s, fns[k]);

			if (d && d->group >= 0 && (unsigned)d->group == v->group && add_hold(o, fns[k], (unsigned)vmid, who) < 0)
				r = err_nomem(e);
		}
	}
	return r;
}

/* A device whose step hangs would hang whoever looks closer as well, and is refused in any case. */
static bool hopeless(const struct guest_input *in, const struct bdf *fns, size_t n)
{
	for (size_t i = 0; i < in->n_holds; i++)
		for (size_t k = 0; in->holds[i].hangs && k < n; k++)
			if (bdf_same(in->holds[i].bdf, fns[k]))
				return true;
	return false;
}

static int gather(struct host *h, const struct guest *g, const struct guest_input *in,
		  struct snapshot *s, const struct bdf *fns, size_t n, struct holds *o, struct inuse **inuse,
		  struct err *e)
{
	_cleanup_(needs_release) struct needs needs = NEEDS_INIT;
	int r = leased(o, in) < 0 ? err_nomem(e) : reserved(h, g, in, fns, n, o, e);

	if (r == 0)
		r = opened(h, g, s, fns, n, o, e);
	if (r < 0 || hopeless(in, fns, n))
		return r;
	r = needs_load(h, &needs, e);
	return r == 0 ? scout(h, s, fns, n, SCOUT_MS, in->starting, &needs.list, inuse, e) : r;
}

static void learn_bars(struct host *h, struct snapshot *s, const struct bdf *fns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snapshot_learn_bar(s, fns[i], bar_sizes(h, fns[i]), bar_size(h, fns[i]));
}

/* Settings are read where the words of a plan are not known. */
static int add_allowed(const struct settings *s, unsigned *ret, struct err *e)
{
	char list[sizeof(s->allow.text)], *cursor = list, *word;

	memcpy(list, s->allow.text, sizeof(list));
	while ((word = str_token(&cursor, " "))) {
		if (!plan_allow(word))
			return err_set(e, EINVAL, "%s: allow: there is no word '%s'; there are %s",
				       s->origin[SETTINGS_ALLOW].text, word, plan_allow_words);
		*ret |= plan_allow(word);
	}
	return 0;
}

static int build(struct host *h, const struct guest *g, const struct guest_input *in,
		 const struct wishes *wishes, const struct vfs *vfs, struct guest_view *v, struct err *e)
{
	struct holds holds = { NULL, 0, 0 };
	struct quirk_hit *quirks = NULL;
	struct bdf *fns = NULL;
	struct unit *units = NULL;
	struct pull *pulls = NULL;
	size_t n = 0, n_quirks = 0, n_units = 0, n_pulls = 0;
	int r = plan_closure(v->snapshot, wishes->list, wishes->n, &fns, &n, e);

	if (r == 0 && n)
		r = gather(h, g, in, v->snapshot, fns, n, &holds, &v->inuse, e);
	if (r == 0 && n)
		r = quirkfile_find(h, v->snapshot, fns, n, &quirks, &n_quirks, e);
	if (r == 0 && n)
		r = units_find(h, &in->settings->services, quirks, n_quirks, &units, &n_units, e);
	if (r == 0 && n)
		r = units_pulled(h, &in->settings->services, units, n_units, v->inuse, &pulls, &n_pulls, e);
	if (r == 0) {
		struct plan_input p = {
			.vmid = g->vmid, .snapshot = v->snapshot, .wants = wishes->list, .n_wants = wishes->n,
			.holds = holds.list, .n_holds = holds.n, .origins = in->origins, .n_origins = in->n_origins,
			.vfs = vfs->list, .n_vfs = vfs->n, .stopped = in->stopped, .n_stopped = in->n_stopped, .units = units, .n_units = n_units,
			.pulls = pulls, .n_pulls = n_pulls, .inuse = v->inuse, .quirks = quirks, .n_quirks = n_quirks,
		};

		guest_policy(in->settings, &p.policy);
		if (*in->settings->bar0.text && bar_parse(in->settings->bar0.text, &p.policy.bar0) < 0)
			r = err_set(e, EINVAL, "%s: bar0 = %s: a power of two in M, G or T is needed, as in 8G",
				    in->settings->origin[SETTINGS_BAR0].text, in->settings->bar0.text);
		if (p.policy.bar0)
			learn_bars(h, v->snapshot, fns, n);
		if (r == 0)
			r = add_allowed(in->settings, &p.policy.allow, e);
		if (in->chain)
			p.policy.chain = in->chain;
		p.policy.dead_too = in->dead_too;
		if (r == 0)
			r = plan_build(&p, &v->plan, e);
	}
	free(holds.list);
	free(quirks);
	free(units);
	free(pulls);
	free(fns);
	return r;
}

/* Settings are read where methods of a reset are not known. */
static int check_methods(const struct settings *s, struct err *e)
{
	char list[sizeof(s->reset_methods.text)], *cursor = list, *word;

	memcpy(list, s->reset_methods.text, sizeof(list));
	while ((word = str_token(&cursor, " ")))
		if (!reset_is_method(word, NULL))
			return err_set(e, EINVAL, "%s: reset_methods: there is no method '%s'; there are %s",
				       s->origin[SETTINGS_RESET_METHODS].text, word, reset_methods());
	return 0;
}

int guest_plan(struct host *h, const struct guest *g, const struct guest_input *in,
	       struct guest_view *ret, struct err *e)
{
	struct wishes wishes = { NULL, 0, 0 };
	struct vfs vfs = VFS_INIT;
	struct guest_view v = GUEST_VIEW_INIT;
	int r = check_methods(in->settings, e);

	if (r == 0)
		r = snapshot_open(h, &v.snapshot, e);

	v.plan.vmid = g->vmid;
	if (r == 0)
		r = guest_refuse_backup(g, in->settings, &v.plan, e);
	if (r == 0)
		r = vfs_find(h, g, in, v.snapshot, &vfs, &v.plan, e);
	if (r == 0)
		r = resolve(h, g, in, v.snapshot, &wishes, &v.plan, e);
	if (r == 0)
		r = build(h, g, in, &wishes, &vfs, &v, e);
	free(wishes.list);
	free(vfs.list);
	if (r < 0)
		guest_view_release(&v);
	else
		*ret = v;
	return r;
}

/* --- VMs, for claims ------------------------------------------------------------------------------- */

int guest_qemu(struct host *h, unsigned vmid, struct lease_process *ret, struct err *e)
{
	struct running run;
	int r = running_find(h, vmid, &run, e);

	if (r > 0)
		*ret = (struct lease_process){ run.pid, run.starttime };
	return r;
}

enum step_end guest_end(struct host *h, pid_t pid)
{
	char text[512] = "", *word[16] = { NULL };
	ssize_t len = host_read(h, host_path("/proc/%d/cmdline", (int)pid).s, text, sizeof(text) - 1);
	size_t n = 0;

	for (char *p = text; len > 0 && p < text + len && n < ARRAY_SIZE(word); p += strlen(p) + 1)
		word[n++] = p;
	if (n && str_starts(word[0], "task UPID:") && strstr(word[0], ":qmstop:"))
		return END_UNCLEAN;
	for (size_t i = 0; i + 2 < n; i++)
		if (strcmp(word[i], "cleanup") == 0)
			return strcmp(word[i + 2], "0") == 0 ? END_UNCLEAN : END_CLEAN;
	return END_CLEAN;
}

static int locked(struct host *h, unsigned vmid, struct err *e)
{
	enum guestlock_state state;
	int r = guestlock_probe(h, vmid, &state, e);

	return r < 0 ? r : state == GUESTLOCK_HELD;
}

const struct claim_world guest_world = { guest_qemu, locked };
