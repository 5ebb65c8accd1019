// SPDX-License-Identifier: GPL-2.0-or-later
/* What the disks behind a set of functions carry: see inuse_scan.h. */
#include "inuse_storage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inuse_text.h"
#include "str.h"

/* The best of the mounts that fit: the shortest path says most. */
struct fitting {
	const struct inuse_mount *best;
	size_t n;
	bool journal;		/* it holds a journal, log or second volume of it */
};

static void fit(struct fitting *f, const struct inuse_mount *m, bool journal)
{
	f->n++;
	if (f->best && strlen(f->best->point) <= strlen(m->point))
		return;
	f->best = m;
	f->journal = journal;
}

/* File systems over several disks have no device number; bcachefs joins its devices with colons:
 * "/dev/sda:/dev/sdb".  Only of these two can the source be trusted to be a path: that of a FUSE mount is
 * any user's invention, and looking it up could hang. */
static bool source_is(struct inuse_store *st, const struct inuse_disk *d, const struct inuse_mount *m)
{
	char buf[1024], *p = buf, *path;

	if (m->major != 0 || (strcmp(m->type, "btrfs") != 0 && strcmp(m->type, "bcachefs") != 0) ||
	    str_copy(buf, sizeof(buf), m->source) < 0)
		return false;
	while ((path = str_token(&p, ":")))
		if (inuse_disk_is(d, st->scan->h, path))
			return true;
	return false;
}

/* "logdev=/dev/sdb1", "rtdev=": a device of the file system that is not its source. */
static bool is_option(struct inuse_store *st, const struct inuse_disk *d, const char *options)
{
	char path[256];

	for (const char *p = options; (p = strstr(p, "=/dev/")); ) {
		size_t n = strcspn(++p, ",");

		if (n >= sizeof(path))
			continue;
		memcpy(path, p, n);
		path[n] = '\0';
		if (inuse_disk_is(d, st->scan->h, path))
			return true;
	}
	return false;
}

static void fit_mounts(struct inuse_store *st, const struct inuse_disk *d, struct fitting *f)
{
	for (size_t i = 0; i < st->mounts.n_mounts; i++) {
		const struct inuse_mount *m = &st->mounts.mounts[i];

		if ((m->major == d->major && m->minor == d->minor) || source_is(st, d, m))
			fit(f, m, false);
		else if (m->major != 0 && is_option(st, d, m->options))
			fit(f, m, true);
	}
}

static int look_mounts(struct inuse_store *st, const struct inuse_disk *d)
{
	struct fitting f = { NULL, 0, false };
	struct inuse_finding *finding;

	fit_mounts(st, d, &f);
	if (!f.best)
		return 0;
	finding = inuse_scan_add(st->scan, st->fn, INUSE_MOUNT, INUSE_CRITICAL, f.best->point);
	if (!finding)
		return -ENOMEM;
	INUSE_ADD(finding, "carries the %s file system %s (%s)", f.journal ? "journal of the mounted" : "mounted",
		  finding->object, inuse_disk_node(d).s);
	if (f.n > 1)
		INUSE_ADD(finding, ", also mounted at %zu other place%s", f.n - 1, f.n == 2 ? "" : "s");
	return 0;
}

static int look_swaps(struct inuse_store *st, const struct inuse_disk *d)
{
	struct inuse_finding *f;

	for (size_t i = 0; i < st->mounts.n_swaps; i++) {
		if (!inuse_disk_is(d, st->scan->h, st->mounts.swaps[i].path))
			continue;
		f = inuse_scan_add(st->scan, st->fn, INUSE_SWAP, INUSE_CRITICAL, inuse_disk_node(d).s);
		if (!f)
			return -ENOMEM;
		INUSE_ADD(f, "carries swap %s", inuse_disk_node(d).s);
	}
	return 0;
}

struct btrfs {
	struct inuse_store *st;
	const struct inuse_disk *d;
};

/* The mount whose source is one of a btrfs file system's devices, or NULL. */
static const struct inuse_mount *btrfs_mount(struct inuse_store *st, const char *uuid)
{
	for (size_t i = 0; i < st->mounts.n_mounts; i++) {
		const struct inuse_mount *m = &st->mounts.mounts[i];
		const char *slash = strrchr(m->source, '/');
		char target[128];

		if (strcmp(m->type, "btrfs") != 0 || !slash)
			continue;
		if (host_exists(st->scan->h, host_path("/sys/fs/btrfs/%s/devices/%s", uuid, slash + 1).s))
			return m;
		if (host_read_linkname(st->scan->h, m->source, target, sizeof(target)) == 0 &&
		    host_exists(st->scan->h, host_path("/sys/fs/btrfs/%s/devices/%s", uuid, target).s))
			return m;
	}
	return NULL;
}

/* Mounted btrfs file systems list all their devices, the mount table only one
 * (fs/btrfs/sysfs.c:btrfs_sysfs_add_device). */
static int each_btrfs(void *arg, const char *uuid)
{
	struct btrfs *b = arg;
	const struct inuse_mount *m;
	struct inuse_finding *f;

	if (!host_exists(b->st->scan->h, host_path("/sys/fs/btrfs/%s/devices/%s", uuid, b->d->name).s))
		return 0;
	m = btrfs_mount(b->st, uuid);
	if (m && inuse_disk_is(b->d, b->st->scan->h, m->source))
		return 0;		/* look_mounts() has said so */
	f = inuse_scan_add(b->st->scan, b->st->fn, INUSE_MOUNT, INUSE_CRITICAL, m ? m->point : uuid);
	if (!f)
		return -ENOMEM;
	INUSE_ADD(f, "carries a part of the mounted btrfs file system %s (%s)", f->object, inuse_disk_node(b->d).s);
	return 0;
}

static int look_btrfs(struct inuse_store *st, const struct inuse_disk *d)
{
	struct btrfs b = { st, d };
	int r = host_list(st->scan->h, "/sys/fs/btrfs", each_btrfs, &b);

	return r == -ENOMEM ? r : 0;
}

int inuse_storage_look(struct inuse_store *st, const struct inuse_disk *d)
{
	size_t before = st->scan->ret->n;
	int r = look_mounts(st, d);

	if (r == 0)
		r = look_swaps(st, d);
	if (r == 0)
		r = look_btrfs(st, d);
	if (r == 0)
		r = inuse_holders_look(st, d);
	if (r == 0)
		r = inuse_labels_look(st, d, st->scan->ret->n > before);
	return r;
}

static size_t count_critical(const struct inuse_scan *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->ret->n; i++)
		n += s->ret->v[i].weight == INUSE_CRITICAL;
	return n;
}

static bool is_removable(struct inuse_store *st, const struct inuse_part *p)
{
	uint64_t v;

	return p->below_usb || str_starts(p->name, "sr") ||
	       (host_read_u64(st->scan->h, host_path("%s/removable", p->path.s).s, 10, &v) == 0 && v != 0);
}

/* Nothing speaks for it so far: is it really nobody's?  A container's own mount, a pool under
 * another name or an exported disk shows nowhere else. */
static int last_look(struct inuse_store *st, const struct inuse_part *p, const struct inuse_disk *d)
{
	struct inuse_finding *f;

	if (is_removable(st, p) || inuse_disk_claimed(d, st->scan->h) != 1)
		return 0;
	f = inuse_scan_add(st->scan, st->fn, INUSE_STORAGE, INUSE_CRITICAL, d->name);
	if (!f)
		return -ENOMEM;
	INUSE_ADD(f, "carries %s, which is claimed by the kernel: mounted in a container, part of a pool, or exported",
		  inuse_disk_node(d).s);
	return 0;
}

static bool is_partition(struct inuse_store *st, const struct inuse_part *p)
{
	return host_exists(st->scan->h, host_path("%s/partition", p->path.s).s);
}

static int look_part(struct inuse_store *st, const struct inuse_part *p, struct inuse_disk *d)
{
	if (inuse_disk_load(d, st->scan->h, p->path.s, p->name) < 0)
		return 0;
	return inuse_storage_look(st, d);
}

/* A disk with its partitions. */
static int look_disk(struct inuse_store *st, const struct inuse_part *disk)
{
	size_t before = count_critical(st->scan), len = strlen(disk->path.s);
	struct inuse_disk whole, part;
	int r;

	st->fn = disk->fn;
	r = look_part(st, disk, &whole);
	for (size_t i = 0; r == 0 && i < st->scan->parts.n; i++) {
		const struct inuse_part *p = &st->scan->parts.v[i];

		if (p->kind == INUSE_PART_BLOCK && p->fn == disk->fn && str_starts(p->path.s, disk->path.s) &&
		    p->path.s[len] == '/')
			r = look_part(st, p, &part);
	}
	if (r == 0 && count_critical(st->scan) == before)
		r = last_look(st, disk, &whole);
	return r;
}

static bool has_disks(const struct inuse_scan *s)
{
	for (size_t i = 0; i < s->parts.n; i++)
		if (s->parts.v[i].kind == INUSE_PART_BLOCK)
			return true;
	return false;
}

int inuse_storage(struct inuse_scan *s, struct err *e)
{
	struct inuse_store st = { .scan = s };
	int r;

	if (!has_disks(s))
		return 0;
	r = inuse_mounts_load(&st.mounts, s->h, e);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < s->parts.n; i++)
		if (s->parts.v[i].kind == INUSE_PART_BLOCK && !is_partition(&st, &s->parts.v[i]))
			r = look_disk(&st, &s->parts.v[i]);
	inuse_mounts_release(&st.mounts);
	free(st.visited);
	return r < 0 ? err_nomem(e) : 0;
}
