// SPDX-License-Identifier: GPL-2.0-or-later
/* The manual page of the command, from the table of commands: see manual.h. */
#include "manual.h"

#include <string.h>

/* roff takes '-' for a hyphen, a backslash for a command, and so it does a dot or quote at a line's start. */
void manual_text(FILE *to, const char *text, size_t len)
{
	bool start = true;

	for (; len && *text; text++, len--) {
		if (start && (*text == '.' || *text == '\''))
			fputs("\\&", to);
		if (*text == '-')
			fputs("\\-", to);
		else if (*text == '\\')
			fputs("\\e", to);
		else if (*text == '~')
			fputs("\\(ti", to);
		else
			fputc(*text, to);
		start = *text == '\n';
	}
}

static void put_text(FILE *to, const char *text)
{
	manual_text(to, text, strlen(text));
}

static void put_options(FILE *to, const struct option *list)
{
	for (; list && list->name; list++) {
		fputs(".TP\n.B ", to);
		if (list->letter)
			fprintf(to, "\\-%c, ", list->letter);
		fputs("\\-\\-", to);
		put_text(to, list->name);
		if (list->value) {
			fputs(" \\fI", to);
			put_text(to, list->value);
			fputs("\\fR", to);
		}
		fputc('\n', to);
		put_text(to, list->help);
		fputc('\n', to);
	}
}

static const char head[] =
	".SH NAME\n"
	"pve\\-gpu \\- graphics cards and other PCI devices that go to VMs and come back\n"
	".SH SYNOPSIS\n"
	".B pve\\-gpu\n"
	".I COMMAND\n"
	"[ARGUMENT...] [OPTION...]\n"
	".SH DESCRIPTION\n"
	"When a VM of Proxmox VE starts that has a PCI device of the host in its configuration, the hookscript\n"
	".BR gpu\\-hook (8)\n"
	"takes the device from the host's driver, and gives it back when the VM is gone.\n"
	".B pve\\-gpu\n"
	"prepares the host and the VM for that, shows who has what, and mends what a crash left behind.\n"
	".SH COMMANDS\n";

static const char tail[] =
	".SH EXIT STATUS\n"
	"0 done, 1 failed, 2 wrong usage, 3 looked and found problems, 4 refused for safety.\n"
	".SH FILES\n"
	".TP\n.I /etc/pve\\-gpu/settings.ini\nsettings for every VM; those of one VM are in\n"
	".IR <vmid>.gpu.ini\nbeside the hookscript\n"
	".TP\n.I /usr/share/pve\\-gpu/quirks.ini, /etc/pve\\-gpu/quirks.d/*.ini\nwhat is known of certain hardware\n"
	".TP\n.I /run/pve\\-gpu/leases/<vmid>\nwhat a VM holds, and what was done for it\n"
	".TP\n.I /var/lib/pve\\-gpu/attached\nwhat attach changed, for detach\n"
	".TP\n.I /var/lib/pve\\-gpu/setup\nthe originals of the files that setup changed\n"
	".SH SEE ALSO\n"
	".BR gpu\\-hook (8),\n.BR pve\\-gpu.ini (5),\n.BR pve\\-gpu\\-quirks (5),\n.BR qm (1),\n.BR pvesm (1)\n";

void manual_page(FILE *to, const struct option *global)
{
	fprintf(to, ".TH PVE\\-GPU 8 \"\" \"pve-gpu %s\" \"Proxmox VE\"\n%s", PVE_GPU_VERSION, head);
	for (const struct command *k = commands; k->name; k++) {
		fprintf(to, ".SS %s ", k->name);
		put_text(to, k->args);
		fputc('\n', to);
		put_text(to, k->about);
		fputc('\n', to);
		put_options(to, k->options);
	}
	fputs(".SH OPTIONS OF EVERY COMMAND\n", to);
	put_options(to, global);
	fputs(tail, to);
}
