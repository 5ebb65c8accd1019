// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel_cdev - /dev/vfio/devices: a kernel whose VFIO has no groups.
 *
 * A node holds its function's address.  Opening it gives a descriptor that can be bound to /dev/iommu, and
 * nothing else before that (drivers/vfio/device_cdev.c: vfio_device_fops_cdev_open,
 * vfio_df_ioctl_bind_iommufd).
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <string.h>

#include "kernel_int.h"
#include "str.h"

int cdev_open(struct fake_kernel *k, const char *path, int flags)
{
	char text[32];
	struct bdf a;

	(void)flags;
	if (tfs_get(root_of(k), path, text, sizeof(text)) < 0 || bdf_parse(text, &a) < 0)
		return -ENOENT;
	return device_node(k, a);
}

static struct fake_bound *bound(struct fake_kernel *k, struct bdf a)
{
	for (unsigned i = 0; i < k->shared->n_bound; i++)
		if (bdf_same(k->shared->bound[i].a, a))
			return &k->shared->bound[i];
	return NULL;
}

bool cdev_is_bound(struct fake_kernel *k, struct bdf a)
{
	const struct fake_bound *b = bound(k, a);

	return b && b->pid == getpid() && device_fd_is_open(k, a);
}

static struct fake_bound *new_bound(struct fake_kernel *k, struct bdf a)
{
	struct fake_bound *b = bound(k, a);

	if (!b && k->shared->n_bound < FAKE_DEVS)
		b = &k->shared->bound[k->shared->n_bound++];
	return b;
}

int cdev_bind(struct fake_kernel *k, struct bdf a, int fd, void *arg)
{
	const struct { uint32_t argsz, flags; int32_t iommufd; uint32_t out_devid; } *bind = arg;
	struct fake_bound *b;
	struct fake_op op;
	char path[512];
	int r = op_begin(&op, k, &a, "ioctl VFIO_DEVICE_BIND_IOMMUFD %s", BDF_S(a));

	if (r < 0)
		return r;
	op_hang(&op);
	if (bind->argsz < sizeof(*bind) || bind->flags || device_fd_is_open(k, a) ||
	    tfs_fdpath(root_of(k), bind->iommufd, path, sizeof(path)) < 0 || strcmp(path, "/dev/iommu") != 0)
		return op_end(&op, -EINVAL);
	if (k->shared->settings.no_intremap)
		return op_end(&op, -EPERM);
	if (strcmp(bus_driver(root_of(k), a).s, "vfio-pci") != 0)
		return op_end(&op, -ENODEV);
	b = new_bound(k, a);
	r = b ? device_enable(k, a, fd) : -ENOSPC;
	if (r == 0)
		*b = (struct fake_bound){ a, getpid(), bind->iommufd };
	return op_end(&op, r);
}

int cdev_owns(struct fake_kernel *k, struct bdf a, const struct bdf *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!cdev_is_bound(k, v[i]) || bound(k, v[i])->iommufd != bound(k, a)->iommufd)
			return -EINVAL;
	return 0;
}
