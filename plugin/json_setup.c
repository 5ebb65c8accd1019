// SPDX-License-Identifier: GPL-2.0-or-later
/* What setup would do, did, or found, for programs. */
#include <string.h>

#include "json.h"
#include "out.h"

static const char *state_name(enum setup_state s)
{
	switch (s) {
	case SETUP_PLANNED: return "planned";
	case SETUP_APPLIED: return "applied";
	case SETUP_UNDONE: return "undone";
	case SETUP_FAILED: return "failed";
	case SETUP_REFUSED: return "refused";
	case SETUP_VERIFIED: return "verified";
	}
	return "failed";
}

static void add_lines(struct json *j, struct json_object *in, const char *key, const char *lines)
{
	struct json_object *list = json_add_array(j, in, key);
	struct str line = STR_INIT;

	while (*lines) {
		size_t n = strcspn(lines, "\n");

		str_clear(&line);
		(void)str_addn(&line, lines, n);
		json_add_text(j, list, NULL, line.s);
		lines += n + (lines[n] != '\0');
	}
	str_release(&line);
}

static void add_plan(struct json *j, struct json_object *o, const struct setup_plan *p)
{
	struct json_object *list = json_add_array(j, o, "files");

	for (size_t i = 0; i < p->n; i++)
		json_add_text(j, list, NULL, p->files[i].path);
	add_lines(j, o, "why", p->why.s);
	list = json_add_array(j, o, "commands");
	if (p->initramfs)
		json_add_text(j, list, NULL, "update-initramfs -u -k all");
	if (p->refresh)
		json_add_text(j, list, NULL, boot_chain_command(p->chain));
	json_add_bool(j, o, "reboot", p->initramfs || p->refresh);
}

static void add_report(struct json *j, struct json_object *o, const struct setup_report *r)
{
	struct json_object *list = json_add_array(j, o, "ran");

	for (size_t i = 0; i < r->n; i++) {
		const struct setup_run *v = &r->runs[i];
		struct json_object *one = json_add_object(j, list, NULL);

		json_add_text(j, one, "command", v->words);
		json_add_bool(j, one, "skipped", v->skipped);
		json_add_count(j, one, "status", v->error || v->skipped ? -1 : v->run.status);
		add_lines(j, one, "output", v->run.output);
	}
	json_add_number(j, o, "files_written", (int64_t)r->n_files);
	json_add_bool(j, o, "rolled_back", r->rolled_back);
	json_add_word(j, o, "conflict", r->conflict);
}

void json_setup(struct out *o, const struct setup_result *r)
{
	struct json *j = &o->json;
	struct json_object *v = json_add_object(j, json_root(j), "setup");

	json_add_text(j, v, "state", state_name(r->state));
	if (r->plan)
		add_plan(j, v, r->plan);
	json_add_bytes(j, v, "diff", r->diff, strlen(r->diff));
	if (r->report)
		add_report(j, v, r->report);
	if (r->findings)
		json_findings(j, json_root(j), r->findings);
}
