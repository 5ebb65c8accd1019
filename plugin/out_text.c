// SPDX-License-Identifier: GPL-2.0-or-later
/* Output for people: the table of the text_X.c files. */
#include "out.h"
#include "text.h"

/* stderr has it already. */
static void text_note(struct out *o, const char *text)
{
	(void)o;
	(void)text;
}

static void text_error(struct out *o, const struct err *e)
{
	(void)o;
	(void)e;
}

static void text_finish(struct out *o)
{
	(void)o;
}

#define OPERATION(name, type) .name = text_##name,

const struct out_ops out_text_ops = {
	RENDERINGS(OPERATION)
	.note = text_note,
	.error = text_error,
	.finish = text_finish,
};
