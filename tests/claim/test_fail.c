// SPDX-License-Identifier: GPL-2.0-or-later
/* Every write of every scenario fails once, with each errno: the machine is as it was, or the claim
 * found another way and stands. */
#include "keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int codes[] = { EIO, EBUSY, ENODEV, ENOTTY, ENOSPC };	/* two for the plain machines */
static unsigned cases;

static void test_whole_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_scenarios; i++) {
		struct play p;

		play_open(&p, &scenarios[i]);
		if (play_hook(&p, p.s->vmid, "pre-start") != 0)
			fail_msg("%s: %s", p.s->tree, p.o.output);
		play_taken(&p, p.s->vmid, "pre-start");
		assert_int_equal(play_hook(&p, p.s->vmid, "post-start"), 0);
		if (play_hook(&p, p.s->vmid, "post-stop") != 0)
			fail_msg("%s: %s", p.s->tree, p.o.output);
		play_same(&p, "after post-stop");
		assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
		play_same(&p, "after a second post-stop");
		play_close(&p);
	}
}

/* What the hook says must name the step's device, or the file it could not write. */
static void names_the_step(struct play *p, unsigned n)
{
	const char *op = fake_log(&p->k, n), *said = p->o.output;

	if (!strstr(said, "cannot") || (strstr(op, "/sys/") && !strstr(said, "0000:") && !strstr(said, "10002:")) ||
	    (strstr(op, "/run/pve-gpu") && !strstr(said, "lease") && !strstr(said, "/run/pve-gpu")))
		fail_msg("%s: '%s' failed, but the hook only said:\n%s", p->s->tree, op, said);
}

static void give_back(struct play *p, const char *what, unsigned n)
{
	fake_fault_clear(&p->k);
	if (play_hook(p, p->s->vmid, "post-stop") != 0)
		fail_msg("%s: post-stop after %s %u: %s", p->s->tree, what, n, p->o.output);
	play_same(p, "post-stop after %s %u", what, n);
}

/* `over`: the first write of a take-over, 0 = there is nothing to take over.  What an earlier start has left goes
 * back from there on; before that it stays on record for watch. */
static void fail_start_at(struct play *p, unsigned n, int code, unsigned over)
{
	if (over)
		play_claim(p, p->s->vmid);
	else
		play_again(p);
	play_fail_at(p, n, code);
	cases++;
	if (play_hook(p, p->s->vmid, "pre-start") == 0) {
		play_taken(p, p->s->vmid, "pre-start in spite of write %u (%s)", n, fake_log(&p->k, n));
		give_back(p, "write", n);
		return;
	}
	names_the_step(p, n);
	fake_fault_clear(&p->k);
	if (n < over)
		keeper_to_end(p, "a take-over that failed", n);
	play_same(p, "pre-start failed at write %u (%s) with %s", n, fake_log(&p->k, n), strerrorname_np(code));
}

static void test_claim_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_scenarios; i++) {
		struct play p;
		unsigned writes;

		play_open(&p, &scenarios[i]);
		writes = play_writes(&p, "pre-start");
		give_back(&p, "count", 0);
		for (unsigned n = 1; n <= writes; n += play_stride())
			for (size_t c = 0; c < (i < n_deep ? ARRAY_SIZE(codes) : 2); c++)
				fail_start_at(&p, n, codes[c], 0);
		play_close(&p);
	}
}

static void test_take_over_fails(void **state)
{
	struct play p;
	unsigned writes, over;

	(void)state;
	play_open(&p, &scenarios[0]);
	play_claim(&p, p.s->vmid);
	writes = play_writes(&p, "pre-start");
	over = fake_log_find(&p.k, "/.100.new");
	assert_true(over > 0);
	for (unsigned n = 1; n <= writes; n += play_stride())
		for (size_t c = 0; c < ARRAY_SIZE(codes); c++)
			fail_start_at(&p, n, codes[c], over);
	play_close(&p);
}

/* A file system that stays full: nothing is taken any more, and what was taken goes back all the same. */
static void test_full(void **state)
{
	static const char *const phases[] = { "pre-start", "pre-start", "post-stop" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		struct play p;

		play_open(&p, &scenarios[0]);
		if (i > 0)
			play_claim(&p, p.s->vmid);
		fake_kernel_rewind(&p.k);
		fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_FAIL, .match = "append ", .err = ENOSPC });
		assert_int_equal(play_hook(&p, p.s->vmid, phases[i]), i < 2 ? 1 : 0);
		if (i < 2 && !strstr(p.o.output, "(see 'df /run')"))
			fail_msg("%s: %s", phases[i], p.o.output);
		play_same(&p, "%s on a full file system", phases[i]);
		if (i == 0)
			assert_int_equal(fake_log_find(&p.k, "/sys/"), 0);
		play_close(&p);
	}
}

/* A failure on the way back: the rest goes back all the same, and another attempt ends it. */
static void test_return_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_scenarios; i++) {
		struct play p;
		unsigned writes;

		play_open(&p, &scenarios[i]);
		assert_int_equal(play_hook(&p, p.s->vmid, "pre-start"), 0);
		writes = play_writes(&p, "post-stop");
		for (unsigned n = 1; n <= writes; n += play_stride())
			for (size_t c = 0; c < (i < n_deep ? ARRAY_SIZE(codes) : 2); c++) {
				fake_kernel_rewind(&p.k);
				play_claim(&p, p.s->vmid);
				play_fail_at(&p, n, codes[c]);
				cases++;
				if (play_hook(&p, p.s->vmid, "post-stop") == 0)
					play_same(&p, "post-stop in spite of write %u", n);
				else
					names_the_step(&p, n);
				give_back(&p, "a failed return", n);
			}
		play_close(&p);
	}
}

static int tell(void **state)
{
	(void)state;
	printf("cases: %u failed writes\n", cases);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_way),
		cmocka_unit_test(test_claim_fails),
		cmocka_unit_test(test_take_over_fails),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_return_fails),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, tell);
}
