// SPDX-License-Identifier: GPL-2.0-or-later
/* What is built on block devices: see inuse_storage.h. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inuse_dir.h"
#include "inuse_storage.h"
#include "inuse_text.h"
#include "str.h"

enum { DEPTH = 16 };	/* md on dm-crypt on LVM on md is 4 */

struct climb {
	struct inuse_store *st;
	const struct inuse_disk *below;
};

/* One finding per volume group, array... however many volumes it has. */
static int add(struct inuse_store *st, enum inuse_weight weight, const char *object, const char *what,
	       const struct inuse_disk *below)
{
	char safe[sizeof(((struct inuse_finding *)0)->object)];
	struct inuse_finding *f;

	inuse_text_safe(safe, sizeof(safe), object);
	if (inuse_scan_get(st->scan, st->fn, INUSE_STORAGE, safe))
		return 0;
	f = inuse_scan_add(st->scan, st->fn, INUSE_STORAGE, weight, object);
	if (!f)
		return -ENOMEM;
	INUSE_ADD(f, "carries %s %s (on %s)", what, f->object, inuse_disk_node(below).s);
	return 0;
}

void inuse_group_name(const char *dm_name, char *buf, size_t size)
{
	size_t n = 0;

	for (const char *p = dm_name; *p && n + 1 < size; p++) {
		if (*p == '-' && *++p != '-')
			break;
		buf[n++] = *p;
	}
	buf[n] = '\0';
}

static int add_lvm(struct inuse_store *st, const struct inuse_disk *volume, const struct inuse_disk *below)
{
	char group[sizeof(volume->dm_name)], safe[128];
	const struct inuse_need *need;
	struct inuse_finding *f;
	int r;

	inuse_group_name(volume->dm_name, group, sizeof(group));
	inuse_text_safe(safe, sizeof(safe), group);
	if (inuse_scan_get(st->scan, st->fn, INUSE_STORAGE, safe))
		return 0;
	r = add(st, INUSE_CRITICAL, group, str_starts(group, "ceph-") ? "a Ceph OSD in the LVM volume group" :
		"the active LVM volume group", below);
	need = inuse_scan_need(st->scan, INUSE_NEED_GROUP, group);
	f = r == 0 && need ? inuse_scan_get(st->scan, st->fn, INUSE_STORAGE, safe) : NULL;
	if (f)
		INUSE_ADD(f, ", which is %s", need->why);
	return r;
}

/* An array that was found but never started serves nobody. */
static int add_array(struct inuse_store *st, const struct inuse_disk *array, const struct inuse_disk *below)
{
	char state[32];

	if (host_read_line(st->scan->h, host_path("%s/md/array_state", array->path.s).s, state, sizeof(state)) < 0)
		state[0] = '\0';
	if (strcmp(state, "inactive") == 0 || strcmp(state, "clear") == 0)
		return add(st, INUSE_BUSY, array->name, "a member of the stopped RAID array", below);
	return add(st, INUSE_CRITICAL, array->name, "a member of the RAID array", below);
}

static int add_mapper(struct inuse_store *st, const struct inuse_disk *d, const struct inuse_disk *below, bool used)
{
	if (str_starts(d->dm_uuid, "LVM-"))
		return add_lvm(st, d, below);
	if (str_starts(d->dm_uuid, "CRYPT-"))
		return add(st, INUSE_CRITICAL, d->dm_name, "the opened encrypted volume", below);
	/* multipathd and kpartx make these for every disk they see; what counts is what uses them. */
	if (str_starts(d->dm_uuid, "mpath-") || str_starts(d->dm_uuid, "part"))
		return used ? 0 : add(st, INUSE_BUSY, d->dm_name, "a path of the multipath map", below);
	return add(st, INUSE_CRITICAL, d->dm_name, "the device-mapper volume", below);
}

static int add_holder(struct inuse_store *st, const struct inuse_disk *d, const struct inuse_disk *below, bool used)
{
	if (d->dm_name[0] || str_starts(d->name, "dm-"))
		return add_mapper(st, d, below, used);
	if (str_starts(d->name, "md"))
		return add_array(st, d, below);
	if (str_starts(d->name, "bcache"))
		return add(st, INUSE_CRITICAL, d->name, "a part of the cached disk", below);
	if (str_starts(d->name, "drbd"))
		return add(st, INUSE_CRITICAL, d->name, "the replicated disk", below);
	return add(st, INUSE_CRITICAL, d->name, "the disk", below);
}

/* Is it the first time that we meet it below this function?  -ENOMEM. */
static int visit(struct inuse_store *st, const struct inuse_disk *d)
{
	struct inuse_seen *v;

	for (size_t i = 0; i < st->n_visited; i++)
		if (st->visited[i].fn == st->fn && st->visited[i].major == d->major &&
		    st->visited[i].minor == d->minor)
			return 0;
	v = realloc(st->visited, (st->n_visited + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	st->visited = v;
	v[st->n_visited++] = (struct inuse_seen){ st->fn, d->major, d->minor };
	return 1;
}

/* An array or a map may have partitions of its own. */
static int look_partitions(struct inuse_store *st, const struct inuse_disk *d)
{
	struct inuse_disk part;
	unsigned char type;
	struct inuse_dir dir;
	const char *name;
	int r;

	if (inuse_dir_open(&dir, st->scan->h, d->path.s) < 0)
		return 0;
	while ((r = inuse_dir_next(&dir, &name, &type)) > 0) {
		r = 0;
		if (type == DT_DIR && str_starts(name, d->name) &&
		    inuse_disk_load(&part, st->scan->h, host_path("%s/%s", d->path.s, name).s, name) == 0)
			r = inuse_storage_look(st, &part);
		if (r < 0)
			break;
	}
	inuse_dir_close(&dir);
	return r == -ENOMEM ? r : 0;
}

static int each_holder(void *arg, const char *name)
{
	struct climb *c = arg;
	struct inuse_store *st = c->st;
	struct inuse_disk d;
	size_t before;
	int r;

	/* By its own folder: the path through the links would grow with every level. */
	if (inuse_disk_load(&d, st->scan->h, host_path("/sys/class/block/%s", name).s, name) < 0 &&
	    inuse_disk_load(&d, st->scan->h, host_path("%s/holders/%s", c->below->path.s, name).s, name) < 0)
		return add(st, INUSE_CRITICAL, name, "the disk", c->below);
	r = visit(st, &d);
	if (r <= 0)
		return r;
	before = st->scan->ret->n;
	st->depth++;
	r = inuse_storage_look(st, &d);
	if (r == 0)
		r = look_partitions(st, &d);
	st->depth--;
	return r < 0 ? r : add_holder(st, &d, c->below, st->scan->ret->n > before);
}

/* A backing or caching device of bcache has a folder; a caching device has no holders
 * (drivers/md/bcache/super.c:register_cache). */
static int look_bcache(struct inuse_store *st, const struct inuse_disk *d)
{
	if (!host_exists(st->scan->h, host_path("%s/bcache", d->path.s).s) || str_starts(d->name, "bcache"))
		return 0;
	return add(st, INUSE_CRITICAL, d->name, "the bcache member", d);
}

int inuse_holders_look(struct inuse_store *st, const struct inuse_disk *d)
{
	struct climb c = { st, d };
	int r = look_bcache(st, d);

	if (r < 0 || st->depth >= DEPTH)
		return r;
	r = host_list(st->scan->h, host_path("%s/holders", d->path.s).s, each_holder, &c);
	return r == -ENOMEM ? r : 0;
}
