/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_rules - what can be wrong with a hostpci line that Proxmox takes, and why it dropped another.
 *
 * A table of rules; each looks at one line and adds a sentence.
 */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include "config_look.h"

int config_rules(struct config_look *l, struct err *e) _must_check_;

#endif
