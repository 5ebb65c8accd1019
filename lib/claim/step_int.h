/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * step_int - what the parts of carrying out a step share; nobody else includes it.
 *
 *   step.c       the table, and the steps on devices
 *   step_free.c  the steps that get a device free: services, containers, processes
 *   step_vfs.c   virtual functions
 */
#ifndef STEP_INT_H
#define STEP_INT_H

#include "step.h"

/* One call: the step, and where its answer goes. */
struct run {
	struct host *h;
	const struct step *s;
	enum step_end end;
	unsigned vmid;			/* whose lease it is a step of */
	uint64_t until;			/* host_now() value when the step counts as stuck */
	struct step_reply *reply;
};

/* Each is a function of a row in kinds[]; reply->enable is 1 where there was something to stop, else 0. */
int service_do(struct run *c);
int service_undo(struct run *c);
int container_do(struct run *c);
int container_undo(struct run *c);
int freeze_do(struct run *c);
int freeze_undo(struct run *c);
int process_do(struct run *c);
int vfs_do(struct run *c);
int vfs_undo(struct run *c);

#endif
