/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fresh folder that stands for "/", for the tests of lib/pve: one per test, by box_setup() and
 * box_teardown().  Whatever cannot be made fails the test.
 */
#ifndef TEST_PVE_BOX_H
#define TEST_PVE_BOX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host.h"
#include "tree.h"
#include "treefs.h"

struct box {
	struct tree tree;
	struct host h;
	struct err e;		/* for the call under test */
};

#define BOX_TEST(fn) cmocka_unit_test_setup_teardown(fn, box_setup, box_teardown)

static inline int box_setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b || tree_open_text(&b->tree, "dir /proc\n", &b->e) < 0 ||
	    host_open(&b->h, b->tree.dir, &b->e) < 0) {
		print_error("%s\n", b ? b->e.msg : "out of memory");
		free(b);
		return -1;
	}
	*state = b;
	return 0;
}

static inline int box_teardown(void **state)
{
	struct box *b = *state;

	host_close(&b->h);
	tree_close(&b->tree);
	free(b);
	return 0;
}

static inline void box_bytes(struct box *b, const char *path, const void *data, size_t len)
{
	assert_int_equal(tfs_put(b->h.rootfd, path, 0644, data, len), 0);
}

static inline void box_text(struct box *b, const char *path, const char *text)
{
	box_bytes(b, path, text, strlen(text));
}

static inline void box_folder(struct box *b, const char *path)
{
	assert_int_equal(tfs_mkdirs(b->h.rootfd, path), 0);
}

static inline void box_link(struct box *b, const char *path, const char *target)
{
	assert_int_equal(tfs_link(b->h.rootfd, path, target), 0);
}

/* The path outside of the box. */
static inline struct host_path box_path(const struct box *b, const char *path)
{
	return host_path("%s%s", b->tree.dir, path);
}

static inline void box_fifo(struct box *b, const char *path)
{
	box_text(b, path, "");
	assert_int_equal(tfs_unlink(b->h.rootfd, path), 0);
	assert_int_equal(mkfifo(box_path(b, path).s, 0644), 0);
}

/* `len` bytes of every value, the same in each run. */
static inline void box_noise(struct box *b, const char *path, size_t len)
{
	unsigned char *noise = malloc(len);
	uint32_t x = 1;

	assert_non_null(noise);
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = (unsigned char)(x >> 24);
	}
	box_bytes(b, path, noise, len);
	free(noise);
}

/* It failed so, with a sentence that has `part` in it and is one line without surprises. */
static inline void box_failed(struct box *b, int r, int want, const char *part)
{
	if (r != want || !strstr(b->e.msg, part))
		print_error("returned %d, wanted %d with '%s'; the sentence is '%s'\n", r, want, part, b->e.msg);
	assert_int_equal(r, want);
	assert_int_equal(b->e.code, -want);
	assert_non_null(strstr(b->e.msg, part));
	for (const char *p = b->e.msg; *p; p++)
		assert_true((unsigned char)*p >= ' ');
	b->e = (struct err)ERR_INIT;
}

/* It worked, and the error value was left alone. */
static inline void box_worked(struct box *b, int r, int want)
{
	assert_string_equal(b->e.msg, "");
	assert_int_equal(r, want);
}

#endif
