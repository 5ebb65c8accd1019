// SPDX-License-Identifier: GPL-2.0-or-later
/* kernel_test - the test's side of the fake kernel: its life, its rules, VMs, and what it counted. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "kernel_int.h"
#include "str.h"

/* --- life ------------------------------------------------------------------------------------- */

static int start(struct fake_kernel *k, struct err *e)
{
	int r = host_open(&k->host, k->tree.dir, e);

	if (r < 0)
		return r;
	k->host.ops = &fake_kernel_ops;
	k->host.priv = k;
	k->shared = mmap(NULL, sizeof(*k->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (k->shared == MAP_FAILED) {
		host_close(&k->host);
		return err_nomem(e);
	}
	k->shared->owner = getpid();
	k->shared->start = host_default_ops.now(&k->host);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (!tfs_exists(root_of(k), "/.fake"))
		tfs_mkdirs(root_of(k), "/.fake");
	return 0;
}

static int started(struct fake_kernel *k, int r, struct err *e)
{
	if (r < 0)
		return r;
	r = start(k, e);
	if (r < 0)
		tree_close(&k->tree);
	return r;
}

int fake_kernel_open(struct fake_kernel *k, const char *tree, struct err *e)
{
	memset(k, 0, sizeof(*k));
	return started(k, tree_open(&k->tree, tree, e), e);
}

int fake_kernel_open_text(struct fake_kernel *k, const char *text, struct err *e)
{
	memset(k, 0, sizeof(*k));
	return started(k, tree_open_text(&k->tree, text, e), e);
}

void fake_kernel_close(struct fake_kernel *k)
{
	if (!k->shared)
		return;
	k->shared->closing = true;
	fake_settle(k, 5000);
	munmap(k->shared, sizeof(*k->shared));
	k->shared = NULL;
	host_close(&k->host);
	tree_close(&k->tree);
}

/* --- rules ------------------------------------------------------------------------------------ */

void fake_rule_add(struct fake_kernel *k, struct fake_rule r)
{
	struct fake_shared *s = k->shared;

	if (s->n_rules == ARRAY_SIZE(s->rules)) {
		fprintf(stderr, "fake kernel: more than %zu rules\n", ARRAY_SIZE(s->rules));
		abort();
	}
	s->applied[s->n_rules] = 0;
	s->rules[s->n_rules++] = r;
}

void fake_rule_clear(struct fake_kernel *k)
{
	k->shared->n_rules = 0;
}

struct fake_settings *fake_settings(struct fake_kernel *k)
{
	return &k->shared->settings;
}

void fake_run_answer(struct fake_kernel *k, const char *program, int status, const char *output)
{
	struct fake_shared *s = k->shared;
	unsigned i = 0;

	while (i < s->n_answers && strcmp(s->answers[i].program, program) != 0)
		i++;
	if (i == ARRAY_SIZE(s->answers) || str_copy(s->answers[i].program, sizeof(s->answers[i].program), program) ||
	    str_copy(s->answers[i].output, sizeof(s->answers[i].output), output)) {
		fprintf(stderr, "fake kernel: too many answers, or too long ones\n");
		abort();
	}
	s->answers[i].status = status;
	if (i == s->n_answers)
		s->n_answers++;
}

void fake_device_die(struct fake_kernel *k, struct bdf a)
{
	struct tfs_path keep = bus_hidden("config", a), path = bus_attr(a, "config");
	uint8_t cfg[4096];
	ssize_t n = tfs_read(root_of(k), path.s, cfg, sizeof(cfg));

	if (n <= 0 || tfs_exists(root_of(k), keep.s))
		return;
	tfs_put(root_of(k), keep.s, 0644, cfg, (size_t)n);
	memset(cfg, 0xff, (size_t)n);
	tfs_put(root_of(k), path.s, 0644, cfg, (size_t)n);
}

void fake_device_revive(struct fake_kernel *k, struct bdf a)
{
	struct tfs_path keep = bus_hidden("config", a);
	uint8_t cfg[4096];
	ssize_t n = tfs_read(root_of(k), keep.s, cfg, sizeof(cfg));

	if (n <= 0)
		return;
	tfs_put(root_of(k), bus_attr(a, "config").s, 0644, cfg, (size_t)n);
	tfs_unlink(root_of(k), keep.s);
}

void fake_dynid_add(struct fake_kernel *k, const char *driver, unsigned vendor, unsigned device)
{
	struct fake_op op = { .k = k };

	(void)kernel_new_id(&op, driver, vendor, device);
}

/* --- what happened ---------------------------------------------------------------------------- */

const char *fake_violations(const struct fake_kernel *k)
{
	return k->shared->violations;
}

void fake_violations_clear(struct fake_kernel *k)
{
	k->shared->violations[0] = '\0';
}

struct fake_counts fake_counts(const struct fake_kernel *k, struct bdf a)
{
	for (unsigned i = 0; i < k->shared->n_counts; i++)
		if (bdf_same(k->shared->counts[i].a, a))
			return k->shared->counts[i].c;
	return (struct fake_counts){ 0, 0, 0, 0, 0 };
}

char *fake_kernel_dump(struct fake_kernel *k, unsigned flags)
{
	char *text = tree_dump(k->tree.dir, flags);
	struct bdf v[FAKE_DEVS];
	struct str s = STR_INIT;
	size_t n;

	if (!text)
		return text;
	str_add(&s, text);
	free(text);
	(void)unit_dump(k, &s);
	if (!(flags & FAKE_RESETS))
		return str_steal(&s);
	n = bus_all(root_of(k), v, ARRAY_SIZE(v));
	for (size_t i = 0; i < n; i++) {
		struct fake_counts c = fake_counts(k, v[i]);

		if (c.reset || c.bus_reset || c.open_reset)
			str_addf(&s, "%s resets=%u bus_resets=%u open_resets=%u\n", BDF_S(v[i]), c.reset, c.bus_reset,
				 c.open_reset);
	}
	return str_steal(&s);
}

/* --- virtual machines ------------------------------------------------------------------------- */

/* Below pid_max's upper limit of 2^22, above what a machine of our days gives out. */
#define FAKE_PID_FIRST 4190000

static int vm_may_open(struct fake_kernel *k, struct bdf a, struct err *e)
{
	int group = bus_group(root_of(k), a);

	if (group < 0 || strcmp(bus_driver(root_of(k), a).s, "vfio-pci") != 0)
		return err_set(e, ENODEV, "%s is not on vfio-pci", BDF_S(a));
	if (!group_is_viable(k, group))
		return err_set(e, EPERM, "group %d of %s is not viable", group, BDF_S(a));
	if (group_is_claimed(k, group) || device_is_open(k, a))
		return err_set(e, EBUSY, "group %d of %s is taken", group, BDF_S(a));
	return 0;
}

int fake_vm_start(struct fake_kernel *k, unsigned vmid, const struct bdf *devices, size_t n, pid_t *ret_pid,
		  struct err *e)
{
	struct tree_vm vm = { .vmid = vmid, .start = 48211, .reserve = true };
	int r = n > TREE_VM_DEVICES ? err_set(e, E2BIG, "more than %d devices", TREE_VM_DEVICES) : 0, lock;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = vm_may_open(k, devices[i], e);
		vm.devices[vm.n_devices++] = devices[i];
	}
	if (r < 0)
		return r;
	vm.pid = (pid_t)(FAKE_PID_FIRST + vmid % 4000);
	lock = klock(k);
	r = tree_vm_start(k->tree.dir, &vm, e);
	kunlock(lock);
	if (r == 0 && ret_pid)
		*ret_pid = vm.pid;
	return r;
}

static void vm_do(struct fake_kernel *k, unsigned vmid,
		  int (*what)(const char *dir, unsigned vmid, struct err *e))
{
	struct err e = ERR_INIT;
	int lock = klock(k);

	if (what(k->tree.dir, vmid, &e) < 0) {
		fprintf(stderr, "fake kernel: %s\n", e.msg);
		abort();
	}
	kunlock(lock);
}

void fake_vm_fade(struct fake_kernel *k, unsigned vmid)
{
	vm_do(k, vmid, tree_vm_fade);
}

void fake_vm_end(struct fake_kernel *k, unsigned vmid)
{
	vm_do(k, vmid, tree_vm_end);
}
