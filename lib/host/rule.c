// SPDX-License-Identifier: GPL-2.0-or-later
/* What the tables of rules share: see rule_int.h. */
#include <stdio.h>
#include <string.h>

#include "rule_int.h"

const struct boot_word *rule_word(const struct facts *f, const char *name)
{
	const struct boot_word *w = boot_find(&f->boot.next, name);

	return w ? w : boot_find(&f->boot.now, name);
}

const struct boot_word *rule_item(const struct facts *f, const char *name, const char *item)
{
	const struct boot_word *w = boot_find_item(&f->boot.next, name, item);

	return w ? w : boot_find_item(&f->boot.now, name, item);
}

struct finding_text rule_seen_word(const struct boot_word *w)
{
	return finding_text("%s: %s", source_format(&w->at).s, w->text);
}

struct finding_text rule_seen_line(const struct mod_line *l)
{
	return finding_text("%s: %s", source_format(&l->at).s, l->text);
}

struct finding_text rule_without(const struct facts *f, const char *word)
{
	return finding_text("take %s out of %s, then: %s", word, boot_chain_file(f->boot.chain),
			    boot_chain_command(f->boot.chain));
}

struct finding_text rule_with(const struct facts *f, const char *word)
{
	return finding_text("put %s into %s, then: %s, and reboot", word, boot_chain_file(f->boot.chain),
			    boot_chain_command(f->boot.chain));
}

bool rule_driver_tolerated(const struct pdev *d)
{
	return !d->driver[0] || d->vfio || d->bridge || strcmp(d->driver, "pci-stub") == 0 ||
	       strcmp(d->driver, "pcieport") == 0;
}

bool rule_first_of_slot(const struct facts *f, size_t i)
{
	return i == 0 || !bdf_same_slot(f->cards[i].d->bdf, f->cards[i - 1].d->bdf);
}

/* vendor 0: of any vendor; class 03: graphics, 0403: their sound. */
static const struct {
	const char *module;
	uint16_t vendor;
	unsigned class;
} drivers[] = {
	{ "nouveau", 0x10de, 0x03 }, { "nvidia", 0x10de, 0x03 }, { "nvidia_drm", 0x10de, 0x03 },
	{ "nvidia_modeset", 0x10de, 0x03 }, { "nvidia_uvm", 0x10de, 0x03 }, { "amdgpu", 0x1002, 0x03 },
	{ "radeon", 0x1002, 0x03 }, { "i915", 0x8086, 0x03 }, { "xe", 0x8086, 0x03 }, { "snd_hda_intel", 0, 0x0403 },
};

static bool drives(size_t i, const struct pdev *d)
{
	unsigned class = drivers[i].class > 0xff ? pdev_class(d) : pdev_class(d) >> 8;

	return class == drivers[i].class && (!drivers[i].vendor || drivers[i].vendor == d->vendor);
}

bool rule_has_hardware(const struct facts *f, const char *module)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (strcmp(drivers[i].module, module) != 0)
			continue;
		for (size_t k = 0; k < snapshot_count(f->snapshot); k++) {
			const struct pdev *d = snapshot_at(f->snapshot, k);

			if (d && drives(i, d))
				return true;
		}
	}
	return false;
}

bool rule_is_card_driver(const char *module)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (strcmp(drivers[i].module, module) == 0)
			return true;
	return false;
}

bool rule_is_kept_away(const struct facts *f, const char *module)
{
	return (strcmp(module, "nouveau") == 0 && f->nvidia_there) || (strcmp(module, "radeon") == 0 && rule_has_hardware(f, module));
}

/* "10de:2684" or "10de:2684:1043:88e2" (drivers/vfio/pci/vfio_pci.c: vfio_pci_fill_ids) */
static bool id_matches(const char *id, const struct pdev *d)
{
	char own[32];
	size_t n = strcspn(id, ":");

	n += id[n] == ':' ? 1 + strcspn(id + n + 1, ":") : 0;
	snprintf(own, sizeof(own), "%04x:%04x:%04x:%04x", d->vendor, d->device, d->subvendor, d->subdevice);
	return n == 9 && strncasecmp(id, own, id[n] == ':' && strlen(id) == 19 ? 19 : 9) == 0;
}

const struct pdev *rule_id_next(const struct facts *f, const char *id, size_t *at)
{
	while (*at < snapshot_count(f->snapshot)) {
		const struct pdev *d = snapshot_at(f->snapshot, (*at)++);

		if (d && id_matches(id, d))
			return d;
	}
	return NULL;
}

static bool is_in_card(const struct facts *f, const struct pdev *d)
{
	for (size_t i = 0; i < f->n_cards; i++)
		if (bdf_same_slot(f->cards[i].d->bdf, d->bdf))
			return true;
	return false;
}

bool rule_is_card_id(const struct facts *f, const char *id)
{
	const struct pdev *d;
	size_t at = 0, n = 0;

	for (; (d = rule_id_next(f, id, &at)); n++)
		if (!is_in_card(f, d))
			return false;
	return n > 0;
}
