/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nodename - what this node is called in the cluster.
 *
 * Proxmox takes the host name up to its first dot (pve-common: INotify.pm: nodename; pmxcfs
 * likewise).  It is read from /proc/sys/kernel/hostname and, where a captured tree lacks that, from
 * /etc/hostname or the target of /etc/pve/local.
 */
#ifndef NODENAME_H
#define NODENAME_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "host.h"

#define NODENAME_SIZE 256

/* Letters, digits and inner hyphens (pve-common: JSONSchema.pm: pve_verify_node_name). */
bool nodename_is_valid(const char *name);

/* The name, valid and NUL-terminated.  Negative with a sentence when there is no usable name. */
int nodename_read(struct host *h, char *buf, size_t size, struct err *e) _must_check_;

#endif
