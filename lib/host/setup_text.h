/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup_text - taking words and lines out of a file's text, and nothing else.
 *
 * Lines count from 1.  A line that ends in a backslash goes on in the next one, as the readers of
 * these files have it; such a whole counts as the line it begins on.
 */
#ifndef SETUP_TEXT_H
#define SETUP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "macro.h"

/* Takes the word out of the line, as often as it is there, each time with one of the blanks beside it.  A
 * word ends at blanks, quotes and the ends of the line (also "\r\n"); behind the equals sign of an assignment one may begin.  The new length; the
 * text is changed in place.  `len` comes back when it is not there. */
size_t setup_cut_word(char *text, size_t len, unsigned line, const char *word) _must_check_;

/* Takes the whole line out. */
size_t setup_cut_line(char *text, size_t len, unsigned line) _must_check_;

#endif
