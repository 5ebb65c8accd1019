/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storage - where "<storage>:snippets/<name>" lies: /etc/pve/storage.cfg.
 *
 * Proxmox only computes the path of a hookscript; whether the storage is enabled, allowed on this
 * node, mounted, or lists `snippets` in its content plays no part (pve-guest-common:
 * GuestHelpers.pm: check_hookscript; pve-storage: Storage.pm: path, Storage/Plugin.pm: get_subdir).
 * These are reported beside the path, for warnings.
 *
 * Without a file, and whatever a file says that differs, there is a storage `local` of type dir at
 * /var/lib/vz (Storage/Plugin.pm: parse_config).
 */
#ifndef STORAGE_H
#define STORAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "host.h"

#define STORAGE_FILE "/etc/pve/storage.cfg"

struct storage {
	char *id, *type;
	char *path;		/* NULL: a type whose snippets we do not know, or broken */
	char *snippets;		/* the folder of its snippets; NULL exactly when path is */
	char *nodes;		/* names separated by single spaces; "" = every node */
	char *mountpoint;	/* must be a mount point, or the storage is offline; "" = need not */
	bool shared;
	bool disabled;
	bool offers_snippets;	/* `content` lists snippets: the GUI shows them */
	bool broken;		/* Proxmox drops this definition: something required is missing (whether
				 * `server` could be a server's name is not looked at) */
	unsigned line;		/* of the header; 0 = Proxmox's own `local` */
};

struct storages {
	struct storage *list;	/* in file order, each id once (the last definition counts); owned */
	size_t n;
};

#define STORAGES_INIT { NULL, 0 }

int storage_load(struct host *h, struct storages *ret, struct err *e) _must_check_;
void storage_release(struct storages *s);

const struct storage *storage_find(const struct storages *s, const char *id);	/* NULL = none */
bool storage_on_node(const struct storage *s, const char *node);

/* Path of a snippet volume id.  -EINVAL: not of the form "<storage>:snippets/<name>"; -ENOENT: no
 * such storage; -ENOTSUP: a type whose snippets we do not know; -ENAMETOOLONG. */
int storage_resolve(const struct storages *s, const char *volid, char *buf, size_t size,
		    struct err *e) _must_check_;

#endif
