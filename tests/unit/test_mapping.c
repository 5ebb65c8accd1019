// SPDX-License-Identifier: GPL-2.0-or-later
/* Resource mappings: the name of this node, its entries, and Proxmox's comparison with the hardware. */
#include "test_pve_box.h"

#include "mapping.h"
#include "nodename.h"

#define BIG \
	"gpu\n" \
	"\tmap id=10de:2684,iommugroup=15,node=pve1,path=0000:01:00,subsystem-id=1043:88e2\n" \
	"\tmap id=10de:2684,iommugroup=18,node=pve2,path=0000:41:00,subsystem-id=1043:88e2\n" \
	"\tmap id=10de:2684,node=pve1,path=10000:41:00.0;10000:41:00.1,description=second, and\n" \
	"\tmap node=pve1,path=0000:03:00.0,id=10DE:2684,description=a=b\n" \
	"\tdescription Big card\n" \
	"\tlive-migration-capable 1\n" \
	"\tmdev 0\n" \
	"\n" \
	"nic\n" \
	"\tmap id=8086:1572,node=pve2,path=0000:05:00\n" \
	"\tmdev\n" \
	"\n" \
	"empty\n" \
	"\n"

static const struct {
	const char *hostname, *name;	/* name NULL: no node can be called so */
} hostnames[] = {
	{ "pve1\n", "pve1" },
	{ "pve1", "pve1" },
	{ "PVE-1.example.com\n", "PVE-1" },
	{ "1\n", "1" },
	{ "\n", NULL },
	{ ".example\n", NULL },
	{ "-pve\n", NULL },
	{ "pve-\n", NULL },
	{ "pve_1\n", NULL },
	{ "p v\n", NULL },
	{ "pv\xc3\xa9\n", NULL },
	{ "../../etc\n", NULL },
};

static void knows_the_name_of_the_node(void **state)
{
	struct box *b = *state;
	char name[NODENAME_SIZE];

	box_failed(b, nodename_read(&b->h, name, sizeof(name), &b->e), -ENOENT, "name of this node");
	for (size_t i = 0; i < ARRAY_SIZE(hostnames); i++) {
		box_text(b, "/proc/sys/kernel/hostname", hostnames[i].hostname);
		if (!hostnames[i].name) {
			box_failed(b, nodename_read(&b->h, name, sizeof(name), &b->e), -EINVAL, "host name");
			continue;
		}
		box_worked(b, nodename_read(&b->h, name, sizeof(name), &b->e), 0);
		assert_string_equal(name, hostnames[i].name);
	}
	box_text(b, "/proc/sys/kernel/hostname", "pve12345\n");
	box_failed(b, nodename_read(&b->h, name, 8, &b->e), -ENAMETOOLONG, "8 characters");
	box_noise(b, "/proc/sys/kernel/hostname", 1 << 20);
	assert_true(nodename_read(&b->h, name, sizeof(name), &b->e) < 0);
}

static void guesses_the_name_in_a_captured_tree(void **state)
{
	struct box *b = *state;
	char name[NODENAME_SIZE];

	box_link(b, "/etc/pve/local", "nodes/pve3");
	box_worked(b, nodename_read(&b->h, name, sizeof(name), &b->e), 0);
	assert_string_equal(name, "pve3");
	box_text(b, "/etc/hostname", "pve2.lan\n");
	box_worked(b, nodename_read(&b->h, name, sizeof(name), &b->e), 0);
	assert_string_equal(name, "pve2");
	/* The running machine has one source only. */
	b->h.real = true;
	box_failed(b, nodename_read(&b->h, name, sizeof(name), &b->e), -ENOENT, "hostname");
}

static void gives_the_entries_of_one_node(void **state)
{
	struct box *b = *state;
	struct mapping m;

	box_text(b, MAPPING_FILE, BIG);
	box_worked(b, mapping_load(&b->h, "gpu", "pve1", &m, &b->e), 0);
	assert_string_equal(m.name, "gpu");
	assert_string_equal(m.description, "Big card");
	assert_false(m.mdev);
	assert_true(m.live_migration);
	/* "second, and": the blank part is a key without value, the whole line is skipped. */
	assert_int_equal(m.n_skipped, 1);
	assert_non_null(strstr(m.skipped, "line 4"));
	assert_int_equal(m.n_entries, 2);
	assert_int_equal(m.entries[0].line, 2);
	assert_string_equal(m.entries[0].node, "pve1");
	assert_string_equal(m.entries[0].id, "10de:2684");
	assert_string_equal(m.entries[0].subsystem, "1043:88e2");
	assert_string_equal(m.entries[0].group, "15");
	assert_null(m.entries[0].description);
	assert_int_equal(m.entries[0].n_paths, 1);
	assert_string_equal(m.entries[0].paths[0], "0000:01:00");
	assert_int_equal(m.entries[1].line, 5);
	assert_string_equal(m.entries[1].id, "10DE:2684");
	assert_null(m.entries[1].subsystem);
	assert_null(m.entries[1].group);
	assert_string_equal(m.entries[1].description, "a=b");
	mapping_release(&m);
	mapping_release(&m);
}

static void gives_all_entries_to_who_asks(void **state)
{
	struct box *b = *state;
	struct mapping m;

	box_text(b, MAPPING_FILE, BIG);
	box_worked(b, mapping_load(&b->h, "gpu", NULL, &m, &b->e), 0);
	assert_int_equal(m.n_entries, 3);
	assert_string_equal(m.entries[1].node, "pve2");
	mapping_release(&m);
	box_worked(b, mapping_load(&b->h, "empty", NULL, &m, &b->e), 0);
	assert_int_equal(m.n_entries, 0);
	assert_null(m.description);
	mapping_release(&m);
	box_worked(b, mapping_load(&b->h, "nic", "pve2", &m, &b->e), 0);
	assert_true(m.mdev);
	mapping_release(&m);
}

static void says_what_is_missing(void **state)
{
	struct box *b = *state;
	struct mapping m = MAPPING_INIT;

	box_failed(b, mapping_load(&b->h, "gpu", "pve1", &m, &b->e), -ENOENT, "mapping 'gpu'");
	box_text(b, MAPPING_FILE, BIG);
	box_failed(b, mapping_load(&b->h, "gpux", "pve1", &m, &b->e), -ENOENT, "no mapping 'gpux'");
	box_failed(b, mapping_load(&b->h, "gpu", "pve3", &m, &b->e), -ENOENT, "node 'pve3'");
	assert_int_equal(mapping_load(&b->h, "gpu", "pve3", &m, &b->e), -ENOENT);
	assert_non_null(strstr(b->e.msg, "line 4"));
	box_failed(b, -ENOENT, -ENOENT, "Proxmox skips");
	box_failed(b, mapping_load(&b->h, "nic", "pve1", &m, &b->e), -ENOENT, "node 'pve1'");
	box_failed(b, mapping_load(&b->h, "empty", "pve1", &m, &b->e), -ENOENT, "node 'pve1'");
	assert_null(m.name);
	box_folder(b, "/etc/pve/mapping/x");
	assert_int_equal(tfs_unlink(b->h.rootfd, MAPPING_FILE), 0);
	box_folder(b, MAPPING_FILE);
	box_failed(b, mapping_load(&b->h, "gpu", "pve1", &m, &b->e), -EISDIR, "mapping 'gpu'");
}

/* One `map` value each: how many paths it has, 0 = skipped.  Verdicts are Proxmox's. */
static const struct {
	const char *map;
	size_t n_paths;
} maps[] = {
	{ "node=pve1,id=10de:2684,path=0000:01:00", 1 },
	{ "node=pve1,id=10de:2684,path=0000:01:00.0;0000:01:00.1;0000:01:00.2", 3 },
	{ "node=pve1,id=10de:2684,path=0000:01:00.f", 1 },
	{ "node=pve1,id=10de:2684,path=abcdef01:ff:ff", 1 },
	{ "node=pve1,id=10de:2684,path=0000:01:00x0", 1 },
	{ ",node=pve1, ,id=10de:2684,,path=0000:01:00,", 1 },
	{ "node=pve1,id=10de:2684,path=0000:01:00,iommugroup=+15", 1 },
	{ "node=pve1,id=10de:2684,path=0000:01:00,iommugroup=-1", 1 },
	{ "node=pve1,id=10de:2684,path=0000:01:00,description==", 1 },
	{ "id=10de:2684,path=0000:01:00", 0 },
	{ "node=pve1,path=0000:01:00", 0 },
	{ "node=pve1,id=10de:2684", 0 },
	{ "node=pve1,id=10de:2684,path=", 0 },
	{ "node=pve1,id=10de:2684,path=01:00", 0 },
	{ "node=pve1,id=10de:2684,path=0000:01:00;", 0 },
	{ "node=pve1,id=10de:2684,path=;0000:01:00", 0 },
	{ "node=pve1,id=10de:2684,path=0000:01:00;;0000:02:00", 0 },
	{ "node=pve1,id=10de:2684,path=0000:01:00.", 0 },
	{ "node=pve1,id=10de:2684,path=0000:01:00.00", 0 },
	{ "node=pve1,id=10de:2684,path=0000:0A:00", 0 },
	{ "node=pve1,id=10de:2684,path=000:01:00", 0 },
	{ "node=pve1,id=10de:2684,path=0000:001:00", 0 },
	{ "node=pve1,id=10de:2684,path=0000:01:00,path=0000:01:00", 0 },
	{ "node=pve1,id=10de:2684,path=0000:01:00,bogus=1", 0 },
	{ "node=pve1,id=10de:2684,path=0000:01:00,bogus", 0 },
	{ "node=pve1,id=10de:2684,path=0000:01:00,=1", 0 },
	{ "node=pve1, id=10de:2684,path=0000:01:00", 0 },
	{ "node=pve1,id=10de:268,path=0000:01:00", 0 },
	{ "node=pve1,id=10de:26845,path=0000:01:00", 0 },
	{ "node=pve1,id=10de.2684,path=0000:01:00", 0 },
	{ "node=pve1,id=0x10de:2684,path=0000:01:00", 0 },
	{ "node=pve1,id=10de:2684,path=0000:01:00,subsystem-id=1043", 0 },
	{ "node=pve1,id=10de:2684,path=0000:01:00,iommugroup=0x1", 0 },
	{ "node=pve1,id=10de:2684,path=0000:01:00,iommugroup=1 5", 0 },
	{ "node=pve1.example,id=10de:2684,path=0000:01:00", 0 },
	{ "node=-,id=10de:2684,path=0000:01:00", 0 },
	{ "gpu", 0 },
	{ ",,,", 0 },
};

static void accepts_the_map_lines_proxmox_accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		struct section_prop prop = { .key = "map", .value = maps[i].map, .line = 7 };
		struct section s = { .type = "", .id = "gpu", .props = &prop, .n_props = 1 };
		struct err e = ERR_INIT;
		struct mapping m;

		assert_int_equal(mapping_from_section(&s, NULL, &m, &e), 0);
		if (m.n_entries != (maps[i].n_paths ? 1 : 0) || m.n_skipped != (maps[i].n_paths ? 0 : 1))
			fail_msg("'%s': %zu entries; %s", maps[i].map, m.n_entries, m.skipped);
		if (maps[i].n_paths) {
			assert_int_equal(m.entries[0].n_paths, maps[i].n_paths);
			assert_true(strstr(maps[i].map, m.entries[0].paths[maps[i].n_paths - 1]) != NULL);
		}
		mapping_release(&m);
	}
}

static const struct {
	const char *path, *address;
	bool whole;
} paths[] = {
	{ "0000:01:00", "0000:01:00.0", true },
	{ "0000:01:00.0", "0000:01:00.0", false },
	{ "10000:e1:1f.7", "10000:e1:1f.7", false },
	{ "0000:01:00x0", NULL, false },
	{ "0000:01:00.8", NULL, false },
	{ "0000:01:20.0", NULL, false },
	{ "123456789:01:00.0", NULL, false },
	{ "01:00.0", NULL, false },
	{ "0000:0A:00.0", NULL, false },
	{ "", NULL, false },
	{ ";", NULL, false },
};

static void finds_the_address_of_a_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct bdf a;
		bool whole;
		int r = mapping_path(paths[i].path, &a, &whole);

		if (r != (paths[i].address ? 0 : -EINVAL))
			fail_msg("'%s': %d", paths[i].path, r);
		if (r < 0)
			continue;
		assert_string_equal(BDF_S(a), paths[i].address);
		assert_int_equal(whole, paths[i].whole);
	}
}

#define HERE { .present = true, .vendor = 0x10de, .device = 0x2684, .group = -1 }
#define GPU  "node=n,path=0000:01:00,id=10de:2684"

/* Every difference that Proxmox refuses a start for, alone; NULL = it fits. */
static const struct {
	const char *map;
	bool mdev;
	size_t path;
	struct mapping_facts facts;
	int r;
	const char *part;
} checks[] = {
	{ GPU, false, 0, HERE, 0, NULL },
	{ GPU, false, 0, { .present = false }, -ENODEV, "no such device" },
	{ GPU, false, 0, { .present = true, .vendor = 0x10de, .device = 0x2685, .group = -1 }, -ESTALE,
	  "id is 10de:2685 here but 10de:2684 in the mapping" },
	{ GPU, false, 0, { .present = true, .vendor = 0x1002, .device = 0x2684, .group = -1 }, -ESTALE,
	  "1002:2684" },
	{ "node=n,path=0000:01:00,id=10DE:2684", false, 0, HERE, -ESTALE, "upper and lower case differ" },
	{ GPU ",iommugroup=15", false, 0,
	  { .present = true, .vendor = 0x10de, .device = 0x2684, .group = 15 }, 0, NULL },
	{ GPU ",iommugroup=0", false, 0,
	  { .present = true, .vendor = 0x10de, .device = 0x2684, .group = 0 }, 0, NULL },
	{ GPU ",iommugroup=15", false, 0,
	  { .present = true, .vendor = 0x10de, .device = 0x2684, .group = 18 }, -ESTALE,
	  "iommugroup is 18 here but 15 in the mapping" },
	{ GPU ",iommugroup=015", false, 0,
	  { .present = true, .vendor = 0x10de, .device = 0x2684, .group = 15 }, -ESTALE, "015" },
	{ GPU, false, 0, { .present = true, .vendor = 0x10de, .device = 0x2684, .group = 0 }, -ESTALE,
	  "iommugroup is 0 here and missing in the mapping" },
	{ GPU ",iommugroup=15", false, 0, HERE, -ESTALE, "the device has no iommugroup but the mapping says 15" },
	{ "node=n,path=0000:01:00.0;0000:01:00.1,id=10de:2684,iommugroup=15", false, 1,
	  { .present = true, .vendor = 0x10de, .device = 0x2684, .group = 16 }, 0, NULL },
	{ "node=n,path=0000:01:00.0;0000:01:00.1,id=10de:2684", false, 1,
	  { .present = true, .vendor = 0x10de, .device = 0x22ba, .group = -1 }, -ESTALE, "0000:01:00.1" },
	{ GPU ",subsystem-id=1043:88e2", false, 0,
	  { .present = true, .vendor = 0x10de, .device = 0x2684, .group = -1, .has_subsystem = true,
	    .subsystem_vendor = 0x1043, .subsystem_device = 0x88e2 }, 0, NULL },
	{ GPU ",subsystem-id=1043:88e2", false, 0,
	  { .present = true, .vendor = 0x10de, .device = 0x2684, .group = -1, .has_subsystem = true,
	    .subsystem_vendor = 0x1043, .subsystem_device = 0x88e3 }, -ESTALE,
	  "subsystem-id is 1043:88e3 here but 1043:88e2 in the mapping" },
	{ GPU, false, 0,
	  { .present = true, .vendor = 0x10de, .device = 0x2684, .group = -1, .has_subsystem = true }, -ESTALE,
	  "subsystem-id is 0000:0000 here and missing in the mapping" },
	{ GPU ",subsystem-id=1043:88e2", false, 0, HERE, -ESTALE, "has no subsystem-id" },
	{ GPU, true, 0, HERE, -ESTALE, "mdev is 0 here but 1 in the mapping" },
	{ GPU, false, 0, { .present = true, .vendor = 0x10de, .device = 0x2684, .group = -1, .mdev = true },
	  -ESTALE, "mdev is 1 here but 0 in the mapping" },
	{ GPU, true, 0, { .present = true, .vendor = 0x10de, .device = 0x2684, .group = -1, .mdev = true }, 0,
	  NULL },
	/* All of them in one sentence. */
	{ GPU ",iommugroup=15", true, 0, { .present = true, .vendor = 0x8086, .device = 1, .group = 16 }, -ESTALE,
	  "8086:0001 here but 10de:2684 in the mapping, and iommugroup is 16 here but 15 in the mapping, and mdev" },
};

static void compares_with_the_hardware_as_proxmox_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct section_prop props[] = {
			{ .key = "map", .value = checks[i].map, .line = 7 },
			{ .key = "mdev", .value = checks[i].mdev ? "1" : "0", .line = 8 },
		};
		struct section s = { .type = "", .id = "gpu", .props = props, .n_props = 2 };
		struct err e = ERR_INIT;
		struct mapping m;
		int r;

		assert_int_equal(mapping_from_section(&s, "n", &m, &e), 0);
		r = mapping_check(&m, &m.entries[0], checks[i].path, &checks[i].facts, &e);
		if (r != checks[i].r || (r < 0) != (e.msg[0] != '\0') || (r < 0 && !strstr(e.msg, checks[i].part)))
			fail_msg("case %zu: %d, '%s'", i, r, e.msg);
		if (r < 0) {
			assert_non_null(strstr(e.msg, "mapping 'gpu' (line 7 of"));
			assert_non_null(strstr(e.msg, m.entries[0].paths[checks[i].path]));
		}
		mapping_release(&m);
	}
}

static void survives_what_lies_in_the_way(void **state)
{
	struct box *b = *state;
	struct mapping m;
	struct str s = STR_INIT;

	box_noise(b, MAPPING_FILE, SECTION_FILE_MAX);
	box_failed(b, mapping_load(&b->h, "gpu", "pve1", &m, &b->e), -ENOENT, "no mapping 'gpu'");
	/* A megabyte in one line, and in one entry's paths. */
	str_add(&s, "gpu\n\tmap node=pve1,id=10de:2684,path=0000:01:00");
	while (s.len < SECTION_FILE_MAX - 200)
		str_add(&s, ";0000:01:00");
	str_add(&s, "\n\tmap node=pve1,id=10de:2684,path=0000:02:00\n\tmdev \x1b[31m\n");
	box_text(b, MAPPING_FILE, s.s);
	str_release(&s);
	box_worked(b, mapping_load(&b->h, "gpu", "pve1", &m, &b->e), 0);
	assert_int_equal(m.n_entries, 2);
	assert_true(m.entries[0].n_paths > 90000);
	assert_false(m.mdev);
	mapping_release(&m);
	/* What is echoed of a bad line is short and printable. */
	box_text(b, MAPPING_FILE, "gpu\n\tmap \x1b[31m\x80=1\n");
	box_failed(b, mapping_load(&b->h, "gpu", "pve1", &m, &b->e), -ENOENT, "line 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(knows_the_name_of_the_node),
		BOX_TEST(guesses_the_name_in_a_captured_tree),
		BOX_TEST(gives_the_entries_of_one_node),
		BOX_TEST(gives_all_entries_to_who_asks),
		BOX_TEST(says_what_is_missing),
		cmocka_unit_test(accepts_the_map_lines_proxmox_accepts),
		cmocka_unit_test(finds_the_address_of_a_path),
		cmocka_unit_test(compares_with_the_hardware_as_proxmox_does),
		BOX_TEST(survives_what_lies_in_the_way),
	};

	return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
