/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * result - what the commands found out, before anybody decides how it looks.
 *
 * Results lend: whatever they point to belongs to the command and outlives the call that shows them.
 */
#ifndef RESULT_H
#define RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "abandoned.h"
#include "facts.h"
#include "finding.h"
#include "health.h"
#include "holders.h"
#include "leases.h"
#include "pdev.h"
#include "plan.h"
#include "propstr.h"
#include "run.h"
#include "settings.h"
#include "setup.h"
#include "snapshot.h"
#include "vmconf.h"

/* --- list ---------------------------------------------------------------------------------- */

/* Was there an answer to the question how it is? */
enum seen {
	NOT_SEEN,		/* not asked, or a captured tree without config space */
	SEEN,
	SEEN_HANGING,		/* reading did not come back */
};

struct list_device {
	const struct pdev *d;
	enum seen seen;
	struct health health;		/* SEEN */
	struct health_errors errors;	/* SEEN */
	uint64_t bar0_sizes, bar0_size;	/* lib/hw/bar.h */
	const char *name;
	bool card;			/* it is a display controller, or a function of its slot */
	unsigned lease;			/* VM id, 0 = none */
	const struct holder *held;	/* the holders of this function, `n_held` of them */
	size_t n_held;
};

struct list_result {
	bool all;			/* every assignable function was asked for */
	bool iommu;
	const struct list_device *list;	/* ascending */
	size_t n;
	const struct inuse *inuse;	/* who uses them; NULL: it could not be told */
};

/* --- plan ---------------------------------------------------------------------------------- */

struct plan_result {
	unsigned vmid;
	const char *nothing;		/* why there is nothing to take; NULL = there is a plan */
	const struct plan *plan;
	const struct snapshot *snapshot;
	const struct inuse *inuse;	/* who uses its devices; NULL: nothing was looked at */
	const char *const *names;	/* per device of the plan */
	const struct settings *settings;
};

/* --- status -------------------------------------------------------------------------------- */

struct status_device {
	const struct device *v;
	const char *name;
	char driver[PDEV_NAME];		/* now; "" = none */
	enum seen seen;
	struct health health;		/* SEEN */
	struct health_errors errors;	/* SEEN */
	char said[600];			/* why, when it is not well; "" otherwise */
	bool problem;
};

struct status_vm {
	struct leased l;
	struct names *names;
	struct inuse *inuse;		/* who uses them now; NULL: it could not be told */
	struct status_device *devices;	/* parallel to l.lease.plan.devices */
};

struct status_result {
	unsigned vmid;			/* asked for, 0 = all */
	uint64_t now_unix;
	const struct status_vm *vms;
	size_t n;
	const char *const *aside;	/* paths of damaged leases that were put aside */
	size_t n_aside;
	const struct abandoned *given_up;	/* devices that somebody has given up */
	size_t n_given_up;
};

/* --- reset, selftest ----------------------------------------------------------------------- */

struct trial;

struct reset_outcome {
	enum { RESET_DONE, RESET_WOULD, RESET_REFUSED, RESET_FAILED } verdict;
	const struct trial *trial;
	const char *why;		/* failed: the sentence; "" otherwise */
};

struct selftest_round {
	uint64_t take_ms, back_ms, take_ns, back_ns;
	char used[RESET_NAME];
	enum health_verdict health;	/* of its worst function */
	bool ok;
};

struct selftest_result {
	const struct trial *trial;
	const struct selftest_round *rounds;
	size_t n, asked;
	bool refused;
	const char *why;		/* of the round that failed, "" otherwise */
};

/* --- release ------------------------------------------------------------------------------- */

enum release_verdict {
	RELEASE_NONE,			/* the VM holds nothing */
	RELEASE_DONE,
	RELEASE_WOULD,			/* a dry run that found no obstacle */
	RELEASE_GIVEN_UP,		/* what could not be given back was given up */
	RELEASE_DROPPED,		/* a lease of an earlier boot: its file was removed */
	RELEASE_REFUSED,		/* nothing was touched */
	RELEASE_FAILED,
};

struct release_result {
	unsigned vmid;
	enum release_verdict verdict;
	const char *why;		/* refused, failed: the sentence */
	const struct lease *lease;	/* done, would: what went where; else NULL */
	const struct run_report *report;
	uint64_t ms;
	struct names *names;		/* may be NULL */
	const struct abandoned *given_up;	/* of this VM */
	size_t n_given_up;
	bool abandon;			/* a dry run of giving up */
};

/* --- doctor -------------------------------------------------------------------------------- */

struct doctor_result {
	unsigned vmid;			/* 0: the host was examined */
	const struct facts *facts;
	struct findings findings;	/* the command's */
};

/* --- config -------------------------------------------------------------------------------- */

struct config_device {
	struct bdf bdf;
	const struct pdev *d;		/* NULL: there is no such device here */
	const char *name;
};

struct config_entry {
	char key[24];			/* "hostpci0" */
	const char *value;		/* as the reader keeps it, or as it is written when it drops it */
	size_t value_len;
	unsigned line;			/* in the file, from 1 */
	bool ok;			/* Proxmox keeps the line */
	char error[800];		/* why not; "" otherwise */
	struct propstr options;		/* only when ok; points into value */
	struct str problems;		/* what else is wrong with it, a sentence per line */
	struct config_device *devices;
	size_t n_devices;
};

struct config_result {
	unsigned vmid;
	bool all;
	const struct vmconf *conf;
	const struct vmconf_section *section;	/* the one that was asked for; NULL: there is no such */
	const char *title;		/* what it is called: "current configuration" */
	const struct config_entry *entries;
	size_t n;
	size_t problems;		/* dropped lines and sentences, over all entries */
};

/* --- attach, detach ------------------------------------------------------------------------ */

struct edit_result {
	unsigned vmid;
	const char *verb;		/* "attach" */
	bool dry_run;
	bool running;			/* what does not apply at once waits for the next start */
	bool written;
	const char *path;
	const char *diff;		/* "" = nothing to change */
	const char *digest;		/* of the file as it is (or would be) now; NULL when refused */
	const char *const *keys;	/* devices: "hostpci0" */
	size_t n_keys;
	const struct refusal *refusals;	/* nothing was touched */
	size_t n_refusals;
	bool said;			/* the one refusal there is was said on stderr already */
};

/* --- hook ---------------------------------------------------------------------------------- */

enum hook_exists { HOOK_UNKNOWN, HOOK_THERE, HOOK_MISSING };

struct hook_user {
	char node[256];
	unsigned vmid;
	bool container;
	char volid[256];		/* "" = no hookscript */
	bool ours;
	enum hook_exists exists;	/* where the guest lives; HOOK_UNKNOWN: this node cannot see it */
	unsigned devices;		/* hostpci entries */
	char problem[400];		/* "" = none */
};

struct hook_result {
	const char *what;		/* "installed", "unchanged", "removed", "absent" or "status" */
	bool dry_run;
	const char *storage, *volid, *path;
	const struct hook_user *users;	/* status */
	size_t n;
};

/* --- mapping ------------------------------------------------------------------------------- */

struct mapping_row {
	const char *name, *node;	/* node NULL: the mapping has no entry at all */
	const char *id, *subsystem, *group;	/* as written; NULL = not given */
	char paths[256];
	bool here;			/* this node's, so that it could be compared with the hardware */
	char problem[800];		/* why Proxmox would refuse a start; "" = nothing found */
};

struct mapping_result {
	const char *what;		/* "list", "added", "removed", "refreshed", "unchanged" */
	bool dry_run;
	const struct mapping_row *rows;
	size_t n;
	const char *path, *diff;	/* of a change */
};

/* --- setup --------------------------------------------------------------------------------- */

enum setup_state { SETUP_PLANNED, SETUP_APPLIED, SETUP_UNDONE, SETUP_FAILED, SETUP_REFUSED, SETUP_VERIFIED };

struct setup_result {
	enum setup_state state;
	const struct setup_plan *plan;		/* planned, applied, failed; NULL = it is not about one */
	const char *diff;			/* of the plan; refused: the three versions */
	const struct setup_report *report;	/* NULL = nothing was tried */
	const struct findings *findings;	/* verified */
};

#endif
