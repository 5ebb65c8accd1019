// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu release: what post-stop does, by hand, for a VM whose post-stop never came or failed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "abandoned.h"
#include "cli.h"
#include "guest.h"
#include "guestlock.h"
#include "hookscript.h"
#include "names.h"
#include "tell.h"

static int refused(struct cli *c, unsigned vmid, const struct err *e)
{
	struct release_result r = { .vmid = vmid, .verdict = RELEASE_REFUSED, .why = e->msg };

	out_say(&c->out, e);
	out_release(&c->out, &r);
	return CLI_REFUSED;
}

static int failed(struct cli *c, unsigned vmid, const struct err *e)
{
	struct release_result r = { .vmid = vmid, .verdict = RELEASE_FAILED, .why = e->msg };

	out_say(&c->out, e);
	out_release(&c->out, &r);
	return CLI_FAILED;
}

static int shown(struct cli *c, unsigned vmid, enum release_verdict verdict)
{
	struct release_result r = { .vmid = vmid, .verdict = verdict };

	out_release(&c->out, &r);
	return CLI_DONE;
}

/* The VM's own business first: 0 when it is gone and nobody is bringing it up or down. */
static int check_gone(struct cli *c, unsigned vmid, struct err *e)
{
	struct guestlock_holder who;
	struct lease_process qemu;
	int r = guest_world.vm_process(c->h, vmid, &qemu, e);

	if (r > 0)
		return err_set(e, EBUSY, "VM %u runs (pid %d) and has its devices; nothing was touched. Stop it "
			       "first: qm stop %u", vmid, (int)qemu.pid, vmid);
	if (r == 0)
		r = guest_world.vm_locked(c->h, vmid, e);
	if (r <= 0)
		return r;
	err_set(e, EBUSY, "Proxmox is starting, stopping or changing VM %u right now; nothing was touched. Try "
		"again when it is through", vmid);
	if (guestlock_holder(c->h, vmid, &who) > 0)
		err_hint(e, "(process %d, %s)", (int)who.pid, who.name[0] ? who.name : "already gone");
	return -EBUSY;
}

static int would_release(struct cli *c, unsigned vmid)
{
	struct release_result r = { .vmid = vmid, .verdict = RELEASE_WOULD, .abandon = c->abandon };
	struct leased l = LEASED_INIT;
	struct err e = ERR_INIT;
	int q = leased_look(c->h, &guest_world, vmid, &l, &e);

	if (q == -ENOENT)
		return shown(c, vmid, RELEASE_NONE);
	if (q < 0)
		return failed(c, vmid, &e);
	if (l.busy && !(c->abandon && l.state == LEASED_STUCK)) {
		err_set(&e, EBUSY, "somebody is at work on the devices of VM %u: %.700s", vmid, l.text);
		q = refused(c, vmid, &e);
	} else if (l.state == LEASED_DAMAGED) {
		err_set(&e, EBADMSG, "VM %u: %.700s; it would be put aside in " LEASE_ASIDE, vmid, l.text);
		q = failed(c, vmid, &e);
	} else if (l.state == LEASED_STALE) {
		q = shown(c, vmid, RELEASE_WOULD);
	} else {
		r.lease = &l.lease;
		r.names = tell_names(c->h, &l.lease.plan);
		out_release(&c->out, &r);
		names_free(r.names);
		q = CLI_DONE;
	}
	leased_release(&l);
	return q;
}

/* Giving back must not depend on a file that somebody has just mistyped. */
static void load_settings(struct cli *c, unsigned vmid, struct settings *ret)
{
	struct hookscript hook;
	struct err e = ERR_INIT;

	if (hookscript_find(c->h, vmid, &hook, &e) < 0)
		hook.folder[0] = '\0';
	e = (struct err)ERR_INIT;
	if (settings_load(c->h, hook.folder[0] ? hook.folder : NULL, vmid, ret, &e) == 0)
		return;
	out_note(&c->out, "VM %u: going on with the default settings: %s", vmid, e.msg);
	settings_init(ret);
}

static void prepare(struct cli *c, unsigned vmid, struct claim *claim)
{
	struct settings s;

	load_settings(c, vmid, &s);
	claim_init(claim, c->h, &guest_world, vmid);
	claim->by_hand = true;
	claim_budget(claim, s.release_wait, s.stop_deadline);
	claim->end = END_UNCLEAN;	/* its post-stop never came: nobody knows how it ended */
}

/* Refused is only what happened before the first write. */
static int not_returned(struct cli *c, const struct claim *claim, int r, const struct err *e)
{
	if (r == -EWOULDBLOCK || (r == -EBUSY && !claim->lease.returning))
		return refused(c, claim->vmid, e);
	return failed(c, claim->vmid, e);
}

/* What is recorded as given up, this time and earlier. */
static int gave_up(struct cli *c, unsigned vmid)
{
	struct release_result r = { .vmid = vmid, .verdict = RELEASE_GIVEN_UP };
	struct abandoned *list = NULL;
	struct err e = ERR_INIT;
	size_t n = 0, kept = 0;

	if (abandoned_list(c->h, &list, &n, &e) < 0)
		return failed(c, vmid, &e);
	for (size_t i = 0; i < n; i++)
		if (list[i].vmid == vmid)
			list[kept++] = list[i];
	r.given_up = list;
	r.n_given_up = kept;
	out_release(&c->out, &r);
	free(list);
	return CLI_DONE;
}

static int do_release(struct cli *c, unsigned vmid)
{
	struct release_result result = { .vmid = vmid, .verdict = RELEASE_DONE };
	uint64_t began = host_now(c->h);
	struct err e = ERR_INIT;
	struct claim claim;
	bool had, given_up = false;
	int r, status;

	prepare(c, vmid, &claim);
	r = c->abandon ? claim_abandon(&claim, &had, &given_up, &e) : claim_return(&claim, &had, &e);
	out_notes(&c->out, claim.notes.s);
	if (r < 0) {
		status = not_returned(c, &claim, r, &e);
	} else if (given_up) {
		status = gave_up(c, vmid);
	} else if (!had) {
		status = shown(c, vmid, RELEASE_NONE);
	} else if (claim.lease.fd < 0) {
		status = shown(c, vmid, RELEASE_DROPPED);
	} else {
		result.lease = &claim.lease;
		result.report = &claim.report;
		result.ms = host_now(c->h) - began;
		result.names = tell_names(c->h, &claim.lease.plan);
		out_release(&c->out, &result);
		names_free(result.names);
		status = CLI_DONE;
	}
	claim_release(&claim);
	return status;
}

static int release_one(struct cli *c, unsigned vmid)
{
	struct err e = ERR_INIT;
	struct stat st;
	int r;

	if (host_stat(c->h, lease_path(vmid).s, &st) == -ENOENT)
		return shown(c, vmid, RELEASE_NONE);
	r = check_gone(c, vmid, &e);
	if (r < 0)
		return r == -EBUSY ? refused(c, vmid, &e) : failed(c, vmid, &e);
	return c->dry_run ? would_release(c, vmid) : do_release(c, vmid);
}

/* A failure outweighs a refusal: it is what somebody has to look at. */
static int worse(int a, int b)
{
	return a == CLI_FAILED || b == CLI_FAILED ? CLI_FAILED : a ? a : b;
}

static int release_all(struct cli *c)
{
	struct err e = ERR_INIT;
	unsigned *ids = NULL;
	size_t n = 0;
	int status = CLI_DONE;

	if (lease_list(c->h, &ids, &n, &e) < 0)
		return cli_failed(c, &e);
	if (n == 0)
		out_release(&c->out, NULL);
	for (size_t i = 0; i < n; i++)
		status = worse(status, release_one(c, ids[i]));
	free(ids);
	return status;
}

int cmd_release(struct cli *c)
{
	unsigned vmid;
	int status;

	if (c->all && c->n_args)
		return cli_usage(c, "either a VM id or --all, not both");
	if (c->all && c->abandon)
		return cli_usage(c, "--abandon is for one VM: pve-gpu release --abandon VMID");
	if (c->all)
		return release_all(c);
	if (!c->n_args)
		return cli_usage(c, "whose devices? pve-gpu release VMID, or --all");
	status = cli_vmid(c, 0, &vmid);
	return status ? status : release_one(c, vmid);
}
