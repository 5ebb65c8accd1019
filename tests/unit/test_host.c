// SPDX-License-Identifier: GPL-2.0-or-later
/* The seam: whatever lies in a tree, nothing leads out of it; errors are the kernel's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "tree.h"
#include "treefs.h"

struct box { struct tree tree; struct host h; struct err e; };

static const char content[] =
	"dir /empty\nfile /etc/hostname inside\nfile /sys/a one\nlink /sys/abs /etc/hostname\n"
	"link /sys/up ../../../../../../etc/hostname\nlink /sys/dir /etc\nlink /sys/round /sys/round\n"
	"link /sys/dangling /nowhere\nlink /sys/proc /proc/self/root/etc/passwd\nlink /sys/chain abs\n"
	"link /sys/bus/pci/devices/0000:01:00.0/driver ../../../../bus/pci/drivers/nvidia\n";

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b || tree_open_text(&b->tree, content, &b->e) < 0 || host_open(&b->h, b->tree.dir, &b->e) < 0) {
		print_error("%s\n", b ? b->e.msg : "");
		return -1;
	}
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;

	host_close(&b->h);
	host_close(&b->h);	/* twice is once */
	tree_close(&b->tree);
	free(b);
	return 0;
}

/* What is read, or the errno. */
static const struct { const char *path, *text; int r; } reads[] = {
	{ "/sys/a", "one\n", 0 }, { "sys/a", "one\n", 0 }, { "//sys//a", "one\n", 0 },
	{ "/sys/abs", "inside\n", 0 }, { "/sys/up", "inside\n", 0 }, { "/sys/chain", "inside\n", 0 },
	{ "/sys/dir/hostname", "inside\n", 0 }, { "/../../../etc/hostname", "inside\n", 0 },
	{ "/sys/../../../etc/hostname", "inside\n", 0 },
	{ "/sys/dangling", NULL, -ENOENT }, { "/sys/round", NULL, -ELOOP }, { "/sys/none", NULL, -ENOENT },
	{ "/sys/a/b", NULL, -ENOTDIR }, { "/sys/proc", NULL, -ENOENT }, { "/etc/passwd", NULL, -ENOENT },
	{ "/empty", NULL, -EISDIR }, { "", NULL, -ENOENT },
};

static void reads_stay_inside(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
		char buf[64] = "";
		ssize_t n = host_read(&b->h, reads[i].path, buf, sizeof(buf) - 1);

		if (n != (reads[i].text ? (ssize_t)strlen(reads[i].text) : reads[i].r))
			fail_msg("'%s' returned %zd", reads[i].path, n);
		if (reads[i].text)
			assert_string_equal(buf, reads[i].text);
	}
}

static void reads_what_fits(void **state)
{
	struct box *b = *state;
	char buf[4] = "zzz";

	assert_int_equal(host_read(&b->h, "/sys/abs", buf, 3), 3);
	assert_string_equal(buf, "ins");
	assert_int_equal(host_read(&b->h, "/sys/abs", buf, 0), 0);
}

/* A write that follows a link outwards would be a write to the running machine. */
static void writes_stay_inside(void **state)
{
	struct box *b = *state;
	char buf[64] = "";

	assert_int_equal(host_write(&b->h, "/sys/up", "written"), 0);
	assert_true(tfs_read(b->h.rootfd, "/etc/hostname", buf, sizeof(buf) - 1) > 0);
	assert_string_equal(buf, "written");	/* as long as it was: nothing is truncated */
	assert_int_equal(host_write(&b->h, "/etc/hostname", "XY"), 0);
	memset(buf, 0, sizeof(buf));
	assert_true(tfs_read(b->h.rootfd, "/etc/hostname", buf, sizeof(buf) - 1) > 0);
	assert_string_equal(buf, "XYitten");
	assert_int_equal(host_write(&b->h, "/sys/none", "x"), -ENOENT);
	assert_false(host_exists(&b->h, "/sys/none"));
	assert_int_equal(host_write(&b->h, "/empty", "x"), -EISDIR);
}

static const struct { const char *path, *text; int r; } links[] = {
	{ "/sys/abs", "/etc/hostname", 0 }, { "/sys/round", "/sys/round", 0 }, { "/sys/dangling", "/nowhere", 0 },
	{ "/sys/a", NULL, -EINVAL }, { "/empty", NULL, -EINVAL }, { "/sys/none", NULL, -ENOENT },
};

static void links_are_read(void **state)
{
	struct box *b = *state;
	char buf[64];

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		int r = host_readlink(&b->h, links[i].path, buf, sizeof(buf));

		if (r != links[i].r)
			fail_msg("'%s' returned %d", links[i].path, r);
		if (r == 0)
			assert_string_equal(buf, links[i].text);
	}
	assert_int_equal(host_readlink(&b->h, "/sys/dangling", buf, 8), -ENAMETOOLONG);
	assert_int_equal(host_readlink(&b->h, "/sys/dangling", buf, 9), 0);
}

static int count(void *arg, const char *name)
{
	assert_true(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
	return ++*(int *)arg == 3 ? 42 : 0;
}

static void lists(void **state)
{
	struct box *b = *state;
	int n = 0;

	assert_int_equal(host_list(&b->h, "/empty", count, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(host_list(&b->h, "/sys", count, &n), 42);
	assert_int_equal(n, 3);
	assert_int_equal(host_list(&b->h, "/sys/a", count, &n), -ENOTDIR);
	assert_int_equal(host_list(&b->h, "/none", count, &n), -ENOENT);
}

static void files_are_made_and_moved_inside(void **state)
{
	struct box *b = *state;
	int fd;

	assert_int_equal(host_mkdir(&b->h, "/run", 0700), 0);
	assert_int_equal(host_mkdir(&b->h, "/run", 0700), -EEXIST);
	assert_int_equal(host_mkdir(&b->h, "/none/x", 0700), -ENOENT);
	fd = host_open_file(&b->h, "/run/x", O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(host_append(&b->h, fd, "abc", 3), 0);
	close(fd);
	assert_int_equal(host_open_file(&b->h, "/run/x", O_RDWR | O_CREAT | O_EXCL, 0600), -EEXIST);
	assert_int_equal(host_rename(&b->h, "/run/x", "/sys/dir/y"), 0);
	assert_true(host_exists(&b->h, "/etc/y"));
	assert_int_equal(host_rename(&b->h, "/run/x", "/run/z"), -ENOENT);
	assert_int_equal(host_rename(&b->h, "/etc/y", "/none/z"), -ENOENT);
	assert_int_equal(host_unlink(&b->h, "/etc/y"), 0);
	assert_int_equal(host_unlink(&b->h, "/etc/y"), -ENOENT);
	assert_int_equal(host_unlink(&b->h, "/sys/dangling"), 0);	/* the link, not what it means */
	assert_int_equal(host_open_file(&b->h, "/sys/abs", O_RDONLY | O_NOFOLLOW, 0), -ELOOP);
	assert_int_equal(host_unlink(&b->h, "/run/"), -EINVAL);
	assert_int_equal(host_unlink(&b->h, "nothing"), -EINVAL);
}

/* A short write is no write. */
static void short_appends_fail(void **state)
{
	struct box *b = *state;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_int_equal(host_append(&b->h, fd, "x", 1), -ENOSPC);
	close(fd);
	assert_int_equal(host_append(&b->h, -1, "x", 1), -EBADF);
}

/* A captured tree is looked at, never run in. */
static void programs_only_on_the_machine(void **state)
{
	const char *const argv[] = { "/bin/true", NULL };
	struct box *b = *state;
	struct host_run run;
	struct host real;

	assert_false(b->h.real);
	assert_int_equal(host_run(&b->h, argv, 1000, &run), -EPERM);
	assert_int_equal(host_open(&real, NULL, &b->e), 0);
	assert_true(real.real);
	assert_int_equal(host_run(&real, argv, 5000, &run), 0);
	assert_int_equal(run.status, 0);
	host_close(&real);
	assert_int_equal(host_open(&real, "/nonexistent", &b->e), -ENOENT);
	assert_non_null(strstr(b->e.msg, "'/nonexistent'"));
	assert_int_equal(host_open(&real, "/etc/passwd", &b->e), -ENOTDIR);
}

static void paths_fit_or_name_nothing(void **state)
{
	struct box *b = *state;
	char longest[600];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_string_equal(host_path("/a/%d", 7).s, "/a/7");
	assert_false(host_exists(&b->h, host_path("/%s", longest).s));
	assert_false(host_exists(&b->h, host_path("/sys/a/../%0510d", 0).s));
}

static void time_passes(void **state)
{
	struct box *b = *state;
	uint64_t start = host_now(&b->h);

	host_sleep(&b->h, 30);
	assert_true(host_now(&b->h) - start >= 30);
}

int main(void)
{
#define BOX(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		BOX(reads_stay_inside), BOX(reads_what_fits), BOX(writes_stay_inside), BOX(links_are_read), BOX(lists),
		BOX(files_are_made_and_moved_inside), BOX(short_appends_fail), BOX(programs_only_on_the_machine),
		BOX(paths_fit_or_name_nothing), BOX(time_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
