// SPDX-License-Identifier: GPL-2.0-or-later
/* Entry point of pve-gpu: puts the process in order, then cli_main(). */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

/* What the caller left closed must not become a lease's descriptor.  It is opened the wrong way
 * round, so that what is written there fails as it would have: an answer that goes nowhere is told. */
static void fill_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

static void order_signals(void)
{
	sigset_t none;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(int argc, char *argv[])
{
	struct cli c = { .to = stdout, .chatter = stderr, .now_unix = (uint64_t)time(NULL) };

	fill_standard_streams();
	umask(077);
	order_signals();
	return cli_main(&c, argc, argv);
}
