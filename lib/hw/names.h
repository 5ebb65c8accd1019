/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names - what devices are called, from pci.ids through libpci.
 *
 * libpci reads a table of more than a megabyte and ends the process when something displeases it
 * (its `error` callback must not return), so it works in a child, at the lowest priority, while the
 * parent does what matters; the names are fetched at the end.  The library is opened only in that
 * child: a start without devices does not load it, and without it devices have numbers.
 *
 * This is the only file that knows libpci.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "host.h"

struct names_id { uint16_t vendor, device; };

struct names;

/* Starts looking up `n` devices.  A captured tree's own /usr/share/misc/pci.ids is preferred. */
int names_start(struct host *h, const struct names_id *ids, size_t n, struct names **ret, struct err *e) _must_check_;

/* How long the first names_get() waits: a second, unless more is said here.  A start has no more. */
void names_patience(struct names *names, uint64_t ms);

/* "NVIDIA Corporation AD102 [GeForce RTX 4090]", or "[10de:2684]" when there is no name or none came
 * in time.  Valid until names_free(); safe for one line. */
const char *names_get(struct names *names, size_t i);

/* Names that were looked up before, "10de:2684 NVIDIA ..." per line: the next start of a VM with the
 * same card need not ask again.  Only names_keep() writes it, in a folder that is root's alone; a
 * failure is nobody's concern. */
#define NAMES_KEPT "/run/pve-gpu/names"
void names_keep(struct names *names);

void names_free(struct names *names);	/* accepts NULL */

#endif
