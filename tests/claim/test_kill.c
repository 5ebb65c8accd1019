// SPDX-License-Identifier: GPL-2.0-or-later
/* The hook, or watch, is killed at every write of every scenario, on the way there and on the way back;
 * then whoever comes next finishes it: the machine is as it was, or the VM that runs has the card. */
#include "keeper.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli.h"

static void stop(struct play *p, unsigned vmid, const char *what, unsigned n)
{
	if (play_hook(p, vmid, "post-stop") != 0)
		fail_msg("%s: post-stop of VM %u %s %u (%s): %s", p->s->tree, vmid, what, n, fake_log(&p->k, n),
			 p->o.output);
}

/* --- whoever comes next ------------------------------------------------------------------------ */

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

static void by_watch(struct play *p, unsigned n)
{
	keeper_to_end(p, "a kill", n);
	play_same(p, "watch after a kill at %u", n);
}

static int run_release(struct host *h, void *arg)
{
	struct cli c = { .h = h, .to = stdout, .chatter = stdout };
	char name[] = "pve-gpu", command[] = "release", vmid[16];
	char *argv[] = { name, command, vmid, NULL };
	int status;

	snprintf(vmid, sizeof(vmid), "%u", *(unsigned *)arg);
	status = cli_main(&c, 3, argv);
	fflush(stdout);
	return status;
}

static void by_release(struct play *p, unsigned n)
{
	unsigned vmid = p->s->vmid;

	assert_int_equal(fake_main_run(&p->k, run_release, &vmid, KEEPER_PATIENCE_MS, &p->o), 0);
	if (p->o.status != CLI_DONE)
		fail_msg("%s: release after a kill at %u: status %d: %s", p->s->tree, n, p->o.status, p->o.output);
	play_same(p, "release after a kill at %u", n);
}

static struct recovery {
	const char *name;
	void (*act)(struct play *p, unsigned n);
	unsigned cases;
} recoveries[] = {
	{ "post-stop", by_post_stop, 0 }, { "the same VM's start", by_same_vm, 0 },
	{ "another VM's start", by_rival, 0 }, { "watch", by_watch, 0 }, { "release", by_release, 0 },
};

/* --- the kills ----------------------------------------------------------------------------------- */

static void kill_at(struct play *p, const char *phase, unsigned n, size_t i)
{
	struct recovery *next = &recoveries[i];

	play_kill_at(p, n, (unsigned)i);
	next->cases++;
	(void)play_hook(p, p->s->vmid, phase);
	fake_fault_clear(&p->k);
	next->act(p, n);
}

static bool possible(const struct play *p, size_t i)
{
	return recoveries[i].act != by_rival || p->s->rival;
}

static void killed_claim(const struct scenario *s)
{
	struct play p;
	unsigned writes;

	play_open(&p, s);
	writes = play_writes(&p, "pre-start");
	stop(&p, s->vmid, "count", 0);
	for (unsigned n = 1; n <= writes; n += play_stride())
		for (size_t i = 0; i < ARRAY_SIZE(recoveries); i++) {
			if (!possible(&p, i))
				continue;
			play_again(&p);
			kill_at(&p, "pre-start", n, i);
		}
	play_close(&p);
}

static void killed_return(const struct scenario *s)
{
	struct play p;
	unsigned writes;

	play_open(&p, s);
	play_claim(&p, s->vmid);
	writes = play_writes(&p, "post-stop");
	for (unsigned n = 1; n <= writes; n += play_stride())
		for (size_t i = 0; i < ARRAY_SIZE(recoveries); i++) {
			if (!possible(&p, i))
				continue;
			play_claim(&p, s->vmid);
			kill_at(&p, "post-stop", n, i);
		}
	play_close(&p);
}

static void test_killed_claim(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_scenarios; i++)
		killed_claim(&scenarios[i]);
}

static void test_killed_return(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_scenarios; i++)
		killed_return(&scenarios[i]);
}

static unsigned watches, second_starts;

/* It is killed itself, or its children are: systemd starts it again. */
static void test_killed_watch(void **state)
{
	struct play p;
	unsigned writes;

	(void)state;
	play_open(&p, &scenarios[0]);
	play_claim(&p, p.s->vmid);
	fake_kernel_rewind(&p.k);
	keeper_to_end(&p, "nothing", 0);
	writes = fake_log_count(&p.k);
	for (unsigned n = 1; n <= writes; n += play_stride()) {
		play_claim(&p, p.s->vmid);
		play_kill_at(&p, n, 0);
		watches++;
		keeper_run(&p);
		fake_fault_clear(&p.k);
		keeper_to_end(&p, "a kill of watch", n);
		play_same(&p, "watch after it was killed at %u", n);
	}
	play_close(&p);
}

/* A start that takes over what an earlier one has left knows, from its first record on, that those
 * steps are done. */
static void test_killed_take_over(void **state)
{
	struct play p;
	unsigned writes;

	(void)state;
	play_open(&p, &scenarios[0]);
	play_claim(&p, p.s->vmid);
	writes = play_writes(&p, "pre-start");
	for (unsigned n = 1; n <= writes; n += play_stride()) {
		play_claim(&p, p.s->vmid);
		play_kill_at(&p, n, 0);
		second_starts++;
		(void)play_hook(&p, p.s->vmid, "pre-start");
		fake_fault_clear(&p.k);
		by_watch(&p, n);
	}
	play_close(&p);
}

static int tell(void **state)
{
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(recoveries); i++)
		n += recoveries[i].cases;
	printf("cases: %u killed hooks, finished by", n);
	for (size_t i = 0; i < ARRAY_SIZE(recoveries); i++)
		printf(" %s %u%s", recoveries[i].name, recoveries[i].cases, i + 1 < ARRAY_SIZE(recoveries) ? "," : "");
	printf("; %u killed watches and %u killed take-overs, finished by watch\n", watches, second_starts);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_take_over),
		cmocka_unit_test(test_killed_watch),
		cmocka_unit_test(test_killed_claim),
		cmocka_unit_test(test_killed_return),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, tell);
}
