// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands on a fake kernel: see desk.h. */
#include "desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ARGS 8

void open_desk(struct desk *d, const char *tree)
{
	struct err e = ERR_INIT;
	char path[PATH_MAX + 64];
	FILE *f;

	memset(d, 0, sizeof(*d));
	if (fake_kernel_open(&d->k, tree, &e) < 0)
		fail_msg("%s", e.msg);
	fake_settings(&d->k)->time_scale = 4;
	/* Names are tested elsewhere, and the real table is large. */
	(void)host_mkdir(&d->k.host, "/usr", 0755);
	(void)host_mkdir(&d->k.host, "/usr/share", 0755);
	(void)host_mkdir(&d->k.host, "/usr/share/misc", 0755);
	snprintf(path, sizeof(path), "%s/usr/share/misc/pci.ids", d->k.tree.dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	(void)host_mkdir(&d->k.host, "/etc/pve-gpu", 0755);
	snprintf(path, sizeof(path), "%s/etc/pve-gpu/settings.ini", d->k.tree.dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("[claim]\nallow = boot-display, only-display\nrelease_wait = 4\n", f);
	fclose(f);
	d->before = fake_kernel_dump(&d->k, 0);
	fake_kernel_rewind(&d->k);
}

void close_desk(struct desk *d)
{
	assert_string_equal(fake_violations(&d->k), "");
	free(d->before);
	fake_kernel_close(&d->k);
}

static int main_of_command(struct host *h, void *arg)
{
	struct cli c = { .h = h, .to = stdout, .chatter = stderr, .now_unix = (uint64_t)time(NULL) };
	char *const *argv = arg;
	int n = 0;

	while (argv[n])
		n++;
	return cli_main(&c, n, argv);
}

/* Long enough for a busy machine, short enough for a test of what never returns. */
static uint64_t limit(enum step_kind kind, enum step_way way)
{
	return kind == STEP_UNBIND && way == STEP_DO ? 8000 : step_limit(kind, way);
}

static int main_of_hook(struct host *h, void *arg)
{
	struct hook k = { .h = h, .limit = limit, .cancel = -1, .out = stdout,
			  .now_unix = (uint64_t)time(NULL) };
	int status = hook_main(&k, 3, arg);

	fflush(stdout);
	return status;
}

/* For tests/schema: what commands write with --json, if somebody wants it. */
static void keep_document(const struct desk *d, const char *line)
{
	const char *folder = getenv("JSON_KEEP"), *command = line + strlen("pve-gpu ");
	static unsigned n;
	char path[PATH_MAX];
	FILE *f;

	if (!folder || !strstr(line, "--json"))
		return;
	snprintf(path, sizeof(path), "%s/%.*s-%d-%u.json", folder, (int)strcspn(command, " "), command, (int)getpid(), n++);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(strchr(d->o.output, '{') ? strchr(d->o.output, '{') : d->o.output, f);	/* behind what went to stderr */
	fclose(f);
}

/* Splits at blanks, runs it in a process of its own; its exit status. */
int run(struct desk *d, const char *line)
{
	char copy[128], *argv[ARGS + 1] = { NULL }, *save = NULL;
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &save); word && n < ARGS; word = strtok_r(NULL, " ", &save))
		argv[n++] = word;
	fake_main_run(&d->k, strcmp(argv[0], "gpu-hook") == 0 ? main_of_hook : main_of_command, argv, 60000, &d->o);
	assert_false(d->o.timed_out);
	keep_document(d, line);
	return d->o.status;
}

void expect(struct desk *d, const char *line, int status)
{
	int got = run(d, line);

	if (got != status)
		fail_msg("'%s' ended with status %d instead of %d:\n%s", line, got, status, d->o.output);
}

/* Wherever the lines are broken. */
void said(struct desk *d, const char *part)
{
	static char flat[sizeof(d->o.output)];
	size_t n = 0;

	for (const char *c = d->o.output; *c; c++)
		if (!strchr(" \n", *c))
			flat[n++] = *c;
		else if (n && flat[n - 1] != ' ')
			flat[n++] = ' ';
	flat[n] = '\0';
	if (!strstr(flat, part))
		fail_msg("'%s' is missing in:\n%s", part, d->o.output);
}

void same_as_before(struct desk *d)
{
	char *now = fake_kernel_dump(&d->k, 0);
	struct str diff = STR_INIT;

	if (tree_diff(d->before, now, &diff))
		fail_msg("the machine is not as it was:\n%s\nafter:\n%s", diff.s, d->o.output);
	str_release(&diff);
	free(now);
}
