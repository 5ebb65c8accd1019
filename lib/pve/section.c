// SPDX-License-Identifier: GPL-2.0-or-later
/* Proxmox's section files: see section.h. */
#include "section.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "macro.h"

/* \s of a Perl regular expression, without locale. */
#define BLANKS " \t\r\f\v"

struct line {
	char *text;		/* NUL-terminated, without newline, inside words */
	size_t len;
	unsigned number;
	size_t start, end;
};

struct parser {
	struct section_file *f;
	enum section_header header;
	size_t pos;
	unsigned line;
	size_t n_props, max_sections, max_props, max_junk;
	struct section *open;	/* the section that lines belong to now, or NULL */
};

/* The list with room for one more element, or NULL (the old one is then untouched). */
static void *grow(void *list, size_t n, size_t *max, size_t size)
{
	size_t want = *max ? *max * 2 : 16;

	if (n < *max)
		return list;
	list = realloc(list, want * size);
	if (list)
		*max = want;
	return list;
}

/* The next line that is no comment; false at the end. */
static bool next_line(struct parser *p, struct line *ret)
{
	struct section_file *f = p->f;

	while (p->pos < f->len) {
		char *text = f->words + p->pos;
		char *newline = memchr(text, '\n', f->len - p->pos);
		size_t len = newline ? (size_t)(newline - text) : f->len - p->pos;

		*ret = (struct line){ text, len, ++p->line, p->pos, p->pos + len + (newline ? 1 : 0) };
		text[len] = '\0';
		p->pos = ret->end;
		if (text[strspn(text, BLANKS)] != '#')
			return true;
	}
	return false;
}

/* What Perl takes for false ends a section. */
static bool is_end(const struct line *l)
{
	return l->len == 0 || (l->len == 1 && l->text[0] == '0');
}

static bool has_nul(const struct line *l)
{
	return memchr(l->text, '\0', l->len) != NULL;
}

static int add_junk(struct parser *p, const struct line *l)
{
	struct section_file *f = p->f;
	unsigned *junk = grow(f->junk, f->n_junk, &p->max_junk, sizeof(*junk));

	if (!junk)
		return -ENOMEM;
	f->junk = junk;
	f->junk[f->n_junk++] = l->number;
	return 0;
}

/* "type: id" as ^(\S+):\s*(\S+)\s*$ splits it, in place.  In a single word the last colon counts that
 * has something on both sides. */
static bool split_header(char *text, char **ret_type, char **ret_id)
{
	size_t n = strcspn(text, BLANKS), colon = n - 1;
	char *id;

	if (text[n]) {
		text[n] = '\0';
		id = text + n + 1 + strspn(text + n + 1, BLANKS);
	} else {
		while (colon > 0 && (colon == n - 1 || text[colon] != ':'))
			colon--;
		id = text + colon + 1;
	}
	if (colon == 0 || text[colon] != ':')
		return false;
	text[colon] = '\0';
	*ret_type = text;
	*ret_id = id;
	return true;
}

/* Removes white space at the end. */
static void trim(char *text)
{
	size_t n = strlen(text);

	while (n && strchr(BLANKS, text[n - 1]))
		text[--n] = '\0';
}

static bool parse_header(struct parser *p, const struct line *l, struct section *ret)
{
	char *type, *id = l->text;

	trim(id);
	if (!*id || strchr(BLANKS, *id))
		return false;
	*ret = (struct section){ .type = "", .line = l->number, .start = l->start, .end = l->end };
	if (p->header == SECTION_TYPE_ID) {
		if (!split_header(id, &type, &id))
			return false;
		for (char *c = type; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		ret->type = type;
	}
	ret->id = id;
	return !id[strcspn(id, BLANKS)];
}

/* The list moves when it grows: sections know their properties by number until the end. */
static int add_section(struct parser *p, const struct section *s)
{
	struct section_file *f = p->f;
	struct section *list = grow(f->list, f->n, &p->max_sections, sizeof(*list));

	if (!list)
		return -ENOMEM;
	f->list = list;
	f->list[f->n] = *s;
	p->open = &f->list[f->n++];
	return 0;
}

static int add_prop(struct parser *p, const struct line *l)
{
	struct section_file *f = p->f;
	struct section_prop *props = grow(f->props, p->n_props, &p->max_props, sizeof(*props));
	char *key = l->text + strspn(l->text, BLANKS), *value = key + strcspn(key, BLANKS);

	if (!props)
		return -ENOMEM;
	f->props = props;
	trim(value);
	value += strspn(value, BLANKS);
	/* SectionConfig.pm: check_value takes it for a line feed. */
	if (strchr(value, '\r'))
		return add_junk(p, l);
	key[strcspn(key, BLANKS)] = '\0';
	props[p->n_props++] = (struct section_prop){ key, value, l->number, l->start, l->end };
	p->open->n_props++;
	return 0;
}

static int parse_line(struct parser *p, const struct line *l)
{
	bool indented = l->len && strchr(BLANKS, l->text[0]);
	struct section s;

	if (is_end(l)) {
		p->open = NULL;
		return 0;
	}
	if (p->open) {
		p->open->end = l->end;
		if (has_nul(l) || !indented || !l->text[strspn(l->text, BLANKS)])
			return add_junk(p, l);
		return add_prop(p, l);
	}
	if (has_nul(l) || !parse_header(p, l, &s))
		return add_junk(p, l);
	return add_section(p, &s);
}

/* Copies the text twice: once to be cut into words, once to stay as it is. */
static int take_copies(const char *text, size_t len, struct section_file *f)
{
	f->raw = malloc(len + 1);
	f->words = malloc(len + 1);
	if (!f->raw || !f->words)
		return -ENOMEM;
	if (len) {
		memcpy(f->raw, text, len);
		memcpy(f->words, text, len);
	}
	f->raw[len] = f->words[len] = '\0';
	f->len = len;
	return 0;
}

static int parse_lines(enum section_header header, struct section_file *f)
{
	struct parser p = { .f = f, .header = header };
	const struct section_prop *props;
	struct line l;
	int r = 0;

	while (r == 0 && next_line(&p, &l))
		r = parse_line(&p, &l);
	props = f->props;
	for (size_t i = 0; r == 0 && i < f->n; i++) {
		f->list[i].props = props;
		props += f->list[i].n_props;
	}
	return r;
}

int section_parse(const char *text, size_t len, enum section_header header, struct section_file *ret,
		  struct err *e)
{
	struct section_file f = SECTION_FILE_INIT;

	if (take_copies(text, len, &f) < 0 || parse_lines(header, &f) < 0) {
		section_release(&f);
		return err_nomem(e);
	}
	*ret = f;
	return 0;
}

int section_load(struct host *h, const char *path, enum section_header header, struct section_file *ret,
		 struct err *e)
{
	char *text;
	size_t len;
	int r = host_read_file(h, path, SECTION_FILE_MAX, &text, &len);

	if (r == -ENOENT)
		return err_set(e, ENOENT, "there is no '%s'", path);
	if (r < 0)
		return err_set(e, -r, "cannot read '%s': %s", path,
			       r == -EINVAL ? "it is no regular file" : err_text(r));
	r = section_parse(text, len, header, ret, e);
	free(text);
	return r;
}

void section_release(struct section_file *f)
{
	free(f->raw);
	free(f->words);
	free(f->list);
	free(f->props);
	free(f->junk);
	*f = (struct section_file)SECTION_FILE_INIT;
}

const struct section *section_find(const struct section_file *f, const char *id)
{
	for (size_t i = f->n; i > 0; i--)
		if (strcmp(f->list[i - 1].id, id) == 0)
			return &f->list[i - 1];
	return NULL;
}

const struct section_prop *section_get(const struct section *s, const char *key)
{
	for (size_t i = 0; i < s->n_props; i++)
		if (strcmp(s->props[i].key, key) == 0)
			return &s->props[i];
	return NULL;
}

const char *section_value(const struct section *s, const char *key, bool (*fits)(const char *value))
{
	for (size_t i = 0; i < s->n_props; i++) {
		const struct section_prop *p = &s->props[i];

		if (strcmp(p->key, key) == 0 && *p->value && (!fits || fits(p->value)))
			return p->value;
	}
	return NULL;
}

bool section_flag(const struct section *s, const char *key)
{
	for (size_t i = 0; i < s->n_props; i++) {
		const char *value = s->props[i].value;

		if (strcmp(s->props[i].key, key) != 0)
			continue;
		if (!*value || strcmp(value, "1") == 0)
			return true;
		if (strcmp(value, "0") == 0)
			return false;
	}
	return false;
}
