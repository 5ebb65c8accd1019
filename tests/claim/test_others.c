// SPDX-License-Identifier: GPL-2.0-or-later
/* What dead starts of other VMs have left: a start gives back what it wants itself, waits for nothing else, and
 * looks after the rest when the VM is up and no watch does. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "play.h"

/* Two cards, a VM for each; the start of VM 100 has failed. */
static const struct scenario two = { .tree = "twins", .vmid = 101, .rival = 100 };

static void left_over(struct play *p)
{
	play_open(p, &two);
	play_claim(p, two.rival);
	fake_kernel_rewind(&p->k);
}

static void says(struct play *p, const char *text)
{
	if (!strstr(p->o.output, text))
		fail_msg("it does not say '%s', but: %s", text, p->o.output);
}

static void up(struct play *p)
{
	play_claim(p, two.vmid);
	play_taken(p, two.vmid, "beside a left-over");
	play_taken(p, two.rival, "pre-start has left it alone");
	play_vm_up(p, false);
	fake_kernel_rewind(&p->k);
	assert_int_equal(play_hook(p, two.vmid, "post-start"), 0);
}

static void down(struct play *p)
{
	fake_vm_end(&p->k, two.vmid);
	assert_int_equal(play_hook(p, two.vmid, "post-stop"), 0);
	play_same(p, "after both had gone back");
	play_close(p);
}

static void test_no_watch(void **state)
{
	struct play p;

	(void)state;
	left_over(&p);
	up(&p);
	says(&p, "gave back the devices of VM 100, which a failed start or lost stop had left behind");
	assert_false(host_exists(&p.k.host, lease_path(two.rival).s));
	down(&p);
}

static void test_watch(void **state)
{
	struct play p;
	int watch;

	(void)state;
	left_over(&p);
	watch = host_open_file(&p.k.host, LEASE_KEEPER, O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(watch, LOCK_SH | LOCK_NB), 0);
	up(&p);
	play_taken(&p, two.rival, "post-start leaves it to watch");
	assert_int_equal(fake_log_find(&p.k, "/sys/"), 0);
	close(watch);
	assert_int_equal(play_hook(&p, two.rival, "post-stop"), 0);
	down(&p);
}

/* The left-over card hangs in its driver: nobody who does not want it waits for it. */
static void test_broken_card(void **state)
{
	struct play p;

	(void)state;
	left_over(&p);
	fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_HANG_LOCKED, .match = "drivers/vfio-pci/unbind 0000:42" });
	play_claim(&p, two.vmid);
	assert_int_equal(fake_hanging(&p.k), 0);
	assert_null(strstr(p.o.output, "VM 100"));
	play_taken(&p, two.vmid, "beside a broken card");
	play_vm_up(&p, false);
	assert_int_equal(play_hook_limited(&p, two.vmid, "post-start", 6000 / play_scale(20)), 0);
	says(&p, "left over from VM 100: 0000:42");
	assert_true(fake_hanging(&p.k) > 0);
	fake_fault_clear(&p.k);
	fake_hang_release(&p.k);
	fake_settle(&p.k, 3000);
	assert_int_equal(play_hook(&p, two.rival, "post-stop"), 0);
	down(&p);
}

/* Only what is over: the other start may go on, the other VM may run. */
static void test_not_over(void **state)
{
	struct play p;
	int lock;

	(void)state;
	left_over(&p);
	lock = play_pve_lock(&p, two.rival);
	up(&p);
	play_taken(&p, two.rival, "post-start, while Proxmox starts it");
	close(lock);
	assert_int_equal(play_hook(&p, two.rival, "post-stop"), 0);
	down(&p);
}

/* --- a VM that is just ending ---------------------------------------------------------------------- */

/* Both want the same card. */
static const struct scenario same = { .tree = "gpu-four", .vmid = 100, .rival = 101 };

static void runs(struct play *p, const struct scenario *s)
{
	play_open(p, s);
	play_claim(p, s->vmid);
	play_vm_up(p, true);
}

/* QEMU is gone, 'qm cleanup' has Proxmox's lock, and has not called post-stop yet. */
static void test_about_to_go_back(void **state)
{
	struct play p;
	pid_t pid;
	int lock;

	(void)state;
	runs(&p, &same);
	lock = play_pve_lock(&p, same.vmid);
	fake_vm_end(&p.k, same.vmid);
	fake_settings(&p.k)->time_scale = play_scale(20);
	assert_int_equal(play_hook(&p, same.rival, "pre-start"), 4);
	says(&p, "held by VM 100, which has ended; its devices are about to go back");
	play_taken(&p, same.vmid, "while Proxmox has its lock");
	fake_settings(&p.k)->time_scale = 1;
	pid = fork();
	if (pid == 0) {
		host_sleep(&p.k.host, 300);
		_exit(0);	/* and the lock is free */
	}
	close(lock);
	play_claim(&p, same.rival);
	play_taken(&p, same.rival, "after the other one's end");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(play_hook(&p, same.rival, "post-stop"), 0);
	play_same(&p, "after a VM that was just ending");
	play_close(&p);
}

/* A start beside the test, which reads what it says. */
static pid_t begin_start(struct play *p, unsigned vmid, FILE **ret)
{
	char name[] = "gpu-hook", id[16], phase[] = "pre-start";
	char *argv[] = { name, id, phase, NULL };
	int out[2];
	pid_t pid;

	snprintf(id, sizeof(id), "%u", vmid);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct hook k = { .h = &p->k.host, .limit = step_limit, .cancel = -1, .out = fdopen(out[1], "w"),
				  .now_unix = (uint64_t)time(NULL) };
		int status = hook_main(&k, 3, argv);

		fflush(k.out);
		_exit(status);
	}
	assert_true(pid > 0);
	close(out[1]);
	*ret = fdopen(out[0], "r");
	assert_non_null(*ret);
	return pid;
}

static void reads(FILE *f, const char *text)
{
	char line[512];

	while (fgets(line, sizeof(line), f))
		if (strstr(line, text))
			return;
	fail_msg("the start does not say '%s'", text);
}

/* Between QEMU's end and 'qm cleanup' Proxmox's lock is free. */
static void test_waits_for_post_stop(void **state)
{
	static const struct scenario waits = { .tree = "gpu-four", .vmid = 100, .rival = 101,
					       .settings = "[claim]\nother_vm = wait 60\n" };
	char line[512];
	struct play p;
	int status;
	pid_t pid;
	FILE *said;

	(void)state;
	runs(&p, &waits);
	pid = begin_start(&p, waits.rival, &said);
	reads(said, "VM 100 has its devices: waiting for its end");
	fake_vm_end(&p.k, waits.vmid);
	host_sleep(&p.k.host, 1500);
	play_taken(&p, waits.vmid, "before its post-stop");
	assert_int_equal(play_hook(&p, waits.vmid, "post-stop"), 0);
	while (fgets(line, sizeof(line), said))
		assert_null(strstr(line, "lost stop"));
	fclose(said);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	play_taken(&p, waits.rival, "after the other one's post-stop");
	assert_int_equal(play_hook(&p, waits.rival, "post-stop"), 0);
	play_same(&p, "after a wait for post-stop");
	play_close(&p);
}

/* Two VMs are in the way, and the first one's devices do not come back: the second is not ended for nothing. */
static void test_second_is_left_alone(void **state)
{
	static const struct scenario all[] = {
		{ .tree = "twins", .vmid = 103, .settings = "[claim]\nallow = boot-display, only-display\nother_vm = stop 5\n" },
		{ .tree = "twins", .vmid = 100 }, { .tree = "twins", .vmid = 101 },
	};
	int locks[2];
	struct play p;

	(void)state;
	play_open(&p, &all[0]);
	for (int i = 1; i < 3; i++) {
		p.s = &all[i];
		play_claim(&p, p.s->vmid);
		play_vm_up(&p, true);
	}
	p.s = &all[0];
	for (int i = 0; i < 2; i++)
		locks[i] = play_pve_lock(&p, all[i + 1].vmid);
	fake_kernel_rewind(&p.k);
	fake_settings(&p.k)->time_scale = play_scale(20);
	assert_int_equal(play_hook(&p, all[0].vmid, "pre-start"), 4);
	assert_int_equal(fake_log_find(&p.k, "run /usr/sbin/qm"), 1);
	assert_int_equal(fake_log_find(&p.k, "qm stop 101"), 1);
	fake_vm_end(&p.k, 100);
	for (int i = 0; i < 2; i++) {
		close(locks[i]);
		assert_int_equal(play_hook(&p, all[i + 1].vmid, "post-stop"), 0);
	}
	play_same(&p, "after the first VM had not let go");
	play_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_watch),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_broken_card),
		cmocka_unit_test(test_not_over),
		cmocka_unit_test(test_about_to_go_back),
		cmocka_unit_test(test_waits_for_post_stop),
		cmocka_unit_test(test_second_is_left_alone),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
