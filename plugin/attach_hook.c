// SPDX-License-Identifier: GPL-2.0-or-later
/* The hookscript of a VM that gets a device: see attach.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "file.h"

#define INI_MAX (64 * 1024)

static int choose_storage(struct attach *a, struct err *e)
{
	const struct storage *st = NULL;
	enum hookfile_state state = HOOKFILE_ABSENT;
	int r = hookfile_storage(a->c->h, &a->storages, NULL, &st, e);

	if (r == 0)
		r = hookfile_look(a->c->h, hookfile_path(st).s, &state, e);
	if (r == 0 && state == HOOKFILE_FOREIGN)
		r = err_set(e, EPERM, "'%s' is somebody else's file", hookfile_path(st).s);
	if (r < 0)
		return err_hint(e, "(--no-hook attaches the device without our hookscript)");
	a->hook_storage = st;
	a->hook = hookfile_volid(st);
	return 0;
}

/* Somebody else's script stays in charge unless it is to be run by ours. */
static int foreign(struct attach *a, const char *there, struct err *e)
{
	if (!a->c->attach.chain) {
		attach_note(a, "the VM has a hookscript of its own ('%.200s'), which was left alone: Proxmox will take the device, but "
			    "nobody gives it back. --chain sets ours and lets it run the other one after itself", there);
		return 0;
	}
	if (str_copy(a->next, sizeof(a->next), there) < 0)
		return err_set(e, ENAMETOOLONG, "the hookscript's name '%.100s...' is too long", there);
	return choose_storage(a, e);
}

/* It is set; but is the snippet there, too?  A VM that came from another node may lack it. */
static int complete(struct attach *a, const char *there, struct err *e)
{
	enum hookfile_state state = HOOKFILE_OURS;

	for (size_t i = 0; i < a->storages.n; i++) {
		const struct storage *st = &a->storages.list[i];

		if (!st->snippets || strcmp(hookfile_volid(st).s, there) != 0)
			continue;
		if (hookfile_look(a->c->h, hookfile_path(st).s, &state, e) < 0)
			return -e->code;
		if (state == HOOKFILE_ABSENT) {
			a->hook_storage = st;
			a->hook = hookfile_volid(st);
		}
	}
	return 0;
}

int attach_plan_hook(struct attach *a, struct err *e)
{
	const char *there = vmedit_effective(a->seen, "hookscript");

	if (a->c->attach.no_hook)
		return 0;
	if (there && hookfile_is_ours(a->c->h, &a->storages, there))
		return complete(a, there, e);
	return there ? foreign(a, there, e) : choose_storage(a, e);
}

/* --- the VM's own settings --------------------------------------------------------------------- */

/* "[hook]" with "next = ..." behind what the file has. */
static int add_next(struct str *text, const char *next)
{
	if (text->len && text->s[text->len - 1] != '\n')
		(void)str_add(text, "\n");
	(void)str_addf(text, "%s[hook]\nnext = %s\n", text->len ? "\n" : "", next);
	return text->failed ? -ENOMEM : 0;
}

static int write_next(struct attach *a, struct err *e)
{
	struct host_path path = host_path("%s/%u.gpu.ini", a->hook_storage->snippets, a->vmid);
	_cleanup_(str_release) struct str text = STR_INIT;
	struct settings settings;
	char *there = NULL;
	size_t len = 0;
	int r = settings_load(a->c->h, a->hook_storage->snippets, a->vmid, &settings, e);

	if (r < 0)
		return r;
	if (strcmp(settings.next, a->next) == 0)
		return 0;
	if (settings.next[0])
		return err_set(e, EPERM, "'%s' already says 'next = %.200s', which is not '%.200s': correct that file, then try "
			       "again; nothing was changed", path.s, settings.next, a->next);
	r = host_read_file(a->c->h, path.s, INI_MAX, &there, &len);
	if (r < 0 && r != -ENOENT)
		return err_set(e, -r, "cannot read '%s': %s", path.s, err_text(r));
	if (there && strstr(there, "\n[hook]"))
		r = err_set(e, EPERM, "'%s' has a section [hook] already: write 'next = %.200s' into it, then try again; nothing "
			    "was changed", path.s, a->next);
	else if (str_addn(&text, there ? there : "", len) < 0 || add_next(&text, a->next) < 0)
		r = err_nomem(e);
	else if ((r = file_replace(a->c->h, path.s, text.s, text.len, 0644)) < 0)
		r = err_set(e, -r, "cannot write '%s': %s", path.s, err_text(r));
	free(there);
	return r;
}

int attach_place_hook(struct attach *a, struct err *e)
{
	int r;

	if (!a->hook.s[0])
		return 0;
	r = hookfile_install(a->c->h, a->hook_storage, a->c->dry_run, e);
	if (r > 0)
		attach_note(a, "the snippet '%s' %s put into storage '%s'", hookfile_path(a->hook_storage).s,
			    a->c->dry_run ? "would be" : "was", a->hook_storage->id);
	if (r < 0 || !a->next[0] || a->c->dry_run)
		return r < 0 ? r : 0;
	return write_next(a, e);
}
