/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * step - carrying out one step, or taking it back.  Runs in a worker: any of it may hang.
 *
 * A table gives each kind its functions.  Doing a step that is done already does nothing; taking
 * back a step looks first whether there is anything to take back, so both may be repeated at any
 * point, also after an intent that never happened.  A new kind of step is a row and its tests.
 */
#ifndef STEP_H
#define STEP_H

#include "plan.h"
#include "reset.h"

enum step_way { STEP_DO, STEP_UNDO };

/* How it ended, for what is done to a card on its way back. */
enum step_end {
	END_UNUSED,		/* no VM has had it */
	END_CLEAN,		/* the guest ended by itself, or nobody knows better */
	END_UNCLEAN,		/* it was killed, crashed, or was stopped from outside */
};

struct step_request {
	uint64_t until;		/* host_now() value when it counts as stuck: commands end before */
	unsigned vmid;		/* whose lease it is a step of */
	enum step_way way;
	enum step_end end;
	struct step step;
};

#define STEP_VFS_STAY "stay"

struct step_reply {
	int r;			/* 0 or a negative errno; then e has the sentence */
	int enable;		/* see struct step; -1 = nothing to note */
	uint64_t ns;		/* the kernel's own time: what was spent inside the writes */
	char used[RESET_NAME];	/* STEP_RESET: the method that worked, "none", or "" when none was needed;
				 * STEP_VFS taken back: STEP_VFS_STAY where somebody else has them */
	uint64_t reached;	/* STEP_RESET: bit i: the i-th function of its list was reset */
	struct err e;
};

/* A worker_fn. */
void step_serve(struct host *h, void *arg, const void *request, void *reply);

/* How long a step may take before it counts as stuck, in ms.  Upper bounds from the kernel's own
 * waits (pci_dev_wait polls for 60 s) and from drivers' behaviour. */
uint64_t step_limit(enum step_kind kind, enum step_way way);

/* This way the step only has its place in the order: there is nothing to do, and no worker to ask. */
bool step_is_idle(enum step_kind kind, enum step_way way);

/* "unbind 0000:01:00.0 from nvidia": the step in words, for messages. */
struct step_text { char s[160]; };
struct step_text step_describe(const struct step *s, enum step_way way);

#endif
