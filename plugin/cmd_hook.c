// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu hook install|remove|status: the snippet in a storage, and the guests that use it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "edited.h"
#include "hook_users.h"
#include "hooknext.h"
#include "pmxcfs.h"
#include "running.h"

static int shown(struct cli *c, const struct storage *st, const char *what)
{
	struct host_path volid = hookfile_volid(st), path = hookfile_path(st);
	struct hook_result r = {
		.what = what, .storage = st->id, .volid = volid.s, .path = path.s, .dry_run = c->dry_run,
	};

	out_hook(&c->out, &r);
	return CLI_DONE;
}

static int not_done(struct cli *c, const struct err *e)
{
	return edited_not(c, 0, e);
}

static void note_storage(struct cli *c, const struct storage *st)
{
	if (!st->offers_snippets)
		out_note(&c->out, "storage '%s' does not list 'snippets' among its contents: hookscripts work all the same, but the "
			 "web page does not show them (Datacenter > Storage > %s > Content)", st->id, st->id);
	if (!st->shared)
		out_note(&c->out, "storage '%s' is not shared: do the same on every node that a VM may move to", st->id);
}

/* --- install ----------------------------------------------------------------------------------- */

static int install(struct cli *c)
{
	struct storages storages = STORAGES_INIT;
	const struct storage *st = NULL;
	struct err e = ERR_INIT;
	int status, r = storage_load(c->h, &storages, &e);

	if (r == 0)
		r = hookfile_storage(c->h, &storages, c->storage, &st, &e);
	if (r == 0)
		r = hookfile_install(c->h, st, c->dry_run, &e);
	if (r < 0) {
		status = not_done(c, &e);
	} else {
		note_storage(c, st);
		status = shown(c, st, r > 0 ? "installed" : "unchanged");
	}
	storage_release(&storages);
	return status;
}

/* --- remove ------------------------------------------------------------------------------------ */

/* The guests that would not start without it: those of every node when the storage is everybody's. */
static bool is_used(const struct hook_users *u, const struct storage *st, const char *volid, const char *node)
{
	return strcmp(volid, hookfile_volid(st).s) == 0 && (st->shared || strcmp(node, u->here) == 0);
}

static bool is_user(const struct hook_users *u, const struct storage *st, const struct hook_user *v)
{
	return is_used(u, st, v->volid, v->node);
}

/* Snapshots are not changed; without `st` all that have ours. */
static void note_snapshots(struct cli *c, const struct hook_users *u, const struct storage *st)
{
	for (size_t i = 0; i < u->n_snapshots; i++) {
		const struct hook_snapshot *s = &u->snapshots[i];

		if (!st)
			out_note(&c->out, "VM %u on %s: snapshot '%s' has our hookscript ('%s'), and needs it after a rollback", s->vmid,
				 s->node, s->name, s->volid);
		else if (is_used(u, st, s->volid, s->node))
			out_note(&c->out, "VM %u on %s: snapshot '%s' still has our hookscript: after a rollback the VM does not start until "
				 "'qm set %u --delete hookscript'", s->vmid, s->node, s->name, s->vmid);
	}
}

static void check_config(struct cli *c, const struct hook_user *v, struct err *why)
{
	struct vmconf *conf = NULL;
	const char *template;

	if (vmfile_load(c->h, v->vmid, NULL, &conf, why) < 0)
		return;
	template = vmconf_current(conf, "template");
	if (template && strcmp(template, "1") == 0)
		err_set(why, EPERM, "a template, and its clones inherit it: qm set %u --delete hookscript", v->vmid);
	else
		(void)!vmfile_check_free(conf, v->vmid, why);
	vmconf_free(conf);
}

/* Why the line cannot be taken out of the guest's config here and now. */
static void check_user(struct cli *c, const struct hook_users *u, const struct storage *st, const struct hook_user *v,
		       struct err *why)
{
	char former[SETTINGS_HOOK_SIZE];
	struct running run;

	if (v->container)
		err_set(why, EPERM, "a container: pct set %u --delete hookscript", v->vmid);
	else if (strcmp(v->node, u->here) != 0)
		err_set(why, EPERM, "run there: qm set %u --delete hookscript", v->vmid);
	else if (v->devices && running_pidfile(c->h, v->vmid, &run, why) > 0)
		err_set(why, EPERM, "it runs and has devices, which the hookscript gives back: stop it first");
	else if (hooknext_former(c->h, st, v->vmid, former, why) == 0)
		check_config(c, v, why);
}

static int check_users(struct cli *c, const struct hook_users *u, const struct storage *st, struct err *e)
{
	_cleanup_(str_release) struct str list = STR_INIT;

	for (size_t i = 0; i < u->n; i++) {
		const struct hook_user *v = &u->list[i];
		struct err why = ERR_INIT;

		if (!is_user(u, st, v))
			continue;
		check_user(c, u, st, v, &why);
		if (why.code)
			(void)str_addf(&list, "%s%u on %s (%.240s)", list.len ? ", " : "", v->vmid, v->node, why.msg);
	}
	if (!list.len)
		return 0;
	return err_set(e, EPERM, "guests use it, and without it they do not start: %.1000s; nothing was changed", list.s);
}

struct leaving {
	struct cli *c;
	const struct storage *st;
	unsigned vmid;
	char former[SETTINGS_HOOK_SIZE];	/* "" = none */
	bool dropped;
};

static int drop_hook(void *arg, struct vmedit *ed, struct err *e)
{
	struct leaving *l = arg;
	const char *now = vmedit_effective(ed->now, "hookscript");

	if (!now || strcmp(now, hookfile_volid(l->st).s) != 0)
		return 0;
	l->dropped = true;
	if (hooknext_former(l->c->h, l->st, l->vmid, l->former, e) < 0)
		return -e->code;
	return l->former[0] ? vmedit_put(ed, "hookscript", l->former, e) : vmedit_drop(ed, "hookscript", e);
}

static void dropped(void *arg)
{
	struct leaving *l = arg;

	if (l->dropped)
		hooknext_forget(l->c, l->st, l->vmid);
}

static void note_user(const struct leaving *l)
{
	const char *be = l->c->dry_run ? "would be" : "was";

	if (l->former[0])
		out_note(&l->c->out, "VM %u: its own hookscript '%s' %s put back", l->vmid, l->former, be);
	else
		out_note(&l->c->out, "VM %u: 'hookscript' %s taken out of its configuration", l->vmid, be);
}

static int clear_users(struct cli *c, const struct hook_users *u, const struct storage *st, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < u->n; i++) {
		struct leaving l = { .c = c, .st = st, .vmid = u->list[i].vmid };
		struct vmfile_edit what = { .edit = drop_hook, .written = dropped, .arg = &l, .dry_run = c->dry_run };
		struct vmfile_change change = VMFILE_CHANGE_INIT;

		if (!is_user(u, st, &u->list[i]))
			continue;
		r = vmfile_change(c->h, l.vmid, NULL, &what, &change, e);
		if (r == 0)
			note_user(&l);
		vmfile_change_release(&change);
	}
	return r;
}

static int remove_from(struct cli *c, const struct hook_users *u)
{
	enum hookfile_state state = HOOKFILE_ABSENT;
	const struct storage *st = NULL;
	struct err e = ERR_INIT;
	int r = hookfile_storage(c->h, &u->storages, c->storage, &st, &e);

	if (r == 0)
		r = hookfile_look(c->h, hookfile_path(st).s, &state, &e);
	if (r == 0 && state == HOOKFILE_FOREIGN)
		r = err_set(&e, EPERM, "'%s' is somebody else's file; nothing was changed", hookfile_path(st).s);
	if (r == 0)
		r = check_users(c, u, st, &e);
	if (r == 0)
		r = clear_users(c, u, st, &e);
	if (r == 0 && !c->dry_run)
		r = hookfile_remove(c->h, st, &e);
	if (r < 0)
		return not_done(c, &e);
	note_snapshots(c, u, st);
	return shown(c, st, r > 0 || c->dry_run ? "removed" : "absent");
}

/* --- status ------------------------------------------------------------------------------------ */

static int status_of(struct cli *c, const struct hook_users *u)
{
	struct hook_result r = { .what = "status", .users = u->list, .n = u->n };
	bool problem = false;

	for (size_t i = 0; i < u->n; i++)
		problem |= u->list[i].problem[0] != '\0';
	note_snapshots(c, u, NULL);
	out_hook(&c->out, &r);
	return problem ? CLI_PROBLEMS : CLI_DONE;
}

static int with_users(struct cli *c, int (*fn)(struct cli *c, const struct hook_users *u))
{
	struct hook_users u;
	struct err e = ERR_INIT;
	int status, r = pmxcfs_check_mounted(c->h, &e);

	if (r == 0)
		r = hook_users_load(c->h, &u, &e);
	if (r < 0)
		return not_done(c, &e);
	out_notes(&c->out, u.notes.s);
	status = fn(c, &u);
	hook_users_release(&u);
	return status;
}

int cmd_hook(struct cli *c)
{
	const char *what = c->args[0];

	if (strcmp(what, "install") == 0)
		return install(c);
	if (strcmp(what, "remove") == 0)
		return with_users(c, remove_from);
	if (strcmp(what, "status") == 0)
		return with_users(c, status_of);
	return cli_usage(c, "'%s': install, remove or status?", what);
}
