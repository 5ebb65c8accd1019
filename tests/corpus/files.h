/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * files - the whole files of vmconf.txt, without the verdicts on them.
 */
#ifndef CORPUS_FILES_H
#define CORPUS_FILES_H

#include "archive.h"

/* Lines A to B of what is there so far, once more; counted from 1. */
static inline void corpus_repeat(struct str *file, const char *range)
{
	size_t from = strtoul(range, NULL, 10), to = from, at = 0, start = 0, end = 0;
	const char *dash = strchr(range, '-');
	char *copy;

	if (dash)
		to = strtoul(dash + 1, NULL, 10);
	for (size_t line = 1; line <= to; line++) {
		if (line == from)
			start = at;
		at += (size_t)((char *)memchr(file->s + at, '\n', file->len - at) - (file->s + at)) + 1;
		end = at;
	}
	copy = malloc(end - start + 1);
	assert_non_null(copy);
	memcpy(copy, file->s + start, end - start);
	assert_int_equal(str_addn(file, copy, end - start), 0);
	free(copy);
}

static inline void corpus_line(struct str *file, const char *line)
{
	if (line[0] == '@') {
		corpus_repeat(file, line + 1);
	} else if (line[0] == '>' || line[0] == '<') {
		archive_value(line + 1, file);
		if (line[0] == '>')
			assert_int_equal(str_add(file, "\n"), 0);
	}
}

/* Calls fn for each file, with its name; the number of files. */
static inline size_t corpus_each(void (*fn)(void *arg, const char *name, const char *bytes, size_t len), void *arg)
{
	struct archive a;
	struct str file = STR_INIT;
	char name[64] = "";
	bool complete = true;
	size_t n = 0;

	archive_open(&a, "tests/corpus/vmconf.txt");
	for (char *line; (line = archive_next(&a)) != NULL; ) {
		if (line[0] == '=') {
			snprintf(name, sizeof(name), "%s", archive_text(line, 1));
			str_clear(&file);
			complete = false;
		} else if (!complete && line[0] == 'd') {
			fn(arg, name, file.s, file.len);
			complete = true;
			n++;
		} else if (!complete) {
			corpus_line(&file, line);
		}
	}
	str_release(&file);
	archive_close(&a);
	return n;
}

#endif
