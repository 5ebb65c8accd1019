// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a lint can be mended without asking: see lint.h.  Safe is what takes nothing from the guest and needs
 * no new installation in it; machine type, firmware and display are not. */
#include <string.h>

#include "lint.h"

int lint_fix_cpu(const struct lint *l, struct vmedit *ed, struct err *e)
{
	/* Flags and hiding stay with the line that has them. */
	return lint_get(l, "cpu") && strchr(lint_get(l, "cpu"), ',') ? 0 : vmedit_put(ed, "cpu", "host", e);
}

int lint_fix_balloon(const struct lint *l, struct vmedit *ed, struct err *e)
{
	(void)l;
	return vmedit_put(ed, "balloon", "0", e);
}

int lint_fix_agent(const struct lint *l, struct vmedit *ed, struct err *e)
{
	return lint_get(l, "agent") && strchr(lint_get(l, "agent"), ',') ? 0 : vmedit_put(ed, "agent", "1", e);
}

int lint_fix_numa(const struct lint *l, struct vmedit *ed, struct err *e)
{
	(void)l;
	return vmedit_put(ed, "numa", "1", e);
}

int lint_fix_kvm(const struct lint *l, struct vmedit *ed, struct err *e)
{
	(void)l;
	return vmedit_drop(ed, "kvm", e);
}

static bool applies(const struct lint *l, const struct lint_rule *r)
{
	struct findings f = FINDINGS_INIT;
	bool found;

	r->check(l, r, &f);
	found = f.n > 0;
	findings_release(&f);
	return found;
}

int lint_fix(void *arg, struct vmedit *ed, struct err *e)
{
	const struct lint *l = arg;
	int status = 0;

	for (size_t i = 0; lint_tables[i]; i++)
		for (const struct lint_rule *r = lint_tables[i]; status == 0 && r->id; r++)
			if (r->fix && applies(l, r))
				status = r->fix(l, ed, e);
	return status;
}
