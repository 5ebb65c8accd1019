// SPDX-License-Identifier: GPL-2.0-or-later
/* A PCI function's part of sysfs: see inuse_walk.h. */
#include "inuse_walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inuse_dir.h"
#include "inuse_nodes.h"
#include "str.h"

enum { DEPTH = 40 };		/* five USB hubs and a disk make 25 */

struct walk {
	struct inuse_parts *parts;
	struct host *h;
	size_t fn;
	unsigned depth;
	bool below_usb, other_domain;
};

/* Folders without device nodes, some of them huge. */
static bool is_dull(const char *name)
{
	static const char *const dull[] = {
		"power", "msi_irqs", "queues", "queue", "mq", "statistics", "integrity", "trace", "holders",
		"slaves", "hwmon", "wakeup", "ip_discovery", "ras", "mdev_supported_types",
	};

	for (size_t i = 0; i < ARRAY_SIZE(dull); i++)
		if (strcmp(name, dull[i]) == 0)
			return true;
	return false;
}

static struct inuse_part *add(struct walk *w, const char *path, const char *name)
{
	struct inuse_parts *p = w->parts;

	if (p->n == p->size) {
		size_t size = p->size ? p->size * 2 : 32;
		struct inuse_part *v = realloc(p->v, size * sizeof(*v));

		if (!v)
			return NULL;
		p->v = v;
		p->size = size;
	}
	p->v[p->n] = (struct inuse_part){ .fn = w->fn, .below_usb = w->below_usb };
	p->v[p->n].path = host_path("%s", path);
	if (str_copy(p->v[p->n].name, sizeof(p->v[p->n].name), name) < 0)
		p->v[p->n].name[0] = '\0';
	return &p->v[p->n++];
}

/* The class of a device: its link or, in a tree without it, the folder that groups a parent's
 * devices of one class (drivers/base/core.c:get_device_parent). */
static void read_subsystem(struct walk *w, struct inuse_part *part)
{
	struct host_path folder = part->path;
	char *slash;

	if (host_read_linkname(w->h, host_path("%s/subsystem", part->path.s).s, part->subsystem,
			       sizeof(part->subsystem)) == 0)
		return;
	slash = strrchr(folder.s, '/');
	if (slash)
		*slash = '\0';
	slash = strrchr(folder.s, '/');
	if (!slash || str_copy(part->subsystem, sizeof(part->subsystem), slash + 1) < 0)
		part->subsystem[0] = '\0';
}

static int walk_folder(struct walk *w, const char *path, const char *name);

/* A namespace of an NVMe disk with native multipath hangs below its subsystem, which is no child of
 * any controller (drivers/nvme/host/multipath.c:nvme_mpath_set_live). */
struct nvme {
	struct walk *w;
	const char *controller;
};

static int each_nvme_subsystem(void *arg, const char *name)
{
	struct nvme *a = arg;
	struct host_path path = host_path("/sys/class/nvme-subsystem/%s", name);

	if (!host_exists(a->w->h, host_path("%s/%s", path.s, a->controller).s))
		return 0;
	return walk_folder(a->w, path.s, name);
}

static int walk_nvme(struct walk *w, const char *controller)
{
	struct nvme a = { w, controller };
	int r = host_list(w->h, "/sys/class/nvme-subsystem", each_nvme_subsystem, &a);

	return r == -ENOENT ? 0 : r;
}

/* The folder has a `dev` attribute: it is a device with a node. */
static int add_node(struct walk *w, const char *path, const char *name)
{
	struct inuse_part *part = add(w, path, name);
	char controller[sizeof(part->name)];

	if (!part)
		return -ENOMEM;
	if (inuse_nodes_number(w->h, host_path("%s/dev", path).s, &part->major, &part->minor) < 0) {
		w->parts->n--;		/* gone while we looked */
		return 0;
	}
	read_subsystem(w, part);
	part->kind = strcmp(part->subsystem, "block") == 0 ? INUSE_PART_BLOCK : INUSE_PART_CHAR;
	if (strcmp(part->subsystem, "nvme") != 0)
		return 0;
	memcpy(controller, part->name, sizeof(controller));
	return walk_nvme(w, controller);
}

/* The folder net/ of a device. */
static int add_interfaces(struct walk *w, const char *path)
{
	struct inuse_part *part;
	unsigned char type;
	const char *name;
	struct inuse_dir d;
	int r, n = 0;

	r = inuse_dir_open(&d, w->h, path);
	if (r < 0)
		return r;
	while ((r = inuse_dir_next(&d, &name, &type)) > 0) {
		if (type != DT_DIR)
			continue;
		n++;
		part = add(w, host_path("%s/%s", path, name).s, name);
		if (!part) {
			r = -ENOMEM;
			break;
		}
		part->kind = INUSE_PART_NET;
	}
	inuse_dir_close(&d);
	if (r < 0 || n)
		return r < 0 ? r : 0;
	part = add(w, path, "");
	if (!part)
		return -ENOMEM;
	part->kind = INUSE_PART_NET;
	return 0;
}

/* "pci10000:e0": the root of another PCI domain. */
static bool is_root_bus(const char *name)
{
	return str_starts(name, "pci") && strchr(name, ':');
}

/* "usb3", "3-1.2": what a host controller made. */
static bool is_usb(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return (str_starts(name, "usb") && name[3] >= '0' && name[3] <= '9') ||
	       (digits && name[digits] == '-' && !strchr(name, ':'));
}

static int walk_child(struct walk *w, const char *path, const char *name)
{
	struct walk child = *w;
	struct bdf bdf;
	int r;

	if (is_dull(name) || (bdf_parse(name, &bdf) == 0 && !w->other_domain) || ++child.depth > DEPTH)
		return 0;
	if (strcmp(name, "net") == 0)
		r = add_interfaces(&child, path);
	else {
		child.other_domain = w->other_domain || is_root_bus(name);
		child.below_usb = w->below_usb || is_usb(name);
		r = walk_folder(&child, path, name);
	}
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

static int walk_folder(struct walk *w, const char *path, const char *name)
{
	unsigned char type;
	struct inuse_dir d;
	const char *entry;
	int r;

	r = inuse_dir_open(&d, w->h, path);
	if (r < 0)
		return r;
	while ((r = inuse_dir_next(&d, &entry, &type)) > 0) {
		if (type == DT_DIR)
			r = walk_child(w, host_path("%s/%s", path, entry).s, entry);
		else if (type == DT_REG && strcmp(entry, "dev") == 0)
			r = add_node(w, path, name);
		if (r < 0)
			break;
	}
	inuse_dir_close(&d);
	return r;
}

int inuse_walk(struct inuse_parts *p, struct host *h, struct bdf bdf, size_t fn)
{
	struct walk w = { .parts = p, .h = h, .fn = fn };
	int r = walk_folder(&w, host_path("/sys/bus/pci/devices/%s", BDF_S(bdf)).s, BDF_S(bdf));

	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

void inuse_parts_release(struct inuse_parts *p)
{
	free(p->v);
	*p = (struct inuse_parts){ NULL, 0, 0 };
}
