/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model of a VM config: lines and verdicts, sections, limits, and what an editor relies on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "vmconf.h"

static struct vmconf *parse_bytes(const char *bytes, size_t len)
{
	struct vmconf *c = NULL;
	struct err e = ERR_INIT;

	if (vmconf_parse(bytes, len, &c, &e) < 0)
		fail_msg("%s", e.msg);
	return c;
}

static struct vmconf *parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

/* --- lines ----------------------------------------------------------------------------------- */

static void every_line_has_a_verdict(void **state)
{
	static const struct {
		const char *line;
		enum vmconf_kind kind;
		enum vmconf_verdict verdict;
	} table[] = {
		{ "# a comment", VMCONF_COMMENT, VMCONF_KEPT },
		{ "description: text", VMCONF_DESCRIPTION, VMCONF_KEPT },
		{ "   \t\r", VMCONF_BLANK, VMCONF_KEPT },
		{ "cores: 4", VMCONF_KEY, VMCONF_SUPERSEDED },
		{ " cores: 4", VMCONF_JUNK, VMCONF_DROPPED },
		{ "Cores: 4", VMCONF_JUNK, VMCONF_DROPPED },
		{ "cores:", VMCONF_JUNK, VMCONF_DROPPED },
		{ "cores: four", VMCONF_KEY, VMCONF_DROPPED },
		{ "cores:5 \r", VMCONF_KEY, VMCONF_KEPT },
		{ "ide2: none,media=cdrom", VMCONF_KEY, VMCONF_SUPERSEDED },
		{ "cdrom: none", VMCONF_KEY, VMCONF_KEPT },
		{ "x snapstate: prepare", VMCONF_KEY, VMCONF_SKIPPED },
		{ "delete: net0", VMCONF_KEY, VMCONF_DROPPED },
		{ "[PENDING]", VMCONF_HEADER, VMCONF_SUPERSEDED },
		{ "delete: net0", VMCONF_KEY, VMCONF_SUPERSEDED },
		{ "# gone", VMCONF_COMMENT, VMCONF_SUPERSEDED },
		{ "cores: zero", VMCONF_KEY, VMCONF_DROPPED },
		{ "[a b]", VMCONF_HEADER, VMCONF_DROPPED },
		{ "cores: 4", VMCONF_JUNK, VMCONF_SKIPPED },
		{ "# no text", VMCONF_COMMENT, VMCONF_SKIPPED },
		{ "[pending]", VMCONF_HEADER, VMCONF_KEPT },
		{ "delete: net1", VMCONF_KEY, VMCONF_KEPT },
	};
	struct str text = STR_INIT;
	struct vmconf *c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(str_addf(&text, "%s\n", table[i].line), 0);
	c = parse(text.s);
	assert_int_equal(c->n_lines, ARRAY_SIZE(table));
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct err e = ERR_INIT;

		if (c->lines[i].kind != table[i].kind || c->lines[i].verdict != table[i].verdict)
			fail_msg("'%s': kind %u, verdict %u", table[i].line, c->lines[i].kind,
				 c->lines[i].verdict);
		if ((vmconf_explain(c, &c->lines[i], NULL, &e) < 0) != (table[i].verdict != VMCONF_KEPT))
			fail_msg("'%s': %s", table[i].line, e.msg);
	}
	assert_string_equal(vmconf_current(c, "ide2"), "none");
	assert_null(vmconf_current(c, "cdrom"));
	vmconf_free(c);
	str_release(&text);
}

static void the_last_line_may_lack_its_line_feed(void **state)
{
	struct vmconf *c = parse("cores: 2\r\nmemory: 512");

	(void)state;
	assert_int_equal(c->n_lines, 2);
	assert_true(c->lines[0].newline);
	assert_false(c->lines[1].newline);
	assert_int_equal(c->lines[0].len, 9);
	assert_string_equal(vmconf_current(c, "cores"), "2");
	assert_string_equal(vmconf_current(c, "memory"), "512");
	assert_string_equal(c->bytes, "cores: 2\r\nmemory: 512");
	vmconf_free(c);
}

static void an_empty_file_has_a_main_section(void **state)
{
	struct vmconf *c = parse("");

	(void)state;
	assert_int_equal(c->n_lines, 0);
	assert_int_equal(c->n_sections, 1);
	assert_null(vmconf_current(c, "cores"));
	assert_null(vmconf_next(c, c->sections, NULL));
	assert_null(c->sections[0].description);
	assert_string_equal(c->digest, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	vmconf_free(c);
}

static void nul_bytes_are_bytes_like_others(void **state)
{
	static const char text[] = "name\0: x\nciuser: a\0b\ncores: 4\0\nargs: \0\n";
	struct vmconf *c = parse_bytes(text, sizeof(text) - 1);
	const struct vmconf_line *line = vmconf_find(c, c->sections, "ciuser");

	(void)state;
	assert_non_null(line);
	assert_int_equal(line->value_len, 3);
	assert_memory_equal(line->value, "a\0b", 4);
	assert_int_equal(c->lines[0].kind, VMCONF_JUNK);
	assert_null(vmconf_current(c, "cores"));
	assert_non_null(vmconf_current(c, "args"));
	vmconf_free(c);
}

/* --- sections -------------------------------------------------------------------------------- */

static void sections_are_found_by_name(void **state)
{
	struct vmconf *c = parse("cores: 1\n[PENDING]\ncores: 2\n"
				 "[special:cloudinit]\nanything: 3\ncdrom: x\n"
				 "[Snap]\ncores: 4\nsnapstate: delete\n[snap]\ncores: 5\n"
				 "[special:Fleecing]\ncores: 6\n"
				 "[special:fleecing]\nfleecing-images: local:a,local:b\ncores: 7\n");
	const struct vmconf_section *s;

	(void)state;
	assert_int_equal(c->n_sections, 7);
	assert_string_equal(vmconf_current(c, "cores"), "1");
	assert_string_equal(vmconf_get(c, vmconf_section(c, VMCONF_PENDING, NULL), "cores"), "2");
	s = vmconf_section(c, VMCONF_SPECIAL, "cloudinit");
	assert_string_equal(vmconf_get(c, s, "anything"), "3");
	assert_string_equal(vmconf_get(c, s, "cdrom"), "x");
	s = vmconf_section(c, VMCONF_SNAPSHOT, "Snap");
	assert_string_equal(vmconf_get(c, s, "cores"), "4");
	assert_string_equal(vmconf_get(c, s, "snapstate"), "delete");
	assert_string_equal(vmconf_get(c, vmconf_section(c, VMCONF_SNAPSHOT, "snap"), "cores"), "5");
	s = vmconf_section(c, VMCONF_SPECIAL, "fleecing");
	assert_string_equal(vmconf_get(c, s, "fleecing-images"), "local:a,local:b");
	assert_null(vmconf_get(c, s, "cores"));
	assert_null(vmconf_section(c, VMCONF_SPECIAL, "Fleecing"));
	assert_null(vmconf_section(c, VMCONF_SNAPSHOT, "none"));
	assert_null(vmconf_get(c, NULL, "cores"));
	assert_int_equal(c->sections[5].kind, VMCONF_UNKNOWN);
	assert_string_equal(c->sections[5].name, "special:Fleecing");
	vmconf_free(c);
}

static void a_section_again_replaces_the_first(void **state)
{
	struct vmconf *c = parse("[a1]\ncores: 1\nsockets: 1\n#x\n[a2]\ncores: 2\n[a1]\ncores: 3\n");
	const struct vmconf_section *s = vmconf_section(c, VMCONF_SNAPSHOT, "a1");

	(void)state;
	assert_ptr_equal(s, &c->sections[3]);
	assert_true(c->sections[1].replaced);
	assert_false(s->replaced);
	assert_string_equal(vmconf_get(c, s, "cores"), "3");
	assert_null(vmconf_get(c, s, "sockets"));
	assert_null(s->description);
	assert_true(c->lines[6].warned);
	assert_int_equal(c->sections[1].first, 0);
	assert_int_equal(c->sections[1].end, 4);
	vmconf_free(c);
}

static void descriptions_are_put_together(void **state)
{
	struct vmconf *c = parse("#first %C3%A9%3A\ncores: 1\ndescription: a b \n#last  \n\n[ab]\n#\n"
				 "[ac]\ndescription:  \n[ad]\ncores: 1\n");

	(void)state;
	assert_string_equal(c->sections[0].description, "first \xc3\xa9:\na blast");
	assert_int_equal(c->sections[0].description_len, 17);
	assert_string_equal(c->sections[1].description, "");
	assert_string_equal(c->sections[2].description, " ");
	assert_null(c->sections[3].description);
	vmconf_free(c);
}

static void pending_removals_are_listed(void **state)
{
	struct vmconf *c = parse("[PENDING]\ndelete: net0,!scsi1;usb0 hostpci1\n");
	bool force = true;

	(void)state;
	assert_true(vmconf_deletes(c, "net0", &force));
	assert_false(force);
	assert_true(vmconf_deletes(c, "scsi1", &force));
	assert_true(force);
	assert_true(vmconf_deletes(c, "hostpci1", NULL));
	assert_false(vmconf_deletes(c, "hostpci", NULL));
	assert_false(vmconf_deletes(c, "!scsi1", NULL));
	vmconf_free(c);
	c = parse("cores: 1\n");
	assert_false(vmconf_deletes(c, "cores", NULL));
	vmconf_free(c);
}

/* --- limits ---------------------------------------------------------------------------------- */

static void a_file_ends_at_one_mebibyte(void **state)
{
	char *bytes = malloc(VMCONF_SIZE_MAX + 1);
	struct vmconf *c = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, '#', VMCONF_SIZE_MAX + 1);
	assert_int_equal(vmconf_parse(bytes, VMCONF_SIZE_MAX + 1, &c, &e), -EFBIG);
	assert_null(c);
	assert_int_equal(vmconf_parse(bytes, VMCONF_SIZE_MAX, &c, &e), 0);
	assert_int_equal(c->sections[0].description_len, VMCONF_SIZE_MAX - 1);
	vmconf_free(c);
	free(bytes);
}

/* Full files of the nastiest sort; that this test ends says that reading is linear. */
static void full_files_of_one_pattern(void **state)
{
	static const char *const patterns[] = {
		"\n", "a", "x: y\n", "cores: 1\n", "[ab]\n", "[special:cloudinit]\n", "#\n", "#%ff", "\xc0",
		"description:x\n", "snapstate:delete\n", " ", "[", "scsi0: a,,,,,,,=,\n", "tags: a;",
		"local:a,", "\r\n", "net0: virtio=,", "1:", "boot: order=scsi0;",
	};
	char *bytes = malloc(VMCONF_SIZE_MAX);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		size_t n = strlen(patterns[i]);
		struct vmconf *c;

		for (size_t at = 0; at < VMCONF_SIZE_MAX; at++)
			bytes[at] = patterns[i][at % n];
		c = parse_bytes(bytes, VMCONF_SIZE_MAX);
		assert_memory_equal(c->bytes, bytes, VMCONF_SIZE_MAX);
		vmconf_free(c);
	}
	free(bytes);
}

static void a_hundred_thousand_keys_and_sections(void **state)
{
	struct str text = STR_INIT;
	struct vmconf *c;
	unsigned n = 0;

	(void)state;
	assert_int_equal(str_add(&text, "[special:cloudinit]\n"), 0);
	for (; text.len < VMCONF_SIZE_MAX / 2; n++)
		assert_int_equal(str_addf(&text, "k%u: %u\n", n, n), 0);
	for (unsigned i = 0; text.len < VMCONF_SIZE_MAX - 40; i++)
		assert_int_equal(str_addf(&text, "[s%u]\ncores: 1\n", i), 0);
	c = parse_bytes(text.s, text.len);
	for (unsigned i = 0; i < n; i += 97) {
		char key[24], value[24];

		(void)snprintf(key, sizeof(key), "k%u", i);
		(void)snprintf(value, sizeof(value), "%u", i);
		assert_string_equal(vmconf_get(c, &c->sections[1], key), value);
	}
	assert_non_null(vmconf_section(c, VMCONF_SNAPSHOT, "s12345"));
	vmconf_free(c);
	str_release(&text);
}

/* --- any bytes ------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static const char *const pieces[] = {
	"cores: ", "hostpci0: ", "net0: ", "[", "]", "\n", "\r\n", "#", "PENDING", "special:cloudinit",
	"snap", ":", ",", "=", "01:00.0", "pcie=1", "description: ", "snapstate: ", "delete", "prepare",
	"args: ", "%C3", "\xc3\xa9", "\xed", "\x80", "\xff", " ", "\t", "4", "virtio", "\"",
	"scsi0: local:x", "99999999999999999999", "cpu: host", "delete: ",
};

static void add_random_text(struct str *text, uint32_t *seed)
{
	unsigned n = next_random(seed) % 60;

	while (n--) {
		char any = (char)next_random(seed);

		if (next_random(seed) % 8)
			assert_int_equal(str_add(text, pieces[next_random(seed) % ARRAY_SIZE(pieces)]), 0);
		else
			assert_int_equal(str_addn(text, &any, 1), 0);
	}
}

/* What every model promises, whatever the bytes. */
static void check_promises(const struct vmconf *c)
{
	size_t section = 0, at = 0;

	for (size_t i = 0; i < c->n_lines; i++) {
		const struct vmconf_line *line = &c->lines[i];
		struct err e = ERR_INIT;

		assert_int_equal(line->off, at);
		at += line->len + line->newline;
		if (section + 1 < c->n_sections && c->sections[section + 1].first == i)
			section++;
		assert_int_equal(line->section, section);
		assert_true(i >= c->sections[section].first && i < c->sections[section].end);
		assert_int_equal(line->kind == VMCONF_KEY, line->key != NULL);
		if (line->kind == VMCONF_KEY && line->verdict == VMCONF_KEPT)
			assert_ptr_equal(vmconf_find(c, &c->sections[section], line->key), line);
		if (line->verdict == VMCONF_DROPPED)
			assert_true(line->warned);
		assert_int_equal(vmconf_explain(c, line, NULL, &e) < 0, line->verdict != VMCONF_KEPT);
	}
	assert_int_equal(at, c->len);
	assert_int_equal(section, c->n_sections - 1);
}

static void any_bytes_keep_the_promises(void **state)
{
	uint32_t seed = 20240229;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct str text = STR_INIT;
		struct vmconf *c;

		add_random_text(&text, &seed);
		c = parse_bytes(text.s, text.len);
		assert_memory_equal(c->bytes, text.s, text.len);
		check_promises(c);
		vmconf_free(c);
		str_release(&text);
	}
}

/* The values that count say everything: a file of just them reads the same. */
static void kept_lines_alone_read_the_same(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		struct str text = STR_INIT, kept = STR_INIT;
		struct vmconf *c, *again;

		add_random_text(&text, &seed);
		c = parse_bytes(text.s, text.len);
		for (const struct vmconf_line *l = NULL; (l = vmconf_next(c, c->sections, l)) != NULL; ) {
			assert_int_equal(str_addn(&kept, c->bytes + l->off, l->len), 0);
			assert_int_equal(str_add(&kept, "\n"), 0);
		}
		again = parse_bytes(kept.s, kept.len);
		for (const struct vmconf_line *l = NULL; (l = vmconf_next(c, c->sections, l)) != NULL; )
			assert_string_equal(vmconf_current(again, l->key), l->value);
		vmconf_free(again);
		vmconf_free(c);
		str_release(&text);
		str_release(&kept);
	}
}

/* --- the digest ------------------------------------------------------------------------------ */

static void the_digest_is_sha1(void **state)
{
	static const struct { const char *text; unsigned times; const char *hex; } table[] = {
		{ "abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		  "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
		{ "a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
		{ "0123456701234567012345670123456701234567012345670123456701234567", 10,
		  "dea356a2cddd90c7a7ecedc5ebb563934f460452" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct str text = STR_INIT;
		char hex[SHA1_TEXT];

		for (unsigned n = 0; n < table[i].times; n++)
			assert_int_equal(str_add(&text, table[i].text), 0);
		sha1_hex(text.s, text.len, hex);
		assert_string_equal(hex, table[i].hex);
		str_release(&text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_has_a_verdict),
		cmocka_unit_test(the_last_line_may_lack_its_line_feed),
		cmocka_unit_test(an_empty_file_has_a_main_section),
		cmocka_unit_test(nul_bytes_are_bytes_like_others),
		cmocka_unit_test(sections_are_found_by_name),
		cmocka_unit_test(a_section_again_replaces_the_first),
		cmocka_unit_test(descriptions_are_put_together),
		cmocka_unit_test(pending_removals_are_listed),
		cmocka_unit_test(a_file_ends_at_one_mebibyte),
		cmocka_unit_test(full_files_of_one_pattern),
		cmocka_unit_test(a_hundred_thousand_keys_and_sections),
		cmocka_unit_test(any_bytes_keep_the_promises),
		cmocka_unit_test(kept_lines_alone_read_the_same),
		cmocka_unit_test(the_digest_is_sha1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
