// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines about modules: see modconf.h. */
#include "modconf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "conffile.h"
#include "str.h"

static const struct {
	const char *word;
	enum mod_kind kind;
} words[] = {
	{ "blacklist", MOD_BLACKLIST }, { "options", MOD_OPTIONS }, { "install", MOD_INSTALL },
	{ "softdep", MOD_SOFTDEP },
};

/* On Debian a link to /etc/modules, whose lines have been read under that name. */
#define MODULES_LINK "/etc/modules-load.d/modules.conf"

struct reading {
	struct host *h;
	struct modconf *c;
	enum mod_kind kind;	/* of lines that begin with the module's name */
};

void mod_normalise(char *name)
{
	while ((name = strchr(name, '-')))
		*name = '_';
}

/* `text` begins with the module's name, behind `word` if there is one.  What does not fit is no line
 * that we look for. */
static int add_line(struct modconf *c, enum mod_kind kind, const char *path, unsigned line, const char *word, char *text)
{
	char *module = str_token(&text, " \t");
	const char *rest = text ? str_strip(text) : "";
	struct mod_line *l;

	if (!module || strlen(module) >= sizeof(l->module))
		return 0;
	if (array_room(&c->v, c->n, &c->size, sizeof(*c->v)) < 0)
		return -ENOMEM;
	l = &c->v[c->n++];
	l->kind = kind;
	l->at.line = line;
	str_copy(l->module, sizeof(l->module), module);
	str_copy(l->at.file, sizeof(l->at.file), path);
	l->cut = strlen(rest) >= sizeof(l->rest);
	snprintf(l->rest, sizeof(l->rest), "%s", rest);
	snprintf(l->text, sizeof(l->text), "%s%s%s%s%.200s", word, *word ? " " : "", module, *l->rest ? " " : "", l->rest);
	mod_normalise(l->module);
	return 0;
}

static int modprobe_line(void *arg, const char *path, unsigned line, char *text)
{
	char *word = str_token(&text, " \t");

	for (size_t i = 0; word && i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return add_line(arg, words[i].kind, path, line, word, text);
	return 0;
}

static int list_line(void *arg, const char *path, unsigned line, char *text)
{
	struct reading *r = arg;
	char target[64];

	if (strcmp(path, MODULES_LINK) == 0 && host_readlink(r->h, path, target, sizeof(target)) == 0)
		return 0;
	return add_line(r->c, r->kind, path, line, "", text);
}

int modconf_load(struct host *h, struct modconf *ret, struct err *e)
{
	static const char *const modprobe[] = { "/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d",
						"/usr/lib/modprobe.d", "/lib/modprobe.d" };
	static const char *const load[] = { "/etc/modules-load.d", "/run/modules-load.d",
					    "/usr/local/lib/modules-load.d", "/usr/lib/modules-load.d" };
	struct modconf c = { NULL, 0, 0 };
	struct reading to_load = { h, &c, MOD_LOAD }, to_initramfs = { h, &c, MOD_INITRAMFS };
	int r = conffile_folders(h, modprobe, ARRAY_SIZE(modprobe), ".conf", modprobe_line, &c, e);

	if (r == 0)
		r = conffile_lines(h, "/etc/modules", list_line, &to_load, e);
	if (r == 0)
		r = conffile_folders(h, load, ARRAY_SIZE(load), ".conf", list_line, &to_load, e);
	if (r == 0)
		r = conffile_lines(h, "/etc/initramfs-tools/modules", list_line, &to_initramfs, e);
	if (r < 0)
		modconf_release(&c);
	else
		*ret = c;
	return r;
}

void modconf_release(struct modconf *c)
{
	free(c->v);
	memset(c, 0, sizeof(*c));
}

bool mod_option(const struct mod_line *l, const char *name, char *buf, size_t size)
{
	char copy[sizeof(l->rest)], *cursor = copy, *word;
	size_t n = strlen(name);
	bool found = false;

	memcpy(copy, l->rest, sizeof(copy));
	while ((word = str_token(&cursor, " \t")))
		if (strncmp(word, name, n) == 0 && word[n] == '=' && str_copy(buf, size, word + n + 1) == 0)
			found = true;
	return found;
}

bool mod_forbids(const struct mod_line *l)
{
	if (l->kind == MOD_BLACKLIST)
		return true;
	return l->kind == MOD_INSTALL && (strcmp(l->rest, "/bin/false") == 0 || strcmp(l->rest, "/bin/true") == 0 ||
					  strcmp(l->rest, "/usr/bin/false") == 0 || strcmp(l->rest, "/usr/bin/true") == 0);
}
