// SPDX-License-Identifier: GPL-2.0-or-later
/* What was changed in a config, for people: the diff, as patch(1) takes it. */
#include <string.h>
#include <unistd.h>

#include "out.h"
#include "text.h"

static enum tone tone_of(const char *line)
{
	if (strncmp(line, "---", 3) == 0 || strncmp(line, "+++", 3) == 0)
		return TONE_HEAD;
	switch (*line) {
	case '+':
		return TONE_GOOD;
	case '-':
		return TONE_BAD;
	case '@':
		return TONE_FAINT;
	default:
		return TONE_PLAIN;
	}
}

/* A terminal is not to obey what stands in a file; a pipe gets the bytes. */
void text_diff(struct out *o, const char *diff)
{
	if (!isatty(fileno(o->to))) {
		fputs(diff, o->to);
		return;
	}
	while (*diff) {
		size_t n = strcspn(diff, "\n"), shown = n - (n && diff[n - 1] == '\r');

		text_put(o, tone_of(diff), "%.*s", (int)shown, diff);
		fputc('\n', o->to);
		diff += n + (diff[n] != '\0');
	}
}

static void put_refusals(struct out *o, const struct edit_result *r)
{
	text_put(o, TONE_BAD, "VM %u: %s refused; nothing was changed.", r->vmid, r->verb);
	fputc('\n', o->to);
	for (size_t i = 0; i < r->n_refusals; i++) {
		fputs("  ", o->to);
		text_wrap(o, TONE_BAD, 2, 2, "%s.", r->refusals[i].reason);
		if (!r->refusals[i].hint[0])
			continue;
		fputs("    ", o->to);
		text_wrap(o, TONE_PLAIN, 4, 4, "%s", r->refusals[i].hint);
	}
}

static const char *when(const struct edit_result *r)
{
	return r->running ? "; the VM runs: what stands in [PENDING] takes effect at its next start" : "";
}

void text_edit(struct out *o, const struct edit_result *r)
{
	if (r->n_refusals) {
		if (!r->said)
			put_refusals(o, r);
		return;
	}
	text_diff(o, r->diff);
	if (!*r->diff)
		text_wrap(o, TONE_PLAIN, 0, 2, "VM %u: there is nothing to change.", r->vmid);
	else if (r->dry_run)
		text_wrap(o, TONE_PLAIN, 0, 2, "VM %u: this would be written to %s%s.", r->vmid, r->path, when(r));
	else
		text_wrap(o, TONE_GOOD, 0, 2, "VM %u: written to %s%s.", r->vmid, r->path, when(r));
}
