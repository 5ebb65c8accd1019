// SPDX-License-Identifier: GPL-2.0-or-later
/* The keeper of leases on a fake kernel: starts that fail, VMs that run, end, leave and come back. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "watch.h"

/* A VM that runs, and the keeper beside it. */
static void running(struct play *p, struct keeper *k)
{
	play_open(p, &scenarios[0]);
	play_claim(p, p->s->vmid);
	play_vm_up(p, true);
	keeper_start(p, k);
}

static void test_nothing_to_do(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	keeper_to_end(&p, "nothing", 0);
	assert_string_equal(p.o.output, "");
	play_same(&p, "without a lease");
	play_close(&p);
}

static void test_failed_start(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_scenarios; i++) {
		struct play p;

		play_open(&p, &scenarios[i]);
		play_claim(&p, p.s->vmid);
		keeper_to_end(&p, "a failed start", 0);
		assert_non_null(strstr(p.o.output, "the start failed"));
		assert_non_null(strstr(p.o.output, "gave back"));
		play_same(&p, "watch after a failed start");
		play_close(&p);
	}
}

static void test_start_under_way(void **state)
{
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	play_task_begins(&p);
	play_claim(&p, p.s->vmid);
	keeper_start(&p, &k);
	keeper_is_quiet(&p, &k, "while the task lives");
	play_task_ends(&p);
	keeper_says(&k, "the start failed");
	keeper_ends(&k, 0);
	play_same(&p, "after the task had ended");
	play_close(&p);
}

/* With and without a post-start: after a start timeout QEMU comes up and no hook is told. */
static void test_running_vm(void **state)
{
	(void)state;
	for (int noted = 0; noted < 2; noted++) {
		struct keeper k;
		struct play p;

		play_open(&p, &scenarios[0]);
		play_claim(&p, p.s->vmid);
		play_vm_up(&p, noted);
		keeper_start(&p, &k);
		keeper_is_quiet(&p, &k, "while the VM runs");
		fake_vm_fade(&p.k, p.s->vmid);	/* looks gone, holds on */
		keeper_is_quiet(&p, &k, "while QEMU is on its way out");
		fake_vm_end(&p.k, p.s->vmid);
		keeper_says(&k, "post-stop has not come");
		keeper_ends(&k, 0);
		play_same(&p, "after the VM had ended");
		play_close(&p);
	}
}

/* Migration: the config is on another node now, nobody runs post-stop here. */
static void test_vm_has_left(void **state)
{
	struct keeper k;
	struct play p;

	(void)state;
	running(&p, &k);
	assert_int_equal(host_unlink(&p.k.host, host_path("/etc/pve/qemu-server/%u.conf", p.s->vmid).s), 0);
	keeper_is_quiet(&p, &k, "while the old QEMU is there");
	fake_vm_end(&p.k, p.s->vmid);
	keeper_ends(&k, 0);
	play_same(&p, "after the VM had left");
	play_close(&p);
}

static void test_post_stop_wins(void **state)
{
	struct keeper k;
	struct play p;
	int lock;

	(void)state;
	running(&p, &k);
	lock = play_pve_lock(&p, p.s->vmid);
	fake_vm_end(&p.k, p.s->vmid);
	assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
	close(lock);
	keeper_ends(&k, 0);
	assert_string_equal(k.said, "");
	play_same(&p, "after post-stop");
	play_close(&p);
}

static void test_proxmox_lock(void **state)
{
	struct keeper k;
	struct play p;
	int lock;

	(void)state;
	running(&p, &k);
	lock = play_pve_lock(&p, p.s->vmid);	/* after the fork: it would be the child's as well */
	fake_vm_end(&p.k, p.s->vmid);
	usleep((KEEPER_GRACE_MS + KEEPER_SETTLE_MS) * 1000);
	keeper_is_quiet(&p, &k, "while Proxmox has its lock");
	close(lock);
	keeper_ends(&k, 0);
	play_same(&p, "after the lock was free");
	play_close(&p);
}

#define BACK_IN_TIME_MS 5000	/* a start takes one of them under valgrind on a busy machine */

/* The VM comes back within the grace: its new start takes the lease over. */
static void test_start_again(void **state)
{
	struct keeper k;
	struct play p;

	(void)state;
	keeper_grace_ms = BACK_IN_TIME_MS;
	running(&p, &k);
	keeper_grace_ms = KEEPER_GRACE_MS;
	fake_vm_end(&p.k, p.s->vmid);
	play_task_begins(&p);
	play_claim(&p, p.s->vmid);
	usleep(BACK_IN_TIME_MS * 1000);
	keeper_is_quiet(&p, &k, "while the second start is under way");
	play_vm_up(&p, true);
	play_task_ends(&p);
	keeper_is_quiet(&p, &k, "while the VM runs again");
	fake_vm_end(&p.k, p.s->vmid);
	assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
	keeper_ends(&k, 0);
	play_same(&p, "after the second stop");
	play_close(&p);
}

/* --- the real descriptor ----------------------------------------------------------------------- */

static void test_pidfd(void **state)
{
	struct err e = ERR_INIT;
	struct lease_process child = { 0, 0 }, other;
	struct host h;
	int fd;

	(void)state;
	assert_int_equal(host_open(&h, NULL, &e), 0);
	child.pid = fork();
	if (child.pid == 0) {
		pause();
		_exit(0);
	}
	child.start = lease_process_start(&h, child.pid);
	assert_true(child.start > 0);
	other = child;
	other.start++;
	assert_int_equal(watch_pidfd(&h, other), -ESRCH);	/* the number was given to somebody else */
	fd = watch_pidfd(&h, child);
	assert_true(fd >= 0);
	assert_int_equal(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0), 0);
	kill(child.pid, SIGKILL);
	assert_int_equal(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, KEEPER_PATIENCE_MS), 1);
	close(fd);
	fd = watch_pidfd(&h, child);			/* a zombie, not yet waited for */
	if (fd >= 0 && getenv("LD_PRELOAD"))		/* valgrind's stand-in is slow to see it */
		assert_int_equal(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, KEEPER_PATIENCE_MS), 1);
	else
		assert_int_equal(fd, -ESRCH);
	if (fd >= 0)
		close(fd);
	assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
	assert_int_equal(watch_pidfd(&h, child), -ESRCH);
	host_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_to_do),
		cmocka_unit_test(test_failed_start),
		cmocka_unit_test(test_start_under_way),
		cmocka_unit_test(test_running_vm),
		cmocka_unit_test(test_vm_has_left),
		cmocka_unit_test(test_post_stop_wins),
		cmocka_unit_test(test_proxmox_lock),
		cmocka_unit_test(test_start_again),
		cmocka_unit_test(test_pidfd),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
