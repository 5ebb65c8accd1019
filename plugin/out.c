// SPDX-License-Identifier: GPL-2.0-or-later
/* Choosing a form, and what both forms share: see out.h. */
#include "out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

static bool wants_colour(FILE *to)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(to)) && !(no && *no) && term && *term && strcmp(term, "dumb") != 0;
}

void out_open(struct out *o, FILE *to, FILE *chatter, bool json, bool no_color)
{
	*o = (struct out){
		.ops = json ? &out_json_ops : &out_text_ops, .to = to, .chatter = chatter,
		.colour = !json && !no_color && wants_colour(to),
	};
}

#define SHOW(name, type) \
	void out_##name(struct out *o, const type *r) \
	{ \
		o->ops->name(o, r); \
	}
RENDERINGS(SHOW)

static void say(struct out *o, const char *what, const char *text)
{
	struct str safe = STR_INIT;

	(void)text_clean(&safe, text);
	fprintf(o->chatter, "pve-gpu: %s%s\n", what, safe.s);
	str_release(&safe);
}

static void note(struct out *o, const char *text)
{
	if (!o->quiet)
		say(o, "note: ", text);
	o->ops->note(o, text);
}

void out_note(struct out *o, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	note(o, text);
}

void out_notes(struct out *o, const char *lines)
{
	while (*lines) {
		size_t n = strcspn(lines, "\n");

		out_note(o, "%.*s", (int)n, lines);
		lines += n + (lines[n] != '\0');
	}
}

void out_error(struct out *o, const struct err *e)
{
	say(o, "", e->msg);
	o->ops->error(o, e);
}

void out_say(struct out *o, const struct err *e)
{
	say(o, "", e->msg);
}

void out_drop(struct out *o)
{
	json_drop(&o->json);
}

int out_finish(struct out *o, struct err *e)
{
	int code;

	o->ops->finish(o);
	if (o->json.failed)
		return err_nomem(e);
	errno = 0;
	if (fflush(o->to) == 0 && !ferror(o->to))
		return 0;
	code = errno ? errno : EIO;
	return err_set(e, code, "cannot write to the standard output: %s", err_text(code));
}
