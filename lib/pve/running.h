/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * running - is the QEMU of a VM there, and is it still the same one?
 *
 * Proxmox's own answer (qemu-server: QemuServer/Helpers.pm: vm_running_locally) is the pid file plus
 * a look at the command line.  It turns to "no" while the process may still hold its devices:
 *
 *  - QEMU unlinks the pid file at the very beginning of its exit, and Proxmox's stop cleanup
 *    unlinks it before post-stop (QemuServer.pm: vm_stop_cleanup);
 *  - /proc/<pid>/cmdline reads empty once the address space is gone, which is before the open
 *    files are (kernel/exit.c: do_exit calls exit_mm, then exit_files);
 *  - when a start times out only the launcher is killed; the daemonised QEMU may come up later,
 *    without reservation, cleanup flag or post-stop.
 *
 * So running_find() looks at three places, and whoever has seen a process writes down pid and
 * start time and asks running_same() from then on.  Nothing here waits: callers poll.
 */
#ifndef RUNNING_H
#define RUNNING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "host.h"

enum running_source {
	RUNNING_PIDFILE,	/* Proxmox's own rule holds */
	RUNNING_CMDLINE,	/* no pid file, but a QEMU started with this VM's -pidfile */
	RUNNING_SCOPE,		/* only a QEMU without command line in the VM's scope: it is dying */
};

struct running {
	pid_t pid;
	uint64_t starttime;	/* field 22 of /proc/<pid>/stat: clock ticks since boot */
	enum running_source source;
};

/*
 * Looks, in this order and no further than needed, at
 *
 *  1. /run/qemu-server/<vmid>.pid: see running_pidfile();
 *  2. every /proc/<pid>/cmdline, in one pass, for a QEMU with this VM's -pidfile.  Of several
 *     (the launcher and the daemon it has forked) the youngest is the one that stays;
 *  3. the members of qemu.slice/<vmid>.scope whose name is QEMU's.  A hint only: swtpm and
 *     virtiofsd live there too and are passed over, and a VM may live outside its scope.
 *
 * 1 and *ret: found.  0: not there, *ret untouched.  Negative: cannot be told (with a sentence);
 * treat the VM as running.  A captured tree without /proc has no running VMs.
 */
int running_find(struct host *h, unsigned vmid, struct running *ret, struct err *e) _must_check_;

/* Step 1 alone, which is Proxmox's notion of "running": the pid file names a process that is no
 * zombie and whose command line is a QEMU's with exactly this -pidfile.  Returns as above. */
int running_pidfile(struct host *h, unsigned vmid, struct running *ret, struct err *e) _must_check_;

/* Process `pid` is a QEMU started with this VM's -pidfile (in either spelling, /var/run or /run) and
 * no zombie; no pid file is asked.  1, 0 or negative as above. */
int running_is_vm(struct host *h, pid_t pid, unsigned vmid, struct err *e) _must_check_;

/* That very process still exists, or it cannot be told: proc_is_alive(). */
bool running_same(struct host *h, pid_t pid, uint64_t starttime) _must_check_;

/* Start time of any process.  -ESRCH when there is none. */
int running_starttime(struct host *h, pid_t pid, uint64_t *ret, struct err *e) _must_check_;

#endif
