// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu watch: keeps the leases honest, in the foreground, until none is left. */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli.h"
#include "guest.h"
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

int cmd_watch(struct cli *c)
{
	struct err e = ERR_INIT;
	struct watch w;
	int r;

	if (c->json)
		return cli_usage(c, "watch writes a line per event and has no document to show as JSON");
	watch_init(&w, c->h, &guest_world, c->to);
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
