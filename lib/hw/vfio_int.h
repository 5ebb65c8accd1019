/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio_int - what the two ways into VFIO share; nobody else includes it.
 *
 *   vfio.c        groups and a container; the resets
 *   vfio_cdev.c   device nodes and an iommufd, where the kernel has no groups (CONFIG_VFIO_GROUP=n)
 *
 * Groups come first: QEMU as Proxmox calls it uses them, and every kernel of Debian and Proxmox has them.
 */
#ifndef VFIO_INT_H
#define VFIO_INT_H

#include "reset_int.h"

struct vfio_session {
	struct host *h;
	int iommu;			/* the container, or the iommufd; -1 = not open */
	int device;			/* of the first function; -1 = not open */
	int fd[RESET_FUNCTIONS];	/* of the groups; with an iommufd, of the functions */
	int group[RESET_FUNCTIONS];	/* the groups' numbers */
	size_t n;
	bool cdev;			/* by iommufd: whoever bound a function to it owns it, and shows no descriptor */
};

/* The kernel offers no groups, but device nodes. */
bool vfio_cdev_alone(struct host *h);

/* Opens every function and binds it to one iommufd (drivers/vfio/device_cdev.c:vfio_df_ioctl_bind_iommufd). */
int vfio_cdev_open(struct vfio_session *s, const struct bdf *fns, size_t n, struct err *e) _must_check_;

#endif
