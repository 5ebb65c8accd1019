// SPDX-License-Identifier: GPL-2.0-or-later
/* Which processes have device nodes of a set of functions open: see inuse_scan.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inuse_kfd.h"
#include "inuse_node_kind.h"
#include "inuse_nodes.h"
#include "inuse_scan.h"
#include "inuse_text.h"
#include "str.h"

enum { SHOWN = 3 };		/* nodes named in one sentence */

/* What a node means for its function; a node's tag is the index. */
struct meaning {
	size_t fn;
	enum inuse_kind kind;
	enum inuse_weight weight;
};

struct users {
	struct inuse_scan *scan;
	struct inuse_nodes nodes;
	struct meaning *means;
	size_t n_means;
	bool maps;

	/* the process being looked at: nodes it has, each once */
	bool *seen;
	size_t *touched, n_touched;
};

static int mean(struct users *u, size_t fn, enum inuse_kind kind, enum inuse_weight weight, size_t *ret_tag)
{
	struct meaning *v = realloc(u->means, (u->n_means + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	u->means = v;
	v[u->n_means] = (struct meaning){ fn, kind, weight };
	*ret_tag = u->n_means++;
	return 0;
}

static int add_part(struct users *u, const struct inuse_part *p)
{
	struct inuse_node node = {
		.numbered = true, .major = p->major, .minor = p->minor, .block = p->kind == INUSE_PART_BLOCK,
	};
	enum inuse_kind kind;
	enum inuse_weight weight;
	int r;

	if (p->kind == INUSE_PART_NET || inuse_node_is_root_hub(p))
		return 0;
	inuse_node_kind(p, &kind, &weight);
	inuse_node_name(p, node.name, sizeof(node.name));
	u->maps = u->maps || inuse_node_is_mapped(p);
	r = mean(u, p->fn, kind, weight, &node.tag);
	return r < 0 ? r : inuse_nodes_add(&u->nodes, &node);
}

/* /dev/nvidiaN is nobody's child in sysfs; the driver says which N in /proc
 * (kernel-open/nvidia/nv-procfs.c). */
static int add_nvidia(struct users *u, size_t fn)
{
	struct inuse_node node = { .numbered = true, .major = 195 };
	char buf[4096], *p;
	ssize_t n = host_read(u->scan->h, host_path("/proc/driver/nvidia/gpus/%s/information",
						    BDF_S(u->scan->fns[fn])).s, buf, sizeof(buf) - 1);
	uint64_t minor;
	int r;

	if (n <= 0)
		return 0;
	buf[n] = '\0';
	p = strstr(buf, "Device Minor:");
	if (!p)
		return 0;
	p += strlen("Device Minor:");
	p[strcspn(p, "\n")] = '\0';
	/* 254 and 255 are nvidia-modeset and nvidiactl, which all cards share. */
	if (str_to_u64(str_strip(p), 10, &minor) < 0 || minor >= 254)
		return 0;
	node.minor = (unsigned)minor;
	snprintf(node.name, sizeof(node.name), "nvidia%u", node.minor);
	u->maps = true;
	/* Its remove callback polls for ever while the node is open (nv-pci.c:nv_pci_remove_helper). */
	r = mean(u, fn, INUSE_PROCESS, INUSE_HANGS, &node.tag);
	return r < 0 ? r : inuse_nodes_add(&u->nodes, &node);
}

/* The node of the function's IOMMU group, with or without an IOMMU behind it. */
static int add_group(struct users *u, size_t fn)
{
	static const char *const prefix[] = { "", "noiommu-" };
	char group[32], name[64];
	size_t tag;
	int r = host_read_linkname(u->scan->h, host_path("/sys/bus/pci/devices/%s/iommu_group",
							 BDF_S(u->scan->fns[fn])).s, group, sizeof(group));

	if (r < 0)
		return 0;
	r = mean(u, fn, INUSE_VFIO, INUSE_HANGS, &tag);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(prefix); i++) {
		struct host_path folder = host_path("/sys/class/vfio/%s%s", prefix[i], group);

		snprintf(name, sizeof(name), "vfio/%s%s", prefix[i], group);
		if (!u->scan->h->real || host_exists(u->scan->h, folder.s))
			r = inuse_nodes_add_dev(&u->nodes, u->scan->h, folder.s, name, tag);
	}
	return r;
}

static int collect(struct users *u)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < u->scan->parts.n; i++)
		r = add_part(u, &u->scan->parts.v[i]);
	for (size_t i = 0; r == 0 && i < u->scan->n; i++) {
		r = add_nvidia(u, i);
		if (r == 0)
			r = add_group(u, i);
	}
	return r;
}

static int on_node(void *arg, int pid, size_t i)
{
	struct users *u = arg;

	(void)pid;
	if (!u->seen[i]) {
		u->seen[i] = true;
		u->touched[u->n_touched++] = i;
	}
	return 0;
}

static const struct meaning *meaning_of(const struct users *u, size_t touched)
{
	return &u->means[u->nodes.v[u->touched[touched]].tag];
}

/* " through /dev/dri/card0, /dev/dri/renderD128 and 2 more" */
static void add_names(struct users *u, struct inuse_finding *f, size_t fn)
{
	size_t total = 0, shown = 0;

	for (size_t i = 0; i < u->n_touched; i++)
		total += meaning_of(u, i)->fn == fn;
	for (size_t i = 0; i < u->n_touched && shown < SHOWN; i++) {
		if (meaning_of(u, i)->fn != fn)
			continue;
		INUSE_ADD(f, "%s/dev/%s", shown == 0 ? " through " : shown + 1 == total ? " and " : ", ",
			  u->nodes.v[u->touched[i]].name);
		shown++;
	}
	if (total > shown)
		INUSE_ADD(f, " and %zu more", total - shown);
}

static struct inuse_finding *add_holder(struct inuse_scan *s, size_t fn, enum inuse_kind kind,
					enum inuse_weight weight, const char *node, const struct inuse_who *who)
{
	struct inuse_finding *f = inuse_scan_add(s, fn, kind, weight, host_path("/dev/%s", node).s);

	if (!f)
		return NULL;
	f->who = *who;
	INUSE_ADD(f, "held by %s", inuse_who_format(who).s);
	return f;
}

/* One finding per function for this process, as heavy as its heaviest node, which comes first. */
static int report(struct users *u, size_t first, const struct inuse_who *who)
{
	const struct meaning *m = meaning_of(u, first);
	struct inuse_finding *f = add_holder(u->scan, m->fn, m->kind, m->weight,
					     u->nodes.v[u->touched[first]].name, who);

	if (!f)
		return -ENOMEM;
	add_names(u, f, m->fn);
	return 0;
}

static bool is_first_of_function(const struct users *u, size_t touched)
{
	for (size_t i = 0; i < touched; i++)
		if (meaning_of(u, i)->fn == meaning_of(u, touched)->fn)
			return false;
	return true;
}

static int by_weight(const void *a, const void *b, void *arg)
{
	const struct users *u = arg;
	const size_t *x = a, *y = b;
	enum inuse_weight v = u->means[u->nodes.v[*x].tag].weight, w = u->means[u->nodes.v[*y].tag].weight;

	return v != w ? (v > w ? -1 : 1) : (*x > *y) - (*x < *y);
}

static int on_done(void *arg, int pid)
{
	struct users *u = arg;
	struct inuse_who who;
	int r = 0;

	qsort_r(u->touched, u->n_touched, sizeof(*u->touched), by_weight, u);
	inuse_who(u->scan->h, pid, &who);
	for (size_t i = 0; r == 0 && i < u->n_touched; i++)
		if (is_first_of_function(u, i))
			r = report(u, i, &who);
	for (size_t i = 0; i < u->n_touched; i++)
		u->seen[u->touched[i]] = false;
	u->n_touched = 0;
	return r;
}

static int search(struct users *u, struct err *e)
{
	struct inuse_pass pass = {
		.h = u->scan->h, .nodes = u->nodes.v, .n = u->nodes.n, .maps = u->maps,
		.found = on_node, .done = on_done, .arg = u,
	};
	int r;

	if (u->nodes.n == 0)
		return 0;
	u->seen = calloc(u->nodes.n, sizeof(*u->seen));
	u->touched = calloc(u->nodes.n, sizeof(*u->touched));
	if (!u->seen || !u->touched)
		return err_nomem(e);
	r = inuse_proc_run(&pass, e);
	u->scan->ret->unseen = pass.unseen;
	return r;
}

/* A process that computes on an AMD GPU; usually it has the render node open too. */
static int on_kfd(void *arg, size_t fn, int pid)
{
	struct inuse_scan *s = arg;
	struct inuse_finding *f;
	struct inuse_who who;

	for (size_t i = 0; i < s->ret->n; i++)
		if (s->ret->v[i].who.pid == pid && bdf_same(s->ret->v[i].bdf, s->fns[fn]))
			return 0;
	inuse_who(s->h, pid, &who);
	f = add_holder(s, fn, INUSE_PROCESS, INUSE_BUSY, "kfd", &who);
	if (!f)
		return -ENOMEM;
	INUSE_ADD(f, " through /dev/kfd");
	return 0;
}

int inuse_users(struct inuse_scan *s, struct err *e)
{
	struct users u = { .scan = s };
	int r = collect(&u);

	if (r < 0)
		r = err_nomem(e);
	if (r == 0)
		r = search(&u, e);
	if (r == 0 && inuse_kfd(s->h, s->fns, s->n, on_kfd, s) < 0)
		r = err_nomem(e);
	inuse_nodes_release(&u.nodes);
	free(u.means);
	free(u.seen);
	free(u.touched);
	return r;
}
