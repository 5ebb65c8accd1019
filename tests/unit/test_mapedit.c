// SPDX-License-Identifier: GPL-2.0-or-later
/* Editing pci.cfg and property strings: only what is meant changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "mapedit.h"
#include "propset.h"
#include "schema.h"

#define MAP "id=10de:2684,node=pve1,path=0000:01:00"

static void expect(struct mapedit *ed, int r, const struct err *e, const char *want)
{
	if (r < 0)
		fail_msg("%s", e->msg);
	assert_string_equal(ed->now.raw, want);
}

static void lines_are_added_where_proxmox_reads_them(void **state)
{
	static const struct { const char *before, *after; } table[] = {
		{ "", "gpu\n\tmap " MAP "\n" },
		{ "other\n\tmap x", "other\n\tmap x\n\ngpu\n\tmap " MAP "\n" },
		{ "other\n\tmap x\n\n", "other\n\tmap x\n\ngpu\n\tmap " MAP "\n" },
		{ "gpu\n\tmap a\n\tdescription d\n\nz\n\tmap b\n", "gpu\n\tmap a\n\tmap " MAP "\n\tdescription d\n\nz\n\tmap b\n" },
		{ "gpu\n\tmap a", "gpu\n\tmap a\n\tmap " MAP "\n" },
		{ "gpu", "gpu\n\tmap " MAP "\n" },
		{ "gpu\n\tmap old\n\ngpu\n\tmap new\n", "gpu\n\tmap old\n\ngpu\n\tmap new\n\tmap " MAP "\n" },
		{ "# c\ngpu\n# d\n\tunknown 1\njunk\n", "# c\ngpu\n\tmap " MAP "\n# d\n\tunknown 1\njunk\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct mapedit ed;
		struct err e = ERR_INIT;

		assert_int_equal(mapedit_init(&ed, table[i].before, strlen(table[i].before), &e), 0);
		expect(&ed, mapedit_add(&ed, "gpu", MAP, &e), &e, table[i].after);
		mapedit_release(&ed);
	}
}

static void lines_are_replaced_and_removed(void **state)
{
	static const char before[] = "# c\n\ngpu\n  map a\n\tmap b\n\tx y\n\nz\n\tmap c\n";
	struct mapedit ed;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mapedit_init(&ed, before, sizeof(before) - 1, &e), 0);
	expect(&ed, mapedit_replace(&ed, "gpu", 0, MAP, &e), &e, "# c\n\ngpu\n  map " MAP "\n\tmap b\n\tx y\n\nz\n\tmap c\n");
	expect(&ed, mapedit_replace(&ed, "gpu", 1, NULL, &e), &e, "# c\n\ngpu\n  map " MAP "\n\tx y\n\nz\n\tmap c\n");
	assert_int_equal(mapedit_replace(&ed, "gpu", 1, MAP, &e), -ENOENT);
	expect(&ed, mapedit_remove(&ed, "gpu", &e), &e, "# c\n\nz\n\tmap c\n");
	assert_int_equal(mapedit_remove(&ed, "gpu", &e), -ENOENT);
	mapedit_release(&ed);
}

static void every_definition_of_a_mapping_goes(void **state)
{
	static const char before[] = "gpu\n\tmap a\n\nz\n\tmap c\n\ngpu\n\tmap b";
	struct mapedit ed;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mapedit_init(&ed, before, sizeof(before) - 1, &e), 0);
	expect(&ed, mapedit_remove(&ed, "gpu", &e), &e, "z\n\tmap c\n\n");
	mapedit_release(&ed);
}

static void what_proxmox_would_not_read_is_refused(void **state)
{
	static const char before[] = "z\n\tmap c\n";
	struct mapedit ed;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mapedit_init(&ed, before, sizeof(before) - 1, &e), 0);
	assert_int_equal(mapedit_add(&ed, "gpu", "id=1,node=pve1,path=x", &e), -EINVAL);
	mapedit_release(&ed);
}

static void one_property_changes(void **state)
{
	static const struct { const struct propfmt *fmt; const char *value, *name, *to, *want; } table[] = {
		{ &schema_format_cpu, "host", "hidden", "1", "host,hidden=1" },
		{ &schema_format_cpu, "host,hidden=yes,flags=+aes", "hidden", "1", "host,hidden=1,flags=+aes" },
		{ &schema_format_cpu, "cputype=kvm64,hidden=0", "cputype", "host", "cputype=host,hidden=0" },
		{ &schema_format_cpu, "hidden=0,kvm64", "cputype", "host", "hidden=0,host" },
		{ &schema_format_cpu, "custom-x", "cputype", "host", "host" },
		{ &schema_format_cpu, ",host,,", "hidden", "1", ",host,,,hidden=1" },
		{ &schema_format_machine, "viommu=intel", "type", "q35", "viommu=intel,type=q35" },
		{ &mapping_map_fmt, "a=1,iommugroup=3,node=x", "iommugroup", NULL, "a=1,node=x" },
		{ &mapping_map_fmt, "iommugroup=3", "iommugroup", NULL, "" },
		{ &mapping_map_fmt, "node=x", "iommugroup", NULL, "node=x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct str got = STR_INIT;

		assert_int_equal(propset(table[i].fmt, table[i].value, table[i].name, table[i].to, &got), 0);
		assert_string_equal(got.s, table[i].want);
		str_release(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_added_where_proxmox_reads_them),
		cmocka_unit_test(lines_are_replaced_and_removed),
		cmocka_unit_test(every_definition_of_a_mapping_goes),
		cmocka_unit_test(what_proxmox_would_not_read_is_refused),
		cmocka_unit_test(one_property_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
