// SPDX-License-Identifier: GPL-2.0-or-later
/* Getting a device free of its users, and starting again what was stopped: see step_int.h and plan_free.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lease.h"
#include "plan_free.h"
#include "proc.h"
#include "step_int.h"
#include "str.h"

#define SYSTEMCTL "/usr/bin/systemctl"
#define SYSTEMD_RUN "/usr/bin/systemd-run"
#define PCT "/usr/sbin/pct"

#define PAUSE_MS 50
#define COMMAND_MARGIN_MS 3000	/* a command that is ended has two seconds of grace (proc.h) */
#define SHUTDOWN_MS 60000	/* of a container; then it is stopped hard */
#define FROZEN_MS 8000
#define KILLED_MS 5000		/* from SIGKILL to its end */

static uint64_t left(const struct run *c)
{
	uint64_t now = host_now(c->h);

	return now + COMMAND_MARGIN_MS < c->until ? c->until - now - COMMAND_MARGIN_MS : 500;
}

/* "'systemctl stop x.service' ended with status 5: Unit x.service not loaded." */
static int say_failed(struct run *c, const char *what, const struct host_run *done)
{
	_cleanup_(str_release) struct str said = STR_INIT;
	char cut[300], how[64];

	snprintf(cut, sizeof(cut), "%.*s", (int)strcspn(done->output, "\n"), done->output);
	(void)str_add_safe(&said, cut);
	if (done->timed_out)
		snprintf(how, sizeof(how), "did not come back in time");
	else if (done->signal)
		snprintf(how, sizeof(how), "was ended by signal %d", done->signal);
	else
		snprintf(how, sizeof(how), "ended with status %d", done->status);
	return err_set(&c->reply->e, done->timed_out ? ETIMEDOUT : EIO, "'%s %s' %s%s%s", what, c->s->to, how,
		       said.len ? ": " : "", said.s);
}

/* `what` as somebody would type it, but for the name. */
static int command(struct run *c, const char *what, const char *const argv[], struct host_run *ret)
{
	int r = host_run(c->h, argv, left(c), ret);

	if (r < 0)
		return err_set(&c->reply->e, -r, "cannot run '%s %s': %s: %s", what, c->s->to, argv[0], err_text(r));
	return ret->timed_out || ret->status != 0 ? say_failed(c, what, ret) : 0;
}

/* --- services ------------------------------------------------------------------------------------ */

/* Stopping it would end this very start. */
static int is_own_unit(struct run *c)
{
	struct host_path mine = host_path("/%s", c->s->to);
	char text[1024];
	ssize_t n = host_read(c->h, "/proc/self/cgroup", text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	if (!strstr(text, mine.s))
		return 0;
	return err_set(&c->reply->e, EDEADLK, "this start runs in %s itself", c->s->to);
}

int service_do(struct run *c)
{
	const char *const argv[] = { SYSTEMCTL, "stop", "--", c->s->to, NULL };
	struct host_run done;
	int r;

	c->reply->enable = c->s->kept || free_unit_is_active(c->h, c->s->to);
	if (!c->reply->enable)
		return 0;	/* somebody was faster: then it is not ours to start either */
	r = is_own_unit(c);
	return r == 0 ? command(c, "systemctl stop", argv, &done) : r;
}

/* Without a look first: of a stop that was cut short nobody knows whether systemd is still at it, and a
 * start comes after it.  The failures of a service that was restarted too often are forgotten before. */
int service_undo(struct run *c)
{
	const char *const forget[] = { SYSTEMCTL, "reset-failed", "--", c->s->to, NULL };
	const char *const start[] = { SYSTEMCTL, "start", "--", c->s->to, NULL };
	struct err ignored = ERR_INIT;
	struct host_run done;
	int r;

	if (c->s->enable == 0)
		return 0;
	if (command(c, "systemctl reset-failed", forget, &done) < 0)
		c->reply->e = ignored;
	r = command(c, "systemctl start", start, &done);
	/* It takes its time to come up, which is systemd's business from here on. */
	if (r == -ETIMEDOUT && free_unit_is_active(c->h, c->s->to)) {
		c->reply->e = ignored;
		r = 0;
	}
	return r;
}

/* --- containers ---------------------------------------------------------------------------------- */

static bool cgroup_says(struct run *c, const char *what)
{
	char text[256];
	ssize_t n = host_read(c->h, host_path("/sys/fs/cgroup/lxc/%s/cgroup.events", c->s->to).s, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return strstr(text, what) != NULL;
}

static bool container_runs(struct run *c)
{
	return cgroup_says(c, "populated 1");
}

/* Under HA 'pct' only asks for it: what counts is that no process of it is left. */
int container_do(struct run *c)
{
	uint64_t ms = left(c);
	struct host_path timeout = host_path("%llu", (unsigned long long)(ms / 2 < SHUTDOWN_MS ? ms / 2 : SHUTDOWN_MS) / 1000);
	const char *const argv[] = { PCT, "shutdown", c->s->to, "--forceStop", "1", "--timeout", timeout.s, NULL };
	struct host_run done;
	int r;

	c->reply->enable = c->s->kept || container_runs(c);
	if (!container_runs(c))
		return 0;
	r = command(c, "pct shutdown", argv, &done);
	while (r == 0 && container_runs(c)) {
		if (host_now(c->h) + COMMAND_MARGIN_MS >= c->until)
			return err_set(&c->reply->e, ETIMEDOUT, "container %s still runs after 'pct shutdown %s'", c->s->to,
				       c->s->to);
		host_sleep(c->h, PAUSE_MS);
	}
	return r;
}

/* Not from here: watch is confined to what devices need, and what it starts would be, too. */
int container_undo(struct run *c)
{
	const char *const argv[] = { SYSTEMD_RUN, "--quiet", "--collect", "--wait", "--pipe", "--", PCT, "start", c->s->to, NULL };
	struct host_run done = { .output = "" };
	int r;

	if (c->s->enable == 0)
		return 0;
	r = command(c, "pct start", argv, &done);
	if (r < 0 && strstr(done.output, "already running")) {
		c->reply->e = (struct err)ERR_INIT;
		return 0;
	}
	return r;
}

static int freezer(struct run *c, const char *value, const char *want)
{
	struct host_path path = host_path("/sys/fs/cgroup/lxc/%s/cgroup.freeze", c->s->to);
	uint64_t end = host_now(c->h) + FROZEN_MS;
	int r = host_write(c->h, path.s, value);

	if (r < 0)
		return err_set(&c->reply->e, -r, "cannot write '%s' to '%s': %s", value, path.s, err_text(r));
	while (!cgroup_says(c, want)) {
		if (host_now(c->h) >= end)
			return err_set(&c->reply->e, ETIMEDOUT, "container %s does not come to '%s' (see "
				       "/sys/fs/cgroup/lxc/%s/cgroup.events)", c->s->to, want, c->s->to);
		host_sleep(c->h, PAUSE_MS);
	}
	return 0;
}

int freeze_do(struct run *c)
{
	c->reply->enable = c->s->kept || (container_runs(c) && !cgroup_says(c, "frozen 1"));
	return c->reply->enable ? freezer(c, "1", "frozen 1") : 0;
}

/* One that was stopped meanwhile has nothing to thaw. */
int freeze_undo(struct run *c)
{
	return c->s->enable != 0 && container_runs(c) ? freezer(c, "0", "frozen 0") : 0;
}

/* --- processes ----------------------------------------------------------------------------------- */

/* Field 4 of /proc/PID/stat; 0 = unknown. */
static pid_t parent_of(struct host *h, pid_t pid)
{
	char text[1024], *p;
	ssize_t n = host_read(h, host_path("/proc/%d/stat", (int)pid).s, text, sizeof(text) - 1);
	int parent = 0;

	text[n > 0 ? n : 0] = '\0';
	p = strrchr(text, ')');
	return p && sscanf(p + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/* A start that ends the shell, or the task, it was typed in would end itself. */
static int is_ancestor(struct run *c, pid_t pid)
{
	pid_t one = getpid();

	for (int depth = 0; one > 1 && depth < 64; depth++, one = parent_of(c->h, one))
		if (one == pid)
			return err_set(&c->reply->e, EDEADLK, "process %d is this start's own ancestor", (int)pid);
	return 0;
}

static bool wait_for_end(struct run *c, struct lease_process p, uint64_t ms)
{
	uint64_t end = host_now(c->h) + ms;

	/* Whose parent does not wait for it stays a zombie, which has nothing open any more. */
	while (proc_is_alive(c->h, p.pid, p.start)) {
		if (host_now(c->h) >= end)
			return false;
		host_sleep(c->h, PAUSE_MS);
	}
	return true;
}

static int send(struct run *c, struct lease_process p, int sig)
{
	int r = host_signal(c->h, p.pid, p.start, sig);

	if (r == 0 || r == -ESRCH)
		return r;
	return err_set(&c->reply->e, -r, "cannot send signal %d to process %d (%s): %s", sig, (int)p.pid, c->s->arg,
		       err_text(r));
}

/* keep is "term MS" or "kill MS", from the start time that makes the pid one process's for ever. */
int process_do(struct run *c)
{
	uint64_t pid, start, ms = 0;
	bool hard = str_starts(c->s->keep, "kill ");
	struct lease_process p;
	int r;

	if (str_to_u64(c->s->to, 10, &pid) < 0 || pid <= 1 || pid > INT32_MAX || str_to_u64(c->s->from, 10, &start) < 0 ||
	    strlen(c->s->keep) < 6 || str_to_u64(c->s->keep + 5, 10, &ms) < 0)
		return err_set(&c->reply->e, EINVAL, "process %s is none that can be ended", c->s->to);
	p = (struct lease_process){ (pid_t)pid, start };
	r = is_ancestor(c, p.pid);
	if (r == 0)
		r = send(c, p, SIGTERM);
	if (r == 0 && !wait_for_end(c, p, ms)) {
		if (!hard)
			return err_set(&c->reply->e, ETIMEDOUT, "process %s (%s) did not end within %llu s of SIGTERM; "
				       "'processes = kill' would not let it refuse", c->s->to, c->s->arg,
				       (unsigned long long)ms / 1000);
		r = send(c, p, SIGKILL);
		if (r == 0 && !wait_for_end(c, p, KILLED_MS))
			return err_set(&c->reply->e, ETIMEDOUT, "process %s (%s) survives SIGKILL: it hangs in the kernel",
				       c->s->to, c->s->arg);
	}
	return r == -ESRCH ? 0 : r;
}
