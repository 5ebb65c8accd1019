// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel_vfio - /dev/vfio: groups, containers and devices.
 *
 * A group's node is a plain file on which the opener holds an exclusive flock; an open device is
 * a shared flock on /.fake/fd/ADDRESS.  So close(2), exit and inheritance over fork() end and keep an
 * "open" as they do on Linux, without an operation for close.
 *
 * drivers/vfio/group.c (vfio_group_fops_open, vfio_group_ioctl_*), drivers/vfio/container.c,
 * drivers/vfio/pci/vfio_pci_core.c (vfio_pci_ioctl_*).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "kernel_int.h"
#include "str.h"

/* --- who has what open ------------------------------------------------------------------------ */

/* Somebody holds a flock on the file. */
static bool is_flocked(const struct fake_kernel *k, const char *path)
{
	int fd = tfs_open(root_of(k), path, O_RDONLY, 0);
	bool held;

	if (fd < 0)
		return false;
	held = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	close(fd);
	return held;
}

bool device_fd_is_open(const struct fake_kernel *k, struct bdf a)
{
	return is_flocked(k, bus_hidden("fd", a).s);
}

bool vm_has_open(const struct fake_kernel *k, struct bdf a, unsigned *ret_vmid)
{
	struct tfs_names names;
	bool found = false;

	if (tfs_list(root_of(k), "/.fake/vm", &names) < 0)
		return false;
	for (size_t i = 0; !found && i < names.n; i++) {
		char text[2048];

		tfs_get(root_of(k), tfs_path("/.fake/vm/%s", names.v[i]).s, text, sizeof(text));
		found = strstr(text, BDF_S(a)) != NULL && str_to_vmid(names.v[i], ret_vmid) == 0;
	}
	tfs_names_release(&names);
	return found;
}

bool device_is_open(const struct fake_kernel *k, struct bdf a)
{
	unsigned vmid;

	return device_fd_is_open(k, a) || vm_has_open(k, a, &vmid);
}

static bool vm_has_group(const struct fake_kernel *k, int group)
{
	struct bdf v[FAKE_DEVS];
	size_t n = bus_group_members(root_of(k), group, v, ARRAY_SIZE(v));
	unsigned vmid;

	for (size_t i = 0; i < n; i++)
		if (vm_has_open(k, v[i], &vmid))
			return true;
	return false;
}

bool group_is_claimed(struct fake_kernel *k, int group)
{
	bool held;
	int lock;

	if (group < 0 || group >= FAKE_GROUPS || vm_has_group(k, group))
		return group >= 0 && group < FAKE_GROUPS;
	lock = klock(k);
	held = k->shared->groups[group].container_set && is_flocked(k, tfs_path("/dev/vfio/%d", group).s);
	kunlock(lock);
	return held;
}

bool group_is_viable(const struct fake_kernel *k, int group)
{
	struct bdf v[FAKE_DEVS];
	size_t n = bus_group_members(root_of(k), group, v, ARRAY_SIZE(v));

	for (size_t i = 0; i < n; i++)
		if (bus_driver_is_host(bus_driver(root_of(k), v[i]).s))
			return false;
	return true;
}

/* "/dev/vfio/15" -> 15, -1 for another path */
static int group_number(const char *path)
{
	uint64_t n;

	if (!str_starts(path, "/dev/vfio/") || str_to_u64(path + strlen("/dev/vfio/"), 10, &n) < 0 ||
	    n >= FAKE_GROUPS)
		return -1;
	return (int)n;
}

/* is_flocked() of another process has the lock for a moment too: only who keeps it holds the group. */
static bool take_group(int fd)
{
	const struct timespec ms = { 0, 1000000 };

	for (int i = 0; i < 50; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		nanosleep(&ms, NULL);
	}
	return false;
}

int vfio_open(struct fake_kernel *k, const char *path, int flags, mode_t mode)
{
	int group = group_number(path), fd, lock;

	if (str_starts(path, "/dev/vfio/devices/"))
		return cdev_open(k, path, flags);
	fd = host_default_ops.open(&k->host, path, flags & ~O_CREAT, mode);
	if (fd < 0 || group < 0)
		return fd;
	lock = klock(k);
	if (vm_has_group(k, group) || !take_group(fd)) {
		close(fd);
		fd = -EBUSY;
	} else {
		k->shared->groups[group] = (struct fake_group){ false, false, 0, -1 };
	}
	kunlock(lock);
	return fd;
}

/* --- container -------------------------------------------------------------------------------- */

/* The group of that number is in this process's container `fd`.  There is no operation for close(2):
 * a group that nobody holds open any more has left its container. */
static bool group_in(struct fake_kernel *k, int group, int fd)
{
	struct fake_group *g = &k->shared->groups[group];

	/* only its own: another process may be taking the group in this very moment */
	if (!g->container_set || g->pid != getpid())
		return false;
	if (!is_flocked(k, tfs_path("/dev/vfio/%d", group).s))
		*g = (struct fake_group){ false, false, 0, -1 };
	return g->container_set && g->container == fd;
}

static int container_set_iommu(struct fake_kernel *k, int fd)
{
	struct fake_shared *s = k->shared;
	struct fake_op op;
	int found = 0, r = op_begin(&op, k, NULL, "ioctl VFIO_SET_IOMMU");

	if (r < 0)
		return r;
	op_hang(&op);
	if (s->settings.no_intremap)
		return op_end(&op, -EPERM);
	for (int i = 0; i < FAKE_GROUPS; i++) {
		if (!group_in(k, i, fd))
			continue;
		if (s->groups[i].iommu_set)
			return op_end(&op, -EINVAL);
		s->groups[i].iommu_set = true;
		found++;
	}
	return op_end(&op, found ? 0 : -EINVAL);
}

static int container_ioctl(struct fake_kernel *k, int fd, unsigned long request, uintptr_t arg)
{
	if (request == VFIO_GET_API_VERSION)
		return VFIO_API_VERSION;
	if (request == VFIO_CHECK_EXTENSION)
		return arg == VFIO_TYPE1_IOMMU || arg == VFIO_TYPE1v2_IOMMU;
	if (request == VFIO_SET_IOMMU)
		return arg == VFIO_TYPE1_IOMMU || arg == VFIO_TYPE1v2_IOMMU ? container_set_iommu(k, fd) :
		       -EINVAL;
	return -ENOTTY;
}

/* --- group ------------------------------------------------------------------------------------ */

static int group_status(struct fake_kernel *k, int group, struct vfio_group_status *status)
{
	if (status->argsz < sizeof(*status))
		return -EINVAL;
	status->flags = 0;
	if (k->shared->groups[group].container_set)
		status->flags |= VFIO_GROUP_FLAGS_CONTAINER_SET | VFIO_GROUP_FLAGS_VIABLE;
	else if (group_is_viable(k, group))
		status->flags |= VFIO_GROUP_FLAGS_VIABLE;
	return 0;
}

static int group_set_container(struct fake_kernel *k, int group, int container)
{
	struct fake_group *g = &k->shared->groups[group];
	char path[512];
	bool iommu = false;
	struct fake_op op;
	int r = op_begin(&op, k, NULL, "ioctl VFIO_GROUP_SET_CONTAINER %d", group);

	if (r < 0)
		return r;
	op_hang(&op);
	if (g->container_set)
		return op_end(&op, -EINVAL);
	if (tfs_fdpath(root_of(k), container, path, sizeof(path)) < 0 || strcmp(path, "/dev/vfio/vfio") != 0)
		return op_end(&op, -EINVAL);
	if (!group_is_viable(k, group))
		return op_end(&op, -EPERM);
	/* A container that has its IOMMU takes further groups as they come. */
	for (int i = 0; i < FAKE_GROUPS; i++)
		iommu |= group_in(k, i, container) && k->shared->groups[i].iommu_set;
	*g = (struct fake_group){ true, iommu, getpid(), container };
	return op_end(&op, 0);
}

static bool group_has_open_device(const struct fake_kernel *k, int group)
{
	struct bdf v[FAKE_DEVS];
	size_t n = bus_group_members(root_of(k), group, v, ARRAY_SIZE(v));

	for (size_t i = 0; i < n; i++)
		if (device_fd_is_open(k, v[i]))
			return true;
	return false;
}

static int group_unset_container(struct fake_kernel *k, int group)
{
	struct fake_group *g = &k->shared->groups[group];

	if (!g->container_set)
		return -EINVAL;
	if (group_has_open_device(k, group))
		return -EBUSY;
	*g = (struct fake_group){ false, false, 0, -1 };
	return 0;
}

/* vfio_pci_core_enable(): the first open resets the function if it can be reset. */
int device_enable(struct fake_kernel *k, struct bdf a, int fd)
{
	bool first = !device_fd_is_open(k, a);

	if (flock(fd, LOCK_SH) < 0)
		return -EAGAIN;
	if (first && function_reset_works(k, a))
		counts_of(k, a)->open_reset++;
	return 0;
}

int device_node(struct fake_kernel *k, struct bdf a)
{
	tfs_mkdirs(root_of(k), "/.fake/fd");
	return tfs_open(root_of(k), bus_hidden("fd", a).s, O_RDWR | O_CREAT, 0600);
}

static int device_open(struct fake_kernel *k, struct bdf a)
{
	int fd = device_node(k, a), r;

	if (fd < 0)
		return fd;
	r = device_enable(k, a, fd);
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

static int group_device_fd(struct fake_kernel *k, int group, const char *name)
{
	struct fake_group *g = &k->shared->groups[group];
	struct fake_op op;
	struct bdf a;
	int r;

	if (bdf_parse(name, &a) < 0)
		return -ENODEV;
	r = op_begin(&op, k, &a, "ioctl VFIO_GROUP_GET_DEVICE_FD %s", name);
	if (r < 0)
		return r;
	op_hang(&op);
	if (!g->container_set || !g->iommu_set)
		return op_end(&op, -EINVAL);
	if (bus_group(root_of(k), a) != group || strcmp(bus_driver(root_of(k), a).s, "vfio-pci") != 0)
		return op_end(&op, -ENODEV);
	return op_end(&op, device_open(k, a));
}

static int group_ioctl(struct fake_kernel *k, int group, unsigned long request, void *arg)
{
	if (request == VFIO_GROUP_GET_STATUS)
		return group_status(k, group, arg);
	if (request == VFIO_GROUP_SET_CONTAINER)
		return group_set_container(k, group, *(int *)arg);
	if (request == VFIO_GROUP_UNSET_CONTAINER)
		return group_unset_container(k, group);
	if (request == VFIO_GROUP_GET_DEVICE_FD)
		return group_device_fd(k, group, arg);
	return -ENOTTY;
}

/* --- device ----------------------------------------------------------------------------------- */

static int device_info(struct fake_kernel *k, struct bdf a, struct vfio_device_info *info)
{
	if (info->argsz < offsetof(struct vfio_device_info, num_irqs) + sizeof(info->num_irqs))
		return -EINVAL;
	info->flags = VFIO_DEVICE_FLAGS_PCI | (function_reset_works(k, a) ? VFIO_DEVICE_FLAGS_RESET : 0);
	info->num_regions = VFIO_PCI_NUM_REGIONS;
	info->num_irqs = VFIO_PCI_NUM_IRQS;
	return 0;
}

static int device_reset(struct fake_kernel *k, struct bdf a)
{
	struct fake_op op;
	int lock, r = op_begin(&op, k, &a, "ioctl VFIO_DEVICE_RESET %s", BDF_S(a));

	if (r < 0)
		return r;
	op_hang(&op);
	if (!function_reset_works(k, a))
		return op_end(&op, -EINVAL);
	lock = device_lock(&op, a);
	if (lock < 0)
		return op_end(&op, lock);
	r = reset_hits(&op, a, "vfio");
	kunlock(lock);
	return op_end(&op, r);
}

static int hot_reset_info(struct fake_kernel *k, struct bdf a, struct vfio_pci_hot_reset_info *info)
{
	struct bdf v[FAKE_DEVS];
	size_t n = reset_set(k, a, v, ARRAY_SIZE(v)), room;

	if (info->argsz < sizeof(*info))
		return -EINVAL;
	if (n == 0)
		return -ENODEV;
	room = (info->argsz - sizeof(*info)) / sizeof(info->devices[0]);
	info->flags = 0;
	info->count = (uint32_t)n;
	if (room < n)
		return -ENOSPC;
	for (size_t i = 0; i < n; i++) {
		info->devices[i].group_id = (uint32_t)bus_group(root_of(k), v[i]);
		info->devices[i].segment = (uint16_t)v[i].domain;
		info->devices[i].bus = v[i].bus;
		info->devices[i].devfn = (uint8_t)(v[i].dev << 3 | v[i].fn);
	}
	return 0;
}

/* The caller shows that it owns the group: a descriptor of it, with a container. */
static bool owns_group(struct fake_kernel *k, const struct vfio_pci_hot_reset *hot, int group)
{
	for (uint32_t i = 0; i < hot->count; i++) {
		char path[512];

		if (tfs_fdpath(root_of(k), hot->group_fds[i], path, sizeof(path)) == 0 &&
		    group_number(path) == group)
			return k->shared->groups[group].container_set;
	}
	return false;
}

static int hot_reset_check(struct fake_kernel *k, struct bdf a, const struct vfio_pci_hot_reset *hot,
			   const struct bdf *v, size_t n)
{
	if (hot->argsz < sizeof(*hot) + hot->count * sizeof(hot->group_fds[0]) || hot->flags)
		return -EINVAL;
	if (n == 0)
		return -ENODEV;
	if ((hot->count == 0) != cdev_is_bound(k, a) || hot->count > n)
		return -EINVAL;
	if (hot->count == 0)
		return cdev_owns(k, a, v, n);
	for (size_t i = 0; i < n; i++) {
		int group = bus_group(root_of(k), v[i]);

		/* Every function must be in the set of vfio's own devices, and its group the caller's. */
		if (group < 0 || strcmp(bus_driver(root_of(k), v[i]).s, "vfio-pci") != 0 ||
		    !owns_group(k, hot, group))
			return -EINVAL;
	}
	return 0;
}

static int hot_reset(struct fake_kernel *k, struct bdf a, struct vfio_pci_hot_reset *hot)
{
	struct bdf v[FAKE_DEVS];
	struct fake_op op;
	size_t n;
	int r = op_begin(&op, k, &a, "ioctl VFIO_DEVICE_PCI_HOT_RESET %s", BDF_S(a));

	if (r < 0)
		return r;
	op_hang(&op);
	n = reset_set(k, a, v, ARRAY_SIZE(v));
	r = hot_reset_check(k, a, hot, v, n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = reset_hits(&op, v[i], "hot");
	return op_end(&op, r);
}

static int device_ioctl(struct fake_kernel *k, struct bdf a, int fd, unsigned long request, void *arg)
{
	if (request == FAKE_BIND_IOMMUFD)
		return cdev_bind(k, a, fd, arg);
	if (!device_fd_is_open(k, a))
		return -EINVAL;		/* a node that is bound to nothing */
	if (request == VFIO_DEVICE_GET_INFO)
		return device_info(k, a, arg);
	if (request == VFIO_DEVICE_RESET)
		return device_reset(k, a);
	if (request == VFIO_DEVICE_GET_PCI_HOT_RESET_INFO)
		return hot_reset_info(k, a, arg);
	if (request == VFIO_DEVICE_PCI_HOT_RESET)
		return hot_reset(k, a, arg);
	return -ENOTTY;
}

int vfio_ioctl(struct fake_kernel *k, int fd, const char *path, unsigned long request, void *arg)
{
	int group = group_number(path);
	struct bdf a;

	if (strcmp(path, "/dev/vfio/vfio") == 0)
		return container_ioctl(k, fd, request, (uintptr_t)arg);
	if (group >= 0)
		return group_ioctl(k, group, request, arg);
	if (str_starts(path, "/.fake/fd/") && bdf_parse(path + strlen("/.fake/fd/"), &a) == 0)
		return device_ioctl(k, a, fd, request, arg);
	return host_default_ops.ioctl(&k->host, fd, request, arg);
}
