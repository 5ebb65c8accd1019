/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel - a fake kernel over an unpacked tree: host operations that give writes their meaning.
 *
 * Reads fall through to host_default_ops.  Writes to `bind`, `unbind`, `drivers_probe`,
 * `driver_override`, `reset`, `reset_method`, `power/control`..., ioctls on /dev/vfio and runs of
 * modprobe change the tree as Linux would, with Linux's errno and Linux's order of checks.
 *
 * All state lies in the tree's directory and in memory shared over fork(), so that worker
 * processes, a killed main program and the recovery after it all meet the same kernel.
 *
 * Every operation that changes something has a running number, from 1: write, append, create (an
 * open() that makes or truncates a file), rename, unlink, mkdir, run, signal, and the ioctls SET_CONTAINER,
 * SET_IOMMU, GET_DEVICE_FD, DEVICE_RESET, PCI_HOT_RESET.  A test asks for a fault at a number, and
 * reads afterwards what each number was.
 *
 *   struct fake_kernel k;
 *   struct fake_outcome o;
 *
 *   fake_kernel_open(&k, "gpu-audio", &e);
 *   before = fake_kernel_dump(&k, 0);
 *   fake_fault_add(&k, (struct fake_fault){ .kind = FAKE_KILL_AFTER, .at = 7 });
 *   fake_main_run(&k, hook, NULL, 5000, &o);
 *   fake_kernel_rewind(&k);
 *   ... recover, compare, assert_string_equal(fake_violations(&k), "") ...
 *   fake_kernel_close(&k);
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bdf.h"
#include "err.h"
#include "host.h"
#include "macro.h"
#include "tree.h"

struct fake_shared;

struct fake_kernel {
	struct host host;		/* give &k.host to the code under test */
	struct fake_shared *shared;	/* survives fork(); see the functions below */
	struct tree tree;
};

/* A machine of tests/trees (or a manifest in memory) in a fresh directory, with its kernel running. */
int fake_kernel_open(struct fake_kernel *k, const char *tree, struct err *e) _must_check_;
int fake_kernel_open_text(struct fake_kernel *k, const char *text, struct err *e) _must_check_;
/* Ends hanging operations and whatever processes are left, removes the directory. */
void fake_kernel_close(struct fake_kernel *k);

/* --- the operations that were ------------------------------------------------------------------ */

unsigned fake_log_count(const struct fake_kernel *k);
/* "write /sys/bus/pci/drivers/nvidia/unbind 0000:01:00.0"; "" for a number that never was. */
const char *fake_log(const struct fake_kernel *k, unsigned n);
/* How many operations' text contains `part`. */
unsigned fake_log_find(const struct fake_kernel *k, const char *part);
/* The next operation is number 1 again; log and faults are forgotten, the machine stays. */
void fake_kernel_rewind(struct fake_kernel *k);

/* --- faults ------------------------------------------------------------------------------------ */

enum fake_fault_kind {
	FAKE_FAIL,		/* returns -err, nothing happens */
	FAKE_KILL_BEFORE,	/* SIGKILL to "main" and to the caller; the operation did not happen */
	FAKE_KILL_AFTER,	/* the same, and it did */
	FAKE_KILL_MAIN,		/* only "main" dies, the caller (a worker) finishes what it was doing */
	FAKE_HANG,		/* never returns; nothing happened; other writes to the device pass */
	FAKE_HANG_LOCKED,	/* never returns and holds the device's lock: whatever else touches the device
				 * hangs too.  Of an unbind the links are already gone, as on Linux. */
	FAKE_DELAY,		/* `ms` later, then as usual */
};

struct fake_fault {
	enum fake_fault_kind kind;
	unsigned at;		/* the operation's number; 0 = by `match` alone */
	char match[96];		/* part of the operation's text; "" = by `at` alone */
	int err;		/* FAKE_FAIL: a positive errno */
	unsigned ms;		/* FAKE_DELAY */
	unsigned times;		/* how often it strikes; 0 = whenever it fits */
};

void fake_fault_add(struct fake_kernel *k, struct fake_fault f);
void fake_fault_clear(struct fake_kernel *k);
/* Operations that hang at this moment. */
unsigned fake_hanging(const struct fake_kernel *k);
/* Lets all of them finish, with their effect, as a stuck driver that comes to its senses. */
void fake_hang_release(struct fake_kernel *k);

/* How drivers and devices behave, as long as the rule stands. */
enum fake_rule_kind {
	FAKE_PROBE_FAILS,	/* value: positive errno */
	FAKE_PROBE_SLOW,	/* value: ms; the link is there before the probe has finished */
	FAKE_REMOVE_SLOW,	/* value: ms; the link is gone before the remove has finished */
	FAKE_ENABLE_LEAKS,	/* a native driver leaves `enable` one up when it is unbound */
	/* Resets: `driver` is the method ("flr", "hot"...), "" = any; of the kernel's own, which go by the list, too. */
	FAKE_RESET_FAILS,	/* value: positive errno; ENOTTY passes on to the next of the list */
	FAKE_RESET_SLOW,	/* value: ms */
	FAKE_RESET_IS_DEATH,	/* the reset says it worked, then config reads all ones */
	FAKE_RESET_REVIVES,	/* a dead function answers again after it; else a reset of one is ENOTTY */
	FAKE_NO_BUS_RESET,	/* the function's bus cannot be reset (kernel quirk) */
	FAKE_REFUSES_D3,	/* it stays in D0 */
};

struct fake_rule {
	enum fake_rule_kind kind;
	char driver[32];	/* probe, remove, enable: which driver; "" = any */
	char device[20];	/* "0000:01:00.0"; "" = any */
	int value;
	unsigned times;		/* 0 = always */
};

void fake_rule_add(struct fake_kernel *k, struct fake_rule r);
void fake_rule_clear(struct fake_kernel *k);

/* Config space reads all ones from now on, or as it was. */
void fake_device_die(struct fake_kernel *k, struct bdf a);
void fake_device_revive(struct fake_kernel *k, struct bdf a);
/* As Proxmox's own start leaves it: written through new_id.  Unbound functions with the id are taken. */
void fake_dynid_add(struct fake_kernel *k, const char *driver, unsigned vendor, unsigned device);

/* Settings; all zero = a usual machine. */
struct fake_settings {
	unsigned time_scale;	/* now() runs, and sleep() passes, this many times faster; 0 = 1 */
	bool no_idle_d3;	/* an idle function on vfio-pci stays in D0 */
	bool no_intremap;	/* VFIO_SET_IOMMU is EPERM */
	unsigned allow;		/* FAKE_ALLOW_* */
};
enum {
	FAKE_ALLOW_NEW_ID	= 1 << 0,
	FAKE_ALLOW_REMOVE_ID	= 1 << 1,
	FAKE_ALLOW_RESCAN	= 1 << 2,	/* remove of a function, rescan of a port */
};
struct fake_settings *fake_settings(struct fake_kernel *k);

/* An answer of host_run() for a program; without one modprobe, systemctl, pct and qm do what they would
 * (kernel_units.c), all others exit 127. */
void fake_run_answer(struct fake_kernel *k, const char *program, int status, const char *output);

/* --- what must never happen -------------------------------------------------------------------- */

/* One line per broken rule, "" when all is well:
 *   - a reset reached a function that a host driver owns, or a bus with such a function on it;
 *   - something was written to a device whose last write still hangs;
 *   - vfio-pci was unbound while somebody had the device open;
 *   - a host driver was unbound from a function with virtual functions;
 *   - "(null)" was written to driver_override;
 *   - new_id, remove_id, remove, rescan were written, a module was unloaded;
 *   - a function was removed with a driver on it. */
const char *fake_violations(const struct fake_kernel *k);
void fake_violations_clear(struct fake_kernel *k);

/* --- what happened to a function --------------------------------------------------------------- */

struct fake_counts {
	unsigned reset;		/* by the sysfs attribute or VFIO_DEVICE_RESET */
	unsigned bus_reset;	/* by VFIO_DEVICE_PCI_HOT_RESET or reset_subordinate, once per function */
	unsigned open_reset;	/* by vfio-pci itself, when its descriptor was opened */
	unsigned bind, unbind;	/* that succeeded, any driver */
};
struct fake_counts fake_counts(const struct fake_kernel *k, struct bdf a);

/* tree_dump() plus which services and containers run and, with FAKE_RESETS, the reset counters of each function. */
enum { FAKE_RESETS = 1 << 8 };
char *fake_kernel_dump(struct fake_kernel *k, unsigned flags) _must_check_;

/* --- virtual machines -------------------------------------------------------------------------- */

/* QEMU opens the functions: every one must be on vfio-pci and its group viable and free, else the
 * errno QEMU would get (-EPERM, -EBUSY, -ENODEV).  A pid no real process has is chosen and, when
 * ret_pid is not NULL, returned. */
int fake_vm_start(struct fake_kernel *k, unsigned vmid, const struct bdf *devices, size_t n,
		  pid_t *ret_pid, struct err *e) _must_check_;
void fake_vm_fade(struct fake_kernel *k, unsigned vmid);	/* dying: looks gone, holds on */
void fake_vm_end(struct fake_kernel *k, unsigned vmid);		/* gone */

/* --- the program under test as a process of its own -------------------------------------------- */

struct fake_outcome {
	int status;		/* exit status, -1 when it did not exit by itself */
	int signal;		/* the signal that ended it, or 0 */
	bool timed_out;		/* still running after `ms`; it was killed */
	bool pipe_held;		/* it ended, but somebody it left behind holds its stdout or stderr */
	uint64_t ms;		/* how long it took */
	char output[16384];	/* stdout and stderr, NUL-terminated */
};

/* Forks; the child is "main" for the kill faults, runs fn(&k->host, arg) and exits with its result.
 * Processes that it leaves behind become the caller's (prctl PR_SET_CHILD_SUBREAPER). */
int fake_main_run(struct fake_kernel *k, int (*fn)(struct host *h, void *arg), void *arg,
		  unsigned ms, struct fake_outcome *ret);
/* The calling process is "main" from now on (for tests that fork by themselves). */
void fake_main_set(struct fake_kernel *k, pid_t pid);
/* Waits until every process left behind has ended, hanging ones excepted; at most `ms`.  Returns how
 * many are left that do not hang. */
unsigned fake_settle(struct fake_kernel *k, unsigned ms);

#endif
