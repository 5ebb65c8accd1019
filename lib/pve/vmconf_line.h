/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmconf_line - what one line of a VM config looks like, before anybody asks what it means.
 *
 * For vmconf.c only.  The forms are tried in the order of qemu-server: QemuServer.pm:
 * parse_vm_config; the first that fits wins.
 */
#ifndef VMCONF_LINE_H
#define VMCONF_LINE_H

#include "propstr.h"

enum vmconf_form {
	VMCONF_FORM_BLANK,
	VMCONF_FORM_PENDING,		/* [PENDING] in any case */
	VMCONF_FORM_SPECIAL,		/* [special:NAME], NAME in lower case: value */
	VMCONF_FORM_SNAPSHOT,		/* [NAME]: value */
	VMCONF_FORM_UNKNOWN,		/* [anything else]: value */
	VMCONF_FORM_COMMENT,		/* #text: value */
	VMCONF_FORM_DESCRIPTION,	/* description: text */
	VMCONF_FORM_SNAPSTATE,		/* ends in snapstate: prepare or delete, whatever comes before */
	VMCONF_FORM_ARGS,		/* args: text */
	VMCONF_FORM_DELETE,		/* delete: text */
	VMCONF_FORM_PAIR,		/* key: text */
	VMCONF_FORM_JUNK,
};

struct vmconf_parts {
	enum vmconf_form form;
	struct slice key, value;	/* inside the line; {NULL, 0} where the form has none */
};

/* `line` without its line feed. */
struct vmconf_parts vmconf_line_split(struct slice line);

#endif
