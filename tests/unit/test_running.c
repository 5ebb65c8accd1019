// SPDX-License-Identifier: GPL-2.0-or-later
/* The QEMU of a VM: pid file, command line, scope; the same process or another; zombies. */
#include "test_pve_box.h"

#include <unistd.h>

#include "running.h"

#define PIDFILE	"/var/run/qemu-server/100.pid"
#define SCOPE	"/sys/fs/cgroup/qemu.slice/100.scope/cgroup.procs"

static void make_stat(struct box *b, const char *folder, int pid, const char *comm, char state,
		      unsigned long long start)
{
	assert_int_equal(tfs_putf(b->h.rootfd, tfs_path("%s/stat", folder).s, 0444,
				  "%d (%s) %c 1 %d %d 0 -1 4194560 9 0 0 0 41 17 0 0 20 0 6 0 %llu 98 47 1 0\n",
				  pid, comm, state, pid, pid, start), 0);
}

/* `argv` is separated by '|'. */
static void make_process(struct box *b, int pid, const char *comm, char state, unsigned long long start,
			 const char *argv)
{
	char cmdline[4096];
	size_t n = strlen(argv);

	assert_true(n < sizeof(cmdline));
	for (size_t i = 0; i <= n; i++)
		cmdline[i] = argv[i] == '|' ? '\0' : argv[i];
	box_bytes(b, tfs_path("/proc/%d/cmdline", pid).s, cmdline, n ? n + 1 : 0);
	make_stat(b, tfs_path("/proc/%d", pid).s, pid, comm, state, start);
	make_stat(b, tfs_path("/proc/%d/task/%d", pid, pid).s, pid, comm, state, start);
}

static void make_pidfile(struct box *b, const char *text)
{
	box_text(b, "/run/qemu-server/100.pid", text);
}

static void assert_found(struct box *b, pid_t pid, uint64_t start, enum running_source source)
{
	struct running r = { 0 };

	box_worked(b, running_find(&b->h, 100, &r, &b->e), 1);
	assert_int_equal(r.pid, pid);
	assert_int_equal(r.starttime, start);
	assert_int_equal(r.source, source);
}

static void assert_not_found(struct box *b)
{
	struct running r = { -7, 7, RUNNING_SCOPE };

	box_worked(b, running_find(&b->h, 100, &r, &b->e), 0);
	assert_int_equal(r.pid, -7);
}

/* One process 42, in the pid file or only in /proc. */
static const struct {
	const char *name, *pidfile, *comm, *argv;
	char state;
	bool by_file, by_cmdline;
} processes[] = {
	{ "kvm", "42\n", "kvm", "/usr/bin/kvm|-id|100|-pidfile|" PIDFILE "|-daemonize", 'S', true, true },
	{ "no newline", "42", "kvm", "/usr/bin/kvm|-pidfile|" PIDFILE, 'S', true, true },
	{ "emulated", "42\n", "qemu-system-aar", "/usr/bin/qemu-system-aarch64|-pidfile|" PIDFILE, 'D', true, true },
	{ "bare name", "42\n", "kvm", "kvm|--pidfile|/run/qemu-server/100.pid", 'R', true, true },
	{ "other pid", "43\n", "kvm", "/usr/bin/kvm|-pidfile|" PIDFILE, 'S', false, true },
	{ "zombie", "42\n", "kvm", "/usr/bin/kvm|-pidfile|" PIDFILE, 'Z', false, false },
	{ "dead", "42\n", "kvm", "/usr/bin/kvm|-pidfile|" PIDFILE, 'X', false, false },
	{ "other vm", "42\n", "kvm", "/usr/bin/kvm|-pidfile|/var/run/qemu-server/1001.pid", 'S', false, false },
	{ "prefix", "42\n", "kvm", "/usr/bin/kvm|-pidfile|" PIDFILE ".tmp", 'S', false, false },
	{ "elsewhere", "42\n", "kvm", "/usr/bin/kvm|-pidfile|/tmp" PIDFILE, 'S', false, false },
	{ "other option", "42\n", "kvm", "/usr/bin/kvm|-name|" PIDFILE, 'S', false, false },
	{ "glued", "42\n", "kvm", "/usr/bin/kvm|-pidfile=" PIDFILE, 'S', false, false },
	{ "value missing", "42\n", "kvm", "/usr/bin/kvm|-pidfile", 'S', false, false },
	{ "only named so", "42\n", "kvm", "-pidfile|" PIDFILE, 'S', false, false },
	{ "editor", "42\n", "vi", "/usr/bin/vi|-pidfile|" PIDFILE, 'S', false, false },
	{ "storage daemon", "42\n", "qemu-storage-da",
	  "/usr/bin/qemu-storage-daemon|--pidfile|/var/run/qemu-server/qsd-100.pid", 'S', false, false },
	{ "folder named so", "42\n", "x", "/opt/qemu-x/run|-pidfile|" PIDFILE, 'S', false, false },
	{ "no arguments", "42\n", "kthreadd", "", 'S', false, false },
	{ "empty pid file", "", "kvm", "/usr/bin/kvm|-pidfile|" PIDFILE, 'S', false, true },
	{ "words", "42 43\n", "kvm", "/usr/bin/kvm|-pidfile|" PIDFILE, 'S', false, true },
	{ "negative", "-42\n", "kvm", "/usr/bin/kvm|-pidfile|" PIDFILE, 'S', false, true },
	{ "zero", "0\n", "kvm", "/usr/bin/kvm|-pidfile|" PIDFILE, 'S', false, true },
	{ "overflow", "4294967338\n", "kvm", "/usr/bin/kvm|-pidfile|" PIDFILE, 'S', false, true },
	{ "long", "000000000000000000000000000000000000042\n", "kvm", "/usr/bin/kvm|-pidfile|" PIDFILE, 'S',
	  false, true },
};

static void knows_a_vm_by_its_process(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
		struct running r = { 0 };
		int by_file, found;

		make_pidfile(b, processes[i].pidfile);
		make_process(b, 42, processes[i].comm, processes[i].state, 777, processes[i].argv);
		by_file = running_pidfile(&b->h, 100, &r, &b->e);
		found = running_find(&b->h, 100, &r, &b->e);
		if (by_file != processes[i].by_file || found != processes[i].by_cmdline)
			fail_msg("%s: %d by pid file, %d found; %s", processes[i].name, by_file, found, b->e.msg);
		if (found) {
			assert_int_equal(r.pid, 42);
			assert_int_equal(r.starttime, 777);
			assert_int_equal(r.source, by_file ? RUNNING_PIDFILE : RUNNING_CMDLINE);
		}
		assert_int_equal(running_is_vm(&b->h, 42, 100, &b->e), processes[i].by_cmdline);
	}
}

static void finds_nothing_where_nothing_is(void **state)
{
	struct box *b = *state;

	assert_not_found(b);
	assert_int_equal(tfs_remove(b->h.rootfd, "/proc"), 0);
	assert_not_found(b);
	/* On the machine itself that would be no answer. */
	b->h.real = true;
	box_failed(b, running_find(&b->h, 100, &(struct running){ 0 }, &b->e), -ENOENT, "VM 100");
}

static void prefers_the_daemon_to_its_launcher(void **state)
{
	struct box *b = *state;

	make_process(b, 900, "kvm", 'S', 5000, "/usr/bin/kvm|-pidfile|" PIDFILE);
	make_process(b, 30, "kvm", 'S', 5003, "/usr/bin/kvm|-pidfile|" PIDFILE);
	make_process(b, 901, "kvm", 'S', 5001, "/usr/bin/kvm|-pidfile|" PIDFILE);
	assert_found(b, 30, 5003, RUNNING_CMDLINE);
	make_process(b, 31, "kvm", 'S', 5003, "/usr/bin/kvm|-pidfile|" PIDFILE);
	assert_found(b, 31, 5003, RUNNING_CMDLINE);
	/* The pid file is Proxmox's word. */
	make_pidfile(b, "900\n");
	assert_found(b, 900, 5000, RUNNING_PIDFILE);
}

static void leaves_the_memory_of_strangers_alone(void **state)
{
	struct box *b = *state;

	/* A stuck process would hang who reads its command line; its program is no QEMU. */
	make_process(b, 42, "python3", 'D', 777, "/usr/bin/kvm|-pidfile|" PIDFILE);
	box_link(b, "/proc/42/exe", "/usr/bin/python3.11");
	assert_not_found(b);
	assert_int_equal(tfs_unlink(b->h.rootfd, "/proc/42/exe"), 0);
	box_link(b, "/proc/42/exe", "/usr/bin/qemu-system-x86_64 (deleted)");
	assert_found(b, 42, 777, RUNNING_CMDLINE);
}

static void sees_a_dying_qemu_by_its_scope(void **state)
{
	struct box *b = *state;

	box_text(b, SCOPE, "50\n51\n52\n");
	make_process(b, 50, "swtpm", 'S', 770, "/usr/bin/swtpm|socket");
	make_process(b, 51, "virtiofsd", 'S', 771, "");
	assert_not_found(b);
	make_process(b, 52, "kvm", 'R', 772, "");
	assert_found(b, 52, 772, RUNNING_SCOPE);
	make_process(b, 52, "kvm", 'Z', 772, "");
	assert_not_found(b);
	/* The main thread is a zombie, another one still holds the files. */
	make_stat(b, "/proc/52/task/53", 53, "CPU 0/KVM", 'D', 773);
	assert_found(b, 52, 772, RUNNING_SCOPE);
}

static void sees_the_scope_of_older_layouts(void **state)
{
	struct box *b = *state;

	make_process(b, 52, "qemu-system-x86", 'R', 772, "");
	box_text(b, "/sys/fs/cgroup/systemd/qemu.slice/100.scope/cgroup.procs", "52\n");
	assert_found(b, 52, 772, RUNNING_SCOPE);
}

static void follows_a_vm_to_its_end(void **state)
{
	struct box *b = *state;
	struct tree_vm vm = { .vmid = 100, .pid = 5000000, .start = 12345 };

	assert_int_equal(tree_vm_start(b->tree.dir, &vm, &b->e), 0);
	assert_found(b, 5000000, 12345, RUNNING_PIDFILE);
	assert_int_equal(tree_vm_fade(b->tree.dir, 100, &b->e), 0);
	assert_found(b, 5000000, 12345, RUNNING_SCOPE);
	assert_true(running_same(&b->h, 5000000, 12345));
	assert_int_equal(tree_vm_end(b->tree.dir, 100, &b->e), 0);
	assert_not_found(b);
	assert_false(running_same(&b->h, 5000000, 12345));
}

static void tells_a_process_from_its_successor(void **state)
{
	struct box *b = *state;

	make_process(b, 42, "kvm", 'S', 777, "");
	assert_true(running_same(&b->h, 42, 777));
	assert_false(running_same(&b->h, 42, 778));
	assert_false(running_same(&b->h, 43, 777));
	make_process(b, 42, "kvm", 'Z', 777, "");
	assert_false(running_same(&b->h, 42, 777));
	make_stat(b, "/proc/42/task/44", 44, "worker", 'Z', 779);
	assert_false(running_same(&b->h, 42, 777));
	make_stat(b, "/proc/42/task/45", 45, "worker", 'D', 779);
	assert_true(running_same(&b->h, 42, 777));
	assert_false(running_same(&b->h, 42, 778));
	assert_int_equal(tfs_remove(b->h.rootfd, "/proc/42/task"), 0);
	assert_false(running_same(&b->h, 42, 777));
	/* What cannot be read may well be there. */
	box_text(b, "/proc/42/stat", "nonsense");
	assert_true(running_same(&b->h, 42, 777));
}

static const struct {
	const char *stat;
	int r;
	uint64_t start;
} stats[] = {
	{ "7 (a) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23\n", 0, 22 },
	{ "7 (a) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22", 0, 22 },
	{ "7 (a b) c) S 1) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 18446744073709551615 1\n", 0,
	  UINT64_MAX },
	{ "7 ((\n)) Z 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 0 1\n", 0, 0 },
	{ "7 (a) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 18446744073709551616 1\n", -EBADMSG, 0 },
	{ "7 (a) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 -22 1\n", -EBADMSG, 0 },
	{ "7 (a) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21\n", -EBADMSG, 0 },
	{ "7 (a) S", -EBADMSG, 0 },
	{ "7 (a)", -EBADMSG, 0 },
	{ "7 )a( S 4", -EBADMSG, 0 },
	{ "7 S 3 4", -EBADMSG, 0 },
	{ "\n", -EBADMSG, 0 },
	{ "", -ESRCH, 0 },
};

static void reads_the_start_time_whatever_the_name(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(stats); i++) {
		uint64_t start = 4711;
		int r;

		box_text(b, "/proc/7/stat", stats[i].stat);
		r = running_starttime(&b->h, 7, &start, &b->e);
		if (r != stats[i].r)
			fail_msg("'%s': %d", stats[i].stat, r);
		if (r < 0)
			box_failed(b, r, stats[i].r, "process 7");
		assert_int_equal(start, r < 0 ? 4711 : stats[i].start);
	}
	box_failed(b, running_starttime(&b->h, 8, &(uint64_t){ 0 }, &b->e), -ESRCH, "no process 8");
}

static void survives_what_lies_in_the_way(void **state)
{
	struct box *b = *state;
	struct running r;

	box_folder(b, "/run/qemu-server/100.pid");
	assert_not_found(b);
	assert_int_equal(tfs_remove(b->h.rootfd, "/run/qemu-server/100.pid"), 0);
	box_fifo(b, "/run/qemu-server/100.pid");
	assert_not_found(b);
	assert_int_equal(tfs_unlink(b->h.rootfd, "/run/qemu-server/100.pid"), 0);
	box_link(b, "/run/qemu-server/100.pid", "100.pid");
	assert_int_equal(running_pidfile(&b->h, 100, &r, &b->e), -ELOOP);
	box_failed(b, -ELOOP, -ELOOP, "/run/qemu-server/100.pid");
	assert_int_equal(tfs_unlink(b->h.rootfd, "/run/qemu-server/100.pid"), 0);

	box_noise(b, "/run/qemu-server/100.pid", 1 << 20);
	box_noise(b, "/proc/1/cmdline", 1 << 20);
	box_noise(b, "/proc/1/stat", 1 << 20);
	box_noise(b, SCOPE, 1 << 20);
	box_folder(b, "/proc/2/cmdline");
	box_text(b, "/proc/99999999999999999999/cmdline", "x");
	box_text(b, "/proc/4x/cmdline", "x");
	assert_int_equal(tfs_remove(b->h.rootfd, "/proc/2"), 0);
	assert_not_found(b);
	/* A command line that cannot be read might be the one. */
	box_folder(b, "/proc/2/cmdline");
	box_failed(b, running_find(&b->h, 100, &r, &b->e), -EISDIR, "cannot tell whether VM 100 is running");
	/* Unless it is found elsewhere. */
	make_process(b, 3, "kvm", 'S', 9, "/usr/bin/kvm|-pidfile|" PIDFILE);
	assert_found(b, 3, 9, RUNNING_CMDLINE);
}

static void recognises_a_live_process_of_this_machine(void **state)
{
	struct host real;
	struct err e = ERR_INIT;
	uint64_t start = 0;

	(void)state;
	assert_int_equal(host_open(&real, "/", &e), 0);
	assert_int_equal(running_starttime(&real, getpid(), &start, &e), 0);
	assert_true(start > 0);
	assert_true(running_same(&real, getpid(), start));
	assert_false(running_same(&real, getpid(), start + 1));
	assert_int_equal(running_is_vm(&real, getpid(), 100, &e), 0);
	host_close(&real);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(knows_a_vm_by_its_process),
		BOX_TEST(finds_nothing_where_nothing_is),
		BOX_TEST(prefers_the_daemon_to_its_launcher),
		BOX_TEST(leaves_the_memory_of_strangers_alone),
		BOX_TEST(sees_a_dying_qemu_by_its_scope),
		BOX_TEST(sees_the_scope_of_older_layouts),
		BOX_TEST(follows_a_vm_to_its_end),
		BOX_TEST(tells_a_process_from_its_successor),
		BOX_TEST(reads_the_start_time_whatever_the_name),
		BOX_TEST(survives_what_lies_in_the_way),
		cmocka_unit_test(recognises_a_live_process_of_this_machine),
	};

	return cmocka_run_group_tests_name("running", tests, NULL, NULL);
}
