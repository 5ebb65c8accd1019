/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_maps - device nodes in a process's memory map, whose descriptor may be closed already.
 *
 * The mapping alone keeps the file open (vm_file), so that a driver waits for it like for any user.
 */
#ifndef INUSE_MAPS_H
#define INUSE_MAPS_H

#include "inuse_match.h"

struct inuse_maps {
	char *buf;		/* one for all processes; NULL = not wanted */
};

int inuse_maps_init(struct inuse_maps *m, bool wanted) _must_check_;
void inuse_maps_release(struct inuse_maps *m);

/* Reads a /proc/PID/maps to its end, whatever its size. */
int inuse_maps_read(struct inuse_maps *m, struct host *h, const char *path, const struct inuse_match *match,
		    inuse_match_fn fn, void *arg) _must_check_;

#endif
