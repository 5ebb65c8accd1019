// SPDX-License-Identifier: GPL-2.0-or-later
/* What setup would do, did, or found, for people. */
#include <string.h>

#include "out.h"
#include "text.h"

static void put_lines(struct out *o, const char *lines)
{
	while (*lines) {
		size_t n = strcspn(lines, "\n");

		fputs("  ", o->to);
		text_wrap(o, TONE_PLAIN, 2, 4, "%.*s", (int)n, lines);
		lines += n + (lines[n] != '\0');
	}
}

static void put_commands(struct out *o, const struct setup_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct setup_run *v = &r->runs[i];
		const char *p = v->run.output;

		if (v->skipped)
			text_wrap(o, TONE_PLAIN, 0, 2, "%s: not run, because this is not the running machine", v->words);
		else if (v->error)
			text_wrap(o, TONE_BAD, 0, 2, "%s: %s", v->words, err_text(v->error));
		else if (v->run.timed_out || v->run.signal)
			text_wrap(o, TONE_BAD, 0, 2, "%s: ended before it was done", v->words);
		else
			text_wrap(o, v->run.status ? TONE_BAD : TONE_GOOD, 0, 2, "%s: exit status %d", v->words, v->run.status);
		while (*p) {
			size_t n = strcspn(p, "\n");

			text_put(o, TONE_FAINT, "  %.*s", (int)n, p);
			fputc('\n', o->to);
			p += n + (p[n] != '\0');
		}
	}
}

static void put_plan(struct out *o, const struct setup_result *r)
{
	const struct setup_plan *p = r->plan;

	if (!p->n) {
		text_wrap(o, TONE_GOOD, 0, 0, "There is nothing to change on this host.");
	} else {
		text_diff(o, r->diff);
		fputs("\nWhy:\n", o->to);
		put_lines(o, *p->why.s ? p->why.s : "the cards are to be VFIO's from the boot on\n");
		if (p->initramfs || p->refresh)
			text_wrap(o, TONE_PLAIN, 0, 2, "Then: %s%s%s, and a reboot.", p->initramfs ? "update-initramfs -u -k all" : "",
				  p->initramfs && p->refresh ? ", " : "", p->refresh ? boot_chain_command(p->chain) : "");
		text_wrap(o, TONE_PLAIN, 0, 2, "Nothing has been changed. 'pve-gpu setup --apply' with the same options does it, 'pve-gpu setup "
			  "--undo' takes it back.");
	}
	fputc('\n', o->to);
	text_wrap(o, TONE_FAINT, 0, 0, "Cards are taken when a VM starts and given back when it stops: that needs no blacklist and no ids. For a "
		  "card that must never meet a driver of the host there is --static --for ADDRESS.");
}

static void put_state(struct out *o, const struct setup_result *r)
{
	size_t n = r->report->n_files;

	put_commands(o, r->report);
	if (r->state == SETUP_APPLIED && !n)
		text_wrap(o, TONE_GOOD, 0, 2, "No file had to change: an earlier setup had only not come to the end of its commands. Reboot, then: "
			  "pve-gpu setup --verify");
	else if (r->state == SETUP_APPLIED)
		text_wrap(o, TONE_GOOD, 0, 2, "%zu file%s changed; the originals are in " SETUP_FOLDER ". Reboot, then: pve-gpu setup "
			  "--verify", n, n == 1 ? "" : "s");
	else if (r->state == SETUP_UNDONE && n)
		text_wrap(o, TONE_GOOD, 0, 2, "%zu file%s as before setup. Reboot to make it take effect.", n, n == 1 ? "" : "s");
	else if (r->state == SETUP_UNDONE)
		text_wrap(o, TONE_PLAIN, 0, 2, "There was nothing to put back.");
	else if (r->report->rolled_back)
		text_wrap(o, TONE_BAD, 0, 2, "Every file is as it was before.");
	fflush(o->to);
}

static void put_conflict(struct out *o, const struct setup_result *r)
{
	fprintf(o->to, "The original against what setup wrote, and that against what is there now:\n\n");
	text_diff(o, r->diff);
	fflush(o->to);
}

void text_setup(struct out *o, const struct setup_result *r)
{
	switch (r->state) {
	case SETUP_PLANNED:
		put_plan(o, r);
		break;
	case SETUP_APPLIED:
		text_diff(o, r->diff);
		put_state(o, r);
		break;
	case SETUP_UNDONE:
	case SETUP_FAILED:
		put_state(o, r);
		break;
	case SETUP_REFUSED:
		if (r->report->conflict[0])
			put_conflict(o, r);
		break;
	case SETUP_VERIFIED:
		text_findings(o, r->findings);
		break;
	}
}
