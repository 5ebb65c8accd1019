/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan - what a claim would do, as data; and every reason not to do it.
 *
 * plan_build() is pure: wishes, a snapshot of the machine, other people's rights and the
 * administrator's policy go in, ordered steps and refusals come out.  Nothing has been touched when
 * it returns, all refusals are there at once, and a plan with a refusal is never carried out.
 *
 * Every function of the IOMMU groups of the wanted devices is in the plan (bridges excepted),
 * because Proxmox binds them all (SysFSTools.pm pci_dev_group_bind_to_vfio) and because the kernel
 * lends a group only as a whole (drivers/iommu/iommu.c iommu_group_claim_dma_owner).
 */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "inuse.h"
#include "pdev.h"
#include "quirks.h"
#include "snapshot.h"

/* A function that the VM's configuration asks for. */
struct want {
	struct bdf bdf;
	char key[12];			/* "hostpci0" */
};

/* Somebody else's right to a function. */
struct hold {
	struct bdf bdf;
	unsigned vmid;			/* 0 = no VM */
	char who[160];			/* "VM 101, which is running (pid 4242)" */
	bool hangs;			/* nobody: a step that was given up */
	unsigned vfs;			/* it is the physical function of so many that a lease has made, or is to make */
	char autoprobe[8];		/* and this was its sriov_drivers_autoprobe before */
};

/* The id of the one refusal that time may settle: the device is being closed. */
#define PLAN_CLOSING "closing"

struct refusal {
	char id[24];			/* stable: "held", "no-iommu"... */
	char address[24];		/* "" when it is about no single device */
	char reason[800];		/* a sentence */
	char hint[320];			/* what to do about it, "" when nothing */
	unsigned vmid;			/* the VM in the way, 0 = none */
	char setting[20];		/* the setting that would have it otherwise, "" = none */
};

/* What is worth knowing before a plan is carried out, and no reason not to. */
struct warning {
	struct bdf bdf;
	char text[640];			/* a sentence that begins with the address */
};

/* Uses of a device that a host can do without if its administrator says so. */
enum {
	PLAN_ALLOW_BOOT_DISPLAY	= 1 << 0,
	PLAN_ALLOW_ONLY_DISPLAY	= 1 << 1,
	PLAN_ALLOW_BMC_DISPLAY	= 1 << 2,
	PLAN_ALLOW_LAST_INPUT	= 1 << 3,
};

/* "boot-display" -> PLAN_ALLOW_BOOT_DISPLAY; 0 = no such word.  `plan_allow_words` has them all, for people. */
unsigned plan_allow(const char *word);
extern const char plan_allow_words[];

/* What becomes of group members that nobody asked for. */
enum members_policy { MEMBERS_IDLE, MEMBERS_TAKE, MEMBERS_REFUSE };
/* AUTO: at the claim, and at the return of a card that needs it.  ALWAYS: both, and no way is a refusal. */
enum reset_policy {
	POLICY_RESET_AUTO, POLICY_RESET_ALWAYS, POLICY_RESET_NEVER, POLICY_RESET_ON_CLAIM, POLICY_RESET_ON_RETURN,
};

/* Where a card is while no VM has it: with its host driver, or on vfio-pci, asleep or awake. */
enum idle_policy { IDLE_HOST_DRIVER, IDLE_VFIO_D3, IDLE_AWAKE };

/* What is done about the host's users of a device: see plan_free.h. */
struct free_policy {
	bool services_auto;		/* stop the services that have it open */
	enum { FREE_CONTAINERS_REFUSE, FREE_CONTAINERS_STOP, FREE_CONTAINERS_FREEZE } containers;
	enum { FREE_PROCESSES_REFUSE, FREE_PROCESSES_TERM, FREE_PROCESSES_KILL } processes;
	uint64_t grace_ms;		/* from SIGTERM to SIGKILL, or to giving up */
};

struct policy {
	enum members_policy members;
	enum idle_policy idle;
	enum reset_policy reset;
	const char *chain;		/* instead of what the cards offer (reset.h); NULL or "" = no such order */
#define PLAN_EVERY_RESET "*"		/* whatever could help, the gentlest that reaches the whole card first */
	uint64_t bar0;			/* MiB for BAR 0 of graphics cards, 0 = as it is */
	struct free_policy free;
	char other_vm[120];		/* what a start does about another VM that has a device, a sentence; "" = it refuses */
	unsigned allow;			/* PLAN_ALLOW_*: what the administrator can do without */
	bool dead_too;			/* the wish is to revive it: a dead card is no refusal */
};

/* A function in a plan or lease: what it was before anybody touched it. */
struct device {
	struct bdf bdf;
	char key[12];			/* "hostpci0", "" = dragged along by its group */
	uint16_t vendor, device;
	uint32_t class;
	int group;
	unsigned chain;			/* devices of one chain are handled one after another */
	char driver[PDEV_NAME];		/* "" = none */
	char module[PDEV_NAME];
	char override[PDEV_NAME];	/* "" = unset */
	char power[16];			/* power/control */
	int d3cold;			/* d3cold_allowed, -1 = unknown */
	char reset_method[PDEV_METHODS];
	struct pdev_link link;		/* 0 = unknown */
	bool kept;			/* an earlier start of this VM has had it in hand already */
	bool lost;			/* gone or replaced when it was to be given back; not written down */
};

enum step_kind {
	STEP_MODULE,	/* load `arg`, so that the driver `to` is there */
	STEP_POWER,	/* power/control and d3cold_allowed (`keep`: as it was): keep awake */
	STEP_METHOD,	/* reset_method: remembered, and put back if something changed it */
	STEP_OVERRIDE,	/* driver_override */
	STEP_CONSOLE,	/* detach the text console from the framebuffers, the last of which goes with this device */
	STEP_UNBIND,	/* from driver `from` (module `arg`) */
	STEP_BAR,	/* BAR 0 from size `from` to `to` (bits of bar.h), while nothing is bound */
	STEP_BIND,	/* to driver `to` */
	STEP_RESET,	/* the functions in `arg`, by the chain `to`; when they come back, by `from` */
	STEP_CHECK,	/* does it answer? */
	STEP_SERVICE,	/* stop the unit `to`, which is started again on the way back */
	STEP_CONTAINER,	/* the same with the container `to` */
	STEP_FREEZE,	/* its processes stand still instead */
	STEP_VFS,	/* make `arg` virtual functions of `to`; `keep`: sriov_drivers_autoprobe as it was */
	STEP_PROCESS,	/* end the process `to`, which began at `from`, called `arg`; `keep`: "term MS" or "kill MS" */
};

#define STEP_KINDS 15
#define STEP_ARG 448

/* Everything inline, so that a step can be written to the journal and sent to a worker as it is. */
struct step {
	enum step_kind kind;
	unsigned chain;			/* 0 = before all chains */
	struct bdf bdf;			/* all zero for what is about no device: step_has_device() */
	bool exact;			/* STEP_RESET: those methods and no others (reset.h) */
	bool must;			/* STEP_RESET: no way to reset is a failure */
	bool kept;			/* an earlier start may have done it: to be taken back in any case */
	bool stay;			/* not taken back after a VM had it; STEP_POWER: then `arg` is written */
	int enable;			/* STEP_BIND: enable count right after the bind, -1 = unknown; STEP_SERVICE,
					 * _CONTAINER, _FREEZE: 0 = it did not run when its turn came */
	char from[PDEV_METHODS], to[PDEV_METHODS];
	char keep[PDEV_NAME];		/* STEP_UNBIND: the override to leave behind once it is bound again;
					 * STEP_RESET: when to reset on return, "auto" or "always" */
	char port[20];			/* STEP_RESET with a rescan: what the card hangs below */
	char arg[STEP_ARG];
};

/* A quirk that is about this function. */
struct quirk_hit {
	struct bdf bdf;
	struct quirk quirk;
};

/* A service that is to be stopped whether or not it has a device open right now. */
struct unit { char name[PDEV_METHODS]; };

/* systemd stops `with`, which runs, whenever `unit` is stopped. */
struct pull { struct unit unit, with; };

struct plan {
	unsigned vmid;
	struct device *devices;
	size_t n_devices, devices_size;
	struct step *steps;
	size_t n_steps, steps_size;
	struct refusal *refusals;
	size_t n_refusals, refusals_size;
	struct warning *warnings;	/* like the quirks: for people */
	size_t n_warnings, warnings_size;
	unsigned chains;		/* 1..chains */
	struct quirk_hit *quirks;	/* what was known of the devices, for people; empty in a lease's plan */
	size_t n_quirks, quirks_size;
};

#define PLAN_INIT { 0 }

/* Virtual functions to make before anything else. */
struct plan_vfs {
	struct bdf pf;
	unsigned n;
	char autoprobe[8];		/* sriov_drivers_autoprobe, "" = unknown */
};

struct plan_input {
	unsigned vmid;
	const struct snapshot *snapshot;
	const struct want *wants;
	size_t n_wants;
	const struct hold *holds;
	size_t n_holds;
	const struct device *origins;	/* what devices of our own unfinished lease were at first */
	size_t n_origins;
	const struct plan_vfs *vfs;
	size_t n_vfs;
	const struct step *stopped;	/* steps by which it has stopped something, in their order */
	size_t n_stopped;
	const struct unit *units;	/* that run */
	size_t n_units;
	const struct pull *pulls;	/* of these, and of the services that have a device open */
	size_t n_pulls;
	const struct inuse *inuse;	/* may be NULL */
	const struct quirk_hit *quirks;
	size_t n_quirks;
	struct policy policy;
};

/* Only -ENOMEM fails; whatever is wrong with the wishes is a refusal. */
int plan_build(const struct plan_input *in, struct plan *ret, struct err *e) _must_check_;
void plan_release(struct plan *p);

/* Adds a refusal (for callers that find reasons of their own before the plan is built). */
int plan_refuse(struct plan *p, const char *id, const struct bdf *bdf, struct err *e,
		const char *hint, const char *fmt, ...) _printf_(6, 7);

/* Adds a warning. */
int plan_warn(struct plan *p, struct bdf bdf, struct err *e, const char *fmt, ...) _printf_(4, 5);

/* The functions the plan will be about: the wanted ones and the non-bridge members of their
 * groups, ascending, without repetition.  malloc'ed. */
int plan_closure(const struct snapshot *s, const struct want *wants, size_t n, struct bdf **ret,
		 size_t *ret_n, struct err *e) _must_check_;

/* It is about one or more functions, not about the host. */
bool step_has_device(const struct step *s);

/* The step is about this function: its own, or for a reset one of those it resets. */
bool step_concerns(const struct step *s, struct bdf bdf);
/* Which one of a reset's functions it is, from 0; -1: none of them. */
int step_place(const struct step *s, struct bdf bdf);

/* It makes virtual functions of this one. */
bool step_makes_vfs(const struct step *s, struct bdf pf);

/* The first method of a STEP_RESET's chain, "" = none at the claim. */
struct step_method { char s[32]; };
struct step_method step_first_method(const struct step *s);

/* "power", "override"... */
const char *step_kind_name(enum step_kind kind);

#endif
