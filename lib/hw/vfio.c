// SPDX-License-Identifier: GPL-2.0-or-later
/* Resets through VFIO: see vfio.h. */
#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"
#include "inuse.h"
#include "pdev.h"
#include "str.h"
#include "vfio_int.h"

#define LISTED_MAX 256

static void session_close(struct vfio_session *s)
{
	if (s->device >= 0 && !s->cdev)
		close(s->device);
	for (size_t i = 0; i < s->n; i++)
		close(s->fd[i]);
	if (s->iommu >= 0)
		close(s->iommu);
}

static int group_of(struct host *h, struct bdf bdf, int *ret, struct err *e)
{
	char name[PDEV_NAME];
	uint64_t v;
	int r = host_read_linkname(h, pdev_path(bdf, "iommu_group").s, name, sizeof(name));

	if (r == 0)
		r = str_to_u64(name, 10, &v);
	if (r < 0)
		return err_set(e, -r, "cannot tell the IOMMU group of %s: %s", BDF_S(bdf), err_text(r));
	*ret = (int)v;
	return 0;
}

static int group_open(struct vfio_session *s, int group, struct err *e)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	struct host_path path = host_path("/dev/vfio/%d", group);
	int fd = host_open_file(s->h, path.s, O_RDWR, 0), r;

	if (fd < 0)
		return err_set(e, -fd, "cannot open %s: %s%s", path.s, err_text(fd),
			       fd == -EBUSY ? "; somebody uses the group: see 'fuser -v' on it" : "");
	r = host_ioctl(s->h, fd, VFIO_GROUP_GET_STATUS, &status);
	if (r == 0 && !(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		close(fd);
		return err_set(e, EPERM, "IOMMU group %d is not viable: a member is on a host driver", group);
	}
	if (r == 0)
		r = host_ioctl(s->h, fd, VFIO_GROUP_SET_CONTAINER, &s->iommu);
	if (r < 0) {
		close(fd);
		return err_set(e, -r, "cannot put IOMMU group %d into a VFIO container: %s", group, err_text(r));
	}
	s->group[s->n] = group;
	s->fd[s->n++] = fd;
	return 0;
}

static int groups_open(struct vfio_session *s, const struct bdf *fns, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int group = -1, r = group_of(s->h, fns[i], &group, e);
		size_t at = 0;

		while (r == 0 && at < s->n && s->group[at] != group)
			at++;
		if (r == 0 && at == s->n)
			r = s->n < RESET_FUNCTIONS ? group_open(s, group, e) :
			    err_set(e, E2BIG, "the card spans more than %d IOMMU groups", RESET_FUNCTIONS);
		if (r < 0)
			return r;
	}
	return 0;
}

static int session_open(struct vfio_session *s, const struct bdf *fns, size_t n, struct err *e)
{
	struct bdf_text name = bdf_format(fns[0]);
	int r;

	if (vfio_cdev_alone(s->h))
		return vfio_cdev_open(s, fns, n, e);
	s->iommu = host_open_file(s->h, "/dev/vfio/vfio", O_RDWR, 0);
	if (s->iommu < 0)
		return err_set(e, -s->iommu, "cannot open /dev/vfio/vfio: %s", err_text(s->iommu));
	r = groups_open(s, fns, n, e);
	if (r < 0)
		return r;
	r = host_ioctl(s->h, s->iommu, VFIO_SET_IOMMU, (void *)(uintptr_t)VFIO_TYPE1v2_IOMMU);
	if (r < 0)
		return err_set(e, -r, "VFIO refuses the IOMMU for %s: %s%s", name.s, err_text(r),
			       r == -EPERM ? "; without interrupt remapping no VM can use the card: switch it on in "
			       "the firmware" : "");
	s->device = host_ioctl(s->h, s->fd[0], VFIO_GROUP_GET_DEVICE_FD, name.s);
	if (s->device < 0)
		return err_set(e, -s->device, "cannot open %s through VFIO: %s", name.s, err_text(s->device));
	return 0;
}

static bool among(const struct vfio_pci_dependent_device *d, const struct bdf *fns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		/* the interface has 16 bits for the domain */
		if ((fns[i].domain & 0xffff) == d->segment && fns[i].bus == d->bus &&
		    (fns[i].dev << 3 | fns[i].fn) == d->devfn)
			return true;
	return false;
}

/* Everything the kernel would reset is ours. */
static int all_ours(struct vfio_session *s, const struct bdf *fns, size_t n, struct err *e)
{
	size_t size = sizeof(struct vfio_pci_hot_reset_info) +
		      LISTED_MAX * sizeof(struct vfio_pci_dependent_device);
	struct vfio_pci_hot_reset_info *info = calloc(1, size);
	int r;

	if (!info)
		return err_nomem(e);
	info->argsz = (uint32_t)size;
	r = host_ioctl(s->h, s->device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info);
	if (r < 0)
		r = err_set(e, -r, "%s has no slot or bus reset: %s", BDF_S(fns[0]), err_text(r));
	for (uint32_t i = 0; r == 0 && i < info->count && i < LISTED_MAX; i++) {
		const struct vfio_pci_dependent_device *d = &info->devices[i];

		if (!among(d, fns, n))
			r = err_set(e, EPERM, "a reset of %s would also reset %04x:%02x:%02x.%x, which is not part "
				    "of it", BDF_S(fns[0]), d->segment, d->bus, d->devfn >> 3, d->devfn & 7);
	}
	free(info);
	return r;
}

static int reset(struct vfio_session *s, struct bdf bdf, struct err *e)
{
	union {
		struct vfio_pci_hot_reset reset;
		char room[sizeof(struct vfio_pci_hot_reset) + RESET_FUNCTIONS * sizeof(int32_t)];
	} u;
	int r;

	memset(&u, 0, sizeof(u));
	u.reset.count = s->cdev ? 0 : (uint32_t)s->n;
	u.reset.argsz = (uint32_t)(sizeof(u.reset) + u.reset.count * sizeof(int32_t));
	for (size_t i = 0; i < u.reset.count; i++)
		u.reset.group_fds[i] = s->fd[i];
	r = host_ioctl(s->h, s->device, VFIO_DEVICE_PCI_HOT_RESET, &u.reset);
	return r < 0 ? err_set(e, -r, "VFIO hot reset of %s failed: %s", BDF_S(bdf), err_text(r)) : 0;
}

int vfio_hot_reset(struct host *h, const struct bdf *fns, size_t n, uint64_t *ns, struct err *e)
{
	struct vfio_session s = { .h = h, .iommu = -1, .device = -1 };
	uint64_t start = driver_clock();
	int r = session_open(&s, fns, n, e);

	if (r == 0)
		r = all_ours(&s, fns, n, e);
	if (r == 0)
		r = reset(&s, fns[0], e);
	session_close(&s);
	*ns += driver_clock() - start;
	return r;
}

static int one_function(struct host *h, struct bdf bdf, struct err *e)
{
	struct vfio_session s = { .h = h, .iommu = -1, .device = -1 };
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int r = session_open(&s, &bdf, 1, e);

	if (r == 0)
		r = host_ioctl(h, s.device, VFIO_DEVICE_GET_INFO, &info);
	if (r >= 0 && !(info.flags & VFIO_DEVICE_FLAGS_RESET))
		r = err_set(e, ENOTTY, "VFIO knows no reset of %s alone", BDF_S(bdf));
	if (r >= 0)
		r = host_ioctl(h, s.device, VFIO_DEVICE_RESET, NULL);
	if (r < 0 && e->code == 0)
		err_set(e, -r, "VFIO's reset of %s failed: %s", BDF_S(bdf), err_text(r));
	session_close(&s);
	return r < 0 ? r : 0;
}

int vfio_function_reset(struct host *h, const struct bdf *fns, size_t n, uint64_t *ns, struct err *e)
{
	uint64_t start = driver_clock();
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = one_function(h, fns[i], e);
	*ns += driver_clock() - start;
	return r;
}

int vfio_enable_count(struct host *h, struct bdf bdf)
{
	uint64_t v;

	return host_read_u64(h, pdev_path(bdf, "enable").s, 10, &v) < 0 ? -1 : (int)v;
}

bool vfio_group_is_busy(struct host *h, struct bdf bdf)
{
	struct err e = ERR_INIT;
	int group, fd;

	if (group_of(h, bdf, &group, &e) < 0)
		return false;
	fd = host_open_file(h, host_path("/dev/vfio/%d", group).s, O_RDWR, 0);
	if (fd >= 0)
		close(fd);
	return fd == -EBUSY;
}

static bool group_is_held(struct host *h, struct bdf bdf)
{
	_cleanup_(inuse_vfio_freep) struct inuse_vfio *held = NULL;
	struct err e = ERR_INIT;
	unsigned number;
	int group;

	if (group_of(h, bdf, &group, &e) < 0 || vfio_group_is_busy(h, bdf))
		return true;
	number = (unsigned)group;
	return inuse_vfio(h, &number, 1, &held, &e) < 0 || held->n > 0;
}

bool vfio_is_open(struct host *h, struct bdf bdf, int base)
{
	int count = vfio_enable_count(h, bdf);

	if (count < 0)
		return true;
	if (base >= 0 || count == 0)
		return count > (base > 0 ? base : 0);
	return group_is_held(h, bdf);
}
