/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole VM configs: agreement with Proxmox's reader on keys, values, sections, text and warnings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../corpus/archive.h"
#include "vmconf.h"
#include "vmconf_text.h"

/* One file, our model of it, and how far Proxmox's facts about it have been checked. */
struct trial {
	char name[16];
	struct str file;
	struct vmconf *c;
	const struct vmconf_section *section;	/* the facts are about this one */
	size_t n_keys, n_texts;			/* facts seen, in all sections */
	size_t n_named;				/* special and snapshot sections seen */
	size_t warned;				/* lines up to here have had their warnings checked */
};

#define TRIAL_FAIL(t, ...) do { \
	print_error("file %s: ", (t)->name); \
	fail_msg(__VA_ARGS__); \
} while (0)

static const char *next_number(const char *s, size_t *ret)
{
	for (*ret = 0; *s >= '0' && *s <= '9'; s++)
		*ret = *ret * 10 + (size_t)(*s - '0');
	return s;
}

/* "3" or "3-7", with what follows skipped up to the next number. */
static const char *next_range(const char *s, size_t *ret_from, size_t *ret_to)
{
	s = next_number(s, ret_from);
	*ret_to = *ret_from;
	if (*s == '-')
		s = next_number(s + 1, ret_to);
	return s + (*s == ' ');
}

/* --- the file ---------------------------------------------------------------------------------- */

static void add_bytes(struct trial *t, const char *s, size_t n)
{
	assert_int_equal(str_addn(&t->file, s, n), 0);
}

/* Where line number `at` of what was read so far begins. */
static size_t line_start(const struct trial *t, size_t at)
{
	const char *s = t->file.s;

	while (--at) {
		s = memchr(s, '\n', t->file.len - (size_t)(s - t->file.s));
		assert_non_null(s++);
	}
	return (size_t)(s - t->file.s);
}

static void repeat_lines(struct trial *t, const char *range)
{
	size_t from, to, start, end;
	char *copy;

	(void)next_range(range, &from, &to);
	start = line_start(t, from);
	end = line_start(t, to + 1);
	copy = malloc(end - start);
	assert_non_null(copy);
	memcpy(copy, t->file.s + start, end - start);
	add_bytes(t, copy, end - start);
	free(copy);
}

static void add_line(struct trial *t, const char *line)
{
	if (line[0] == '@') {
		repeat_lines(t, line + 1);
		return;
	}
	archive_value(line + 1, &t->file);
	if (line[0] == '>')
		add_bytes(t, "\n", 1);
}

/* The lines are the bytes, cut at line feeds: nothing is lost, nothing is there twice. */
static void check_bytes(const struct trial *t)
{
	size_t at = 0;

	assert_int_equal(t->c->len, t->file.len);
	assert_memory_equal(t->c->bytes, t->file.s, t->file.len);
	for (size_t i = 0; i < t->c->n_lines; i++) {
		const struct vmconf_line *line = &t->c->lines[i];

		assert_int_equal(line->off, at);
		assert_null(memchr(t->c->bytes + line->off, '\n', line->len));
		at += line->len;
		if (line->newline)
			assert_int_equal(t->c->bytes[at++], '\n');
		else
			assert_int_equal(i + 1, t->c->n_lines);
	}
	assert_int_equal(at, t->c->len);
}

static void parse(struct trial *t, const char *digest)
{
	struct err e = ERR_INIT;

	assert_int_equal(vmconf_parse(t->file.s, t->file.len, &t->c, &e), 0);
	if (strcmp(t->c->digest, digest) != 0)
		TRIAL_FAIL(t, "the digest is %s, not %s", t->c->digest, digest);
	check_bytes(t);
}

/* --- Proxmox's facts -------------------------------------------------------------------------- */

static void enter_section(struct trial *t, char *what)
{
	static const char *const kinds[] = { "main", "pending", "special", "snapshot" };
	char *name = strchr(what, ' ');

	if (name)
		*name++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i], what) == 0)
			t->section = vmconf_section(t->c, (enum vmconf_section_kind)i, name);
	t->n_named += name != NULL;
	if (!t->section)
		TRIAL_FAIL(t, "there is no section %s %s", what, name ? name : "");
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void check_key(struct trial *t, const char *key, const char *value, size_t len)
{
	const struct vmconf_line *line = vmconf_find(t->c, t->section, key);

	if (!line)
		TRIAL_FAIL(t, "section '%s' has no %s", t->section->name, key);
	if (line->value_len != len || memcmp(line->value, value, len) != 0)
		TRIAL_FAIL(t, "%s is '%s', not '%.*s'", key, line->value, (int)len, value);
	assert_int_equal(line->verdict, VMCONF_KEPT);
	assert_int_equal(line->value[len], '\0');
	t->n_keys++;
}

/* The key and the value are just what stands in the line. */
static void check_plain_line(struct trial *t, size_t number)
{
	const struct vmconf_line *line = &t->c->lines[number - 1];
	const char *s = t->c->bytes + line->off, *end = s + line->len;
	const char *colon = memchr(s, ':', line->len);
	char key[64];

	assert_non_null(colon);
	assert_true((size_t)(colon - s) < sizeof(key));
	memcpy(key, s, (size_t)(colon - s));
	key[colon - s] = '\0';
	for (s = colon + 1; s < end && is_space(*s); )
		s++;
	while (end > s && is_space(end[-1]))
		end--;
	check_key(t, key, s, (size_t)(end - s));
	if (vmconf_find(t->c, t->section, key) != line)
		TRIAL_FAIL(t, "%s counts in another line than %zu", key, number);
}

static void check_plain_lines(struct trial *t, const char *ranges)
{
	size_t from, to;

	while (*ranges) {
		ranges = next_range(ranges, &from, &to);
		for (size_t i = from; i <= to; i++)
			check_plain_line(t, i);
	}
}

static void check_value(struct trial *t, const char *fact)
{
	struct str s = STR_INIT;
	char *eq;

	archive_value(fact, &s);
	eq = strchr(s.s, '=');
	assert_non_null(eq);
	*eq++ = '\0';
	check_key(t, s.s, eq, s.len - (size_t)(eq - s.s));
	str_release(&s);
}

static void check_text(struct trial *t, const char *fact)
{
	const struct vmconf_section *s = t->section;
	struct str want = STR_INIT;

	archive_value(fact, &want);
	if (!s->description || s->description_len != want.len ||
	    memcmp(s->description, want.s, want.len) != 0)
		TRIAL_FAIL(t, "the description is '%s', not '%s'", s->description, want.s);
	assert_int_equal(s->description[want.len], '\0');
	str_release(&want);
	t->n_texts++;
}

/* --- Proxmox's warnings ----------------------------------------------------------------------- */

static bool fits_value(const struct vmconf_line *line, const struct str *text)
{
	return line->kind == VMCONF_KEY && line->verdict == VMCONF_DROPPED &&
	       strcmp(line->key, text->s) == 0;
}

static bool is_header(const struct vmconf *c, const struct vmconf_line *line, const char *name)
{
	return line->kind == VMCONF_HEADER && strcmp(c->sections[line->section].name, name) == 0;
}

static bool fits_warning(const struct trial *t, const struct vmconf_line *line, const char *kind,
			 const struct str *text)
{
	if (strcmp(kind, "value") == 0)
		return fits_value(line, text);
	if (strcmp(kind, "delete") == 0)
		return line->kind == VMCONF_KEY && strcmp(line->key, "delete") == 0;
	if (strcmp(kind, "junk") == 0)
		return line->kind == VMCONF_JUNK && line->len >= text->len &&
		       memcmp(t->c->bytes + line->off, text->s, text->len) == 0;
	if (strcmp(kind, "unknown") == 0 && line->verdict != VMCONF_DROPPED)
		return false;
	return is_header(t->c, line, text->s);
}

/* Warnings come in the order of the lines: the next line of ours that has one must be it. */
static void check_warning(struct trial *t, char *fact)
{
	char *rest = fact + strcspn(fact, " ");
	const struct vmconf_line *line;
	struct str text = STR_INIT;
	struct err e = ERR_INIT;

	archive_value(archive_text(rest, 0), &text);
	*rest = '\0';
	while (t->warned < t->c->n_lines && !t->c->lines[t->warned].warned)
		t->warned++;
	if (t->warned == t->c->n_lines)
		TRIAL_FAIL(t, "no warning about: %s %s", fact, text.s);
	line = &t->c->lines[t->warned++];
	if (!fits_warning(t, line, fact, &text))
		TRIAL_FAIL(t, "line %zu has the warning: %s %s", t->warned, fact, text.s);
	if (line->verdict == VMCONF_DROPPED) {
		assert_true(vmconf_explain(t->c, line, NULL, &e) < 0);
		assert_true(e.msg[0] != '\0');
	}
	str_release(&text);
}

/* --- all of it -------------------------------------------------------------------------------- */

static void check_totals(const struct trial *t)
{
	size_t n_keys = 0, n_texts = 0, n_named = 0;

	for (size_t i = 0; i < t->c->n_sections; i++) {
		const struct vmconf_section *s = &t->c->sections[i];

		if (s->replaced || s->kind == VMCONF_UNKNOWN)
			continue;
		n_texts += s->description != NULL;
		n_named += s->kind == VMCONF_SPECIAL || s->kind == VMCONF_SNAPSHOT;
		for (const struct vmconf_line *line = NULL; (line = vmconf_next(t->c, s, line)) != NULL; )
			n_keys++;
	}
	if (n_keys != t->n_keys || n_texts != t->n_texts || n_named != t->n_named)
		TRIAL_FAIL(t, "%zu keys, %zu descriptions, %zu sections instead of %zu, %zu, %zu",
			   n_keys, n_texts, n_named, t->n_keys, t->n_texts, t->n_named);
	for (size_t i = t->warned; i < t->c->n_lines; i++)
		if (t->c->lines[i].warned)
			TRIAL_FAIL(t, "line %zu has no warning", i + 1);
}

static void end_trial(struct trial *t)
{
	check_totals(t);
	vmconf_free(t->c);
	str_release(&t->file);
}

static void check_fact(struct trial *t, char *line)
{
	switch (line[0]) {
	case '>':
	case '<':
	case '@':
		add_line(t, line);
		break;
	case 'd':
		parse(t, line + 2);
		break;
	case 's':
		enter_section(t, line + 2);
		break;
	case 'k':
		check_plain_lines(t, line + 2);
		break;
	case 'v':
		check_value(t, line + 2);
		break;
	case 't':
		check_text(t, archive_text(line, 1));
		break;
	case 'w':
		check_warning(t, line + 2);
		break;
	default:
		TRIAL_FAIL(t, "what is '%s'?", line);
	}
}

static void agrees_with_proxmox(void **state)
{
	struct archive a;
	struct trial t;
	unsigned n = 0;

	(void)state;
	archive_open(&a, "tests/corpus/vmconf.txt");
	for (char *line; (line = archive_next(&a)) != NULL; ) {
		if (line[0] != '=') {
			check_fact(&t, line);
			continue;
		}
		if (n++)
			end_trial(&t);
		t = (struct trial){ .file = STR_INIT };
		assert_int_equal(str_copy(t.name, sizeof(t.name), line + 2), 0);
	}
	end_trial(&t);
	archive_close(&a);
	assert_true(n >= 338);
}

static void decodes_text_as_perl_does(void **state)
{
	struct archive a;
	struct str in = STR_INIT, out = STR_INIT, want = STR_INIT;
	unsigned n = 0;

	(void)state;
	archive_open(&a, "tests/corpus/text.txt");
	for (char *line; (line = archive_next(&a)) != NULL; n++) {
		str_clear(line[0] == '=' ? &in : &want);
		archive_bytes(archive_text(line, 1), line[0] == '=' ? &in : &want);
		if (line[0] == '=') {
			str_clear(&out);
			in.len = vmconf_text_unescape(in.s, in.len);
			assert_int_equal(vmconf_text_decode(in.s, in.len, &out), 0);
			continue;
		}
		if (line[0] == 'u')
			out.len = vmconf_text_trim(out.s, out.len);
		if (out.len != want.len || memcmp(out.s, want.s, want.len) != 0)
			fail_msg("text.txt:%u", a.line);
	}
	str_release(&in);
	str_release(&out);
	str_release(&want);
	archive_close(&a);
	assert_true(n > 500);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_proxmox),
		cmocka_unit_test(decodes_text_as_perl_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
