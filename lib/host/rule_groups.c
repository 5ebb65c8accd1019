// SPDX-License-Identifier: GPL-2.0-or-later
/* Isolation: who comes along when a VM gets the card. */
#include <stdio.h>
#include <string.h>

#include "rule_int.h"

/* Functions outside the card's slot that stand in the way of giving its group away. */
static size_t strangers(const struct facts *f, const struct pdev *card, struct str *names)
{
	size_t n = 0;

	for (size_t i = 0; i < snapshot_count(f->snapshot); i++) {
		const struct pdev *d = snapshot_at(f->snapshot, i);

		if (!d || d->group != card->group || bdf_same_slot(d->bdf, card->bdf) || rule_driver_tolerated(d))
			continue;
		(void)str_addf(names, "%s%s (%s, %s)", n++ ? ", " : "", BDF_SHORT(d->bdf),
			       pdev_class_text(pdev_class(d)), d->driver);
	}
	return n;
}

static void shared(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->n_cards; i++) {
		const struct pdev *d = f->cards[i].d;
		struct str names = STR_INIT;

		if (d->group >= 0 && rule_first_of_slot(f, i) && strangers(f, d, &names))
			RULE_ADD(l, r, finding_text("/sys/kernel/iommu_groups/%d/devices", d->group).s,
				 "put the card or the other device into a slot at the processor; look for ACS in the firmware's "
				 "setup and for newer firmware; or give these devices to the VM as well. The last resort, "
				 "pcie_acs_override=downstream,multifunction, only pretends: devices of the group can "
				 "still write into each other's memory, and so can a guest",
				 "%s shares IOMMU group %d with %s, which the host uses: a VM takes a group as a whole.",
				 BDF_S(d->bdf), d->group, names.s);
		if (names.failed)
			l->failed = true;
		str_release(&names);
	}
}

static void clean(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->n_cards; i++) {
		const struct pdev *d = f->cards[i].d;
		struct str names = STR_INIT;

		if (d->group >= 0 && rule_first_of_slot(f, i) && !strangers(f, d, &names))
			RULE_ADD(l, r, NULL, NULL, "%s has IOMMU group %d to itself%s.", BDF_S(d->bdf), d->group,
				 rule_word(f, "pcie_acs_override") ? ", or so the ACS override makes it look" : "");
		str_release(&names);
	}
}

static void acs_override(const struct facts *f, const struct rule *r, struct findings *l)
{
	const struct boot_word *w = rule_word(f, "pcie_acs_override");

	if (w)
		RULE_ADD(l, r, rule_seen_word(w).s, finding_text("look without it which groups are really shared, then choose a "
			 "slot; %s", rule_without(f, w->text).s).s,
			 "The ACS override is on: groups look separate but are not isolated, so a guest may reach other "
			 "devices, and through them the host's memory.");
}

static void rmrr(const struct facts *f, const struct rule *r, struct findings *l)
{
	for (size_t i = 0; i < f->n_cards; i++) {
		const struct pdev *d = f->cards[i].d;

		if (f->cards[i].rmrr)
			RULE_ADD(l, r, finding_text("/sys/kernel/iommu_groups/%d/reserved_regions: direct", d->group).s,
				 "look for an option about shared memory or management of this slot in the firmware's setup (on "
				 "HPE also conrep), or use another slot; Proxmox's kernels have intel_iommu=on,relax_rmrr, which "
				 "ignores what the firmware reserved, at your risk",
				 "The firmware reserves memory for %s (RMRR), so the kernel refuses to give it to a VM.",
				 BDF_S(d->bdf));
	}
}

const struct rule rules_groups[] = {
	{ "group-shared", SEVERITY_PROBLEM, shared },
	{ "group-clean", SEVERITY_OK, clean },
	{ "acs-override", SEVERITY_PROBLEM, acs_override },
	{ "rmrr", SEVERITY_PROBLEM, rmrr },
	{ .id = NULL },
};
