/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_node_kind - what it means that somebody has a device node open, and what it is called.
 */
#ifndef INUSE_NODE_KIND_H
#define INUSE_NODE_KIND_H

#include "inuse.h"
#include "inuse_walk.h"

/* INUSE_HANGS where the driver's remove callback waits for the last close:
 * sound/core/init.c:snd_card_free, drivers/i2c/i2c-core-base.c:i2c_del_adapter,
 * drivers/media/dvb-core/dmxdev.c:dvb_dmxdev_release, drivers/vfio/vfio_main.c:
 * vfio_unregister_group_dev. */
void inuse_node_kind(const struct inuse_part *p, enum inuse_kind *ret_kind, enum inuse_weight *ret_weight);

/* The node's name below /dev as devtmpfs makes it ("dri/card0"), from the class's devnode callback;
 * not from `uevent`, whose reader takes the device lock in some kernels
 * (drivers/base/core.c:uevent_show). */
void inuse_node_name(const struct inuse_part *p, char *buf, size_t size);

/* Drivers of these let user space map device memory, and the mapping outlive the descriptor. */
bool inuse_node_is_mapped(const struct inuse_part *p);

/* A USB device that is the controller itself ("usb3"). */
bool inuse_node_is_root_hub(const struct inuse_part *p);

#endif
