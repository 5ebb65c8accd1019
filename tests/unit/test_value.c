// SPDX-License-Identifier: GPL-2.0-or-later
/* Values as sysfs has them, and whole files that may be anything at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "tree.h"
#include "treefs.h"

struct box { struct tree tree; struct host h; struct err e; };

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b || tree_open_text(&b->tree, "dir /d\nlink /l ../../devices/pci0000:00/0000:00:01.0\nlink /one name\n"
				 "link /end /a/\n", &b->e) < 0 || host_open(&b->h, b->tree.dir, &b->e) < 0)
		return -1;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;

	host_close(&b->h);
	tree_close(&b->tree);
	free(b);
	return 0;
}

static void put(struct box *b, const void *data, size_t len)
{
	assert_int_equal(tfs_put(b->h.rootfd, "/f", 0644, data, len), 0);
}

#define TEXT(s) s, sizeof(s) - 1
static const struct { const char *data; size_t len; const char *line; int r; } lines[] = {
	{ TEXT("nvidia\n"), "nvidia", 0 }, { TEXT("nvidia"), "nvidia", 0 }, { TEXT(""), "", 0 }, { TEXT("\n"), "", 0 },
	{ TEXT("one\ntwo\n"), "one", 0 }, { TEXT("a \t\r\n"), "a", 0 }, { TEXT("  a\n"), "  a", 0 }, { TEXT(" \n"), "", 0 },
	{ TEXT("1234567\n"), "1234567", 0 },		/* eight bytes with its newline */
	{ TEXT("12345678"), NULL, -ENAMETOOLONG }, { TEXT("12345678\n"), NULL, -ENAMETOOLONG },
	{ TEXT("1234567"), "1234567", 0 }, { TEXT("a\0b\n"), "a", 0 },
};

static void one_line(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char buf[8];
		int r;

		put(b, lines[i].data, lines[i].len);
		r = host_read_line(&b->h, "/f", buf, sizeof(buf));
		if (r != lines[i].r)
			fail_msg("case %zu returned %d", i, r);
		if (r == 0)
			assert_string_equal(buf, lines[i].line);
	}
	assert_int_equal(host_read_line(&b->h, "/none", (char[8]){ "" }, 8), -ENOENT);
	assert_int_equal(host_read_line(&b->h, "/d", (char[8]){ "" }, 8), -EISDIR);
}

static const struct { const char *text; unsigned base; int r; uint64_t v; } numbers[] = {
	{ "0x10de\n", 16, 0, 0x10de }, { "10de\n", 16, 0, 0x10de }, { "12\n", 10, 0, 12 }, { "0\n", 10, 0, 0 },
	{ "-1\n", 10, -EINVAL, 0 }, { "0x10\n", 10, -EINVAL, 0 }, { "0x0x1\n", 16, -EINVAL, 0 }, { "\n", 16, -EINVAL, 0 },
	{ "0x\n", 16, -EINVAL, 0 }, { "12 34\n", 10, -EINVAL, 0 }, { "99999999999999999999\n", 10, -ERANGE, 0 },
};

static void one_number(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t v = 7;
		int r;

		put(b, numbers[i].text, strlen(numbers[i].text));
		r = host_read_u64(&b->h, "/f", numbers[i].base, &v);
		if (r != numbers[i].r)
			fail_msg("'%s' returned %d", numbers[i].text, r);
		assert_int_equal(v, r == 0 ? numbers[i].v : 7);
	}
}

static void last_of_a_link(void **state)
{
	struct box *b = *state;
	char buf[16];

	assert_int_equal(host_read_linkname(&b->h, "/l", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "0000:00:01.0");
	assert_int_equal(host_read_linkname(&b->h, "/one", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "name");
	assert_int_equal(host_read_linkname(&b->h, "/end", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	assert_int_equal(host_read_linkname(&b->h, "/l", buf, 12), -ENAMETOOLONG);
	assert_int_equal(host_read_linkname(&b->h, "/d", buf, sizeof(buf)), -EINVAL);
	assert_int_equal(host_read_linkname(&b->h, "/none", buf, sizeof(buf)), -ENOENT);
}

static const struct { size_t size, limit; int r; } sizes[] = {
	{ 0, 0, 0 }, { 0, 10, 0 }, { 1, 0, -EFBIG }, { 10, 10, 0 }, { 11, 10, -EFBIG }, { 4096, 4096, 0 },
	{ 100, 100000, 0 }, { 100000, 100000, 0 }, { 100001, 100000, -EFBIG }, { 1 << 20, 1 << 20, 0 },
};

static void whole_files(void **state)
{
	struct box *b = *state;
	char *data = malloc((1 << 20) + 1);

	assert_non_null(data);
	memset(data, '\0', (1 << 20) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *text = NULL;
		size_t len = 7;
		int r;

		put(b, data, sizes[i].size);
		r = host_read_file(&b->h, "/f", sizes[i].limit, &text, &len);
		if (r != sizes[i].r)
			fail_msg("case %zu returned %d", i, r);
		if (r == 0) {
			assert_int_equal(len, sizes[i].size);
			assert_int_equal(text[len], '\0');
		}
		free(text);
	}
	free(data);
}

/* Files of /proc have no size before they are read. */
static void files_without_a_size(void **state)
{
	struct box *b = *state;
	struct host real;
	char *text;
	size_t len;

	assert_int_equal(host_open(&real, NULL, &b->e), 0);
	assert_int_equal(host_read_file(&real, "/proc/self/status", 1 << 16, &text, &len), 0);
	assert_true(len > 100 && strlen(text) == len);
	free(text);
	assert_int_equal(host_read_file(&real, "/proc/self/status", 10, &text, &len), -EFBIG);
	assert_int_equal(host_read_file(&real, "/dev/null", 10, &text, &len), -EINVAL);
	host_close(&real);
}

static void what_is_no_file(void **state)
{
	struct box *b = *state;
	char *text;
	size_t len;

	assert_int_equal(host_read_file(&b->h, "/d", 10, &text, &len), -EISDIR);
	assert_int_equal(host_read_file(&b->h, "/none", 10, &text, &len), -ENOENT);
	assert_int_equal(mkfifo(host_path("%s/fifo", b->tree.dir).s, 0600), 0);
	alarm(60);	/* a FIFO nobody writes to must not hold us */
	assert_int_equal(host_read_file(&b->h, "/fifo", 10, &text, &len), -EINVAL);
	assert_int_equal(host_read_line(&b->h, "/fifo", (char[8]){ "" }, 8), 0);
	alarm(0);
}

int main(void)
{
#define BOX(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		BOX(one_line), BOX(one_number), BOX(last_of_a_link), BOX(whole_files), BOX(files_without_a_size),
		BOX(what_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
