/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest - from a VM id to a plan: the one place where Proxmox's words and the claim's meet.
 *
 * guest_load() reads the VM's configuration and stops there: a VM without devices costs nothing
 * more.  guest_plan() finds out which functions the start will use, by Proxmox's own rules
 * (qemu-server: QemuServer/PCI.pm: parse_hostpci, choose_hostpci_devices), gathers the facts about
 * them and builds the plan.
 */
#ifndef GUEST_H
#define GUEST_H

#include "claim.h"
#include "hostpci.h"
#include "plan.h"
#include "settings.h"
#include "str.h"

enum guest_kind {
	GUEST_VM,
	GUEST_TEMPLATE,		/* never runs with devices: a start is its backup */
	GUEST_CONTAINER,	/* the hook serves containers too; there is nothing to do for one */
};

struct guest_pci {
	char key[12];			/* "hostpci0" */
	char *value;			/* as the reader keeps it; owned */
	struct hostpci pci;
	bool left_alone;		/* mdev, vGPU or driver=keep: Proxmox does not bind it, nor do we */
};

struct guest {
	unsigned vmid;
	enum guest_kind kind;
	bool backup;			/* `lock: backup`: vzdump starts it, paused, with all its devices */
	struct guest_pci pci[HOSTPCI_MAX];
	size_t n;
	struct str notes;		/* config lines that Proxmox will drop, one line each, for people */
};

/*
 * Reads /etc/pve/qemu-server/<vmid>.conf or, when `migrated_from` names a node (the variable
 * PVE_MIGRATED_FROM, NULL or "" otherwise), that node's folder.  -ENOENT when there is neither a VM
 * nor a container of this id.  Only the current section counts.
 */
int guest_load(struct host *h, unsigned vmid, const char *migrated_from, struct guest *ret,
	       struct err *e) _must_check_;
void guest_release(struct guest *g);
/* There is at least one entry that we take. */
bool guest_has_devices(const struct guest *g);

/* Nobody's wish for a function or, with `whole`, for all of its slot: what commands do to a card without a VM goes by the highest id that
 * Proxmox allows (pve-common: JSONSchema.pm: pve-vmid).  -EEXIST when there is such a VM. */
#define GUEST_NOBODY 999999999
int guest_nobody(struct host *h, struct bdf bdf, bool whole, struct guest *ret, struct err *e) _must_check_;

struct guest_view {
	struct snapshot *snapshot;	/* owned */
	struct inuse *inuse;		/* who uses the plan's devices; owned, NULL = nothing was looked at */
	struct plan plan;		/* owned */
};
#define GUEST_VIEW_INIT { NULL, NULL, PLAN_INIT }
void guest_view_release(struct guest_view *v);

/* Nobody who uses a device is stopped or waited for, whatever the settings say; `why` becomes their origin. */
void guest_spare_users(struct settings *s, const char *why);
/* With `backup = take-if-free` nobody is stopped for a backup's start, whatever the other settings say. */
void guest_adapt(const struct guest *g, struct settings *s);

/* Host-wide and per-VM settings -> what the plan and the claim need of them. */
void guest_policy(const struct settings *s, struct policy *ret);

/*
 * The plan of a start.  `holds` are other VMs' leases, `origins` the devices of this VM's own
 * unfinished lease; `now_unix` is the wall clock for Proxmox's reservations.  Refusals are in the
 * plan; an error means that it could not be made.
 */
struct guest_input {
	const struct settings *settings;
	const struct hold *holds;
	size_t n_holds;
	const struct device *origins;
	size_t n_origins;
	const struct step *stopped;	/* what it has stopped of the host's: lease_stopped() */
	size_t n_stopped;
	uint64_t now_unix;
	bool starting;			/* a real start: VFIO groups may be opened to see whether that is possible */
	const char *chain;		/* of resets (reset.h), or PLAN_EVERY_RESET; NULL = what the cards offer */
	bool dead_too;			/* a dead card is no refusal: the wish is to revive it */
};
int guest_plan(struct host *h, const struct guest *g, const struct guest_input *in,
	       struct guest_view *ret, struct err *e) _must_check_;

/* What claims must know of VMs. */
extern const struct claim_world guest_world;

/*
 * How the VM ended, by who is cleaning up after it (`pid`, the caller of post-stop): a task of Proxmox's
 * (its title says "task UPID:...:qmstop:..."), or 'qm cleanup VMID CLEAN GUEST', which qmeventd starts with
 * what QEMU told it last (qemu-server: qmeventd/qmeventd.c, CLI/qm.pm: cleanup).
 */
enum step_end guest_end(struct host *h, pid_t pid);

/* Who a process holding a VFIO group is, for messages and status. */
int guest_qemu(struct host *h, unsigned vmid, struct lease_process *ret, struct err *e) _must_check_;

#endif
