/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup - making a host fit for passthrough, and taking that back.
 *
 * A plan is a list of files with their content before and after; making one touches nothing.  Carrying
 * it out keeps every original below SETUP_FOLDER together with what was written instead, before the
 * first file of the system is touched; so everything can be given back byte for byte, and a change that
 * somebody else made since is noticed.  When a write or one of the boot loader's commands fails, the
 * files are put back and the commands run once more.
 *
 * Words of the kernel's command line are added in a file of ours where the system has drop-in files
 * (/etc/default/grub.d) and otherwise in /etc/kernel/cmdline; leftovers of guides are taken out where they
 * stand, word by word.  Files of packages (outside /etc) are never touched.
 */
#ifndef SETUP_H
#define SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "err.h"
#include "facts.h"
#include "finding.h"
#include "host.h"

#define SETUP_FOLDER "/var/lib/pve-gpu/setup"

enum setup_way {
	SETUP_DYNAMIC,		/* gpu-hook takes cards when a VM starts: nothing to prepare for that */
	SETUP_STATIC,		/* these functions are VFIO's before any driver sees them, by address */
	SETUP_STATIC_IDS,	/* by vendor and device id, as guides have it: twins come along */
};

struct setup_wish {
	enum setup_way way;
	const struct bdf *cards;	/* one function each; the whole slot is meant */
	size_t n;
	bool keep_acs_override;
};

struct setup_file {
	char path[160];
	char *before, *after;	/* NULL = no such file; owned */
	size_t before_len, after_len;
	mode_t mode;
};

/* What the next boot has to show. */
struct setup_promise {
	enum { SETUP_WITH, SETUP_WITHOUT, SETUP_VFIO } kind;
	char text[256];		/* a word of the kernel's command line, or the address of a function */
};

struct setup_plan {
	struct setup_file *files;
	size_t n, size;
	struct setup_promise *promises;
	size_t n_promises, promises_size;
	struct str why;		/* a line for each change: "/etc/modules:5: vfio_virqfd: ..." */
	struct str notes;	/* a line for each thing worth knowing */
	bool refresh, initramfs;	/* the commands that have to follow */
	enum boot_chain chain;
};
#define SETUP_PLAN_INIT { .why = STR_INIT, .notes = STR_INIT }

/* -ENOTSUP with a sentence: the command line has to change, and how this host boots is not known.  The
 * caller releases *ret in any case. */
int setup_make(struct host *h, const struct facts *f, const struct setup_wish *w, struct setup_plan *ret,
	       struct err *e) _must_check_;
void setup_release(struct setup_plan *p);

/* One command that was run after the files were written. */
struct setup_run {
	const char *words;	/* "update-initramfs -u -k all" */
	bool skipped;		/* below another root there is no machine to run it on */
	struct host_run run;
	int error;		/* it could not be run: a negative errno */
};

#define SETUP_RUNS 4

struct setup_report {
	struct setup_run runs[SETUP_RUNS];
	size_t n;
	bool rolled_back;	/* it failed, and every file is as it was */
	/* Undoing or applying again was refused: somebody has changed this file since. */
	char conflict[160];
	char *original, *ours, *now;	/* its three versions; NULL = no such file; owned */
	size_t original_len, ours_len, now_len;
	size_t n_files;		/* written or put back */
};
void setup_report_release(struct setup_report *r);

/* Carries the plan out, and runs the commands that an earlier run was cut short before; also for a plan without
 * files.  -EBUSY: refused, nothing was touched: somebody has changed report->conflict since an
 * earlier setup, or (conflict "") a file of the plan since it was made.  Other errors: it failed;
 * report->rolled_back says whether all files are as before.  `r` is the caller's, zeroed. */
int setup_apply(struct host *h, const struct setup_plan *p, struct setup_report *r, struct err *e) _must_check_;

/* Puts back what setup_apply() has changed, all of it.  -ENOENT: nothing was; -EBUSY as above. */
int setup_undo(struct host *h, struct setup_report *r, struct err *e) _must_check_;

/* What was promised against what is; -ENOENT: nothing was applied. */
int setup_verify(struct host *h, const struct facts *f, struct findings *ret, struct err *e) _must_check_;

#endif
