// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings and the tables of rules: see finding.h. */
#include "finding.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

const struct rule *const finding_tables[] = {
	rules_iommu, rules_groups, rules_cards, rules_boot, rules_modules, rules_system, NULL,
};

int findings_of_host(const struct facts *f, struct findings *ret, struct err *e)
{
	*ret = (struct findings)FINDINGS_INIT;
	for (size_t i = 0; finding_tables[i]; i++)
		for (const struct rule *r = finding_tables[i]; r->id; r++)
			r->check(f, r, ret);
	if (ret->failed) {
		findings_release(ret);
		return err_nomem(e);
	}
	findings_sort(ret);
	return 0;
}

void findings_release(struct findings *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].text);
		free(l->v[i].evidence);
		free(l->v[i].fix);
	}
	free(l->v);
	*l = (struct findings)FINDINGS_INIT;
}

/* Few and almost in order: moving each up to its place keeps the order of equals. */
void findings_sort(struct findings *l)
{
	for (size_t i = 1; i < l->n; i++) {
		struct finding v = l->v[i];
		size_t k = i;

		for (; k > 0 && l->v[k - 1].severity < v.severity; k--)
			l->v[k] = l->v[k - 1];
		l->v[k] = v;
	}
}

static char *copy(struct findings *l, const char *text)
{
	char *s = text && *text ? strdup(text) : NULL;

	if (text && *text && !s)
		l->failed = true;
	return s;
}

void finding_add(struct findings *l, const char *id, enum severity severity, const char *evidence, const char *fix,
		 const char *fmt, ...)
{
	struct finding *v;
	va_list ap;

	if (array_room(&l->v, l->n, &l->size, sizeof(*l->v)) < 0) {
		l->failed = true;
		return;
	}
	v = &l->v[l->n++];
	v->id = id;
	v->severity = severity;
	va_start(ap, fmt);
	if (vasprintf(&v->text, fmt, ap) < 0) {
		v->text = NULL;
		l->failed = true;
	}
	va_end(ap);
	v->evidence = copy(l, evidence);
	v->fix = copy(l, fix);
}

const char *severity_name(enum severity s)
{
	switch (s) {
	case SEVERITY_OK: return "ok";
	case SEVERITY_HINT: return "hint";
	case SEVERITY_PROBLEM: return "problem";
	case SEVERITY_BLOCKER: return "blocker";
	}
	return "problem";
}

size_t findings_count(const struct findings *l, enum severity s)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->v[i].severity == s;
	return n;
}

enum severity findings_worst(const struct findings *l)
{
	enum severity worst = SEVERITY_OK;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].severity > worst)
			worst = l->v[i].severity;
	return worst;
}

struct finding_text finding_text(const char *fmt, ...)
{
	struct finding_text t;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t.s, sizeof(t.s), fmt, ap);
	va_end(ap);
	return t;
}
