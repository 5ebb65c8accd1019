/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hookfile - the snippet `gpu-hook` in a storage: is it there, is it ours, putting it there.
 *
 * Proxmox wants a hookscript in the snippets folder of a storage (pve-guest-common: GuestHelpers.pm:
 * check_hookscript): a regular file with the execute bit.  What lies there is three lines of shell that
 * start the installed program, so that an upgrade needs no new snippet, and a node without the program
 * starts its VMs all the same.
 */
#ifndef HOOKFILE_H
#define HOOKFILE_H

#include <stdbool.h>

#include "err.h"
#include "host.h"
#include "storage.h"

#define HOOKFILE_NAME "gpu-hook"
#define HOOKFILE_EXAMPLE "example.gpu.ini"

/* What lies at a path. */
enum hookfile_state {
	HOOKFILE_ABSENT,
	HOOKFILE_OURS,		/* and as it should be */
	HOOKFILE_OLD,		/* ours, but of another version, or not executable */
	HOOKFILE_FOREIGN,
};
/* Negative: it cannot be told. */
int hookfile_look(struct host *h, const char *path, enum hookfile_state *ret, struct err *e) _must_check_;

/* Does this `hookscript:` value mean our snippet?  By the file where it can be read, else by its name. */
bool hookfile_is_ours(struct host *h, const struct storages *s, const char *volid);

/* The storage whose snippet this `hookscript:` value means; NULL: none, or not under our name. */
const struct storage *hookfile_storage_of(const struct storages *s, const char *volid);

/* The storage of this node to use: the one named, or one that has our snippet, or one for snippets, or
 * `local`.  -EPERM with a sentence: it cannot be used here (disabled, not on this node, not mounted, no
 * snippets). */
int hookfile_storage(struct host *h, const struct storages *s, const char *id, const struct storage **ret,
		     struct err *e) _must_check_;

/* "local:snippets/gpu-hook" and where that is. */
struct host_path hookfile_volid(const struct storage *st);
struct host_path hookfile_path(const struct storage *st);

/* Creates the folder, puts the snippet and the example there, each at once as a whole.  1: something was
 * written, 0: all was there.  -EPERM: somebody else's file has the name. */
int hookfile_install(struct host *h, const struct storage *st, bool dry_run, struct err *e) _must_check_;
int hookfile_remove(struct host *h, const struct storage *st, struct err *e) _must_check_;

#endif
