/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sha1 - the digest Proxmox names a VM config by (FIPS 180-4).
 *
 * It tells whether a file has changed since it was read, and protects nothing.
 */
#ifndef SHA1_H
#define SHA1_H

#include <stddef.h>

enum { SHA1_TEXT = 41 };	/* 40 hex digits and a NUL */

/* Lower-case hex of the SHA-1 of len bytes. */
void sha1_hex(const void *bytes, size_t len, char ret[SHA1_TEXT]);

#endif
