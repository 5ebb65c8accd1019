// SPDX-License-Identifier: GPL-2.0-or-later
/* storage.cfg and mapping/pci.cfg: sections and lines lie in the file and follow each other; what mappings say is taken
 * apart as well.  The first byte of an input chooses the kind of file. */
#include <stdint.h>
#include <stdlib.h>

#include "mapping.h"
#include "section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_mapping(const struct section *s, const char *node)
{
	struct mapping m = MAPPING_INIT;
	struct err e = ERR_INIT;
	struct bdf bdf;
	bool whole;

	if (mapping_from_section(s, node, &m, &e) < 0) {
		if (!e.msg[0])
			abort();
		return;
	}
	for (size_t i = 0; i < m.n_entries; i++)
		for (size_t j = 0; j < m.entries[i].n_paths; j++)
			(void)!mapping_path(m.entries[i].paths[j], &bdf, &whole);
	mapping_release(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct section_file f = SECTION_FILE_INIT;
	struct err e = ERR_INIT;
	size_t at = 0;
	bool mapping;

	if (size < 1)
		return 0;
	mapping = data[0] % 2;
	if (section_parse((const char *)data + 1, size - 1, mapping ? SECTION_ID : SECTION_TYPE_ID, &f, &e) < 0)
		return 0;
	for (size_t i = 0; i < f.n; i++) {
		if (f.list[i].start < at || f.list[i].end < f.list[i].start || f.list[i].end > size - 1)
			abort();
		for (size_t j = 0; j < f.list[i].n_props; j++)
			if (f.list[i].props[j].start < f.list[i].start || f.list[i].props[j].end > f.list[i].end)
				abort();
		at = f.list[i].start;
		if (mapping) {
			look_at_mapping(&f.list[i], "pve1");
			look_at_mapping(&f.list[i], NULL);
		}
	}
	section_release(&f);
	return 0;
}
