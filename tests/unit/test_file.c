// SPDX-License-Identifier: GPL-2.0-or-later
/* Locks with a deadline, folders that are ours alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"
#include "tree.h"

struct box { struct tree tree; struct host h; struct err e; };

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b || tree_open_text(&b->tree, "dir /run\n", &b->e) < 0 || host_open(&b->h, b->tree.dir, &b->e) < 0)
		return -1;
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

static struct host_path outside(const struct box *b, const char *path)
{
	return host_path("%s%s", b->tree.dir, path);
}

static void a_lock_is_exclusive_and_has_a_deadline(void **state)
{
	struct box *b = *state;
	int fd = file_lock(&b->h, "/run/lock", 0, &b->e);
	uint64_t start = host_now(&b->h);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(stat(outside(b, "/run/lock").s, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_lock(&b->h, "/run/lock", 0, &b->e), -EWOULDBLOCK);
	assert_true(host_now(&b->h) - start < 10000);
	start = host_now(&b->h);
	assert_int_equal(file_lock(&b->h, "/run/lock", 150, &b->e), -EWOULDBLOCK);
	assert_true(host_now(&b->h) - start >= 150 && host_now(&b->h) - start < 10000);
	assert_non_null(strstr(b->e.msg, "/run/lock"));
	file_closep(&fd);
	assert_int_equal(fd, -1);
	file_closep(&fd);
	fd = file_lock(&b->h, "/run/lock", 0, &b->e);
	assert_true(fd >= 0);
	file_closep(&fd);
}

static void a_lock_is_waited_for(void **state)
{
	struct box *b = *state;
	int fd = file_lock(&b->h, "/run/lock", 0, &b->e), second;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		usleep(200000);
		_exit(0);	/* the last holder of the description */
	}
	file_closep(&fd);
	second = file_lock(&b->h, "/run/lock", 5000, &b->e);
	assert_true(second >= 0);
	file_closep(&second);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void on_alarm(int s)
{
	(void)s;
}

static void signals_do_not_shorten_the_wait(void **state)
{
	struct sigaction act = { .sa_handler = on_alarm };
	struct box *b = *state;
	int fd = file_lock(&b->h, "/run/lock", 0, &b->e);
	uint64_t start = host_now(&b->h);

	sigaction(SIGALRM, &act, NULL);
	ualarm(30000, 30000);
	assert_int_equal(file_lock(&b->h, "/run/lock", 300, &b->e), -EWOULDBLOCK);
	/* the handler stays: valgrind may deliver the last alarm after it has been switched off */
	ualarm(0, 0);
	assert_true(host_now(&b->h) - start >= 300);
	file_closep(&fd);
}

static void a_link_is_no_lock(void **state)
{
	struct box *b = *state;

	assert_int_equal(symlink("/etc/passwd", outside(b, "/run/lock").s), 0);
	assert_int_equal(file_lock(&b->h, "/run/lock", 0, &b->e), -ELOOP);
	assert_int_equal(file_lock(&b->h, "/none/lock", 0, &b->e), -ENOENT);
	assert_int_equal(file_flock(&b->h, -1, 0), -EBADF);
}

static void current_or_replaced(void **state)
{
	struct box *b = *state;
	int fd = file_lock(&b->h, "/run/x", 0, &b->e), other;

	assert_int_equal(file_is_current(&b->h, fd, "/run/x"), 1);
	other = host_open_file(&b->h, "/run/y", O_RDWR | O_CREAT, 0600);
	assert_true(other >= 0);
	assert_int_equal(file_is_current(&b->h, fd, "/run/y"), 0);
	assert_int_equal(host_rename(&b->h, "/run/y", "/run/x"), 0);
	assert_int_equal(file_is_current(&b->h, fd, "/run/x"), 0);
	assert_int_equal(file_is_current(&b->h, other, "/run/x"), 1);
	assert_int_equal(host_unlink(&b->h, "/run/x"), 0);
	assert_int_equal(file_is_current(&b->h, other, "/run/x"), 0);
	assert_int_equal(file_is_current(&b->h, -1, "/run"), -EBADF);
	file_closep(&fd);
	file_closep(&other);
}

static const struct { mode_t mode; int r; } modes[] = {
	{ 0700, 0 }, { 0755, 0 }, { 0750, 0 }, { 0500, 0 }, { 0770, -EPERM }, { 0707, -EPERM }, { 0777, -EPERM },
	{ 01777, -EPERM }, { 0720, -EPERM }, { 0702, -EPERM },
};

static void folders_others_can_write_to(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		assert_int_equal(mkdir(outside(b, "/run/d").s, 0700), 0);
		assert_int_equal(chmod(outside(b, "/run/d").s, modes[i].mode), 0);
		if (file_private_dir(&b->h, "/run/d", &b->e) != modes[i].r)
			fail_msg("mode %04o", modes[i].mode);
		assert_int_equal(rmdir(outside(b, "/run/d").s), 0);
	}
}

static void a_folder_is_made(void **state)
{
	struct box *b = *state;
	struct stat st;

	assert_int_equal(file_private_dir(&b->h, "/run/new", &b->e), 0);
	assert_int_equal(stat(outside(b, "/run/new").s, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(file_private_dir(&b->h, "/run/new", &b->e), 0);
	assert_int_equal(file_private_dir(&b->h, "/none/new", &b->e), -ENOENT);
}

static void what_is_no_folder_of_ours(void **state)
{
	struct box *b = *state;

	assert_int_equal(symlink("/run", outside(b, "/run/link").s), 0);
	assert_true(file_private_dir(&b->h, "/run/link", &b->e) < 0);
	assert_non_null(strstr(b->e.msg, "'/run/link'"));
	close(host_open_file(&b->h, "/run/file", O_RDWR | O_CREAT, 0600));
	assert_int_equal(file_private_dir(&b->h, "/run/file", &b->e), -ENOTDIR);
	if (geteuid() == 0) {
		assert_int_equal(mkdir(outside(b, "/run/theirs").s, 0700), 0);
		assert_int_equal(chown(outside(b, "/run/theirs").s, 65534, 65534), 0);
		assert_int_equal(file_private_dir(&b->h, "/run/theirs", &b->e), -EPERM);
		assert_non_null(strstr(b->e.msg, "65534"));
	}
}

int main(void)
{
#define BOX(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		BOX(a_lock_is_exclusive_and_has_a_deadline), BOX(a_lock_is_waited_for),
		BOX(signals_do_not_shorten_the_wait), BOX(a_link_is_no_lock), BOX(current_or_replaced),
		BOX(folders_others_can_write_to), BOX(a_folder_is_made), BOX(what_is_no_folder_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
