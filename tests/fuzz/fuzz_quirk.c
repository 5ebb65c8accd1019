// SPDX-License-Identifier: GPL-2.0-or-later
/* Quirks: every line of a file into one quirk, which can then be described. */
#include "box.h"
#include "quirks.h"
#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take_line(void *arg, const char *section, const char *key, const char *value, struct err *e)
{
	struct quirk *q = arg;

	snprintf(q->name, sizeof(q->name), "%.30s", section);
	return quirk_set(q, key, value, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quirk q = { .n = 0 };
	struct pdev d = { .vendor = 0x10de, .device = 0x2684, .class = 0x030000, .driver = "nvidia" };
	struct err e = ERR_INIT;

	if (settings_each(box_with("/etc/pve-gpu/quirks.d/x.ini", data, size), "/etc/pve-gpu/quirks.d/x.ini", take_line, &q, &e) < 0) {
		if (!e.msg[0])
			abort();
		return 0;
	}
	if (quirk_check(&q, &e) == 0 && !quirk_describe(&q).s[0])
		abort();
	(void)quirk_fits(&q, &d);
	return 0;
}
