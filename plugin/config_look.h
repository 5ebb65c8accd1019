/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_look - the passthrough lines of a VM's config, what they mean here, and what is wrong with them.
 */
#ifndef CONFIG_LOOK_H
#define CONFIG_LOOK_H

#include "hostpci.h"
#include "names.h"
#include "result.h"
#include "vmfile.h"

struct config_look {
	struct host *h;
	unsigned vmid;
	const struct schema_env *env;
	const struct vmconf *conf;
	const struct vmconf_section *section;
	bool here;			/* the VM is this node's: its devices can be looked up */
	struct config_entry *list;
	struct hostpci *parsed;		/* parallel to list; empty where it is not ok */
	size_t n, size, parsed_size;
	struct snapshot *snapshot;
	struct names *names;
	size_t n_problems;
};

/* Fills everything from conf and section on; release it also after a failure. */
int config_look(struct config_look *l, struct err *e) _must_check_;
void config_look_release(struct config_look *l);

#endif
