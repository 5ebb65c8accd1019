// SPDX-License-Identifier: GPL-2.0-or-later
/* kernel_units - what is no kernel: systemctl, pct and qm, and signals, as far as devices have users.
 *
 * A service runs while /run/systemd/units/invocation:UNIT is there, a container while its control group is;
 * who is stopped waits with its processes in /.fake/stopped and comes back just as it was.  A start of what
 * was stopped fails until its failures are forgotten, as after too many of them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "kernel_int.h"
#include "proc.h"
#include "str.h"

static struct tfs_path stopped(const char *who)
{
	return tfs_path("/.fake/stopped/%s", who);
}

static struct tfs_path invocation(const char *unit)
{
	return tfs_path("/run/systemd/units/invocation:%s", unit);
}

static int move(struct fake_kernel *k, const char *from, const char *to)
{
	return host_default_ops.rename(&k->host, from, to);
}

/* The processes of a control group below `part` go from `from` to `to`. */
static void move_processes(struct fake_kernel *k, const char *part, const char *from, const char *to)
{
	struct tfs_names names;
	char text[256];

	if (tfs_list(root_of(k), from, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		if (tfs_get(root_of(k), tfs_path("%s/%s/cgroup", from, names.v[i]).s, text, sizeof(text)) > 0 &&
		    str_starts(text, "0::/") && strstr(text, part))
			(void)move(k, tfs_path("%s/%s", from, names.v[i]).s, tfs_path("%s/%s", to, names.v[i]).s);
	tfs_names_release(&names);
}

/* --- services ------------------------------------------------------------------------------------ */

static void unit_stop(struct fake_kernel *k, const char *unit, struct host_run *ret);

/* Those that the machine has in /.fake/requiredby/UNIT, a name each. */
static void stop_with(struct fake_kernel *k, const char *unit, struct host_run *ret)
{
	struct tfs_names names;

	if (tfs_list(root_of(k), tfs_path("/.fake/requiredby/%s", unit).s, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		unit_stop(k, names.v[i], ret);
	tfs_names_release(&names);
}

static void unit_show(struct fake_kernel *k, const char *unit, struct host_run *ret)
{
	_cleanup_(str_release) struct str text = STR_INIT;
	struct tfs_names names;

	(void)str_addf(&text, "ConsistsOf=\nRequiredBy=");
	if (tfs_list(root_of(k), tfs_path("/.fake/requiredby/%s", unit).s, &names) == 0) {
		for (size_t i = 0; i < names.n; i++)
			(void)str_addf(&text, "%s%s", i ? " " : "", names.v[i]);
		tfs_names_release(&names);
	}
	run_answer(ret, 0, "%s\n", text.s);
}

static void unit_stop(struct fake_kernel *k, const char *unit, struct host_run *ret)
{
	struct tfs_path there = stopped(unit);

	stop_with(k, unit, ret);

	if (!tfs_is_link(root_of(k), invocation(unit).s)) {
		run_answer(ret, tfs_exists(root_of(k), there.s) ? 0 : 5, "%s", "");
		return;
	}
	(void)tfs_mkdirs(root_of(k), there.s);
	if (!tfs_exists(root_of(k), tfs_path("/.fake/leaves/%s", unit).s))	/* KillMode=process */
		move_processes(k, unit, "/proc", there.s);
	(void)tfs_unlink(root_of(k), invocation(unit).s);
	(void)tfs_putf(root_of(k), tfs_path("/.fake/limit/%s", unit).s, 0644, "hit\n");
	run_answer(ret, 0, "%s", "");
}

static void unit_start(struct fake_op *op, const char *unit, struct host_run *ret)
{
	struct fake_kernel *k = op->k;
	struct tfs_path there = stopped(unit), limit = tfs_path("/.fake/limit/%s", unit);

	if (tfs_is_link(root_of(k), invocation(unit).s)) {
		run_answer(ret, 0, "%s", "");
		return;
	}
	if (!tfs_exists(root_of(k), there.s)) {
		violation(k, "%s: it was never stopped", fake_log(k, op->n));
		run_answer(ret, 5, "Failed to start: Unit not found.\n");
		return;
	}
	if (tfs_exists(root_of(k), limit.s) || tfs_exists(root_of(k), tfs_path("/.fake/broken/%s", unit).s)) {
		run_answer(ret, 1, "Job failed.\nStart request repeated too quickly.\n");
		return;
	}
	move_processes(k, unit, there.s, "/proc");
	(void)tfs_remove(root_of(k), there.s);
	(void)tfs_link(root_of(k), invocation(unit).s, "5d1f0c8be7a94d3f8a7e0b6f2c9d4e11");
	run_answer(ret, 0, "%s", "");
}

static void run_systemctl(struct fake_op *op, const char *const argv[], struct host_run *ret)
{
	if (argv[1] && strcmp(argv[1], "show") == 0 && argv[2] && argv[3] && argv[4] && argv[5]) {
		unit_show(op->k, argv[5], ret);
	} else if (!argv[1] || !argv[2] || strcmp(argv[2], "--") != 0 || !argv[3] || argv[4]) {
		violation(op->k, "%s: systemctl VERB -- UNIT is expected", fake_log(op->k, op->n));
	} else if (strcmp(argv[1], "stop") == 0) {
		unit_stop(op->k, argv[3], ret);
	} else if (strcmp(argv[1], "start") == 0) {
		unit_start(op, argv[3], ret);
	} else if (strcmp(argv[1], "reset-failed") == 0) {
		(void)tfs_unlink(root_of(op->k), tfs_path("/.fake/limit/%s", argv[3]).s);
		run_answer(ret, 0, "%s", "");
	}
}

/* --- containers ---------------------------------------------------------------------------------- */

static void run_pct(struct fake_op *op, const char *const argv[], struct host_run *ret)
{
	struct fake_kernel *k = op->k;
	const char *id = argv[1] && argv[2] ? argv[2] : "";
	struct tfs_path cgroup = tfs_path("/sys/fs/cgroup/lxc/%s", id), part = tfs_path("/lxc/%s/", id);
	struct tfs_path there = stopped(tfs_path("lxc-%s", id).s), kept = tfs_path("%s/cgroup", there.s);
	bool runs = tfs_exists(root_of(k), cgroup.s), start = argv[1] && strcmp(argv[1], "start") == 0;

	if (runs == start) {
		run_answer(ret, 255, start ? "CT %s already running\n" : "CT %s not running\n", id);
		return;
	}
	if (start && !tfs_exists(root_of(k), there.s))
		violation(k, "%s: it was never stopped", fake_log(k, op->n));
	(void)tfs_mkdirs(root_of(k), there.s);
	move_processes(k, part.s, start ? there.s : "/proc", start ? "/proc" : there.s);
	(void)move(k, start ? kept.s : cgroup.s, start ? cgroup.s : kept.s);
	run_answer(ret, 0, "%s", "");
}

/* The freezer tells in cgroup.events what it has done. */
void unit_froze(struct fake_kernel *k, const char *path, const char *value)
{
	struct tfs_path events = tfs_path("%.*s/cgroup.events", (int)(strrchr(path, '/') - path), path);

	(void)tfs_putf(root_of(k), events.s, 0444, "populated 1\nfrozen %c\n", *value);
}

/* --- other VMs ----------------------------------------------------------------------------------- */

static bool is_locked(struct fake_kernel *k, const char *path)
{
	int fd = host_default_ops.open(&k->host, path, O_RDWR, 0);
	bool ret = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

/* Its own hook needs them: whoever waits for it with one in his hand waits for himself. */
static void check_locks(struct fake_op *op)
{
	struct tfs_names names;

	if (is_locked(op->k, "/run/pve-gpu/lock"))
		violation(op->k, "%s: with the node lock held", fake_log(op->k, op->n));
	if (tfs_list(root_of(op->k), "/run/pve-gpu/leases", &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		if (is_locked(op->k, tfs_path("/run/pve-gpu/leases/%s", names.v[i]).s))
			violation(op->k, "%s: with the lease of VM %s locked", fake_log(op->k, op->n), names.v[i]);
	tfs_names_release(&names);
}

static void run_qm(struct fake_op *op, const char *const argv[], struct host_run *ret)
{
	uint64_t vmid = 0;
	bool deaf;

	check_locks(op);
	if (!argv[1] || !argv[2] || str_to_u64(argv[2], 10, &vmid) < 0)
		return;
	deaf = strcmp(argv[1], "shutdown") == 0 && tfs_exists(root_of(op->k), tfs_path("/.fake/deaf/%s", argv[2]).s);
	if (!tfs_exists(root_of(op->k), tfs_path("/.fake/vm/%s", argv[2]).s))
		run_answer(ret, 0, "VM %s not running\n", argv[2]);
	else if (deaf)
		run_answer(ret, 255, "VM quit/powerdown failed - got timeout\n");
	else
		fake_vm_end(op->k, (unsigned)vmid);
}

/* What stands behind the "--" is run by systemd, which changes nothing here. */
static void run_by_systemd(struct fake_op *op, const char *const argv[], struct host_run *ret)
{
	size_t i = 1;

	while (argv[i] && strcmp(argv[i], "--") != 0)
		i++;
	if (argv[i] && argv[i + 1] && strstr(argv[i + 1], "/pct"))
		run_pct(op, argv + i + 1, ret);
}

bool unit_run(struct fake_op *op, const char *name, const char *const argv[], struct host_run *ret)
{
	static const struct {
		const char *name;
		void (*run)(struct fake_op *op, const char *const argv[], struct host_run *ret);
	} programs[] = { { "systemctl", run_systemctl }, { "pct", run_pct }, { "qm", run_qm }, { "systemd-run", run_by_systemd } };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (strcmp(programs[i].name, name) != 0)
			continue;
		run_answer(ret, 0, "%s", "");
		programs[i].run(op, argv, ret);
		return true;
	}
	return false;
}

/* --- processes ----------------------------------------------------------------------------------- */

int unit_signal(struct fake_op *op, pid_t pid, uint64_t start, int sig)
{
	struct fake_kernel *k = op->k;
	struct tfs_path dir = tfs_path("/proc/%d", (int)pid);
	bool stubborn = sig != SIGKILL && tfs_exists(root_of(k), tfs_path("/.fake/stubborn/%d", (int)pid).s);

	if (proc_start(&k->host, pid) != start)
		return -ESRCH;
	if (stubborn)
		return 0;
	/* Its parent does not wait for it. */
	if (tfs_exists(root_of(k), tfs_path("/.fake/orphan/%d", (int)pid).s)) {
		(void)tfs_remove(root_of(k), tfs_path("%s/fd", dir.s).s);
		return tfs_putf(root_of(k), tfs_path("%s/stat", dir.s).s, 0444, "%d (radeontop) Z 1 %d %d 0 -1 0 0 0 0 0 0 0 0 0 "
				"20 0 1 0 %llu 0 0\n", (int)pid, (int)pid, (int)pid, (unsigned long long)start);
	}
	return tfs_remove(root_of(k), dir.s);
}

/* --- what runs ----------------------------------------------------------------------------------- */

int unit_dump(struct fake_kernel *k, struct str *ret)
{
	struct tfs_names names;
	char text[128];
	int r = 0;

	if (tfs_list(root_of(k), "/run/systemd/units", &names) == 0) {
		for (size_t i = 0; i < names.n; i++)
			r = str_addf(ret, "%s\n", names.v[i]);
		tfs_names_release(&names);
	}
	if (tfs_list(root_of(k), "/sys/fs/cgroup/lxc", &names) == 0) {
		for (size_t i = 0; i < names.n; i++)
			if (tfs_get(root_of(k), tfs_path("/sys/fs/cgroup/lxc/%s/cgroup.events", names.v[i]).s, text,
				    sizeof(text)) > 0)
				r = str_addf(ret, "container %s %s\n", names.v[i], strchr(text, '\n') + 1);
		tfs_names_release(&names);
	}
	return r;
}
