// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu watch: keeps the leases honest, in the foreground, until none is left. */
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli.h"
#include "guest.h"
#include "journal.h"
#include "notify.h"
#include "watch.h"

/* The signals are blocked already: they are news like any other, looked at between actions. */
static int stop_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* One object's parts that are only read: what is needed again comes back from its file. */
static int let_go(struct dl_phdr_info *info, size_t size, void *arg)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t from = (info->dlpi_addr + part->p_vaddr) & ~(page - 1);
		uintptr_t to = info->dlpi_addr + part->p_vaddr + part->p_memsz;

		if (part->p_type == PT_LOAD && !(part->p_flags & PF_W))
			(void)madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 0;
}

/* As long as a VM runs there is nothing to do, for weeks: what the last look needed goes. */
static void rest(void)
{
	(void)dl_iterate_phdr(let_go, NULL);
}

/* In a process of its own: what fails here is only said. */
static void notify(struct watch *w, unsigned vmid, const char *text)
{
	struct err e = ERR_INIT;
	int r = notify_send(w->h, vmid, text, &e);

	if (r < 0 && r != -ENOENT)
		watch_remark(w, vmid, err_wrap(&e, "the administrator was not notified") < 0 ? e.msg : "");
}

/* The leases must be looked after even when somebody has mistyped a setting. */
static void apply_settings(struct watch *w)
{
	struct settings s;
	struct err e = ERR_INIT;

	if (settings_load(w->h, NULL, 0, &s, &e) < 0) {
		(void)err_wrap(&e, "going on with the default settings");
		watch_remark(w, 0, e.msg);
		settings_init(&s);
	}
	w->grace_ms = s.grace;
	w->notify = s.notify ? notify : NULL;
}

int cmd_watch(struct cli *c)
{
	struct err e = ERR_INIT;
	struct watch w;
	int r;

	if (c->json)
		return cli_usage(c, "watch writes a line per event and has no document to show as JSON");
	watch_init(&w, c->h, &guest_world, c->to);
	if (journal_has(fileno(c->to)))
		w.journal = journal_open(c->h);
	apply_settings(&w);
	w.rest = rest;
	w.stop = stop_signals();
	if (w.stop < 0)
		r = err_set(&e, errno, "cannot wait for signals: %s", err_text(errno));
	else
		r = watch_run(&w, &e);
	watch_release(&w);
	if (w.stop >= 0)
		close(w.stop);
	return r < 0 ? cli_failed(c, &e) : CLI_DONE;
}
