// SPDX-License-Identifier: GPL-2.0-or-later
/* The lock of a VM: looked at without a trace, taken with a deadline, its holder named. */
#include "test_pve_box.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guestlock.h"

#define DIR	"/var/lock/qemu-server"
#define LOCK	DIR "/lock-100.conf"

static enum guestlock_state probe(struct box *b)
{
	enum guestlock_state s = GUESTLOCK_HELD;

	box_worked(b, guestlock_probe(&b->h, 100, &s, &b->e), 0);
	return s;
}

/* Holds the lock as Proxmox does, in a process of its own, until its stdin closes. */
static pid_t hold(struct box *b, const char *path, int *ret_release)
{
	int ready[2], release[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(release), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(box_path(b, path).s, O_WRONLY | O_APPEND | O_CREAT, 0644);

		close(release[1]);
		if (fd < 0 || flock(fd, LOCK_EX) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		while (read(release[0], &c, 1) > 0)
			;
		_exit(0);
	}
	assert_true(pid > 0);
	close(ready[1]);
	close(release[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	*ret_release = release[1];
	return pid;
}

static void let_go(pid_t pid, int release)
{
	close(release);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void nobody_holds_what_is_not_there(void **state)
{
	struct box *b = *state;

	assert_int_equal(probe(b), GUESTLOCK_FREE);
	assert_false(tfs_exists(b->h.rootfd, "/var"));
	box_folder(b, DIR);
	assert_int_equal(probe(b), GUESTLOCK_FREE);
	assert_false(tfs_exists(b->h.rootfd, LOCK));
}

static void sees_who_holds_it(void **state)
{
	struct box *b = *state;
	int release;
	pid_t pid;

	/* As on the machine, where /var/lock is a link. */
	box_folder(b, "/run/lock/qemu-server");
	box_link(b, "/var/lock", "/run/lock");
	pid = hold(b, "/run/lock/qemu-server/lock-100.conf", &release);
	assert_int_equal(probe(b), GUESTLOCK_HELD);
	assert_int_equal(probe(b), GUESTLOCK_HELD);
	let_go(pid, release);
	assert_int_equal(probe(b), GUESTLOCK_FREE);
	assert_true(tfs_exists(b->h.rootfd, LOCK));
}

static void two_lookers_do_not_see_each_other(void **state)
{
	struct box *b = *state;
	int fd;

	box_text(b, LOCK, "");
	fd = open(box_path(b, LOCK).s, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_int_equal(probe(b), GUESTLOCK_FREE);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(probe(b), GUESTLOCK_HELD);
	close(fd);
}

/* Lines of /proc/locks; %s is the lock's own device and inode. */
static const struct {
	const char *locks;
	pid_t pid;
} tables[] = {
	{ "1: FLOCK  ADVISORY  WRITE 4242 %s 0 EOF\n", 4242 },
	{ "1: POSIX  ADVISORY  WRITE 7 00:19:1 0 EOF\n2: FLOCK  ADVISORY  READ 8 00:19:1 0 EOF\n"
	  "13: FLOCK  ADVISORY  WRITE 4242 %s 0 EOF\n13: -> FLOCK  ADVISORY  WRITE 4243 %s 0 EOF\n", 4242 },
	{ "1: -> FLOCK  ADVISORY  WRITE 4243 %s 0 EOF\n", 0 },
	{ "1: POSIX  ADVISORY  WRITE 4242 %s 0 EOF\n", 0 },
	{ "1: FLOCK  ADVISORY  WRITE 4242 %s9 0 EOF\n", 0 },
	{ "1: FLOCK  ADVISORY  WRITE -1 %s 0 EOF\n", 0 },
	{ "1: FLOCK  ADVISORY  WRITE 0 %s 0 EOF\n2: FLOCK  ADVISORY  WRITE 4242 %s 0 EOF\n", 4242 },
	{ "1: FLOCK  ADVISORY  WRITE 99999999999 %s 0 EOF\n", 0 },
	{ "1: FLOCK  ADVISORY\n", 0 },
	{ "1:\n\n%s\n", 0 },
	{ "", 0 },
};

/* `text` with "%s" replaced by `by`, into /proc/locks. */
static void write_table(struct box *b, const char *text, const char *by)
{
	struct str s = STR_INIT;
	const char *p;

	for (; (p = strstr(text, "%s")); text = p + 2) {
		str_addn(&s, text, (size_t)(p - text));
		str_add(&s, by);
	}
	str_add(&s, text);
	box_bytes(b, "/proc/locks", s.s, s.len);
	str_release(&s);
}

static struct host_path lock_id(struct box *b)
{
	struct stat st;

	assert_int_equal(stat(box_path(b, LOCK).s, &st), 0);
	return host_path("%02x:%02x:%llu", major(st.st_dev), minor(st.st_dev), (unsigned long long)st.st_ino);
}

static void names_the_holder(void **state)
{
	struct box *b = *state;
	struct guestlock_holder who = { 0, "" };

	assert_int_equal(guestlock_holder(&b->h, 100, &who), 0);
	box_text(b, LOCK, "");
	assert_int_equal(guestlock_holder(&b->h, 100, &who), 0);
	box_text(b, "/proc/4242/comm", "task UPID:p\x1b[31m\n");
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		int r;

		write_table(b, tables[i].locks, lock_id(b).s);
		r = guestlock_holder(&b->h, 100, &who);
		if (r != (tables[i].pid != 0))
			fail_msg("'%s': %d", tables[i].locks, r);
		if (r == 0)
			continue;
		assert_int_equal(who.pid, tables[i].pid);
		assert_string_equal(who.name, "task UPID:p\\x1b[31m");
	}
	box_noise(b, "/proc/locks", 2 << 20);
	assert_int_equal(guestlock_holder(&b->h, 100, &who), 0);
}

static void takes_it_and_makes_what_is_missing(void **state)
{
	struct box *b = *state;
	struct stat st;
	mode_t old = umask(022);
	int fd;

	box_folder(b, "/var/lock");
	fd = guestlock_take(&b->h, 100, 0, &b->e);
	umask(old);
	assert_string_equal(b->e.msg, "");
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_APPEND, O_APPEND);
	assert_int_equal(stat(box_path(b, DIR).s, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(stat(box_path(b, LOCK).s, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(probe(b), GUESTLOCK_HELD);
	close(fd);
	assert_int_equal(probe(b), GUESTLOCK_FREE);
	assert_true(tfs_exists(b->h.rootfd, LOCK));
	fd = guestlock_take(&b->h, 100, 1000, &b->e);
	assert_true(fd >= 0);
	close(fd);
}

static void waits_no_longer_than_told(void **state)
{
	struct box *b = *state;
	uint64_t before;
	int release, r;
	pid_t pid;

	box_folder(b, DIR);
	pid = hold(b, LOCK, &release);
	write_table(b, "1: FLOCK  ADVISORY  WRITE 4242 %s 0 EOF\n", lock_id(b).s);
	box_text(b, "/proc/4242/comm", "qm\n");
	before = host_now(&b->h);
	r = guestlock_take(&b->h, 100, 120, &b->e);
	assert_true(host_now(&b->h) - before >= 120);
	assert_non_null(strstr(b->e.msg, "process 4242, qm,"));
	box_failed(b, r, -EWOULDBLOCK, "VM 100 is being worked on");
	before = host_now(&b->h);
	box_failed(b, guestlock_take(&b->h, 100, 0, &b->e), -EWOULDBLOCK, "VM 100");
	assert_true(host_now(&b->h) - before < 10000);
	let_go(pid, release);
}

struct replacement {
	struct host_path path;
	pid_t holder;
	int release;
};

/* While we wait somebody deletes the lock file, another makes a new one, and the old holder ends. */
static void replace_while_sleeping(struct host *h, uint64_t ms)
{
	struct replacement *r = h->priv;

	if (r->holder) {
		unlink(r->path.s);
		close(open(r->path.s, O_WRONLY | O_CREAT, 0644));
		let_go(r->holder, r->release);
		r->holder = 0;
	}
	host_default_ops.sleep(h, ms);
}

static void holds_the_file_that_is_there_now(void **state)
{
	struct box *b = *state;
	struct host_ops ops = host_default_ops;
	struct replacement r = { .path = box_path(b, LOCK) };
	struct stat mine, there;
	int fd;

	box_folder(b, DIR);
	r.holder = hold(b, LOCK, &r.release);
	ops.sleep = replace_while_sleeping;
	b->h.ops = &ops;
	b->h.priv = &r;
	fd = guestlock_take(&b->h, 100, 2000, &b->e);
	assert_string_equal(b->e.msg, "");
	assert_int_equal(r.holder, 0);
	assert_int_equal(fstat(fd, &mine), 0);
	assert_int_equal(stat(r.path.s, &there), 0);
	assert_int_equal(mine.st_ino, there.st_ino);
	close(fd);
}

static void survives_what_lies_in_the_way(void **state)
{
	struct box *b = *state;
	enum guestlock_state s;

	box_folder(b, LOCK);
	box_failed(b, guestlock_probe(&b->h, 100, &s, &b->e), -EINVAL, "no regular file");
	box_failed(b, guestlock_take(&b->h, 100, 0, &b->e), -EISDIR, LOCK);
	assert_int_equal(tfs_remove(b->h.rootfd, LOCK), 0);
	box_fifo(b, LOCK);
	box_failed(b, guestlock_probe(&b->h, 100, &s, &b->e), -EINVAL, "no regular file");
	box_failed(b, guestlock_take(&b->h, 100, 0, &b->e), -ENXIO, LOCK);
	assert_int_equal(tfs_unlink(b->h.rootfd, LOCK), 0);
	/* The folder is writable by everybody on some hosts: no link is followed. */
	box_link(b, LOCK, "/etc/shadow");
	box_failed(b, guestlock_probe(&b->h, 100, &s, &b->e), -ELOOP, LOCK);
	box_failed(b, guestlock_take(&b->h, 100, 0, &b->e), -ELOOP, LOCK);
	assert_false(tfs_exists(b->h.rootfd, "/etc/shadow"));
	assert_int_equal(tfs_remove(b->h.rootfd, DIR), 0);
	box_text(b, DIR, "a file");
	box_failed(b, guestlock_probe(&b->h, 100, &s, &b->e), -ENOTDIR, LOCK);
	box_failed(b, guestlock_take(&b->h, 100, 0, &b->e), -ENOTDIR, LOCK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(nobody_holds_what_is_not_there),
		BOX_TEST(sees_who_holds_it),
		BOX_TEST(two_lookers_do_not_see_each_other),
		BOX_TEST(names_the_holder),
		BOX_TEST(takes_it_and_makes_what_is_missing),
		BOX_TEST(waits_no_longer_than_told),
		BOX_TEST(holds_the_file_that_is_there_now),
		BOX_TEST(survives_what_lies_in_the_way),
	};

	return cmocka_run_group_tests_name("guestlock", tests, NULL, NULL);
}
