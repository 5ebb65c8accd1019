/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bar - the size of a card's first memory window (resizable BAR).
 *
 * /sys/bus/pci/devices/ADDRESS/resource0_resize reads as a bitmap, bit k for 2^k MiB, and takes the number of a
 * bit (Documentation/ABI/testing/sysfs-bus-pci); what is set is in `resource`.  The kernel does it only with no
 * driver bound (drivers/pci/pci-sysfs.c:__resource_resize_store).
 */
#ifndef BAR_H
#define BAR_H

#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "host.h"

/* Sizes that the card offers, as the kernel's bitmap; 0 = it is not resizable. */
uint64_t bar_sizes(struct host *h, struct bdf bdf);
/* As it is now, in MiB; 0 = there is none, or it is smaller than that. */
uint64_t bar_size(struct host *h, struct bdf bdf);

/* To 2^bit MiB, read back.  May block like every write to a device. */
int bar_resize(struct host *h, struct bdf bdf, unsigned bit, uint64_t *ns, struct err *e) _must_check_;

/* "8G", "256M": a power of two from 1M on.  *ret in MiB.  -EINVAL. */
int bar_parse(const char *text, uint64_t *ret) _must_check_;
/* The bit of a size in MiB that is a power of two. */
unsigned bar_bit(uint64_t mib);

struct bar_text { char s[200]; };
struct bar_text bar_format(uint64_t mib);	/* "8G" */
struct bar_text bar_list(uint64_t sizes);	/* "256M, 512M, 8G" */

#endif
