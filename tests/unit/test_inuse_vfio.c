// SPDX-License-Identifier: GPL-2.0-or-later
/* Who holds VFIO groups, and how a process is described. */
#include "test_inuse_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "inuse.h"
#include "inuse_proc.h"

#define GPU	"/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0"

/* Group 14 with one GPU on vfio-pci, group 20 with a NIC. */
static void make_groups(const struct box *b)
{
	box_link(b, "/sys/bus/pci/devices/0000:01:00.0", "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0");
	box_put(b, GPU "/vfio-dev/vfio0/dev", "511:0\n");
	box_link(b, GPU "/iommu_group", "../../../../kernel/iommu_groups/14");
	box_link(b, "/sys/class/vfio-dev/vfio0",
		 "../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/vfio-dev/vfio0");
	box_dirs(b, "/sys/kernel/iommu_groups/14/");
	box_dirs(b, "/sys/kernel/iommu_groups/20/");
}

static struct inuse_vfio *look(struct box *b, const unsigned *groups, size_t n)
{
	struct inuse_vfio *v = NULL;
	struct err e = ERR_INIT;
	int r = inuse_vfio(&b->h, groups, n, &v, &e);

	assert_string_equal(e.msg, "");
	assert_int_equal(r, 0);
	return v;
}

static void names_the_vm_that_holds_a_group(void **state)
{
	struct box *b = *state;
	unsigned groups[] = { 20, 14 };
	struct inuse_vfio *v;

	make_groups(b);
	box_process(b, 4242, "kvm", "/qemu.slice/100.scope");
	box_fd(b, 4242, 3, "socket:[77]");
	box_fd(b, 4242, 30, "/dev/vfio/14");
	box_fd(b, 4242, 31, "anon_inode:[vfio-device]");
	box_process(b, 99, "bash", "/user.slice/user-0.slice/session-3.scope");
	box_fd(b, 99, 0, "/dev/pts/0");
	v = look(b, groups, 2);
	assert_int_equal(v->n, 1);
	assert_int_equal(v->v[0].group, 14);
	assert_true(v->v[0].exact);
	assert_int_equal(v->v[0].who.pid, 4242);
	assert_int_equal(v->v[0].who.start, 42420);
	assert_int_equal(v->v[0].who.place, INUSE_OF_VM);
	assert_string_equal(v->v[0].who.place_id, "100");
	assert_string_equal(inuse_who_format(&v->v[0].who).s, "kvm (pid 4242) of VM 100");
	inuse_vfio_free(v);
}

static void a_device_node_counts_for_its_group(void **state)
{
	struct box *b = *state;
	unsigned groups[] = { 14 };
	struct inuse_vfio *v;

	make_groups(b);
	box_process(b, 7, "qemu", "/system.slice/x.service");
	box_fd(b, 7, 12, "/dev/vfio/devices/vfio0");
	v = look(b, groups, 1);
	assert_int_equal(v->n, 1);
	assert_true(v->v[0].exact);
	inuse_vfio_free(v);
}

static void other_groups_and_the_container_node_are_nobodys_fault(void **state)
{
	struct box *b = *state;
	unsigned groups[] = { 14 };
	struct inuse_vfio *v;

	make_groups(b);
	box_process(b, 7, "kvm", "/qemu.slice/101.scope");
	box_fd(b, 7, 12, "/dev/vfio/vfio");
	box_fd(b, 7, 13, "/dev/vfio/20");
	box_fd(b, 7, 14, "anon_inode:[vfio-device]");
	box_fd(b, 7, 15, "anon_inode:[eventfd]");
	v = look(b, groups, 1);
	assert_int_equal(v->n, 0);
	inuse_vfio_free(v);
}

static void a_device_file_alone_is_an_uncertain_holder(void **state)
{
	struct box *b = *state;
	unsigned groups[] = { 14, 20 };
	struct inuse_vfio *v;

	make_groups(b);
	box_process(b, 7, "dpdk", "/");
	box_fd(b, 7, 14, "anon_inode:[vfio-device]");
	v = look(b, groups, 2);
	assert_int_equal(v->n, 2);
	assert_false(v->v[0].exact);
	assert_false(v->v[1].exact);
	inuse_vfio_free(v);
}

static void a_device_file_that_names_its_device_is_exact(void **state)
{
	struct box *b = *state;
	unsigned groups[] = { 14, 20 };
	struct inuse_vfio *v;

	make_groups(b);
	box_process(b, 7, "dpdk", "/");
	box_fd(b, 7, 14, "anon_inode:[vfio-device]");
	box_put(b, "/proc/7/fdinfo/14", "pos:\t0\nflags:\t02\nvfio-device-syspath: " GPU "\n");
	v = look(b, groups, 2);
	assert_int_equal(v->n, 1);
	assert_int_equal(v->v[0].group, 14);
	assert_true(v->v[0].exact);
	inuse_vfio_free(v);
}

static void a_dead_first_thread_does_not_hide_the_others(void **state)
{
	struct box *b = *state;
	unsigned groups[] = { 14 };
	struct inuse_vfio *v;

	make_groups(b);
	box_process(b, 50, "kvm", "/qemu.slice/100.scope");
	box_dirs(b, "/proc/50/task/50/fd/");
	box_link(b, "/proc/50/task/51/fd/9", "/dev/vfio/14");
	v = look(b, groups, 1);
	assert_int_equal(v->n, 1);
	assert_int_equal(v->v[0].who.pid, 50);
	inuse_vfio_free(v);
}

static void vanishing_processes_are_no_error(void **state)
{
	struct box *b = *state;
	unsigned groups[] = { 14 };
	struct inuse_vfio *v;

	make_groups(b);
	box_dirs(b, "/proc/60/");			/* no fd any more */
	box_put(b, "/proc/61", "not a folder");
	box_link(b, "/proc/62/fd/3", "/dev/vfio/14");	/* gone before it could be described */
	v = look(b, groups, 1);
	assert_int_equal(v->n, 1);
	assert_string_equal(inuse_who_format(&v->v[0].who).s, "? (pid 62)");
	inuse_vfio_free(v);
}

static void no_groups_no_walk(void **state)
{
	struct box *b = *state;
	struct inuse_vfio *v;

	assert_int_equal(rmdir(box_path(b, "/proc").s), 0);	/* looking there would fail */
	v = look(b, NULL, 0);
	assert_int_equal(v->n, 0);
	inuse_vfio_free(v);
}

static void a_missing_proc_is_an_error_and_not_a_no(void **state)
{
	struct box *b = *state;
	unsigned groups[] = { 14 };
	struct inuse_vfio *v = NULL;
	struct err e = ERR_INIT;

	make_groups(b);
	assert_int_equal(rmdir(box_path(b, "/proc").s), 0);
	assert_int_equal(inuse_vfio(&b->h, groups, 1, &v, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "/proc"));
	assert_null(v);
}

static void describes_processes(void **state)
{
	static const struct { const char *comm, *cgroup, *text; } cases[] = {
		{ "ollama", "/system.slice/ollama.service", "ollama.service (pid 812)" },
		{ "ollama", "/lxc/105/ns/system.slice/ollama.service",
		  "ollama.service (pid 812) in container 105" },
		{ "ffmpeg", "/lxc/105/ns/system.slice/jellyfin.service",
		  "jellyfin.service (ffmpeg, pid 812) in container 105" },
		{ "bash", "/lxc/105/ns", "bash (pid 812) in container 105" },
		{ "lxc-start", "/lxc.monitor/105", "lxc-start (pid 812) in container 105" },
		{ "sh", "/lxc/105/ns/qemu.slice/100.scope", "sh (pid 812) in container 105" },
		{ "kvm", "/qemu.slice/100.scope", "kvm (pid 812) of VM 100" },
		{ "nvidia-persiste", "/system.slice/nvidia-persistenced.service",
		  "nvidia-persistenced.service (pid 812)" },
		{ "Xorg", "/user.slice/user-1000.slice/session-4.scope", "Xorg (pid 812) of login session 4" },
		{ "pipewire", "/user.slice/user-1000.slice/user@1000.service/session.slice/pipewire.service",
		  "pipewire.service (pid 812) of user 1000" },
		{ "systemd", "/user.slice/user-1000.slice/user@1000.service/init.scope",
		  "systemd (pid 812) of user 1000" },
		{ "python", "/system.slice/docker-0123.scope", "python (pid 812) in docker-0123.scope" },
		{ "jellyfin", "/system.slice/docker-0123.scope/system.slice/jellyfin.service",
		  "jellyfin (pid 812) in docker-0123.scope" },
		{ "jellyfin", "/machine.slice/systemd-nspawn@web.service/payload/system.slice/jellyfin.service",
		  "systemd-nspawn@web.service (jellyfin, pid 812)" },
		{ "jellyfin", "/docker/0123/system.slice/jellyfin.service", "jellyfin (pid 812)" },
		{ "jellyfin", "/system.slice/docker-0123.scope/user.slice/user@0.service/jellyfin.service",
		  "jellyfin (pid 812) in docker-0123.scope" },
		{ "sh", "/user.slice/user-0.slice/session-4.scope/system.slice/jellyfin.service",
		  "sh (pid 812) of login session 4" },
		{ "init", "/init.scope", "init (pid 812) in init.scope" },
		{ "sh", "/", "sh (pid 812)" },
		{ "a\nb", "/", "a\\x0ab (pid 812)" },
		{ "\x1b[2J\"'", "/lxc/\x1b]0;x\x07/ns", "\\x1b[2J\"' (pid 812) in container \\x1b]0;x\\x07" },
		{ "x) R 1 (y", "/", "x) R 1 (y (pid 812)" },
	};
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct inuse_who who;

		box_process(b, 812, cases[i].comm, cases[i].cgroup);
		inuse_who(&b->h, 812, &who);
		assert_string_equal(inuse_who_format(&who).s, cases[i].text);
		assert_int_equal(who.start, 8120);
	}
}

static void long_names_are_cut_and_stay_safe(void **state)
{
	struct box *b = *state;
	char cgroup[900];
	struct inuse_who who;

	memset(cgroup, '\x1b', sizeof(cgroup));
	memcpy(cgroup, "/lxc/", 5);
	memcpy(cgroup + sizeof(cgroup) - 10, ".service", 9);
	box_process(b, 1, "0123456789abcde", cgroup);
	inuse_who(&b->h, 1, &who);
	assert_null(strpbrk(inuse_who_format(&who).s, "\x1b\n"));
	assert_int_equal(strlen(who.place_id), sizeof(who.place_id) - 1);
}

static void v1_control_groups_are_understood(void **state)
{
	struct box *b = *state;
	struct inuse_who who;

	box_process(b, 5, "x", "/");
	box_put(b, "/proc/5/cgroup", "12:pids:/foo\n1:name=systemd:/system.slice/x.service\n0::/\n");
	inuse_who(&b->h, 5, &who);
	assert_string_equal(who.unit, "x.service");
}

/* The running machine's own way: processes with a node open are found by its number, whatever it
 * is called, and enough of them that the threads share the work. */

enum { CROWD = 600 };

struct real {
	int pids[CROWD];
	unsigned found[CROWD], done[CROWD], last;
	bool ordered;
};

static int index_of(const struct real *r, int pid)
{
	for (int i = 0; i < CROWD; i++)
		if (r->pids[i] == pid)
			return i;
	return -1;
}

static int real_found(void *arg, int pid, size_t i)
{
	struct real *r = arg;
	int k = index_of(r, pid);

	assert_int_equal(i, 0);
	if (k >= 0)
		r->found[k]++;
	return 0;
}

static int real_done(void *arg, int pid)
{
	struct real *r = arg;
	int k = index_of(r, pid);

	if (k >= 0)
		r->done[k]++;
	r->ordered = r->ordered && (unsigned)pid > r->last;
	r->last = (unsigned)pid;
	return 0;
}

static void finds_real_descriptors_by_number(void **state)
{
	struct inuse_node node = { .numbered = true, .major = 1, .minor = 5, .name = "not-its-name" };
	struct real real = { .ordered = true };
	struct inuse_pass pass = { .nodes = &node, .n = 1, .maps = true, .found = real_found,
				   .done = real_done, .arg = &real };
	char *const argv[] = { (char *)"sleep", (char *)"60", NULL };
	int fd = open("/dev/zero", O_RDONLY), r;
	struct err e = ERR_INIT;
	struct host h;

	(void)state;
	assert_true(fd >= 0);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(posix_spawn(&real.pids[i], "/bin/sleep", NULL, NULL, argv, NULL), 0);
	close(fd);
	assert_int_equal(host_open(&h, NULL, &e), 0);
	pass.h = &h;
	r = inuse_proc_run(&pass, &e);
	host_close(&h);
	for (int i = 0; i < CROWD; i++)
		kill(real.pids[i], SIGKILL);
	for (int i = 0; i < CROWD; i++)
		waitpid(real.pids[i], NULL, 0);
	assert_int_equal(r, 0);
	for (int i = 0; i < CROWD; i++) {
		assert_int_equal(real.found[i], 1);
		assert_int_equal(real.done[i], 1);
	}
	assert_true(real.ordered);
}

#define T(name)	cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(names_the_vm_that_holds_a_group),
		T(a_device_node_counts_for_its_group),
		T(other_groups_and_the_container_node_are_nobodys_fault),
		T(a_device_file_alone_is_an_uncertain_holder),
		T(a_device_file_that_names_its_device_is_exact),
		T(a_dead_first_thread_does_not_hide_the_others),
		T(vanishing_processes_are_no_error),
		T(no_groups_no_walk),
		T(a_missing_proc_is_an_error_and_not_a_no),
		T(describes_processes),
		T(long_names_are_cut_and_stay_safe),
		T(v1_control_groups_are_understood),
		cmocka_unit_test(finds_real_descriptors_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
