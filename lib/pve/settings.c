// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading settings files: see settings.h.  The only file that knows the ini library. */
#include "settings.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "macro.h"
#include "str.h"

/* --- one file ------------------------------------------------------------------------------ */

struct reader {
	const struct settings_table *table;	/* NULL: every line goes to `each` */
	settings_line_fn each;
	void *arg;
	const char *file, *pos, *end;
	unsigned line, where;
	void *values;
	unsigned *line_of;
	struct err *e;
	int failed;		/* the first failure; nothing is read behind it */
};

static int fail_line(struct reader *rd, const char *what)
{
	rd->failed = err_set(rd->e, EINVAL, "%s:%u: %s", rd->file, rd->line, what);
	return rd->failed;
}

static bool has_section(const struct settings_table *t, const char *name, size_t len)
{
	for (size_t i = 0; i < t->n; i++)
		if (strlen(t->keys[i].section) == len && memcmp(t->keys[i].section, name, len) == 0)
			return true;
	return false;
}

/* The library says nothing about a section without keys and drops what follows the bracket. */
static int check_header(struct reader *rd, const char *line, size_t len)
{
	const char *close = memchr(line, ']', len), *rest;

	if (!close)
		return fail_line(rd, "a section name must end with ']'");
	for (rest = close + 1; rest < line + len && isspace((unsigned char)*rest); rest++)
		;
	if (rest < line + len && *rest != ';' && *rest != '#')
		return fail_line(rd, "nothing but a comment may follow the section's ']'");
	if (rd->table && !has_section(rd->table, line + 1, (size_t)(close - line - 1)))
		return fail_line(rd, "there is no such section; see the comments in "
				     SETTINGS_HOST_FILE);
	return 0;
}

/* What the library would silently make something else of. */
static int check_line(struct reader *rd, const char *line, size_t len, size_t room)
{
	size_t blanks = 0;

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' && line[i] != '\t' && !(line[i] == '\r' && i + 1 == len))
			return fail_line(rd, "there is a control character in this line: is this a "
					     "text file?");
	if (len >= room) {
		char what[64];

		snprintf(what, sizeof(what), "the line is longer than %zu bytes", room - 1);
		return fail_line(rd, what);
	}
	while (blanks < len && isspace((unsigned char)line[blanks]))
		blanks++;
	if (blanks == len || line[blanks] == ';' || line[blanks] == '#')
		return 0;
	if (blanks > 0)
		return fail_line(rd, "the line is indented: begin it in the first column");
	return *line == '[' ? check_header(rd, line, len) : 0;
}

/* An ini_reader: gives the library one checked line, or NULL at the end or the first failure. */
static char *next_line(char *buf, int size, void *arg)
{
	struct reader *rd = arg;
	const char *newline;
	size_t len;

	if (rd->failed || rd->pos == rd->end || size < 1)
		return NULL;
	if (rd->line == 0 && rd->end - rd->pos >= 3 && memcmp(rd->pos, "\xef\xbb\xbf", 3) == 0)
		rd->pos += 3;	/* an editor's byte order mark */
	newline = memchr(rd->pos, '\n', (size_t)(rd->end - rd->pos));
	len = (size_t)((newline ? newline : rd->end) - rd->pos);
	rd->line++;
	if (check_line(rd, rd->pos, len, (size_t)size) < 0)
		return NULL;
	memcpy(buf, rd->pos, len);
	buf[len] = '\0';
	rd->pos += len + (newline ? 1 : 0);
	return buf;
}

static const char *elsewhere(unsigned where)
{
	return where == SETTINGS_IN_VM ? "this key may only stand in " SETTINGS_HOST_FILE :
					 "this key may only stand in a VM's own file";
}

static int take_key(struct reader *rd, size_t i, const char *value)
{
	const struct settings_key *key = &rd->table->keys[i];
	char what[80];

	if (!(key->where & rd->where))
		return fail_line(rd, elsewhere(rd->where));
	if (rd->line_of[i]) {
		snprintf(what, sizeof(what), "%.32s is given twice, first in line %u", key->name,
			 rd->line_of[i]);
		return fail_line(rd, what);
	}
	rd->failed = settings_set(key, value, rd->values, rd->e);
	if (rd->failed < 0)
		return err_wrap(rd->e, "%s:%u", rd->file, rd->line);
	rd->line_of[i] = rd->line;
	return 0;
}

/* An ini_handler: 1 = go on. */
static int take_value(void *arg, const char *section, const char *name, const char *value)
{
	struct reader *rd = arg;

	if (rd->failed)
		return 0;
	if (rd->each && *section) {
		rd->failed = rd->each(rd->arg, section, name, value, rd->e);
		return rd->failed == 0 || err_wrap(rd->e, "%s:%u", rd->file, rd->line) == 0;
	}
	for (size_t i = 0; rd->table && i < rd->table->n; i++) {
		const struct settings_key *key = &rd->table->keys[i];

		if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0)
			return take_key(rd, i, value) == 0;
	}
	fail_line(rd, *section ? "there is no such key in this section; see the comments in "
				 SETTINGS_HOST_FILE : "this line stands before any [section]");
	return 0;
}

static int read_text(struct reader *rd)
{
	int r = ini_parse_stream(next_line, rd, take_value, rd);

	/* The library goes on behind a line it cannot read; the first mistake is the one to name. */
	if (r > 0 && (!rd->failed || (unsigned)r < rd->line))
		return err_set(rd->e, EINVAL, "%s:%d: this is neither 'key = value' nor '[section]' nor a "
			       "comment", rd->file, r);
	if (rd->failed)
		return rd->failed;
	return r == 0 ? 0 : err_nomem(rd->e);
}

int settings_parse(const struct settings_table *table, const char *file, const char *text, size_t len,
		   unsigned where, void *values, unsigned line_of[], struct err *e)
{
	struct reader rd = {
		.table = table, .file = file, .pos = text, .end = text + len, .where = where,
		.values = values, .line_of = line_of, .e = e,
	};

	memset(line_of, 0, table->n * sizeof(*line_of));
	return read_text(&rd);
}

/* --- the files ----------------------------------------------------------------------------- */

/* Whoever can write the file, or put another in its place, decides what root does. */
static int check_owner(struct host *h, const char *path, const struct stat *st, struct err *e)
{
	if (!h->real)
		return 0;
	if (st->st_uid != 0)
		return err_set(e, EPERM, "'%s' belongs to user %u, but it decides what root does: "
			       "'chown root %s' if its content is yours", path, (unsigned)st->st_uid, path);
	if (st->st_mode & 022)
		return err_set(e, EPERM, "'%s' can be written by others than root (mode %04o): "
			       "'chmod go-w %s' if its content is yours", path,
			       (unsigned)st->st_mode & 07777, path);
	return file_check_place(h, path, e);
}

static int read_all(int fd, const char *path, char *buf, size_t size, size_t *ret_len, struct err *e)
{
	size_t n = 0;
	ssize_t r;

	do {
		r = read(fd, buf + n, size - n);
		if (r > 0)
			n += (size_t)r;
	} while ((r > 0 && n < size) || (r < 0 && errno == EINTR));
	if (r < 0)
		return err_set(e, errno, "cannot read '%s': %s", path, err_text(errno));
	if (n == size)
		return err_set(e, EFBIG, "'%s' is larger than %d bytes: is this a settings file?", path,
			       SETTINGS_FILE_MAX);
	*ret_len = n;
	return 0;
}

/* The descriptor of a regular file, -ENOENT without a sentence when there is none, or an error. */
static int open_file(struct host *h, const char *path, struct err *e)
{
	char target[8];
	struct stat st;
	int r = host_stat(h, path, &st);

	/* A link to a file system that is not mounted must not pass for "no settings". */
	if (r == -ENOENT && host_readlink(h, path, target, sizeof(target)) != -ENOENT)
		return err_set(e, EINVAL, "'%s' is a link that leads nowhere: correct or remove it", path);
	/* Looked at before it is opened: opening a device can do things. */
	if (r == 0 && !S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "'%s' is no regular file: remove it or put a settings file there",
			       path);
	if (r == 0)
		r = host_open_file(h, path, O_RDONLY | O_NONBLOCK, 0);
	if (r >= 0 || r == -ENOENT)
		return r;
	return err_set(e, -r, "cannot open '%s': %s", path, err_text(r));
}

/* malloc'ed: a limit of the stack may be smaller.  -ENOENT without a sentence: there is none. */
static int read_file(struct host *h, const char *path, char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_(file_closep) int fd = open_file(h, path, e);
	struct stat st;
	int r;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "cannot look at '%s': %s", path, err_text(errno));
	r = check_owner(h, path, &st, e);
	if (r < 0)
		return r;
	*ret = malloc(SETTINGS_FILE_MAX + 1);
	return *ret ? read_all(fd, path, *ret, SETTINGS_FILE_MAX + 1, ret_len, e) : err_nomem(e);
}

int settings_each(struct host *h, const char *path, settings_line_fn fn, void *arg, struct err *e)
{
	struct reader rd = { .each = fn, .arg = arg, .file = path, .e = e };
	char *text = NULL;
	size_t len = 0;
	int r = read_file(h, path, &text, &len, e);

	if (r == 0) {
		rd.pos = text;
		rd.end = text + len;
		r = read_text(&rd);
	}
	free(text);
	return r;
}

static int load_file(struct host *h, const char *path, unsigned where, struct settings *s, struct err *e)
{
	static const struct settings_table table = { settings_keys, SETTINGS_N };
	unsigned line_of[SETTINGS_N];
	char *text = NULL;
	size_t len = 0;
	int r = read_file(h, path, &text, &len, e);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = settings_parse(&table, path, text, len, where, s, line_of, e);
	free(text);
	for (size_t i = 0; r == 0 && i < SETTINGS_N; i++)
		if (line_of[i])
			snprintf(s->origin[i].text, sizeof(s->origin[i].text), "%.260s:%u", path, line_of[i]);
	return r;
}

void settings_init(struct settings *s)
{
	struct err e = ERR_INIT;

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < SETTINGS_N; i++)
		if (settings_set(&settings_keys[i], settings_keys[i].def, s, &e) == 0)
			snprintf(s->origin[i].text, sizeof(s->origin[i].text), "default");
}

static int load_vm_file(struct host *h, const char *folder, unsigned vmid, struct settings *s,
			struct err *e)
{
	struct host_path path = host_path("%s/%u.gpu.ini", folder, vmid);

	/* A name we cannot ask for must not pass for a file that is not there. */
	if (*folder != '/' || !str_starts(path.s, folder))
		return err_set(e, EINVAL, "the snippets folder must be an absolute path of at most %zu bytes",
			       sizeof(path.s) - 32);
	return load_file(h, path.s, SETTINGS_IN_VM, s, e);
}

int settings_load(struct host *h, const char *snippets, unsigned vmid, struct settings *ret,
		  struct err *e)
{
	struct settings s;
	int r;

	settings_init(&s);
	r = load_file(h, SETTINGS_HOST_FILE, SETTINGS_IN_HOST, &s, e);
	if (r == 0 && snippets)
		r = load_vm_file(h, snippets, vmid, &s, e);
	if (r == 0)
		*ret = s;
	return r;
}
