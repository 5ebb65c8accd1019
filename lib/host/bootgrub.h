/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootgrub - the kernel's words as /etc/default/grub and the .cfg files of its grub.d put them together.
 *
 * grub-mkconfig sources these files as shell scripts, the folder's after the file, in the order of
 * their names, and joins GRUB_CMDLINE_LINUX and GRUB_CMDLINE_LINUX_DEFAULT (util/grub.d/10_linux.in).  This
 * reader knows assignments, "+=", quotes, and a variable that is extended by itself; anything cleverer
 * (a command's output, another variable) stays as the word it is written as.
 */
#ifndef BOOTGRUB_H
#define BOOTGRUB_H

#include "bootcfg.h"

/* Appends to `l`.  No file: no words. */
int bootgrub_load(struct host *h, struct boot_words *l, struct err *e) _must_check_;

/* One more word. */
int boot_add(struct boot_words *l, const char *text, const char *file, unsigned line) _must_check_;

#endif
