/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * out - results on their way to people (text) or programs (JSON).
 *
 * Two implementations of one table of operations, one operation per kind of result.  What was asked
 * for goes to stdout; notes, warnings and errors go to stderr.  In JSON they are in the document
 * too, so that a program has to read only one stream: exactly one document, valid UTF-8, with a
 * `version` that changes when a key changes its meaning.
 */
#ifndef OUT_H
#define OUT_H

#include <stdbool.h>
#include <stdio.h>

#include "err.h"
#include "json.h"
#include "renderings.h"
#include "result.h"

struct out;
struct report;

/* A release is shown once per VM; NULL: there was none. */
#define OUT_OPERATION(name, type) void (*name)(struct out *o, const type *r);
#define OUT_FUNCTION(name, type) void out_##name(struct out *o, const type *r);

struct out_ops {
	RENDERINGS(OUT_OPERATION)
	void (*note)(struct out *o, const char *text);
	void (*error)(struct out *o, const struct err *e);
	void (*finish)(struct out *o);
};

struct out {
	const struct out_ops *ops;
	FILE *to, *chatter;
	bool colour, quiet, verbose;
	struct json json;
};

extern const struct out_ops out_text_ops, out_json_ops;

/* Colours are for a terminal whose owner wants them (https://no-color.org). */
void out_open(struct out *o, FILE *to, FILE *chatter, bool json, bool no_color);

RENDERINGS(OUT_FUNCTION)

/* Worth knowing, no part of the answer; not said with -q.  Each line of `lines` is a note. */
void out_note(struct out *o, const char *fmt, ...) _printf_(2, 3);
void out_notes(struct out *o, const char *lines);

/* Why the command failed; always said. */
void out_error(struct out *o, const struct err *e);
/* The sentence alone, where a result carries it as well. */
void out_say(struct out *o, const struct err *e);

/* Nothing is to be shown after all: the command was not used as it can be. */
void out_drop(struct out *o);

/* Writes out what is still held back.  Negative: not everything arrived, e says why. */
int out_finish(struct out *o, struct err *e) _must_check_;

#endif
