// SPDX-License-Identifier: GPL-2.0-or-later
/* Running the keeper of leases on a fake kernel: see keeper.h. */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "journal.h"
#include "watch.h"

/* The tree's processes are folders: their end is their removal. */
static int fake_follow(struct host *h, struct lease_process p)
{
	int fd = -ESRCH, dir = -1;

	if (lease_process_alive(h, p))
		dir = host_open_file(h, host_path("/proc/%d", (int)p.pid).s, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		return -ESRCH;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0 || inotify_add_watch(fd, host_path("/proc/self/fd/%d", dir).s, IN_DELETE_SELF) < 0)
		fail_msg("inotify: %s", strerror(errno));
	close(dir);
	return lease_process_alive(h, p) ? fd : (close(fd), -ESRCH);
}

unsigned keeper_limit_ms;
unsigned keeper_grace_ms = KEEPER_GRACE_MS;
unsigned keeper_notify_ms;
bool keeper_has_journal;

static uint64_t short_limit(enum step_kind kind, enum step_way way)
{
	return keeper_limit_ms ? keeper_limit_ms : step_limit(kind, way);
}

/* In the place of Proxmox's notifications: a file of the machine, a line each. */
static void note_down(struct watch *w, unsigned vmid, const char *text)
{
	int fd = host_open_file(w->h, KEEPER_NOTES, O_WRONLY | O_CREAT | O_APPEND, 0600);

	(void)vmid;
	usleep(keeper_notify_ms * 1000);
	if (fd >= 0)
		dprintf(fd, "%s\n", text);
	close(fd);
}

static int keep(struct host *h, int stop, FILE *out)
{
	struct err e = ERR_INIT;
	struct watch w;
	int r;

	watch_init(&w, h, &guest_world, out);
	w.grace_ms = keeper_grace_ms;
	w.settle_ms = KEEPER_SETTLE_MS;
	for (size_t i = 0; i < WATCH_RETRIES; i++)
		w.retry_ms[i] = 100;
	w.limit = short_limit;
	w.follow = fake_follow;
	w.notify = note_down;
	if (keeper_has_journal)
		w.journal = journal_open(h);
	w.stop = stop;
	r = watch_run(&w, &e);
	if (r < 0)
		fprintf(out, "%s\n", e.msg);
	watch_release(&w);
	fflush(out);
	return r < 0 ? 3 : r;
}

static int keep_main(struct host *h, void *arg)
{
	(void)arg;
	return keep(h, -1, stdout);
}

void keeper_run(struct play *p)
{
	assert_int_equal(fake_main_run(&p->k, keep_main, NULL, KEEPER_PATIENCE_MS, &p->o), 0);
}

void keeper_to_end(struct play *p, const char *what, unsigned n)
{
	keeper_run(p);
	if (p->o.timed_out || p->o.status != 0)
		fail_msg("%s: watch after %s at %u: status %d%s: %s", p->s->tree, what, n, p->o.status,
			 p->o.timed_out ? ", it did not end" : "", p->o.output);
}

void keeper_start(struct play *p, struct keeper *k)
{
	int stop[2], out[2];

	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	fflush(NULL);
	k->pid = fork();
	if (k->pid == 0) {
		close(stop[1]);
		_exit(keep(&p->k.host, stop[0], fdopen(out[1], "w")));
	}
	assert_true(k->pid > 0);
	close(stop[0]);
	close(out[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	k->pidfd = (int)syscall(SYS_pidfd_open, k->pid, 0);
	k->stop = stop[1];
	k->out = out[0];
	k->said[0] = '\0';
}

const char *keeper_said(struct keeper *k)
{
	size_t n = strlen(k->said);
	ssize_t got;

	while (n + 1 < sizeof(k->said) && (got = read(k->out, k->said + n, sizeof(k->said) - 1 - n)) > 0)
		k->said[n += (size_t)got] = '\0';
	return k->said;
}

void keeper_says(struct keeper *k, const char *text)
{
	for (int i = 0; i < KEEPER_PATIENCE_MS / 10 && !strstr(keeper_said(k), text); i++)
		usleep(10000);
	if (!strstr(k->said, text))
		fail_msg("watch does not say '%s' but: %s", text, k->said);
}

bool keeper_ended(struct keeper *k, int ms)
{
	struct pollfd p = { k->pidfd, POLLIN, 0 };

	return poll(&p, 1, ms) > 0;
}

void keeper_stop(struct keeper *k)
{
	if (k->stop >= 0)
		close(k->stop);
	k->stop = -1;
}

void keeper_ends(struct keeper *k, int want)
{
	int status;

	if (!keeper_ended(k, KEEPER_PATIENCE_MS))
		fail_msg("watch does not end: %s", keeper_said(k));
	assert_int_equal(waitpid(k->pid, &status, 0), k->pid);
	keeper_said(k);
	if (!WIFEXITED(status) || (want >= 0 && WEXITSTATUS(status) != want))
		fail_msg("watch ended with %#x: %s", (unsigned)status, k->said);
	keeper_stop(k);
	close(k->out);
	close(k->pidfd);
}

void keeper_is_quiet(struct play *p, struct keeper *k, const char *what)
{
	if (keeper_ended(k, KEEPER_QUIET_MS))
		fail_msg("%s: watch ended: %s", what, keeper_said(k));
	if (keeper_said(k)[0])
		fail_msg("%s: watch acted: %s", what, k->said);
	play_taken(p, p->s->vmid, "%s", what);
}
