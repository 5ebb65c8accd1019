// SPDX-License-Identifier: GPL-2.0-or-later
/* The reader of VM configs takes any bytes, and its lines are exactly those bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hostpci.h"
#include "vmconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct vmconf *c, const struct vmconf_line *line)
{
	struct hostpci p = HOSTPCI_INIT;
	struct err e = ERR_INIT;

	if ((vmconf_explain(c, line, NULL, &e) < 0) != (line->verdict != VMCONF_KEPT))
		abort();
	if (line->kind != VMCONF_KEY)
		return;
	/* In [special:cloudinit] nothing is checked. */
	if (line->verdict == VMCONF_KEPT && c->sections[line->section].kind != VMCONF_SPECIAL &&
	    strncmp(line->key, "hostpci", 7) == 0 && hostpci_parse(line->value, line->value_len, &p, &e) < 0)
		abort();
	hostpci_release(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmconf *c = NULL;
	struct err e = ERR_INIT;
	size_t at = 0;

	if (vmconf_parse((const char *)data, size, &c, &e) < 0)
		return 0;
	for (size_t i = 0; i < c->n_lines; i++) {
		const struct vmconf_line *line = &c->lines[i];

		if (line->off != at)
			abort();
		at += line->len + line->newline;
		look_at(c, line);
	}
	if (at != size || c->len != size || (size && memcmp(c->bytes, data, size) != 0))
		abort();
	vmconf_free(c);
	return 0;
}
