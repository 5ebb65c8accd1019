// SPDX-License-Identifier: GPL-2.0-or-later
/* The hookscript of a VM that gets a device: see attach.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "hooknext.h"

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
	const struct storage *st = hookfile_storage_of(&a->storages, there);
	enum hookfile_state state = HOOKFILE_OURS;

	if (st && hookfile_look(a->c->h, hookfile_path(st).s, &state, e) < 0)
		return -e->code;
	if (st && state == HOOKFILE_ABSENT) {
		a->hook_storage = st;
		a->hook = hookfile_volid(st);
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

/* Every reason to refuse is found before anything is put anywhere. */
int attach_place_hook(struct attach *a, struct err *e)
{
	_cleanup_(str_release) struct str ini = STR_INIT;
	int r, chain = 0;

	if (!a->hook.s[0])
		return 0;
	if (a->next[0])
		chain = hooknext_plan(a->c->h, a->hook_storage, a->vmid, a->next, &ini, e);
	if (chain < 0)
		return chain;
	r = hookfile_install(a->c->h, a->hook_storage, a->c->dry_run, e);
	if (r > 0)
		attach_note(a, "the snippet '%s' %s put into storage '%s'", hookfile_path(a->hook_storage).s,
			    a->c->dry_run ? "would be" : "was", a->hook_storage->id);
	if (r < 0 || !chain || a->c->dry_run)
		return r < 0 ? r : 0;
	return hooknext_write(a->c->h, a->hook_storage, a->vmid, &ini, e);
}
