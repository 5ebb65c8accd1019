/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse - what on this machine uses a PCI function, and what would be lost with it.
 *
 * The kernel never refuses an unbind (drivers/base/bus.c:unbind_store has no EBUSY): a driver whose
 * device is open either waits for ever in its remove callback or tears the device away from its
 * users.  So whoever wants to take a device must look first, and this is where it looks.  Nothing
 * here decides: a finding has a weight, and the plan says what to do about it.
 *
 * Everything is read through struct host and nothing is written.  No attribute is read whose
 * reader takes the device lock (`config`, `driver_override` before 6.12, the string attributes of
 * USB devices), because one stuck unbind elsewhere would then hang us too.  Reading /proc/PID/maps
 * waits for that process's memory map lock, which a process stuck in the kernel may hold: run a
 * scan in a worker (worker.h) where a deadline must be kept whatever happens.
 *
 * On the running machine an open device node is recognised by its device number, so that
 * containers' own nodes, renamed ones and deleted ones count; in a captured tree, where there are no
 * nodes, by the text of the link (`/dev/dri/card0`).
 *
 * A scan is a snapshot.  One thing it cannot see: a dying process closes its files after its file
 * table is gone from /proc (kernel/exit.c:do_exit, exit_files before the files' release in
 * task_work), for seconds or minutes when much guest memory is pinned.  "Nobody holds it" is proof only
 * together with the device's `enable` count or the end of the process.
 */
#ifndef INUSE_H
#define INUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "host.h"

/* --- whose process it is ------------------------------------------------------------------- */

enum inuse_place {
	INUSE_ON_HOST,		/* an ordinary process; `unit` names its service, if any */
	INUSE_OF_USER,		/* of a user's own service manager or login; `place_id` is the uid or session */
	INUSE_IN_CONTAINER,	/* `place_id` is the container's name; `unit` the service inside it */
	INUSE_OF_VM,		/* a virtual machine's own process; `place_id` is its id */
};

/* All text is already safe for one line of a terminal or log (str_add_safe()). */
struct inuse_who {
	int pid;
	uint64_t start;		/* field 22 of /proc/PID/stat, ticks since boot; with pid it names one
				 * process for ever; 0 = could not be read */
	enum inuse_place place;
	char comm[64];		/* "ffmpeg"; "?" when the process was gone before it could be read */
	char unit[128];		/* "ollama.service", "session-4.scope" or "" */
	char place_id[64];	/* "105", "100", "1000" or "" */
};

/* Reads what /proc/PID tells of a process.  Never fails: what is gone meanwhile stays empty. */
void inuse_who(struct host *h, int pid, struct inuse_who *ret);

/* "ollama.service (pid 812) in container 105", "kvm (pid 4242) of VM 100". */
struct inuse_who_text { char s[352]; };
struct inuse_who_text inuse_who_format(const struct inuse_who *who);

/* --- who holds VFIO groups ----------------------------------------------------------------- */

struct inuse_vfio_holder {
	unsigned group;
	/* false: the process has VFIO device files, but neither a group nor a device node open that
	 * says which (it closed the group, and before 7.x fdinfo does not name the device: see
	 * drivers/vfio/vfio_main.c:vfio_device_show_fdinfo).  It may hold this group or another. */
	bool exact;
	struct inuse_who who;
};

struct inuse_vfio {
	struct inuse_vfio_holder *v;	/* by group, then pid; one per group and process */
	size_t n;
	size_t unseen;			/* processes we were not allowed to look into (not root) */
};

/* Which processes hold /dev/vfio/GROUP, /dev/vfio/devices/vfioN of a device of that group, or a
 * VFIO device file without any of these, for `n` IOMMU groups, in one pass over /proc.  This
 * process itself is left out.  Without groups, or without any VFIO node, /proc is not walked.
 * *ret is the caller's: inuse_vfio_free(). */
int inuse_vfio(struct host *h, const unsigned *groups, size_t n, struct inuse_vfio **ret,
	       struct err *e) _must_check_;
void inuse_vfio_free(struct inuse_vfio *v);
void inuse_vfio_freep(struct inuse_vfio **v);	/* for _cleanup_ */

/* --- what no file of the kernel says ---------------------------------------------------------- */

enum inuse_need_kind {
	INUSE_NEED_NETWORK,	/* an address of this host, or a network ("10.1.0.0/16") */
	INUSE_NEED_SERVER,	/* the address of another machine */
	INUSE_NEED_GROUP,	/* an LVM volume group, active or not */
	INUSE_NEED_POOL,	/* a ZFS pool, imported or not */
};

/* Whoever knows the host's configuration says what it cannot do without.  A disk with the name of a pool or group is
 * taken for a part of it, unless it is told from a namesake: a pool of that name is imported without the disk; the
 * active group of that name does not list it in LVM's own backup (/etc/lvm/backup), and nobody has it claimed.  Where that
 * cannot be told (a captured tree, a group with nothing active or without a backup) it stays needed. */
struct inuse_need {
	enum inuse_need_kind kind;
	char name[128];		/* raw */
	char why[160];		/* "the Proxmox storage vmdata", "corosync link 0"; safe */
};

struct inuse_needs {
	const struct inuse_need *v;
	size_t n;
	/* The functions are not to go together: what would be left (displays, keyboards) is asked for each
	 * slot alone. */
	bool apart;
};

/* --- everything that uses a set of functions ------------------------------------------------- */

enum inuse_kind {
	INUSE_PROCESS,		/* a process has a device node open or mapped; `who` is filled,
				 * object = the node ("/dev/dri/card0") */
	INUSE_VFIO,		/* a process holds it through VFIO; the same */
	INUSE_MOUNT,		/* a disk behind it carries a mounted file system; object = mount point */
	INUSE_SWAP,		/* ... carries swap; object = device */
	INUSE_STORAGE,		/* ... belongs to a pool, volume group, array...; object = its name, or
				 * the device where it has none */
	INUSE_NET,		/* a network interface of it is in use; object = interface */
	INUSE_KEYBOARD,		/* a keyboard is attached below this USB controller; object = USB path */
	INUSE_USB,		/* another USB device is; object = USB path */
	INUSE_DISPLAY,		/* it is one of the host's displays; object = its framebuffer ("fb0 (i915drmfb)",
				 * "efi-framebuffer.0") or "" */
	INUSE_BOOT_DISPLAY,	/* ... the one that the firmware and the kernel show themselves on; the same */
	INUSE_ONLY_DISPLAY,	/* ... and no other is left besides the functions asked for; the same */
	INUSE_BMC_DISPLAY,	/* it is what the remote console of the board shows; the same */
	INUSE_LAST_INPUT,	/* no keyboard is left besides those below the functions asked for; object =
				 * USB path of one that is below this */
};

enum inuse_weight {
	INUSE_NOTE,		/* worth a line, in nobody's way */
	INUSE_MAYBE,		/* ready for use, with nobody in sight */
	INUSE_BUSY,		/* somebody uses it and would be disturbed */
	INUSE_HANGS,		/* the driver's remove callback would wait for this user, uninterruptibly */
	INUSE_CRITICAL,		/* the host itself would lose root, swap, a file system, a pool or its
				 * way to the network: no setting may override this */
};

struct inuse_finding {
	struct bdf bdf;
	enum inuse_kind kind;
	enum inuse_weight weight;
	struct inuse_who who;	/* INUSE_PROCESS and INUSE_VFIO; otherwise pid is 0 */
	bool console;		/* the kinds of displays: fbcon draws on it, and on none that would stay */
	bool for_good;		/* ... what is on it now does not come back before a reboot */
	char object[128];	/* see enum inuse_kind; safe text */
	char text[512];		/* continues "0000:01:00.0 ...": "held by X (pid 812) through /dev/nvidia0",
				 * "carries swap /dev/sda3"; one line, safe text */
};

struct inuse {
	struct inuse_finding *v;	/* in the order of the functions asked for, heaviest first, then
					 * by kind, pid and object: the same machine, the same answer */
	size_t n;
	size_t unseen;			/* processes we were not allowed to look into (not root) */
};

/* A display controller that exists for the board's remote console, by its id: no card for a VM. */
bool inuse_display_is_bmc(uint16_t vendor, uint16_t device);

/* "process", "mount", "only-display"...; "note", "busy"...: for programs. */
const char *inuse_kind_name(enum inuse_kind kind);
const char *inuse_weight_name(enum inuse_weight weight);

/* All findings about `n` functions in one pass: each function's part of sysfs is walked once, and
 * /proc once for all of them (with a few threads where there are many processes), and only when
 * there is a device node to look for.  This process itself is left out.  A function that does not
 * exist has no findings.  `needs` may be NULL.  *ret is the caller's: inuse_free(). */
int inuse_scan(struct host *h, const struct bdf *fns, size_t n, const struct inuse_needs *needs,
	       struct inuse **ret, struct err *e) _must_check_;
void inuse_free(struct inuse *u);
void inuse_freep(struct inuse **u);		/* for _cleanup_ */

#endif
