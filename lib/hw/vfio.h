/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio - resetting a whole card through VFIO: the reset that works where sysfs has none.
 *
 * A multifunction GPU without FLR answers ENOTTY to the sysfs reset, although function 0's
 * reset_method lists `bus`: the list was made while function 0 was alone on its bus
 * (drivers/pci/probe.c:pci_device_add before pci_bus_add_device).  VFIO_DEVICE_PCI_HOT_RESET resets
 * slot or bus when the caller shows that it owns every function there
 * (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_pci_hot_reset).
 */
#ifndef PVE_GPU_VFIO_H	/* linux/vfio.h has VFIO_H */
#define PVE_GPU_VFIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "host.h"

/* Resets the card of fns[0], all of whose functions must be among fns[0..n-1] and on vfio-pci with
 * nobody using them; -EPERM before anything happens when the kernel lists another function.  Every
 * descriptor is closed again.  May block as long as a device takes to come back (60 s). */
int vfio_hot_reset(struct host *h, const struct bdf *fns, size_t n, uint64_t *ns, struct err *e) _must_check_;

/* Opens each function and resets it alone (VFIO_DEVICE_RESET: the kernel's pci_reset_function).  -ENOTTY: it
 * has no such reset. */
int vfio_function_reset(struct host *h, const struct bdf *fns, size_t n, uint64_t *ns, struct err *e) _must_check_;

/* The device's enable count, -1 when it cannot be read. */
int vfio_enable_count(struct host *h, struct bdf bdf);

/*
 * Does the group of this function have an owner?  The kernel lends it once (drivers/vfio/group.c:
 * vfio_group_fops_open), and it is not free again before the last file of a dying process is closed,
 * which /proc stops showing long before.  Opens the group for a moment.
 */
bool vfio_group_is_busy(struct host *h, struct bdf bdf);

/*
 * Does somebody have this function, which is on vfio-pci, open?  vfio-pci raises the enable count on
 * the first open and lowers it on the last close; `base` is the count when nobody had it open, -1
 * if nobody wrote it down.  Then a count above zero may also be a leftover of an earlier driver:
 * the holders of its group decide.  What cannot be told counts as open.
 */
bool vfio_is_open(struct host *h, struct bdf bdf, int base);

#endif
