// SPDX-License-Identifier: GPL-2.0-or-later
/* Proxmox VE's notifications: see notify.h. */
#include "notify.h"

#include <errno.h>
#include <stdio.h>

#include "nodename.h"
#include "str.h"

#define SEND_MS 30000

/* Without a dollar sign: systemd would take it for a variable of its own. */
const char notify_program[] =
	"PVE::Notify::error('pve-gpu', { hostname => shift, vmid => shift, message => shift }, "
	"{ type => 'pve-gpu', hostname => shift });";

/* systemd.service(5), COMMAND LINES: "$$" is one dollar sign. */
static int quote(struct str *s, const char *text)
{
	int r = 0;

	for (; r == 0 && *text; text++)
		r = *text == '$' ? str_add(s, "$$") : str_addn(s, text, 1);
	return r;
}

int notify_send(struct host *h, unsigned vmid, const char *text, struct err *e)
{
	_cleanup_(str_release) struct str words = STR_INIT;
	char node[NODENAME_SIZE], id[16];
	struct host_run done;
	int r;

	if (!host_exists(h, NOTIFY_MODULE))
		return -ENOENT;
	r = nodename_read(h, node, sizeof(node), e);
	if (r < 0)
		return r;
	if (quote(&words, text) < 0)
		return err_nomem(e);
	snprintf(id, sizeof(id), "%u", vmid);
	r = host_run(h, (const char *const[]){
		"/usr/bin/systemd-run", "--quiet", "--collect", "--no-block", "--description=A word about VM devices (pve-gpu)",
		"/usr/bin/perl", "-MPVE::Notify", "-e", notify_program, "--", node, id, words.s, node, NULL,
	}, SEND_MS, &done);
	if (r < 0)
		return err_set(e, -r, "cannot run systemd-run: %s", err_text(r));
	if (done.timed_out || done.status != 0)
		return err_set(e, EIO, "systemd-run could not start the notification: %.400s",
			       done.timed_out ? "it did not answer" : done.output[0] ? done.output : "it did not say why");
	return 0;
}
