/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * show - facts about plans in words that text and JSON share.
 */
#ifndef SHOW_H
#define SHOW_H

#include "result.h"

struct show_text { char s[640]; };

/* The driver a planned device is on now, "" = none; device.driver is what it goes back to. */
const char *show_driver_now(const struct plan_result *r, const struct device *v);

/* The reset step that concerns the device, or NULL. */
const struct step *show_reset_of(const struct plan *p, const struct device *v);

/* "reset by flr", "hot reset", "no reset" */
struct show_text show_reset_words(const struct plan *p, const struct device *v);

/* How many resets a start would do, and who does them: this hook before QEMU, cards; Proxmox as it starts QEMU,
 * each function that has a `reset` file (qemu-server: PCI.pm prepare_pci_device); QEMU as it opens a function
 * that can be reset alone (drivers/vfio/pci/vfio_pci_core.c: vfio_pci_core_enable). */
struct show_resets { unsigned hook, proxmox, qemu; };
struct show_resets show_resets(const struct plan_result *r);

/* "ok", "degraded", "dead"; "hangs" and "unknown" where there was no answer. */
const char *show_health(enum seen seen, const struct health *health);

/* What the step does. */
struct show_text show_step(const struct step *s);

/* Did this setting, by its value, make the step what it is, or refuse? */
bool show_decides_step(const struct settings *v, size_t setting, const struct step *s);
bool show_decides_refusal(size_t setting, const struct refusal *f);

/* A setting's value as its file would have it. */
struct show_text show_setting(const struct settings *s, size_t i);

#endif
