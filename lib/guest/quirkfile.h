/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quirkfile - the files of quirks (quirks.h): ours, and the administrator's.
 *
 * /usr/share/pve-gpu/quirks.ini first, then /etc/pve-gpu/quirks.d/NAME.ini in order of name; later ones have
 * the last word.  A section is a quirk.  Only those that are about a device of the plan are kept.  The
 * files are read as strictly as settings.ini, and believed only when nobody but root can change them.
 */
#ifndef QUIRKFILE_H
#define QUIRKFILE_H

#include "plan.h"
#include "quirks.h"

#define QUIRKS_FILE "/usr/share/pve-gpu/quirks.ini"
#define QUIRKS_DIR "/etc/pve-gpu/quirks.d"

/* What is known of these functions, whose records are in the snapshot.  malloc'ed. */
int quirkfile_find(struct host *h, const struct snapshot *s, const struct bdf *fns, size_t n,
		   struct quirk_hit **ret, size_t *ret_n, struct err *e) _must_check_;

#endif
