// SPDX-License-Identifier: GPL-2.0-or-later
/* Refusals: for each reason a machine that has it and one that has not; all of them at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "str.h"
#include "tree.h"

#define IOMMU	"iommu intel\n"
#define TOP	"driver vfio-pci\nroot 0000:00\n" \
		"pci 0000:00:01.0 8086:460d class=060400 bus=01 driver=pcieport group=1\n"
#define GPU	"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia group=14 reset=flr\n" \
		"pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=snd_hda_intel group=14 reset=flr\n"
/* A dragged neighbour in the group of a wanted card. */
#define WITH(line) IOMMU TOP "pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia group=14\n" line

static const struct inuse_finding
	root_disk = { .bdf = { 0, 1, 0, 0 }, .kind = INUSE_MOUNT, .weight = INUSE_CRITICAL, .text = "carries / on nvme0n1p3" },
	audio_pool = { .bdf = { 0, 1, 0, 1 }, .kind = INUSE_STORAGE, .weight = INUSE_CRITICAL, .text = "is in the pool tank" },
	player = { .bdf = { 0, 1, 0, 0 }, .kind = INUSE_PROCESS, .weight = INUSE_BUSY, .who = { .pid = 812 },
		   .text = "held by ffmpeg (pid 812)" },
	hangs = { .bdf = { 0, 1, 0, 0 }, .kind = INUSE_PROCESS, .weight = INUSE_HANGS, .who = { .pid = 813 },
		  .text = "held by Xorg (pid 813)" },
	keyboard = { .bdf = { 0, 1, 0, 0 }, .kind = INUSE_KEYBOARD, .weight = INUSE_BUSY, .text = "has a keyboard" },
	network = { .bdf = { 0, 1, 0, 0 }, .kind = INUSE_NET, .weight = INUSE_BUSY, .object = "eno1", .text = "is eno1" },
	spare = { .bdf = { 0, 1, 0, 0 }, .kind = INUSE_NET, .weight = INUSE_MAYBE, .object = "eno1", .text = "is up" },
	note = { .bdf = { 0, 1, 0, 0 }, .kind = INUSE_USB, .weight = INUSE_NOTE, .text = "has a mouse pad" },
	boot = { .bdf = { 0, 1, 0, 0 }, .kind = INUSE_BOOT_DISPLAY, .weight = INUSE_BUSY, .text = "is the boot display" },
	dark = { .bdf = { 0, 1, 0, 0 }, .kind = INUSE_BOOT_DISPLAY, .weight = INUSE_NOTE, .text = "is the boot display, dark" },
	only = { .bdf = { 0, 1, 0, 1 }, .kind = INUSE_ONLY_DISPLAY, .weight = INUSE_BUSY, .text = "is the only display" },
	bmc = { .bdf = { 0, 1, 0, 0 }, .kind = INUSE_BMC_DISPLAY, .weight = INUSE_BUSY, .text = "is the BMC's" },
	input = { .bdf = { 0, 1, 0, 0 }, .kind = INUSE_LAST_INPUT, .weight = INUSE_BUSY, .text = "has the only keyboard" },
	audio_player = { .bdf = { 0, 1, 0, 1 }, .kind = INUSE_PROCESS, .weight = INUSE_BUSY, .who = { .pid = 814 },
			 .text = "held by pipewire (pid 814)" },
	audio_hangs = { .bdf = { 0, 1, 0, 1 }, .kind = INUSE_PROCESS, .weight = INUSE_HANGS, .who = { .pid = 815 },
			.text = "held by something (pid 815)" },
	audio_note = { .bdf = { 0, 1, 0, 1 }, .kind = INUSE_USB, .weight = INUSE_NOTE, .text = "has something" };

/* `want` is the ids of the refusals in order, "id@address". */
static const struct {
	const char *name, *tree, *wants, *want;
	const struct inuse_finding *use;
	struct policy policy;
	struct hold hold;
	struct plan_vfs vfs;	/* to be made */
	bool dead;		/* 01:00.0 reads all ones, as the scout found */
} cases[] = {
	{ .name = "a free card", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .want = "" },

	{ .name = "no IOMMU", .tree = "driver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:01.0 8086:460d class=060400 bus=01 driver=pcieport\n"
	  "pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia reset=flr\n",
	  .wants = "0000:01:00.0", .want = "no-iommu@" },
	{ .name = "an IOMMU that leaves the card out", .tree = IOMMU TOP
	  "pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia reset=flr\n",
	  .wants = "0000:01:00.0", .want = "no-group@0000:01:00.0" },

	{ .name = "a dead card", .tree = IOMMU TOP
	  "pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia group=14 dead=yes\n",
	  .wants = "0000:01:00.0", .want = "dead@0000:01:00.0", .dead = true },
	{ .name = "a dead card that is to be revived", .tree = IOMMU TOP
	  "pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia group=14 dead=yes\n",
	  .wants = "0000:01:00.0", .want = "", .dead = true, .policy.dead_too = true },

	{ .name = "a bridge", .tree = IOMMU TOP GPU, .wants = "0000:00:01.0", .want = "bridge@0000:00:01.0" },
	{ .name = "a host bridge", .tree = IOMMU "driver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:00.0 8086:4640 class=060000 driver=igen6_edac group=0\n", .wants = "0000:00:00.0",
	  .want = "bridge@0000:00:00.0" },
	{ .name = "the ISA bridge of the board", .tree = IOMMU "driver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:1f.0 8086:7a84 class=060100 driver=lpc_ich group=9\n", .wants = "0000:00:1f.0",
	  .want = "bridge@0000:00:1f.0" },
	{ .name = "an NVSwitch is no bridge of the board", .tree = IOMMU TOP
	  "pci 0000:01:00.0 10de:22a3 class=068000 parent=0000:00:01.0 group=14 reset=flr\n",
	  .wants = "0000:01:00.0", .want = "" },

	{ .name = "another VM has it", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .want = "held@0000:01:00.0",
	  .hold = { { 0, 1, 0, 0 }, 101, "VM 101, which is running (pid 4242)", false, 0, "" } },
	{ .name = "a process has it", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .want = "held@0000:01:00.0",
	  .hold = { { 0, 1, 0, 0 }, 0, "dpdk (pid 7)", false, 0, "" } },
	{ .name = "another VM has its neighbour", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0",
	  .want = "held@0000:01:00.1", .hold = { { 0, 1, 0, 1 }, 101, "VM 101", false, 0, "" } },
	{ .name = "another VM has something else", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .want = "",
	  .hold = { { 0, 2, 0, 0 }, 101, "VM 101", false, 0, "" } },
	{ .name = "the same address in another domain", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .want = "",
	  .hold = { { 0x10000, 1, 0, 0 }, 101, "VM 101", false, 0, "" } },

	{ .name = "a PF with VFs", .tree = IOMMU TOP
	  "pci 0000:01:00.0 8086:1572 class=020000 parent=0000:00:01.0 driver=i40e group=14 vfs=8 reset=flr\n"
	  "pci 0000:01:02.0 8086:154c class=020000 parent=0000:00:01.0 driver=iavf group=15 physfn=0000:01:00.0 reset=flr\n",
	  .wants = "0000:01:00.0", .want = "pf-with-vfs@0000:01:00.0" },
	{ .name = "a PF that could have VFs", .tree = IOMMU TOP
	  "pci 0000:01:00.0 8086:1572 class=020000 parent=0000:00:01.0 driver=i40e group=14 vfs=8 reset=flr\n",
	  .wants = "0000:01:00.0", .want = "" },
	{ .name = "a PF whose VFs the same plan makes", .tree = IOMMU TOP
	  "pci 0000:01:00.0 8086:1572 class=020000 parent=0000:00:01.0 driver=i40e group=14 vfs=8 reset=flr\n",
	  .wants = "0000:01:00.0", .vfs = { { 0, 1, 0, 0 }, 4, "1" }, .want = "pf-with-vfs@0000:01:00.0" },
	{ .name = "a card beside a PF whose VFs the plan makes", .tree = IOMMU TOP GPU,
	  .wants = "0000:01:00.0", .vfs = { { 0, 2, 0, 0 }, 4, "1" }, .want = "" },
	{ .name = "a VF", .tree = IOMMU TOP
	  "pci 0000:01:00.0 8086:1572 class=020000 parent=0000:00:01.0 driver=i40e group=14 vfs=8 reset=flr\n"
	  "pci 0000:01:02.0 8086:154c class=020000 parent=0000:00:01.0 driver=iavf group=15 physfn=0000:01:00.0 reset=flr\n",
	  .wants = "0000:01:02.0", .want = "" },

	{ .name = "a card with a virtual GPU", .tree = IOMMU TOP
	  "pci 0000:01:00.0 8086:3e92 class=030000 parent=0000:00:01.0 driver=i915 group=14 mdev=i915-GVTg reset=flr\n"
	  "dir /sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/5c0e9a3e-1f0b-4b38-8e0d-aa0000000101\n",
	  .wants = "0000:01:00.0", .want = "mdev-parent@0000:01:00.0" },
	{ .name = "a card that could have one", .tree = IOMMU TOP
	  "pci 0000:01:00.0 8086:3e92 class=030000 parent=0000:00:01.0 driver=i915 group=14 mdev=i915-GVTg reset=flr\n",
	  .wants = "0000:01:00.0", .want = "" },

	{ .name = "the host's root", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &root_disk,
	  .want = "host-needs-it@0000:01:00.0" },
	{ .name = "the host's pool, dragged along", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &audio_pool,
	  .want = "host-needs-it@0000:01:00.1" },
	{ .name = "no setting overrides it", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &audio_pool,
	  .policy.members = MEMBERS_TAKE, .want = "host-needs-it@0000:01:00.1" },
	{ .name = "a pool elsewhere", .tree = IOMMU "driver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:02.0 8086:a780 class=030000 driver=i915 group=3 reset=flr\n", .wants = "0000:00:02.0",
	  .use = &root_disk, .want = "" },

	{ .name = "a process plays on it", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &player,
	  .want = "in-use@0000:01:00.0" },
	{ .name = "its unbind would hang", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &hangs,
	  .want = "in-use@0000:01:00.0" },
	{ .name = "a network of the host", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &network,
	  .want = "in-use@0000:01:00.0" },
	{ .name = "an interface that is up for nobody", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &spare,
	  .want = "" },
	{ .name = "a wanted controller with a keyboard", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0",
	  .use = &keyboard, .want = "" },
	{ .name = "worth a line only", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &note, .want = "" },

	{ .name = "the boot display", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &boot,
	  .want = "boot-display@0000:01:00.0" },
	{ .name = "the boot display of a host that can do without", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &boot,
	  .policy.allow = PLAN_ALLOW_BOOT_DISPLAY, .want = "" },
	{ .name = "another permission", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &boot,
	  .policy.allow = PLAN_ALLOW_ONLY_DISPLAY | PLAN_ALLOW_LAST_INPUT, .want = "boot-display@0000:01:00.0" },
	{ .name = "a boot display that nobody looks at", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &dark, .want = "" },
	{ .name = "the only display, dragged along", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &only,
	  .policy.members = MEMBERS_TAKE, .want = "only-display@0000:01:00.1" },
	{ .name = "the only display, dragged along, of a host that can do without", .tree = IOMMU TOP GPU,
	  .wants = "0000:01:00.0", .use = &only, .policy.allow = PLAN_ALLOW_ONLY_DISPLAY, .want = "" },
	{ .name = "the display of the BMC", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &bmc,
	  .want = "bmc-display@0000:01:00.0" },
	{ .name = "the last keyboard", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &input,
	  .want = "last-input@0000:01:00.0" },
	{ .name = "the last keyboard of a host that can do without", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0",
	  .use = &input, .policy.allow = PLAN_ALLOW_LAST_INPUT, .want = "" },

	{ .name = "a busy neighbour", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &audio_player,
	  .want = "group-member@0000:01:00.1" },
	{ .name = "a busy neighbour that is wanted too", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0 0000:01:00.1",
	  .use = &audio_player, .want = "in-use@0000:01:00.1" },
	{ .name = "a busy neighbour that may be taken", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0",
	  .use = &audio_player, .policy.members = MEMBERS_TAKE, .want = "" },
	/* "take" is about manners; an unbind that hangs for ever helps nobody */
	{ .name = "a neighbour whose unbind would hang", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0",
	  .use = &audio_hangs, .policy.members = MEMBERS_TAKE, .want = "in-use@0000:01:00.1" },
	{ .name = "an idle neighbour", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0", .use = &audio_note, .want = "" },
	{ .name = "an idle neighbour, never to be taken", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0",
	  .policy.members = MEMBERS_REFUSE, .want = "group-member@0000:01:00.1" },
	{ .name = "everything was asked for", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0 0000:01:00.1",
	  .policy.members = MEMBERS_REFUSE, .want = "" },
	{ .name = "a neighbour of the board", .tree = WITH(
	  "pci 0000:00:1f.4 8086:7aa3 class=0c0500 driver=i801_smbus group=14\n"), .wants = "0000:01:00.0",
	  .want = "group-member@0000:00:1f.4" },
	{ .name = "a bridge in the group is tolerated", .tree = WITH(
	  "pci 0000:00:1c.0 8086:7ab8 class=060400 bus=03 driver=pcieport group=14\n"), .wants = "0000:01:00.0",
	  .policy.members = MEMBERS_REFUSE, .want = "" },
	{ .name = "a neighbour on vfio-pci", .tree = WITH(
	  "pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=vfio-pci group=14\n"),
	  .wants = "0000:01:00.0", .policy.members = MEMBERS_REFUSE, .want = "" },
	{ .name = "a neighbour on pci-stub", .tree = WITH(
	  "pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=pci-stub group=14\n"),
	  .wants = "0000:01:00.0", .policy.members = MEMBERS_REFUSE, .want = "" },

	{ .name = "a reset is demanded and there is none", .tree = IOMMU "driver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:02.0 8086:a780 class=030000 driver=i915 group=3\n", .wants = "0000:00:02.0",
	  .policy.reset = POLICY_RESET_ALWAYS, .want = "no-reset@0000:00:02.0" },
	{ .name = "a reset is demanded and there is one", .tree = IOMMU TOP GPU, .wants = "0000:01:00.0",
	  .policy.reset = POLICY_RESET_ALWAYS, .want = "" },
	{ .name = "no reset, none demanded", .tree = IOMMU "driver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:02.0 8086:a780 class=030000 driver=i915 group=3\n", .wants = "0000:00:02.0", .want = "" },
	/* "10000:00:02.0" has "0000:00:02.0" in it */
	{ .name = "a reset of a namesake in a wide domain is none", .tree = IOMMU
	  "driver vfio-pci\nroot 0000:00\nroot 10000:00\n"
	  "pci 0000:00:02.0 8086:a780 class=030000 driver=i915 group=3\n"
	  "pci 10000:00:02.0 144d:a80a class=010802 driver=nvme group=4 reset=flr\n",
	  .wants = "0000:00:02.0 10000:00:02.0", .policy.reset = POLICY_RESET_ALWAYS,
	  .want = "no-reset@0000:00:02.0" },
};

struct bench { struct tree tree; struct host h; struct snapshot *s; struct plan plan; struct err e; };

static void judge_it(struct bench *b, size_t i, const struct inuse *inuse)
{
	struct plan_input in = { .vmid = 100, .policy = cases[i].policy, .inuse = inuse, .holds = &cases[i].hold,
				 .n_holds = cases[i].hold.who[0] ? 1 : 0, .vfs = &cases[i].vfs, .n_vfs = cases[i].vfs.n ? 1 : 0 };
	char list[128], *cursor = list, *word;
	struct want w[4];

	memset(w, 0, sizeof(w));
	in.wants = w;
	assert_int_equal(str_copy(list, sizeof(list), cases[i].wants), 0);
	while ((word = str_token(&cursor, " "))) {
		assert_int_equal(bdf_parse(word, &w[in.n_wants].bdf), 0);
		snprintf(w[in.n_wants].key, sizeof(w->key), "hostpci%u", (unsigned)in.n_wants % 16);
		in.n_wants++;
	}
	if (tree_open_text(&b->tree, cases[i].tree, &b->e) < 0 || host_open(&b->h, b->tree.dir, &b->e) < 0 ||
	    snapshot_load(&b->h, &b->s, &b->e) < 0)
		fail_msg("%s: %s", cases[i].name, b->e.msg);
	snapshot_learn_health(b->s, (struct bdf){ 0, 1, 0, 0 }, cases[i].dead, (struct pdev_link){ 0, 0 });
	in.snapshot = b->s;
	assert_int_equal(plan_build(&in, &b->plan, &b->e), 0);
}

static void bench_close(struct bench *b)
{
	plan_release(&b->plan);
	snapshot_free(b->s);
	host_close(&b->h);
	tree_close(&b->tree);
}

/* A reason is a sentence about its device without an end mark; a hint is one with. */
static void well_put(const struct refusal *r)
{
	size_t n = strlen(r->reason), m = strlen(r->hint);

	assert_true(n > 10 && n < sizeof(r->reason) - 1);
	assert_true(r->reason[n - 1] != '.' && r->reason[n - 1] != '\n');
	assert_true(m > 0 && m < sizeof(r->hint) - 1);
	if (r->address[0])
		assert_non_null(strstr(r->reason, r->address));
}

static void table(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct inuse_finding use = cases[i].use ? *cases[i].use : (struct inuse_finding){ .object = "" };
		struct inuse inuse = { &use, cases[i].use ? 1 : 0, 0 };
		struct str got = STR_INIT;
		struct bench b;

		memset(&b, 0, sizeof(b));
		judge_it(&b, i, &inuse);
		for (size_t k = 0; k < b.plan.n_refusals; k++) {
			(void)str_addf(&got, "%s%s@%s", k ? " " : "", b.plan.refusals[k].id, b.plan.refusals[k].address);
			well_put(&b.plan.refusals[k]);
		}
		if (strcmp(got.s, cases[i].want) != 0) {
			print_error("%s:\n  want '%s'\n  got  '%s'\n", cases[i].name, cases[i].want, got.s);
			wrong++;
		}
		str_release(&got);
		bench_close(&b);
	}
	assert_int_equal(wrong, 0);
}

/* One attempt tells everything that is wrong. */
static void all_at_once(void **state)
{
	static const char tree[] = IOMMU TOP GPU
		"pci 0000:00:02.0 8086:a780 class=030000 driver=i915\n";
	struct inuse_finding use[] = { root_disk, player, audio_player };
	struct inuse inuse = { use, ARRAY_SIZE(use), 0 };
	struct hold hold = { { 0, 1, 0, 1 }, 101, "VM 101", false, 0, "" };
	struct want w[] = { { { 0, 1, 0, 0 }, "hostpci0" }, { { 0, 0, 1, 0 }, "hostpci1" }, { { 0, 0, 2, 0 }, "hostpci2" } };
	struct plan_input in = { .vmid = 100, .wants = w, .n_wants = ARRAY_SIZE(w), .holds = &hold, .n_holds = 1,
				 .inuse = &inuse };
	static const char *const ids[] = { "bridge", "no-group", "host-needs-it", "in-use", "held", "group-member" };
	struct bench b;

	(void)state;
	memset(&b, 0, sizeof(b));
	assert_int_equal(tree_open_text(&b.tree, tree, &b.e), 0);
	assert_int_equal(host_open(&b.h, b.tree.dir, &b.e), 0);
	assert_int_equal(snapshot_load(&b.h, &b.s, &b.e), 0);
	in.snapshot = b.s;
	assert_int_equal(plan_build(&in, &b.plan, &b.e), 0);
	assert_int_equal(b.plan.n_refusals, ARRAY_SIZE(ids));
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_string_equal(b.plan.refusals[i].id, ids[i]);
	bench_close(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(all_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
