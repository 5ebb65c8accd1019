/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook_users - every guest of the cluster with its hookscript: is it ours, does it exist where the guest
 * lives, and does it need one?
 */
#ifndef HOOK_USERS_H
#define HOOK_USERS_H

#include "hookfile.h"
#include "result.h"
#include "vmfile.h"

/* A rollback brings this hookscript back. */
struct hook_snapshot {
	char node[NODENAME_SIZE];
	unsigned vmid;
	char name[64];
	char volid[256];
};

struct hook_users {
	struct host *h;
	char here[NODENAME_SIZE];
	struct storages storages;
	struct hook_user *list;		/* by node, then id */
	size_t n, size;
	struct hook_snapshot *snapshots;	/* whose hookscript is ours */
	size_t n_snapshots, snapshots_size;
	struct str notes;		/* configs that could not be read */
	struct err *e;
};

int hook_users_load(struct host *h, struct hook_users *ret, struct err *e) _must_check_;
void hook_users_release(struct hook_users *u);

#endif
