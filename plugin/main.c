// SPDX-License-Identifier: GPL-2.0-or-later
/* Entry point of pve-gpu: puts the process in order, runs one command of the table. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static const struct option list_options[] = {
	{ "all", 'a', NULL, offsetof(struct cli, all), "every assignable function, not only graphics cards" },
	{ NULL, 0, NULL, 0, NULL },
};

static const struct option release_options[] = {
	{ "all", 'a', NULL, offsetof(struct cli, all), "what any VM left behind" },
	{ "dry-run", 'n', NULL, offsetof(struct cli, dry_run), "say what would be done, touch nothing" },
	{ NULL, 0, NULL, 0, NULL },
};

const struct command commands[] = {
	{
		.name = "list", .run = cmd_list, .args = "", .options = list_options,
		.summary = "graphics cards: driver, IOMMU group, reset, who holds them",
		.about =
		"Shows every graphics card with all functions of its slot: address, driver, IOMMU\n"
		"group, reset methods as the kernel lists them, and who holds it.",
	}, {
		.name = "plan", .run = cmd_plan, .args = "VMID", .args_min = 1, .args_max = 1,
		.summary = "what a start of the VM would do now, and every refusal",
		.about =
		"Shows what the hookscript would do if the VM started now: which functions it\n"
		"would take, step by step, or every reason to refuse. Touches nothing.\n"
		"Exit status 4: the start would be refused.",
	}, {
		.name = "status", .run = cmd_status, .args = "[VMID]", .args_max = 1,
		.summary = "which VM has what, since when, and does it answer",
		.about =
		"Shows the leases: which VM holds which functions, in which state it is, where\n"
		"each function goes back to, and whether it answers.\n"
		"Exit status 3: something is left over, stuck, damaged, or does not answer.",
	}, {
		.name = "release", .run = cmd_release, .args = "VMID|--all", .args_max = 1,
		.options = release_options, .changes_devices = true,
		.summary = "give back what a VM left behind",
		.about =
		"Puts the devices of a VM that is gone back on the drivers they came from, as\n"
		"the hookscript does after a stop. Exit status 4: refused, because the VM lives,\n"
		"is being started or stopped, or somebody else is at work on its devices.",
	},
	{ .name = NULL },
};

/* What the caller left closed must not become a lease's descriptor.  It is opened the wrong way
 * round, so that reading or writing fails as it would have. */
static void fill_standard_streams(void)
{
	for (;;) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		if (fd != 0) {
			if (fd > 2)
				close(fd);
			if (fd < 0 || fd > 2)
				return;
		}
	}
}

static void order_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

/* Giving back is not left half done for a Ctrl-C: every wait in it has an end. */
static void hold_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int cli_failed(struct cli *c, const struct err *e)
{
	out_error(&c->out, e);
	return EXIT_FAILED;
}

/* The answer has to arrive.  A reader that went away has had enough of it: that is no news. */
static int finish(struct cli *c, int status)
{
	struct err e = ERR_INIT;

	if (out_finish(&c->out, &e) == 0)
		return status;
	if (e.code != EPIPE)
		fprintf(stderr, "pve-gpu: %s\n", e.msg);
	return EXIT_FAILED;
}

static int run_command(struct cli *c)
{
	struct err e = ERR_INIT;
	struct host h;
	int status;

	if (host_open(&h, c->root, &e) < 0)
		return cli_failed(c, &e);
	c->h = &h;
	if (chdir("/") < 0)
		status = EXIT_FAILED;
	else
		status = c->command->run(c);
	host_close(&h);
	return status;
}

int main(int argc, char *argv[])
{
	struct cli c = { .now_unix = (uint64_t)time(NULL) };
	int status;

	fill_standard_streams();
	umask(077);
	order_signals();
	status = args_parse(&c, argc, argv);
	if (status)
		return status;
	if (c.help || c.version) {
		out_open(&c.out, stdout, stderr, false, true);
		if (c.help)
			args_help(&c);
		else
			printf("pve-gpu %s\n", PVE_GPU_VERSION);
		return finish(&c, EXIT_DONE);
	}
	out_open(&c.out, stdout, stderr, c.json, c.no_color);
	c.out.quiet = c.quiet;
	c.out.verbose = c.verbose;
	if (c.command->changes_devices && !c.dry_run)
		hold_signals();
	return finish(&c, run_command(&c));
}
