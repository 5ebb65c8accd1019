/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * finding - what follows from the facts: what is well, what is not, why it matters, what to type.
 *
 * Every kind of finding is a row in one of the tables of the rule_*.c files: an id that never changes
 * its meaning, a severity, and the function that looks whether it applies; it may apply to several things
 * at once.  A rule reads facts and nothing else.
 */
#ifndef FINDING_H
#define FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "macro.h"

enum severity {
	SEVERITY_OK,		/* looked at, and well */
	SEVERITY_HINT,		/* works, but there is something to know */
	SEVERITY_PROBLEM,	/* something will not work, or not safely */
	SEVERITY_BLOCKER,	/* no VM can have a device */
};

struct finding {
	const char *id;		/* "iommu-kernel-off" */
	enum severity severity;
	char *text;		/* one sentence */
	char *evidence;		/* file, line and what stands there; NULL = none */
	char *fix;		/* what to do, what to type; NULL = nothing */
};

struct findings {
	struct finding *v;
	size_t n, size;
	bool failed;		/* no memory: findings are missing */
};
#define FINDINGS_INIT { NULL, 0, 0, false }

struct facts;
struct rule {
	const char *id;		/* NULL ends a table */
	enum severity severity;
	void (*check)(const struct facts *f, const struct rule *r, struct findings *l);
};

extern const struct rule rules_iommu[], rules_boot[], rules_modules[], rules_cards[], rules_groups[], rules_system[];

/* All tables above, for those who count them; ends with NULL. */
extern const struct rule *const finding_tables[];

/* Applies every rule; heaviest first, otherwise in the order of the tables. */
int findings_of_host(const struct facts *f, struct findings *ret, struct err *e) _must_check_;
void findings_release(struct findings *l);
void findings_sort(struct findings *l);

/* evidence and fix may be NULL or "". */
void finding_add(struct findings *l, const char *id, enum severity severity, const char *evidence, const char *fix,
		 const char *fmt, ...) _printf_(6, 7);

/* "blocker", "problem", "hint", "ok" */
const char *severity_name(enum severity s);
size_t findings_count(const struct findings *l, enum severity s);
enum severity findings_worst(const struct findings *l);	/* SEVERITY_OK of an empty list */

/* A text put together on the way to finding_add(). */
struct finding_text { char s[1024]; };
struct finding_text finding_text(const char *fmt, ...) _printf_(1, 2);

#endif
