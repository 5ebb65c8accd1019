/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook - the program Proxmox runs at each phase of a VM's life: gpu-hook VMID PHASE.
 *
 * Called as root with the VM's flock held and without a time limit (pve-guest-common:
 * GuestHelpers.pm: exec_hookscript); whatever it prints is in the task's log; only for pre-start does
 * the exit status count.
 */
#ifndef HOOK_H
#define HOOK_H

#include <stdio.h>

#include "claim.h"
#include "guest.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_REFUSED = 4 };

struct hook {
	struct host *h;
	unsigned vmid;
	const char *snippets;		/* folder of the per-VM settings, or NULL */
	const char *migrated_from;	/* PVE_MIGRATED_FROM, or NULL */
	pid_t parent;			/* who started us, as main() saw it first; 0 = ask */
	uint64_t now_unix;
	bool timing;			/* print critical_path_us=N for measurements */
	int cancel;			/* signalfd, or -1 */
	uint64_t (*limit)(enum step_kind kind, enum step_way way);
	FILE *out;
};

/* Each phase: an exit status. */
int hook_prestart(struct hook *k);
int hook_poststart(struct hook *k);
int hook_poststop(struct hook *k);
/* What post-stop does, after a pre-start whose VM does not start: nothing lingers. */
int hook_undo_start(struct hook *k);

/*
 * The VM's own hookscript, which ours has taken the place of: `next =` in its settings, run after our
 * part with the same arguments.  Before a start its failure is ours, and the devices go back; in the
 * other phases it is a warning, as it is to Proxmox.
 */
int hook_next(struct hook *k, const char *vmid, const char *phase);

/* The whole program but for process-wide set-up.  Tests call it with a fake host. */
int hook_main(struct hook *k, int argc, char *const argv[]);

/*
 * Other VMs, and nothing else, are why the plan is refused: does what the setting other_vm says, which is to wait
 * for their end or to bring it about through qm.  Until then it takes as long as the setting allows.  False: there
 * is nothing to be done.  True: enter and plan again; all our locks have been let go, as the other VMs' hooks need them.
 */
bool hook_make_room(struct hook *k, struct claim *c, const struct settings *s, const struct plan *p);

#endif
