// SPDX-License-Identifier: GPL-2.0-or-later
/* From a VM id to a plan: which configuration is read, what is left alone, what other people's rights
 * do to the choice. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "tree.h"

#define MACHINE \
	"host pve1\n" \
	"iommu intel\n" \
	"pci 0000:00:01.0 8086:460d class=060400 driver=pcieport module= group=2 bus=01\n" \
	"pci 0000:01:00.0 10de:2684 class=030000 subsystem=1043:88e2 driver=nvidia module=nvidia group=15 " \
		"parent=0000:00:01.0 reset=\"flr bus\" bars=\"16m\"\n" \
	"pci 0000:00:1c.0 8086:460e class=060400 driver=pcieport module= group=3 bus=02\n" \
	"pci 0000:02:00.0 10de:2684 class=030000 subsystem=1043:88e2 driver=nvidia module=nvidia group=16 " \
		"parent=0000:00:1c.0 reset=\"flr bus\" bars=\"16m\"\n" \
	"driver vfio-pci module=vfio_pci\n"
#define MAPPING \
	"file /etc/pve/mapping/pci.cfg <<END\n" \
	"gpu\n" \
	"\tmap id=10de:2684,iommugroup=15,node=pve1,path=0000:01:00,subsystem-id=1043:88e2\n" \
	"\tmap id=10de:2684,iommugroup=16,node=pve1,path=0000:02:00,subsystem-id=1043:88e2\n" \
	"END\n"

struct box { struct tree tree; struct host h; };

static void open_box(struct box *b, const char *more)
{
	struct err e = ERR_INIT;
	struct str text = STR_INIT;

	assert_int_equal(str_add(&text, MACHINE), 0);
	assert_int_equal(str_add(&text, more), 0);
	if (tree_open_text(&b->tree, text.s, &e) < 0 || host_open(&b->h, b->tree.dir, &e) < 0)
		fail_msg("%s", e.msg);
	str_release(&text);
}

static void close_box(struct box *b)
{
	host_close(&b->h);
	tree_close(&b->tree);
}

/* What guest_load() says of one VM, and how many of its entries are to be taken. */
static const struct load {
	const char *name, *files, *from;
	int r;
	enum guest_kind kind;
	unsigned entries, taken;
} loads[] = {
	{ "whole slot", "config 100 <<END\nhostpci0: 01:00\nEND\n", NULL, 0, GUEST_VM, 1, 1 },
	{ "empty variable", "config 100 <<END\nhostpci0: 01:00\nEND\n", "", 0, GUEST_VM, 1, 1 },
	{ "no devices", "config 100 <<END\ncores: 4\nEND\n", NULL, 0, GUEST_VM, 0, 0 },
	{ "only in a snapshot", "config 100 <<END\ncores: 4\n\n[old]\nhostpci0: 01:00\nEND\n", NULL, 0, GUEST_VM, 0, 0 },
	{ "only pending", "config 100 <<END\ncores: 4\n\n[PENDING]\nhostpci0: 01:00\nEND\n", NULL, 0, GUEST_VM, 0, 0 },
	{ "template", "config 100 <<END\nhostpci0: 01:00\ntemplate: 1\nEND\n", NULL, 0, GUEST_TEMPLATE, 1, 1 },
	{ "mdev", "config 100 <<END\nhostpci0: 01:00.0,mdev=nvidia-63\nEND\n", NULL, 0, GUEST_VM, 1, 0 },
	{ "driver=keep", "config 100 <<END\nhostpci0: 01:00,driver=keep\nEND\n", NULL, 0, GUEST_VM, 1, 0 },
	{ "one of each", "config 100 <<END\nhostpci0: 01:00,driver=keep\nhostpci1: 02:00\nEND\n", NULL, 0, GUEST_VM, 2, 1 },
	{ "dropped line", "config 100 <<END\nhostpci0: 01:00,nonsense=1\nEND\n", NULL, 0, GUEST_VM, 0, 0 },
	{ "container", "file /etc/pve/lxc/100.conf arch: amd64\n", NULL, 0, GUEST_CONTAINER, 0, 0 },
	{ "nobody", "", NULL, -ENOENT, GUEST_VM, 0, 0 },
	{ "migrating", "file /etc/pve/nodes/pve2/qemu-server/100.conf hostpci0: 01:00\n", "pve2", 0, GUEST_VM, 1, 1 },
	{ "migrated meanwhile", "config 100 <<END\nhostpci0: 01:00\nEND\n", "pve2", 0, GUEST_VM, 1, 1 },
	{ "a path for a node", "config 100 <<END\nhostpci0: 01:00\nEND\n", "../../x", -EINVAL, GUEST_VM, 0, 0 },
	{ "a folder", "dir /etc/pve/nodes/pve1/qemu-server/100.conf\n", NULL, -EISDIR, GUEST_VM, 0, 0 },
};

static void test_loads(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		const struct load *t = &loads[i];
		struct err e = ERR_INIT;
		unsigned taken = 0;
		struct guest g;
		struct box b;
		int r;

		open_box(&b, t->files);
		r = guest_load(&b.h, 100, t->from, &g, &e);
		if (r != t->r)
			fail_msg("%s: %d: %s", t->name, r, e.msg);
		if (r < 0 && strlen(e.msg) < 20)
			fail_msg("%s: no sentence: '%s'", t->name, e.msg);
		if (r == 0) {
			for (size_t k = 0; k < g.n; k++)
				taken += !g.pci[k].left_alone;
			if (g.kind != t->kind || g.n != t->entries || taken != t->taken)
				fail_msg("%s: kind %d, %zu entries, %u to take", t->name, (int)g.kind, g.n, taken);
			assert_int_equal(guest_has_devices(&g), taken > 0);
			guest_release(&g);
		}
		close_box(&b);
	}
}

/* Which functions a plan takes ("01:00.0 ..."), or "refused ID...". */
static const struct choice {
	const char *name, *files, *want;
} choices[] = {
	{ "first of a mapping", MAPPING "config 100 <<END\nhostpci0: mapping=gpu\nEND\n", "01:00.0 " },
	{ "reserved for a start", MAPPING "config 100 <<END\nhostpci0: mapping=gpu\nEND\n"
	  "file /run/qemu-server/pci-id-reservations 0000:01:00.0 101 time:2000\n", "02:00.0 " },
	{ "reserved once", MAPPING "config 100 <<END\nhostpci0: mapping=gpu\nEND\n"
	  "file /run/qemu-server/pci-id-reservations 0000:01:00.0 101 time:900\n", "01:00.0 " },
	{ "its own reservation", MAPPING "config 100 <<END\nhostpci0: mapping=gpu\nEND\n"
	  "file /run/qemu-server/pci-id-reservations 0000:01:00.0 100 time:2000\n", "01:00.0 " },
	{ "both of a mapping", MAPPING "config 100 <<END\nhostpci0: mapping=gpu\nhostpci1: mapping=gpu\nEND\n",
	  "01:00.0 02:00.0 " },
	{ "one too many", MAPPING "config 100 <<END\nhostpci0: mapping=gpu\nhostpci1: mapping=gpu\nhostpci2: mapping=gpu\nEND\n",
	  "refused mapping-full " },
	{ "list of two", "config 100 <<END\nhostpci0: 01:00.0;02:00.0\nEND\n", "01:00.0 02:00.0 " },
	{ "twice", "config 100 <<END\nhostpci0: 01:00\nhostpci1: 0000:01:00.0\nEND\n", "refused twice " },
	{ "absent", "config 100 <<END\nhostpci0: 03:00\nEND\n", "refused absent " },
	{ "absent and held", "config 100 <<END\nhostpci0: 03:00\nhostpci1: 01:00\nEND\n"
	  "file /run/qemu-server/pci-id-reservations 0000:01:00.0 101 time:2000\n", "refused absent held " },
	{ "host and mapping", MAPPING "config 100 <<END\nhostpci0: 01:00,mapping=gpu\nEND\n", "refused config " },
	{ "no such mapping", "config 100 <<END\nhostpci0: mapping=gpu\nEND\n", "refused mapping " },
};

static void describe(const struct plan *p, struct str *out)
{
	if (p->n_refusals)
		assert_int_equal(str_add(out, "refused "), 0);
	for (size_t i = 0; i < p->n_refusals; i++)
		assert_int_equal(str_addf(out, "%s ", p->refusals[i].id), 0);
	for (size_t i = 0; !p->n_refusals && i < p->n_devices; i++)
		assert_int_equal(str_addf(out, "%s ", BDF_SHORT(p->devices[i].bdf)), 0);
}

static void test_choices(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		struct guest_view v = GUEST_VIEW_INIT;
		struct str got = STR_INIT;
		struct err e = ERR_INIT;
		struct settings s;
		struct guest_input in = { .settings = &s, .now_unix = 1000 };
		struct guest g;
		struct box b;

		settings_init(&s);
		open_box(&b, choices[i].files);
		if (guest_load(&b.h, 100, NULL, &g, &e) < 0 || guest_plan(&b.h, &g, &in, &v, &e) < 0)
			fail_msg("%s: %s", choices[i].name, e.msg);
		describe(&v.plan, &got);
		if (strcmp(got.s, choices[i].want) != 0)
			fail_msg("%s: '%s' instead of '%s'", choices[i].name, got.s, choices[i].want);
		str_release(&got);
		guest_view_release(&v);
		guest_release(&g);
		close_box(&b);
	}
}

/* Two ports of a card, the virtual functions of the first in the card's own slot. */
#define NIC "/sys/devices/pci0000:00/0000:00:1d.0/0000:03:00.0/"
#define PORTS \
	"pci 0000:00:1d.0 8086:460f class=060400 driver=pcieport module= group=4 bus=03\n" \
	"pci 0000:03:00.0 8086:1572 class=020000 parent=0000:00:1d.0 driver=i40e group=17 vfs=4 reset=flr\n" \
	"file " NIC "sriov_offset 2\nfile " NIC "sriov_stride 1\nfile " NIC "sriov_vf_device 154c\n" \
	"pci 0000:03:00.1 8086:1572 class=020000 parent=0000:00:1d.0 driver=i40e group=%s reset=flr\n"

/* The devices and, with a '+', the physical functions whose virtual ones are made. */
static const struct made {
	const char *name, *group, *config, *want;
} makes[] = {
	{ "the whole card", "18", "hostpci0: 0000:03:00\n", "03:00.0 03:00.1 " },
	{ "the whole card, short", "18", "hostpci0: 03:00\n", "03:00.0 03:00.1 " },
	{ "the physical function", "18", "hostpci0: 0000:03:00.0\n", "03:00.0 " },
	{ "both", "18", "hostpci0: 0000:03:00.0\nhostpci1: 0000:03:00.2\n", "refused absent " },
	{ "a virtual one", "18", "hostpci0: 0000:03:00.3\n", "+0000:03:00.0 03:00.3 " },
	{ "one, and the other port", "18", "hostpci0: 0000:03:00.3\nhostpci1: 03:00.1\n", "+0000:03:00.0 03:00.1 03:00.3 " },
	{ "the parent in the group of the other port", "17", "hostpci0: 0000:03:00.3\nhostpci1: 03:00.1\n",
	  "refused pf-with-vfs " },
};

static void test_makes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(makes); i++) {
		struct guest_view v = GUEST_VIEW_INIT;
		struct str got = STR_INIT, files = STR_INIT;
		struct err e = ERR_INIT;
		struct settings s;
		struct guest_input in = { .settings = &s, .now_unix = 1000 };
		struct guest g;
		struct box b;

		settings_init(&s);
		snprintf(s.vfs.text, sizeof(s.vfs.text), "4");
		assert_int_equal(str_addf(&files, PORTS "config 100 <<END\n%sEND\n", makes[i].group, makes[i].config), 0);
		open_box(&b, files.s);
		if (guest_load(&b.h, 100, NULL, &g, &e) < 0 || guest_plan(&b.h, &g, &in, &v, &e) < 0)
			fail_msg("%s: %s", makes[i].name, e.msg);
		for (size_t k = 0; !v.plan.n_refusals && k < v.plan.n_steps; k++)
			if (v.plan.steps[k].kind == STEP_VFS)
				assert_int_equal(str_addf(&got, "+%s ", v.plan.steps[k].to), 0);
		describe(&v.plan, &got);
		if (strcmp(got.s, makes[i].want) != 0)
			fail_msg("%s: '%s' instead of '%s'", makes[i].name, got.s, makes[i].want);
		str_release(&got);
		str_release(&files);
		guest_view_release(&v);
		guest_release(&g);
		close_box(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loads),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_makes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
