// SPDX-License-Identifier: GPL-2.0-or-later
/* Configuration files as lines: see conffile.h. */
#include "conffile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "str.h"

struct reading {
	const char *path;
	conffile_line_fn fn;
	void *arg;
};

/* The line at *cursor with those that continue it; *line counts.  NULL at the end. */
static char *next_line(char **cursor, unsigned *line)
{
	char *start = *cursor, *p = start, *out = start;

	if (!*p)
		return NULL;
	for (;; p++) {
		if (p[0] == '\\' && p[1] == '\n') {
			*out++ = ' ';
			p++;
			(*line)++;
		} else if (*p == '\n' || *p == '\0') {
			break;
		} else {
			*out++ = *p;
		}
	}
	*cursor = p + (*p != '\0');
	(*line)++;
	*out = '\0';
	return start;
}

static int each_line(const struct reading *r, char *text)
{
	unsigned line = 0;
	int status = 0;

	while (status == 0) {
		unsigned first = line + 1;
		char *p = next_line(&text, &line);

		if (!p)
			break;
		p = str_strip(p);
		if (*p && *p != '#')
			status = r->fn(r->arg, r->path, first, p);
	}
	return status;
}

int conffile_lines(struct host *h, const char *path, conffile_line_fn fn, void *arg, struct err *e)
{
	struct reading reading = { path, fn, arg };
	char *text;
	size_t len;
	int r = host_read_file(h, path, CONFFILE_MAX, &text, &len);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return err_set(e, -r, "cannot read '%s': %s", path, err_text(r));
	r = each_line(&reading, text);
	free(text);
	return r == -ENOMEM ? err_nomem(e) : r;
}

/* --- folders ----------------------------------------------------------------------------------- */

struct entry {
	char *name;
	size_t folder;
};

struct entries {
	struct entry *v;
	size_t n, size, folder;
	const char *suffix;
};

static int add_name(void *arg, const char *name)
{
	struct entries *l = arg;
	size_t len = strlen(name), tail = strlen(l->suffix);

	if (name[0] == '.' || len <= tail || strcmp(name + len - tail, l->suffix) != 0)
		return 0;
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0)
			return 0;
	if (array_room(&l->v, l->n, &l->size, sizeof(*l->v)) < 0)
		return -ENOMEM;
	l->v[l->n].name = strdup(name);
	l->v[l->n].folder = l->folder;
	return l->v[l->n].name ? (l->n++, 0) : -ENOMEM;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

int conffile_folders(struct host *h, const char *const folders[], size_t n, const char *suffix,
		     conffile_line_fn fn, void *arg, struct err *e)
{
	struct entries l = { .suffix = suffix };
	int r = 0;

	for (l.folder = 0; r == 0 && l.folder < n; l.folder++) {
		r = host_list(h, folders[l.folder], add_name, &l);
		if (r == -ENOENT || r == -ENOTDIR)
			r = 0;
		if (r < 0)
			r = err_set(e, -r, "cannot list '%s': %s", folders[l.folder], err_text(r));
	}
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), by_name);
	for (size_t i = 0; r == 0 && i < l.n; i++)
		r = conffile_lines(h, host_path("%s/%s", folders[l.v[i].folder], l.v[i].name).s, fn, arg, e);
	for (size_t i = 0; i < l.n; i++)
		free(l.v[i].name);
	free(l.v);
	return r;
}
