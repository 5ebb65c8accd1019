// SPDX-License-Identifier: GPL-2.0-or-later
/* The hook is killed at every write of every scenario, on the way there and on the way back; then
 * whoever comes next finishes it: the machine is as it was, or the VM that runs has the card. */
#include "play.h"

#include <stdio.h>

static const enum fake_fault_kind kinds[] = { FAKE_KILL_BEFORE, FAKE_KILL_AFTER, FAKE_KILL_MAIN };
static unsigned cases;

static void stop(struct play *p, unsigned vmid, const char *what, unsigned n)
{
	if (play_hook(p, vmid, "post-stop") != 0)
		fail_msg("%s: post-stop of VM %u %s %u (%s): %s", p->s->tree, vmid, what, n, fake_log(&p->k, n),
			 p->o.output);
}

static void by_post_stop(struct play *p, unsigned n)
{
	stop(p, p->s->vmid, "after a kill at", n);
	play_same(p, "post-stop after a kill at %u", n);
	stop(p, p->s->vmid, "again after a kill at", n);
	play_same(p, "second post-stop after a kill at %u", n);
}

static void by_same_vm(struct play *p, unsigned n)
{
	if (play_hook(p, p->s->vmid, "pre-start") != 0)
		fail_msg("%s: second pre-start after a kill at %u: %s", p->s->tree, n, p->o.output);
	play_taken(p, p->s->vmid, "second pre-start after a kill at %u", n);
	stop(p, p->s->vmid, "after the second start, kill at", n);
	play_same(p, "second start and stop after a kill at %u", n);
}

static void by_rival(struct play *p, unsigned n)
{
	if (play_hook(p, p->s->rival, "pre-start") != 0)
		fail_msg("%s: the rival's pre-start after a kill at %u: %s", p->s->tree, n, p->o.output);
	play_taken(p, p->s->rival, "the rival's pre-start after a kill at %u", n);
	stop(p, p->s->rival, "of the rival after a kill at", n);
	play_same(p, "the rival came and went after a kill at %u", n);
}

typedef void (*recovery)(struct play *p, unsigned n);
static const recovery recoveries[] = { by_post_stop, by_same_vm, by_rival };

static unsigned count_writes(struct play *p, const char *phase)
{
	fake_kernel_rewind(&p->k);
	if (play_hook(p, p->s->vmid, phase) != 0)
		fail_msg("%s: %s: %s", p->s->tree, phase, p->o.output);
	return fake_log_count(&p->k);
}

static void kill_at(struct play *p, const char *phase, unsigned n, enum fake_fault_kind kind, recovery next)
{
	if (next == by_rival && !p->s->rival)
		return;
	fake_kernel_rewind(&p->k);
	fake_fault_add(&p->k, (struct fake_fault){ .kind = kind, .at = n, .times = 1 });
	cases++;
	(void)play_hook(p, p->s->vmid, phase);
	fake_fault_clear(&p->k);
	next(p, n);
}

static void test_killed_claim(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_deep; i++) {
		struct play p;
		unsigned writes;

		play_open(&p, &scenarios[i]);
		writes = count_writes(&p, "pre-start");
		stop(&p, p.s->vmid, "count", 0);
		for (unsigned n = 1; n <= writes; n += play_stride())
			for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
				for (size_t r = 0; r < ARRAY_SIZE(recoveries); r++) {
					play_again(&p);
					kill_at(&p, "pre-start", n, kinds[k], recoveries[r]);
				}
		play_close(&p);
	}
}

static void test_killed_return(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_deep; i++) {
		struct play p;
		unsigned writes;

		play_open(&p, &scenarios[i]);
		assert_int_equal(play_hook(&p, p.s->vmid, "pre-start"), 0);
		writes = count_writes(&p, "post-stop");
		for (unsigned n = 1; n <= writes; n += play_stride())
			for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
				for (size_t r = 0; r < ARRAY_SIZE(recoveries); r++) {
					assert_int_equal(play_hook(&p, p.s->vmid, "pre-start"), 0);
					kill_at(&p, "post-stop", n, kinds[k], recoveries[r]);
					if (recoveries[r] == by_rival && !p.s->rival)
						stop(&p, p.s->vmid, "without a rival", n);
				}
		play_close(&p);
	}
}

static int tell(void **state)
{
	(void)state;
	printf("cases: %u kills, each followed by a recovery\n", cases);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_claim),
		cmocka_unit_test(test_killed_return),
	};

	return cmocka_run_group_tests(tests, NULL, tell);
}
