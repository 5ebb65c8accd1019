// SPDX-License-Identifier: GPL-2.0-or-later
/* VMs that use a mapping: see mapping_work.h. */
#include <stdlib.h>
#include <string.h>

#include "hostpci.h"
#include "mapping_work.h"
#include "pmxcfs.h"
#include "vmfile.h"

static bool names_it(const char *value, const char *name)
{
	struct hostpci p = HOSTPCI_INIT;
	struct err ignored = ERR_INIT;
	bool found;

	if (hostpci_parse(value, strlen(value), &p, &ignored) < 0)
		return false;
	found = p.mapping && strcmp(p.mapping, name) == 0;
	hostpci_release(&p);
	return found;
}

static void look_into(struct cli *c, const struct vmfile_entry *entry, const struct vmconf *conf)
{
	const char *name = c->args[1];

	for (unsigned i = 0; i < HOSTPCI_MAX; i++) {
		const char *value = vmedit_effective(conf, host_path("hostpci%u", i).s);

		if (value && names_it(value, name))
			out_note(&c->out, "VM %u on %s still uses mapping '%s' (hostpci%u) and does not start without it", entry->vmid,
				 entry->node, name, i);
	}
}

static int look_at(void *arg, const struct vmfile_entry *entry)
{
	struct cli *c = arg;
	struct vmconf *conf = NULL;
	struct err why = ERR_INIT;
	char *text;
	size_t len;

	if (entry->container)
		return 0;
	if (pmxcfs_read_listed(c->h, entry->path.s, &text, &len, &why) < 0) {
		if (why.code)
			out_note(&c->out, "whether VM %u uses the mapping is not known: %s", entry->vmid, why.msg);
		return 0;
	}
	if (vmconf_parse(text, len, &conf, &why) == 0)
		look_into(c, entry, conf);
	vmconf_free(conf);
	free(text);
	return 0;
}

void mapping_note_users(struct cli *c)
{
	struct err why = ERR_INIT;

	if (vmfile_each(c->h, NULL, look_at, c, &why) < 0)
		out_note(&c->out, "which VMs use the mapping is not known: %s", why.msg);
}
