/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modconf - which modules the administrator wants loaded, how, and which not: every line of modprobe.d,
 * modules-load.d, /etc/modules and the initramfs's own list, with its file.
 *
 * Formats: modprobe.d(5), modules-load.d(5), initramfs-tools(7).
 */
#ifndef MODCONF_H
#define MODCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "host.h"
#include "source.h"

enum mod_kind {
	MOD_BLACKLIST,		/* blacklist MODULE */
	MOD_OPTIONS,		/* options MODULE rest */
	MOD_INSTALL,		/* install MODULE rest */
	MOD_SOFTDEP,		/* softdep MODULE rest */
	MOD_LOAD,		/* to be loaded at boot; rest = its options */
	MOD_INITRAMFS,		/* to be put into the initramfs */
};

struct mod_line {
	enum mod_kind kind;
	char module[64];	/* with '_' for '-' */
	char rest[256];		/* what follows it */
	bool cut;		/* ... and more that did not fit */
	char text[328];		/* the line as it stands, cut if it is longer */
	struct source at;
};

struct modconf {
	struct mod_line *v;	/* in the order of reading */
	size_t n, size;
};

int modconf_load(struct host *h, struct modconf *ret, struct err *e) _must_check_;
void modconf_release(struct modconf *c);

/* The value of "name=value" among an options line's words, into buf; false when there is none. */
bool mod_option(const struct mod_line *l, const char *name, char *buf, size_t size);

/* Does the line keep the module from being loaded: a blacklist, or an install line that does nothing? */
bool mod_forbids(const struct mod_line *l);

/* '-' becomes '_', in place. */
void mod_normalise(char *name);

#endif
