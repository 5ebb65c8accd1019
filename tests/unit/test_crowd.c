// SPDX-License-Identifier: GPL-2.0-or-later
/* Which of the entries of /proc are processes with a program. */
#include "test_pve_box.h"

#include <sys/wait.h>
#include <unistd.h>

#include "crowd.h"

#define CHILDREN "/proc/2/task/2/children"

static void assert_crowd(struct box *b, const pid_t *want, size_t n)
{
	struct crowd c;

	assert_int_equal(crowd_list(&b->h, &c), 0);
	assert_int_equal(c.n, n);
	assert_memory_equal(c.pids, want, n * sizeof(*want));
	crowd_release(&c);
	assert_null(c.pids);
}

static void make(struct box *b, pid_t pid, const char *exe)
{
	box_text(b, tfs_path("/proc/%d/comm", (int)pid).s, "x\n");
	if (exe)
		assert_int_equal(tfs_link(b->h.rootfd, tfs_path("/proc/%d/exe", (int)pid).s, exe), 0);
}

static void make_some(struct box *b)
{
	make(b, 1200, "/usr/bin/kvm");
	make(b, 1, "/sbin/init");
	make(b, 2, NULL);
	make(b, 3, NULL);	/* kernel threads */
	make(b, 88, NULL);
	make(b, 90, NULL);	/* a process that has just ended */
	make(b, 91, "/sbin/modprobe");	/* a helper that the kernel has started */
	box_text(b, "/proc/version", "Linux\n");
	box_text(b, "/proc/0/comm", "no process\n");
	box_text(b, "/proc/99999999999/comm", "no process\n");
}

static void test_kernel_threads(void **state)
{
	struct box *b = *state;

	make_some(b);
	box_text(b, CHILDREN, "3 88 91 ");
	assert_crowd(b, (pid_t[]){ 1, 2, 90, 91, 1200 }, 5);
}

/* A kernel without CONFIG_PROC_CHILDREN, or with an empty answer: nobody is left out. */
static void test_unknown(void **state)
{
	struct box *b = *state;

	make_some(b);
	assert_crowd(b, (pid_t[]){ 1, 2, 3, 88, 90, 91, 1200 }, 7);
	box_text(b, CHILDREN, "");
	assert_crowd(b, (pid_t[]){ 1, 2, 3, 88, 90, 91, 1200 }, 7);
	box_text(b, CHILDREN, "3 x -1 88junk 91\n");
	assert_crowd(b, (pid_t[]){ 1, 2, 88, 90, 91, 1200 }, 6);
}

static void test_no_proc(void **state)
{
	struct box *b = *state;
	struct crowd c;

	assert_int_equal(tfs_remove(b->h.rootfd, "/proc"), 0);
	assert_int_equal(crowd_list(&b->h, &c), -ENOENT);
	crowd_release(&c);
}

static bool has(const struct crowd *c, pid_t pid)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->pids[i] == pid)
			return true;
	return false;
}

/* The running machine: we and a child that has ended are there, whatever kernel this is. */
static void test_here(void **state)
{
	struct err e = ERR_INIT;
	struct crowd c;
	struct host h;
	pid_t child;

	(void)state;
	assert_int_equal(host_open(&h, NULL, &e), 0);
	child = fork();
	if (child == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)child, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_int_equal(crowd_list(&h, &c), 0);
	assert_true(has(&c, getpid()));
	assert_true(has(&c, child));
	crowd_release(&c);
	waitpid(child, NULL, 0);
	host_close(&h);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		BOX_TEST(test_kernel_threads), BOX_TEST(test_unknown), BOX_TEST(test_no_proc),
		cmocka_unit_test(test_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
