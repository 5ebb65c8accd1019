// SPDX-License-Identifier: GPL-2.0-or-later
/* The setting `linger`: after a stop the devices wait for the VM's next start, for a time, and for
 * nobody else. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "keeper.h"

#define LONG "[claim]\nlinger = 3600\n"

static const struct scenario lingers = { .tree = "gpu-four", .vmid = 100, .rival = 101, .settings = LONG };

/* Under Proxmox's lock: however slow the machine is, watch does not come first. */
static void stop(struct play *p)
{
	int lock = play_pve_lock(p, p->s->vmid);

	fake_vm_end(&p->k, p->s->vmid);
	if (play_hook(p, p->s->vmid, "post-stop") != 0)
		fail_msg("post-stop: %s", p->o.output);
	close(lock);
}

/* What a hook sees of a watch that is there. */
static int seems_watched(struct play *p)
{
	int fd = host_open_file(&p->k.host, LEASE_KEEPER, O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
	return fd;
}

/* The keeper has said that it is there: without that nothing lingers. */
static void wait_for_keeper(struct play *p)
{
	bool there = false;

	for (int i = 0; i < KEEPER_PATIENCE_MS / 10 && !there; i++) {
		int fd = host_open_file(&p->k.host, LEASE_KEEPER, O_RDWR, 0);

		there = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
		if (fd >= 0)
			close(fd);
		usleep(10000);
	}
	assert_true(there);
}

/* The VM has run and stopped, the keeper looks on. */
static void stopped(struct play *p, struct keeper *k, const struct scenario *s)
{
	play_open(p, s);
	play_claim(p, s->vmid);
	play_vm_up(p, true);
	keeper_start(p, k);
	wait_for_keeper(p);
	keeper_is_quiet(p, k, "while the VM runs");
	stop(p);
}

static void test_comes_back(void **state)
{
	struct keeper k;
	struct play p;
	unsigned moves;

	(void)state;
	stopped(&p, &k, &lingers);
	assert_non_null(strstr(p.o.output, "wait 3600 s for its next start"));
	keeper_is_quiet(&p, &k, "while it lingers");
	assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);	/* twice */
	moves = play_moves(&p);
	for (int i = 0; i < 2; i++) {
		play_task_begins(&p);
		play_claim(&p, p.s->vmid);
		assert_int_equal(play_moves(&p), moves);
		play_vm_up(&p, i == 0);
		play_task_ends(&p);
		keeper_is_quiet(&p, &k, "while the VM runs again");
		stop(&p);
	}
	assert_int_equal(play_moves(&p), moves);
	keeper_stop(&k);
	keeper_ends(&k, 1);
	play_close(&p);
}

static void test_another_vm(void **state)
{
	struct keeper k;
	struct play p;

	(void)state;
	stopped(&p, &k, &lingers);
	play_task_begins(&p);
	play_claim(&p, p.s->rival);
	assert_non_null(strstr(p.o.output, "which were kept for its next start"));
	play_taken(&p, p.s->rival, "the rival's start");
	keeper_stop(&k);	/* it may have ended between the two leases; without it nothing lingers */
	keeper_ends(&k, -1);
	play_task_ends(&p);
	assert_int_equal(play_hook(&p, p.s->rival, "post-stop"), 0);
	play_same(&p, "the rival came and went");
	play_close(&p);
}

/* A VM that wants other devices leaves it alone. */
static void test_a_stranger(void **state)
{
	static const struct scenario two = { .tree = "twins", .vmid = 100, .settings = LONG "allow = boot-display, only-display\n" };
	struct play p;
	int watch;

	(void)state;
	play_open(&p, &two);
	play_claim(&p, 100);
	watch = seems_watched(&p);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	play_claim(&p, 101);
	play_taken(&p, 100, "while another card is taken");
	close(watch);
	play_close(&p);
}

static void test_time_is_over(void **state)
{
	static const struct scenario soon = { .tree = "gpu-four", .vmid = 100, .settings = "[claim]\nlinger = 1\n" };
	struct keeper k;
	struct play p;

	(void)state;
	stopped(&p, &k, &soon);
	keeper_says(&k, "it waited for the VM's next start, which has not come: gave back");
	keeper_ends(&k, 0);
	play_same(&p, "after the time was over");
	play_close(&p);
}

/* Nobody would end it: the devices go back at once.  A watch that died while they waited does no harm. */
static void test_without_watch(void **state)
{
	static const struct scenario soon = { .tree = "gpu-four", .vmid = 100, .rival = 101,
					      .settings = "[claim]\nlinger = 1\n" };
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &lingers);
	play_claim(&p, 100);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	play_same(&p, "post-stop without a watch");
	play_close(&p);

	stopped(&p, &k, &soon);
	keeper_stop(&k);
	keeper_ends(&k, 1);
	usleep(1100000);
	play_claim(&p, p.s->rival);
	play_taken(&p, p.s->rival, "the rival's start");
	assert_int_equal(play_hook(&p, p.s->rival, "post-stop"), 0);
	play_same(&p, "the rival came and went");
	play_close(&p);
}

/* Killed at every write of a post-stop that lets the devices wait, and of the start that takes over. */
static void test_kills(void **state)
{
	static const char *const phases[] = { "post-stop", "pre-start" };
	struct play p;
	int watch;

	(void)state;
	play_open(&p, &lingers);
	play_claim(&p, p.s->vmid);
	watch = seems_watched(&p);
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		unsigned writes = i == 0 ? 2 : play_writes(&p, "pre-start");

		for (unsigned n = 1; n <= writes; n += play_stride()) {
			play_claim(&p, p.s->vmid);
			if (i == 1)
				assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
			play_kill_at(&p, n, 0);
			(void)play_hook(&p, p.s->vmid, phases[i]);
			fake_fault_clear(&p.k);
			play_claim(&p, p.s->rival);
			play_taken(&p, p.s->rival, "%s killed at %u, then the rival", phases[i], n);
			assert_int_equal(play_hook(&p, p.s->rival, "post-stop"), 0);
		}
	}
	close(watch);
	assert_int_equal(play_hook(&p, p.s->rival, "post-stop"), 0);
	play_same(&p, "after the last rival");
	play_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_another_vm),
		cmocka_unit_test(test_a_stranger),
		cmocka_unit_test(test_time_is_over),
		cmocka_unit_test(test_without_watch),
		cmocka_unit_test(test_kills),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
