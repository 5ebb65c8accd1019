// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of devices: from a tree's own table, as numbers without one, and never at anybody's cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "names.h"
#include "tree.h"
#include "treefs.h"

/* The C library's fork() and kill(), with an eye on them: a machine that is out of processes, and
 * nobody is ever signalled but a child of ours. */
static bool no_processes;
static pid_t wild_kill;

pid_t fork(void)
{
	if (!no_processes)
		return _Fork();
	errno = EAGAIN;
	return -1;
}

int kill(pid_t pid, int signal_number)
{
	if (pid <= 1) {
		wild_kill = pid ? pid : 1;
		return 0;
	}
	return (int)syscall(SYS_kill, pid, signal_number);
}

static const char ids_text[] =
	"# a tiny table\n"
	"10de  NVIDIA Corporation\n"
	"\t2684  AD102 [GeForce RTX 4090]\n"
	"\t22ba  AD102 High Definition Audio Controller\n"
	"1002  Advanced Micro Devices, Inc. [AMD/ATI]\n"
	"\t73bf  Navi 21\x1b[31m\n"
	"8086  Intel Corporation\n";

struct box { struct tree tree; struct host h; struct err e; };

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b || tree_open_text(&b->tree, "dir /usr/share/misc\n", &b->e) < 0 ||
	    host_open(&b->h, b->tree.dir, &b->e) < 0)
		return -1;
	no_processes = false;
	wild_kill = 0;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;

	host_close(&b->h);
	tree_close(&b->tree);
	free(b);
	return 0;
}

static void put_table(struct box *b)
{
	assert_int_equal(tfs_put(b->h.rootfd, "/usr/share/misc/pci.ids", 0644, ids_text, sizeof(ids_text) - 1), 0);
}

static const struct { struct names_id id; const char *name; } cases[] = {
	{ { 0x10de, 0x2684 }, "NVIDIA Corporation AD102 [GeForce RTX 4090]" },
	{ { 0x10de, 0x22ba }, "NVIDIA Corporation AD102 High Definition Audio Controller" },
	{ { 0x10de, 0x0001 }, "NVIDIA Corporation [10de:0001]" },
	{ { 0x1002, 0x73bf }, "Advanced Micro Devices, Inc. [AMD/ATI] Navi 21\\x1b[31m" },
	{ { 0x8086, 0x56a0 }, "Intel Corporation [8086:56a0]" },
	{ { 0xf00d, 0xbeef }, "[f00d:beef]" },
	{ { 0xffff, 0xffff }, "[ffff:ffff]" },
	{ { 0, 0 }, "[0000:0000]" },
};

static void names_of_a_table(void **state)
{
	struct names_id ids[ARRAY_SIZE(cases)];
	struct names *names = NULL;
	struct box *b = *state;
	unsigned wrong = 0;

	put_table(b);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ids[i] = cases[i].id;
	assert_int_equal(names_start(&b->h, ids, ARRAY_SIZE(ids), &names, &b->e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (strcmp(names_get(names, i), cases[i].name) != 0) {
			print_error("want '%s'\ngot  '%s'\n", cases[i].name, names_get(names, i));
			wrong++;
		}
	assert_string_equal(names_get(names, ARRAY_SIZE(cases)), "");
	names_free(names);
	assert_int_equal(wild_kill, 0);
	assert_int_equal(wrong, 0);
}

static unsigned descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Nothing stays behind, whenever the caller loses interest. */
static void leaves_nothing_behind(void **state)
{
	struct names_id id = { 0x10de, 0x2684 };
	struct names *names = NULL;
	struct box *b = *state;
	unsigned before = descriptors();

	put_table(b);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(names_start(&b->h, &id, 1, &names, &b->e), 0);
		if (i & 1)
			(void)names_get(names, 0);
		names_free(names);
	}
	assert_int_equal(descriptors(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void no_devices(void **state)
{
	struct names *names = NULL;
	struct box *b = *state;

	assert_int_equal(names_start(&b->h, NULL, 0, &names, &b->e), 0);
	assert_string_equal(names_get(names, 0), "");
	names_free(names);
	names_free(NULL);
}

/* A child that dies, here for want of a tree: numbers, at once. */
static void without_an_answer_there_are_numbers(void **state)
{
	struct names_id id = { 0xf00d, 0xbeef };
	struct names *names = NULL;
	struct box *b = *state;

	put_table(b);
	assert_int_equal(names_start(&b->h, &id, 1, &names, &b->e), 0);
	assert_string_equal(names_get(names, 0), "[f00d:beef]");
	assert_string_equal(names_get(names, 0), "[f00d:beef]");
	names_free(names);
}

/* fork() fails on a busy host.  Whatever is then signalled must not be "everybody" (kill(-1)). */
static void a_failed_fork_signals_nobody(void **state)
{
	struct names_id id = { 0x10de, 0x2684 };
	struct names *names = NULL;
	struct box *b = *state;
	unsigned before = descriptors();

	put_table(b);
	no_processes = true;
	assert_int_equal(names_start(&b->h, &id, 1, &names, &b->e), 0);
	assert_string_equal(names_get(names, 0), "[10de:2684]");
	names_free(names);
	no_processes = false;
	assert_int_equal(wild_kill, 0);
	assert_int_equal(descriptors(), before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_of_a_table, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_nothing_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(no_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(without_an_answer_there_are_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_fork_signals_nobody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
