// SPDX-License-Identifier: GPL-2.0-or-later
/* treevm - a running QEMU as Proxmox leaves its traces in a tree: see tree.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "str.h"
#include "tree.h"

#define RESERVATIONS "/run/qemu-server/pci-id-reservations"

static struct tfs_path proc(pid_t pid, const char *file)
{
	return tfs_path("/proc/%d%s%s", (int)pid, *file ? "/" : "", file);
}

/* `enable` one up or down; the function is awake while it is open. */
static int enable_add(int root, struct bdf a, int delta)
{
	struct bus_name text;
	uint64_t n = 0;
	int r;

	if (tfs_get(root, bus_attr(a, "enable").s, text.s, sizeof(text.s)) < 0 ||
	    str_to_u64(text.s, 10, &n) < 0)
		return -ENODEV;
	if (delta < 0 && n == 0)
		return 0;
	r = tfs_putf(root, bus_attr(a, "enable").s, 0644, "%lld\n", (long long)n + delta);
	if (tfs_get(root, bus_attr(a, "power/control").s, text.s, sizeof(text.s)) < 0)
		text.s[0] = '\0';
	if (r == 0 && (delta > 0 || strcmp(text.s, "auto") == 0)) {
		r = tfs_putf(root, bus_attr(a, "power_state").s, 0444, "%s\n", delta > 0 ? "D0" : "D3hot");
		if (r == 0)
			r = tfs_putf(root, bus_attr(a, "power/runtime_status").s, 0444, "%s\n",
				     delta > 0 ? "active" : "suspended");
	}
	return r;
}

static int write_cmdline(int root, const struct tree_vm *vm)
{
	struct str s = STR_INIT;
	int r;

	str_addf(&s, "/usr/bin/kvm%c-id%c%u%c-name%cvm%u,debug-threads=on%c-no-shutdown%c", 0, 0, vm->vmid, 0, 0,
		 vm->vmid, 0, 0);
	str_addf(&s, "-chardev%csocket,id=qmp,path=/var/run/qemu-server/%u.qmp,server=on,wait=off%c", 0, vm->vmid,
		 0);
	str_addf(&s, "-pidfile%c/var/run/qemu-server/%u.pid%c-daemonize%c-machine%ctype=q35%c", 0, vm->vmid, 0, 0,
		 0, 0);
	for (size_t i = 0; i < vm->n_devices; i++)
		str_addf(&s, "-device%cvfio-pci,host=%s,id=hostpci%zu%c", 0, BDF_S(vm->devices[i]), i, 0);
	r = s.failed ? -ENOMEM : tfs_put(root, proc(vm->pid, "cmdline").s, 0444, s.s, s.len);
	str_release(&s);
	return r;
}

static int write_process(int root, const struct tree_vm *vm)
{
	int pid = (int)vm->pid, r = write_cmdline(root, vm);
	struct tfs_path stat = tfs_path("%d (kvm) S 1 %d %d 0 -1 138412416 9 0 0 0 41 17 0 0 20 0 6 0 %llu "
					"9871360 4711 18446744073709551615 0 0 0 0 0 0 0 4096 0 0 0 0 17 3 0 0 "
					"0 0 0 0 0 0 0 0 0 0 0", pid, pid, pid, vm->start);

	for (int task = 0; r == 0 && task < 2; task++) {
		struct tfs_path dir = task ? proc(vm->pid, tfs_path("task/%d", pid).s) : proc(vm->pid, "");

		r = tfs_putf(root, tfs_path("%s/comm", dir.s).s, 0644, "kvm\n");
		if (r == 0)
			r = tfs_putf(root, tfs_path("%s/stat", dir.s).s, 0444, "%s\n", stat.s);
		if (r == 0)
			r = tfs_putf(root, tfs_path("%s/status", dir.s).s, 0444,
				     "Name:\tkvm\nState:\tS (sleeping)\nTgid:\t%d\nPid:\t%d\nPPid:\t1\n", pid, pid);
		if (r == 0)
			r = tfs_putf(root, tfs_path("%s/cgroup", dir.s).s, 0444, "0::/qemu.slice/%u.scope\n",
				     vm->vmid);
	}
	return r < 0 ? r : tfs_link(root, proc(vm->pid, "exe").s, "/usr/bin/qemu-system-x86_64");
}

/* Descriptors: /dev/vfio/vfio, each group once, each device as the anonymous inode it is. */
static int write_descriptors(int root, const struct tree_vm *vm)
{
	int fd = 3, r = tfs_link(root, proc(vm->pid, "fd/0").s, "/dev/null");
	bool seen[4096] = { false };

	if (r == 0 && vm->n_devices)
		r = tfs_link(root, proc(vm->pid, tfs_path("fd/%d", fd++).s).s, "/dev/vfio/vfio");
	for (size_t i = 0; r == 0 && i < vm->n_devices; i++) {
		int group = bus_group(root, vm->devices[i]);

		if (group >= 0 && group < 4096 && !seen[group]) {
			seen[group] = true;
			r = tfs_link(root, proc(vm->pid, tfs_path("fd/%d", fd++).s).s,
				     tfs_path("/dev/vfio/%d", group).s);
		}
		if (r == 0)
			r = tfs_link(root, proc(vm->pid, tfs_path("fd/%d", fd++).s).s, "anon_inode:[vfio-device]");
	}
	return r;
}

/* The reservation file without this VM's lines, then with its devices; sorted as Proxmox does. */
static int reserve(int root, unsigned vmid, const struct tree_vm *vm)
{
	char old[8192], *cursor = old, *line, *v[512];
	struct tfs_path mark = tfs_path(" %u ", vmid);
	struct str s = STR_INIT;
	size_t n = 0;
	int r;

	if (tfs_get(root, RESERVATIONS, old, sizeof(old)) < 0 && !vm)
		return 0;
	while (n < ARRAY_SIZE(v) - TREE_VM_DEVICES && (line = str_token(&cursor, "\n")))
		if (!strstr(line, mark.s))
			v[n++] = strdup(line);
	for (size_t i = 0; vm && i < vm->n_devices; i++)
		if (asprintf(&v[n], "%s %u pid:%d", BDF_S(vm->devices[i]), vmid, (int)vm->pid) > 0)
			n++;
	qsort(v, n, sizeof(*v), str_compare);
	for (size_t i = 0; i < n; i++) {
		str_addf(&s, "%s\n", v[i]);
		free(v[i]);
	}
	r = s.failed ? -ENOMEM : tfs_put(root, RESERVATIONS, 0644, s.s, s.len);
	str_release(&s);
	return r;
}

static int remember(int root, const struct tree_vm *vm)
{
	struct tfs_path path = tfs_path("/.fake/vm/%u", vm->vmid);
	int r = tfs_putf(root, path.s, 0644, "%d\n", (int)vm->pid);

	for (size_t i = 0; r == 0 && i < vm->n_devices; i++)
		r = tfs_addf(root, path.s, "%s", BDF_S(vm->devices[i]));
	return r;
}

static int vm_start(int root, const struct tree_vm *vm)
{
	int r = remember(root, vm);

	if (r == 0)
		r = tfs_putf(root, tfs_path("/run/qemu-server/%u.pid", vm->vmid).s, 0644, "%d\n", (int)vm->pid);
	if (r == 0)
		r = write_process(root, vm);
	if (r == 0)
		r = write_descriptors(root, vm);
	if (r == 0)
		r = tfs_putf(root, tfs_path("/sys/fs/cgroup/qemu.slice/%u.scope/cgroup.procs", vm->vmid).s, 0644,
			     "%d\n", (int)vm->pid);
	if (r == 0 && vm->reserve)
		r = reserve(root, vm->vmid, vm);
	for (size_t i = 0; r == 0 && i < vm->n_devices; i++)
		r = enable_add(root, vm->devices[i], 1);
	return r;
}

/* What remember() wrote. */
static int recall(int root, unsigned vmid, struct tree_vm *vm)
{
	char text[2048], *cursor = text, *word;
	uint64_t pid;

	if (tfs_get(root, tfs_path("/.fake/vm/%u", vmid).s, text, sizeof(text)) < 0)
		return -ESRCH;
	word = str_token(&cursor, "\n");
	if (!word || str_to_u64(word, 10, &pid) < 0)
		return -EINVAL;
	*vm = (struct tree_vm){ .vmid = vmid, .pid = (pid_t)pid };
	while (vm->n_devices < TREE_VM_DEVICES && (word = str_token(&cursor, "\n")))
		if (bdf_parse(word, &vm->devices[vm->n_devices]) == 0)
			vm->n_devices++;
	return 0;
}

static int vm_fade(int root, unsigned vmid)
{
	struct tree_vm vm;
	int r = recall(root, vmid, &vm);

	if (r == 0)
		r = tfs_remove(root, tfs_path("/run/qemu-server/%u.pid", vmid).s);
	if (r == 0)
		r = reserve(root, vmid, NULL);
	if (r == 0)
		r = tfs_put(root, proc(vm.pid, "cmdline").s, 0444, "", 0);
	if (r == 0)
		r = tfs_remove(root, proc(vm.pid, "fd").s);
	return r < 0 ? r : tfs_mkdirs(root, proc(vm.pid, "fd").s);
}

static int vm_end(int root, unsigned vmid)
{
	struct tree_vm vm;
	int r = recall(root, vmid, &vm);

	if (r == 0)
		r = vm_fade(root, vmid);
	if (r == 0)
		r = tfs_remove(root, proc(vm.pid, "").s);
	if (r == 0)
		r = tfs_remove(root, tfs_path("/sys/fs/cgroup/qemu.slice/%u.scope", vmid).s);
	if (r == 0)
		r = tfs_remove(root, tfs_path("/.fake/vm/%u", vmid).s);
	for (size_t i = 0; r == 0 && i < vm.n_devices; i++)
		r = enable_add(root, vm.devices[i], -1);
	return r;
}

static int open_dir(const char *dir, struct err *e)
{
	int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? err_set(e, errno, "cannot open the folder '%s': %s", dir, err_text(errno)) : root;
}

static int done(int r, int root, const char *what, unsigned vmid, struct err *e)
{
	close(root);
	return r < 0 ? err_set(e, -r, "cannot %s VM %u: %s", what, vmid, err_text(r)) : 0;
}

int tree_vm_start(const char *dir, const struct tree_vm *vm, struct err *e)
{
	int root = open_dir(dir, e);

	return root < 0 ? root : done(vm_start(root, vm), root, "start", vm->vmid, e);
}

int tree_vm_fade(const char *dir, unsigned vmid, struct err *e)
{
	int root = open_dir(dir, e);

	return root < 0 ? root : done(vm_fade(root, vmid), root, "half end", vmid, e);
}

int tree_vm_end(const char *dir, unsigned vmid, struct err *e)
{
	int root = open_dir(dir, e);

	return root < 0 ? root : done(vm_end(root, vmid), root, "end", vmid, e);
}
