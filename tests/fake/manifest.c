// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines of a machine's text, and the verbs that are plain files: see tree.h, manifest.h. */
#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus.h"
#include "str.h"
#include "tree.h"

int manifest_bad(struct manifest *m, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(m->e, EINVAL, "%s:%u: %s", m->name, m->line, text);
}

int manifest_did(struct manifest *m, int r, const char *path)
{
	if (r >= 0)
		return r;
	return err_set(m->e, -r, "%s:%u: cannot make '%s': %s", m->name, m->line, path, err_text(r));
}

const char *manifest_value(const struct manifest_line *l, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 1; i < l->n; i++)
		if (strncmp(l->v[i], key, n) == 0 && l->v[i][n] == '=')
			return l->v[i] + n + 1;
	return NULL;
}

struct tree_dev *manifest_dev(struct manifest *m, struct bdf a)
{
	for (size_t i = 0; i < m->n_devs; i++)
		if (bdf_same(m->devs[i].a, a))
			return &m->devs[i];
	return NULL;
}

int manifest_id(const char *text, unsigned *ret_vendor, unsigned *ret_device)
{
	char vendor[8] = "", device[8] = "";
	uint64_t v, d;

	if (sscanf(text, "%4[0-9a-f]:%4[0-9a-f]", vendor, device) != 2 || strlen(text) != 9)
		return -EINVAL;
	if (str_to_u64(vendor, 16, &v) < 0 || str_to_u64(device, 16, &d) < 0)
		return -EINVAL;
	*ret_vendor = (unsigned)v;
	*ret_device = (unsigned)d;
	return 0;
}

/* --- plain files ------------------------------------------------------------------------------ */

static int check_path(struct manifest *m, const char *path)
{
	if (path[0] != '/' || !path[1] || path[strlen(path) - 1] == '/')
		return manifest_bad(m, "'%s' is not an absolute path", path);
	if (strstr(path, "/../") || strlen(path) > 400)
		return manifest_bad(m, "the path '%.60s' leads out or is too long", path);
	return 0;
}

static int verb_dir(struct manifest *m, const struct manifest_line *l)
{
	int r = check_path(m, l->v[1]);

	return r < 0 ? r : manifest_did(m, tfs_mkdirs(m->root, l->v[1]), l->v[1]);
}

static int verb_file(struct manifest *m, const struct manifest_line *l)
{
	int r = check_path(m, l->v[1]);

	if (r < 0)
		return r;
	if (l->body)
		r = tfs_put(m->root, l->v[1], 0644, l->body, l->body_len);
	else
		r = tfs_putf(m->root, l->v[1], 0644, "%s%s", l->rest, *l->rest ? "\n" : "");
	return manifest_did(m, r, l->v[1]);
}

static int verb_link(struct manifest *m, const struct manifest_line *l)
{
	int r = check_path(m, l->v[1]);

	if (r == 0 && l->n != 3)
		return manifest_bad(m, "'link' wants a path and a target");
	return r < 0 ? r : manifest_did(m, tfs_link(m->root, l->v[1], l->v[2]), l->v[1]);
}

static int verb_rm(struct manifest *m, const struct manifest_line *l)
{
	int r = check_path(m, l->v[1]);

	return r < 0 ? r : manifest_did(m, tfs_remove(m->root, l->v[1]), l->v[1]);
}

/* When it was last changed, in seconds since 1970. */
static int verb_time(struct manifest *m, const struct manifest_line *l)
{
	struct timespec times[2] = { { 0, 0 }, { 0, 0 } };
	uint64_t when;
	int fd, r = check_path(m, l->v[1]);

	if (r < 0)
		return r;
	if (str_to_u64(l->v[2], 10, &when) < 0)
		return manifest_bad(m, "'%s' is no time", l->v[2]);
	times[0].tv_sec = times[1].tv_sec = (time_t)when;
	fd = tfs_open(m->root, l->v[1], O_RDONLY, 0);
	if (fd < 0)
		return manifest_did(m, fd, l->v[1]);
	r = futimens(fd, times) < 0 ? -errno : 0;
	close(fd);
	return manifest_did(m, r, l->v[1]);
}

/* Pairs of hex digits, white space anywhere; the count or -EINVAL. */
static int hex_decode(const char *text, uint8_t *buf, size_t size)
{
	size_t n = 0;

	for (; *text; text++) {
		uint64_t v;

		if (strchr(" \t\n", *text))
			continue;
		if (!text[1] || n == size)
			return -EINVAL;
		if (str_to_u64((char[3]){ text[0], text[1], '\0' }, 16, &v) < 0)
			return -EINVAL;
		buf[n++] = (uint8_t)v;
		text++;
	}
	return (int)n;
}

static int hex_patch(struct manifest *m, const char *path, uint64_t offset, const void *bytes, size_t n)
{
	int fd = tfs_open(m->root, path, O_WRONLY, 0), r = 0;

	if (fd < 0)
		return manifest_did(m, fd, path);
	if (pwrite(fd, bytes, n, (off_t)offset) != (ssize_t)n)
		r = -EIO;
	close(fd);
	return manifest_did(m, r, path);
}

static int verb_hex(struct manifest *m, const struct manifest_line *l)
{
	const char *text = l->body ? l->body : l->rest;
	uint8_t bytes[4096];
	uint64_t offset = 0;
	int n, r = check_path(m, l->v[1]);

	if (r < 0)
		return r;
	if (*text == '@') {
		if (l->n < 3 || str_to_u64(l->v[2] + 1, 16, &offset) < 0 || offset > 4096)
			return manifest_bad(m, "'%.10s' is not an offset in hex", text);
		text += strlen(l->v[2]);
	}
	n = hex_decode(text, bytes, sizeof(bytes));
	if (n < 0)
		return manifest_bad(m, "'%.20s...' is not pairs of hex digits, 4096 at most", text);
	if (l->rest[0] == '@')
		return hex_patch(m, l->v[1], offset, bytes, (size_t)n);
	return manifest_did(m, tfs_put(m->root, l->v[1], 0644, bytes, (size_t)n), l->v[1]);
}

/* --- lines ------------------------------------------------------------------------------------ */

static const struct verb {
	const char *name;
	size_t min;		/* words, the verb included */
	int (*run)(struct manifest *m, const struct manifest_line *l);
} verbs[] = {
	{ "dir", 2, verb_dir },
	{ "file", 2, verb_file },
	{ "link", 3, verb_link },
	{ "hex", 2, verb_hex },
	{ "rm", 2, verb_rm },
	{ "time", 3, verb_time },
	{ "host", 2, manifest_host },
	{ "iommu", 2, manifest_iommu },
	{ "root", 2, manifest_root },
	{ "pci", 3, manifest_pci },
	{ "driver", 2, manifest_driver },
	{ "loadable", 2, manifest_loadable },
	{ "dynid", 3, manifest_dynid },
	{ "config", 2, manifest_config },
	{ "vm", 2, manifest_vm },
	{ "volume", 4, manifest_volume },
	{ "bridge", 2, manifest_bridge },
};

static int line_run(struct manifest *m, const struct manifest_line *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(l->v[0], verbs[i].name) != 0)
			continue;
		if (l->n < verbs[i].min)
			return manifest_bad(m, "'%s' wants more words", l->v[0]);
		return verbs[i].run(m, l);
	}
	return manifest_bad(m, "unknown verb '%s'", l->v[0]);
}

/* The next word, quotes taken off; NULL at the end, *ret_bad when a quote stays open. */
static char *next_word(char **cursor, bool *ret_bad)
{
	char *p = *cursor + strspn(*cursor, " \t"), *start = p, *out = p;
	bool quoted = false;

	if (!*p)
		return NULL;
	for (; *p && (quoted || !strchr(" \t", *p)); p++) {
		if (*p == '"')
			quoted = !quoted;
		else
			*out++ = *p;
	}
	*ret_bad = quoted;
	*cursor = p + (*p != '\0');
	*out = '\0';
	return start;
}

static int line_split(struct manifest *m, char *text, const char *whole, struct manifest_line *l)
{
	char *cursor = text, *word;
	bool bad = false;

	*l = (struct manifest_line){ .rest = "" };
	while ((word = next_word(&cursor, &bad))) {
		if (bad)
			return manifest_bad(m, "a quote is not closed");
		if (l->n == MANIFEST_WORDS)
			return manifest_bad(m, "more than %d words", MANIFEST_WORDS);
		l->v[l->n++] = word;
		if (l->n == 2)
			l->rest = whole + (cursor - text) + strspn(whole + (cursor - text), " \t");
	}
	return 0;
}

/* The lines up to END become the body; *text moves behind them. */
static int take_body(struct manifest *m, struct manifest_line *l, const char **text)
{
	const char *mark = l->n > 1 ? l->v[l->n - 1] : "", *p = *text;
	size_t n = strlen(mark);

	if (strncmp(mark, "<<", 2) != 0)
		return 0;
	mark += 2;
	n -= 2;
	for (unsigned line = m->line + 1; *p; line++) {
		const char *end = strchrnul(p, '\n');

		if ((size_t)(end - p) == n && strncmp(p, mark, n) == 0) {
			l->body = *text;
			l->body_len = (size_t)(p - *text);
			l->n--;
			*text = end + (*end != '\0');
			m->line = line;
			return 0;
		}
		p = end + (*end != '\0');
	}
	return manifest_bad(m, "no line '%s' ends this text", mark);
}

/* Bodies are shared with the manifest's text; a body handed to a string function needs an end. */
static int line_dispatch(struct manifest *m, struct manifest_line *l)
{
	char *copy;
	int r;

	if (!l->body)
		return line_run(m, l);
	copy = strndup(l->body, l->body_len);
	if (!copy)
		return err_nomem(m->e);
	l->body = copy;
	r = line_run(m, l);
	free(copy);
	return r;
}

/* The next line, with those that a backslash at its end joins to it. */
static char *next_line(struct manifest *m, const char **text)
{
	struct str s = STR_INIT;
	bool more = true;

	while (more && **text) {
		const char *p = *text + (s.len ? strspn(*text, " \t") : 0), *end = strchrnul(p, '\n');

		more = end > p && end[-1] == '\\' && *p != '#';
		str_addn(&s, p, (size_t)(end - p) - more);
		*text = end + (*end != '\0');
		m->line++;
	}
	return str_steal(&s);
}

/* `whole` has the words as they stand, for verbs that take the rest of a line. */
static int line_read(struct manifest *m, const char *whole, char *copy, const char **text)
{
	struct manifest_line l;
	unsigned first = m->line, last;
	int r;

	if (whole[0] == '#')
		return 0;
	r = line_split(m, copy, whole, &l);
	if (r < 0 || l.n == 0)
		return r;
	r = take_body(m, &l, text);
	last = m->line;
	m->line = first;
	if (r == 0)
		r = line_dispatch(m, &l);
	m->line = last;
	return r;
}

static int lines(struct manifest *m, const char *text)
{
	int r = 0;

	while (r == 0 && *text) {
		char *whole = next_line(m, &text), *copy = whole ? strdup(whole) : NULL;

		r = copy ? line_read(m, whole, copy, &text) : err_nomem(m->e);
		free(copy);
		free(whole);
	}
	return r;
}

/* What every machine with PCI has, also one that was captured and says nothing of the kind. */
static int finish(struct manifest *m)
{
	struct bdf v[512];
	size_t n = bus_all(m->root, v, ARRAY_SIZE(v));
	int r = tfs_mkdirs(m->root, "/sys/bus/pci/drivers");

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct bus_name driver = bus_driver(m->root, v[i]);
		struct tfs_path native = bus_hidden("native", v[i]);

		if (bus_driver_is_host(driver.s) && !tfs_exists(m->root, native.s))
			r = tfs_putf(m->root, native.s, 0644, "%s\n", driver.s);
	}
	return manifest_did(m, r, "/.fake");
}

int tree_load_text(const char *name, const char *text, const char *dir, struct err *e)
{
	struct manifest m = {
		.name = name, .e = e,
		.next_mem = 0x80000000, .next_mem64 = 0x6000000000, .next_io = 0x3000,
	};
	int r;

	m.root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (m.root < 0)
		return err_set(e, errno, "cannot open the folder '%s': %s", dir, err_text(errno));
	r = lines(&m, text);
	if (r == 0)
		r = finish(&m);
	free(m.devs);
	close(m.root);
	return r;
}
