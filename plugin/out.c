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

void out_list(struct out *o, const struct list_result *r)
{
	o->ops->list(o, r);
}

void out_plan(struct out *o, const struct plan_result *r)
{
	o->ops->plan(o, r);
}

void out_status(struct out *o, const struct status_result *r)
{
	o->ops->status(o, r);
}

void out_release(struct out *o, const struct release_result *r)
{
	o->ops->release(o, r);
}

void out_doctor(struct out *o, const struct doctor_result *r)
{
	o->ops->doctor(o, r);
}

void out_config(struct out *o, const struct config_result *r)
{
	o->ops->config(o, r);
}

void out_edit(struct out *o, const struct edit_result *r)
{
	o->ops->edit(o, r);
}

void out_hook(struct out *o, const struct hook_result *r)
{
	o->ops->hook(o, r);
}

void out_mapping(struct out *o, const struct mapping_result *r)
{
	o->ops->mapping(o, r);
}

void out_setup(struct out *o, const struct setup_result *r)
{
	o->ops->setup(o, r);
}

void out_report(struct out *o, const struct report *r)
{
	o->ops->report(o, r);
}

void out_reset(struct out *o, const struct reset_outcome *r)
{
	o->ops->reset(o, r);
}

void out_selftest(struct out *o, const struct selftest_result *r)
{
	o->ops->selftest(o, r);
}

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
