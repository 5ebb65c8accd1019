// SPDX-License-Identifier: GPL-2.0-or-later
/* What the keeper says, and to whom: see watch.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"
#include "journal.h"
#include "proc.h"
#include "watch_int.h"

static const struct {
	const char *name;		/* PVE_GPU_EVENT */
	enum journal_priority priority;
	bool incident;			/* the administrator has to know */
} events[] = {
	[WATCH_GAVE_BACK]	= { "gave-back", JOURNAL_INFO, false },
	[WATCH_NOTE]		= { "note", JOURNAL_NOTICE, false },
	[WATCH_UNCLEAR]		= { "unclear", JOURNAL_WARNING, false },
	[WATCH_RETRY]		= { "retry", JOURNAL_WARNING, false },
	[WATCH_HELD]		= { "held", JOURNAL_ERR, true },
	[WATCH_HANGS]		= { "hangs", JOURNAL_ERR, true },
	[WATCH_FAILED]		= { "failed", JOURNAL_ERR, true },
	[WATCH_ASIDE]		= { "aside", JOURNAL_ERR, true },
};

/* The journal looks up whose unit a process is when it reads the entry, and that of a child that has ended by
 * then belongs to none: 'journalctl -u' would pass over it (systemd: shared/logs-show.c:add_matches_for_unit). */
#define UNIT "pve-gpu-watch.service"

static int put_entry(struct watch *w, unsigned vmid, enum watch_event event, const struct lease *l, const char *text)
{
	struct str entry = STR_INIT;
	char id[16];
	int r;

	snprintf(id, sizeof(id), "%u", vmid);
	(void)journal_entry(&entry, events[event].priority, text);
	(void)journal_field(&entry, "OBJECT_SYSTEMD_UNIT", UNIT);
	(void)journal_field(&entry, "PVE_GPU_EVENT", events[event].name);
	if (vmid)
		(void)journal_field(&entry, "PVE_GPU_VMID", id);
	for (size_t i = 0; l && i < l->plan.n_devices; i++)
		(void)journal_field(&entry, "PVE_GPU_DEVICE", BDF_S(l->plan.devices[i].bdf));
	r = journal_send(w->journal, &entry);
	str_release(&entry);
	return r;
}

/* --- once per incident --------------------------------------------------------------------------- */

static struct host_path told_path(unsigned vmid, enum watch_event event)
{
	return host_path(LEASE_TOLD "/%u.%s", vmid, events[event].name);
}

/* A watch that is started again finds here what its predecessor has told of this very lease. */
static bool told_before(struct watch *w, const struct watched *v, enum watch_event event)
{
	struct host_path path = told_path(v->vmid, event);
	_cleanup_(file_closep) int fd = -1;
	struct err ignored = ERR_INIT;
	char was[64], now[64];

	snprintf(now, sizeof(now), "%llu %d:%llu", (unsigned long long)v->ino, (int)v->task.pid,
		 (unsigned long long)v->task.start);
	if (host_read_line(w->h, path.s, was, sizeof(was)) == 0 && strcmp(was, now) == 0)
		return true;
	if (file_private_dir(w->h, LEASE_TOLD, &ignored) < 0)
		return false;
	(void)host_unlink(w->h, path.s);
	fd = host_open_file(w->h, path.s, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd >= 0)
		(void)!host_append(w->h, fd, now, strlen(now));
	return false;
}

void watch_forget(struct watch *w, unsigned vmid)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i].incident)
			(void)host_unlink(w->h, told_path(vmid, (enum watch_event)i).s);
}

/* By a grandchild: it may take its time, and nobody has to wait for it, neither for its end nor for
 * the lease's lock that we may have. */
static void notify(struct watch *w, unsigned vmid, const char *text)
{
	const int keeps[] = { w->h->rootfd, w->journal };
	pid_t pid;

	fflush(w->out);
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			proc_shed(fileno(w->out), keeps, 2);
			w->out = stdout;
			w->notify(w, vmid, text);
			fflush(stdout);
		}
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* --- saying it ----------------------------------------------------------------------------------- */

void watch_line(struct watch *w, unsigned vmid, enum watch_event event, const struct lease *l, const char *text)
{
	if (w->journal >= 0 && put_entry(w, vmid, event, l, text) == 0)
		return;
	fprintf(w->out, "pve-gpu: %s\n", text);
	fflush(w->out);
}

void watch_say(struct watch *w, const struct watched *v, enum watch_event event, const struct lease *l,
	       const char *fmt, ...)
{
	struct str text = STR_INIT;
	char words[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	if (str_addf(&text, "VM %u: %s", v->vmid, words) == 0) {
		watch_line(w, v->vmid, event, l, text.s);
		if (events[event].incident && w->notify && (event == WATCH_ASIDE || !told_before(w, v, event)))
			notify(w, v->vmid, text.s);
	}
	str_release(&text);
}

void watch_remark(struct watch *w, unsigned vmid, const char *text)
{
	watch_line(w, vmid, WATCH_NOTE, NULL, text);
}
