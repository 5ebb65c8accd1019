// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu setup: what would be changed on this host, doing it, proving it, taking it back. */
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "diff.h"
#include "facts.h"
#include "setup.h"

#define CARDS_MAX 32

struct setting_up {
	struct cli *c;
	struct facts *facts;
	struct setup_wish wish;
	struct bdf cards[CARDS_MAX];
	struct setup_plan plan;
	struct setup_report report;
	struct setup_result result;
	struct str diff;
};

/* "01:00.0,0000:02:00" */
static int read_cards(struct setting_up *s)
{
	char copy[512], *cursor = copy, *word;
	bool whole;

	s->wish.cards = s->cards;
	if (!s->c->for_devices)
		return 0;
	if (str_copy(copy, sizeof(copy), s->c->for_devices) < 0)
		return cli_usage(s->c, "--for has too many addresses");
	while ((word = str_token(&cursor, ", "))) {
		if (s->wish.n == CARDS_MAX)
			return cli_usage(s->c, "--for has too many addresses");
		if (bdf_parse_user(word, &s->cards[s->wish.n++], &whole) < 0)
			return cli_usage(s->c, "--for: '%s' is no address such as 01:00.0", word);
	}
	return 0;
}

static int read_wish(struct setting_up *s)
{
	const struct cli *c = s->c;

	if (c->apply + c->verify + c->undo > 1)
		return cli_usage(s->c, "one of --apply, --verify and --undo at a time");
	if (c->bind_static && c->static_ids)
		return cli_usage(s->c, "--static goes by address, --static-ids by id: one of them");
	s->wish.way = c->bind_static ? SETUP_STATIC : c->static_ids ? SETUP_STATIC_IDS : SETUP_DYNAMIC;
	s->wish.keep_acs_override = c->keep_acs;
	if (s->wish.way != SETUP_DYNAMIC && !c->for_devices)
		return cli_usage(s->c, "which card? --%s --for ADDRESS", c->bind_static ? "static" : "static-ids");
	return read_cards(s);
}

static int add_diff(struct setting_up *s, const char *path, const char *a, size_t a_len, const char *b, size_t b_len)
{
	return diff_unified(path, a ? a : "", a_len, b ? b : "", b_len, &s->diff);
}

static int plan_diff(struct setting_up *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->plan.n; i++) {
		const struct setup_file *f = &s->plan.files[i];

		r = add_diff(s, f->path, f->before, f->before_len, f->after, f->after_len);
	}
	s->result.diff = s->diff.s;
	return r < 0 ? err_nomem(e) : 0;
}

/* The original against ours, and ours against what is there now: the three versions. */
static void conflict_diff(struct setting_up *s)
{
	const struct setup_report *r = &s->report;

	str_clear(&s->diff);
	(void)add_diff(s, r->conflict, r->original, r->original_len, r->ours, r->ours_len);
	(void)add_diff(s, r->conflict, r->ours, r->ours_len, r->now, r->now_len);
	s->result.diff = s->diff.s;
}

/* Shows how far it came, and says why no further. */
static int failed(struct setting_up *s, int r, const struct err *e)
{
	s->result.report = &s->report;
	s->result.state = r == -EBUSY ? SETUP_REFUSED : SETUP_FAILED;
	if (s->report.conflict[0])
		conflict_diff(s);
	out_setup(&s->c->out, &s->result);
	out_error(&s->c->out, e);
	return r == -EBUSY ? CLI_REFUSED : CLI_FAILED;
}

static int apply(struct setting_up *s)
{
	struct err e = ERR_INIT;
	int r = setup_apply(s->c->h, &s->plan, &s->report, &e);

	if (r < 0)
		return failed(s, r, &e);
	if (s->plan.n || s->report.n) {
		s->result.report = &s->report;
		s->result.state = SETUP_APPLIED;
	}
	out_setup(&s->c->out, &s->result);
	return CLI_DONE;
}

static int plan(struct setting_up *s)
{
	struct err e = ERR_INIT;
	int r = setup_make(s->c->h, s->facts, &s->wish, &s->plan, &e);

	if (r == 0)
		r = plan_diff(s, &e);
	if (r == -ENOTSUP) {
		out_error(&s->c->out, &e);
		return CLI_REFUSED;
	}
	if (r < 0)
		return cli_failed(s->c, &e);
	out_notes(&s->c->out, s->plan.notes.s);
	s->result.plan = &s->plan;
	s->result.state = SETUP_PLANNED;
	if (s->c->apply)
		return apply(s);
	out_setup(&s->c->out, &s->result);
	return CLI_DONE;
}

static int undo(struct setting_up *s)
{
	struct err e = ERR_INIT;
	int r = setup_undo(s->c->h, &s->report, &e);

	if (r == -ENOENT) {
		out_note(&s->c->out, "%s", e.msg);
		r = 0;
	}
	if (r < 0)
		return failed(s, r, &e);
	s->result.report = &s->report;
	s->result.state = SETUP_UNDONE;
	out_setup(&s->c->out, &s->result);
	return CLI_DONE;
}

static int verify(struct setting_up *s)
{
	struct findings l = FINDINGS_INIT;
	struct err e = ERR_INIT;
	int r = setup_verify(s->c->h, s->facts, &l, &e), status;

	if (r < 0)
		return cli_failed(s->c, &e);
	s->result.findings = &l;
	s->result.state = SETUP_VERIFIED;
	out_setup(&s->c->out, &s->result);
	status = findings_worst(&l) >= SEVERITY_PROBLEM ? CLI_PROBLEMS : CLI_DONE;
	findings_release(&l);
	return status;
}

int cmd_setup(struct cli *c)
{
	struct setting_up s = { .c = c, .plan = SETUP_PLAN_INIT, .diff = STR_INIT, .result = { .diff = "" } };
	struct err e = ERR_INIT;
	int status = read_wish(&s);

	if (status)
		return status;
	if (facts_load(c->h, &s.facts, &e) < 0)
		return cli_failed(c, &e);
	status = c->undo ? undo(&s) : c->verify ? verify(&s) : plan(&s);
	setup_report_release(&s.report);
	setup_release(&s.plan);
	str_release(&s.diff);
	facts_free(s.facts);
	return status;
}
