/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli - what every command has in its hands: the machine, the options, the output.
 *
 *   main.c     puts the process in order
 *   cli.c      the table of commands; runs one
 *   args.c     options and arguments, and the help that follows from the tables
 *   cmd_X.c    one command: gathers facts into a result (result.h), hands it to the output (out.h)
 *
 * A command returns its exit status.  It knows nothing of text or JSON.
 */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "host.h"
#include "out.h"

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_PROBLEMS = 3, CLI_REFUSED = 4 };

#define CLI_ARGS_MAX 18		/* a VM and as many devices as it can have, and one too many */

struct command;

struct cli {
	struct host *h;			/* NULL: cli_main() opens --root or the running machine */
	FILE *to, *chatter;		/* stdout, stderr */
	struct out out;
	const struct command *command;
	const char *args[CLI_ARGS_MAX];
	size_t n_args;
	uint64_t now_unix;

	/* options */
	const char *root;		/* NULL = the running machine */
	bool json, quiet, verbose, no_color, help, version;
	bool manual, manual_settings, completion, completion_zsh;
	bool all, dry_run, abandon, pending;
	const char *snapshot;
	struct cli_attach {
		bool primary, function, no_rombar, no_pcie, hide_hypervisor, replace_args, no_hook, chain;
		bool yes_host_console;
		const char *slot, *romfile, *display, *machine, *bios, *cpu;
	} attach;
	const char *storage, *node;
	bool apply, verify, undo, bind_static, static_ids, keep_acs;	/* setup */
	bool fix;			/* doctor */
	const char *for_devices;
	const char *html;		/* report */
	char folder[512];		/* where it was started, "" = not known */
	const char *method, *rounds;	/* reset, selftest */
	bool chain;
};

/* One option; `offset` is that of a bool in struct cli or, with a value, of a const char *. */
struct option {
	const char *name;		/* "json" for --json */
	char letter;			/* 'q' for -q, or 0 */
	const char *value;		/* what the help calls its value; NULL = a switch */
	size_t offset;
	const char *help;
};

struct command {
	const char *name;
	int (*run)(struct cli *c);
	const char *args;		/* as the help writes them: "VMID" */
	size_t args_min, args_max;
	const char *summary;		/* one line, no full stop */
	const char *about;		/* lines of at most 80 columns */
	const struct option *options;	/* its own, ending with a nameless one; may be NULL */
	bool changes_devices;		/* refuses a captured tree, unless it is a dry run */
};

extern const struct command commands[];	/* ends with a nameless one */

int cmd_list(struct cli *c);
int cmd_plan(struct cli *c);
int cmd_status(struct cli *c);
int cmd_release(struct cli *c);
int cmd_watch(struct cli *c);
int cmd_doctor(struct cli *c);
int cmd_config(struct cli *c);
int cmd_attach(struct cli *c);
int cmd_detach(struct cli *c);
int cmd_hook(struct cli *c);
int cmd_mapping(struct cli *c);
int cmd_setup(struct cli *c);
int cmd_report(struct cli *c);
int cmd_reset(struct cli *c);
int cmd_selftest(struct cli *c);

/* The whole program but for process-wide set-up: its exit status.  Tests give it a host. */
int cli_main(struct cli *c, int argc, char *const argv[]);

/* An error that ends the command: says it, returns CLI_FAILED. */
int cli_failed(struct cli *c, const struct err *e);

/* The VM id in args[i]: 0, or CLI_USAGE when it is none. */
int cli_vmid(struct cli *c, size_t i, unsigned *ret) _must_check_;

/* One sentence and a hint on stderr; returns CLI_USAGE. */
int cli_usage(struct cli *c, const char *fmt, ...) _printf_(2, 3);

/* Fills the options, the command and its arguments.  0, or CLI_USAGE with the sentence said. */
int args_parse(struct cli *c, int argc, char *const argv[]) _must_check_;

/* Is nothing asked for but something that follows from the tables: help, version, manual, completion? */
bool args_print_only(const struct cli *c);
void args_print(const struct cli *c);

#endif
