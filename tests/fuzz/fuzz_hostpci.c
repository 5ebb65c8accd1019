// SPDX-License-Identifier: GPL-2.0-or-later
/* The value of a hostpci line: any bytes; why it is not understood, or does not start, is said. */
#include <stdint.h>
#include <stdlib.h>

#include "hostpci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hostpci p = HOSTPCI_INIT;
	struct err e = ERR_INIT, why = ERR_INIT;
	const char *value = (const char *)data;

	if (hostpci_parse(value, size, &p, &e) < 0 && !e.msg[0])
		abort();
	if (hostpci_check_start(value, size, &why) < 0 && !why.msg[0])
		abort();
	hostpci_release(&p);
	return 0;
}
