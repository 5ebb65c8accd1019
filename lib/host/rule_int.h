/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tables of rules share. */
#ifndef RULE_INT_H
#define RULE_INT_H

#include "facts.h"
#include "finding.h"

#define RULE_ADD(l, r, ...) finding_add(l, (r)->id, (r)->severity, __VA_ARGS__)

/* Where a word of the kernel's command line stands: in the file of the boot chain if it is there,
 * otherwise in the running command line.  NULL = nowhere. */
const struct boot_word *rule_word(const struct facts *f, const char *name);
const struct boot_word *rule_item(const struct facts *f, const char *name, const char *item);

/* "/etc/default/grub:9: amd_iommu=on" */
struct finding_text rule_seen_word(const struct boot_word *w);
struct finding_text rule_seen_line(const struct mod_line *l);

/* How to take a word out of, or put one into, this host's command line. */
struct finding_text rule_without(const struct facts *f, const char *word);
struct finding_text rule_with(const struct facts *f, const char *word);

/* The driver counts as in no VM's way (drivers with driver_managed_dma, drivers/base/core.c). */
bool rule_driver_tolerated(const struct pdev *d);

/* The first function of its slot among the cards: what is said of a card is said once. */
bool rule_first_of_slot(const struct facts *f, size_t i);

/* Is there hardware that this driver drives?  0: no or not known. */
bool rule_has_hardware(const struct facts *f, const char *module);
/* A driver of graphics cards or of their sound. */
bool rule_is_card_driver(const char *module);
/* It is kept from loading for a good reason: nouveau where NVIDIA's own driver is used, whose packages do it,
 * and radeon where amdgpu is to have the card. */
bool rule_is_kept_away(const struct facts *f, const char *module);

/* The functions that an item of vfio-pci's ids= catches, *at from 0; NULL after the last. */
const struct pdev *rule_id_next(const struct facts *f, const char *id, size_t *at);
/* The id is of functions of graphics cards that are there, and of nothing else. */
bool rule_is_card_id(const struct facts *f, const char *id);

#endif
