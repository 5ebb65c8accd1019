// SPDX-License-Identifier: GPL-2.0-or-later
/* The hookscript behind ours, in the VM's own settings: see hooknext.h. */
#include "hooknext.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "hookfile.h"

#define INI_MAX (64 * 1024)

struct host_path hooknext_path(const struct storage *st, unsigned vmid)
{
	return host_path("%s/%u.gpu.ini", st->snippets, vmid);
}

static struct host_path block(const char *next)
{
	return host_path("[hook]\nnext = %s\n", next);
}

/* No file is an empty one. */
static int read_ini(struct host *h, const struct storage *st, unsigned vmid, struct str *ret, struct err *e)
{
	struct host_path path = hooknext_path(st, vmid);
	char *text = NULL;
	size_t len = 0;
	int r = host_read_file(h, path.s, INI_MAX, &text, &len);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return err_set(e, -r, "cannot read '%s': %s", path.s, err_text(r));
	r = str_addn(ret, text, len);
	free(text);
	return r < 0 ? err_nomem(e) : 0;
}

static int add_block(struct str *text, const char *next, struct err *e)
{
	if (text->len && text->s[text->len - 1] != '\n')
		(void)str_add(text, "\n");
	(void)str_addf(text, "%s%s", text->len ? "\n" : "", block(next).s);
	return text->failed ? err_nomem(e) : 1;
}

int hooknext_plan(struct host *h, const struct storage *st, unsigned vmid, const char *next, struct str *ret,
		  struct err *e)
{
	struct host_path path = hooknext_path(st, vmid);
	struct settings settings;
	int r;

	if (strlen(next) >= SETTINGS_HOOK_SIZE)
		return err_set(e, EPERM, "the name of the hookscript '%.64s...' is longer than the %d bytes that 'next =' can "
			       "hold: give it a shorter one, then try again; nothing was changed", next,
			       SETTINGS_HOOK_SIZE - 1);
	r = settings_load(h, st->snippets, vmid, &settings, e);
	if (r < 0)
		return r;
	if (strcmp(settings.next, next) == 0)
		return 0;
	if (settings.next[0])
		return err_set(e, EPERM, "'%s' already says 'next = %.200s', which is not '%.200s': correct that file, then try "
			       "again; nothing was changed", path.s, settings.next, next);
	r = read_ini(h, st, vmid, ret, e);
	if (r < 0)
		return r;
	if (ret->len && (str_starts(ret->s, "[hook]") || strstr(ret->s, "\n[hook]")))
		return err_set(e, EPERM, "'%s' has a section [hook] already: write 'next = %.200s' into it, then try again; "
			       "nothing was changed", path.s, next);
	return add_block(ret, next, e);
}

int hooknext_write(struct host *h, const struct storage *st, unsigned vmid, const struct str *text, struct err *e)
{
	struct host_path path = hooknext_path(st, vmid);
	int r = file_replace(h, path.s, text->s, text->len, 0644);

	return r < 0 ? err_set(e, -r, "cannot write '%s': %s", path.s, err_text(r)) : 0;
}

/* What stands before the block; false when it does not end with it. */
static bool without_block(const struct str *text, const char *next, struct str *ret)
{
	struct host_path ours = block(next);
	size_t n = strlen(ours.s), left;

	if (text->len < n || strcmp(text->s + text->len - n, ours.s) != 0)
		return false;
	left = text->len - n;
	if (left && text->s[left - 1] != '\n')
		return false;
	if (left > 1 && text->s[left - 2] == '\n')
		left--;
	(void)str_addn(ret, text->s, left);
	return true;
}

/* 1: done, 0: the file does not say so, or not as attach writes it. */
static int remove_block(struct host *h, const struct storage *st, unsigned vmid, const char *next, struct err *e)
{
	struct host_path path = hooknext_path(st, vmid);
	_cleanup_(str_release) struct str text = STR_INIT, rest = STR_INIT;
	int r = read_ini(h, st, vmid, &text, e);

	if (r < 0 || !without_block(&text, next, &rest))
		return r;
	if (rest.failed)
		return err_nomem(e);
	if (rest.len) {
		r = hooknext_write(h, st, vmid, &rest, e);
		return r < 0 ? r : 1;
	}
	r = host_unlink(h, path.s);
	return r < 0 ? err_set(e, -r, "cannot remove '%s': %s", path.s, err_text(r)) : 1;
}

int hooknext_former(struct host *h, const struct storage *st, unsigned vmid, char ret[SETTINGS_HOOK_SIZE],
		    struct err *e)
{
	struct settings settings;
	int r = settings_load(h, st->snippets, vmid, &settings, e);

	if (r < 0)
		return r;
	if (settings.next[0] == '/')
		return err_set(e, EPERM, "%s: 'next = %.200s' is run by our hookscript, and Proxmox itself takes no path: take "
			       "that line out first", settings.origin[SETTINGS_NEXT].text, settings.next);
	ret[0] = '\0';
	if (strcmp(settings.next, hookfile_volid(st).s) != 0)
		(void)str_copy(ret, SETTINGS_HOOK_SIZE, settings.next);
	return 0;
}

void hooknext_forget(struct cli *c, const struct storage *st, unsigned vmid)
{
	struct settings settings;
	struct err e = ERR_INIT;
	int r = settings_load(c->h, st->snippets, vmid, &settings, &e);

	if (r == 0 && !settings.next[0])
		return;
	if (r == 0)
		r = remove_block(c->h, st, vmid, settings.next, &e);
	if (r < 0)
		out_note(&c->out, "%s", e.msg);
	else if (r == 0)
		out_note(&c->out, "%s still says 'next = %.200s', which is run only while our hookscript is set",
			 settings.origin[SETTINGS_NEXT].text, settings.next);
}
