// SPDX-License-Identifier: GPL-2.0-or-later
/* Two VMs want one card at the same moment: exactly one gets it.  A cancelled start puts everything
 * back. */
#include "play.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 40	/* divided by play_stride() */

static int run(struct host *h, unsigned vmid, const char *phase, int cancel)
{
	struct hook k = { .h = h, .limit = step_limit, .cancel = cancel, .now_unix = (uint64_t)time(NULL) };
	char id[16], word[16], name[] = "gpu-hook";
	char *argv[] = { name, id, word, NULL };
	int status;

	k.out = fopen("/dev/null", "w");
	snprintf(id, sizeof(id), "%u", vmid);
	snprintf(word, sizeof(word), "%s", phase);
	status = k.out ? hook_main(&k, 3, argv) : -1;
	if (k.out)
		fclose(k.out);
	return status;
}

static pid_t start(struct play *p, unsigned vmid)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(run(&p->k.host, vmid, "pre-start", -1));
	assert_true(pid > 0);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The loser finds the winner's task gone, as it is when a start has failed: both orders of events
 * may end with either VM as the owner, but never with both. */
static void test_two_vms(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	for (unsigned i = 0; i < ROUNDS; i += play_stride()) {
		pid_t a = start(&p, p.s->vmid), b = start(&p, p.s->rival);
		int ra = status_of(a), rb = status_of(b);
		struct lease la = LEASE_INIT, lb = LEASE_INIT;
		struct err e = ERR_INIT;
		int has_a = lease_load(&p.k.host, p.s->vmid, &la, &e), has_b = lease_load(&p.k.host, p.s->rival, &lb, &e);

		if ((has_a == 0) + (has_b == 0) != 1)
			fail_msg("round %u: %d VMs have the card (exit %d and %d)", i, (has_a == 0) + (has_b == 0), ra, rb);
		play_taken(&p, has_a == 0 ? p.s->vmid : p.s->rival, "round %u", i);
		lease_release(&la);
		lease_release(&lb);
		assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
		assert_int_equal(play_hook(&p, p.s->rival, "post-stop"), 0);
		play_same(&p, "round %u", i);
	}
	play_close(&p);
}

/* While the winner's VM runs, the other is refused by name. */
static void test_running_vm_keeps_it(void **state)
{
	struct err e = ERR_INIT;
	struct lease l = LEASE_INIT;
	struct bdf fns[32];
	struct play p;
	size_t n;

	(void)state;
	play_open(&p, &scenarios[0]);
	assert_int_equal(play_hook(&p, p.s->vmid, "pre-start"), 0);
	assert_int_equal(lease_load(&p.k.host, p.s->vmid, &l, &e), 0);
	n = l.plan.n_devices;
	for (size_t i = 0; i < n; i++)
		fns[i] = l.plan.devices[i].bdf;
	lease_release(&l);
	if (fake_vm_start(&p.k, p.s->vmid, fns, n, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(play_hook(&p, p.s->vmid, "post-start"), 0);
	assert_int_equal(play_hook(&p, p.s->rival, "pre-start"), 4);
	assert_non_null(strstr(p.o.output, "held by VM 100, which is running"));
	play_taken(&p, p.s->vmid, "after the rival's attempt");

	/* It ends, but for a moment the kernel still has its files open. */
	fake_settings(&p.k)->time_scale = play_scale(50);
	fake_vm_fade(&p.k, p.s->vmid);
	assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 1);
	assert_non_null(strstr(p.o.output, "nothing was touched"));
	play_taken(&p, p.s->vmid, "while QEMU was on its way out");
	fake_settings(&p.k)->time_scale = 1;
	fake_vm_end(&p.k, p.s->vmid);
	assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
	play_same(&p, "after QEMU had gone");
	play_close(&p);
}

/* Others plan, one after the other, and one of them looks at a device that does not answer: a start has
 * as long as its own deadline to wait for them. */
static void test_a_long_queue(void **state)
{
	static const struct scenario patient = { .tree = "gpu-four", .vmid = 100,
						 .settings = "[claim]\nstart_deadline = 600\n" };
	int ready[2];
	char byte;
	struct play p;
	pid_t other;

	(void)state;
	play_open(&p, &patient);
	play_claim(&p, 100);	/* makes the folder */
	assert_int_equal(pipe(ready), 0);
	other = fork();
	if (other == 0) {
		int fd = host_open_file(&p.k.host, LEASE_LOCK, O_RDWR | O_CREAT, 0600);

		if (fd < 0 || flock(fd, LOCK_EX) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		usleep(1000000);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	fake_settings(&p.k)->time_scale = play_scale(15);	/* his second is fifteen of the machine's */
	play_claim(&p, 100);
	assert_int_equal(status_of(other), 0);
	fake_settings(&p.k)->time_scale = 1;
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	play_same(&p, "after a long wait");
	close(ready[0]);
	close(ready[1]);
	play_close(&p);
}

/* As hook/main.c sets it up. */
static int cancelled_start(struct host *h, void *arg)
{
	sigset_t set;
	int fd;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	kill(getpid(), SIGTERM);
	return run(h, 100, "pre-start", fd);
}

static void test_sigterm(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	assert_int_equal(fake_main_run(&p.k, cancelled_start, NULL, 20000, &p.o), 0);
	assert_int_equal(p.o.status, 1);
	play_same(&p, "after SIGTERM");
	play_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_vms),
		cmocka_unit_test(test_running_vm_keeps_it),
		cmocka_unit_test(test_a_long_queue),
		cmocka_unit_test(test_sigterm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
