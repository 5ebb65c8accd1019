// SPDX-License-Identifier: GPL-2.0-or-later
/* The manual page and the words for bash's completion, both from the table of commands: see cli.h. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* roff takes '-' for a hyphen, a backslash for a command, and so it does a dot or quote at a line's start. */
static void put_roff(FILE *to, const char *text)
{
	bool start = true;

	for (; *text; text++) {
		if (start && (*text == '.' || *text == '\''))
			fputs("\\&", to);
		if (*text == '-')
			fputs("\\-", to);
		else if (*text == '\\')
			fputs("\\e", to);
		else
			fputc(*text, to);
		start = *text == '\n';
	}
}

static void put_options(FILE *to, const struct option *list)
{
	for (; list && list->name; list++) {
		fputs(".TP\n.B ", to);
		if (list->letter)
			fprintf(to, "\\-%c, ", list->letter);
		fputs("\\-\\-", to);
		put_roff(to, list->name);
		if (list->value) {
			fputs(" \\fI", to);
			put_roff(to, list->value);
			fputs("\\fR", to);
		}
		fputc('\n', to);
		put_roff(to, list->help);
		fputc('\n', to);
	}
}

void manual_page(FILE *to, const struct option *global)
{
	fprintf(to, ".TH PVE\\-GPU 8 \"\" \"pve-gpu %s\" \"Proxmox VE\"\n.SH NAME\npve\\-gpu \\- graphics cards and other PCI "
		"devices that go to VMs and come back\n.SH SYNOPSIS\n.B pve\\-gpu\n.I COMMAND\n[ARGUMENT...] [OPTION...]\n"
		".SH COMMANDS\n", PVE_GPU_VERSION);
	for (const struct command *k = commands; k->name; k++) {
		fprintf(to, ".SS %s ", k->name);
		put_roff(to, k->args);
		fputc('\n', to);
		put_roff(to, k->about);
		fputc('\n', to);
		put_options(to, k->options);
	}
	fputs(".SH OPTIONS OF EVERY COMMAND\n", to);
	put_options(to, global);
	fputs(".SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage, 3 looked and found problems, 4 refused for safety.\n"
	      ".SH FILES\n/etc/pve\\-gpu/settings.ini, <vmid>.gpu.ini beside the hookscript: settings.\n.br\n"
	      "/var/lib/pve\\-gpu/attached: what attach changed, for detach.\n.SH SEE ALSO\n.BR qm (1),\n.BR pvesm (1)\n", to);
}

static void put_words(FILE *to, const struct option *list)
{
	for (; list && list->name; list++)
		fprintf(to, " --%s", list->name);
}

/* The words that an argument may be, where it is a choice: "install|remove|status". */
static void put_choices(FILE *to, const char *args)
{
	size_t n = strcspn(args, " ");

	if (!memchr(args, '|', n) || (args[0] >= 'A' && args[0] <= 'Z') || args[0] == '[')
		return;
	for (size_t i = 0; i < n; i++)
		fputc(args[i] == '|' ? ' ' : args[i], to);
}

void manual_completion(FILE *to, const struct option *global)
{
	fputs("# bash completion for pve-gpu, printed by 'pve-gpu --completion'\n_pve_gpu()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words=\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords='", to);
	for (const struct command *k = commands; k->name; k++)
		fprintf(to, "%s%s", k == commands ? "" : " ", k->name);
	put_words(to, global);
	fputs("'\n\telse\n\t\tcase $command in\n", to);
	for (const struct command *k = commands; k->name; k++) {
		fprintf(to, "\t\t%s) words='", k->name);
		put_choices(to, k->args);
		put_words(to, k->options);
		fputs("' ;;\n", to);
	}
	fputs("\t\tesac\n\t\twords=\"$words", to);
	put_words(to, global);
	fputs("\"\n\tfi\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\ncomplete -F _pve_gpu pve-gpu\n", to);
}
