// SPDX-License-Identifier: GPL-2.0-or-later
/* A lease: each line of the input with the checksum that a lease has, because no search would guess it; and the bytes as they
 * are.  What is read holds together: devices and steps are in bounds of each other. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lease_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_back(char *text)
{
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;

	if (lease_parse(&l, text, &e) < 0) {
		if (!e.msg[0])
			abort();
	} else if (!l.at || l.vmid == 0 || l.plan.n_devices == 0) {
		abort();
	}
	lease_release(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(str_release) struct str s = STR_INIT, raw = STR_INIT;
	size_t len;

	if (size == 0)
		return 0;
	str_addn(&raw, (const char *)data, size);
	for (char *line = raw.s; *line; line += len + (line[len] != '\0')) {
		len = strcspn(line, "\n");
		(void)!lease_line(&s, "%.*s", (int)len, line);
	}
	if (s.len)
		read_back(s.s);
	read_back(raw.s);
	return 0;
}
