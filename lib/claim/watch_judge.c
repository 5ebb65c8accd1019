// SPDX-License-Identifier: GPL-2.0-or-later
/* Is a lease over, and what to do about it: see watch.h. */
#include <errno.h>

#include "file.h"
#include "watch_int.h"

#define PATIENCE_MIN_MS 1000	/* a Proxmox lock that others hold */
#define PATIENCE_MAX_MS 5000

/* --- is it over? ----------------------------------------------------------------------------- */

/* True when the process lives: v->follow then tells of its end. */
static bool follow(struct watch *w, struct watched *v, struct lease_process p)
{
	int fd = p.pid > 0 ? w->follow(w->h, p) : -ESRCH;

	file_closep(&v->follow);
	v->follow = fd < 0 ? -1 : fd;
	return fd != -ESRCH;
}

static bool has_hung(const struct lease *l)
{
	for (size_t i = 0; i < l->plan.n_steps; i++)
		if (l->at[i].mark == MARK_STUCK)
			return true;
	return false;
}

/* A new start of the VM is a new lease: nothing that was known of the old one counts. */
static void recognise(struct watch *w, struct watched *v, const struct lease *l)
{
	struct stat st;
	ino_t ino = host_stat(w->h, lease_path(v->vmid).s, &st) == 0 ? st.st_ino : 0;

	if (ino != v->ino || l->task.pid != v->task.pid || l->task.start != v->task.start) {
		v->verdict = UNKNOWN;
		v->not_before = 0;
		v->failures = 0;
		v->told_held = v->told_hung = v->devices_back = false;
		v->qemu = (struct lease_process){ 0, 0 };
	}
	v->ino = ino;
	v->task = l->task;
	if (l->qemu.pid)
		v->qemu = l->qemu;
}

/* Nobody has the lease's lock. */
enum verdict watch_verdict(struct watch *w, struct watched *v, const struct lease *l, struct err *e)
{
	struct lease_process p = { 0, 0 };
	int r;

	recognise(w, v, l);
	if (follow(w, v, l->qemu))
		return RUNS;
	r = w->world->vm_process(w->h, v->vmid, &p, e);
	if (r > 0)
		v->qemu = p;
	if (r != 0)
		return r > 0 && follow(w, v, p) ? RUNS : UNCLEAR;
	if (!l->claimed || l->returning)
		return has_hung(l) ? LET_GO : l->returning ? DIED_RETURNING : DIED_TAKING;
	v->linger = l->linger;
	if (host_now(w->h) < l->linger)
		return LINGERS;
	if (l->linger) {
		r = w->world->vm_locked(w->h, v->vmid, e);
		return r == 0 ? LINGERED : r > 0 ? LOCKED : UNCLEAR;
	}
	if (v->qemu.pid == 0 && follow(w, v, l->task) && !l->task_locked)
		return STARTING;
	r = w->world->vm_locked(w->h, v->vmid, e);
	if (r != 0)
		return r > 0 ? LOCKED : UNCLEAR;
	return v->qemu.pid ? STOP_LOST : START_FAILED;
}

static enum verdict at_work(struct watch *w, struct watched *v, const struct lease *l)
{
	recognise(w, v, l);
	(void)follow(w, v, l->stuck);
	if (has_hung(l) && !v->told_hung) {
		v->told_hung = true;
		watch_say(w, v, WATCH_HANGS, l, "a step hangs in the kernel (worker process %d); when it comes back, the devices "
			  "are given back", (int)l->stuck.pid);
	}
	return BUSY;
}

static enum verdict look(struct watch *w, struct watched *v, struct err *e)
{
	bool locked = lease_is_locked(w->h, lease_path(v->vmid).s);	/* before reading: what is free now has no writer */
	struct lease l = LEASE_INIT;
	enum verdict ret;
	int r = lease_load(w->h, v->vmid, &l, e);

	if (r == -ENOENT)
		return GONE;
	if (r == -EBADMSG || r == -ESTALE)
		return locked ? BUSY : BROKEN;
	if (r < 0)
		return UNCLEAR;
	ret = locked ? at_work(w, v, &l) : watch_verdict(w, v, &l, e);
	lease_release(&l);
	return ret;
}

/* --- what to do about a verdict ------------------------------------------------------------------ */

static uint64_t clamp(uint64_t ms, uint64_t low, uint64_t high)
{
	return ms < low ? low : ms > high ? high : ms;
}

static void wait_on(struct watched *v, uint64_t now)
{
	uint64_t pause = 0;

	if (v->verdict == BUSY)
		pause = watch_busy_pause(v->looks++);
	else if (v->verdict == LOCKED || v->verdict == UNCLEAR)
		pause = clamp((now - v->since) / 10, PATIENCE_MIN_MS, PATIENCE_MAX_MS);
	else if (v->follow < 0 && v->verdict != GONE && v->verdict != LINGERS)
		pause = WATCH_BLIND_MS;
	v->due = pause ? now + pause : 0;
	if (v->verdict == LINGERS)
		v->due = v->linger;
}

static void act_on(struct watch *w, struct watched *v, uint64_t now)
{
	uint64_t ripe = v->since;

	if (v->verdict == START_FAILED)
		ripe += w->settle_ms;
	if (v->verdict == STOP_LOST)
		ripe += w->grace_ms;
	if (v->failures > WATCH_RETRIES && !v->devices_back)
		return;
	if (ripe < v->not_before)
		ripe = v->not_before;
	if (now < ripe)
		v->due = ripe;
	else
		watch_begin(w, v);
}

void watch_judge(struct watch *w, struct watched *v)
{
	struct err e = ERR_INIT;
	enum verdict verdict;
	uint64_t now;

	if (v->news)
		v->looks = 0;
	v->news = false;
	v->due = 0;
	file_closep(&v->follow);
	verdict = look(w, v, &e);
	now = host_now(w->h);
	if (verdict != v->verdict) {
		v->since = now;
		if (verdict == UNCLEAR && e.code)
			watch_say(w, v, WATCH_UNCLEAR, NULL, "cannot tell how it is, looking again: %s", e.msg);
	}
	v->verdict = verdict;
	if (watch_why_over(verdict))
		act_on(w, v, now);
	else
		wait_on(v, now);
}
