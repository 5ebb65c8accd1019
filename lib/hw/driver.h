/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver - who drives a function: override, unbind, bind, each verified by reading back.
 *
 * Only by address, never through new_id (it catches twins), drivers_probe (it reports success when
 * nothing was bound) or module unloading.  All of these may block without limit in the kernel
 * (drivers/base/bus.c:unbind_store, bind_store): call them in a worker.
 *
 * `ns`, where it is a parameter, grows by the time spent inside the writes: the kernel's own share.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "host.h"

/* The bound driver's name, "" for none. */
int driver_current(struct host *h, struct bdf bdf, char *buf, size_t size, struct err *e) _must_check_;

/* One attribute of the device, timed: "write 'on' to power/control of 0000:01:00.0: ..." */
int driver_attr(struct host *h, struct bdf bdf, const char *attr, const char *value, uint64_t *ns,
		struct err *e) _must_check_;

/* Sets driver_override; "" clears it (a newline: an empty write never reaches the kernel's handler,
 * and "(null)" would be stored as a name).  Read back. */
int driver_set_override(struct host *h, struct bdf bdf, const char *name, uint64_t *ns, struct err *e) _must_check_;

/* Unbinds from exactly this driver.  The vanished link is no sign of completion (it goes before the
 * driver's remove callback runs); the write's return is, so the link is only checked after it.
 * Nothing to do when no driver is bound. */
int driver_unbind(struct host *h, struct bdf bdf, const char *driver, uint64_t *ns, struct err *e) _must_check_;

/* Binds to exactly this driver; nothing to do when it is bound already.  EBUSY and EAGAIN without a
 * driver bound are tried again for a short while (a group just let go, a deferred probe). */
int driver_bind(struct host *h, struct bdf bdf, const char *driver, uint64_t *ns, struct err *e) _must_check_;

/* The driver's folder below /sys/bus/pci/drivers is there; if not, loads `module` with modprobe
 * (Proxmox does the same, SysFSTools.pm pci_dev_group_bind_to_vfio) and looks again. */
int driver_need(struct host *h, const char *driver, const char *module, uint64_t ms, uint64_t *ns,
		struct err *e) _must_check_;

/* Nanoseconds, CLOCK_MONOTONIC, for measuring what the kernel takes. */
uint64_t driver_clock(void);

#endif
