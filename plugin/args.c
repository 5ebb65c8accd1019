// SPDX-License-Identifier: GPL-2.0-or-later
/* Options, arguments and the help that follows from their tables: see cli.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "manual.h"
#include "str.h"
#include "text.h"

#define HELP_INDENT 22

static const struct option global_options[] = {
	{ "json", 0, NULL, offsetof(struct cli, json), "one JSON document instead of text" },
	{ "root", 0, "DIR", offsetof(struct cli, root), "look at a machine's files below DIR instead of /" },
	{ "quiet", 'q', NULL, offsetof(struct cli, quiet), "no notes on stderr" },
	{ "verbose", 'v', NULL, offsetof(struct cli, verbose), "say more about each thing" },
	{ "no-color", 0, NULL, offsetof(struct cli, no_color), "no colours, not even on a terminal" },
	{ "help", 'h', NULL, offsetof(struct cli, help), "this help, or that of a command" },
	{ "version", 'V', NULL, offsetof(struct cli, version), "print the version" },
	{ "manual", 0, NULL, offsetof(struct cli, manual), "print the manual page, for man" },
	{ "manual-settings", 0, NULL, offsetof(struct cli, manual_settings), "print the manual page of the settings" },
	{ "completion", 0, NULL, offsetof(struct cli, completion), "print the completion for bash" },
	{ "completion-zsh", 0, NULL, offsetof(struct cli, completion_zsh), "print the completion for zsh" },
	{ NULL, 0, NULL, 0, NULL },
};

/* --- parsing ----------------------------------------------------------------------------------- */

int cli_usage(struct cli *c, const char *fmt, ...)
{
	struct str safe = STR_INIT;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)text_clean(&safe, text);
	fprintf(c->chatter, "pve-gpu: %s\n", safe.s);
	fprintf(c->chatter, "  'pve-gpu %s%s--help' tells more\n", c->command ? c->command->name : "",
		c->command ? " " : "");
	str_release(&safe);
	return CLI_USAGE;
}

static const struct option *find_name(const struct option *list, const char *name, size_t len)
{
	for (; list && list->name; list++)
		if (strlen(list->name) == len && memcmp(list->name, name, len) == 0)
			return list;
	return NULL;
}

static const struct option *find_letter(const struct option *list, char letter)
{
	for (; list && list->name; list++)
		if (list->letter && list->letter == letter)
			return list;
	return NULL;
}

static const struct option *own_options(const struct cli *c)
{
	return c->command ? c->command->options : NULL;
}

static void set_switch(struct cli *c, const struct option *o)
{
	*(bool *)((char *)c + o->offset) = true;
}

/* "--name", "--name=VALUE" or "--name VALUE"; *i is moved over what was used. */
static int long_option(struct cli *c, int argc, char *const argv[], int *i)
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '='), *value = NULL;
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *o = find_name(own_options(c), name, len);

	if (!o)
		o = find_name(global_options, name, len);
	if (!o)
		return cli_usage(c, "unknown option '%s'", argv[*i]);
	if (!o->value) {
		if (equals)
			return cli_usage(c, "the option '--%s' takes no value", o->name);
		set_switch(c, o);
		return 0;
	}
	if (equals)
		value = equals + 1;
	else if (*i + 1 < argc)
		value = argv[++*i];
	if (!value || !*value)
		return cli_usage(c, "the option '--%s' needs a value: --%s %s", o->name, o->name, o->value);
	memcpy((char *)c + o->offset, &value, sizeof(value));
	return 0;
}

/* "-q", "-qv"; no letter takes a value. */
static int short_options(struct cli *c, const char *arg)
{
	for (const char *p = arg + 1; *p; p++) {
		const struct option *o = find_letter(own_options(c), *p);

		if (!o)
			o = find_letter(global_options, *p);
		if (!o)
			return cli_usage(c, "unknown option '%s'", arg);
		set_switch(c, o);
	}
	return 0;
}

static int find_command(struct cli *c, const char *name)
{
	for (const struct command *k = commands; k->name; k++)
		if (strcmp(k->name, name) == 0) {
			c->command = k;
			return 0;
		}
	return cli_usage(c, "there is no command '%s'", name);
}

static int operand(struct cli *c, const char *arg)
{
	if (!c->command)
		return find_command(c, arg);
	if (c->n_args == c->command->args_max || c->n_args == CLI_ARGS_MAX)
		return cli_usage(c, "'%s' is one argument too many: pve-gpu %s%s%s", arg, c->command->name,
				 *c->command->args ? " " : "", c->command->args);
	c->args[c->n_args++] = arg;
	return 0;
}

/* "-1" is no option but a wrong number, and is told so. */
static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1] && !(arg[1] >= '0' && arg[1] <= '9');
}

bool args_print_only(const struct cli *c)
{
	return c->help || c->version || c->manual || c->manual_settings || c->completion || c->completion_zsh;
}

static int check_complete(struct cli *c)
{
	if (args_print_only(c))
		return 0;
	if (!c->command)
		return cli_usage(c, "which command?");
	if (c->n_args < c->command->args_min)
		return cli_usage(c, "something is missing: pve-gpu %s %s", c->command->name, c->command->args);
	if (c->root && strcmp(c->root, "/") != 0 && c->command->changes_devices && !c->dry_run)
		return cli_usage(c, "'%s' touches devices, which only the running machine has: no --root",
				 c->command->name);
	return 0;
}

int args_parse(struct cli *c, int argc, char *const argv[])
{
	bool options = true;

	for (int i = 1; i < argc; i++) {
		int r = 0;

		if (options && strcmp(argv[i], "--") == 0)
			options = false;
		else if (options && argv[i][0] == '-' && argv[i][1] == '-')
			r = long_option(c, argc, argv, &i);
		else if (options && is_option(argv[i]))
			r = short_options(c, argv[i]);
		else
			r = operand(c, argv[i]);
		if (r)
			return r;
	}
	return check_complete(c);
}

int cli_vmid(struct cli *c, size_t i, unsigned *ret)
{
	if (str_to_vmid(c->args[i], ret) == 0)
		return 0;
	return cli_usage(c, "'%s' is no VM id: a number from 100 to 999999999 is needed", c->args[i]);
}

/* --- help -------------------------------------------------------------------------------------- */

/* The second column, on a line of its own where the first is too wide. */
static void help_text(FILE *to, int n, const char *text)
{
	if (n >= HELP_INDENT) {
		fprintf(to, "\n");
		n = 0;
	}
	fprintf(to, "%*s%s\n", HELP_INDENT - n, "", text);
}

static void help_options(FILE *to, const struct option *list)
{
	for (; list && list->name; list++) {
		char letter[8] = "    ";
		int n;

		if (list->letter)
			snprintf(letter, sizeof(letter), "-%c, ", list->letter);
		n = fprintf(to, "  %s--%s", letter, list->name);
		if (list->value)
			n += fprintf(to, " %s", list->value);
		help_text(to, n, list->help);
	}
}

static void help_command(FILE *to, const struct command *k)
{
	fprintf(to, "usage: pve-gpu %s%s%s [OPTION...]\n\n%s\n", k->name, *k->args ? " " : "", k->args,
		k->about);
	if (k->options) {
		fprintf(to, "\noptions of this command:\n");
		help_options(to, k->options);
	}
}

static void help_all(FILE *to)
{
	fprintf(to, "usage: pve-gpu COMMAND [ARGUMENT...] [OPTION...]\n\n"
	       "Graphics cards and other PCI devices that go to VMs and come back.\n\ncommands:\n");
	for (const struct command *k = commands; k->name; k++) {
		help_text(to, fprintf(to, "  %s%s%s", k->name, *k->args ? " " : "", k->args), k->summary);
	}
}

static void print_help(const struct cli *c)
{
	if (c->command)
		help_command(c->to, c->command);
	else
		help_all(c->to);
	fprintf(c->to, "\noptions of every command:\n");
	help_options(c->to, global_options);
	fprintf(c->to, "\nexit status: 0 done, 1 failed, 2 wrong usage, 3 looked and found problems,\n"
	       "             4 refused for safety\n");
}

void args_print(const struct cli *c)
{
	if (c->version)
		fprintf(c->to, "pve-gpu %s\n", PVE_GPU_VERSION);
	else if (c->manual)
		manual_page(c->to, global_options);
	else if (c->manual_settings)
		manual_settings(c->to);
	else if (c->completion)
		completion_bash(c->to, global_options);
	else if (c->completion_zsh)
		completion_zsh(c->to, global_options);
	else
		print_help(c);
}
