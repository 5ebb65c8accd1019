/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree - machines as text: a manifest becomes a directory that is laid out like "/".
 *
 * tests/trees/NAME.tree describes a machine in lines that read well in a diff; tree_load() unpacks
 * one.  What comes out is what a real kernel shows: devices are directories below
 * /sys/devices/pciDDDD:BB/..., everything else about them (bus, driver, IOMMU group, class) are
 * relative links, attributes end in a newline, `config` is binary and agrees with the attributes.
 *
 * Grammar.  A line is a verb and its words; '#' at the start of a line is a comment; a backslash at
 * its end joins the next line; a word with spaces stands in "double quotes"; `<<END` as the last word
 * takes the following lines up to a line END as content.
 *
 *   dir PATH                       an empty folder, parents included
 *   file PATH TEXT...              a file with one line of text
 *   file PATH <<END                a file with many lines
 *   link PATH TARGET               a symbolic link
 *   hex PATH [@OFFSET] BYTE...     a binary file, or bytes of an existing one
 *   rm PATH                        takes away what an earlier line made
 *   time PATH SECONDS              when it was last changed, since 1970
 *
 *   host NAME [kernel=REL] [boot_id=UUID] [cmdline="..."]
 *                                  a Proxmox node: hostname, /etc/pve and its links, /proc basics
 *   iommu intel|amd [BDF]          entries of /sys/class/iommu; without it there is no IOMMU
 *   file /dev/iommu                (before the first driver) VFIO has no groups, but nodes of devices
 *   root DDDD:BB [under=BDF]       a PCI root bus; `under` for domains behind a controller (VMD)
 *   pci BDF VVVV:DDDD KEY=VALUE... one function, see below
 *   driver NAME [module=M]         a registered driver, also without devices ("module=" = built in)
 *   loadable MODULE [driver=NAME]  a module that modprobe would find; the driver is absent until then
 *   dynid DRIVER VVVV:DDDD         a dynamic id, as new_id or `ids=` leaves it
 *   config VMID <<END              /etc/pve/nodes/HOST/qemu-server/VMID.conf
 *   volume PARTITION dm-1 252:1 [name=pve-root]
 *                                  a device-mapper volume on a partition that a `pci` line offers
 *   bridge NAME NIC...             a network bridge with these ports
 *   vm VMID pid=N [start=N] [hold="BDF..."] [reserve=no]
 *                                  a running QEMU that has these functions open
 *
 * Keys of `pci`: class=CCSSPP revision=XX subsystem=VVVV:DDDD; parent=BDF (the bridge above it) and,
 * for a bridge, bus=BB or bus=BB-BB (its secondary and last bus); driver=NAME module=NAME native="NAME..."
 * (drivers whose table has the id, default: driver= unless that is vfio-pci or pci-stub); group=N;
 * reset="flr bus" (none: no reset files); boot_vga=0|1; numa=N; override=NAME; power=on|auto;
 * d3cold=0|1; state=D0; enable=N; irq=N; speed="16.0 GT/s PCIe" width=N; pcie=no (256 bytes of
 * config, no PCIe capability); pm=no; physfn=BDF (it is a virtual function); vfs=N (sriov_totalvfs);
 * bars="32m,16g:64p,32m:64p,128:io" rom=SIZE; nodes="drm/card0@226:0 net/enp5s0
 * nvme/nvme0/nvme0n1@b259:0" (what the native driver offers while it is bound: folders with their
 * device numbers, b for block); vgpu=yes (a folder nvidia/); mdev=TYPE; dead=yes (config reads
 * all ones).
 *
 * Nothing here is a fake kernel: a tree is files.  kernel.h gives writes their meaning.  What the
 * fake kernel must know and sysfs does not show lies in /.fake of the tree.
 */
#ifndef TREE_H
#define TREE_H

#include <limits.h>
#include <sys/types.h>

#include "bdf.h"
#include "err.h"
#include "macro.h"
#include "str.h"

/* Unpacks the manifest at `path` into `dir`, which exists and is empty.  The sentence of a failure
 * begins with file and line. */
int tree_load(const char *path, const char *dir, struct err *e) _must_check_;
/* The same from memory; `name` stands for the file in messages. */
int tree_load_text(const char *name, const char *text, const char *dir, struct err *e) _must_check_;

/* A fresh directory below $TMPDIR, /dev/shm or /tmp with tests/trees/NAME.tree in it.  The repository is the
 * current directory, or $PVE_GPU_TREES names the folder of the manifests. */
struct tree {
	char dir[PATH_MAX];
};
int tree_open(struct tree *t, const char *name, struct err *e) _must_check_;
int tree_open_text(struct tree *t, const char *text, struct err *e) _must_check_;
void tree_close(struct tree *t);	/* removes the directory */

/* --- looking ---------------------------------------------------------------------------------- */

/* The state that a claim must put back, one line per function in order of address:
 *   0000:01:00.0 driver=nvidia override=(null) power=on d3cold=1 reset="flr bus" enable=1
 * then a line per group node below /dev/vfio and, per flag, the rest.  malloc'ed; NULL = no memory. */
enum {
	TREE_LEASES	= 1 << 0,	/* names and content below /run/pve-gpu/leases */
	TREE_DYNIDS	= 1 << 1,	/* dynamic ids of the drivers */
	TREE_CHILDREN	= 1 << 2,	/* drm/card0, net/enp5s0... of each function */
};
char *tree_dump(const char *dir, unsigned flags) _must_check_;

/* Lines that only one of two dumps has, "-" before and "+" after; returns how many. */
size_t tree_diff(const char *before, const char *after, struct str *ret);

/* One attribute of a function, without its newline: tree_attr(dir, a, "driver_override", ...).
 * For a link the last element of its target.  "" when there is none. */
struct tree_text { char s[256]; };
struct tree_text tree_attr(const char *dir, struct bdf a, const char *name);

/* --- virtual machines ------------------------------------------------------------------------- */

#define TREE_VM_DEVICES 32

struct tree_vm {
	unsigned vmid;
	pid_t pid;			/* above any real pid, so that nobody meets a stranger */
	unsigned long long start;	/* field 22 of /proc/PID/stat */
	struct bdf devices[TREE_VM_DEVICES];
	size_t n_devices;
	bool reserve;			/* lines in /run/qemu-server/pci-id-reservations */
};

/* Pid file, /proc/PID, scope, descriptors on the groups, `enable` of the functions one up. */
int tree_vm_start(const char *dir, const struct tree_vm *vm, struct err *e) _must_check_;
/* The blind window of a dying QEMU: pid file, command line and descriptors are gone, its process
 * and its hold on the devices are not. */
int tree_vm_fade(const char *dir, unsigned vmid, struct err *e) _must_check_;
/* Nothing is left of it. */
int tree_vm_end(const char *dir, unsigned vmid, struct err *e) _must_check_;

#endif
