// SPDX-License-Identifier: GPL-2.0-or-later
/* storage.cfg as the hookscript's path is found by it: what is found is an absolute path. */
#include "box.h"
#include "storage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct storages s = STORAGES_INIT;
	struct err e = ERR_INIT;
	char path[512], volid[512];

	if (storage_load(box_with("/etc/pve/storage.cfg", data, size), &s, &e) < 0) {
		if (!e.msg[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < s.n; i++) {
		snprintf(volid, sizeof(volid), "%s:snippets/gpu-hook", s.list[i].id);
		if (storage_resolve(&s, volid, path, sizeof(path), &e) == 0 && path[0] != '/')
			abort();
		(void)storage_on_node(&s.list[i], "pve1");
	}
	storage_release(&s);
	return 0;
}
