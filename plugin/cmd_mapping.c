// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu mapping list|add|remove|refresh: cluster-wide names for devices. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "edited.h"
#include "mapedit.h"
#include "mapping_work.h"
#include "pmxcfs.h"
#include "schema_check.h"

#define LOCK_NAME "mapping/pci.cfg"
#define LOCK_MS 10000

/* --- list -------------------------------------------------------------------------------------- */

static int list(struct mapping_work *w, struct err *e)
{
	struct mapping_result r = { .what = "list", .path = MAPPING_FILE, .diff = "" };
	bool problem = false;
	int q = mapping_rows(w, e);

	if (q < 0)
		return q;
	r.rows = w->rows;
	r.n = w->n_rows;
	for (size_t i = 0; i < w->n_rows; i++)
		problem |= w->rows[i].problem[0] != '\0';
	out_mapping(&w->c->out, &r);
	w->problem = problem;
	return 0;
}

/* --- changes ----------------------------------------------------------------------------------- */

static int show(struct mapping_work *w, const char *old, size_t old_len, bool changed, struct err *e)
{
	_cleanup_(str_release) struct str diff = STR_INIT;
	struct mapping_result r = { .what = changed ? w->what : "unchanged", .dry_run = w->c->dry_run, .path = MAPPING_FILE };

	if (diff_unified(MAPPING_FILE, old, old_len, w->ed.now.raw, w->ed.now.len, &diff) < 0)
		return err_nomem(e);
	r.diff = diff.s;
	out_mapping(&w->c->out, &r);
	return 0;
}

static int change(struct mapping_work *w, struct err *e)
{
	char *old = NULL;
	size_t len = 0;
	bool changed;
	int r = pmxcfs_read(w->c->h, MAPPING_FILE, &old, &len, e);
	bool absent = r == -ENOENT || r == -ENOTDIR;

	if (r < 0 && !absent)
		return r;
	r = mapedit_init(&w->ed, absent ? "" : old, len, e);
	if (r == 0)
		r = w->edit(w, e);
	changed = r == 0 && (len != w->ed.now.len || (len && memcmp(old, w->ed.now.raw, len) != 0));
	if (changed && !w->c->dry_run) {
		if (absent)
			(void)host_mkdir(w->c->h, "/etc/pve/mapping", 0755);
		r = pmxcfs_replace(w->c->h, MAPPING_FILE, absent ? NULL : old, len, w->ed.now.raw, w->ed.now.len, e);
	}
	if (r == 0)
		r = show(w, absent ? "" : old, len, changed, e);
	free(old);
	return r;
}

static int change_locked(struct mapping_work *w, struct err *e)
{
	int r;

	if (w->c->dry_run)
		return change(w, e);
	r = pmxcfs_check_writable(w->c->h, e);
	if (r == 0)
		r = pmxcfs_lock(w->c->h, LOCK_NAME, LOCK_MS, e);
	if (r < 0)
		return r;
	r = change(w, e);
	pmxcfs_unlock(w->c->h, LOCK_NAME);
	return r;
}

/* --- the story --------------------------------------------------------------------------------- */

static const struct action {
	const char *name, *what;
	int (*edit)(struct mapping_work *w, struct err *e);	/* NULL: only looks */
	size_t args_min, args_max;		/* the action's own name included */
	const char *usage;
} actions[] = {
	{ "list", "list", NULL, 1, 1, "list" },
	{ "add", "added", mapping_add, 3, CLI_ARGS_MAX, "add NAME DEVICE..." },
	{ "remove", "removed", mapping_remove, 2, 2, "remove NAME [--node NODE]" },
	{ "refresh", "refreshed", mapping_refresh, 1, 2, "refresh [NAME]" },
};

static int run(struct mapping_work *w, const struct action *a)
{
	struct err e = ERR_INIT;
	int r = mapping_work_open(w, &e);

	w->what = a->what;
	w->edit = a->edit;
	if (r == 0)
		r = a->edit ? change_locked(w, &e) : list(w, &e);
	if (r < 0)
		return w->refused ? (out_error(&w->c->out, &e), CLI_REFUSED) : edited_not(w->c, 0, &e);
	if (a->edit == mapping_remove && !section_find(&w->ed.now, w->c->args[1]))
		mapping_note_users(w->c);
	return w->problem ? CLI_PROBLEMS : CLI_DONE;
}

static bool is_address(const char *text)
{
	struct bdf bdf;
	bool whole;

	return bdf_parse_user(text, &bdf, &whole) == 0;
}

int cmd_mapping(struct cli *c)
{
	struct mapping_work w = { .c = c };
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		const struct action *a = &actions[i];

		if (strcmp(a->name, c->args[0]) != 0)
			continue;
		if (c->n_args < a->args_min || c->n_args > a->args_max)
			return cli_usage(c, "pve-gpu mapping %s", a->usage);
		if (a->edit == mapping_add && !schema_check_configid.ok(c->args[1], strlen(c->args[1])))
			return cli_usage(c, "'%s' is no name for a mapping: a letter, then letters, digits, '-' and '_'", c->args[1]);
		for (size_t k = 2; a->edit == mapping_add && k < c->n_args; k++)
			if (!is_address(c->args[k]))
				return cli_usage(c, "'%s' is no address: 01:00, 01:00.0 or 0000:01:00.0 is needed", c->args[k]);
		status = run(&w, a);
		mapping_work_close(&w);
		return status;
	}
	return cli_usage(c, "'%s': list, add, remove or refresh?", c->args[0]);
}
