/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmconf_text - the text of comments and descriptions: percent-encoded UTF-8.
 *
 * For vmconf.c only.  Follows pve-common: ParseUtils.pm: decode_text, which is Perl's
 * Encode::decode("utf8"): looser than the standard (surrogates and code points beyond 10ffff pass
 * through), and with one U+FFFD for each sequence that is none.
 */
#ifndef VMCONF_TEXT_H
#define VMCONF_TEXT_H

#include "propstr.h"
#include "str.h"

/* Replaces each %XX by its byte, in place; the new length. */
size_t vmconf_text_unescape(char *s, size_t len);

/* Appends the bytes as UTF-8. */
int vmconf_text_decode(const char *s, size_t len, struct str *out);

/* The length without trailing white space, as Unicode understands it. */
size_t vmconf_text_trim(const char *s, size_t len);

#endif
