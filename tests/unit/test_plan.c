// SPDX-License-Identifier: GPL-2.0-or-later
/* Plans: which functions, in which chains, by which steps and which reset.  Machines are text. */
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

struct bench {
	struct tree tree;
	struct host h;
	struct snapshot *snapshot;
	struct plan plan;
	struct err e;
	struct str text;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	b->text = (struct str)STR_INIT;
	b->h.rootfd = -1;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	plan_release(&b->plan);
	snapshot_free(b->snapshot);
	str_release(&b->text);
	host_close(&b->h);
	if (b->tree.dir[0])
		tree_close(&b->tree);
	free(b);
	return 0;
}

static void machine(struct bench *b, const char *text)
{
	if (tree_open_text(&b->tree, text, &b->e) < 0 || host_open(&b->h, b->tree.dir, &b->e) < 0 ||
	    snapshot_load(&b->h, &b->snapshot, &b->e) < 0)
		fail_msg("%s", b->e.msg);
}

static struct bdf at(const char *text)
{
	struct bdf a;

	assert_int_equal(bdf_parse(text, &a), 0);
	return a;
}

/* Wishes as "0000:01:00.0 0000:02:00.0"; hostpci0, hostpci1... */
static void build(struct bench *b, const char *wants, const struct plan_input *more)
{
	struct plan_input in = more ? *more : (struct plan_input){ .vmid = 100 };
	char list[512], *cursor = list, *word;
	struct want w[16];

	in.snapshot = b->snapshot;
	in.wants = w;
	assert_int_equal(str_copy(list, sizeof(list), wants), 0);
	while ((word = str_token(&cursor, " "))) {
		memset(&w[in.n_wants], 0, sizeof(*w));
		w[in.n_wants].bdf = at(word);
		snprintf(w[in.n_wants].key, sizeof(w->key), "hostpci%u", (unsigned)in.n_wants % 16);
		in.n_wants++;
	}
	plan_release(&b->plan);
	assert_int_equal(plan_build(&in, &b->plan, &b->e), 0);
}

/* Every step in a line: "1 unbind 0000:01:00.0 nvidia>" */
static const char *steps(struct bench *b)
{
	str_clear(&b->text);
	for (size_t i = 0; i < b->plan.n_steps; i++) {
		const struct step *s = &b->plan.steps[i];

		(void)str_addf(&b->text, "%u %s %s %s>%s%s%s\n", s->chain, step_kind_name(s->kind),
			       s->kind == STEP_MODULE ? "-" : BDF_SHORT(s->bdf), s->kind == STEP_RESET ? "" : s->from,
			       s->to, s->arg[0] ? " " : "", s->arg);
		assert_int_equal(s->enable, -1);
	}
	return b->text.s;
}

/* "01:00.0=hostpci0/1 01:00.1=/1": address, key, chain */
static const char *devices(struct bench *b)
{
	str_clear(&b->text);
	for (size_t i = 0; i < b->plan.n_devices; i++)
		(void)str_addf(&b->text, "%s%s=%s/%u", i ? " " : "", BDF_SHORT(b->plan.devices[i].bdf),
			       b->plan.devices[i].key, b->plan.devices[i].chain);
	return b->text.s;
}

/* Only the reset steps. */
static const char *resets(struct bench *b)
{
	str_clear(&b->text);
	for (size_t i = 0; i < b->plan.n_steps; i++)
		if (b->plan.steps[i].kind == STEP_RESET)
			(void)str_addf(&b->text, "%s: %s; ", b->plan.steps[i].to, b->plan.steps[i].arg);
	return b->text.s;
}

#define TOP	"iommu intel\ndriver vfio-pci\nroot 0000:00\n" \
		"pci 0000:00:01.0 8086:460d class=060400 bus=01 driver=pcieport group=1\n"
#define GPU(reset, audio) \
		"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia group=14 " reset "\n" \
		"pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=snd_hda_intel group=14 " audio "\n"

static void one_gpu_step_by_step(void **state)
{
	struct bench *b = *state;

	machine(b, TOP GPU("reset=flr", "reset=flr power=auto"));
	build(b, "0000:01:00.0 0000:01:00.1", NULL);
	assert_string_equal(devices(b), "01:00.0=hostpci0/1 01:00.1=hostpci1/1");
	assert_string_equal(steps(b),
		"1 power 01:00.1 auto>on\n"
		"1 power 01:00.0 on>on\n"
		"1 reset-method 01:00.1 flr>flr\n"
		"1 reset-method 01:00.0 flr>flr\n"
		"1 override 01:00.1 >vfio-pci\n"
		"1 override 01:00.0 >vfio-pci\n"
		"1 unbind 01:00.1 snd_hda_intel> snd_hda_intel\n"
		"1 unbind 01:00.0 nvidia> nvidia\n"
		"1 bind 01:00.1 >vfio-pci\n"
		"1 bind 01:00.0 >vfio-pci\n"
		"1 reset 01:00.0 >flr hot subordinate 0000:01:00.0 0000:01:00.1\n"
		"1 check 01:00.1 >\n"
		"1 check 01:00.0 >\n");
	assert_int_equal(b->plan.n_refusals, 0);
	assert_int_equal(b->plan.vmid, 100);
}

static void group_members_come_along(void **state)
{
	struct bench *b = *state;

	machine(b, TOP GPU("reset=flr", "reset=flr"));
	build(b, "0000:01:00.1", NULL);
	assert_string_equal(devices(b), "01:00.0=/1 01:00.1=hostpci0/1");
}

static void bridges_of_a_group_stay(void **state)
{
	struct bench *b = *state;

	machine(b, "iommu intel\ndriver vfio-pci\nroot 0000:00\n"
		"pci 0000:00:01.0 8086:460d class=060400 bus=01 driver=pcieport group=2\n"
		"pci 0000:00:01.1 8086:462d class=060400 bus=02 driver=pcieport group=2\n"
		"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia group=2 reset=flr\n"
		"pci 0000:02:00.0 1b21:2142 class=0c0330 parent=0000:00:01.1 driver=xhci_hcd group=2 reset=flr\n");
	build(b, "0000:01:00.0", NULL);
	assert_string_equal(devices(b), "01:00.0=hostpci0/1 02:00.0=/1");
}

static void module_comes_first_and_alone(void **state)
{
	struct bench *b = *state;

	machine(b, "iommu intel\nroot 0000:00\n"
		"pci 0000:00:1f.3 8086:7ad0 class=040300 driver=snd_hda_intel group=9 reset=flr\n");
	build(b, "0000:00:1f.3", NULL);
	assert_int_equal(b->plan.steps[0].kind, STEP_MODULE);
	assert_int_equal(b->plan.steps[0].chain, 0);
	assert_string_equal(b->plan.steps[0].to, "vfio-pci");
	assert_string_equal(b->plan.steps[0].arg, "vfio-pci");
	for (size_t i = 1; i < b->plan.n_steps; i++)
		assert_true(b->plan.steps[i].kind != STEP_MODULE && b->plan.steps[i].chain == 1);
}

static void driverless_is_only_bound(void **state)
{
	struct bench *b = *state;

	machine(b, TOP "pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 group=14 power=auto "
		"override=none\n");
	snapshot_learn(b->snapshot, at("0000:01:00.0"), "none");	/* reading it may block: see scout.h */
	build(b, "0000:01:00.0", NULL);
	assert_string_equal(steps(b),
		"1 power 01:00.0 auto>on\n"
		"1 override 01:00.0 none>vfio-pci\n"
		"1 bind 01:00.0 >vfio-pci\n"
		"1 reset 01:00.0 >hot subordinate 0000:01:00.0\n"
		"1 check 01:00.0 >\n");
}

/* Whoever bound it so wants it so: it is reset and checked, and stays where it was. */
static void on_vfio_already(void **state)
{
	struct bench *b = *state;

	machine(b, TOP "pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=vfio-pci group=14 "
		"reset=flr override=vfio-pci\n");
	build(b, "0000:01:00.0", NULL);
	assert_string_equal(steps(b),
		"1 power 01:00.0 auto>on\n"
		"1 reset-method 01:00.0 flr>flr\n"
		"1 reset 01:00.0 >flr hot subordinate 0000:01:00.0\n"
		"1 check 01:00.0 >\n");
}

/* --- chains -------------------------------------------------------------------------------------- */

static const struct { const char *name, *tree, *wants, *devices; } chains[] = {
	{ "two ports, two groups",
	  "iommu intel\ndriver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:01.0 8086:0001 class=060400 bus=01 group=1\npci 0000:00:02.0 8086:0001 class=060400 bus=02 group=2\n"
	  "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3\n"
	  "pci 0000:02:00.0 10de:0001 class=030000 parent=0000:00:02.0 group=4\n",
	  "0000:02:00.0 0000:01:00.0", "01:00.0=hostpci1/1 02:00.0=hostpci0/2" },
	{ "two ports, one group",
	  "iommu intel\ndriver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:01.0 8086:0001 class=060400 bus=01 group=1\npci 0000:00:02.0 8086:0001 class=060400 bus=02 group=2\n"
	  "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3\n"
	  "pci 0000:02:00.0 10de:0001 class=030000 parent=0000:00:02.0 group=3\n",
	  "0000:01:00.0 0000:02:00.0", "01:00.0=hostpci0/1 02:00.0=hostpci1/1" },
	{ "one slot, groups apart",
	  TOP "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3\n"
	  "pci 0000:01:00.1 10de:0002 class=040300 parent=0000:00:01.0 group=4\n",
	  "0000:01:00.0 0000:01:00.1", "01:00.0=hostpci0/1 01:00.1=hostpci1/1" },
	{ "the root bus couples nothing",
	  "iommu intel\ndriver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:02.0 8086:0001 class=030000 group=3\npci 0000:00:03.0 8086:0002 class=040300 group=4\n",
	  "0000:00:02.0 0000:00:03.0", "00:02.0=hostpci0/1 00:03.0=hostpci1/2" },
	{ "linked through a third: A-C by group, B-C by slot",
	  "iommu intel\ndriver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:01.0 8086:0001 class=060400 bus=01 group=1\npci 0000:00:02.0 8086:0001 class=060400 bus=02 group=2\n"
	  "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3\n"
	  "pci 0000:02:00.0 10de:0001 class=030000 parent=0000:00:02.0 group=4\n"
	  "pci 0000:02:00.1 10de:0002 class=040300 parent=0000:00:02.0 group=3\n",
	  "0000:01:00.0 0000:02:00.0", "01:00.0=hostpci0/1 02:00.0=hostpci1/1 02:00.1=/1" },
	{ "first and last together, one between",
	  "iommu intel\ndriver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:02.0 8086:0001 class=030000 group=3\npci 0000:00:03.0 8086:0002 class=040300 group=4\n"
	  "pci 0000:00:04.0 8086:0003 class=040300 group=3\npci 0000:00:05.0 8086:0003 class=040300 group=5\n",
	  "0000:00:02.0 0000:00:03.0 0000:00:05.0",
	  "00:02.0=hostpci0/1 00:03.0=hostpci1/2 00:04.0=/1 00:05.0=hostpci2/3" },
	{ "the same bus number in another domain",
	  "iommu intel\ndriver vfio-pci\nroot 0000:00\nroot 10000:00\n"
	  "pci 0000:00:02.0 8086:0001 class=030000 group=3\npci 10000:00:02.0 8086:0001 class=010802 group=4\n",
	  "0000:00:02.0 10000:00:02.0", "00:02.0=hostpci0/1 10000:00:02.0=hostpci1/2" },
};

static void chain_table(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		void *own = NULL;
		struct bench *b;

		assert_int_equal(setup(&own), 0);
		b = own;
		machine(b, chains[i].tree);
		build(b, chains[i].wants, NULL);
		if (strcmp(devices(b), chains[i].devices) != 0)
			print_error("%s:\n", chains[i].name);
		assert_string_equal(devices(b), chains[i].devices);
		teardown(&own);
	}
	(void)state;
}

/* --- resets -------------------------------------------------------------------------------------- */

static const struct { const char *name, *tree, *wants, *resets; } reset_cases[] = {
	{ "all have flr", TOP GPU("reset=flr", "reset=flr"), "0000:01:00.0",
	  "flr hot subordinate: 0000:01:00.0 0000:01:00.1; " },
	{ "function 0 lists bus, which only works alone", TOP GPU("reset=bus", ""), "0000:01:00.0",
	  "hot subordinate: 0000:01:00.0 0000:01:00.1; " },
	{ "one has flr, one nothing: the bus helps both", TOP GPU("reset=flr", ""), "0000:01:00.0",
	  "hot subordinate flr: 0000:01:00.0 0000:01:00.1; " },
	{ "alone on its bus, bus works",
	  TOP "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3 reset=bus\n", "0000:01:00.0",
	  "bus hot subordinate: 0000:01:00.0; " },
	{ "alone, nothing listed", TOP "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3\n",
	  "0000:01:00.0", "hot subordinate: 0000:01:00.0; " },
	{ "a stranger on the bus: no hot reset",
	  TOP "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3 reset=bus\n"
	  "pci 0000:01:00.1 10de:0002 class=040300 parent=0000:00:01.0 group=4\n", "0000:01:00.0", "" },
	{ "a stranger on the bus, own reset works",
	  TOP "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3 reset=\"flr bus\"\n"
	  "pci 0000:01:00.1 10de:0002 class=040300 parent=0000:00:01.0 group=4\n", "0000:01:00.0",
	  "flr: 0000:01:00.0; " },
	{ "root bus: no hot reset",
	  "iommu intel\ndriver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:02.0 8086:0001 class=030000 group=3\n", "0000:00:02.0", "" },
	{ "root bus: flr", "iommu intel\ndriver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:02.0 8086:0001 class=030000 group=3 reset=flr\n", "0000:00:02.0", "flr: 0000:00:02.0; " },
	{ "two cards, one reset each",
	  "iommu intel\ndriver vfio-pci\nroot 0000:00\n"
	  "pci 0000:00:01.0 8086:0001 class=060400 bus=01 group=1\npci 0000:00:02.0 8086:0001 class=060400 bus=02 group=2\n"
	  "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3 reset=flr\n"
	  "pci 0000:02:00.0 10de:0001 class=030000 parent=0000:00:02.0 group=4\n",
	  "0000:01:00.0 0000:02:00.0", "flr hot subordinate: 0000:01:00.0; hot subordinate: 0000:02:00.0; " },
	{ "two slots of one bus need the bus: one reset",
	  TOP "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3\n"
	  "pci 0000:01:01.0 10de:0002 class=040300 parent=0000:00:01.0 group=3\n", "0000:01:00.0",
	  "hot subordinate: 0000:01:00.0 0000:01:01.0; " },
	{ "two slots, only the second needs the bus: it must not be forgotten",
	  TOP "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3 reset=pm\n"
	  "pci 0000:01:01.0 10de:0002 class=040300 parent=0000:00:01.0 group=3\n", "0000:01:00.0",
	  "pm hot subordinate: 0000:01:00.0; hot subordinate: 0000:01:00.0 0000:01:01.0; " },
	{ "two slots, only the first needs the bus",
	  TOP "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3\n"
	  "pci 0000:01:01.0 10de:0002 class=040300 parent=0000:00:01.0 group=3 reset=pm\n", "0000:01:00.0",
	  "hot subordinate: 0000:01:00.0 0000:01:01.0; pm hot subordinate: 0000:01:01.0; " },
};

static void reset_table(void **state)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(reset_cases); i++) {
		void *own = NULL;
		struct bench *b;

		assert_int_equal(setup(&own), 0);
		b = own;
		machine(b, reset_cases[i].tree);
		build(b, reset_cases[i].wants, NULL);
		if (strcmp(resets(b), reset_cases[i].resets) != 0) {
			print_error("%s:\n  want '%s'\n  got  '%s'\n", reset_cases[i].name, reset_cases[i].resets,
				    resets(b));
			wrong++;
		}
		teardown(&own);
	}
	(void)state;
	assert_int_equal(wrong, 0);
}

static void resets_can_be_forbidden(void **state)
{
	struct plan_input in = { .vmid = 100, .policy.reset = POLICY_RESET_NEVER };
	struct bench *b = *state;

	machine(b, TOP GPU("reset=flr", "reset=flr"));
	build(b, "0000:01:00.0", &in);
	assert_string_equal(resets(b), "");
	assert_int_equal(b->plan.steps[b->plan.n_steps - 1].kind, STEP_CHECK);
}

static const struct { enum reset_policy reset; const char *chain, *to, *from, *keep; bool must, exact; } whens[] = {
	{ POLICY_RESET_AUTO, NULL, "flr hot subordinate", "hot subordinate flr d3", "auto", false, false },
	{ POLICY_RESET_ALWAYS, NULL, "flr hot subordinate", "hot subordinate flr d3", "always", true, false },
	{ POLICY_RESET_ON_CLAIM, NULL, "flr hot subordinate", "", "", false, false },
	{ POLICY_RESET_ON_RETURN, NULL, "", "hot subordinate flr d3", "always", false, false },
	{ POLICY_RESET_AUTO, "pm bus d3", "pm bus d3", "pm bus d3", "auto", false, true },
};

static void when_and_by_what(void **state)
{
	struct bench *b = *state;

	machine(b, TOP GPU("reset=flr", "reset=flr"));
	for (size_t i = 0; i < ARRAY_SIZE(whens); i++) {
		struct plan_input in = { .vmid = 100, .policy = { .reset = whens[i].reset, .chain = whens[i].chain } };
		const struct step *s = NULL;

		build(b, "0000:01:00.0", &in);
		for (size_t k = 0; k < b->plan.n_steps; k++)
			if (b->plan.steps[k].kind == STEP_RESET)
				s = &b->plan.steps[k];
		assert_non_null(s);
		assert_string_equal(s->to, whens[i].to);
		assert_string_equal(s->from, whens[i].from);
		assert_string_equal(s->keep, whens[i].keep);
		assert_int_equal(s->must, whens[i].must);
		assert_int_equal(s->exact, whens[i].exact);
	}
}

/* An order of somebody's does not reach a stranger on the bus either. */
static void an_order_spares_strangers(void **state)
{
	struct plan_input in = { .vmid = 100, .policy.chain = "hot bus flr subordinate rescan" };
	struct bench *b = *state;

	machine(b, TOP "pci 0000:01:00.0 10de:0001 class=030000 parent=0000:00:01.0 group=3 reset=\"flr bus\"\n"
		"pci 0000:01:00.1 10de:0002 class=040300 parent=0000:00:01.0 group=4\n");
	build(b, "0000:01:00.0", &in);
	assert_string_equal(resets(b), "flr: 0000:01:00.0; ");
}

/* A reset comes after every bind of its chain, a check after every reset, a bind after every unbind. */
static void order_within_a_chain(void **state)
{
	struct bench *b = *state;
	enum step_kind last[4] = { STEP_MODULE, STEP_MODULE, STEP_MODULE, STEP_MODULE };

	machine(b, TOP
		"pci 0000:00:02.0 8086:0001 class=060400 bus=02 group=2\n"
		GPU("reset=bus", "")
		"pci 0000:02:00.0 10de:2684 class=030000 parent=0000:00:02.0 driver=nouveau group=15\n"
		"pci 0000:02:00.1 10de:22ba class=040300 parent=0000:00:02.0 driver=vfio-pci group=15\n");
	build(b, "0000:01:00.0 0000:02:00.0", NULL);
	assert_int_equal(b->plan.chains, 2);
	for (size_t i = 0; i < b->plan.n_steps; i++) {
		const struct step *s = &b->plan.steps[i];

		assert_true(s->chain == 1 || s->chain == 2);
		assert_true(s->kind >= last[s->chain]);
		last[s->chain] = s->kind;
	}
	assert_int_equal(last[1], STEP_CHECK);
	assert_int_equal(last[2], STEP_CHECK);
}

/* --- what our own unfinished claim had found ------------------------------------------------------ */

static const char taken[] = TOP
	"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=vfio-pci override=vfio-pci power=on "
	"group=14 reset=flr\n";

static void an_origin_is_what_it_was_at_first(void **state)
{
	struct device was = { .bdf = { 0, 1, 0, 0 }, .key = "hostpci7", .vendor = 1, .device = 2, .group = 99, .chain = 7,
			      .driver = "nvidia", .module = "nvidia", .power = "auto", .reset_method = "bus" };
	struct plan_input in = { .vmid = 100, .origins = &was, .n_origins = 1 };
	struct bench *b = *state;

	machine(b, taken);
	build(b, "0000:01:00.0", &in);
	assert_string_equal(devices(b), "01:00.0=hostpci0/1");
	assert_int_equal(b->plan.devices[0].vendor, 0x10de);
	assert_int_equal(b->plan.devices[0].group, 14);
	assert_string_equal(steps(b),
		"1 power 01:00.0 auto>on\n"
		"1 reset-method 01:00.0 bus>bus\n"
		"1 override 01:00.0 >vfio-pci\n"
		"1 unbind 01:00.0 nvidia> nvidia\n"
		"1 bind 01:00.0 >vfio-pci\n"
		"1 reset 01:00.0 >flr hot subordinate 0000:01:00.0\n"
		"1 check 01:00.0 >\n");
}

static void an_origin_of_something_else_does_not_count(void **state)
{
	struct device was = { .bdf = { 0, 2, 0, 0 }, .driver = "nvidia" };
	struct plan_input in = { .vmid = 100, .origins = &was, .n_origins = 1 };
	struct bench *b = *state;

	machine(b, taken);
	build(b, "0000:01:00.0", &in);
	assert_string_equal(b->plan.devices[0].driver, "vfio-pci");
}

/* It was on vfio-pci when we came; since then somebody has put it on a host driver.  The VM needs it
 * on vfio-pci all the same: without these steps the start would succeed with the card on nvidia. */
static void an_origin_on_vfio_that_was_moved_away(void **state)
{
	struct device was = { .bdf = { 0, 1, 0, 0 }, .vendor = 0x10de, .device = 0x2684, .driver = "vfio-pci",
			      .module = "vfio_pci", .override = "vfio-pci", .power = "auto" };
	struct plan_input in = { .vmid = 100, .origins = &was, .n_origins = 1 };
	struct bench *b = *state;

	machine(b, TOP "pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia group=14\n");
	build(b, "0000:01:00.0", &in);
	assert_non_null(strstr(steps(b), "1 unbind 01:00.0 nvidia>"));
	assert_non_null(strstr(steps(b), "1 bind 01:00.0 >vfio-pci"));
}

/* --- closure and edges ---------------------------------------------------------------------------- */

static void closure_is_sorted_and_without_repetition(void **state)
{
	struct want w[] = { { { 0, 1, 0, 1 }, "hostpci0" }, { { 0, 1, 0, 0 }, "hostpci1" },
			    { { 0, 1, 0, 1 }, "hostpci2" }, { { 0, 77, 0, 0 }, "hostpci3" } };
	struct bench *b = *state;
	struct bdf *list = NULL;
	size_t n = 0;

	machine(b, TOP GPU("", ""));
	assert_int_equal(plan_closure(b->snapshot, w, ARRAY_SIZE(w), &list, &n, &b->e), 0);
	assert_int_equal(n, 2);
	assert_true(bdf_same(list[0], w[1].bdf) && bdf_same(list[1], w[0].bdf));
	free(list);
}

static void nothing_wanted(void **state)
{
	struct bench *b = *state;

	machine(b, TOP GPU("", ""));
	build(b, "", NULL);
	assert_int_equal(b->plan.n_devices + b->plan.n_steps + b->plan.n_refusals + b->plan.chains, 0);
}

/* More than a block of the lists: nothing is lost on growing. */
static void eight_cards_of_four(void **state)
{
	struct bench *b = *state;
	struct str text = STR_INIT, wants = STR_INIT;

	(void)str_add(&text, "iommu intel\ndriver vfio-pci\nroot 0000:00\n");
	for (int i = 1; i <= 8; i++)
		(void)str_addf(&text, "pci 0000:00:%02x.0 8086:0001 class=060400 bus=%02x group=%d\n", (unsigned)i, (unsigned)i, i);
	for (int i = 1; i <= 8; i++)
		for (int f = 0; f < 4; f++)
			(void)str_addf(&text, "pci 0000:%02x:00.%d 10de:%04x class=030000 parent=0000:00:%02x.0 "
				       "driver=nvidia group=%d\n", (unsigned)i, f, (unsigned)f + 1, (unsigned)i, 100 + i);
	for (int i = 1; i <= 8; i++)
		(void)str_addf(&wants, "0000:%02x:00.0 ", (unsigned)i);
	machine(b, text.s);
	build(b, wants.s, NULL);
	assert_int_equal(b->plan.n_devices, 32);
	assert_int_equal(b->plan.chains, 8);
	/* power, override, unbind, bind, check of each; one reset per card */
	assert_int_equal(b->plan.n_steps, 32 * 5 + 8);
	str_release(&text);
	str_release(&wants);
}

/* --- the snapshot under it ------------------------------------------------------------------------ */

/* `pve-gpu list --root` on a folder that is no machine: a sentence, no crash. */
static void a_folder_without_pci(void **state)
{
	struct bench *b = *state;
	struct snapshot *s = NULL;

	assert_int_equal(tree_open_text(&b->tree, "dir /proc\n", &b->e), 0);
	assert_int_equal(host_open(&b->h, b->tree.dir, &b->e), 0);
	assert_int_equal(snapshot_load(&b->h, &s, &b->e), -ENOENT);
	assert_null(s);
	assert_non_null(strstr(b->e.msg, "/sys/bus/pci/devices"));
}

static void snapshot_reads_what_is_wanted(void **state)
{
	struct bench *b = *state;
	struct snapshot *s = NULL;

	machine(b, TOP GPU("", "") "pci 0000:00:1f.3 8086:0001 class=040300 group=20\n");
	assert_int_equal(snapshot_open(&b->h, &s, &b->e), 0);
	assert_int_equal(snapshot_count(s), 4);
	assert_int_equal(snapshot_want(&b->h, s, at("0000:01:00.0"), &b->e), 0);
	assert_non_null(snapshot_get(s, at("0000:01:00.1")));
	assert_null(snapshot_get(s, at("0000:00:1f.3")));
	assert_int_equal(snapshot_want(&b->h, s, at("0000:09:00.0"), &b->e), -ENOENT);
	assert_true(snapshot_has_iommu(s) && snapshot_has_vfio(s));
	snapshot_learn(s, at("0000:01:00.0"), "nvidia");
	assert_string_equal(snapshot_get(s, at("0000:01:00.0"))->override, "nvidia");
	snapshot_free(s);
}

static unsigned locked_reads;

static ssize_t counting_read(struct host *h, const char *path, void *buf, size_t size)
{
	locked_reads += strstr(path, "/sriov_numvfs") || strstr(path, "/driver_override") || strstr(path, "/config");
	return host_default_ops.read(h, path, buf, size);
}

/* An attribute whose reader takes the device's lock would hang with somebody else's write. */
static void a_snapshot_waits_for_nobody(void **state)
{
	struct host_ops ops = host_default_ops;
	struct bench *b = *state;
	struct snapshot *s = NULL;

	machine(b, TOP
		"pci 0000:01:00.0 8086:1572 class=020000 parent=0000:00:01.0 driver=i40e group=14 vfs=8 reset=flr\n"
		"pci 0000:01:02.0 8086:154c class=020000 parent=0000:00:01.0 driver=iavf group=15 physfn=0000:01:00.0\n");
	ops.read = counting_read;
	b->h.ops = &ops;
	locked_reads = 0;
	assert_int_equal(snapshot_load(&b->h, &s, &b->e), 0);
	assert_int_equal(locked_reads, 0);
	assert_int_equal(snapshot_get(s, at("0000:01:00.0"))->vfs, 1);
	b->h.ops = &host_default_ops;
	snapshot_free(s);
}

int main(void)
{
#define BENCH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		BENCH(one_gpu_step_by_step),
		BENCH(group_members_come_along),
		BENCH(bridges_of_a_group_stay),
		BENCH(module_comes_first_and_alone),
		BENCH(driverless_is_only_bound),
		BENCH(on_vfio_already),
		cmocka_unit_test(chain_table),
		cmocka_unit_test(reset_table),
		BENCH(resets_can_be_forbidden),
		BENCH(when_and_by_what),
		BENCH(an_order_spares_strangers),
		BENCH(order_within_a_chain),
		BENCH(an_origin_is_what_it_was_at_first),
		BENCH(an_origin_of_something_else_does_not_count),
		BENCH(an_origin_on_vfio_that_was_moved_away),
		BENCH(closure_is_sorted_and_without_repetition),
		BENCH(nothing_wanted),
		BENCH(eight_cards_of_four),
		BENCH(a_folder_without_pci),
		BENCH(snapshot_reads_what_is_wanted),
		BENCH(a_snapshot_waits_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
