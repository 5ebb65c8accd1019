/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hookscript - the VM's `hookscript:` line: is there one, and in which folder does it lie?
 *
 * The snippet hands its own folder to gpu-hook, which finds the VM's settings there.  Whoever wants
 * to know what a start would do has to find the same file.
 */
#ifndef HOOKSCRIPT_H
#define HOOKSCRIPT_H

#include <stddef.h>

#include "err.h"
#include "host.h"

struct hookscript {
	char volid[256];	/* "local:snippets/gpu-hook"; "" = the VM has none */
	char folder[512];	/* "" = not known */
};

/* Reads the config of VM `vmid`.  -EINVAL and other errors: it names a place that cannot be found; the
 * volid is filled all the same. */
int hookscript_find(struct host *h, unsigned vmid, struct hookscript *ret, struct err *e) _must_check_;

#endif
