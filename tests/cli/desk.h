/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desk - a fake kernel, and whole commands run on it as processes of their own. */
#ifndef DESK_H
#define DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli.h"
#include "hook.h"
#include "kernel.h"

struct desk {
	struct fake_kernel k;
	char *before;
	struct fake_outcome o;
};

/* A machine of tests/trees.  close_desk() also sees to it that no rule of the kernel was broken. */
void open_desk(struct desk *d, const char *tree);
void close_desk(struct desk *d);

/* Splits at blanks, runs "pve-gpu ..." or "gpu-hook VMID PHASE"; its exit status, or that it is this one. */
int run(struct desk *d, const char *line);
void expect(struct desk *d, const char *line, int status);

/* The last run's output has this, wherever its lines are broken. */
void said(struct desk *d, const char *part);
/* The machine is as it was when the desk was opened. */
void same_as_before(struct desk *d);

#endif
