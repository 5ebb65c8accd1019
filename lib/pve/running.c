// SPDX-License-Identifier: GPL-2.0-or-later
/* The QEMU of a VM, found by pid file, command line or scope: see running.h. */
#include "running.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "crowd.h"
#include "macro.h"
#include "proc.h"
#include "str.h"

/* Proxmox puts -pidfile among the first options, far before this. */
#define CMDLINE_MAX 16384

struct stat_line {
	char comm[32];
	char state;
	uint64_t starttime;
};

/* The kernel answers ENOENT before, and ESRCH after the file was opened. */
static bool is_gone(int r)
{
	return r == -ENOENT || r == -ESRCH;
}

/* Field `n` of /proc/<pid>/stat, from 3; `p` is behind the ')' that closes the name. */
static const char *stat_field(const char *p, unsigned n)
{
	for (; n >= 3 && p; n--)
		p = strchr(p + 1, ' ');
	return p ? p + 1 : NULL;
}

static int stat_parse(char *line, struct stat_line *ret)
{
	/* The name is whatever the process chose: it may hold spaces, ')' and newlines. */
	char *open = strchr(line, '('), *close = strrchr(line, ')');
	const char *state, *start;
	char digits[24];
	size_t n;

	if (!open || !close || close < open || close[1] != ' ')
		return -EBADMSG;
	state = close + 2;
	start = stat_field(close, 22);
	n = start ? strspn(start, "0123456789") : 0;
	if (n == 0 || n >= sizeof(digits))
		return -EBADMSG;
	memcpy(digits, start, n);
	digits[n] = '\0';
	if (str_to_u64(digits, 10, &ret->starttime) < 0)
		return -EBADMSG;
	*close = '\0';
	snprintf(ret->comm, sizeof(ret->comm), "%s", open + 1);
	ret->state = *state;
	return 0;
}

static int stat_read(struct host *h, const char *path, struct stat_line *ret)
{
	char line[1024];
	ssize_t n = host_read(h, path, line, sizeof(line) - 1);

	if (n < 0)
		return is_gone((int)n) ? -ESRCH : (int)n;
	if (n == 0)
		return -ESRCH;
	line[n] = '\0';
	return stat_parse(line, ret);
}

static bool is_zombie(char state)
{
	return state == 'Z' || state == 'X' || state == 'x';
}

bool running_same(struct host *h, pid_t pid, uint64_t starttime)
{
	return proc_is_alive(h, pid, starttime);
}

int running_starttime(struct host *h, pid_t pid, uint64_t *ret, struct err *e)
{
	struct stat_line s;
	int r = stat_read(h, host_path("/proc/%d/stat", (int)pid).s, &s);

	if (r == -ESRCH)
		return err_set(e, ESRCH, "there is no process %d", (int)pid);
	if (r < 0)
		return err_set(e, -r, "cannot read the start time of process %d: %s", (int)pid, err_text(r));
	*ret = s.starttime;
	return 0;
}

/* argv[0] as QemuServer/Helpers.pm: parse_cmdline wants it. */
static bool is_qemu_name(const char *argv0)
{
	const char *slash = strrchr(argv0, '/'), *base = slash ? slash + 1 : argv0;
	size_t n = strlen(argv0);

	if (n >= 3 && strcmp(argv0 + n - 3, "kvm") == 0)
		return true;
	return str_starts(base, "qemu-") && base[5];
}

/* Proxmox mixes the two spellings; they are one folder. */
static bool is_pidfile_of(const char *path, unsigned vmid)
{
	struct host_path want = host_path("/run/qemu-server/%u.pid", vmid);

	if (str_starts(path, "/var/run/"))
		path += strlen("/var");
	return strcmp(path, want.s) == 0;
}

static bool cmdline_is_vm(const char *text, size_t len, unsigned vmid)
{
	const char *end = text + len, *arg = text;
	bool is_value = false;

	if (len == 0 || !is_qemu_name(text))
		return false;
	for (; arg < end; arg += strlen(arg) + 1) {
		if (is_value && is_pidfile_of(arg, vmid))
			return true;
		is_value = strcmp(arg, "-pidfile") == 0 || strcmp(arg, "--pidfile") == 0;
	}
	return false;
}

int running_is_vm(struct host *h, pid_t pid, unsigned vmid, struct err *e)
{
	char text[CMDLINE_MAX];
	struct stat_line s;
	ssize_t n = host_read(h, host_path("/proc/%d/cmdline", (int)pid).s, text, sizeof(text) - 1);
	int r;

	if (n < 0 && !is_gone((int)n))
		return err_set(e, (int)-n, "cannot read the command line of process %d: %s", (int)pid,
			       err_text((int)n));
	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (!cmdline_is_vm(text, (size_t)n, vmid))
		return 0;
	r = stat_read(h, host_path("/proc/%d/stat", (int)pid).s, &s);
	if (r < 0 && r != -ESRCH)
		return err_set(e, -r, "cannot read the state of process %d: %s", (int)pid, err_text(r));
	return r == 0 && !is_zombie(s.state);
}

static int to_pid(const char *text, pid_t *ret)
{
	uint64_t v;

	if (str_to_u64(text, 10, &v) < 0 || v == 0 || v > INT_MAX)
		return -EINVAL;
	*ret = (pid_t)v;
	return 0;
}

/* 1 with *ret filled, 0 when the process went away between two looks. */
static int found(struct host *h, pid_t pid, enum running_source source, struct running *ret)
{
	struct stat_line s;

	if (stat_read(h, host_path("/proc/%d/stat", (int)pid).s, &s) < 0)
		return 0;
	*ret = (struct running){ pid, s.starttime, source };
	return 1;
}

int running_pidfile(struct host *h, unsigned vmid, struct running *ret, struct err *e)
{
	struct host_path path = host_path("/run/qemu-server/%u.pid", vmid);
	char line[32];
	pid_t pid;
	int r = host_read_line(h, path.s, line, sizeof(line));

	/* What is no pid file tells Proxmox as much as none. */
	if (r == -ENOENT || r == -ENOTDIR || r == -EISDIR || r == -ENAMETOOLONG)
		return 0;
	if (r < 0)
		return err_set(e, -r, "cannot read '%s': %s", path.s, err_text(r));
	if (to_pid(line, &pid) < 0)
		return 0;
	r = running_is_vm(h, pid, vmid, e);
	return r > 0 ? found(h, pid, RUNNING_PIDFILE, ret) : r;
}

/*
 * Reading a command line waits for the memory lock of its process, and a process that is stuck in
 * the kernel may hold that for ever.  The link to its program needs no such lock: strangers are
 * recognised by it.  Where there is no link (captured trees, kernel threads) nothing is excluded.
 */
static bool may_be_qemu(struct host *h, pid_t pid)
{
	char exe[512];
	const char *slash;

	if (host_readlink(h, host_path("/proc/%d/exe", (int)pid).s, exe, sizeof(exe)) < 0)
		return true;
	slash = strrchr(exe, '/');
	return strstr(slash ? slash : exe, "qemu") || strstr(slash ? slash : exe, "kvm");
}

/* The youngest of them: a VM that was started anew while its last QEMU is on its way out. */
static int scan_crowd(struct host *h, const struct crowd *c, unsigned vmid, struct running *best, struct err *e)
{
	int failed = 0, any = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct running one;
		int r = may_be_qemu(h, c->pids[i]) ? running_is_vm(h, c->pids[i], vmid, e) : 0;

		if (r < 0)
			failed = r;
		if (r <= 0 || !found(h, c->pids[i], RUNNING_CMDLINE, &one))
			continue;
		if (!any || one.starttime >= best->starttime)
			*best = one;
		any = 1;
	}
	return any ? any : failed;
}

static int find_by_cmdline(struct host *h, unsigned vmid, struct running *ret, struct err *e)
{
	struct crowd c;
	int r = crowd_list(h, &c);

	if (r == 0)
		r = scan_crowd(h, &c, vmid, ret, e);
	else if (r == -ENOENT && !h->real)
		r = 0;
	else
		err_set(e, -r, "cannot list /proc: %s", err_text(r));
	crowd_release(&c);
	return r;
}

/* Where systemd keeps the scope: cgroup v2, and the mixed layout that PVE 8 can still boot with. */
static const char *const cgroup_roots[] = {
	"/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified",
};

static int scope_member(struct host *h, char *pids, struct running *ret)
{
	char *cursor = pids, *word;
	struct stat_line s;
	pid_t pid;

	while ((word = str_token(&cursor, " \n"))) {
		if (to_pid(word, &pid) < 0 || stat_read(h, host_path("/proc/%d/stat", (int)pid).s, &s) < 0)
			continue;
		if (!str_starts(s.comm, "kvm") && !str_starts(s.comm, "qemu"))
			continue;
		if (!running_same(h, pid, s.starttime))
			continue;
		*ret = (struct running){ pid, s.starttime, RUNNING_SCOPE };
		return 1;
	}
	return 0;
}

static int find_by_scope(struct host *h, unsigned vmid, struct running *ret)
{
	char pids[4096];

	for (size_t i = 0; i < ARRAY_SIZE(cgroup_roots); i++) {
		struct host_path path = host_path("%s/qemu.slice/%u.scope/cgroup.procs", cgroup_roots[i], vmid);
		ssize_t n = host_read(h, path.s, pids, sizeof(pids) - 1);

		if (n <= 0)
			continue;
		pids[n] = '\0';
		if (scope_member(h, pids, ret))
			return 1;
	}
	return 0;
}

int running_find(struct host *h, unsigned vmid, struct running *ret, struct err *e)
{
	struct err own = ERR_INIT, scan = ERR_INIT;
	int by_file, by_cmdline;

	by_file = running_pidfile(h, vmid, ret, &own);
	if (by_file > 0)
		return 1;
	by_cmdline = find_by_cmdline(h, vmid, ret, &scan);
	if (by_cmdline > 0 || find_by_scope(h, vmid, ret))
		return 1;
	if (by_file < 0 || by_cmdline < 0) {
		*e = by_file < 0 ? own : scan;
		return err_wrap(e, "cannot tell whether VM %u is running", vmid);
	}
	return 0;
}
