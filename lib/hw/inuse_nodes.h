/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_nodes - a growing set of device nodes to look for (struct inuse_node of inuse_proc.h).
 */
#ifndef INUSE_NODES_H
#define INUSE_NODES_H

#include "inuse_proc.h"

struct inuse_nodes {
	struct inuse_node *v;
	size_t n, size;
};

/* Takes over a copy.  -ENOMEM. */
int inuse_nodes_add(struct inuse_nodes *s, const struct inuse_node *node) _must_check_;

/* The character device of a sysfs folder whose node is /dev/NAME; without a readable `dev`
 * attribute it is known by name only. */
int inuse_nodes_add_dev(struct inuse_nodes *s, struct host *h, const char *folder, const char *name,
			size_t tag) _must_check_;

/* "226:128" of an attribute; -EINVAL for anything else. */
int inuse_nodes_number(struct host *h, const char *path, unsigned *ret_major, unsigned *ret_minor) _must_check_;

void inuse_nodes_release(struct inuse_nodes *s);

#endif
