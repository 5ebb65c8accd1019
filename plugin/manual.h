/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manual - what people and shells are told of the program, printed from the tables that it works by.
 *
 * The pages are for man(7); neither has a date in it, so that a build is the same tomorrow.
 */
#ifndef MANUAL_H
#define MANUAL_H

#include "cli.h"

/* pve-gpu(8), from the table of commands. */
void manual_page(FILE *to, const struct option *global);

/* pve-gpu.ini(5): each key of settings_keys[], explained by the comment above it in snippets/settings.ini. */
void manual_settings(FILE *to);

/* Text for roff, whose first column is not an order to it. */
void manual_text(FILE *to, const char *text, size_t len);

/* Commands, their options and the options' values; ids of VMs. */
void completion_bash(FILE *to, const struct option *global);
void completion_zsh(FILE *to, const struct option *global);

#endif
