// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu detach VMID [DEVICE|all]: the inverse of attach.
 *
 * When the config is exactly as an attach left it, the file before it comes back byte for byte.
 * Otherwise the devices are taken out one by one, and with the last of them what attach had changed
 * besides, as far as nobody has changed it since. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attachlog.h"
#include "cli.h"
#include "edited.h"
#include "hookfile.h"
#include "hooknext.h"
#include "hostpci.h"

struct detach {
	struct cli *c;
	unsigned vmid;
	const char *what;		/* "hostpci0", an address or a mapping; NULL = all */
	struct bdf bdf;			/* what is an address */
	bool is_address, whole, running;
	struct storages storages;
	struct attachlog log;
	char keys[HOSTPCI_MAX][12];	/* taken out */
	size_t n;
	const struct storage *hook_storage;	/* where our hookscript of this VM lies; NULL = it has another, or none */
	bool hook_gone;
};

static struct host_path slot_key(unsigned i)
{
	return host_path("hostpci%u", i);
}

/* --- which ones -------------------------------------------------------------------------------- */

static bool id_is_meant(const struct detach *d, const char *id)
{
	struct bdf bdf = d->bdf;

	for (; bdf.fn < 8; bdf.fn++) {
		if (hostpci_id_matches(id, BDF_S(bdf)))
			return true;
		if (!d->whole)
			break;
	}
	return false;
}

static bool value_is_meant(const struct detach *d, const char *value)
{
	struct hostpci p = HOSTPCI_INIT;
	struct err ignored = ERR_INIT;
	bool meant = false;

	if (hostpci_parse(value, strlen(value), &p, &ignored) < 0)
		return false;
	if (!d->is_address)
		meant = p.mapping && strcmp(p.mapping, d->what) == 0;
	for (size_t i = 0; d->is_address && i < p.n_ids; i++)
		meant |= id_is_meant(d, p.ids[i].text);
	hostpci_release(&p);
	return meant;
}

static bool is_meant(const struct detach *d, const struct vmconf *c, const char *key)
{
	const char *value = vmedit_effective(c, key);

	/* What waits to be removed from a running VM is gone already. */
	if (!value && !d->running)
		value = vmconf_current(c, key);
	if (!value)
		return false;
	return !d->what || strcmp(d->what, key) == 0 || value_is_meant(d, value);
}

static size_t count_devices(const struct vmconf *c)
{
	size_t n = 0;

	for (unsigned i = 0; i < HOSTPCI_MAX; i++)
		n += vmedit_effective(c, slot_key(i).s) != NULL;
	return n;
}

static int choose(struct detach *d, const struct vmconf *c, struct err *e)
{
	for (unsigned i = 0; i < HOSTPCI_MAX; i++)
		if (is_meant(d, c, slot_key(i).s))
			snprintf(d->keys[d->n++], sizeof(d->keys[0]), "hostpci%u", i);
	if (d->n || !d->what)
		return 0;
	return err_set(e, ENOENT, "VM %u has no device '%s'; nothing was changed. 'pve-gpu config %u' shows what it has",
		       d->vmid, d->what, d->vmid);
}

/* --- back to the bytes before ------------------------------------------------------------------ */

static bool is_chosen(const struct detach *d, const char *key)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->keys[i], key) == 0)
			return true;
	return false;
}

/* The devices that the latest attach added are all to go. */
static bool record_is_meant(const struct detach *d)
{
	const struct attachlog_record *r = &d->log.list[d->log.n - 1];
	bool any = false;

	for (size_t i = 0; i < r->n_keys; i++)
		if (strncmp(r->keys[i].key, "hostpci", 7) == 0) {
			if (!is_chosen(d, r->keys[i].key))
				return false;
			any = true;
		}
	return any;
}

static int undo_records(struct detach *d, struct vmedit *ed, struct err *e)
{
	char *text;
	size_t len;
	int r = 0;

	while (r == 0 && d->log.n && record_is_meant(d)) {
		struct vmedit before;

		r = attachlog_undo(&d->log, ed->now, d->running, &text, &len, e);
		if (r <= 0)
			return r;
		r = vmedit_init(&before, text, len, ed->env, d->running, e);
		free(text);
		if (r < 0)
			return r;
		vmedit_release(ed);
		*ed = before;
		attachlog_pop(&d->log);
	}
	return r;
}

/* --- one by one -------------------------------------------------------------------------------- */

/* The running VM has devices, which post-stop is to give back: the hookscript goes at once when it goes. */
static bool hook_is_needed(const struct detach *d, const struct vmconf *c)
{
	for (unsigned i = 0; d->running && i < HOSTPCI_MAX; i++)
		if (vmconf_current(c, slot_key(i).s))
			return true;
	return false;
}

static int restore_key(struct vmedit *ed, const struct attachlog_key *k, struct err *e)
{
	const char *now = vmedit_effective(ed->now, k->key);
	bool as_left = now && k->after ? strcmp(now, k->after) == 0 : !now && !k->after;

	if (strncmp(k->key, "hostpci", 7) == 0 || !as_left)
		return 0;
	return k->before ? vmedit_put(ed, k->key, k->before, e) : vmedit_drop(ed, k->key, e);
}

/* Our own hookscript has nothing to do any more; one that it ran is the VM's again. */
static int drop_hook(struct detach *d, struct vmedit *ed, struct err *e)
{
	const char *hook = vmedit_effective(ed->now, "hookscript");
	char former[SETTINGS_HOOK_SIZE] = "";
	struct err ignored = ERR_INIT;

	if (!hook || !hookfile_is_ours(d->c->h, &d->storages, hook))
		return 0;
	if (hook_is_needed(d, ed->now)) {
		out_note(&d->c->out, "the hookscript stays until VM %u has stopped, because it gives the devices back: run 'pve-gpu "
			 "detach %u' once more then", d->vmid, d->vmid);
		return 0;
	}
	if (d->hook_storage && hooknext_former(d->c->h, d->hook_storage, d->vmid, former, &ignored) == 0 && former[0])
		return vmedit_put(ed, "hookscript", former, e);
	return vmedit_drop(ed, "hookscript", e);
}

static int restore_rest(struct detach *d, struct vmedit *ed, struct err *e)
{
	int r = 0;

	for (size_t i = d->log.n; r == 0 && i-- > 0; )
		for (size_t k = 0; r == 0 && k < d->log.list[i].n_keys; k++)
			if (strcmp(d->log.list[i].keys[k].key, "hookscript") != 0 || !hook_is_needed(d, ed->now))
				r = restore_key(ed, &d->log.list[i].keys[k], e);
	/* The memory of a hookscript that has to stay for now is still needed. */
	while (d->log.n && !hook_is_needed(d, ed->now))
		attachlog_pop(&d->log);
	return r == 0 ? drop_hook(d, ed, e) : r;
}

static int load_log(struct detach *d, struct err *e)
{
	struct err note = ERR_INIT;
	int r = attachlog_load(d->c->h, &d->log, &note, e);

	if (r == 0 && note.code)
		out_note(&d->c->out, "%s", note.msg);
	return r;
}

static bool is_there(const struct detach *d, const struct vmconf *c, const char *key)
{
	return vmedit_effective(c, key) || (!d->running && vmconf_current(c, key));
}

static int take_out(struct detach *d, struct vmedit *ed, struct err *e)
{
	bool dropped = false;
	int r = choose(d, ed->now, e);

	if (r == 0 && d->n)
		r = undo_records(d, ed, e);
	for (size_t i = 0; r == 0 && i < d->n; i++) {
		if (!is_there(d, ed->now, d->keys[i]))
			continue;
		r = vmedit_drop(ed, d->keys[i], e);
		dropped = true;
	}
	/* Nothing to take out, but the hookscript may have outlived the devices. */
	if (r == 0 && !d->n && !d->running && !count_devices(ed->now))
		return restore_rest(d, ed, e);
	/* The bytes before an attach have the right hookscript already. */
	if (r == 0 && dropped && !count_devices(ed->now))
		r = restore_rest(d, ed, e);
	return r;
}

static int detach_edit(void *arg, struct vmedit *ed, struct err *e)
{
	struct detach *d = arg;
	const char *hook = vmedit_effective(ed->now, "hookscript");
	int r = load_log(d, e);

	d->running = ed->running;
	d->hook_storage = hook ? hookfile_storage_of(&d->storages, hook) : NULL;
	if (r == 0)
		r = take_out(d, ed, e);
	hook = vmedit_effective(ed->now, "hookscript");
	d->hook_gone = d->hook_storage && (!hook || hookfile_storage_of(&d->storages, hook) != d->hook_storage);
	return r;
}

/* Until the config is written the memory is needed. */
static void forget(void *arg)
{
	struct detach *d = arg;
	struct err e = ERR_INIT;

	if (attachlog_save(d->c->h, &d->log, &e) < 0)
		out_note(&d->c->out, "%s", e.msg);
	if (d->hook_gone)
		hooknext_forget(d->c, d->hook_storage, d->vmid);
}

/* --- the story --------------------------------------------------------------------------------- */

static int read_what(struct detach *d)
{
	const char *arg = d->c->n_args > 1 ? d->c->args[1] : NULL;

	if (!arg || strcmp(arg, "all") == 0)
		return 0;
	d->what = arg;
	d->is_address = bdf_parse_user(arg, &d->bdf, &d->whole) == 0;
	return 0;
}

static int run(struct detach *d, const struct schema_env *env)
{
	struct vmfile_edit what = { .edit = detach_edit, .written = forget, .arg = d, .dry_run = d->c->dry_run };
	struct vmfile_change change = VMFILE_CHANGE_INIT;
	const char *keys[HOSTPCI_MAX];
	struct err e = ERR_INIT;
	int status;

	if (storage_load(d->c->h, &d->storages, &e) < 0 ||
	    vmfile_change(d->c->h, d->vmid, env, &what, &change, &e) < 0)
		return edited_not(d->c, d->vmid, &e);
	for (size_t i = 0; i < d->n; i++)
		keys[i] = d->keys[i];
	status = edited(d->c, d->vmid, &change, keys, d->n);
	vmfile_change_release(&change);
	return status;
}

int cmd_detach(struct cli *c)
{
	struct detach d = { .c = c, .storages = STORAGES_INIT };
	struct vmfile_models models;
	int status = cli_vmid(c, 0, &d.vmid);

	if (!status)
		status = read_what(&d);
	if (status)
		return status;
	d.log = (struct attachlog)ATTACHLOG_INIT(d.vmid);
	vmfile_models_load(c->h, &models);
	status = run(&d, &models.env);
	vmfile_models_release(&models);
	attachlog_release(&d.log);
	storage_release(&d.storages);
	return status;
}
