// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests and their hookscripts: see hook_users.h. */
#include "hook_users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "hostpci.h"
#include "pmxcfs.h"

void hook_users_release(struct hook_users *u)
{
	free(u->list);
	free(u->snapshots);
	storage_release(&u->storages);
	str_release(&u->notes);
}

/* Can this node see the file that the guest's node will look for? */
static bool is_visible(const struct hook_users *u, const struct hook_user *v)
{
	const struct storage *st;
	char id[128];
	size_t n = strcspn(v->volid, ":");

	if (strcmp(v->node, u->here) == 0)
		return true;
	if (n >= sizeof(id))
		return false;
	memcpy(id, v->volid, n);
	id[n] = '\0';
	st = storage_find(&u->storages, id);
	return st && st->shared;
}

static void judge_hook(struct hook_users *u, struct hook_user *v)
{
	struct err why = ERR_INIT;
	struct stat st;
	char path[512];

	v->ours = hookfile_is_ours(u->h, &u->storages, v->volid);
	v->exists = HOOK_UNKNOWN;
	if (!is_visible(u, v))
		return;
	v->exists = HOOK_MISSING;
	if (storage_resolve(&u->storages, v->volid, path, sizeof(path), &why) < 0)
		snprintf(v->problem, sizeof(v->problem), "%.350s", why.msg);
	else if (host_stat(u->h, path, &st) < 0 && v->ours)
		snprintf(v->problem, sizeof(v->problem), "there is no '%.200s', so it does not start: pve-gpu hook install", path);
	else if (host_stat(u->h, path, &st) < 0)
		snprintf(v->problem, sizeof(v->problem), "there is no '%.200s', so it does not start: put it back, or %s set %u "
			 "--delete hookscript", path, v->container ? "pct" : "qm", v->vmid);
	else if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		snprintf(v->problem, sizeof(v->problem), "'%.200s' is no executable file, so it does not start", path);
	else
		v->exists = HOOK_THERE;
}

static void judge(struct hook_users *u, struct hook_user *v)
{
	if (v->volid[0])
		judge_hook(u, v);
	if (v->devices && !v->ours && !v->problem[0])
		snprintf(v->problem, sizeof(v->problem), v->volid[0] ? "it has devices and a hookscript of its own: nobody gives "
			 "the devices back" : "it has devices and no hookscript: nobody gives them back (pve-gpu attach sets it, "
			 "or qm set %u --hookscript STORAGE:snippets/gpu-hook)", v->vmid);
}

static void read_vm(struct hook_user *v, const struct vmconf *c)
{
	const char *hook = vmedit_effective(c, "hookscript"), *template = vmconf_current(c, "template");

	if (hook)
		(void)str_copy(v->volid, sizeof(v->volid), hook);
	for (unsigned i = 0; i < HOSTPCI_MAX && !(template && strcmp(template, "1") == 0); i++)
		v->devices += vmedit_effective(c, host_path("hostpci%u", i).s) != NULL;
}

static int read_snapshots(struct hook_users *u, const struct vmfile_entry *entry, const struct vmconf *c)
{
	for (size_t i = 0; i < c->n_sections; i++) {
		const struct vmconf_section *s = &c->sections[i];
		const char *hook = s->kind == VMCONF_SNAPSHOT && !s->replaced ? vmconf_get(c, s, "hookscript") : NULL;
		struct hook_snapshot *snap;

		if (!hook || !hookfile_is_ours(u->h, &u->storages, hook))
			continue;
		if (array_room(&u->snapshots, u->n_snapshots, &u->snapshots_size, sizeof(*u->snapshots)) < 0)
			return err_nomem(u->e);
		snap = &u->snapshots[u->n_snapshots++];
		*snap = (struct hook_snapshot){ .vmid = entry->vmid };
		(void)str_copy(snap->node, sizeof(snap->node), entry->node);
		(void)str_copy(snap->volid, sizeof(snap->volid), hook);
		snprintf(snap->name, sizeof(snap->name), "%.60s", s->name);
	}
	return 0;
}

/* Containers have the same option; the rest of their configs is another language. */
static void read_container(struct hook_user *v, char *text)
{
	char *cursor = text, *line;

	while ((line = str_token(&cursor, "\n")) && *line != '[')
		if (str_starts(line, "hookscript:"))
			(void)str_copy(v->volid, sizeof(v->volid), str_strip(line + strlen("hookscript:")));
}

static int add_guest(void *arg, const struct vmfile_entry *entry)
{
	struct hook_users *u = arg;
	struct hook_user *v;
	struct vmconf *c = NULL;
	struct err why = ERR_INIT;
	char *text;
	size_t len;
	int q = 0, r = pmxcfs_read_listed(u->h, entry->path.s, &text, &len, &why);

	if (r < 0) {
		if (r != -ENOENT)
			(void)str_addf(&u->notes, "%s\n", why.msg);
		return 0;
	}
	if (array_room(&u->list, u->n, &u->size, sizeof(*u->list)) < 0) {
		free(text);
		return err_nomem(u->e);
	}
	v = &u->list[u->n++];
	*v = (struct hook_user){ .vmid = entry->vmid, .container = entry->container };
	(void)str_copy(v->node, sizeof(v->node), entry->node);
	if (entry->container) {
		read_container(v, text);
	} else if (vmconf_parse(text, len, &c, &why) == 0) {
		read_vm(v, c);
		q = read_snapshots(u, entry, c);
	}
	vmconf_free(c);
	free(text);
	judge(u, v);
	return q;
}

static int by_node_and_id(const void *a, const void *b)
{
	const struct hook_user *x = a, *y = b;
	int r = strcmp(x->node, y->node);

	return r ? r : x->vmid < y->vmid ? -1 : x->vmid > y->vmid;
}

int hook_users_load(struct host *h, struct hook_users *ret, struct err *e)
{
	struct hook_users u = { .h = h, .storages = STORAGES_INIT, .notes = STR_INIT, .e = e };
	int r = nodename_read(h, u.here, sizeof(u.here), e);

	if (r == 0)
		r = storage_load(h, &u.storages, e);
	if (r == 0)
		r = vmfile_each(h, NULL, add_guest, &u, e);
	if (r == 0 && u.n)
		qsort(u.list, u.n, sizeof(*u.list), by_node_and_id);
	if (r < 0)
		hook_users_release(&u);
	else
		*ret = u;
	return r;
}
