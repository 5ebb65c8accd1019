// SPDX-License-Identifier: GPL-2.0-or-later
/* The keeper of leases on a fake kernel: hooks killed at every write, starts that fail, VMs that run
 * and end, writes that hang, cards that do not come back. */
#include "play.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "watch.h"

#define GRACE_MS 400
#define SETTLE_MS 60
#define QUIET_MS 250		/* long enough for a watch that would act wrongly to do it */
#define PATIENCE_MS 20000

static unsigned kills, watch_kills;

/* --- the keeper as a process ------------------------------------------------------------------- */

struct keeper {
	pid_t pid;
	int pidfd, stop, out;
	char said[16384];
};

/* The tree's processes are folders: their end is their removal. */
static int fake_follow(struct host *h, struct lease_process p)
{
	int fd = -ESRCH, dir = -1;

	if (lease_process_alive(h, p))
		dir = host_open_file(h, host_path("/proc/%d", (int)p.pid).s, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		return -ESRCH;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0 || inotify_add_watch(fd, host_path("/proc/self/fd/%d", dir).s, IN_DELETE_SELF) < 0)
		fail_msg("inotify: %s", strerror(errno));
	close(dir);
	return lease_process_alive(h, p) ? fd : (close(fd), -ESRCH);
}

static unsigned limit_ms;

static uint64_t short_limit(enum step_kind kind, enum step_way way)
{
	return limit_ms ? limit_ms : step_limit(kind, way);
}

static int keep(struct host *h, int stop, FILE *out)
{
	struct err e = ERR_INIT;
	struct watch w;
	int r;

	watch_init(&w, h, &guest_world, out);
	w.grace_ms = GRACE_MS;
	w.settle_ms = SETTLE_MS;
	for (size_t i = 0; i < WATCH_RETRIES; i++)
		w.retry_ms[i] = 100;
	w.limit = short_limit;
	w.follow = fake_follow;
	w.stop = stop;
	r = watch_run(&w, &e);
	if (r < 0)
		fprintf(out, "%s\n", e.msg);
	watch_release(&w);
	fflush(out);
	return r < 0 ? 3 : r;
}

static int keep_main(struct host *h, void *arg)
{
	(void)arg;
	return keep(h, -1, stdout);
}

/* To its end; as "main", so that it can be killed. */
static void watch_to_end(struct play *p, const char *what, unsigned n)
{
	assert_int_equal(fake_main_run(&p->k, keep_main, NULL, PATIENCE_MS, &p->o), 0);
	if (p->o.timed_out || p->o.status != 0)
		fail_msg("%s: watch after %s at %u: status %d%s: %s", p->s->tree, what, n, p->o.status,
			 p->o.timed_out ? ", it did not end" : "", p->o.output);
}

static void keeper_start(struct play *p, struct keeper *k)
{
	int stop[2], out[2];

	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	fflush(NULL);
	k->pid = fork();
	if (k->pid == 0) {
		close(stop[1]);
		_exit(keep(&p->k.host, stop[0], fdopen(out[1], "w")));
	}
	assert_true(k->pid > 0);
	close(stop[0]);
	close(out[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	k->pidfd = (int)syscall(SYS_pidfd_open, k->pid, 0);
	k->stop = stop[1];
	k->out = out[0];
	k->said[0] = '\0';
}

/* What it has said up to now. */
static const char *keeper_said(struct keeper *k)
{
	size_t n = strlen(k->said);
	ssize_t got;

	while (n + 1 < sizeof(k->said) && (got = read(k->out, k->said + n, sizeof(k->said) - 1 - n)) > 0)
		k->said[n += (size_t)got] = '\0';
	return k->said;
}

static void keeper_says(struct keeper *k, const char *text)
{
	for (int i = 0; i < PATIENCE_MS / 10 && !strstr(keeper_said(k), text); i++)
		usleep(10000);
	if (!strstr(k->said, text))
		fail_msg("watch does not say '%s' but: %s", text, k->said);
}

static bool keeper_ended(struct keeper *k, int ms)
{
	struct pollfd p = { k->pidfd, POLLIN, 0 };

	return poll(&p, 1, ms) > 0;
}

static void keeper_stop(struct keeper *k)
{
	if (k->stop >= 0)
		close(k->stop);
	k->stop = -1;
}

/* It ends with this status: 0 = no lease left, 1 = told to stop. */
static void keeper_ends(struct keeper *k, int want)
{
	int status;

	if (!keeper_ended(k, PATIENCE_MS))
		fail_msg("watch does not end: %s", keeper_said(k));
	assert_int_equal(waitpid(k->pid, &status, 0), k->pid);
	keeper_said(k);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != want)
		fail_msg("watch ended with %#x: %s", (unsigned)status, k->said);
	keeper_stop(k);
	close(k->out);
	close(k->pidfd);
}

static void keeper_is_quiet(struct play *p, struct keeper *k, const char *what)
{
	if (keeper_ended(k, QUIET_MS))
		fail_msg("%s: watch ended: %s", what, keeper_said(k));
	if (keeper_said(k)[0])
		fail_msg("%s: watch acted: %s", what, k->said);
	play_taken(p, p->s->vmid, "%s", what);
}

/* --- VMs, tasks and locks ---------------------------------------------------------------------- */

static void claim(struct play *p, unsigned vmid)
{
	if (play_hook(p, vmid, "pre-start") != 0)
		fail_msg("%s: pre-start of VM %u: %s", p->s->tree, vmid, p->o.output);
}

static void vm_up(struct play *p, bool noted)
{
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	struct bdf fns[32];
	size_t n;

	assert_int_equal(lease_load(&p->k.host, p->s->vmid, &l, &e), 0);
	n = l.plan.n_devices;
	for (size_t i = 0; i < n; i++)
		fns[i] = l.plan.devices[i].bdf;
	lease_release(&l);
	if (fake_vm_start(&p->k, p->s->vmid, fns, n, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	if (noted)
		assert_int_equal(play_hook(p, p->s->vmid, "post-start"), 0);
}

static void put(struct play *p, const char *path, const char *text)
{
	int fd = host_open_file(&p->k.host, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* The hook's parent is this process: give it a life in the tree. */
static void task_begins(struct play *p)
{
	struct host_path dir = host_path("/proc/%d", (int)getpid());

	(void)host_mkdir(&p->k.host, "/proc", 0755);
	assert_int_equal(host_mkdir(&p->k.host, dir.s, 0755), 0);
	put(p, host_path("%s/stat", dir.s).s, "1 (task qmstart) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0\n");
}

static void task_ends(struct play *p)
{
	char dir[PATH_MAX + 64];

	assert_int_equal(host_unlink(&p->k.host, host_path("/proc/%d/stat", (int)getpid()).s), 0);
	snprintf(dir, sizeof(dir), "%s/proc/%d", p->k.tree.dir, (int)getpid());
	assert_int_equal(rmdir(dir), 0);
}

static int pve_lock(struct play *p, unsigned vmid)
{
	static const char *const dirs[] = { "/var", "/var/lock", "/var/lock/qemu-server" };
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		(void)host_mkdir(&p->k.host, dirs[i], 0755);
	fd = host_open_file(&p->k.host, host_path("/var/lock/qemu-server/lock-%u.conf", vmid).s, O_RDWR | O_CREAT, 0644);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

/* --- killed hooks ------------------------------------------------------------------------------ */

static const enum fake_fault_kind kinds[] = { FAKE_KILL_BEFORE, FAKE_KILL_AFTER, FAKE_KILL_MAIN };

static unsigned count_writes(struct play *p, const char *phase)
{
	fake_kernel_rewind(&p->k);
	if (play_hook(p, p->s->vmid, phase) != 0)
		fail_msg("%s: %s: %s", p->s->tree, phase, p->o.output);
	return fake_log_count(&p->k);
}

static void kill_hook(struct play *p, const char *phase, unsigned n)
{
	fake_kernel_rewind(&p->k);
	fake_fault_add(&p->k, (struct fake_fault){ .kind = kinds[n % ARRAY_SIZE(kinds)], .at = n, .times = 1 });
	kills++;
	(void)play_hook(p, p->s->vmid, phase);
	fake_fault_clear(&p->k);
	watch_to_end(p, phase, n);
	play_same(p, "watch after %s was killed at %u", phase, n);
}

static void test_killed_claim(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_deep; i++) {
		struct play p;
		unsigned writes;

		play_open(&p, &scenarios[i]);
		writes = count_writes(&p, "pre-start");
		assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
		for (unsigned n = 1; n <= writes; n += play_stride()) {
			play_again(&p);
			kill_hook(&p, "pre-start", n);
		}
		play_close(&p);
	}
}

static void test_killed_return(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_deep; i++) {
		struct play p;
		unsigned writes;

		play_open(&p, &scenarios[i]);
		claim(&p, p.s->vmid);
		writes = count_writes(&p, "post-stop");
		for (unsigned n = 1; n <= writes; n += play_stride()) {
			claim(&p, p.s->vmid);
			kill_hook(&p, "post-stop", n);
		}
		play_close(&p);
	}
}

/* It is killed itself, or its children are: systemd starts it again. */
static void test_killed_watch(void **state)
{
	struct play p;
	unsigned writes;

	(void)state;
	play_open(&p, &scenarios[0]);
	claim(&p, p.s->vmid);
	fake_kernel_rewind(&p.k);
	watch_to_end(&p, "nothing", 0);
	writes = fake_log_count(&p.k);
	for (unsigned n = 1; n <= writes; n += play_stride()) {
		claim(&p, p.s->vmid);
		fake_kernel_rewind(&p.k);
		fake_fault_add(&p.k, (struct fake_fault){ .kind = kinds[n % ARRAY_SIZE(kinds)], .at = n, .times = 1 });
		watch_kills++;
		assert_int_equal(fake_main_run(&p.k, keep_main, NULL, PATIENCE_MS, &p.o), 0);
		fake_fault_clear(&p.k);
		watch_to_end(&p, "a kill of watch", n);
		play_same(&p, "watch after it was killed at %u", n);
	}
	play_close(&p);
}

/* --- starts and stops -------------------------------------------------------------------------- */

static void test_failed_start(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_scenarios; i++) {
		struct play p;

		play_open(&p, &scenarios[i]);
		claim(&p, p.s->vmid);
		watch_to_end(&p, "a failed start", 0);
		assert_non_null(strstr(p.o.output, "the start failed"));
		assert_non_null(strstr(p.o.output, "gave back"));
		play_same(&p, "watch after a failed start");
		play_close(&p);
	}
}

static void test_start_under_way(void **state)
{
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	task_begins(&p);
	claim(&p, p.s->vmid);
	keeper_start(&p, &k);
	keeper_is_quiet(&p, &k, "while the task lives");
	task_ends(&p);
	keeper_says(&k, "the start failed");
	keeper_ends(&k, 0);
	play_same(&p, "after the task had ended");
	play_close(&p);
}

/* With and without a post-start: after a start timeout QEMU comes up and no hook is told. */
static void test_running_vm(void **state)
{
	(void)state;
	for (int noted = 0; noted < 2; noted++) {
		struct keeper k;
		struct play p;

		play_open(&p, &scenarios[0]);
		claim(&p, p.s->vmid);
		vm_up(&p, noted);
		keeper_start(&p, &k);
		keeper_is_quiet(&p, &k, "while the VM runs");
		fake_vm_fade(&p.k, p.s->vmid);	/* looks gone, holds on */
		keeper_is_quiet(&p, &k, "while QEMU is on its way out");
		fake_vm_end(&p.k, p.s->vmid);
		keeper_says(&k, "post-stop has not come");
		keeper_ends(&k, 0);
		play_same(&p, "after the VM had ended");
		play_close(&p);
	}
}

/* Migration: the config is on another node now, nobody runs post-stop here. */
static void test_vm_has_left(void **state)
{
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	claim(&p, p.s->vmid);
	vm_up(&p, true);
	keeper_start(&p, &k);
	assert_int_equal(host_unlink(&p.k.host, host_path("/etc/pve/qemu-server/%u.conf", p.s->vmid).s), 0);
	keeper_is_quiet(&p, &k, "while the old QEMU is there");
	fake_vm_end(&p.k, p.s->vmid);
	keeper_ends(&k, 0);
	play_same(&p, "after the VM had left");
	play_close(&p);
}

static void test_post_stop_wins(void **state)
{
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	claim(&p, p.s->vmid);
	vm_up(&p, true);
	keeper_start(&p, &k);
	fake_vm_end(&p.k, p.s->vmid);
	assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
	keeper_ends(&k, 0);
	assert_string_equal(k.said, "");
	play_same(&p, "after post-stop");
	play_close(&p);
}

static void test_proxmox_lock(void **state)
{
	struct keeper k;
	struct play p;
	int lock;

	(void)state;
	play_open(&p, &scenarios[0]);
	claim(&p, p.s->vmid);
	vm_up(&p, true);
	keeper_start(&p, &k);
	lock = pve_lock(&p, p.s->vmid);	/* after the fork: it would be the child's as well */
	fake_vm_end(&p.k, p.s->vmid);
	usleep((GRACE_MS + SETTLE_MS) * 1000);
	keeper_is_quiet(&p, &k, "while Proxmox has its lock");
	close(lock);
	keeper_ends(&k, 0);
	play_same(&p, "after the lock was free");
	play_close(&p);
}

/* The VM comes back within the grace: its new start takes the lease over. */
static void test_start_again(void **state)
{
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	claim(&p, p.s->vmid);
	vm_up(&p, true);
	keeper_start(&p, &k);
	fake_vm_end(&p.k, p.s->vmid);
	usleep(GRACE_MS / 4 * 1000);
	task_begins(&p);
	claim(&p, p.s->vmid);
	usleep(GRACE_MS * 1000);
	keeper_is_quiet(&p, &k, "while the second start is under way");
	vm_up(&p, true);
	task_ends(&p);
	keeper_is_quiet(&p, &k, "while the VM runs again");
	fake_vm_end(&p.k, p.s->vmid);
	assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
	keeper_ends(&k, 0);
	play_same(&p, "after the second stop");
	play_close(&p);
}

/* --- what does not go as it should ------------------------------------------------------------- */

static void hang_in(struct play *p, const char *phase, const char *op)
{
	struct fake_fault f = { .kind = FAKE_HANG_LOCKED, .times = 1 };
	struct keeper k;

	snprintf(f.match, sizeof(f.match), "%s", op);
	fake_kernel_rewind(&p->k);
	fake_fault_add(&p->k, f);
	if (play_hook_limited(p, p->s->vmid, phase, 300) == 0)
		fail_msg("'%s' was to hang in %s", op, phase);
	assert_true(fake_hanging(&p->k) > 0);
	keeper_start(p, &k);
	keeper_says(&k, "hangs in the kernel");
	assert_false(keeper_ended(&k, QUIET_MS));
	assert_null(strstr(keeper_said(&k), "gave back"));
	fake_fault_clear(&p->k);
	fake_hang_release(&p->k);
	keeper_says(&k, "has come back from the kernel");
	keeper_ends(&k, 0);
	play_same(p, "watch after '%s' of %s had hung", op, phase);
}

static void test_hung_hook(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	hang_in(&p, "pre-start", "drivers/nvidia/unbind");
	hang_in(&p, "pre-start", "drivers/vfio-pci/bind");
	claim(&p, p.s->vmid);
	hang_in(&p, "post-stop", "drivers/vfio-pci/unbind");
	claim(&p, p.s->vmid);
	hang_in(&p, "post-stop", "drivers/nvidia/bind");
	play_close(&p);
}

/* Its own write hangs; meanwhile the card of another VM comes back. */
static void test_hung_watch(void **state)
{
	static const struct scenario both = { .tree = "twins", .vmid = 100 };
	struct fake_fault f = { .kind = FAKE_HANG_LOCKED, .match = "drivers/vfio-pci/unbind 0000:42", .times = 1 };
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &both);
	task_begins(&p);	/* else the second start gives the first one's card back */
	claim(&p, 100);
	claim(&p, 101);
	task_ends(&p);
	fake_fault_add(&p.k, f);
	limit_ms = 600;
	keeper_start(&p, &k);
	limit_ms = 0;
	keeper_says(&k, "VM 101: the start failed: its task is gone and no QEMU came up: gave back");
	keeper_says(&k, "VM 100: the start failed: its task is gone and no QEMU came up; ");
	assert_false(keeper_ended(&k, QUIET_MS));
	fake_fault_clear(&p.k);
	fake_hang_release(&p.k);
	keeper_says(&k, "VM 100: the step that hung has come back from the kernel: gave back");
	keeper_ends(&k, 0);
	play_same(&p, "after watch's own write had hung");
	play_close(&p);
}

/* The driver refuses `times` times; watch tries four times in all. */
static void refuse(struct play *p, unsigned times)
{
	struct keeper k;

	claim(p, p->s->vmid);
	fake_kernel_rewind(&p->k);
	fake_fault_add(&p->k, (struct fake_fault){ .kind = FAKE_FAIL, .match = "drivers/nvidia/bind", .err = EIO,
						   .times = times });
	keeper_start(p, &k);
	if (times) {
		keeper_ends(&k, 0);
		play_same(p, "after %u refusals", times);
		return;
	}
	keeper_says(&k, "tried 4 times");
	assert_false(keeper_ended(&k, QUIET_MS));
	fake_fault_clear(&p->k);
	assert_int_equal(play_hook(p, p->s->vmid, "post-stop"), 0);	/* as 'release' does */
	keeper_ends(&k, 0);
	play_same(p, "after it was given back by hand");
}

static void test_refusing_driver(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	refuse(&p, 1);
	refuse(&p, 3);
	refuse(&p, 0);
	play_close(&p);
}

/* Told to stop in the middle: what was begun is finished first. */
static void test_stop(void **state)
{
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	claim(&p, p.s->vmid);
	fake_kernel_rewind(&p.k);
	fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_DELAY, .match = "drivers/vfio-pci/unbind", .ms = 300,
						  .times = 1 });
	keeper_start(&p, &k);
	while (fake_log_find(&p.k, "drivers/vfio-pci/unbind") == 0)
		usleep(2000);
	keeper_stop(&k);
	keeper_ends(&k, 1);
	fake_fault_clear(&p.k);
	play_same(&p, "after a stop in the middle");

	claim(&p, p.s->vmid);
	vm_up(&p, true);
	keeper_start(&p, &k);
	keeper_is_quiet(&p, &k, "before the stop");
	keeper_stop(&k);
	keeper_ends(&k, 1);
	play_taken(&p, p.s->vmid, "after a stop while the VM runs");
	play_close(&p);
}

static void test_broken_lease(void **state)
{
	static const char *const texts[] = {
		"", "rubbish\n", "pve-gpu-lease 1 vmid=100 boot=x task=1:1 #00000000\n", "\1\2\3",
	};
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	claim(&p, p.s->vmid);
	assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		put(&p, "/run/pve-gpu/leases/100", texts[i]);
		put(&p, "/run/pve-gpu/leases/notes.txt", "foreign");
		fake_kernel_rewind(&p.k);
		watch_to_end(&p, "a broken lease", (unsigned)i);
		assert_non_null(strstr(p.o.output, "damaged"));
		assert_non_null(strstr(p.o.output, "'notes.txt'"));
		assert_true(host_exists(&p.k.host, host_path("/run/pve-gpu/broken/100.%zu", i).s));
		assert_true(host_exists(&p.k.host, host_path("/run/pve-gpu/broken/notes.txt.%zu", i).s));
		assert_int_equal(fake_log_find(&p.k, "/sys/"), 0);
		play_same(&p, "broken lease %zu", i);
	}
	assert_int_equal(mkdir(host_path("%s/run/pve-gpu/leases/100", p.k.tree.dir).s, 0700), 0);
	watch_to_end(&p, "a folder in a lease's place", 0);
	play_same(&p, "a folder in a lease's place");
	play_close(&p);
}

static void test_nothing_to_do(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	watch_to_end(&p, "nothing", 0);
	assert_string_equal(p.o.output, "");
	play_same(&p, "without a lease");
	play_close(&p);
}

/* --- the real descriptor ----------------------------------------------------------------------- */

static void test_pidfd(void **state)
{
	struct err e = ERR_INIT;
	struct lease_process child = { 0, 0 }, other;
	struct host h;
	int fd;

	(void)state;
	assert_int_equal(host_open(&h, NULL, &e), 0);
	child.pid = fork();
	if (child.pid == 0) {
		pause();
		_exit(0);
	}
	child.start = lease_process_start(&h, child.pid);
	assert_true(child.start > 0);
	other = child;
	other.start++;
	assert_int_equal(watch_pidfd(&h, other), -ESRCH);	/* the number was given to somebody else */
	fd = watch_pidfd(&h, child);
	assert_true(fd >= 0);
	assert_int_equal(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0), 0);
	kill(child.pid, SIGKILL);
	assert_int_equal(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, PATIENCE_MS), 1);
	close(fd);
	fd = watch_pidfd(&h, child);			/* a zombie, not yet waited for */
	if (fd >= 0 && getenv("LD_PRELOAD"))		/* valgrind's stand-in is slow to see it */
		assert_int_equal(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, PATIENCE_MS), 1);
	else
		assert_int_equal(fd, -ESRCH);
	if (fd >= 0)
		close(fd);
	assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
	assert_int_equal(watch_pidfd(&h, child), -ESRCH);
	host_close(&h);
}

static int tell(void **state)
{
	(void)state;
	printf("cases: %u killed hooks and %u killed watches, each finished by watch\n", kills, watch_kills);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_to_do),
		cmocka_unit_test(test_failed_start),
		cmocka_unit_test(test_start_under_way),
		cmocka_unit_test(test_running_vm),
		cmocka_unit_test(test_vm_has_left),
		cmocka_unit_test(test_post_stop_wins),
		cmocka_unit_test(test_proxmox_lock),
		cmocka_unit_test(test_start_again),
		cmocka_unit_test(test_hung_hook),
		cmocka_unit_test(test_hung_watch),
		cmocka_unit_test(test_refusing_driver),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_broken_lease),
		cmocka_unit_test(test_pidfd),
		cmocka_unit_test(test_killed_claim),
		cmocka_unit_test(test_killed_return),
		cmocka_unit_test(test_killed_watch),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, tell);
}
