/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of setup share. */
#ifndef SETUP_INT_H
#define SETUP_INT_H

#include "setup.h"

/* --- setup_leftover.c: what guides leave behind ------------------------------------------------ */

/* One word or line to take out, and why. */
struct setup_cut {
	struct source at;
	char word[256];		/* "" = the whole line */
	char why[256];
	bool cmdline;		/* it stands on the kernel's command line */
};

struct setup_cuts {
	struct setup_cut *v;
	size_t n, size;
};

/* A line into `notes` for what looks like a leftover and is left. */
int setup_leftovers(const struct facts *f, const struct setup_wish *w, struct setup_cuts *ret, struct str *notes) _must_check_;

/* --- setup_record.c: what was done ------------------------------------------------------------- */

struct setup_record {
	struct setup_plan plan;		/* before = the original, after = what was written */
	char boot_id[64];
	bool pending;		/* the commands that have to follow have not succeeded yet */
	uint64_t generation;	/* part of its copies' names: a new record does not write over an older one's */
};
#define SETUP_RECORD_INIT { SETUP_PLAN_INIT, "", false, 0 }

/* -ENOENT: nothing was applied. */
int setup_record_load(struct host *h, struct setup_record *ret, struct err *e) _must_check_;
/* Writes everything that takes room on the disk; the record counts from the commit on, which keeps the one
 * before it until it is dropped or comes back. */
int setup_record_stage(struct host *h, const struct setup_record *r, struct err *e) _must_check_;
int setup_record_commit(struct host *h, struct err *e) _must_check_;
/* The commands have succeeded: nothing is pending any more. */
int setup_record_settle(struct host *h, struct setup_record *r, struct err *e) _must_check_;
bool setup_record_pending(struct host *h);	/* false also when it cannot be told */
/* `r` is withdrawn, half staged, staged or committed; the one before it counts again. */
void setup_record_withdraw(struct host *h, const struct setup_record *r, bool committed);
/* The record before the one that counts has no use any more. */
void setup_record_drop(struct host *h, const struct setup_record *before);
/* Nothing is applied any more. */
int setup_record_remove(struct host *h, const struct setup_record *r, struct err *e) _must_check_;
void setup_record_release(struct setup_record *r);

/* --- setup_stage.c: files of the system --------------------------------------------------------- */

/* Everything that takes room on the disk, before the first file changes: renaming takes none. */
int setup_stage(struct host *h, const struct setup_plan *p, struct err *e) _must_check_;
/* A staged file takes its name. */
int setup_place(struct host *h, const struct setup_file *f, struct err *e) _must_check_;
/* The original again; `before` NULL: there was no such file. */
int setup_put_back(struct host *h, const struct setup_file *f, struct err *e) _must_check_;
/* Takes away what is staged, also by a run that was killed.  The caller has the lock. */
void setup_sweep(struct host *h);

/* --- setup.c ----------------------------------------------------------------------------------- */

/* The file's entry in the plan, made from what is there now when it has none; NULL and *ret_r on failure. */
struct setup_file *setup_file_of(struct host *h, struct setup_plan *p, const char *path, int *ret_r, struct err *e);
/* Replaces the content that it is to have. */
int setup_file_set(struct setup_file *f, const char *text, size_t len, mode_t mode) _must_check_;
int setup_promise_add(struct setup_plan *p, int kind, const char *text) _must_check_;
/* A file's content, NULL for none; -ELOOP for a link: what it leads to is somebody else's. */
int setup_read(struct host *h, const char *path, char **ret, size_t *ret_len, mode_t *ret_mode, struct err *e) _must_check_;
bool setup_same(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
