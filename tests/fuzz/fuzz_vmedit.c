// SPDX-License-Identifier: GPL-2.0-or-later
/* An edit, then the reader: what was meant is there, and everything else is as it was.  The first byte of
 * an input chooses the edit, the rest is the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmedit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct { const char *key, *value; } edits[] = {
	{ "hostpci0", "0000:01:00,pcie=1" }, { "hostpci15", "mapping=gpu" }, { "hookscript", "local:snippets/gpu-hook" },
	{ "machine", "q35" }, { "vga", "none" }, { "cpu", "host,hidden=1" }, { "hostpci0", NULL }, { "hostpci1", NULL },
	{ "hookscript", NULL }, { "machine", NULL },
};

static bool is_meant(const char *key, const char *edited)
{
	return strcmp(key, edited) == 0 || strcmp(key, "delete") == 0 || strcmp(key, "boot") == 0;
}

/* Every key that counts in `a` counts in `b`, with the same value. */
static void compare(const struct vmconf *a, const struct vmconf *b, const char *edited)
{
	for (size_t i = 0; i < a->n_sections; i++) {
		const struct vmconf_section *s = &a->sections[i], *o;

		if (s->replaced || s->kind == VMCONF_UNKNOWN)
			continue;
		o = vmconf_section(b, s->kind, s->name);
		for (const struct vmconf_line *x = NULL; (x = vmconf_next(a, s, x)); ) {
			const struct vmconf_line *y = vmconf_find(b, o, x->key);

			if ((s->kind == VMCONF_MAIN || s->kind == VMCONF_PENDING) && is_meant(x->key, edited))
				continue;
			if (!y || x->value_len != y->value_len || memcmp(x->value, y->value, x->value_len) != 0)
				abort();
		}
		if (o && (s->description_len != o->description_len || !s->description != !o->description ||
			  (s->description && memcmp(s->description, o->description, s->description_len) != 0)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmconf *before = NULL;
	struct err e = ERR_INIT;
	struct vmedit ed;
	unsigned i, running;
	const char *now;
	int r;

	if (size < 1 || vmconf_parse((const char *)data + 1, size - 1, &before, &e) < 0)
		return 0;
	i = data[0] % (sizeof(edits) / sizeof(edits[0]));
	running = data[0] >> 7;
	if (vmedit_init(&ed, (const char *)data + 1, size - 1, NULL, running, &e) < 0)
		abort();
	r = edits[i].value ? vmedit_put(&ed, edits[i].key, edits[i].value, &e) : vmedit_drop(&ed, edits[i].key, &e);
	now = vmedit_effective(ed.now, edits[i].key);
	if (r == 0 && (edits[i].value ? !now || strcmp(now, edits[i].value) != 0 : now != NULL))
		abort();
	compare(before, ed.now, edits[i].key);
	compare(ed.now, before, edits[i].key);
	vmedit_release(&ed);
	vmconf_free(before);
	return 0;
}
