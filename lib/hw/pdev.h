/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pdev - one PCI function as a record, read once from sysfs.
 *
 * Plain values without pointers; a record belongs to the snapshot it came from and is never changed
 * behind a reader's back.  Facts come from the attributes of drivers/pci/pci-sysfs.c, the `driver`
 * and `iommu_group` links from the driver core and the IOMMU core.
 *
 * Three facts are not read here, because reading them can block for as long as a write to the same
 * device hangs: driver_override (takes the device lock up to 6.1, drivers/pci/pci-sysfs.c:
 * driver_override_show) and config (waits for a reset under way, drivers/pci/access.c:pci_wait_cfg),
 * for which see scout.h; and sriov_numvfs (takes the device lock, drivers/pci/iov.c), whose virtfn
 * links tell as much.
 */
#ifndef PDEV_H
#define PDEV_H

#include <stdbool.h>
#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "host.h"

#define PDEV_NAME 64		/* a driver's or module's name with its NUL */
#define PDEV_METHODS 96

/* A PCI Express link: the speed's code in the Link Status register (1 = 2.5 GT/s, 2 = 5, 3 = 8, 4 = 16...)
 * and its lanes; 0 = unknown. */
struct pdev_link {
	uint8_t speed, width;
};

struct pdev {
	struct bdf bdf;
	uint16_t vendor, device, subvendor, subdevice;
	uint32_t class;			/* 24 bits: base, sub, interface */
	char driver[PDEV_NAME];		/* "" = none */
	char module[PDEV_NAME];		/* the driver's module, "" = built in or no driver */
	int group;			/* IOMMU group, -1 = none */
	bool bridge;			/* owns a bus: never taken, tolerated in a group */
	bool vfio;			/* bound to vfio-pci or to a variant of it */
	bool has_reset;			/* a `reset` attribute; no proof that it works */
	char reset_method[PDEV_METHODS];	/* "" = no such attribute or empty */
	char power_control[16], power_state[16];
	int d3cold;			/* d3cold_allowed: 1, 0, -1 = unknown */
	int enable;			/* enable count, -1 = unknown */
	int boot_vga;			/* 1, 0, -1 = not a VGA function */
	int numa;			/* node, -1 = none */
	bool is_vf;			/* has a physfn link; `pf` is valid */
	struct bdf pf;
	unsigned vfs;			/* virtual functions that exist below this one */
	bool mdev_types;		/* can make mediated devices */
	unsigned mdevs;			/* mediated devices that exist on it */
	bool nvidia_vgpu;		/* NVIDIA's vendor vGPU interface (a folder nvidia/) */
	bool has_parent;		/* behind a bridge or root port; `parent` is valid */
	struct bdf parent;
	bool coming;			/* not there yet: a virtual function that a step will make */
	bool has_bars;			/* at least one memory or I/O BAR has a size */

	bool deep;			/* the facts below were read */
	char override[PDEV_NAME];	/* driver_override, "" = unset */
	bool open;			/* its VFIO group has an owner, whether a process shows it or not */
	bool dead;			/* its config space reads all ones */
	struct pdev_link link;
	uint64_t bar0_sizes, bar0_size;	/* read where one is wished for; see bar.h */
};

/* Base class and subclass, 0x0300 for a VGA controller. */
static inline unsigned pdev_class(const struct pdev *d)
{
	return d->class >> 8;
}

/* Display controllers: VGA, XGA, 3D, other (PCI class 03), and the pre-2.0 VGA class 0001. */
bool pdev_is_gpu(const struct pdev *d);

/* Words for class and subclass when pci.ids has no name: "VGA controller", "audio device"... */
const char *pdev_class_text(unsigned class16);

/* Reads one function.  -ENOENT with a sentence when it is not there; attributes that this kernel
 * does not have get their "unknown" value. */
int pdev_load(struct host *h, struct bdf bdf, struct pdev *ret, struct err *e) _must_check_;

/* driver_override as the kernel prints it -> "" for unset ("(null)" or an empty line). */
int pdev_read_override(struct host *h, struct bdf bdf, char *buf, size_t size) _must_check_;

/* Where the mediated device of a VM's hostpci entry `index` is: Proxmox makes its name of both numbers (qemu-server:
 * QemuServer/PCI.pm: generate_mdev_uuid). */
struct host_path pdev_mdev_path(unsigned index, unsigned vmid);

/* "/sys/bus/pci/devices/0000:01:00.0/ATTR" */
struct host_path pdev_path(struct bdf bdf, const char *attr);

#endif
