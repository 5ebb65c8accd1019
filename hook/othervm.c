// SPDX-License-Identifier: GPL-2.0-or-later
/* Another VM has the devices: waiting for its end, or bringing it about.  See hook.h. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "hook.h"
#include "str.h"

#define QM "/usr/sbin/qm"
#define QM_MARGIN_MS 15000	/* qm itself waits for the VM's lock */
#define PAUSE_MS 250
#define POST_STOP_MS 10000	/* then it was lost: watch has come first, or the next plan gives back */

struct others {
	struct hook *k;
	const struct claim_world *world;
	unsigned vmid[16];
	size_t n;
	uint64_t until;
};

/* False when something else is in the way, too: then nobody is stopped for nothing. */
static bool find_others(const struct plan *p, unsigned self, struct others *o)
{
	for (size_t i = 0; i < p->n_refusals; i++) {
		unsigned vmid = p->refusals[i].vmid;
		size_t k = 0;

		while (k < o->n && o->vmid[k] != vmid)
			k++;
		if (!vmid || vmid == self || k == ARRAY_SIZE(o->vmid))
			return false;
		o->vmid[k] = vmid;
		o->n += k == o->n;
	}
	return o->n > 0;
}

static void say(struct others *o, unsigned vmid, const char *what, const char *more)
{
	fprintf(o->k->out, "pve-gpu: VM %u: VM %u has its devices: %s%s\n", o->k->vmid, vmid, what, more);
	fflush(o->k->out);
}

/* Proxmox's own command, as somebody would type it.  We hold no lock that the other VM's hook could want. */
static bool end_vm(struct others *o, unsigned vmid, const char *verb)
{
	uint64_t now = host_now(o->k->h), ms = o->until > now ? o->until - now : 0;
	struct host_path id = host_path("%u", vmid), seconds = host_path("%llu", (unsigned long long)(ms + 999) / 1000);
	const char *const argv[] = { QM, verb, id.s, "--timeout", seconds.s, NULL };
	_cleanup_(str_release) struct str said = STR_INIT;
	struct host_run run;
	int r;

	(void)str_addf(&said, "'qm %s %u', for at most %s s", verb, vmid, seconds.s);
	say(o, vmid, said.s, "");
	r = host_run(o->k->h, argv, ms + QM_MARGIN_MS, &run);
	if (r == 0 && !run.timed_out && run.status == 0)
		return true;
	str_clear(&said);
	run.output[strcspn(run.output, "\n")] = '\0';
	(void)str_add_safe(&said, r < 0 ? err_text(r) : run.timed_out ? "it did not come back in time" : run.output);
	say(o, vmid, strcmp(verb, "stop") == 0 ? "'qm stop' failed: " : "'qm shutdown' failed: ", said.s);
	return false;
}

/* Its QEMU is gone, and Proxmox is not at it. */
static bool is_down(struct others *o, unsigned vmid)
{
	struct lease_process p;
	struct err ignored = ERR_INIT;

	return o->world->vm_process(o->k->h, vmid, &p, &ignored) == 0 && o->world->vm_locked(o->k->h, vmid, &ignored) == 0;
}

/* Nothing of its lease's is in anybody's way. */
static bool has_let_go(struct others *o, unsigned vmid)
{
	struct lease l = LEASE_INIT;
	struct err ignored = ERR_INIT;
	int r = lease_load(o->k->h, vmid, &l, &ignored);
	size_t back = 0;
	bool ret;

	while (r == 0 && back < l.plan.n_devices && lease_gave_back(&l, l.plan.devices[back].bdf))
		back++;
	ret = r == 0 ? back == l.plan.n_devices || (l.linger && !l.returning) : r == -ENOENT;
	lease_release(&l);
	return ret;
}

/* A cancelled task is not kept waiting; what it says is read later. */
static bool is_cancelled(struct others *o)
{
	struct pollfd p = { o->k->cancel, POLLIN, 0 };

	return o->k->cancel >= 0 && poll(&p, 1, 0) > 0;
}

/* Proxmox's lock is free for a moment between QEMU's end and post-stop: that is none yet.  True: the devices
 * are to be had. */
static bool wait_for_end(struct others *o, unsigned vmid)
{
	uint64_t down = 0;

	for (;;) {
		uint64_t now = host_now(o->k->h);

		if (!is_down(o, vmid))
			down = 0;
		else if (has_let_go(o, vmid))
			return true;
		else if (down == 0)
			down = now;
		if (now >= o->until || (down && now >= down + POST_STOP_MS) || is_cancelled(o))
			return false;
		host_sleep(o->k->h, PAUSE_MS);
	}
}

bool hook_make_room(struct hook *k, struct claim *c, const struct settings *s, const struct plan *p)
{
	struct others o = { .k = k, .world = c->world, .until = host_now(k->h) + s->other_vm.ms };
	const char *verb = s->other_vm.word == SETTINGS_OTHER_SHUTDOWN ? "shutdown" : "stop";

	if (s->other_vm.word == SETTINGS_OTHER_REFUSE || !find_others(p, k->vmid, &o))
		return false;
	claim_step_aside(c);
	for (size_t i = 0; i < o.n && !is_cancelled(&o); i++) {
		if (s->other_vm.word == SETTINGS_OTHER_WAIT)
			say(&o, o.vmid[i], "waiting for its end", "");
		else if (!is_down(&o, o.vmid[i]) && !end_vm(&o, o.vmid[i], verb))
			return true;
		if (!wait_for_end(&o, o.vmid[i]))
			return true;
	}
	return true;
}
