/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * play - the real hook on a fake kernel: scenarios, and the ways to run and look at them.
 *
 * A scenario is a machine of tests/trees and a VM of it.  The hook runs as a process of its own
 * through hook_main(), with time limits short enough for a test of what happens when a write never
 * returns.
 */
#ifndef PLAY_H
#define PLAY_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "hook.h"
#include "kernel.h"

struct scenario {
	const char *tree;
	unsigned vmid;
	unsigned rival;		/* a VM that wants one of the same cards, 0 = none */
	const char *settings;	/* content of settings.ini, or NULL */
	bool fresh;		/* every case needs a machine of its own */
};

extern const struct scenario scenarios[];
extern const size_t n_scenarios, n_deep;

struct play {
	const struct scenario *s;
	struct fake_kernel k;
	char *before;		/* the machine as it was */
	struct fake_outcome o;	/* of the last run */
};

void play_open(struct play *p, const struct scenario *s);
void play_close(struct play *p);
/* The next case: operations are counted from 1 again, on the same machine or a fresh one. */
void play_again(struct play *p);

/* Runs gpu-hook VMID PHASE; returns its exit status, -1 when it was killed. */
int play_hook(struct play *p, unsigned vmid, const char *phase);
/* The same with limits of `ms` for every step. */
int play_hook_limited(struct play *p, unsigned vmid, const char *phase, unsigned ms);

/* Runs a phase that must succeed: how many operations it takes. */
unsigned play_writes(struct play *p, const char *phase);

/* Counts anew, and makes operation `n` of the next run kill or fail.  The three ways to be killed, before
 * or after the operation or without its worker, take turns with n + turn. */
void play_kill_at(struct play *p, unsigned n, unsigned turn);
void play_fail_at(struct play *p, unsigned n, int err);

/* The machine's clock can run `fast` times as fast as ours; less where a tool slows the programs down, as
 * valgrind and the sanitizers do, for which the loops are sampled. */
unsigned play_scale(unsigned fast);

/* Loops over writes take every n-th (PLAY_STRIDE, 1 by default): under valgrind a sample has to do. */
unsigned play_stride(void);

/* The machine is as it was and nothing broke a rule; `what` and the last output are in the message. */
void play_same(struct play *p, const char *fmt, ...) _printf_(2, 3);
bool play_is_same(struct play *p);
/* Every device of the VM is on vfio-pci, and there is a complete lease. */
void play_taken(struct play *p, unsigned vmid, const char *fmt, ...) _printf_(3, 4);

/* --- VMs, tasks and locks ---------------------------------------------------------------------- */

/* A pre-start that must succeed. */
void play_claim(struct play *p, unsigned vmid);
/* The scenario's VM gets a QEMU on what its lease holds; `noted`: post-start was called, too. */
void play_vm_up(struct play *p, bool noted);
/* The hook's parent is the test itself: as long as it is in the tree, the task lives. */
void play_task_begins(struct play *p);
void play_task_ends(struct play *p);
/* Proxmox's own lock of a VM; close the descriptor to let go of it. */
int play_pve_lock(struct play *p, unsigned vmid);
/* How often the functions of the scenario's VM's lease were bound or unbound, by any driver. */
unsigned play_moves(struct play *p);
/* A file of the machine with this content. */
void play_put(struct play *p, const char *path, const char *text);

#endif
