/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper - `pve-gpu watch` beside a played hook: as a process that is started, listened to, stopped.
 *
 * Its grace periods are short, its processes those of the fake machine: one ends when its folder in
 * /proc goes.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include "play.h"

#define KEEPER_GRACE_MS 400		/* as long as keeper_grace_ms says nothing else */
#define KEEPER_SETTLE_MS 60
#define KEEPER_QUIET_MS 250	/* long enough for a watch that would act wrongly to do it */
#define KEEPER_PATIENCE_MS 20000

struct keeper {
	pid_t pid;
	int pidfd, stop, out;
	char said[16384];
};

/* The limit of every step that a keeper started from now on does; 0 = as usual. */
extern unsigned keeper_limit_ms;
/* The grace of those started from now on. */
extern unsigned keeper_grace_ms;
/* How long it takes to tell the administrator. */
extern unsigned keeper_notify_ms;
/* Those started from now on have a journal. */
extern bool keeper_has_journal;

/* What it has told the administrator, a line each, in a file of the machine's root. */
#define KEEPER_NOTES "/notified"

/* Runs one to its end; as "main", so that faults may kill it.  Its status is not looked at. */
void keeper_run(struct play *p);
/* The same, and it must end by itself because no lease is left. */
void keeper_to_end(struct play *p, const char *what, unsigned n);

void keeper_start(struct play *p, struct keeper *k);
/* What it has said up to now. */
const char *keeper_said(struct keeper *k);
/* Waits until it has said this. */
void keeper_says(struct keeper *k, const char *text);
bool keeper_ended(struct keeper *k, int ms);
/* It does and says nothing, and the VM keeps its devices. */
void keeper_is_quiet(struct play *p, struct keeper *k, const char *what);
/* Tells it to stop. */
void keeper_stop(struct keeper *k);
/* It ends with this status: 0 = no lease left, 1 = told to stop, -1 = either. */
void keeper_ends(struct keeper *k, int want);

#endif
