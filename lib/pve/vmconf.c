/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a VM config: which lines count, with which values, in which section. */
#include "vmconf.h"

#include <errno.h>
#include <stdlib.h>

#include "vmconf_index.h"
#include "vmconf_line.h"
#include "vmconf_text.h"

/* Integers beyond 64 bits are the only values that are neither in the file nor constants. */
struct big_number {
	struct big_number *next;
	struct schema_number text;
};

/* Everything a model owns; the public part is what the others see of it. */
struct model {
	struct vmconf pub;
	char *bytes;			/* as they are */
	char *words;			/* a second copy, in which values are ended by NUL bytes */
	struct vmconf_line *lines;
	struct vmconf_section *sections;
	size_t room;			/* for sections */
	struct vmconf_index index;
	struct str descriptions;
	struct big_number *numbers;
};

/* While reading. */
struct reader {
	struct model *m;
	const struct schema_env *env;
	struct vmconf_section *section;		/* the last of m->sections */
	enum schema_kind schema;
	bool free_keys;				/* [special:cloudinit]: no key and no value is checked */
	bool has_text;				/* the section's description has begun... */
	size_t text;				/* ...here in m->descriptions */
	struct slice blank_text;		/* a description of white space only, or none */
};

void vmconf_free(struct vmconf *c)
{
	struct model *m = (struct model *)c;	/* pub is its first member */

	if (!m)
		return;
	while (m->numbers) {
		struct big_number *next = m->numbers->next;

		free(m->numbers);
		m->numbers = next;
	}
	str_release(&m->descriptions);
	vmconf_index_release(&m->index);
	free(m->sections);
	free(m->lines);
	free(m->bytes);
	free(m->words);
	free(m);
}

void vmconf_freep(struct vmconf **c)
{
	vmconf_free(*c);
	*c = NULL;
}

/* --- sections ------------------------------------------------------------------------------ */

/* Descriptions move while they grow: until all are read, `description` is no pointer yet, only a
 * sign, and its place is their order in m->descriptions. */
static void end_description(struct reader *r)
{
	struct str *all = &r->m->descriptions;
	struct vmconf_section *s = r->section;

	if (r->has_text) {
		s->description_len = vmconf_text_trim(all->s + r->text, all->len - r->text);
		s->description = "";
	} else if (r->blank_text.s) {
		r->text = all->len;
		(void)str_addn(all, r->blank_text.s, r->blank_text.len);
		s->description_len = r->blank_text.len;
		s->description = "";
	}
	if (s->description) {
		all->len = r->text + s->description_len;
		(void)str_addn(all, "", 1);
	}
	r->has_text = false;
	r->blank_text = (struct slice){ NULL, 0 };
}

static void place_descriptions(struct model *m)
{
	const char *s = m->descriptions.s;

	for (size_t i = 0; i < m->pub.n_sections; i++) {
		if (!m->sections[i].description)
			continue;
		m->sections[i].description = s;
		s += m->sections[i].description_len + 1;
	}
}

static int add_section(struct reader *r, enum vmconf_section_kind kind, const char *name,
		       size_t first)
{
	struct model *m = r->m;

	if (m->pub.n_sections == m->room) {
		size_t room = m->room ? m->room * 2 : 8;
		struct vmconf_section *more = reallocarray(m->sections, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		m->sections = more;
		m->room = room;
	}
	r->section = &m->sections[m->pub.n_sections++];
	*r->section = (struct vmconf_section){ .kind = kind, .name = name, .first = first };
	m->pub.sections = m->sections;
	return 0;
}

/* A section of the same name was there before: nothing of it remains. */
static void replace_section(struct model *m, size_t line)
{
	struct vmconf_section *old = &m->sections[m->lines[line].section];

	old->replaced = true;
	for (size_t i = old->first; i < old->end; i++)
		if (m->lines[i].verdict == VMCONF_KEPT)
			m->lines[i].verdict = VMCONF_SUPERSEDED;
}

static int begin_section(struct reader *r, size_t i, enum vmconf_section_kind kind,
			 const char *name)
{
	struct vmconf_line *line = &r->m->lines[i];
	size_t old;

	end_description(r);
	r->section->end = i;
	if (add_section(r, kind, name, i) < 0)
		return -ENOMEM;
	line->section = (uint32_t)(r->m->pub.n_sections - 1);
	line->kind = VMCONF_HEADER;
	r->free_keys = kind == VMCONF_SPECIAL && strcmp(name, "cloudinit") == 0;
	r->schema = kind == VMCONF_SPECIAL ? SCHEMA_FLEECING : SCHEMA_VM;
	if (kind == VMCONF_UNKNOWN) {
		line->verdict = VMCONF_DROPPED;
		line->warned = true;
		return 0;
	}
	old = vmconf_index_put(&r->m->index, &r->m->pub, vmconf_index_tag(kind), name, i);
	if (old != VMCONF_INDEX_NONE) {
		replace_section(r->m, old);
		line->warned = true;
	}
	return 0;
}

/* --- keys ---------------------------------------------------------------------------------- */

/* The place of a slice in the second copy, with a NUL byte written behind it.  Behind every key
 * there is its colon; behind every value, white space, a quote or the end of the line. */
static char *end_word(struct slice s)
{
	char *word = (char *)s.s;

	word[s.len] = '\0';
	return word;
}

static void drop(struct vmconf_line *line)
{
	line->verdict = VMCONF_DROPPED;
	line->warned = true;
}

/* Of a key that is there already, the older line gives way. */
static void keep(struct reader *r, size_t i)
{
	struct vmconf_line *line = &r->m->lines[i];
	size_t old;

	old = vmconf_index_put(&r->m->index, &r->m->pub, line->section, line->key, i);
	if (old != VMCONF_INDEX_NONE)
		r->m->lines[old].verdict = VMCONF_SUPERSEDED;
}

static void set_value(struct vmconf_line *line, const char *key, struct slice value)
{
	line->kind = VMCONF_KEY;
	line->key = key;
	line->value = value.s;
	line->value_len = (uint32_t)value.len;
}

/* A number that does not fit gets a place of its own. */
static int own_number(struct model *m, const struct schema_number *number, struct slice *value)
{
	struct big_number *big;

	if (value->s != number->s)
		return 0;
	big = malloc(sizeof(*big));
	if (!big)
		return -ENOMEM;
	big->text = *number;
	big->next = m->numbers;
	m->numbers = big;
	value->s = big->text.s;
	return 0;
}

static int read_pair(struct reader *r, size_t i, const struct vmconf_parts *parts)
{
	struct vmconf_line *line = &r->m->lines[i];
	const char *key = end_word(parts->key);
	const struct schema_option *option;
	struct slice value = { end_word(parts->value), parts->value.len };
	struct schema_number number;
	struct err ignored = ERR_INIT;

	set_value(line, key, value);
	if (!r->free_keys) {
		option = schema_find(r->schema, key, parts->key.len);
		if (!option || schema_check(option, value, r->env, &number, &value, &ignored) < 0) {
			drop(line);
			return 0;
		}
		if (own_number(r->m, &number, &value) < 0)
			return -ENOMEM;
		/* The end moves when quotes are taken off. */
		if (value.len < line->value_len && value.s > line->value && option->type == PROP_STRING)
			end_word(value);
		if (strcmp(key, "cdrom") == 0)
			key = "ide2";
		set_value(line, key, value);
	}
	if (strcmp(key, "description") == 0) {
		line->kind = VMCONF_DESCRIPTION;
		line->key = line->value = NULL;
		r->blank_text = value;
		return 0;
	}
	keep(r, i);
	return 0;
}

static void read_fixed(struct reader *r, size_t i, const char *key, struct slice value)
{
	set_value(&r->m->lines[i], key, (struct slice){ end_word(value), value.len });
	keep(r, i);
}

static int read_text(struct reader *r, size_t i, struct slice text, bool comment)
{
	struct str *all = &r->m->descriptions;
	char *s = (char *)text.s;
	size_t n = vmconf_text_unescape(s, text.len);

	r->m->lines[i].kind = comment ? VMCONF_COMMENT : VMCONF_DESCRIPTION;
	if (!r->has_text)
		r->text = all->len;
	r->has_text = true;
	if (vmconf_text_decode(s, n, all) < 0 || (comment && str_add(all, "\n") < 0))
		return -ENOMEM;
	return 0;
}

/* --- lines --------------------------------------------------------------------------------- */

static int read_known(struct reader *r, size_t i, const struct vmconf_parts *parts)
{
	struct vmconf_line *line = &r->m->lines[i];

	switch (parts->form) {
	case VMCONF_FORM_COMMENT:
	case VMCONF_FORM_DESCRIPTION:
		return read_text(r, i, parts->value, parts->form == VMCONF_FORM_COMMENT);
	case VMCONF_FORM_SNAPSTATE:
		read_fixed(r, i, "snapstate", parts->value);
		/* It means something in a snapshot only, but is taken out of the main section only. */
		if (r->section->kind == VMCONF_MAIN)
			line->verdict = VMCONF_SKIPPED;
		return 0;
	case VMCONF_FORM_ARGS:
		read_fixed(r, i, "args", parts->value);
		return 0;
	case VMCONF_FORM_DELETE:
		set_value(line, "delete", (struct slice){ end_word(parts->value), parts->value.len });
		if (r->section->kind == VMCONF_PENDING)
			keep(r, i);
		else
			drop(line);
		return 0;
	case VMCONF_FORM_PAIR:
		return read_pair(r, i, parts);
	case VMCONF_FORM_BLANK:
	case VMCONF_FORM_PENDING:
	case VMCONF_FORM_SPECIAL:
	case VMCONF_FORM_SNAPSHOT:
	case VMCONF_FORM_UNKNOWN:
	case VMCONF_FORM_JUNK:
		break;
	}
	line->kind = VMCONF_JUNK;
	drop(line);
	return 0;
}

static int read_line(struct reader *r, size_t i)
{
	struct vmconf_line *line = &r->m->lines[i];
	struct slice text = { r->m->words + line->off, line->len };
	struct vmconf_parts parts = vmconf_line_split(text);

	line->section = (uint32_t)(r->m->pub.n_sections - 1);
	switch (parts.form) {
	case VMCONF_FORM_BLANK:
		line->kind = VMCONF_BLANK;
		return 0;
	case VMCONF_FORM_PENDING:
		return begin_section(r, i, VMCONF_PENDING, "pending");
	case VMCONF_FORM_SPECIAL:
		return begin_section(r, i, VMCONF_SPECIAL, end_word(parts.value));
	case VMCONF_FORM_SNAPSHOT:
		return begin_section(r, i, VMCONF_SNAPSHOT, end_word(parts.value));
	case VMCONF_FORM_UNKNOWN:
		return begin_section(r, i, VMCONF_UNKNOWN, end_word(parts.value));
	case VMCONF_FORM_COMMENT:
	case VMCONF_FORM_DESCRIPTION:
	case VMCONF_FORM_SNAPSTATE:
	case VMCONF_FORM_ARGS:
	case VMCONF_FORM_DELETE:
	case VMCONF_FORM_PAIR:
	case VMCONF_FORM_JUNK:
		break;
	}
	if (r->section->kind != VMCONF_UNKNOWN)
		return read_known(r, i, &parts);
	line->kind = parts.form == VMCONF_FORM_COMMENT ? VMCONF_COMMENT : VMCONF_JUNK;
	line->verdict = VMCONF_SKIPPED;
	return 0;
}

static size_t count_lines(const char *bytes, size_t len)
{
	size_t n = 0;

	for (const char *end = bytes + len; bytes < end; n++) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));

		bytes = newline ? newline + 1 : end;
	}
	return n;
}

static void cut_lines(struct model *m)
{
	size_t off = 0;

	for (size_t i = 0; i < m->pub.n_lines; i++) {
		const char *newline = memchr(m->bytes + off, '\n', m->pub.len - off);
		size_t len = (newline ? (size_t)(newline - m->bytes) : m->pub.len) - off;

		m->lines[i] = (struct vmconf_line){
			.off = (uint32_t)off, .len = (uint32_t)len, .newline = newline != NULL,
		};
		off += len + 1;
	}
}

static char *copy(const char *bytes, size_t len)
{
	char *s = malloc(len + 1);

	if (s) {
		memcpy(s, bytes, len);
		s[len] = '\0';
	}
	return s;
}

static int prepare(struct model *m, const char *bytes, size_t len)
{
	m->descriptions = (struct str)STR_INIT;
	m->pub.len = len;
	m->pub.n_lines = count_lines(bytes, len);
	m->bytes = copy(bytes, len);
	m->words = copy(bytes, len);
	m->lines = calloc(m->pub.n_lines + 1, sizeof(*m->lines));
	if (!m->bytes || !m->words || !m->lines || vmconf_index_init(&m->index, m->pub.n_lines) < 0)
		return -ENOMEM;
	m->pub.bytes = m->bytes;
	m->pub.lines = m->lines;
	cut_lines(m);
	m->pub.index = &m->index;
	sha1_hex(bytes, len, m->pub.digest);
	return 0;
}

static int read_all(struct model *m, const struct schema_env *env)
{
	struct reader r = { .m = m, .env = env, .schema = SCHEMA_VM };

	if (add_section(&r, VMCONF_MAIN, "", 0) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < m->pub.n_lines; i++)
		if (read_line(&r, i) < 0)
			return -ENOMEM;
	r.section->end = m->pub.n_lines;
	end_description(&r);
	if (m->descriptions.failed)
		return -ENOMEM;
	place_descriptions(m);
	return 0;
}

int vmconf_parse_env(const char *bytes, size_t len, const struct schema_env *env,
		     struct vmconf **ret, struct err *e)
{
	struct model *m;

	if (len > VMCONF_SIZE_MAX)
		return err_set(e, EFBIG, "the file has %zu bytes; Proxmox stores at most %d", len,
			       VMCONF_SIZE_MAX);
	m = calloc(1, sizeof(*m));
	if (!m)
		return err_nomem(e);
	if (prepare(m, bytes, len) < 0 || read_all(m, env) < 0) {
		vmconf_free(&m->pub);
		return err_nomem(e);
	}
	*ret = &m->pub;
	return 0;
}

int vmconf_parse(const char *bytes, size_t len, struct vmconf **ret, struct err *e)
{
	return vmconf_parse_env(bytes, len, NULL, ret, e);
}
