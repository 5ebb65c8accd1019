// SPDX-License-Identifier: GPL-2.0-or-later
/* Every write of a device never returns, once: the hook ends in time, names device and step, leaves
 * nobody who holds its output, and starts no second writer; when the kernel lets go, all is well. */
#include "play.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The machine's clock runs faster than ours: a step gets 400 ms of our time, the rest passes quickly. */
#define SCALE play_scale(20)
#define LIMIT_MS 8000

static const enum fake_fault_kind kinds[] = { FAKE_HANG, FAKE_HANG_LOCKED };
static unsigned cases;

static bool is_device_write(const char *op)
{
	return strstr(op, "/sys/") != NULL || strstr(op, "ioctl") != NULL;
}

static void says_stuck(struct play *p, const char *op)
{
	if (!strstr(p->o.output, "stuck") || !strstr(p->o.output, "0000:"))
		fail_msg("%s: '%s' hangs, but the hook only said:\n%s", p->s->tree, op, p->o.output);
	if (p->o.pipe_held)
		fail_msg("%s: '%s' hangs, and somebody still holds the hook's output", p->s->tree, op);
}

/* While it hangs nobody gets at the lease; afterwards post-stop ends it. */
static void recovers(struct play *p, const char *op)
{
	if (play_hook_limited(p, p->s->vmid, "pre-start", LIMIT_MS) == 0)
		fail_msg("%s: '%s' hangs, and a second start went through", p->s->tree, op);
	fake_hang_release(&p->k);
	fake_fault_clear(&p->k);
	fake_settle(&p->k, 3000);
	fake_settings(&p->k)->time_scale = 1;
	if (play_hook(p, p->s->vmid, "post-stop") != 0)
		fail_msg("%s: post-stop after '%s' had hung: %s", p->s->tree, op, p->o.output);
	play_same(p, "post-stop after '%s' had hung", op);
}

/* By its text: with chains side by side the numbers are not the same twice. */
static void hang_at(struct play *p, const char *phase, enum fake_fault_kind kind, const char *op)
{
	struct fake_fault f = { .kind = kind, .times = 1 };

	snprintf(f.match, sizeof(f.match), "%.95s", op);
	fake_kernel_rewind(&p->k);
	fake_fault_add(&p->k, f);
	cases++;
	fake_settings(&p->k)->time_scale = SCALE;
	if (play_hook_limited(p, p->s->vmid, phase, LIMIT_MS) == 0)
		fail_msg("%s: %s: '%s' hangs, and the hook says all is well", p->s->tree, phase, op);
	says_stuck(p, op);
	recovers(p, op);
}

struct ops { unsigned n; char text[512][160]; };

static bool known(const struct ops *ops, const char *text)
{
	for (unsigned i = 0; i < ops->n; i++)
		if (strcmp(ops->text[i], text) == 0)
			return true;
	return false;
}

static void device_writes(struct play *p, const char *phase, struct ops *ops)
{
	fake_kernel_rewind(&p->k);
	if (play_hook(p, p->s->vmid, phase) != 0)
		fail_msg("%s: %s: %s", p->s->tree, phase, p->o.output);
	ops->n = 0;
	for (unsigned i = 1; i <= fake_log_count(&p->k) && ops->n < ARRAY_SIZE(ops->text); i++)
		if (is_device_write(fake_log(&p->k, i)) && !known(ops, fake_log(&p->k, i)))
			snprintf(ops->text[ops->n++], sizeof(ops->text[0]), "%.159s", fake_log(&p->k, i));
}

static void play_phase(const struct scenario *s, const char *phase, bool taken)
{
	static struct ops ops;
	struct play p;

	play_open(&p, s);
	if (taken)
		assert_int_equal(play_hook(&p, p.s->vmid, "pre-start"), 0);
	device_writes(&p, phase, &ops);
	if (!taken)
		assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
	for (unsigned n = 0; n < ops.n; n += play_stride())
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			if (!taken)
				play_again(&p);
			if (taken)
				assert_int_equal(play_hook(&p, p.s->vmid, "pre-start"), 0);
			hang_at(&p, phase, kinds[k], ops.text[n]);
		}
	play_close(&p);
}

static void test_claim_hangs(void **state)
{
	play_phase(*state, "pre-start", false);
}

static void test_return_hangs(void **state)
{
	play_phase(*state, "post-stop", true);
}

static int tell(void **state)
{
	(void)state;
	printf("cases: %u hanging writes\n", cases);
	return 0;
}

/* Nearly all of this is waiting: tests/ring runs the parts, `test_hang:claim-gpu-four`, side by side. */
int main(int argc, char *argv[])
{
	struct CMUnitTest tests[2 * 4];
	char names[2 * 4][32];

	assert_int_equal(2 * n_deep, ARRAY_SIZE(tests));
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		const struct scenario *s = &scenarios[i / 2];

		snprintf(names[i], sizeof(names[i]), "%s-%s", i % 2 ? "return" : "claim", s->tree);
		tests[i] = (struct CMUnitTest){ .name = names[i], .initial_state = (void *)s,
						.test_func = i % 2 ? test_return_hangs : test_claim_hangs };
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, tell);
}
