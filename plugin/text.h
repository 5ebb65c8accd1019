/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text - the parts that text output is made of: safe words, aligned columns, wrapped sentences.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdio.h>

#include "renderings.h"
#include "str.h"

#define TEXT_WIDTH 80

struct out;
struct facts;
struct findings;

enum tone { TONE_PLAIN, TONE_HEAD, TONE_FAINT, TONE_GOOD, TONE_BAD };

/* Appends text made safe for a terminal.  Unlike str_add_safe() it leaves backslashes alone, so what
 * was made safe before (names, findings) stays as it is. */
int text_clean(struct str *s, const char *text);

/* Columns it takes on a terminal: one per character. */
size_t text_columns(const char *s);

/* Writes text, made safe, in a tone where colours are wanted. */
void text_put(struct out *o, enum tone tone, const char *fmt, ...) _printf_(3, 4);

/* Words from column `at` on, broken before TEXT_WIDTH, continued `indent` columns from the left; ends
 * the line. */
void text_wrap(struct out *o, enum tone tone, size_t at, size_t indent, const char *fmt, ...) _printf_(5, 6);

/* Rows of cells whose columns line up.  The last cell of a row is not padded. */
#define TEXT_CELLS 8
struct table {
	struct row { struct str cell[TEXT_CELLS]; size_t n; } *rows;
	size_t n, size;
	size_t width[TEXT_CELLS];
	bool failed;			/* no memory: cells are missing */
};
#define TABLE_INIT { NULL, 0, 0, { 0 }, false }

void table_row(struct table *t);
void table_cell(struct table *t, const char *fmt, ...) _printf_(2, 3);
void table_print_row(struct table *t, struct out *o, size_t row, size_t indent);
void table_release(struct table *t);

/* A unified diff, coloured on a terminal, and there without what a terminal would obey. */
void text_diff(struct out *o, const char *diff);

/* "3 h 12 min" */
struct text_age { char s[32]; };
struct text_age text_age(uint64_t seconds);

/* "two functions of one device": n functions, how many slots. */
struct text_count { char s[64]; };
struct plan;
struct text_count text_count(const struct plan *p);

/* The renderings, one file per command. */
#define TEXT_FUNCTION(name, type) type; void text_##name(struct out *o, const type *r);
RENDERINGS(TEXT_FUNCTION)
/* What host this is, in a line or two. */
void text_host(struct out *o, const struct facts *f);
/* Each finding, and how many of which kind. */
void text_findings(struct out *o, const struct findings *l);

#endif
