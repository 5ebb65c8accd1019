// SPDX-License-Identifier: GPL-2.0-or-later
/* Other VMs of this node that have the same devices in their configs: see attach.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "pmxcfs.h"

/* Does the value mean one of the functions, or the mapping, that is asked for? */
static bool names_same(const struct attach *a, const char *value)
{
	struct hostpci p = HOSTPCI_INIT;
	struct err ignored = ERR_INIT;
	bool same = false;

	if (hostpci_parse(value, strlen(value), &p, &ignored) < 0)
		return false;
	for (size_t i = 0; p.mapping && i < a->n; i++)
		same |= a->items[i].mapping && strcmp(a->items[i].mapping, p.mapping) == 0;
	for (size_t i = 0; i < p.n_ids; i++)
		for (size_t k = 0; k < a->view.plan.n_devices; k++)
			same |= a->view.plan.devices[k].key[0] &&
				hostpci_id_matches(p.ids[i].text, BDF_S(a->view.plan.devices[k].bdf));
	hostpci_release(&p);
	return same;
}

static void look_into(struct attach *a, unsigned vmid, const struct vmconf *c)
{
	for (unsigned i = 0; i < HOSTPCI_MAX; i++) {
		char key[12];
		const char *value;

		snprintf(key, sizeof(key), "hostpci%u", i);
		value = vmedit_effective(c, key);
		if (value && names_same(a, value))
			attach_note(a, "VM %u has the same device in its configuration (%s: %.200s): they can have it in "
				    "turns, not at the same time", vmid, key, value);
	}
}

static int look_at(void *arg, const struct vmfile_entry *entry)
{
	struct attach *a = arg;
	struct vmconf *c = NULL;
	struct err why = ERR_INIT;
	char *text;
	size_t len;

	if (entry->container || entry->vmid == a->vmid)
		return 0;
	if (pmxcfs_read_listed(a->c->h, entry->path.s, &text, &len, &why) < 0) {
		if (why.code)
			attach_note(a, "whether VM %u has the same device is not known: %s", entry->vmid, why.msg);
		return 0;
	}
	/* Most VMs have no device: theirs need not be taken apart. */
	if (memmem(text, len, "\nhostpci", 8) || (len > 7 && memcmp(text, "hostpci", 7) == 0)) {
		if (vmconf_parse(text, len, &c, &why) == 0)
			look_into(a, entry->vmid, c);
		vmconf_free(c);
	}
	free(text);
	return 0;
}

int attach_note_others(struct attach *a, struct err *e)
{
	return vmfile_each(a->c->h, "local", look_at, a, e);
}
