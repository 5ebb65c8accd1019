// SPDX-License-Identifier: GPL-2.0-or-later
/* post-start notes who QEMU is, and does watch's work where none runs; post-stop is the story of giving back. */
#include <errno.h>
#include <unistd.h>

#include "file.h"
#include "hook.h"
#include "journal.h"
#include "running.h"
#include "tell.h"

#define OTHERS_MS 10000		/* what post-start may take for other VMs' devices, where no watch runs */

static int failed(struct hook *k, const struct err *e)
{
	fprintf(k->out, "pve-gpu: VM %u: %s\n", k->vmid, e->msg);
	return EXIT_FAILED;
}

/* Nobody shows what a post-stop prints that qmeventd's 'qm cleanup' has called. */
static int stop_failed(struct hook *k, const struct err *e)
{
	_cleanup_(file_closep) int fd = journal_open(k->h);
	_cleanup_(str_release) struct str entry = STR_INIT, text = STR_INIT;
	char id[16];

	snprintf(id, sizeof(id), "%u", k->vmid);
	if (str_addf(&text, "VM %u: post-stop: %s", k->vmid, e->msg) == 0)
		(void)journal_entry(&entry, JOURNAL_ERR, text.s);
	(void)journal_field(&entry, "PVE_GPU_EVENT", "post-stop-failed");
	(void)journal_field(&entry, "PVE_GPU_VMID", id);
	if (fd >= 0)
		(void)journal_send(fd, &entry);
	return failed(k, e);
}

/* Nobody waits for the VM any more. */
static void give_back_others(struct hook *k)
{
	struct claim c;

	claim_init(&c, k->h, &guest_world, k->vmid);
	c.limit = k->limit;
	c.return_by = host_now(k->h) + OTHERS_MS;
	claim_give_back_others(&c);
	tell_notes(k->out, "pve-gpu: ", &c.notes);
	claim_release(&c);
}

/* Proxmox unlinks the pid file before post-stop: who held the devices must be known by then. */
int hook_poststart(struct hook *k)
{
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	struct running qemu;
	int r;

	if (!host_exists(k->h, lease_path(k->vmid).s))
		return EXIT_DONE;
	r = lease_open(k->h, k->vmid, 1000, &l, &e);
	if (r == 0)
		r = running_pidfile(k->h, k->vmid, &qemu, &e);
	if (r > 0)
		r = lease_note_qemu(&l, (struct lease_process){ qemu.pid, qemu.starttime }, &e);
	lease_release(&l);
	give_back_others(k);
	return r < 0 ? failed(k, &e) : EXIT_DONE;
}

static int give_back(struct hook *k, bool may_linger)
{
	uint64_t began = host_now(k->h);
	struct settings settings;
	struct err e = ERR_INIT;
	struct claim c;
	bool had;
	int r;

	if (!host_exists(k->h, lease_path(k->vmid).s))
		return EXIT_DONE;
	/* Giving back must not depend on a file that somebody has just mistyped. */
	if (settings_load(k->h, k->snippets, k->vmid, &settings, &e) < 0) {
		fprintf(k->out, "pve-gpu: VM %u: going on with the defaults: %s\n", k->vmid, e.msg);
		settings_init(&settings);
	}
	e = (struct err)ERR_INIT;
	claim_init(&c, k->h, &guest_world, k->vmid);
	c.limit = k->limit;
	claim_budget(&c, settings.release_wait, settings.stop_deadline);
	c.linger_ms = may_linger ? settings.linger : 0;
	c.end = guest_end(k->h, getppid());
	r = claim_return(&c, &had, &e);
	tell_notes(k->out, "pve-gpu: ", &c.notes);
	if (r == 0 && had && c.lease.linger && !c.lease.returning) {
		fprintf(k->out, "pve-gpu: VM %u: its devices wait %llu s for its next start; other VMs may have them\n",
			k->vmid, (unsigned long long)(c.lease.linger - host_now(k->h) + 999) / 1000);
	} else if (r == 0 && had && c.lease.fd >= 0) {
		struct names *names = tell_names(k->h, &c.lease.plan);

		tell_returned(k->out, &c.lease, &c.report, host_now(k->h) - began, names);
		if (k->timing)
			fprintf(k->out, "critical_path_us=%llu\n", (unsigned long long)c.report.ns / 1000);
		names_free(names);
	}
	claim_release(&c);
	return r < 0 ? stop_failed(k, &e) : EXIT_DONE;
}

int hook_poststop(struct hook *k)
{
	return give_back(k, true);
}

int hook_undo_start(struct hook *k)
{
	return give_back(k, false);
}
