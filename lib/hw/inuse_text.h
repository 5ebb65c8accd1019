/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_text - fixed buffers that are shown to people: safe, and cut where they would not fit.
 *
 * Findings are plain values without pointers, so their text has a limit; what is cut ends in "...".
 * Names come from processes, disks and USB devices, that is from anybody.
 */
#ifndef INUSE_TEXT_H
#define INUSE_TEXT_H

#include <stddef.h>

#include "macro.h"

/* `raw` made safe (str_add_safe()) in a buffer of `size` bytes. */
void inuse_text_safe(char *buf, size_t size, const char *raw);

/* Appends to text that is already safe. */
void inuse_text_add(char *buf, size_t size, const char *fmt, ...) _printf_(3, 4);

/* Undoes the octal escapes of /proc/mounts and /proc/swaps in place (fs/proc_namespace.c:mangle). */
void inuse_text_unescape(char *s);

#endif
