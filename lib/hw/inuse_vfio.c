// SPDX-License-Identifier: GPL-2.0-or-later
/* Who holds VFIO groups: see inuse.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inuse.h"
#include "inuse_nodes.h"
#include "inuse_proc.h"
#include "str.h"

/* Tag of a VFIO node that opens none of the groups asked for.  It is looked for all the same: a
 * process that holds one has said whose its device files are. */
#define OTHER	SIZE_MAX

struct search {
	struct host *h;
	const unsigned *groups;
	size_t n;
	struct inuse_nodes nodes;	/* tag = index into groups[], or OTHER */
	bool wanted;			/* at least one node is not OTHER */
	struct inuse_vfio *ret;

	/* the process being looked at */
	bool *held;			/* per group */
	bool any, named, unnamed;	/* it holds one of ours; has files that name their device; that do not */
};

static size_t group_index(const struct search *s, unsigned group)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->groups[i] == group)
			return i;
	return OTHER;
}

/* The IOMMU group of a PCI device, by its link (drivers/iommu/iommu.c:iommu_group_add_device). */
static size_t device_group(struct search *s, const char *bdf)
{
	char name[32];
	uint64_t group;

	if (host_read_linkname(s->h, host_path("/sys/bus/pci/devices/%s/iommu_group", bdf).s, name,
			       sizeof(name)) < 0 ||
	    str_to_u64(name, 10, &group) < 0 || group > UINT32_MAX)
		return OTHER;
	return group_index(s, (unsigned)group);
}

static int add_node(struct search *s, const char *folder, const char *name, size_t tag)
{
	s->wanted = s->wanted || tag != OTHER;
	return inuse_nodes_add_dev(&s->nodes, s->h, folder, name, tag);
}

/* "14" or, without an IOMMU, "noiommu-14" (drivers/vfio/group.c:vfio_group_alloc). */
static int each_group(void *arg, const char *name)
{
	struct search *s = arg;
	const char *number = str_starts(name, "noiommu-") ? name + strlen("noiommu-") : name;
	uint64_t group;
	char file[64];

	if (str_to_u64(number, 10, &group) < 0 || group > UINT32_MAX)
		return 0;
	snprintf(file, sizeof(file), "vfio/%.40s", name);
	return add_node(s, host_path("/sys/class/vfio/%s", name).s, file, group_index(s, (unsigned)group));
}

/* ".../0000:01:00.0/vfio-dev/vfio0": the device is two elements above. */
static size_t cdev_group(struct search *s, const char *name)
{
	char target[512], *p;
	int r = host_readlink(s->h, host_path("/sys/class/vfio-dev/%s", name).s, target, sizeof(target));

	for (int i = 0; r == 0 && i < 2; i++) {
		p = strrchr(target, '/');
		if (!p)
			return OTHER;
		*p = '\0';
	}
	p = r == 0 ? strrchr(target, '/') : NULL;
	return p ? device_group(s, p + 1) : OTHER;
}

static int each_cdev(void *arg, const char *name)
{
	struct search *s = arg;
	char file[64];

	snprintf(file, sizeof(file), "vfio/devices/%.40s", name);
	return add_node(s, host_path("/sys/class/vfio-dev/%s", name).s, file, cdev_group(s, name));
}

static int each_in(struct search *s, const char *folder, host_name_fn fn, struct err *e)
{
	int r = host_list(s->h, folder, fn, s);

	if (r == 0 || r == -ENOENT)
		return 0;
	return err_set(e, -r, "cannot list the VFIO devices in %s: %s", folder, err_text(r));
}

/* All VFIO nodes.  A tree was perhaps captured without this class; every group may have a node. */
static int collect(struct search *s, struct err *e)
{
	int r = each_in(s, "/sys/class/vfio", each_group, e);

	if (r == 0 && !s->h->real)
		r = each_in(s, "/sys/kernel/iommu_groups", each_group, e);
	if (r == 0)
		r = each_in(s, "/sys/class/vfio-dev", each_cdev, e);
	return r;
}

static int on_node(void *arg, int pid, size_t i)
{
	struct search *s = arg;
	size_t tag = s->nodes.v[i].tag;

	(void)pid;
	s->named = true;
	if (tag != OTHER)
		s->any = s->held[tag] = true;
	return 0;
}

static int on_device(void *arg, int pid, const struct bdf *bdf)
{
	struct search *s = arg;
	size_t tag;

	(void)pid;
	if (!bdf) {
		s->unnamed = true;
		return 0;
	}
	s->named = true;
	tag = device_group(s, BDF_S(*bdf));
	if (tag != OTHER)
		s->any = s->held[tag] = true;
	return 0;
}

static int add_holder(struct inuse_vfio *ret, unsigned group, bool exact, const struct inuse_who *who)
{
	struct inuse_vfio_holder *v = realloc(ret->v, (ret->n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	ret->v = v;
	v[ret->n++] = (struct inuse_vfio_holder){ group, exact, *who };
	return 0;
}

static int on_done(void *arg, int pid)
{
	struct search *s = arg;
	bool vague = s->unnamed && !s->named;
	struct inuse_who who;
	int r = 0;

	if (s->any || vague)
		inuse_who(s->h, pid, &who);
	for (size_t i = 0; r == 0 && i < s->n; i++)
		if (s->held[i] || vague)
			r = add_holder(s->ret, s->groups[i], s->held[i], &who);
	memset(s->held, 0, s->n * sizeof(*s->held));
	s->any = s->named = s->unnamed = false;
	return r;
}

static int by_group(const void *a, const void *b)
{
	const struct inuse_vfio_holder *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x->who.pid > y->who.pid) - (x->who.pid < y->who.pid);
}

static int search(struct search *s, struct err *e)
{
	struct inuse_pass pass = {
		.h = s->h, .vfio = true, .found = on_node, .device = on_device, .done = on_done, .arg = s,
	};
	int r = collect(s, e);

	if (r < 0 || !s->wanted)
		return r;
	pass.nodes = s->nodes.v;
	pass.n = s->nodes.n;
	r = inuse_proc_run(&pass, e);
	s->ret->unseen = pass.unseen;
	if (s->ret->n)
		qsort(s->ret->v, s->ret->n, sizeof(*s->ret->v), by_group);
	return r;
}

int inuse_vfio(struct host *h, const unsigned *groups, size_t n, struct inuse_vfio **ret, struct err *e)
{
	struct search s = { .h = h, .groups = groups, .n = n };
	int r = 0;

	s.ret = calloc(1, sizeof(*s.ret));
	s.held = calloc(n ? n : 1, sizeof(*s.held));
	if (!s.ret || !s.held)
		r = err_nomem(e);
	else if (n)
		r = search(&s, e);
	inuse_nodes_release(&s.nodes);
	free(s.held);
	if (r < 0)
		inuse_vfio_free(s.ret);
	else
		*ret = s.ret;
	return r;
}

void inuse_vfio_free(struct inuse_vfio *v)
{
	if (v)
		free(v->v);
	free(v);
}

void inuse_vfio_freep(struct inuse_vfio **v)
{
	inuse_vfio_free(*v);
}
