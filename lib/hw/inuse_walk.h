/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_walk - what drivers made of a PCI function: its part of sysfs, walked once.
 *
 * Links are not followed and other PCI functions below (a bridge's) are not entered, except below a
 * controller that makes a PCI domain of its own (Intel VMD: drivers/pci/controller/vmd.c), with which
 * all of them would go.
 */
#ifndef INUSE_WALK_H
#define INUSE_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "bdf.h"
#include "host.h"

enum inuse_part_kind {
	INUSE_PART_CHAR,	/* a character device; with subsystem "usb", a USB device */
	INUSE_PART_BLOCK,	/* a disk or partition */
	INUSE_PART_NET,		/* a network interface; without a name: interfaces exist, but in another
				 * network namespace, where sysfs does not show them (net/core/net-sysfs.c) */
};

struct inuse_part {
	size_t fn;		/* index of the function it belongs to */
	enum inuse_part_kind kind;
	bool below_usb;		/* belongs to a USB device, not to the function itself */
	unsigned major, minor;
	char subsystem[32];
	char name[64];		/* the kernel's: "card0", "nvme0n1p2", "eno1", "1-1.2" */
	struct host_path path;
};

struct inuse_parts {
	struct inuse_part *v;
	size_t n, size;
};

/* Adds the parts of one function.  A function that is not there has none.  Folders that vanish
 * meanwhile are no error; -ENOMEM and what else the file system says is. */
int inuse_walk(struct inuse_parts *p, struct host *h, struct bdf bdf, size_t fn) _must_check_;
void inuse_parts_release(struct inuse_parts *p);

#endif
