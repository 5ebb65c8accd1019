// SPDX-License-Identifier: GPL-2.0-or-later
/* Running the hook on a fake kernel: see play.h. */
#include "play.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "str.h"

/* The rich ones first: loops over everything take the first `n_deep`. */
const struct scenario scenarios[] = {
	{ .tree = "gpu-four", .vmid = 100, .rival = 101 },		/* four functions, hot reset */
	{ .tree = "gpu-audio", .vmid = 100, .rival = 101, .fresh = true },	/* vfio-pci must be loaded first */
	{ .tree = "twins", .vmid = 103, .rival = 102 },		/* two cards side by side, a dynamic id that fits both */
	{ .tree = "override", .vmid = 100 },		/* overrides of the administrator */
	{ .tree = "arc", .vmid = 100 },
	{ .tree = "laptop-3d", .vmid = 100, .rival = 101 },
	{ .tree = "already-vfio", .vmid = 100 },
	{ .tree = "nic-vfs", .vmid = 100 },
	{ .tree = "domain-wide", .vmid = 100 },
};
const size_t n_scenarios = ARRAY_SIZE(scenarios);
const size_t n_deep = 4;

struct call {
	unsigned vmid;
	const char *phase;
};

/* limit() has no argument of ours; the test process sets it before it forks the hook. */
static unsigned limit_ms;

static uint64_t short_limit(enum step_kind kind, enum step_way way)
{
	return limit_ms ? limit_ms : step_limit(kind, way);
}

static int run_hook(struct host *h, void *arg)
{
	const struct call *c = arg;
	struct hook k = { .h = h, .limit = short_limit, .cancel = -1, .out = stdout,
			  .now_unix = (uint64_t)time(NULL) };
	char vmid[16], phase[16], name[] = "gpu-hook";
	char *argv[] = { name, vmid, phase, NULL };
	int status;

	snprintf(vmid, sizeof(vmid), "%u", c->vmid);
	snprintf(phase, sizeof(phase), "%s", c->phase);
	status = hook_main(&k, 3, argv);
	fflush(stdout);
	return status;
}

static void put_settings(struct play *p)
{
	char path[PATH_MAX + 64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/etc/pve-gpu", p->k.tree.dir);
	assert_true(host_mkdir(&p->k.host, "/etc/pve-gpu", 0755) <= 0);
	snprintf(path, sizeof(path), "%s/etc/pve-gpu/settings.ini", p->k.tree.dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(p->s->settings, f);
	fclose(f);
}

/* Names are not what is tested here, and the real table is large. */
static void no_names(struct play *p)
{
	static const char *const dirs[] = { "/usr", "/usr/share", "/usr/share/misc" };
	char path[PATH_MAX + 64];
	FILE *f;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		(void)host_mkdir(&p->k.host, dirs[i], 0755);
	snprintf(path, sizeof(path), "%s/usr/share/misc/pci.ids", p->k.tree.dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
}

void play_open(struct play *p, const struct scenario *s)
{
	struct err e = ERR_INIT;

	memset(p, 0, sizeof(*p));
	p->s = s;
	if (fake_kernel_open(&p->k, s->tree, &e) < 0)
		fail_msg("%s: %s", s->tree, e.msg);
	no_names(p);
	if (s->settings)
		put_settings(p);
	fake_kernel_rewind(&p->k);
	p->before = fake_kernel_dump(&p->k, TREE_LEASES);
	assert_non_null(p->before);
}

void play_close(struct play *p)
{
	free(p->before);
	fake_kernel_close(&p->k);
}

unsigned play_stride(void)
{
	const char *text = getenv("PLAY_STRIDE");
	uint64_t v;

	return text && str_to_u64(text, 10, &v) == 0 && v > 0 ? (unsigned)v : 1;
}

unsigned play_scale(unsigned fast)
{
	unsigned slow = play_stride() >= 100 ? 5 : play_stride() > 1 ? 2 : 1;

	return fast > slow ? fast / slow : 1;
}

void play_again(struct play *p)
{
	const struct scenario *s = p->s;

	if (s->fresh) {
		play_close(p);
		play_open(p, s);
	}
	fake_kernel_rewind(&p->k);
}

int play_hook_limited(struct play *p, unsigned vmid, const char *phase, unsigned ms)
{
	struct call c = { vmid, phase };

	limit_ms = ms;
	if (fake_main_run(&p->k, run_hook, &c, 60000, &p->o) < 0)
		fail_msg("cannot run the hook");
	limit_ms = 0;
	if (p->o.timed_out)
		fail_msg("%s: gpu-hook %u %s did not end: %s", p->s->tree, vmid, phase, p->o.output);
	return p->o.status;
}

int play_hook(struct play *p, unsigned vmid, const char *phase)
{
	return play_hook_limited(p, vmid, phase, 0);
}

unsigned play_writes(struct play *p, const char *phase)
{
	fake_kernel_rewind(&p->k);
	if (play_hook(p, p->s->vmid, phase) != 0)
		fail_msg("%s: %s: %s", p->s->tree, phase, p->o.output);
	return fake_log_count(&p->k);
}

void play_kill_at(struct play *p, unsigned n, unsigned turn)
{
	static const enum fake_fault_kind kinds[] = { FAKE_KILL_BEFORE, FAKE_KILL_AFTER, FAKE_KILL_MAIN };

	fake_kernel_rewind(&p->k);
	fake_fault_add(&p->k, (struct fake_fault){ .kind = kinds[(n + turn) % ARRAY_SIZE(kinds)], .at = n, .times = 1 });
}

void play_fail_at(struct play *p, unsigned n, int err)
{
	fake_kernel_rewind(&p->k);
	fake_fault_add(&p->k, (struct fake_fault){ .kind = FAKE_FAIL, .at = n, .err = err, .times = 1 });
}

/* A loaded module stays: unloading it could take it from somebody else. */
static void forget_module(char *dump)
{
	char *line = strstr(dump, "node vfio\n");

	if (line)
		memmove(line, line + 10, strlen(line + 10) + 1);
}

static size_t difference(struct play *p, struct str *diff)
{
	char *now = fake_kernel_dump(&p->k, TREE_LEASES);
	size_t n;

	assert_non_null(now);
	forget_module(now);
	forget_module(p->before);
	n = tree_diff(p->before, now, diff);
	free(now);
	return n;
}

bool play_is_same(struct play *p)
{
	struct str diff = STR_INIT;
	size_t n = difference(p, &diff);

	str_release(&diff);
	return n == 0;
}

void play_same(struct play *p, const char *fmt, ...)
{
	struct str diff = STR_INIT;
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (difference(p, &diff))
		fail_msg("%s: %s: the machine is not as it was:\n%s\nthe hook said:\n%s", p->s->tree, what, diff.s,
			 p->o.output);
	if (fake_violations(&p->k)[0])
		fail_msg("%s: %s: %s\nthe hook said:\n%s", p->s->tree, what, fake_violations(&p->k), p->o.output);
	str_release(&diff);
}

void play_taken(struct play *p, unsigned vmid, const char *fmt, ...)
{
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (lease_load(&p->k.host, vmid, &l, &e) < 0)
		fail_msg("%s: %s: no lease: %s\nthe hook said:\n%s", p->s->tree, what, e.msg, p->o.output);
	if (!l.claimed || l.returning)
		fail_msg("%s: %s: the lease is not complete", p->s->tree, what);
	for (size_t i = 0; i < l.plan.n_devices; i++) {
		struct tree_text driver = tree_attr(p->k.tree.dir, l.plan.devices[i].bdf, "driver");

		if (strcmp(driver.s, "vfio-pci") != 0)
			fail_msg("%s: %s: %s is on '%s'\nthe hook said:\n%s", p->s->tree, what,
				 BDF_S(l.plan.devices[i].bdf), driver.s, p->o.output);
	}
	if (fake_violations(&p->k)[0])
		fail_msg("%s: %s: %s", p->s->tree, what, fake_violations(&p->k));
	lease_release(&l);
}

/* --- VMs, tasks and locks ---------------------------------------------------------------------- */

void play_claim(struct play *p, unsigned vmid)
{
	if (play_hook(p, vmid, "pre-start") != 0)
		fail_msg("%s: pre-start of VM %u: %s", p->s->tree, vmid, p->o.output);
}

void play_vm_up(struct play *p, bool noted)
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

void play_put(struct play *p, const char *path, const char *text)
{
	int fd = host_open_file(&p->k.host, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* The hook's parent is this process: give it a life in the tree. */
void play_task_begins(struct play *p)
{
	struct host_path dir = host_path("/proc/%d", (int)getpid());

	(void)host_mkdir(&p->k.host, "/proc", 0755);
	assert_int_equal(host_mkdir(&p->k.host, dir.s, 0755), 0);
	play_put(p, host_path("%s/stat", dir.s).s, "1 (task qmstart) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0\n");
}

void play_task_ends(struct play *p)
{
	char dir[PATH_MAX + 64];

	assert_int_equal(host_unlink(&p->k.host, host_path("/proc/%d/stat", (int)getpid()).s), 0);
	snprintf(dir, sizeof(dir), "%s/proc/%d", p->k.tree.dir, (int)getpid());
	assert_int_equal(rmdir(dir), 0);
}

int play_pve_lock(struct play *p, unsigned vmid)
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

unsigned play_moves(struct play *p)
{
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	unsigned n = 0;

	if (lease_load(&p->k.host, p->s->vmid, &l, &e) < 0)
		fail_msg("%s: %s", p->s->tree, e.msg);
	for (size_t i = 0; i < l.plan.n_devices; i++) {
		struct fake_counts c = fake_counts(&p->k, l.plan.devices[i].bdf);

		n += c.bind + c.unbind;
	}
	lease_release(&l);
	return n;
}
