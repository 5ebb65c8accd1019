// SPDX-License-Identifier: GPL-2.0-or-later
/* Every file of the corpus, and many that were never written by anybody, times every kind of edit:
 * lines that were not meant are the same bytes, and Proxmox reads the same in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hostpci.h"
#include "vmedit.h"

#include "../corpus/files.h"

#define HOOK "local:snippets/gpu-hook"

enum edit { ATTACH, DETACH, HOOK_SET, HOOK_CLEAR, EDITS };
static const char *const edit_names[] = { "attach", "detach", "hook set", "hook clear" };

struct trial {
	const char *name;
	struct vmconf *before;
	struct vmedit ed;
	enum edit edit;
};

/* The keys an edit may touch in the main section and in [PENDING]. */
static bool is_meant(const struct trial *t, const char *key)
{
	switch (t->edit) {
	case ATTACH:
		return strncmp(key, "hostpci", 7) == 0 || strcmp(key, "machine") == 0 || strcmp(key, "vga") == 0 ||
		       strcmp(key, "delete") == 0;
	case DETACH:
		return strncmp(key, "hostpci", 7) == 0 || strcmp(key, "boot") == 0 || strcmp(key, "delete") == 0;
	case HOOK_SET:
	case HOOK_CLEAR:
		return strcmp(key, "hookscript") == 0 || strcmp(key, "delete") == 0;
	case EDITS:
		break;
	}
	return false;
}

static bool may_change(const struct trial *t, const struct vmconf *c, const struct vmconf_line *line)
{
	enum vmconf_section_kind kind = c->sections[line->section].kind;

	if (line->kind == VMCONF_BLANK || (line->kind == VMCONF_HEADER && kind == VMCONF_PENDING))
		return true;
	return (kind == VMCONF_MAIN || kind == VMCONF_PENDING) && line->kind == VMCONF_KEY &&
	       line->verdict != VMCONF_DROPPED && is_meant(t, line->key);
}

static bool same_line(const struct vmconf *a, const struct vmconf_line *x, const struct vmconf *b,
		      const struct vmconf_line *y)
{
	return x->len == y->len && memcmp(a->bytes + x->off, b->bytes + y->off, x->len) == 0;
}

static const struct vmconf_line *next_fixed(const struct trial *t, const struct vmconf *c, size_t *i)
{
	while (*i < c->n_lines && may_change(t, c, &c->lines[*i]))
		++*i;
	return *i < c->n_lines ? &c->lines[(*i)++] : NULL;
}

/* The lines that were not meant are all there, the same bytes in the same order. */
static void check_lines(const struct trial *t)
{
	const struct vmconf_line *x, *y;
	size_t i = 0, k = 0;

	for (;;) {
		x = next_fixed(t, t->before, &i);
		y = next_fixed(t, t->ed.now, &k);
		if (!x && !y)
			return;
		if (!x || !y || !same_line(t->before, x, t->ed.now, y) || x->verdict != y->verdict)
			fail_msg("%s, %s%s: line %zu\n%.*s\nbecame line %zu\n%.*s\nof\n%s", t->name,
				 edit_names[t->edit], t->ed.running ? ", running" : "", i,
				 x ? (int)x->len : 0, x ? t->before->bytes + x->off : "", k,
				 y ? (int)y->len : 0, y ? t->ed.now->bytes + y->off : "", t->ed.now->bytes);
	}
}

static bool same_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return (!a && !b) || (a && b && a_len == b_len && memcmp(a, b, a_len) == 0);
}

/* What counts in a section of `a` counts in the same one of `b`. */
static void check_section(const struct trial *t, const struct vmconf *a, const struct vmconf_section *s,
			  const struct vmconf *b)
{
	const struct vmconf_section *o = vmconf_section(b, s->kind, s->name);
	bool edited = s->kind == VMCONF_MAIN || s->kind == VMCONF_PENDING;

	for (const struct vmconf_line *x = NULL; (x = vmconf_next(a, s, x)); ) {
		const struct vmconf_line *y = vmconf_find(b, o, x->key);

		if (edited && is_meant(t, x->key))
			continue;
		if (!y || !same_text(x->value, x->value_len, y->value, y->value_len))
			fail_msg("%s, %s: '%s' of section '%s' is another", t->name, edit_names[t->edit], x->key,
				 s->name);
	}
	if (o && !same_text(s->description, s->description_len, o->description, o->description_len))
		fail_msg("%s, %s: the description of '%s' is another", t->name, edit_names[t->edit], s->name);
	if (!o && s->kind != VMCONF_PENDING)
		fail_msg("%s, %s: section '%s' is gone", t->name, edit_names[t->edit], s->name);
}

static void check_meaning(const struct trial *t)
{
	const struct vmconf *pair[2] = { t->before, t->ed.now };

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < pair[k]->n_sections; i++)
			if (!pair[k]->sections[i].replaced && pair[k]->sections[i].kind != VMCONF_UNKNOWN)
				check_section(t, pair[k], &pair[k]->sections[i], pair[!k]);
}

/* --- the edits --------------------------------------------------------------------------------- */

static int put_absent(struct vmedit *ed, const char *key, const char *value, struct err *e)
{
	return vmedit_effective(ed->now, key) ? 0 : vmedit_put(ed, key, value, e);
}

static bool is_free(const struct vmconf *c, const char *key)
{
	return !vmconf_current(c, key) && !vmedit_effective(c, key);
}

static void attach(struct trial *t, struct err *e)
{
	char key[12];
	unsigned i = 0;

	do {
		snprintf(key, sizeof(key), "hostpci%u", i++);
	} while (i < HOSTPCI_MAX && !is_free(t->ed.now, key));
	assert_int_equal(vmedit_put(&t->ed, key, "0000:01:00,pcie=1", e), 0);
	assert_string_equal(vmedit_effective(t->ed.now, key), "0000:01:00,pcie=1");
	assert_int_equal(put_absent(&t->ed, "machine", "q35", e), 0);
	assert_int_equal(put_absent(&t->ed, "vga", "none", e), 0);
	assert_non_null(vmedit_effective(t->ed.now, "machine"));
}

static void detach(struct trial *t, struct err *e)
{
	char key[12];

	for (unsigned i = 0; i < HOSTPCI_MAX; i++) {
		snprintf(key, sizeof(key), "hostpci%u", i);
		if (vmedit_drop(&t->ed, key, e) < 0)
			fail_msg("%s: %s", t->name, e->msg);
		assert_null(vmedit_effective(t->ed.now, key));
		if (!t->ed.running)
			assert_null(vmconf_current(t->ed.now, key));
	}
}

static void edit(struct trial *t)
{
	struct err e = ERR_INIT;

	switch (t->edit) {
	case ATTACH:
		attach(t, &e);
		break;
	case DETACH:
		detach(t, &e);
		break;
	case HOOK_SET:
		assert_int_equal(vmedit_put(&t->ed, "hookscript", HOOK, &e), 0);
		assert_string_equal(vmconf_current(t->ed.now, "hookscript"), HOOK);
		break;
	case HOOK_CLEAR:
		assert_int_equal(vmedit_drop(&t->ed, "hookscript", &e), 0);
		assert_null(vmconf_current(t->ed.now, "hookscript"));
		break;
	case EDITS:
		break;
	}
}

static void try_file(void *arg, const char *name, const char *bytes, size_t len)
{
	struct err e = ERR_INIT;

	(void)arg;
	for (unsigned k = 0; k < 2 * EDITS; k++) {
		struct trial t = { .name = name, .edit = (enum edit)(k / 2) };

		assert_int_equal(vmconf_parse(bytes, len, &t.before, &e), 0);
		assert_int_equal(vmedit_init(&t.ed, bytes, len, NULL, k & 1, &e), 0);
		edit(&t);
		check_lines(&t);
		check_meaning(&t);
		vmedit_release(&t.ed);
		vmconf_free(t.before);
	}
}

static void the_corpus_keeps_its_lines(void **state)
{
	(void)state;
	assert_true(corpus_each(try_file, NULL) > 300);
}

/* --- generated files --------------------------------------------------------------------------- */

static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static const char *const pieces[] = {
	"hostpci0: 01:00,pcie=1", "hostpci0: 0000:01:00.0", "hostpci1: 0A:00", "hostpci15: 02:00, pcie=1",
	"hostpci9: mapping=gpu,pcie=1", "machine: q35", "machine: pc-q35-9.2+pve1", "vga: none", "vga: std,memory=32",
	"hookscript: local:snippets/gpu-hook", "hookscript:local:snippets/other.sh", "hookscript: /bad",
	"boot: order=scsi0;hostpci0", "boot: order=hostpci0", "boot: ", "boot: cdn", "delete: hostpci0,!net0",
	"delete: machine hookscript", "delete: nothing", "#note", "# 100%25", "#", "", " ", "\t", "[PENDING]",
	"[pending]  ", "[snap]", "[snap]", "[special:cloudinit]", "[odd one]", "[x", "cores: 2", "cores: x", "cores:2",
	" cores: 3", "cpu: host", "args: -cpu host", "junk", ": x", "description: a%20b", "lock: backup", "name: a",
	"x snapstate: prepare", "snapstate: delete", "bios: ovmf", "efidisk0: local:1/a.raw", "zz: 1", "\xff\xfe", "name: \xc3\xa9",
};

static void generate(uint32_t *seed, struct str *file)
{
	unsigned lines = next(seed) % 20;
	const char *eol = next(seed) % 4 ? "\n" : "\r\n";

	str_clear(file);
	for (unsigned i = 0; i < lines; i++) {
		const char *piece = pieces[next(seed) % ARRAY_SIZE(pieces)];

		assert_int_equal(str_add(file, piece), 0);
		if (next(seed) % 40 == 0)
			assert_int_equal(str_addn(file, "\0", 1), 0);
		if (i + 1 < lines || next(seed) % 3)
			assert_int_equal(str_add(file, next(seed) % 30 ? eol : "\n"), 0);
	}
}

static void generated_files_keep_their_lines(void **state)
{
	struct str file = STR_INIT;
	uint32_t seed = 20261128;
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		snprintf(name, sizeof(name), "generated %u", i);
		generate(&seed, &file);
		try_file(NULL, name, file.s, file.len);
	}
	str_release(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_corpus_keeps_its_lines),
		cmocka_unit_test(generated_files_keep_their_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
