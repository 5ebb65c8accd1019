/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hooknext - `next =` in a VM's own settings: the hookscript that was there before ours, and is run by it.
 *
 * What attach --chain writes is a block of two lines behind what DIR/<vmid>.gpu.ini has, "[hook]" and
 * "next = VOLUME".  What looks different is somebody's own work, which stays.
 */
#ifndef HOOKNEXT_H
#define HOOKNEXT_H

#include "cli.h"
#include "settings.h"
#include "storage.h"

/* "/var/lib/vz/snippets/100.gpu.ini" */
struct host_path hooknext_path(const struct storage *st, unsigned vmid);

/* What the file is to contain, so that ours runs `next`: 1 with the text, 0 when it says so already.  -EPERM:
 * it says something else, or has a [hook] of its own. */
int hooknext_plan(struct host *h, const struct storage *st, unsigned vmid, const char *next, struct str *ret,
		  struct err *e) _must_check_;
int hooknext_write(struct host *h, const struct storage *st, unsigned vmid, const struct str *text,
		   struct err *e) _must_check_;

/* The hookscript to set when ours goes: what it ran after itself; "" = none.  -EPERM: no hookscript to Proxmox. */
int hooknext_former(struct host *h, const struct storage *st, unsigned vmid, char ret[SETTINGS_HOOK_SIZE],
		    struct err *e) _must_check_;

/* Ours is gone: takes the block out, and the file when nothing else is in it.  What stays is noted. */
void hooknext_forget(struct cli *c, const struct storage *st, unsigned vmid);

#endif
