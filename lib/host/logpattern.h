/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * logpattern - lines that the kernel, QEMU and Proxmox write about passthrough, and what they mean.
 *
 * Wordings are those of the kernel's and QEMU's sources, 6.1 to 7.x, older and newer ones of the same
 * message in one expression.
 */
#ifndef LOGPATTERN_H
#define LOGPATTERN_H

#include "finding.h"

struct log_pattern {
	const char *id;			/* NULL ends a table */
	enum severity severity;
	const char *words;		/* one of these, separated by commas, is in every line that fits */
	const char *expression;		/* POSIX extended; fits a part of the line */
	const char *text, *fix;		/* as in a finding; fix NULL = nothing to do */
};

extern const struct log_pattern log_patterns_kernel[], log_patterns_driver[], log_patterns_task[];

/* All of them; ends with NULL. */
extern const struct log_pattern *const log_tables[];

#endif
