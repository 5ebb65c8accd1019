// SPDX-License-Identifier: GPL-2.0-or-later
/* The end of a change: see edited.h. */
#include "edited.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "diff.h"

static struct edit_result begin(struct cli *c, unsigned vmid, const char *path)
{
	return (struct edit_result){
		.vmid = vmid, .verb = c->command->name, .dry_run = c->dry_run, .path = path, .diff = "",
	};
}

int edited_refused(struct cli *c, unsigned vmid, const struct plan *refusals)
{
	struct host_path path = vmfile_path(vmid);
	struct edit_result r = begin(c, vmid, path.s);

	r.refusals = refusals->refusals;
	r.n_refusals = refusals->n_refusals;
	out_edit(&c->out, &r);
	return CLI_REFUSED;
}

static const char *refusal_id(int code)
{
	switch (code) {
	case EBUSY:
		return "locked";
	case EWOULDBLOCK:
		return "busy";
	case EXDEV:
		return "elsewhere";
	case ENOLINK:
		return "not-mounted";
	default:
		return "not-possible";
	}
}

/* A program finds it where all refusals are. */
static void show_refusal(struct cli *c, unsigned vmid, const struct err *e)
{
	struct host_path path = vmfile_path(vmid);
	struct edit_result r = begin(c, vmid, path.s);
	struct plan one = PLAN_INIT;
	struct err ignored = ERR_INIT;

	r.said = true;
	if (plan_refuse(&one, refusal_id(e->code), NULL, &ignored, "", "%s", e->msg) == 0) {
		r.refusals = one.refusals;
		r.n_refusals = one.n_refusals;
		out_edit(&c->out, &r);
	}
	plan_release(&one);
}

int edited_not(struct cli *c, unsigned vmid, const struct err *e)
{
	if (!vmfile_is_refusal(-e->code))
		return cli_failed(c, e);
	out_error(&c->out, e);
	if (vmid)
		show_refusal(c, vmid, e);
	return CLI_REFUSED;
}

int edited(struct cli *c, unsigned vmid, const struct vmfile_change *change, const char *const *keys, size_t n_keys)
{
	struct host_path path = vmfile_path(vmid);
	struct edit_result r = begin(c, vmid, path.s);
	_cleanup_(str_release) struct str diff = STR_INIT;
	struct err e = ERR_INIT;

	if (diff_unified(path.s, change->before->bytes, change->before->len, change->after->bytes, change->after->len,
			 &diff) < 0) {
		err_nomem(&e);
		return cli_failed(c, &e);
	}
	r.diff = diff.s;
	r.digest = change->after->digest;
	r.running = change->running;
	r.written = change->written;
	r.keys = keys;
	r.n_keys = n_keys;
	out_edit(&c->out, &r);
	if (change->newline_added)
		out_note(&c->out, "the last line of the file had no line feed and has one now: something was added behind it");
	return CLI_DONE;
}
