// SPDX-License-Identifier: GPL-2.0-or-later
/* Section files: headers, properties, where a section ends, byte ranges. */
#include "test_pve_box.h"

#include "section.h"
#include "str.h"

#define PATH "/etc/pve/storage.cfg"

/*
 * What a file is read as: "type:id@line{key=value@line,...}" per section, "!line" per junk line.
 * The expectations of the forms that look odd are those of Proxmox's own parser.
 */
static const struct {
	enum section_header header;
	const char *text, *want;
} files[] = {
	{ SECTION_ID, "", "" },
	{ SECTION_ID, "\n\n\n", "" },
	{ SECTION_ID, "gpu\n\tmap a=1\n", ":gpu@1{map=a=1@2,}" },
	{ SECTION_ID, "gpu\n\tmap a=1", ":gpu@1{map=a=1@2,}" },
	{ SECTION_ID, "gpu  \t\r\n  map   a = b  c \t\r\n", ":gpu@1{map=a = b  c@2,}" },
	{ SECTION_ID, "gpu\n\tmdev\n\tmdev \n\tmdev 1", ":gpu@1{mdev=@2,mdev=@3,mdev=1@4,}" },
	{ SECTION_ID, "gpu\n\tk v\n\nnic\n\tk w\n", ":gpu@1{k=v@2,}:nic@4{k=w@5,}" },
	{ SECTION_ID, "gpu\n\nnic\n", ":gpu@1{}:nic@3{}" },
	{ SECTION_ID, "gpu\nnic\n\tk v\n", ":gpu@1{k=v@3,}!2" },
	{ SECTION_ID, "gpu\n \n\tk v\n", ":gpu@1{k=v@3,}!2" },
	{ SECTION_ID, "gpu\n\r\n\tk v\n", ":gpu@1{k=v@3,}!2" },
	{ SECTION_ID, "gpu\n\tk v\n0\n\tl w\n", ":gpu@1{k=v@2,}!4" },
	{ SECTION_ID, "gpu\n\t0\n\tl w\n", ":gpu@1{0=@2,l=w@3,}" },
	{ SECTION_ID, "0\ngpu\n", ":gpu@2{}" },
	{ SECTION_ID, "# c\n  # c\ngpu\n# c\n\t# c\n\tk v\n\n", ":gpu@3{k=v@6,}" },
	{ SECTION_ID, "gpu\n\tk v # no comment\n", ":gpu@1{k=v # no comment@2,}" },
	{ SECTION_ID, "\tk v\ngpu\n", ":gpu@2{}!1" },
	{ SECTION_ID, "two words\n\tk v\n", "!1!2" },
	{ SECTION_ID, "gpu\n\n\n\n\tk v\n", ":gpu@1{}!5" },
	{ SECTION_ID, "gpu\n\tk a\rb\n\tl w\n", ":gpu@1{l=w@3,}!2" },
	{ SECTION_ID, "gpu\n\vk\fv\n", ":gpu@1{k=v@2,}" },
	{ SECTION_ID, "\xc3\xbc\n\tk \xff\xfe\n", ":\xc3\xbc@1{k=\xff\xfe@2,}" },
	{ SECTION_TYPE_ID, "dir: local\n\tpath /srv\n", "dir:local@1{path=/srv@2,}" },
	{ SECTION_TYPE_ID, "DIR:local\n\tpath /srv\n", "dir:local@1{path=/srv@2,}" },
	{ SECTION_TYPE_ID, "dir:   local  \r\n", "dir:local@1{}" },
	{ SECTION_TYPE_ID, "dir :local\n", "!1" },
	{ SECTION_TYPE_ID, "dir local\n", "!1" },
	{ SECTION_TYPE_ID, "dir: local x\n", "!1" },
	{ SECTION_TYPE_ID, "dir:\n", "!1" },
	{ SECTION_TYPE_ID, ":local\n", "!1" },
	{ SECTION_TYPE_ID, ": local\n", "!1" },
	{ SECTION_TYPE_ID, ":\n", "!1" },
	{ SECTION_TYPE_ID, "d\n", "!1" },
	{ SECTION_TYPE_ID, "a:b:c\n", "a:b:c@1{}" },
	{ SECTION_TYPE_ID, "a:b:\n", "a:b:@1{}" },
	{ SECTION_TYPE_ID, "a:b: c\n", "a:b:c@1{}" },
	{ SECTION_TYPE_ID, "a:: c\n", "a::c@1{}" },
	{ SECTION_TYPE_ID, "::x\n", "::x@1{}" },
	{ SECTION_TYPE_ID, "a::\n", "a::@1{}" },
	{ SECTION_TYPE_ID, "dir: a:b\n", "dir:a:b@1{}" },
	{ SECTION_TYPE_ID, "dir: a\ndir: b\n\n", "dir:a@1{}!2" },
};

static void describe(const struct section_file *f, struct str *s)
{
	for (size_t i = 0; i < f->n; i++) {
		str_addf(s, "%s:%s@%u{", f->list[i].type, f->list[i].id, f->list[i].line);
		for (size_t k = 0; k < f->list[i].n_props; k++)
			str_addf(s, "%s=%s@%u,", f->list[i].props[k].key, f->list[i].props[k].value,
				 f->list[i].props[k].line);
		str_add(s, "}");
	}
	for (size_t i = 0; i < f->n_junk; i++)
		str_addf(s, "!%u", f->junk[i]);
}

static void reads_as_proxmox_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct section_file f;
		struct err e = ERR_INIT;
		struct str s = STR_INIT;

		assert_int_equal(section_parse(files[i].text, strlen(files[i].text), files[i].header, &f, &e), 0);
		describe(&f, &s);
		if (strcmp(s.s, files[i].want) != 0)
			fail_msg("'%s' is read as '%s', not '%s'", files[i].text, s.s, files[i].want);
		assert_string_equal(f.raw, files[i].text);
		str_release(&s);
		section_release(&f);
	}
}

static void gives_the_bytes_of_lines_and_sections(void **state)
{
	static const char text[] = "# top\n\ngpu\n\tmap a\n\t# kept\n \n\tmdev 1\n\n# between\nnic\n\tmap b";
	struct section_file f;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(section_parse(text, sizeof(text) - 1, SECTION_ID, &f, &e), 0);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.list[0].start, strlen("# top\n\n"));
	assert_memory_equal(text + f.list[0].start, "gpu\n\tmap a\n\t# kept\n \n\tmdev 1\n",
			    f.list[0].end - f.list[0].start);
	assert_int_equal(text[f.list[0].end], '\n');
	assert_memory_equal(text + f.list[0].props[1].start, "\tmdev 1\n", 8);
	assert_int_equal(f.list[0].props[1].end - f.list[0].props[1].start, 8);
	assert_memory_equal(text + f.list[1].start, "nic\n\tmap b", 10);
	assert_int_equal(f.list[1].end, sizeof(text) - 1);
	assert_int_equal(f.list[1].props[0].end, sizeof(text) - 1);
	assert_memory_equal(f.raw, text, sizeof(text));
	section_release(&f);
	section_release(&f);
}

static void knows_which_of_several_counts(void **state)
{
	static const char text[] = "gpu\n\tk 1\n\ngpu\n\tk\n\tk two\n\tk three\n\tf yes\n\tf\n\tg 0\n\tg 1\n\th no\n\n";
	const struct section *s;
	struct section_file f;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(section_parse(text, sizeof(text) - 1, SECTION_ID, &f, &e), 0);
	s = section_find(&f, "gpu");
	assert_ptr_equal(s, &f.list[1]);
	assert_null(section_find(&f, "nic"));
	assert_string_equal(section_get(s, "k")->value, "");
	assert_null(section_get(s, "x"));
	assert_string_equal(section_value(s, "k", NULL), "two");
	assert_null(section_value(s, "x", NULL));
	assert_true(section_flag(s, "f"));
	assert_false(section_flag(s, "g"));
	assert_false(section_flag(s, "h"));
	assert_false(section_flag(s, "x"));
	section_release(&f);
}

static void carries_nul_bytes_nowhere(void **state)
{
	static const char text[] = "gp\0u\n\tk v\n\ngpu\n\tk\0k v\n\tl \0w\n\0\tm x\n\tn y\n";
	struct str s = STR_INIT;
	struct section_file f;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(section_parse(text, sizeof(text) - 1, SECTION_ID, &f, &e), 0);
	describe(&f, &s);
	assert_string_equal(s.s, ":gpu@4{n=y@8,}!1!2!5!6!7");
	assert_int_equal(f.len, sizeof(text) - 1);
	assert_memory_equal(f.raw, text, sizeof(text));
	str_release(&s);
	section_release(&f);
}

static void survives_what_lies_in_the_way(void **state)
{
	struct box *b = *state;
	struct section_file f = SECTION_FILE_INIT;

	box_failed(b, section_load(&b->h, PATH, SECTION_ID, &f, &b->e), -ENOENT, PATH);
	box_folder(b, PATH);
	box_failed(b, section_load(&b->h, PATH, SECTION_ID, &f, &b->e), -EISDIR, PATH);
	assert_int_equal(tfs_remove(b->h.rootfd, PATH), 0);
	box_fifo(b, PATH);
	box_failed(b, section_load(&b->h, PATH, SECTION_ID, &f, &b->e), -EINVAL, "no regular file");
	assert_int_equal(tfs_unlink(b->h.rootfd, PATH), 0);
	box_link(b, PATH, "storage.cfg");
	box_failed(b, section_load(&b->h, PATH, SECTION_ID, &f, &b->e), -ELOOP, PATH);
	assert_int_equal(tfs_unlink(b->h.rootfd, PATH), 0);
	box_noise(b, PATH, SECTION_FILE_MAX + 1);
	box_failed(b, section_load(&b->h, PATH, SECTION_ID, &f, &b->e), -EFBIG, PATH);
	assert_null(f.raw);
	box_noise(b, PATH, SECTION_FILE_MAX);
	box_worked(b, section_load(&b->h, PATH, SECTION_TYPE_ID, &f, &b->e), 0);
	section_release(&f);
}

static void takes_as_much_as_pmxcfs_does(void **state)
{
	struct box *b = *state;
	struct section_file f;
	struct str s = STR_INIT;

	while (s.len < SECTION_FILE_MAX - 64)
		str_addf(&s, "s%zu\n\tk %zu\n\n", s.len, s.len);
	box_text(b, PATH, s.s);
	box_worked(b, section_load(&b->h, PATH, SECTION_ID, &f, &b->e), 0);
	assert_true(f.n > 40000);
	for (size_t i = 0; i < f.n; i++)
		assert_string_equal(f.list[i].id + 1, f.list[i].props[0].value);
	section_release(&f);
	str_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_as_proxmox_does),
		cmocka_unit_test(gives_the_bytes_of_lines_and_sections),
		cmocka_unit_test(knows_which_of_several_counts),
		cmocka_unit_test(carries_nul_bytes_nowhere),
		BOX_TEST(survives_what_lies_in_the_way),
		BOX_TEST(takes_as_much_as_pmxcfs_does),
	};

	return cmocka_run_group_tests_name("section", tests, NULL, NULL);
}
