// SPDX-License-Identifier: GPL-2.0-or-later
/* The manual page of the settings, from their table and the comments of the file that is installed: see manual.h. */
#include "manual.h"

#include <ctype.h>
#include <string.h>

#include "embed.h"
#include "macro.h"
#include "settings.h"
#include "str.h"

EMBED(manual_settings_file, "snippets/settings.ini");

static const char head[] =
	".SH NAME\n"
	"pve\\-gpu.ini \\- settings of pve\\-gpu, for the host and for one VM\n"
	".SH SYNOPSIS\n"
	".I /etc/pve\\-gpu/settings.ini\n"
	".br\n"
	".IR <vmid>.gpu.ini \" in the snippets folder, beside the hookscript\"\n"
	".SH DESCRIPTION\n"
	"The first file is for every VM of the node; the second is for one VM and overrides the first key by key.\n"
	"A file or a key that is not there changes nothing.\n"
	".PP\n"
	"A file has sections, \\(oq[claim]\\(cq, and in them lines \\(oqkey = value\\(cq, which begin in the first column.\n"
	"A line that begins with \\(oq#\\(cq or \\(oq;\\(cq is a comment.\n"
	"Reading is strict, because a typing error in a safety setting must not pass for consent: an unknown section or\n"
	"key, a key given twice, a bad value, or an indented line is an error, and the VM does not start.\n"
	".PP\n"
	"The files decide what a root process does.\n"
	"Each must belong to root and be writable by nobody else, and its folder must not be writable by everybody.\n"
	".PP\n"
	".B pve\\-gpu plan\n"
	".I VMID\n"
	"shows which file and line decided what.\n";

static const char tail[] =
	".SH SEE ALSO\n"
	".BR pve\\-gpu (8),\n.BR gpu\\-hook (8),\n.BR pve\\-gpu\\-quirks (5)\n";

/* What a value looks like, where the table has no words for it. */
static const char *const shape[] = {
	[SETTINGS_BOOL] = "yes | no",
	[SETTINGS_LIST] = "WORD ...",
	[SETTINGS_SERVICES] = "refuse | auto [UNIT ...] | stop UNIT ...",
	[SETTINGS_HOOK] = "VOLUME or PATH",
};

static void put_values(FILE *to, const struct settings_key *k)
{
	if (k->words)
		for (size_t i = 0; k->words[i]; i++) {
			fputs(i ? " | " : "", to);
			manual_text(to, k->words[i], strlen(k->words[i]));
			fputs(i && k->type == SETTINGS_TIMED ? " [SECONDS]" : "", to);
		}
	else if (k->type == SETTINGS_SECONDS)
		fprintf(to, "%u to %u (seconds)", k->min, k->max);
	else
		fputs(k->type < ARRAY_SIZE(shape) && shape[k->type] ? shape[k->type] : "VALUE", to);
}

/* The comment above "# NAME = " in the file: from its first line to that one.  NULL: the key is not in this file. */
static const char *find_comment(const struct settings_key *k, const char **ret_end)
{
	_cleanup_(str_release) struct str line = STR_INIT;
	const char *end, *begin;

	str_addf(&line, "\n# %s = ", k->name);
	end = strstr(manual_settings_file, line.s);
	if (!end)
		return NULL;
	for (begin = ++end; begin[-2] != '\n'; )
		do
			begin--;
		while (begin[-1] != '\n');
	*ret_end = end;
	return begin;
}

/* Lines that are indented in the comment stand each for itself. */
static void put_comment(FILE *to, const char *text, const char *end)
{
	bool list = false;

	while (text < end) {
		size_t len = strcspn(text, "\n");
		const char *s = text + (len > 1 ? 2 : len);

		if ((*s == ' ') != list)
			fputs((list = !list) ? ".nf\n" : ".fi\n", to);
		s += list && len > 3 ? 2 : 0;
		manual_text(to, s, (size_t)(text + len - s));
		fputc('\n', to);
		text += len + 1;
	}
	fputs(list ? ".fi\n" : "", to);
}

static void put_key(FILE *to, const struct settings_key *k)
{
	static const char *const where[] = {
		[SETTINGS_IN_HOST] = "only in the host's file", [SETTINGS_IN_VM] = "only in a VM's file",
		[SETTINGS_IN_BOTH] = "in both files",
	};
	const char *end = NULL, *text = find_comment(k, &end);

	fprintf(to, ".TP\n.BR %s \" = ", k->name);
	put_values(to, k);
	fputs("\"\n", to);
	if (text) {
		put_comment(to, text, end);
	} else {
		fputc(toupper((unsigned char)*k->help), to);
		manual_text(to, k->help + 1, strlen(k->help) - 1);
		fputs(".\n", to);
	}
	fputs(".br\nDefault: ", to);
	manual_text(to, *k->def ? k->def : "empty", 200);
	fprintf(to, "; %s.\n", where[k->where]);
}

void manual_settings(FILE *to)
{
	const char *section = "";

	fprintf(to, ".TH PVE\\-GPU.INI 5 \"\" \"pve-gpu %s\" \"Proxmox VE\"\n%s", PVE_GPU_VERSION, head);
	for (size_t i = 0; i < SETTINGS_N; i++) {
		const struct settings_key *k = &settings_keys[i];

		if (strcmp(k->section, section) != 0)
			fprintf(to, ".SH \"SECTION [%s]\"\n", k->section);
		section = k->section;
		put_key(to, k);
	}
	fputs(tail, to);
}
