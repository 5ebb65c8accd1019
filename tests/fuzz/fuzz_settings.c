// SPDX-License-Identifier: GPL-2.0-or-later
/* Settings: read or refused with a sentence that names the file, and a line that is in it.  The first byte of an input chooses
 * whose file it is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct settings_table table = { settings_keys, SETTINGS_N };
	unsigned line_of[SETTINGS_N], lines = 1;
	struct err e = ERR_INIT;
	struct settings s;

	if (size < 1)
		return 0;
	settings_init(&s);
	for (size_t i = 1; i < size; i++)
		lines += data[i] == '\n';
	if (settings_parse(&table, "x.ini", (const char *)data + 1, size - 1, data[0] % 2 ? SETTINGS_IN_HOST : SETTINGS_IN_VM, &s,
			   line_of, &e) < 0) {
		if (strncmp(e.msg, "x.ini:", 6) != 0)
			abort();
		return 0;
	}
	for (size_t i = 0; i < SETTINGS_N; i++)
		if (line_of[i] > lines)
			abort();
	return 0;
}
