// SPDX-License-Identifier: GPL-2.0-or-later
/* Giving back what a lease holds, in a child: see watch.h. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"
#include "watch_int.h"

#define GONE_MS 2000		/* from "no QEMU is there" until its files are closed */
#define HELD_MS 30000		/* a device that a stranger has open */

/* How a child ended: its exit status. */
enum result { DONE, FAILED, HOST_WAITS, HUNG, HELD, CHANGED };

/* NULL = the lease is not over. */
static const char *const why_over[] = {
	[DIED_TAKING]		= "whoever was taking its devices died",
	[DIED_RETURNING]	= "giving its devices back was begun and not finished",
	[LET_GO]		= "the step that hung has come back from the kernel",
	[START_FAILED]		= "the start failed: Proxmox is through with it and no QEMU came up",
	[STOP_LOST]		= "QEMU is gone and post-stop has not come",
	[LINGERED]		= "it waited for the VM's next start, which has not come",
	[BROKEN]		= "its lease cannot be read",
};

const char *watch_why_over(enum verdict verdict)
{
	return verdict < ARRAY_SIZE(why_over) ? why_over[verdict] : NULL;
}

/* The event comes before its cause is through: a few looks in a row, then only events count. */
uint64_t watch_busy_pause(unsigned looks)
{
	static const unsigned ms[] = { 50, 200, 1000, 5000 };

	return looks < ARRAY_SIZE(ms) ? ms[looks] : 0;
}

static void say_notes(struct watch *w, const struct watched *v, struct claim *c)
{
	char *cursor = c->notes.s, *line;

	while ((line = str_token(&cursor, "\n")))
		watch_say(w, v, WATCH_NOTE, NULL, "%s", line);
}

static void say_done(struct watch *w, const struct watched *v, const struct claim *c, uint64_t ms)
{
	const struct plan *p = &c->lease.plan;
	struct str list = STR_INIT;

	(void)str_addf(&list, "%s: gave back", watch_why_over(v->verdict));
	for (size_t i = 0; i < p->n_devices; i++) {
		const char *driver = p->devices[i].driver;

		(void)str_addf(&list, "%s %s (%s)", i ? "," : "", BDF_S(p->devices[i].bdf),
			       driver[0] ? driver : "no driver");
	}
	watch_say(w, v, WATCH_GAVE_BACK, &c->lease, "%s in %llu ms", list.s, (unsigned long long)ms);
	str_release(&list);
}

/* Until the next try, after so many failures. */
static uint64_t retry_pause(const struct watch *w, unsigned failures)
{
	return w->retry_ms[failures < WATCH_RETRIES ? failures : WATCH_RETRIES - 1];
}

static enum result failed(struct watch *w, const struct watched *v, const struct lease *l, const struct err *e)
{
	const char *why = watch_why_over(v->verdict);

	if (v->failures < WATCH_RETRIES)
		watch_say(w, v, WATCH_RETRY, l, "%s; cannot give back: %s (once more in %llu s)", why, e->msg,
			  (unsigned long long)retry_pause(w, v->failures) / 1000);
	else
		watch_say(w, v, WATCH_FAILED, l, "%s; cannot give back: %s (tried %u times and left as it is; "
			  "'pve-gpu release %u' tries again)", why, e->msg, v->failures + 1, v->vmid);
	return FAILED;
}

static bool devices_are_back(const struct lease *l)
{
	for (size_t i = 0; i < l->plan.n_devices; i++)
		if (!lease_gave_back(l, l->plan.devices[i].bdf))
			return false;
	return true;
}

/* Nobody's device is missing, so there is no reason to stop trying. */
static enum result host_waits(struct watch *w, const struct watched *v, const struct lease *l, const struct err *e)
{
	watch_say(w, v, v->failures == WATCH_RETRIES ? WATCH_FAILED : WATCH_RETRY, l, "%s; its devices are back, but: %s "
		  "(tried %u times, once more in %llu s; 'pve-gpu release %u' tries at once)", watch_why_over(v->verdict), e->msg,
		  v->failures + 1, (unsigned long long)retry_pause(w, v->failures) / 1000, v->vmid);
	return HOST_WAITS;
}

static enum result give_back(struct watch *w, const struct watched *v, struct claim *c)
{
	uint64_t began = host_now(w->h);
	struct err e = ERR_INIT;
	int r = claim_wait_gone(c, &c->lease, &e);

	if (r < 0) {
		if (!v->told_held)
			watch_say(w, v, WATCH_HELD, &c->lease, "%s; not given back yet: %s", watch_why_over(v->verdict), e.msg);
		return HELD;
	}
	r = claim_give_back(c, &e);
	say_notes(w, v, c);
	if (c->report.stuck) {
		watch_say(w, v, WATCH_HANGS, &c->lease, "%s; %s", watch_why_over(v->verdict), e.msg);
		return HUNG;
	}
	if (r < 0)
		return devices_are_back(&c->lease) ? host_waits(w, v, &c->lease, &e) : failed(w, v, &c->lease, &e);
	say_done(w, v, c, host_now(w->h) - began);
	return DONE;
}

static enum result put_aside(struct watch *w, const struct watched *v)
{
	struct err why, e = ERR_INIT;
	int r = lease_dispose(w->h, v->vmid, 0, &why, &e);

	if (r < 0)
		return failed(w, v, NULL, &e);
	if (r == 0)
		return CHANGED;
	watch_say(w, v, why.code == ESTALE ? WATCH_NOTE : WATCH_ASIDE, NULL, "%s; %s", why.msg, why.code == ESTALE ? "it was removed" :
		  "it was put aside in " LEASE_ASIDE " and no device was touched: see 'pve-gpu list --all'");
	return DONE;
}

static enum result finish(struct watch *w, const struct watched *v)
{
	struct watched again = *v;
	struct err e = ERR_INIT;
	enum result ret = CHANGED;
	struct claim c;
	int r;

	if (v->verdict == BROKEN)
		return put_aside(w, v);
	again.follow = -1;
	claim_init(&c, w->h, w->world, v->vmid);
	c.limit = w->limit;
	c.release_ms = GONE_MS;
	c.last_try = v->failures >= WATCH_RETRIES;
	c.end = v->verdict == STOP_LOST ? END_UNCLEAN : END_CLEAN;
	r = lease_open(w->h, v->vmid, 0, &c.lease, &e);
	if (r == 0 && watch_verdict(w, &again, &c.lease, &e) == v->verdict)
		ret = give_back(w, v, &c);
	else if (r < 0 && r != -ENOENT && r != -EWOULDBLOCK && r != -EBADMSG && r != -ESTALE)
		ret = failed(w, v, NULL, &e);
	claim_release(&c);
	return ret;
}

static void concluded(struct watch *w, struct watched *v, int status)
{
	enum result r = WIFEXITED(status) ? (enum result)WEXITSTATUS(status) : FAILED;
	uint64_t now = host_now(w->h);

	v->news = true;
	if (WIFSIGNALED(status))
		watch_say(w, v, WATCH_UNCLEAR, NULL, "the process that gave its devices back was killed by signal %d",
			  WTERMSIG(status));
	v->devices_back |= r == HOST_WAITS;
	if (r == FAILED || r == HOST_WAITS)
		v->not_before = now + retry_pause(w, v->failures);
	if (r == FAILED || r == HOST_WAITS || r == HUNG)
		v->failures++;
	if (r == HUNG)
		v->told_hung = true;
	if (r == HELD) {
		v->not_before = now + (v->told_held ? HELD_MS : WATCH_BLIND_MS);
		v->told_held = true;
	}
	/* Somebody was faster; he may be about to let go. */
	if (r == CHANGED)
		v->not_before = now + watch_busy_pause(0);
}

void watch_reap(struct watch *w, struct watched *v)
{
	int status = 0;

	while (waitpid(v->child, &status, 0) < 0 && errno == EINTR)
		;
	v->child = 0;
	file_closep(&v->child_fd);
	concluded(w, v, status);
}

void watch_begin(struct watch *w, struct watched *v)
{
	fflush(w->out);
	v->child = fork();
	if (v->child == 0)
		_exit(finish(w, v));
	if (v->child < 0) {
		v->child = 0;
		v->due = host_now(w->h) + WATCH_BLIND_MS;
		return;
	}
	v->child_fd = watch_pidfd_of(v->child);
	if (v->child_fd < 0)
		watch_reap(w, v);	/* no descriptor left to wait with the others */
}
