// SPDX-License-Identifier: GPL-2.0-or-later
/* Quirks: what the files may say, whom it is about, and what becomes of it in a plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quirkfile.h"
#include "str.h"
#include "tree.h"
#include "treefs.h"

static const char machine[] =
	"iommu intel\ndriver vfio-pci\nroot 0000:00\n"
	"pci 0000:00:01.0 8086:460d class=060400 bus=01 driver=pcieport group=1\n"
	"pci 0000:00:02.0 8086:460d class=060400 bus=02 driver=pcieport group=2\n"
	"pci 0000:01:00.0 1002:67df class=030000 parent=0000:00:01.0 driver=amdgpu group=14 reset=\"pm bus\"\n"
	"pci 0000:02:00.0 10de:2330 class=030200 parent=0000:00:02.0 driver=nvidia group=15 reset=\"flr bus\"\n";

static const struct bdf polaris = { 0, 1, 0, 0 }, hopper = { 0, 2, 0, 0 };

struct box {
	struct tree tree;
	struct host h;
	struct snapshot *s;
	struct quirk_hit *hits;
	size_t n;
	struct plan plan;
	struct err e;
};

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b || tree_open_text(&b->tree, machine, &b->e) < 0 || host_open(&b->h, b->tree.dir, &b->e) < 0 ||
	    snapshot_load(&b->h, &b->s, &b->e) < 0) {
		print_error("%s\n", b ? b->e.msg : "");
		return -1;
	}
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;

	plan_release(&b->plan);
	free(b->hits);
	snapshot_free(b->s);
	host_close(&b->h);
	tree_close(&b->tree);
	free(b);
	return 0;
}

static void put(struct box *b, const char *path, const char *text)
{
	assert_int_equal(tfs_put(b->h.rootfd, path, 0644, text, strlen(text)), 0);
}

static int find(struct box *b)
{
	static const struct bdf fns[] = { { 0, 1, 0, 0 }, { 0, 2, 0, 0 } };

	free(b->hits);
	b->hits = NULL;
	b->n = 0;
	b->e = (struct err)ERR_INIT;
	return quirkfile_find(&b->h, b->s, fns, ARRAY_SIZE(fns), &b->hits, &b->n, &b->e);
}

/* The chain at the claim, and on the way back. */
static const struct step *chain(struct box *b, struct bdf a, const char *given)
{
	struct want w = { .bdf = a, .key = "hostpci0" };
	struct plan_input in = { .vmid = 100, .snapshot = b->s, .wants = &w, .n_wants = 1, .quirks = b->hits,
				 .n_quirks = b->n, .policy.chain = given };

	plan_release(&b->plan);
	assert_int_equal(plan_build(&in, &b->plan, &b->e), 0);
	for (size_t i = 0; i < b->plan.n_steps; i++)
		if (b->plan.steps[i].kind == STEP_RESET)
			return &b->plan.steps[i];
	return NULL;
}

#define BASIS "source = here\ndate = 2026-01-31\n"

/* `part` NULL: it is good. */
static const struct { const char *text, *part; } files[] = {
	{ "[a]\nmatch = 1002:67df\nhint = h\n" BASIS, NULL },
	{ "[a]\nmatch = 1002:67d0/fff0, 10de:0000/0000\nclass = 03\norder = flr hot\n" BASIS, NULL },
	{ "# only a comment\n", NULL },
	{ "[a]\nclass = 03\nservices = a, b-c@1.service d.socket\n" BASIS, NULL },
	{ "[a]\nservices = a.service -x\n", ":2: services = ...-x...: that is no unit's name" },
	{ "[a]\nservices = ../a\n", "that is no unit's name" },
	{ "[a]\nmatch = 1002:67df\nhint = h\nsource = here\n", "needs a source and a date" },
	{ "[a]\nmatch = 1002:67df\nhint = h\nsource = here\ndate = soon\n", "needs a source and a date" },
	{ "[a]\nhint = h\n" BASIS, "which devices" },
	{ "[a]\nmatch = 1002:67df\n" BASIS, "says nothing" },
	{ "[a]\nmatch = 1002\n", ":2: match needs vendor:device" },
	{ "[a]\nmatch = 1002:67d\n", ":2: match needs vendor:device" },
	{ "[a]\nmatch = 1002:67df/0\n", ":2: match needs vendor:device" },
	{ "[a]\nclass = 3\n", ":2: class needs" },
	{ "[a]\norder = flr hammer\n", "there is no such method" },
	{ "[a]\nnever = hammer\n", "there is no such method" },
	{ "[a]\nmatsch = 1002:67df\n", "no key of a quirk" },
	{ "match = 1002:67df\n", "before any [section]" },
	{ "[a]\nmatch\n", "neither" },
};

static void what_a_file_may_say(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int r;

		put(b, QUIRKS_DIR "/x.ini", files[i].text);
		r = find(b);
		if (r != (files[i].part ? -EINVAL : 0) || (files[i].part && !strstr(b->e.msg, files[i].part)) ||
		    (files[i].part && !strstr(b->e.msg, QUIRKS_DIR "/x.ini")))
			fail_msg("file %zu: %d '%s'", i, r, b->e.msg);
	}
}

static void the_shipped_file(void **state)
{
	struct box *b = *state;
	char text[16384];
	FILE *f = fopen("snippets/quirks.ini", "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	put(b, QUIRKS_FILE, text);
	if (find(b) < 0)
		fail_msg("%s", b->e.msg);
	assert_int_equal(b->n, 3);		/* vendor-reset is not loaded: only that there is no reset by pm */
	assert_string_equal(b->hits[0].quirk.name, "amd-no-pm-reset");
	assert_string_equal(b->hits[1].quirk.services, "nvidia-persistenced.service nvidia-powerd.service nvidia-dcgm.service");
	assert_true(bdf_same(b->hits[1].bdf, hopper) && bdf_same(b->hits[2].bdf, hopper));
	put(b, "/sys/module/vendor_reset/refcnt", "0\n");
	assert_int_equal(find(b), 0);
	assert_int_equal(b->n, 4);
	assert_string_equal(chain(b, polaris, NULL)->to, "device_specific hot subordinate");
	assert_true(chain(b, polaris, NULL)->exact);
	assert_non_null(strstr(quirk_describe(&b->hits[0].quirk).s, "reset by device_specific"));
	assert_non_null(strstr(quirk_describe(&b->hits[0].quirk).s, "gnif/vendor-reset"));
}

static void whom_it_is_about(void **state)
{
	struct pdev d = { .vendor = 0x1002, .device = 0x67df, .class = 0x030000, .driver = "amdgpu" };
	static const struct { const char *key, *value; bool fits; } cases[] = {
		{ "match", "1002:67df", true }, { "match", "1002:67de", false }, { "match", "1002:67d0/fff0", true },
		{ "match", "10de:67df", false }, { "match", "10de:0001 1002:67df", true },
		{ "class", "03", true }, { "class", "0300", true }, { "class", "030001", false }, { "class", "0302", false },
		{ "class", "04", false }, { "driver", "amdgpu", true }, { "driver", "nouveau", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct quirk q = { .n = 0 };
		struct err e = ERR_INIT;

		assert_int_equal(quirk_set(&q, cases[i].key, cases[i].value, &e), 0);
		if (quirk_fits(&q, &d) != cases[i].fits)
			fail_msg("%s = %s", cases[i].key, cases[i].value);
	}
}

static void never_leaves_the_others(void **state)
{
	struct box *b = *state;
	const struct step *s;

	put(b, QUIRKS_DIR "/a.ini", "[a]\nmatch = 10de:2330\nnever = bus hot\n" BASIS);
	assert_int_equal(find(b), 0);
	s = chain(b, hopper, NULL);
	assert_string_equal(s->to, "flr subordinate");
	assert_true(s->exact);			/* `reset` alone would go on to `bus` */
	assert_string_equal(s->from, "subordinate flr d3");
	s = chain(b, polaris, NULL);		/* not about this one */
	assert_string_equal(s->to, "pm hot subordinate");
	assert_false(s->exact);
	/* What is never listed costs nothing. */
	put(b, QUIRKS_DIR "/a.ini", "[a]\nmatch = 10de:2330\nnever = d3\n" BASIS);
	assert_int_equal(find(b), 0);
	assert_false(chain(b, hopper, NULL)->exact);
	assert_string_equal(chain(b, hopper, NULL)->from, "hot subordinate flr");
}

static void who_has_the_last_word(void **state)
{
	struct box *b = *state;

	put(b, QUIRKS_FILE, "[a]\nmatch = 10de:2330\norder = hot\n" BASIS);
	put(b, QUIRKS_DIR "/b.ini", "[b]\nmatch = 10de:2330\norder = bus\n" BASIS);
	put(b, QUIRKS_DIR "/a.ini", "[c]\nmatch = 10de:2330\norder = pm\n" BASIS);
	put(b, QUIRKS_DIR "/not-read", "rubbish");
	assert_int_equal(find(b), 0);
	assert_int_equal(b->n, 3);
	assert_string_equal(chain(b, hopper, NULL)->to, "bus");
	assert_string_equal(chain(b, hopper, "flr d3")->to, "flr d3");	/* the administrator */
	assert_int_equal(b->plan.n_quirks, 3);
}

int main(void)
{
#define BOX(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		BOX(what_a_file_may_say),
		BOX(the_shipped_file),
		cmocka_unit_test(whom_it_is_about),
		BOX(never_leaves_the_others),
		BOX(who_has_the_last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
