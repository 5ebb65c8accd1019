/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriov - virtual functions: where they will be, making them, and taking them away.
 *
 * Facts from drivers/pci/iov.c: sriov_numvfs takes 0 or, from 0, a number up to sriov_totalvfs (EBUSY from one number to
 * another, ERANGE above, ENOENT without a driver that can); writing it takes the device's lock and the
 * global rescan lock.  With sriov_drivers_autoprobe 0 the new functions get no driver.  Virtual function i has the routing id of
 * its physical function plus sriov_offset + i * sriov_stride, and the vendor id of it with the device id sriov_vf_device.
 */
#ifndef SRIOV_H
#define SRIOV_H

#include <stdbool.h>

#include "bdf.h"
#include "err.h"
#include "host.h"

struct sriov {
	struct bdf pf;
	unsigned total, offset, stride;
	uint16_t vf_device;
	unsigned now;			/* virtual functions that exist */
};

/* -ENOENT: the function can have none, or its driver cannot make them.  Reads nothing that can block. */
int sriov_read(struct host *h, struct bdf pf, struct sriov *ret) _must_check_;

/* The address of virtual function i, from 0. */
struct bdf sriov_address(const struct sriov *s, unsigned i);

/* Makes `n`, without drivers; done when there are as many.  Refused, with nothing of it left behind, where one of them would
 * share the IOMMU group of its physical function: Proxmox would take that from the host with it. */
int sriov_make(struct host *h, struct bdf pf, unsigned n, uint64_t *ns, struct err *e) _must_check_;

/* Takes all of them away, unless there are not the `made` or one has a driver: then they are somebody else's, or he has
 * begun to use it, and all stay (1).  Also puts
 * sriov_drivers_autoprobe back to `autoprobe` ("" = leave it), where making them was cut short. */
int sriov_unmake(struct host *h, struct bdf pf, unsigned made, const char *autoprobe, uint64_t *ns, struct err *e) _must_check_;

#endif
