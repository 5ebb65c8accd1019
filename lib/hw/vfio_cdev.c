// SPDX-License-Identifier: GPL-2.0-or-later
/* VFIO by device nodes and iommufd: see vfio_int.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "pdev.h"
#include "str.h"
#include "vfio_int.h"

/* include/uapi/linux/vfio.h since Linux 6.6; Debian 12's headers are older. */
struct bind_iommufd { uint32_t argsz, flags; int32_t iommufd; uint32_t out_devid; };
#define BIND_IOMMUFD _IO(';', 118)

bool vfio_cdev_alone(struct host *h)
{
	return !host_exists(h, "/dev/vfio/vfio") && host_exists(h, "/dev/iommu");
}

static int see_name(void *arg, const char *name)
{
	return str_starts(name, "vfio") ? str_copy(arg, PDEV_NAME, name) : 0;
}

/* ".../vfio-dev/vfio3" -> "vfio3" */
static int node_name(struct host *h, struct bdf bdf, char *name, struct err *e)
{
	int r;

	name[0] = '\0';
	r = host_list(h, pdev_path(bdf, "vfio-dev").s, see_name, name);
	if (r == 0 && !name[0])
		r = -ENOENT;
	return r < 0 ? err_set(e, -r, "cannot tell the VFIO node of %s: %s", BDF_S(bdf), err_text(r)) : 0;
}

static int bind(struct vfio_session *s, struct bdf bdf, struct err *e)
{
	struct bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = s->iommu };
	char name[PDEV_NAME];
	struct host_path path;
	int fd, r = node_name(s->h, bdf, name, e);

	if (r < 0)
		return r;
	path = host_path("/dev/vfio/devices/%s", name);
	fd = host_open_file(s->h, path.s, O_RDWR, 0);
	if (fd < 0)
		return err_set(e, -fd, "cannot open %s for %s: %s", path.s, BDF_S(bdf), err_text(fd));
	s->fd[s->n++] = fd;
	r = host_ioctl(s->h, fd, BIND_IOMMUFD, &bind);
	if (r < 0)
		return err_set(e, -r, "cannot bind %s to /dev/iommu: %s%s", BDF_S(bdf), err_text(r),
			       r == -EPERM ? "; without interrupt remapping no VM can use the card: switch it on in "
			       "the firmware" : r == -EBUSY ? "; somebody has it open" : "");
	return 0;
}

int vfio_cdev_open(struct vfio_session *s, const struct bdf *fns, size_t n, struct err *e)
{
	int r = 0;

	s->cdev = true;
	s->iommu = host_open_file(s->h, "/dev/iommu", O_RDWR, 0);
	if (s->iommu < 0)
		return err_set(e, -s->iommu, "cannot open /dev/iommu: %s", err_text(s->iommu));
	for (size_t i = 0; r == 0 && i < n && i < RESET_FUNCTIONS; i++)
		r = bind(s, fns[i], e);
	s->device = r == 0 ? s->fd[0] : -1;
	return r;
}
