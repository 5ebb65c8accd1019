/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmfile - a VM's config as a file: where it is, whether it may be changed, and changing it safely.
 *
 * A change is made the way Proxmox makes it: under the VM's flock, from bytes that were read under
 * it, on the node that owns the VM, never while `lock:` says that a long operation is under way.
 */
#ifndef VMFILE_H
#define VMFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "host.h"
#include "nodename.h"
#include "schema.h"
#include "vmedit.h"

#define VMFILE_LOCK_MS 10000		/* as long as Proxmox waits (AbstractConfig.pm: lock_config) */

/* "/etc/pve/qemu-server/100.conf" */
struct host_path vmfile_path(unsigned vmid);

/* The names of CPU models that only this cluster knows; for vmconf_parse_env().  It must stay where
 * it is while the env is used. */
struct vmfile_models {
	char *names;			/* " custom-a custom-b ", owned */
	struct schema_env env;
};
/* A missing or unreadable /etc/pve/virtual-guest/cpu-models.conf means that there are none. */
void vmfile_models_load(struct host *h, struct vmfile_models *ret);
void vmfile_models_release(struct vmfile_models *m);

/* Why there is no VM `vmid` here: it is a container, lives on another node, or does not exist at all.
 * -EXDEV with the node's name in the sentence, -EINVAL (a container), -ENOENT, -ENOLINK (/etc/pve is not
 * mounted). */
int vmfile_missing(struct host *h, unsigned vmid, struct err *e) _must_check_;

/* The config of VM `vmid` on this node, to look at.  Errors as above, or those of reading. */
int vmfile_load(struct host *h, unsigned vmid, const struct schema_env *env, struct vmconf **ret,
		struct err *e) _must_check_;

/* May this config be changed?  -EBUSY: `lock:`; -EPERM: a template. */
int vmfile_check_free(const struct vmconf *c, unsigned vmid, struct err *e) _must_check_;

/* Was nothing touched because of a rule, or did something go wrong?  By the error's code. */
bool vmfile_is_refusal(int r);

/* What is to be done with a config: calls vmedit_put(), vmedit_drop().  Negative with a sentence: nothing
 * is written. */
typedef int (*vmfile_fn)(void *arg, struct vmedit *ed, struct err *e);

struct vmfile_change {
	struct vmconf *before, *after;	/* owned */
	bool newline_added;
	bool running;
	bool written;			/* false: a dry run, or nothing to change */
};
#define VMFILE_CHANGE_INIT { NULL, NULL, false, false, false }
void vmfile_change_release(struct vmfile_change *c);

struct vmfile_edit {
	vmfile_fn edit;
	/* Called with what is about to be written, before it is (may be NULL).  Negative: it is not. */
	int (*record)(void *arg, const struct vmfile_change *change, struct err *e);
	/* Called when it is written or nothing had to be, the lock still held (may be NULL). */
	void (*written)(void *arg);
	/* Called when it was recorded and could not be written, the lock still held (may be NULL). */
	void (*unwritten)(void *arg);
	void *arg;
	bool dry_run;			/* no lock is taken and nothing is written */
};

/* Reads, edits and replaces the config.  *ret is filled on success only. */
int vmfile_change(struct host *h, unsigned vmid, const struct schema_env *env, const struct vmfile_edit *what,
		  struct vmfile_change *ret, struct err *e) _must_check_;

/* --- all VMs ----------------------------------------------------------------------------------- */

struct vmfile_entry {
	char node[NODENAME_SIZE];
	unsigned vmid;
	bool container;
	struct host_path path;
};

/* Calls fn for every guest of one node (NULL: of every node), VMs before containers, each by id; non-zero ends it and is
 * returned.  A tree without /etc/pve/nodes has this node's guests only. */
typedef int (*vmfile_each_fn)(void *arg, const struct vmfile_entry *entry);
int vmfile_each(struct host *h, const char *node, vmfile_each_fn fn, void *arg, struct err *e) _must_check_;

#endif
