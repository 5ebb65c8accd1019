// SPDX-License-Identifier: GPL-2.0-or-later
/* The snippet and its users, for people. */
#include <string.h>

#include "out.h"
#include "text.h"

static const char *const there[] = { "not checked from here", "there", "missing" };

static void put_user(struct out *o, const struct hook_user *v)
{
	text_put(o, TONE_HEAD, "%s %u on %s: ", v->container ? "container" : "VM", v->vmid, v->node);
	if (v->volid[0])
		text_put(o, TONE_PLAIN, "%s%s (%s)", v->volid, v->ours ? "" : ", not ours", there[v->exists]);
	else
		text_put(o, TONE_FAINT, "no hookscript");
	if (v->devices)
		fprintf(o->to, ", %u device%s", v->devices, v->devices == 1 ? "" : "s");
	fputc('\n', o->to);
	if (v->problem[0]) {
		fputs("  → ", o->to);
		text_wrap(o, TONE_BAD, 4, 4, "%s", v->problem);
	}
}

void text_hook(struct out *o, const struct hook_result *r)
{
	const char *would = r->dry_run ? "would be " : "";

	if (strcmp(r->what, "status") == 0) {
		for (size_t i = 0; i < r->n; i++)
			put_user(o, &r->users[i]);
		if (!r->n)
			fputs("There are no guests.\n", o->to);
	} else if (strcmp(r->what, "unchanged") == 0) {
		text_wrap(o, TONE_PLAIN, 0, 2, "%s is there already, as '%s'.", r->volid, r->path);
	} else if (strcmp(r->what, "absent") == 0) {
		text_wrap(o, TONE_PLAIN, 0, 2, "%s is not there: nothing to remove.", r->volid);
	} else {
		text_wrap(o, TONE_GOOD, 0, 2, "%s %s%s, as '%s'.", r->volid, would, r->what, r->path);
		if (strcmp(r->what, "installed") == 0)
			text_wrap(o, TONE_PLAIN, 0, 2, "For a VM: pve-gpu attach VMID DEVICE, or qm set VMID --hookscript %s",
				  r->volid);
	}
}
