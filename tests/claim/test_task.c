// SPDX-License-Identifier: GPL-2.0-or-later
/* Starts that fail in tasks that go on for hours, as that of a backup does, and starts without Proxmox's
 * lock: when are the devices nobody's? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keeper.h"
#include "leases.h"

/* The lock is Proxmox's, and the kernel says who took it. */
static int lock_as(struct play *p, unsigned vmid, pid_t task)
{
	int fd = play_pve_lock(p, vmid);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	play_put(p, "/proc/locks", host_path("1: FLOCK  ADVISORY  WRITE %d %02x:%02x:%llu 0 EOF\n", (int)task,
					     major(st.st_dev), minor(st.st_dev), (unsigned long long)st.st_ino).s);
	return fd;
}

static bool task_locked(struct play *p)
{
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	bool ret;

	assert_int_equal(lease_load(&p->k.host, p->s->vmid, &l, &e), 0);
	ret = l.task_locked;
	lease_release(&l);
	return ret;
}

/* For the children that have the descriptor as well. */
static void unlock(int lock)
{
	assert_int_equal(flock(lock, LOCK_UN), 0);
	close(lock);
}

/* A task of the same number in the fake machine; the scenario's VM has its devices. */
static int begin(struct play *p, pid_t holder, bool noted)
{
	int lock;

	play_open(p, &scenarios[0]);
	play_task_begins(p);
	lock = holder ? lock_as(p, p->s->vmid, holder) : -1;
	play_claim(p, p->s->vmid);
	assert_int_equal(task_locked(p), noted);
	return lock;
}

static enum leased_state state_of(struct play *p)
{
	struct leased l = LEASED_INIT;
	struct err e = ERR_INIT;
	enum leased_state ret;

	assert_int_equal(leased_look(&p->k.host, &guest_world, p->s->vmid, &l, &e), 0);
	ret = l.state;
	leased_release(&l);
	return ret;
}

/* A backup starts the VM, QEMU does not come up, and the backup goes on with the next VM. */
static void test_backup(void **state)
{
	struct keeper k;
	struct play p;
	int lock;

	(void)state;
	lock = begin(&p, getpid(), true);
	keeper_start(&p, &k);
	keeper_is_quiet(&p, &k, "while Proxmox has its lock");
	unlock(lock);
	keeper_says(&k, "the start failed: Proxmox is through with it and no QEMU came up: gave back");
	keeper_ends(&k, 0);
	play_same(&p, "while the task goes on");
	play_close(&p);
}

/* Without a watch: whoever wants the card gets it. */
static void test_backup_and_a_rival(void **state)
{
	struct play p;
	int lock;

	(void)state;
	lock = begin(&p, getpid(), true);
	assert_int_equal(play_hook(&p, p.s->rival, "pre-start"), 4);
	play_taken(&p, p.s->vmid, "while Proxmox has its lock");
	assert_int_equal(state_of(&p), LEASED_STARTING);
	unlock(lock);
	assert_int_equal(state_of(&p), LEASED_LEFT);
	play_claim(&p, p.s->rival);
	play_taken(&p, p.s->rival, "after the start had failed");
	assert_int_equal(play_hook(&p, p.s->rival, "post-stop"), 0);
	play_same(&p, "the rival came and went");
	play_close(&p);
}

/* The QEMU that a backup has started runs on when the lock is free. */
static void test_backup_runs(void **state)
{
	struct keeper k;
	struct play p;
	int lock;

	(void)state;
	lock = begin(&p, getpid(), true);
	keeper_start(&p, &k);
	play_vm_up(&p, true);
	unlock(lock);
	keeper_is_quiet(&p, &k, "while the VM runs");
	fake_vm_end(&p.k, p.s->vmid);
	keeper_says(&k, "post-stop has not come: gave back");
	keeper_ends(&k, 0);
	play_same(&p, "after the VM had ended");
	play_close(&p);
}

/* An import goes on without the lock, also when somebody else has it for a moment: only its task's end
 * says that the start is over. */
static void test_import(void **state)
{
	static const pid_t strangers[] = { 0, 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		struct keeper k;
		struct claim c;
		struct err e = ERR_INIT;
		struct play p;
		bool had;
		int lock = begin(&p, strangers[i], false);

		if (lock >= 0)
			unlock(lock);
		keeper_start(&p, &k);
		keeper_is_quiet(&p, &k, "while the task lives");
		assert_int_equal(play_hook(&p, p.s->rival, "pre-start"), 4);
		claim_init(&c, &p.k.host, &guest_world, p.s->vmid);
		c.by_hand = true;
		assert_int_equal(claim_return(&c, &had, &e), -EBUSY);
		claim_release(&c);
		play_taken(&p, p.s->vmid, "while the task lives");
		assert_int_equal(state_of(&p), LEASED_STARTING);
		play_task_ends(&p);
		keeper_says(&k, "the start failed");
		keeper_ends(&k, 0);
		play_same(&p, "after the task had ended");
		play_close(&p);
	}
}

static int claim_again(struct host *h, void *arg)
{
	const struct play *p = arg;
	struct hook k = { .h = h, .limit = step_limit, .cancel = -1, .out = stdout, .now_unix = (uint64_t)time(NULL) };
	char name[] = "gpu-hook", vmid[16], phase[] = "pre-start", *argv[] = { name, vmid, phase, NULL };
	int status;

	snprintf(vmid, sizeof(vmid), "%u", p->s->vmid);
	status = hook_main(&k, 3, argv);
	fflush(stdout);
	return status;
}

/* Another task starts the same VM: at once when the first one's start is over, not while it may go on. */
static void test_another_task(void **state)
{
	(void)state;
	for (int locked = 0; locked < 2; locked++) {
		struct play p;
		int lock = begin(&p, locked ? getpid() : 0, locked), status;
		pid_t other;

		if (lock >= 0)
			unlock(lock);
		fflush(NULL);
		other = fork();
		if (other == 0) {
			lock = lock_as(&p, p.s->vmid, getpid());
			_exit(fake_main_run(&p.k, claim_again, &p, 60000, &p.o) == 0 ? p.o.status : 99);
		}
		assert_int_equal(waitpid(other, &status, 0), other);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), locked ? 0 : 1);
		assert_int_equal(task_locked(&p), locked);
		play_taken(&p, p.s->vmid, "after the second start");
		assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
		play_same(&p, "after the second start");
		play_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backup),
		cmocka_unit_test(test_backup_and_a_rival),
		cmocka_unit_test(test_backup_runs),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_another_task),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
