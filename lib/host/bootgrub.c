// SPDX-License-Identifier: GPL-2.0-or-later
/* GRUB's part of the command line: see bootgrub.h. */
#include "bootgrub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conffile.h"
#include "str.h"

static const char *const variables[] = { "GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT" };

struct grub {
	struct boot_words value[ARRAY_SIZE(variables)];
};

/* Which variable the line assigns to, or -1; *ret is what stands behind the equals sign. */
static int assigned(char *text, char **ret, bool *ret_adds)
{
	size_t n;

	if (str_starts(text, "export "))
		text += strlen("export ");
	n = strcspn(text, "+=");
	*ret_adds = text[n] == '+';
	if (text[n] == '+' ? text[n + 1] != '=' : text[n] != '=')
		return -1;
	*ret = text + n + (*ret_adds ? 2 : 1);
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (strlen(variables[i]) == n && memcmp(text, variables[i], n) == 0)
			return (int)i;
	return -1;
}

/* The value of a shell assignment, quotes taken off, in place: it ends at a blank outside of them. */
static void unquote(char *p)
{
	char *out = p, quote = '\0';

	for (; *p; p++) {
		if (quote ? *p == quote : *p == '"' || *p == '\'') {
			quote = quote ? '\0' : *p;
			continue;
		}
		if (!quote && strchr(" \t;", *p))
			break;
		if (*p == '\\' && quote != '\'' && p[1])
			p++;
		*out++ = *p;
	}
	*out = '\0';
}

static bool is_itself(const char *word, const char *variable)
{
	size_t n = strlen(variable);

	if (word[0] != '$')
		return false;
	if (word[1] == '{')
		return strncmp(word + 2, variable, n) == 0 && strcmp(word + 2 + n, "}") == 0;
	return strcmp(word + 1, variable) == 0;
}

/* A new value: what was there stays only where the variable names itself. */
static int assign(struct boot_words *l, const char *variable, char *value, bool adds, const char *path, unsigned line)
{
	struct boot_words before = *l;
	char *word;
	int r = 0;

	if (!adds)
		*l = (struct boot_words){ NULL, 0, 0 };
	while (r == 0 && (word = str_token(&value, " \t"))) {
		if (!is_itself(word, variable)) {
			r = boot_add(l, word, path, line);
			continue;
		}
		for (size_t i = 0; !adds && r == 0 && i < before.n; i++)
			r = boot_add(l, before.v[i].text, before.v[i].at.file, before.v[i].at.line);
	}
	if (!adds)
		free(before.v);
	return r;
}

static int grub_line(void *arg, const char *path, unsigned line, char *text)
{
	struct grub *g = arg;
	bool adds;
	char *value;
	int i = assigned(text, &value, &adds);

	if (i < 0)
		return 0;
	unquote(value);
	return assign(&g->value[i], variables[i], value, adds, path, line);
}

int bootgrub_load(struct host *h, struct boot_words *l, struct err *e)
{
	static const char *const folders[] = { BOOT_GRUB_FILE ".d" };
	struct grub g = { { { NULL, 0, 0 } } };
	int r = conffile_lines(h, BOOT_GRUB_FILE, grub_line, &g, e);

	if (r == 0)
		r = conffile_folders(h, folders, ARRAY_SIZE(folders), ".cfg", grub_line, &g, e);
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		for (size_t k = 0; r == 0 && k < g.value[i].n; k++)
			if (boot_add(l, g.value[i].v[k].text, g.value[i].v[k].at.file, g.value[i].v[k].at.line) < 0)
				r = err_nomem(e);
		free(g.value[i].v);
	}
	return r;
}
