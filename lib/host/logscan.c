// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking for known lines in logs: see logscan.h. */
#include "logscan.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logpattern.h"
#include "logread.h"
#include "str.h"

const struct log_pattern *const log_tables[] = { log_patterns_kernel, log_patterns_driver, log_patterns_task, NULL };

struct seen {
	const struct log_pattern *pattern;
	bool compiled;
	regex_t expression;
	unsigned count;
	char where[160], line[400];	/* of the last one */
};

#define KEPT_LINES 120

struct logscan {
	struct seen *v;
	size_t n;
	bool keeps;
	char *kept[KEPT_LINES];		/* a ring */
	size_t n_kept;
	struct str joined;
};

static size_t count_patterns(void)
{
	size_t n = 0;

	for (size_t i = 0; log_tables[i]; i++)
		for (const struct log_pattern *p = log_tables[i]; p->id; p++)
			n++;
	return n;
}

int logscan_new(struct logscan **ret, struct err *e)
{
	struct logscan *s = calloc(1, sizeof(*s));

	if (s)
		s->v = calloc(count_patterns(), sizeof(*s->v));
	if (!s || !s->v) {
		free(s);
		return err_nomem(e);
	}
	for (size_t i = 0; log_tables[i]; i++)
		for (const struct log_pattern *p = log_tables[i]; p->id; p++)
			s->v[s->n++].pattern = p;
	s->joined = (struct str)STR_INIT;
	*ret = s;
	return 0;
}

void logscan_free(struct logscan *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].compiled)
			regfree(&s->v[i].expression);
	for (size_t i = 0; i < KEPT_LINES; i++)
		free(s->kept[i]);
	str_release(&s->joined);
	free(s->v);
	free(s);
}

static bool has_one_of(const char *line, const char *words)
{
	char word[80];

	while (*words) {
		size_t n = strcspn(words, ",");

		if (n < sizeof(word)) {
			memcpy(word, words, n);
			word[n] = '\0';
			if (strstr(line, word))
				return true;
		}
		words += n + (words[n] == ',');
	}
	return false;
}

static bool fits(struct seen *v, const char *line)
{
	if (!has_one_of(line, v->pattern->words))
		return false;
	if (!v->compiled)
		v->compiled = regcomp(&v->expression, v->pattern->expression, REG_EXTENDED | REG_NOSUB) == 0;
	return v->compiled && regexec(&v->expression, line, 0, NULL, 0) == 0;
}

void logscan_keep(struct logscan *s)
{
	s->keeps = true;
}

static bool speaks_of_it(const char *line)
{
	return has_one_of(line, "vfio,VFIO,DMAR,AMD-Vi,iommu,IOMMU,nvidia,NVRM,amdgpu,nouveau,i915,vgaarb,hostpci,AER:,BAR ,"
			  "pve-gpu,TASK ");
}

static void keep(struct logscan *s, const char *where, const char *line)
{
	char **slot = &s->kept[s->n_kept % KEPT_LINES];
	char *text;

	if (asprintf(&text, "%s: %s", where, line) < 0)
		return;
	free(*slot);
	*slot = text;
	s->n_kept++;
}

const char *logscan_kept(struct logscan *s)
{
	size_t first = s->n_kept > KEPT_LINES ? s->n_kept - KEPT_LINES : 0;

	str_clear(&s->joined);
	for (size_t i = first; i < s->n_kept; i++)
		(void)str_addf(&s->joined, "%s\n", s->kept[i % KEPT_LINES]);
	return s->joined.s;
}

void logscan_line(struct logscan *s, const char *where, const char *line)
{
	if (s->keeps && speaks_of_it(line))
		keep(s, where, line);
	for (size_t i = 0; i < s->n; i++) {
		struct seen *v = &s->v[i];

		if (!fits(v, line))
			continue;
		v->count++;
		snprintf(v->where, sizeof(v->where), "%s", where);
		snprintf(v->line, sizeof(v->line), "%s", line);
	}
}

void logscan_text(struct logscan *s, const char *where, char *text)
{
	char *line;

	while ((line = str_token(&text, "\n")))
		logscan_line(s, where, line);
}

void logscan_findings(const struct logscan *s, struct findings *l)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct seen *v = &s->v[i];
		const struct log_pattern *p = v->pattern;
		size_t n = strlen(p->text);

		if (v->count == 1)
			finding_add(l, p->id, p->severity, finding_text("%s: %s", v->where, v->line).s, p->fix, "%s", p->text);
		else if (v->count)
			finding_add(l, p->id, p->severity, finding_text("%s: %s", v->where, v->line).s, p->fix,
				    "%.*s (%u lines).", (int)n - 1, p->text, v->count);
	}
}

int logscan_read(struct host *h, struct logscan *s, struct findings *l, struct err *e)
{
	uint64_t lost = 0;
	int r = logread_kernel(h, s, &lost);

	if (r < 0 && r != -ENOENT)
		finding_add(l, "log-unreadable", SEVERITY_HINT, finding_text("/dev/kmsg: %s", err_text(r)).s, "run it as root",
			    "The kernel's log cannot be read, so what it says is missing here.");
	if (lost)
		finding_add(l, "log-incomplete", SEVERITY_HINT, NULL, "journalctl -k -b has them",
			    "The kernel's ring buffer has dropped its first %llu lines since the boot; they were not looked at.",
			    (unsigned long long)lost);
	r = logread_tasks(h, s);
	logscan_findings(s, l);
	return r == -ENOMEM || l->failed ? err_nomem(e) : 0;
}

int logscan_host(struct host *h, struct findings *l, struct err *e)
{
	struct logscan *s = NULL;
	int r = logscan_new(&s, e);

	if (r == 0)
		r = logscan_read(h, s, l, e);
	logscan_free(s);
	return r;
}
