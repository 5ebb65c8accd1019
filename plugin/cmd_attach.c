// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu attach VMID DEVICE...: writes the device, and what goes with it, into the VM's config. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "attachlog.h"
#include "edited.h"

/* --- options ----------------------------------------------------------------------------------- */

static int one_of(struct cli *c, const char *option, const char *value, const char *const *words)
{
	if (!value)
		return 0;
	for (size_t i = 0; words[i]; i++)
		if (strcmp(words[i], value) == 0)
			return 0;
	return cli_usage(c, "--%s %s: there is no such choice", option, value);
}

static int check_options(struct cli *c)
{
	static const char *const displays[] = { "none", "std", "keep", NULL }, *const machines[] = { "keep", "q35", NULL },
		*const firmwares[] = { "keep", "ovmf", NULL }, *const cpus[] = { "keep", "host", NULL };
	const struct cli_attach *o = &c->attach;
	uint64_t slot = 0;
	int status = one_of(c, "display", o->display, displays);

	if (!status)
		status = one_of(c, "machine", o->machine, machines);
	if (!status)
		status = one_of(c, "bios", o->bios, firmwares);
	if (!status)
		status = one_of(c, "cpu", o->cpu, cpus);
	if (!status && o->slot && (str_to_u64(o->slot, 10, &slot) < 0 || slot >= HOSTPCI_MAX))
		return cli_usage(c, "--slot %s: a number from 0 to %d is needed", o->slot, HOSTPCI_MAX - 1);
	if (!status && o->replace_args && !o->hide_hypervisor)
		return cli_usage(c, "--replace-args goes with --hide-hypervisor");
	if (!status && o->chain && o->no_hook)
		return cli_usage(c, "either --chain or --no-hook, not both");
	return status;
}

/* --- writing ----------------------------------------------------------------------------------- */

/* The config stayed as it was: there is nothing to put back. */
static void forget(void *arg)
{
	struct attach *a = arg;
	struct attachlog log = ATTACHLOG_INIT(a->vmid);
	struct err note = ERR_INIT, e = ERR_INIT;

	if (attachlog_load(a->c->h, &log, &note, &e) == 0 && !note.code) {
		attachlog_pop(&log);
		(void)!attachlog_save(a->c->h, &log, &e);
	}
	if (e.code)
		attach_note(a, "%s", e.msg);
	attachlog_release(&log);
}

/* The record and the snippet are there before the config speaks of them. */
static int record(void *arg, const struct vmfile_change *change, struct err *e)
{
	struct attach *a = arg;
	struct attachlog log = ATTACHLOG_INIT(a->vmid);
	const char *keys[ATTACH_KEYS];
	struct err note = ERR_INIT;
	int r = attachlog_load(a->c->h, &log, &note, e);

	if (r == 0 && note.code)
		attach_note(a, "%s", note.msg);
	if (r == 0)
		r = attachlog_add(&log, change, keys, attach_keys(a, keys), e);
	if (r == 0)
		r = attachlog_save(a->c->h, &log, e);
	attachlog_release(&log);
	if (r == 0) {
		r = attach_place_hook(a, e);
		if (r < 0)
			forget(a);
	}
	return r;
}

static int write_it(struct attach *a, const struct schema_env *env)
{
	struct vmfile_edit what = {
		.edit = attach_edit, .record = record, .unwritten = forget, .arg = a, .dry_run = a->c->dry_run,
	};
	struct vmfile_change change = VMFILE_CHANGE_INIT;
	const char *keys[HOSTPCI_MAX];
	struct err e = ERR_INIT;
	int status;

	if (vmfile_change(a->c->h, a->vmid, env, &what, &change, &e) < 0)
		return edited_not(a->c, a->vmid, &e);
	if (a->c->dry_run && attach_place_hook(a, &e) < 0) {
		vmfile_change_release(&change);
		return edited_not(a->c, a->vmid, &e);
	}
	for (size_t i = 0; i < a->n; i++)
		keys[i] = a->items[i].key;
	status = edited(a->c, a->vmid, &change, keys, a->n);
	vmfile_change_release(&change);
	return status;
}

/* --- the story --------------------------------------------------------------------------------- */

static int find_out(struct attach *a, struct err *e)
{
	int r = storage_load(a->c->h, &a->storages, e);

	if (r == 0)
		r = attach_judge(a, e);
	if (r == 0 && a->refusals.n_refusals == 0)
		r = attach_note_others(a, e);
	if (r == 0 && a->refusals.n_refusals == 0)
		r = attach_plan_hook(a, e);
	return r;
}

static int with_config(struct attach *a, const struct schema_env *env)
{
	struct err e = ERR_INIT;
	int status;

	if (vmfile_check_free(a->seen, a->vmid, &e) < 0 || find_out(a, &e) < 0)
		status = edited_not(a->c, a->vmid, &e);
	else if (a->refusals.n_refusals)
		status = edited_refused(a->c, a->vmid, &a->refusals);
	else
		status = write_it(a, env);
	out_notes(&a->c->out, a->notes.s);
	return status;
}

static void release(struct attach *a)
{
	guest_view_release(&a->view);
	plan_release(&a->refusals);
	str_release(&a->notes);
	storage_release(&a->storages);
}

int cmd_attach(struct cli *c)
{
	struct attach a = {
		.c = c, .view = GUEST_VIEW_INIT, .refusals = PLAN_INIT, .notes = STR_INIT, .storages = STORAGES_INIT,
	};
	struct vmfile_models models;
	struct vmconf *seen = NULL;
	struct err e = ERR_INIT;
	int status = cli_vmid(c, 0, &a.vmid);

	if (!status)
		status = check_options(c);
	if (!status)
		status = attach_read_args(&a);
	if (status)
		return status;
	vmfile_models_load(c->h, &models);
	if (vmfile_load(c->h, a.vmid, &models.env, &seen, &e) < 0) {
		status = edited_not(c, a.vmid, &e);
	} else {
		a.seen = seen;
		status = with_config(&a, &models.env);
	}
	release(&a);
	vmconf_free(seen);
	vmfile_models_release(&models);
	return status;
}
