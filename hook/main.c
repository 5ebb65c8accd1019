// SPDX-License-Identifier: GPL-2.0-or-later
/* Entry point of gpu-hook: puts the process in order, then hook_main(). */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "hook.h"

/* Whatever the caller left closed must not become a lease's descriptor. */
static void fill_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

/* A cancelled task sends SIGTERM: it is looked at between steps, where everything can be put back. */
static int hold_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char *argv[])
{
	struct err e = ERR_INIT;
	struct host h;
	struct hook k = { .h = &h, .limit = step_limit, .out = stdout, .parent = getppid() };
	int status;

	fill_standard_streams();
	umask(077);
	if (chdir("/") < 0)
		return EXIT_FAILED;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (host_open(&h, NULL, &e) < 0) {
		fprintf(k.out, "gpu-hook: %s\n", e.msg);
		return EXIT_FAILED;
	}
	k.cancel = hold_signals();
	k.migrated_from = getenv("PVE_MIGRATED_FROM");
	k.now_unix = (uint64_t)time(NULL);
	status = hook_main(&k, argc, argv);
	host_close(&h);
	return status;
}
