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

const struct out_ops out_text_ops = {
	.list = text_list,
	.plan = text_plan,
	.status = text_status,
	.release = text_release,
	.reset = text_reset,
	.selftest = text_selftest,
	.doctor = text_doctor,
	.config = text_config,
	.edit = text_edit,
	.hook = text_hook,
	.mapping = text_mapping,
	.setup = text_setup,
	.report = text_report,
	.note = text_note,
	.error = text_error,
	.finish = text_finish,
};
