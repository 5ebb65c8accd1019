/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_int - inside of kernel.h: what its files share.
 *
 *   kernel.c        the table of operations: which path or descriptor means what
 *   kernel_fault.c  numbers, log, faults, hanging, violations
 *   kernel_bind.c   drivers: match, probe, remove, modules
 *   kernel_reset.c  resets and power, and what of them sysfs shows
 *   kernel_plug.c   off the bus and found again; virtual functions
 *   kernel_units.c  systemctl, pct and qm, and signals: who uses devices
 *   kernel_vfio.c   /dev/vfio: groups, containers, devices
 *   kernel_cdev.c   /dev/vfio/devices: the same without groups
 *   kernel_test.c   what a test says to it, VMs, the program under test
 *
 * Locks.  klock is short and guards a change of the tree or of the shared memory.  The device lock
 * is the driver core's: held over a probe, a remove, a reset, and for ever by FAKE_HANG_LOCKED.  Both
 * are flock(2)s, so that the death of their holder lets go of them.
 */
#ifndef KERNEL_INT_H
#define KERNEL_INT_H

#include "bus.h"
#include "kernel.h"
#include "treefs.h"

#define FAKE_LOG_MAX	4096
#define FAKE_LOG_TEXT	224
#define FAKE_DEVS	512	/* functions of a machine */
#define FAKE_GROUPS	4096

struct fake_stuck {
	pid_t pid;		/* 0 = free */
	unsigned n;
	bool locked;		/* holds the device's lock */
	bool waiting;		/* does not hang itself, but waits for one that does */
	bool has_dev;
	struct bdf a;
};

struct fake_group {
	bool container_set, iommu_set;
	pid_t pid;		/* whose container... */
	int container;		/* ...and which descriptor it was there */
};

/* A device's node bound to an iommufd. */
struct fake_bound {
	struct bdf a;
	pid_t pid;
	int iommufd;
};

struct fake_shared {
	pid_t owner, main;
	unsigned last;				/* number of the last operation */
	unsigned releases;			/* fake_hang_release() so far */
	bool closing;
	uint64_t start;
	struct fake_settings settings;
	struct fake_fault faults[32];
	unsigned n_faults, struck[32];
	struct fake_rule rules[64];
	unsigned n_rules, applied[64];
	struct fake_stuck stuck[64];
	struct fake_group groups[FAKE_GROUPS];
	struct fake_bound bound[FAKE_DEVS];
	unsigned n_bound;
	struct { struct bdf a; struct fake_counts c; } counts[FAKE_DEVS];
	unsigned n_counts;
	struct { char program[64], output[256]; int status; } answers[8];
	unsigned n_answers;
	char violations[16384];
	char log[FAKE_LOG_MAX + 1][FAKE_LOG_TEXT];
};

static inline struct fake_kernel *kernel_of(struct host *h)
{
	return h->priv;
}

static inline int root_of(const struct fake_kernel *k)
{
	return k->host.rootfd;
}

/* --- kernel_fault.c --- */

struct fake_op {
	struct fake_kernel *k;
	unsigned n;
	bool has_dev;
	struct bdf a;
	bool hang_locked;	/* op_hang() where the operation's middle is */
	bool kill_after;
};

int klock(const struct fake_kernel *k);
void kunlock(int lock);
int device_lock(struct fake_op *op, struct bdf a);

/* The next number.  Negative: the errno of a FAKE_FAIL.  `a` may be NULL. */
int op_begin(struct fake_op *op, struct fake_kernel *k, const struct bdf *a, const char *fmt, ...)
	_printf_(4, 5) _must_check_;
void op_hang(struct fake_op *op);	/* FAKE_HANG_LOCKED, when that was asked for */
int op_end(struct fake_op *op, int result);

/* Waits while `busy` says so, as an operation that cannot be interrupted; `locked`: it hangs with the
 * device's lock in its hand, else it only waits for somebody who does. */
void op_wait(struct fake_op *op, struct bdf a, bool locked,
	     bool (*busy)(const struct fake_kernel *k, struct bdf a));
/* A read that needs the lock of a device somebody hangs on. */
void read_wait(struct fake_kernel *k, struct bdf a);

void violation(struct fake_kernel *k, const char *fmt, ...) _printf_(2, 3);
/* A rule for this driver ("" = of the device alone) and device; it counts as applied. */
bool rule_applies(struct fake_kernel *k, enum fake_rule_kind kind, const char *driver, struct bdf a,
		  int *ret_value);
struct fake_counts *counts_of(struct fake_kernel *k, struct bdf a);
void nap(unsigned ms);		/* real time */

/* --- kernel_bind.c --- */

int kernel_bind(struct fake_op *op, const char *driver, const char *value);
int kernel_unbind(struct fake_op *op, const char *driver, const char *value);
int kernel_drivers_probe(struct fake_op *op, const char *value);
int kernel_new_id(struct fake_op *op, const char *driver, unsigned vendor, unsigned device);
int kernel_remove_id(struct fake_op *op, const char *driver, unsigned vendor, unsigned device);
/* modprobe's exit status. */
int kernel_load(struct fake_op *op, const char *module);

/* --- kernel_reset.c --- */

int kernel_reset(struct fake_op *op, struct bdf a);		/* the sysfs attribute */
int kernel_reset_below(struct fake_op *op, struct bdf bridge);	/* reset_subordinate */
bool function_reset_works(struct fake_kernel *k, struct bdf a);
int kernel_reset_method(struct fake_op *op, struct bdf a, const char *value);
int kernel_power(struct fake_op *op, struct bdf a, const char *value);
/* Functions that a bus reset of `a` would reset; 0 = there is no such reset. */
size_t reset_set(struct fake_kernel *k, struct bdf a, struct bdf *v, size_t max);
int reset_hits(struct fake_op *op, struct bdf a, const char *method);
/* It sleeps in D3hot: on vfio-pci, allowed to, and nobody has it open. */
bool is_asleep(const struct fake_kernel *k, struct bdf a);
ssize_t power_read(struct fake_kernel *k, struct bdf a, const char *attr, void *buf, ssize_t n, size_t size);

/* --- kernel_plug.c --- */
/* A write to /sys/power/state. */
int kernel_suspend(struct fake_op *op, const char *value);

int kernel_remove(struct fake_op *op, struct bdf a);
int kernel_rescan(struct fake_op *op, struct bdf bridge);
int kernel_numvfs(struct fake_op *op, struct bdf pf, const char *value);	/* sriov_numvfs */

int kernel_resize(struct fake_op *op, struct bdf a, const char *value);	/* resource0_resize */

/* --- kernel_vfio.c --- */

int vfio_open(struct fake_kernel *k, const char *path, int flags, mode_t mode);
/* A descriptor of a device, not open yet; and its opening (vfio_pci_core_enable). */
int device_node(struct fake_kernel *k, struct bdf a);
int device_enable(struct fake_kernel *k, struct bdf a, int fd);
/* kernel_cdev.c: the nodes of devices */
#define FAKE_BIND_IOMMUFD _IO(';', 118)	/* struct vfio_device_bind_iommufd, of Linux 6.6 */
int cdev_open(struct fake_kernel *k, const char *path, int flags);
int cdev_bind(struct fake_kernel *k, struct bdf a, int fd, void *arg);
/* -EINVAL: not all of them are bound to the iommufd that `a` is bound to. */
int cdev_owns(struct fake_kernel *k, struct bdf a, const struct bdf *v, size_t n);
bool cdev_is_bound(struct fake_kernel *k, struct bdf a);
int vfio_ioctl(struct fake_kernel *k, int fd, const char *path, unsigned long request, void *arg);
bool device_fd_is_open(const struct fake_kernel *k, struct bdf a);	/* by a real process */
bool device_is_open(const struct fake_kernel *k, struct bdf a);	/* by anybody, VMs included */
bool vm_has_open(const struct fake_kernel *k, struct bdf a, unsigned *ret_vmid);
bool group_is_claimed(struct fake_kernel *k, int group);	/* no host driver can bind to a member */
bool group_is_viable(const struct fake_kernel *k, int group);

extern const struct host_ops fake_kernel_ops;

/* --- kernel_units.c --- */

void run_answer(struct host_run *ret, int status, const char *fmt, ...) _printf_(3, 4);
/* One of the programs that it knows. */
bool unit_run(struct fake_op *op, const char *name, const char *const argv[], struct host_run *ret);
int unit_signal(struct fake_op *op, pid_t pid, uint64_t start, int sig);
void unit_froze(struct fake_kernel *k, const char *path, const char *value);
int unit_dump(struct fake_kernel *k, struct str *ret);

#endif
