/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach - giving devices to a VM's config, in four steps:
 *
 *   attach_items.c    what was asked for, and every reason not to do it, from the machine's point of view
 *   attach_others.c   other VMs' configs that name the same devices
 *   attach_edit.c     the edit itself, under the VM's lock: slots, machine, display, CPU, firmware
 *   attach_cpu.c      hiding the hypervisor, and an `args: -cpu` that is in its way
 *   attach_hook.c     the hookscript: which volume, whose, chaining
 *
 * Nothing is written before all reasons to refuse are known.
 */
#ifndef ATTACH_H
#define ATTACH_H

#include "cli.h"
#include "guest.h"
#include "hookfile.h"
#include "vmfile.h"

#define ATTACH_HIDDEN_VENDOR "proxmox"

/* One device: as it was asked for, as the config will have it. */
struct attach_item {
	const char *arg;
	char host[24];			/* "0000:01:00" or "0000:01:00.0"; "" = a mapping */
	const char *mapping;		/* or NULL */
	bool widened;			/* one function was named, the whole slot is meant */
	bool gpu;			/* a display controller is among its functions */
	char key[12];			/* "hostpci0", once the edit has chosen it */
};

struct attach {
	struct cli *c;
	unsigned vmid;
	struct attach_item items[HOSTPCI_MAX];
	size_t n;
	const struct vmconf *seen;	/* the config as it was before the lock was taken */
	struct guest_view view;		/* what a start with these devices would do */
	struct plan refusals;		/* only its list of refusals is used */
	struct str notes;		/* lines */
	struct storages storages;
	struct host_path hook;		/* the volume for `hookscript:`; "" = leave it alone */
	char next[256];			/* the foreign hookscript that ours is to run; "" = none */
	const struct storage *hook_storage;
	bool gpu;			/* at least one item is a card */
};

#define ATTACH_KEYS 24			/* keys that an attach may change */

/* Adds a line to the notes. */
void attach_note(struct attach *a, const char *fmt, ...) _printf_(2, 3);
/* Adds a refusal. */
int attach_refuse(struct attach *a, const char *id, const char *hint, struct err *e, const char *fmt, ...)
	_printf_(5, 6);

/* Usage errors are said and returned as CLI_USAGE. */
int attach_read_args(struct attach *a) _must_check_;
/* Facts and refusals.  Negative only when something could not be found out. */
int attach_judge(struct attach *a, struct err *e) _must_check_;
int attach_note_others(struct attach *a, struct err *e) _must_check_;

/* Decides about the hookscript: fills hook, next and hook_storage; writes nothing. */
int attach_plan_hook(struct attach *a, struct err *e) _must_check_;
/* Puts the snippet, and the VM's `next =`, where they belong. */
int attach_place_hook(struct attach *a, struct err *e) _must_check_;

/* The edit; vmfile_fn with a struct attach. */
int attach_edit(void *arg, struct vmedit *ed, struct err *e);
int attach_hide(struct attach *a, struct vmedit *ed, struct err *e) _must_check_;

/* The keys whose values an attach may change, for its record; the number. */
size_t attach_keys(const struct attach *a, const char *keys[ATTACH_KEYS]);

#endif
