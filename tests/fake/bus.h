/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bus - what sysfs shows of drivers and devices on the PCI bus, as changes to a tree.
 *
 * The loader uses it to unpack a machine, the fake kernel to change it.  Nothing is decided here:
 * whether a driver may have a device is kernel_bind.c's business.
 */
#ifndef BUS_H
#define BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bdf.h"
#include "treefs.h"

struct bus_name { char s[64]; };

/* "/sys/bus/pci/devices/0000:01:00.0/ATTR"; ATTR "" for the device itself. */
struct tfs_path bus_attr(struct bdf a, const char *attr);
/* The hidden files of a tree: "/.fake/KIND/0000:01:00.0". */
struct tfs_path bus_hidden(const char *kind, struct bdf a);

bool bus_known(int root, struct bdf a);
bool bus_is_bridge(int root, struct bdf a);
bool bus_is_pf_in_use(int root, struct bdf a);	/* it has virtual functions */

/* The functions below a folder of links, ascending; the count, at most max. */
size_t bus_list(int root, const char *folder, struct bdf *v, size_t max);
size_t bus_all(int root, struct bdf *v, size_t max);

/* IOMMU group number, -1 = none; its members. */
int bus_group(int root, struct bdf a);
size_t bus_group_members(int root, int group, struct bdf *v, size_t max);

/* --- drivers --- */

/* Folder, control files, module; in order of registration.  Known already: nothing happens. */
int bus_driver_add(int root, const char *driver, const char *module);
bool bus_driver_known(int root, const char *driver);
struct bus_name bus_driver(int root, struct bdf a);	/* "" = none */
/* It may stay while a VM has the group: vfio-pci, pci-stub, pcieport (driver_managed_dma). */
bool bus_driver_is_harmless(const char *driver);
static inline bool bus_driver_is_host(const char *driver)
{
	return *driver && !bus_driver_is_harmless(driver);
}

/* The links between device and driver and the uevent's DRIVER line, nothing else. */
int bus_join(int root, struct bdf a, const char *driver);
int bus_part(int root, struct bdf a, const char *driver);

/* What a native driver offers while it is bound (drm/card0, net/enp5s0...), and what vfio-pci does:
 * vfio-dev/vfioN and the group's node, which goes with the last member. */
int bus_children_show(int root, struct bdf a);
int bus_children_hide(int root, struct bdf a);
int bus_vfio_show(int root, struct bdf a);
int bus_vfio_hide(int root, struct bdf a);

#endif
