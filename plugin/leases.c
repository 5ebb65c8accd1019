// SPDX-License-Identifier: GPL-2.0-or-later
/* A lease seen from outside: see leases.h. */
#include "leases.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>


const char *leased_state_name(enum leased_state state)
{
	switch (state) {
	case LEASED_STARTING: return "starting";
	case LEASED_RUNNING: return "running";
	case LEASED_RETURNING: return "returning";
	case LEASED_LINGERING: return "lingering";
	case LEASED_STUCK: return "stuck";
	case LEASED_LEFT: return "left-over";
	case LEASED_UNCLEAR: return "unclear";
	case LEASED_DAMAGED: return "damaged";
	case LEASED_STALE: return "stale";
	}
	return "unclear";
}

bool leased_is_problem(enum leased_state state)
{
	switch (state) {
	case LEASED_STARTING:
	case LEASED_RUNNING:
	case LEASED_RETURNING:
	case LEASED_LINGERING:
		return false;
	case LEASED_STUCK:
	case LEASED_LEFT:
	case LEASED_UNCLEAR:
	case LEASED_DAMAGED:
	case LEASED_STALE:
		return true;
	}
	return true;
}

void leased_release(struct leased *l)
{
	lease_release(&l->lease);
}

/* A step that is stuck tells more than one that is merely under way. */
static int find_step(const struct lease *l)
{
	for (size_t i = 0; i < l->plan.n_steps; i++)
		if (l->at[i].mark == MARK_STUCK)
			return (int)i;
	return lease_open_step(l);
}

static bool is_stuck(struct host *h, const struct leased *l)
{
	return l->step >= 0 && l->lease.at[l->step].mark == MARK_STUCK &&
	       (l->busy || lease_process_alive(h, l->lease.stuck));
}

static enum leased_state judge_state(struct host *h, const struct claim_world *world, struct leased *l,
				     struct err *e)
{
	struct err ignored = ERR_INIT;
	int alive;

	if (is_stuck(h, l))
		return LEASED_STUCK;
	alive = world->vm_process(h, l->vmid, &l->qemu, e);
	if (alive < 0)
		return LEASED_UNCLEAR;
	if (l->busy && l->lease.returning)
		return LEASED_RETURNING;
	if (alive > 0)
		return LEASED_RUNNING;
	if (l->busy)
		return l->lease.claimed ? LEASED_RETURNING : LEASED_STARTING;
	if (!l->lease.claimed || l->lease.returning)
		return LEASED_LEFT;
	if (l->lease.linger)
		return host_now(h) < l->lease.linger ? LEASED_LINGERING : LEASED_LEFT;
	return claim_start_goes_on(h, world, &l->lease, &ignored) > 0 ? LEASED_STARTING : LEASED_LEFT;
}

static void tell(struct leased *l, const char *fmt, ...) _printf_(2, 3);
static void tell(struct leased *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->text, sizeof(l->text), fmt, ap);
	va_end(ap);
}

static void advise(struct leased *l, const char *fmt, ...) _printf_(2, 3);
static void advise(struct leased *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->advice, sizeof(l->advice), fmt, ap);
	va_end(ap);
}

/* "step 7 of 12, 'unbind 0000:01:00.0 from nvidia'" */
static struct host_path open_step(const struct leased *l)
{
	return host_path("step %d of %zu, '%s'", l->step + 1, l->lease.plan.n_steps,
			 step_describe(&l->lease.plan.steps[l->step], l->way).s);
}

static void say_left(struct leased *l)
{
	if (l->step >= 0 && l->lease.at[l->step].mark == MARK_STUCK)
		tell(l, "left over: %s, hung in the kernel and has come back since", open_step(l).s);
	else if (l->step >= 0)
		tell(l, "left over: whoever worked on it died at %s", open_step(l).s);
	else if (l->lease.returning)
		tell(l, "left over: giving the devices back was not finished");
	else if (!l->lease.claimed)
		tell(l, "left over: the hook that was taking the devices died");
	else
		tell(l, "left over: the VM is not running, it is not being started, and nobody is giving the "
		     "devices back");
	advise(l, "give them back: pve-gpu release %u", l->vmid);
}

static void say_stuck(struct leased *l)
{
	int pid = (int)l->lease.stuck.pid;

	tell(l, "stuck: %s, has not come back from the kernel (worker process %d)", open_step(l).s, pid);
	advise(l, "'dmesg' and 'cat /proc/%d/stack' tell what the driver waits for; when it lets go: pve-gpu "
	       "release %u", pid, l->vmid);
}

static void say_running(struct leased *l)
{
	tell(l, "%s by the running VM (pid %d)%s", l->lease.claimed ? "held" : "taken, but not completely,",
	     (int)l->qemu.pid, l->lease.returning ? "; giving the devices back was not finished" : "");
	if (!l->lease.claimed || l->lease.returning)
		advise(l, "stop the VM ('qm stop %u'), then: pve-gpu release %u", l->vmid, l->vmid);
}

static void say_starting(struct leased *l)
{
	if (l->step >= 0)
		tell(l, "starting: %s", open_step(l).s);
	else if (l->lease.claimed)
		tell(l, "starting: the devices are taken, QEMU is not up yet");
	else
		tell(l, "starting: the devices are being taken");
}

static void say(struct host *h, struct leased *l, const struct err *e)
{
	uint64_t now = host_now(h), left = l->lease.linger > now ? l->lease.linger - now : 0;

	switch (l->state) {
	case LEASED_STARTING:
		say_starting(l);
		break;
	case LEASED_RUNNING:
		say_running(l);
		break;
	case LEASED_RETURNING:
		tell(l, "being given back%s%s", l->step >= 0 ? ": " : "", l->step >= 0 ? open_step(l).s : "");
		break;
	case LEASED_LINGERING:
		tell(l, "kept for the VM's next start for another %llu s; another VM may have the devices at once",
		     (unsigned long long)left / 1000 + 1);
		advise(l, "give them back now: pve-gpu release %u", l->vmid);
		break;
	case LEASED_STUCK:
		say_stuck(l);
		break;
	case LEASED_LEFT:
		say_left(l);
		break;
	case LEASED_UNCLEAR:
		tell(l, "unclear: whether the VM runs cannot be told: %s", e->msg);
		break;
	case LEASED_DAMAGED:
		tell(l, "%s", e->msg);
		advise(l, "check its devices with 'pve-gpu list --all', then put the file aside: pve-gpu "
		       "release %u", l->vmid);
		break;
	case LEASED_STALE:
		tell(l, "%s", e->msg);
		advise(l, "nothing is held any more; remove the file: pve-gpu release %u", l->vmid);
		break;
	}
}

int leased_look(struct host *h, const struct claim_world *world, unsigned vmid, struct leased *ret,
		struct err *e)
{
	struct leased l = LEASED_INIT;
	struct err why = ERR_INIT;
	int r;

	l.vmid = vmid;
	l.busy = lease_is_locked(h, lease_path(vmid).s);	/* before reading: what is free now is not written to meanwhile */
	r = lease_load(h, vmid, &l.lease, &why);
	if (r == -ENOENT)
		return r;
	if (r < 0 && r != -EBADMSG && r != -ESTALE) {
		*e = why;
		return r;
	}
	if (r == 0) {
		l.step = find_step(&l.lease);
		if (l.step >= 0)
			l.way = lease_way(&l.lease, (size_t)l.step);
		l.state = judge_state(h, world, &l, &why);
	} else {
		l.state = r == -ESTALE ? LEASED_STALE : LEASED_DAMAGED;
	}
	say(h, &l, &why);
	*ret = l;
	return 0;
}
