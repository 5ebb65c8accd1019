// SPDX-License-Identifier: GPL-2.0-or-later
/* What is written on block devices, where sysfs shows no user: see inuse_storage.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inuse_storage.h"
#include "inuse_text.h"
#include "str.h"

#define POOLS	"/proc/spl/kstat/zfs"

enum { BACKUP_MAX = 16 << 20 };	/* some thousand volumes are a few MiB */

static int add(struct inuse_store *st, const struct inuse_disk *d, enum inuse_weight weight, const char *object,
	       const char *what)
{
	struct inuse_finding *f = inuse_scan_add(st->scan, st->fn, INUSE_STORAGE, weight, object);

	if (!f)
		return -ENOMEM;
	INUSE_ADD(f, "carries %s (%s)", what, inuse_disk_node(d).s);
	return 0;
}

/* The shortest mount point of a pool's datasets: "rpool/ROOT/pve-1" is on "/". */
static const struct inuse_mount *pool_mount(const struct inuse_store *st, const char *pool)
{
	const struct inuse_mount *best = NULL;
	size_t len = strlen(pool);

	for (size_t i = 0; i < st->mounts.n_mounts; i++) {
		const struct inuse_mount *m = &st->mounts.mounts[i];

		if (strcmp(m->type, "zfs") == 0 && strncmp(m->source, pool, len) == 0 &&
		    (m->source[len] == '/' || m->source[len] == '\0') &&
		    (!best || strlen(m->point) < strlen(best->point)))
			best = m;
	}
	return best;
}

static bool is_pool(struct inuse_store *st, const char *name)
{
	struct stat sb;

	return *name && !strchr(name, '/') && *name != '.' &&
	       host_stat(st->scan->h, host_path(POOLS "/%s", name).s, &sb) == 0 && S_ISDIR(sb.st_mode);
}

/* One member of a pool is enough to say it; a pool of many disks on one controller is one finding. */
static int add_pool(struct inuse_store *st, const struct inuse_disk *d, const char *pool, bool certain)
{
	char safe[128], mount[128];
	const struct inuse_mount *m = pool_mount(st, pool);
	const struct inuse_need *need = inuse_scan_need(st->scan, INUSE_NEED_POOL, pool);
	struct inuse_finding *f;

	inuse_text_safe(safe, sizeof(safe), *pool ? pool : "(without a name)");
	if (inuse_scan_get(st->scan, st->fn, INUSE_STORAGE, safe))
		return 0;
	f = inuse_scan_add(st->scan, st->fn, INUSE_STORAGE, INUSE_CRITICAL, *pool ? pool : "(without a name)");
	if (!f)
		return -ENOMEM;
	INUSE_ADD(f, "carries a member of the ZFS pool %s (%s)", f->object, inuse_disk_node(d).s);
	if (m) {
		inuse_text_safe(mount, sizeof(mount), m->point);
		INUSE_ADD(f, ", which is mounted at %s", mount);
	} else {
		INUSE_ADD(f, certain ? ", which is imported" : ", which may be imported");
	}
	if (need)
		INUSE_ADD(f, ", and is %s", need->why);
	return 0;
}

/* Nothing uses it at the moment, but Proxmox would at the next start of a guest that lies there. */
static int add_needed(struct inuse_store *st, const struct inuse_disk *d, const char *what, const struct inuse_need *need)
{
	struct inuse_finding *f = inuse_scan_add(st->scan, st->fn, INUSE_STORAGE, INUSE_CRITICAL, need->name);

	if (!f)
		return -ENOMEM;
	INUSE_ADD(f, "carries %s %s (%s), which is %s", what, f->object, inuse_disk_node(d).s, need->why);
	return 0;
}

/*
 * A label outlives the use of a disk, and names the pool as it was called when udev looked; a spare disk or a guest's
 * own may well say "rpool".  ZFS opens its disks exclusively (module/os/linux/zfs/vdev_disk.c:vdev_disk_open), so what
 * is not claimed is no member in use.  Where that cannot be asked, in use are the pools with a folder of
 * statistics, and any other name counts as free when the kernel is known to have no pool of that name.
 */
static int look_zfs(struct inuse_store *st, const struct inuse_disk *d, const char *pool)
{
	int claimed = inuse_disk_claimed(d, st->scan->h);
	bool imported = is_pool(st, pool);
	const struct inuse_need *need;

	if (claimed == 1 || (claimed < 0 && imported))
		return add_pool(st, d, pool, true);
	if (claimed < 0 && host_exists(st->scan->h, "/sys/module/zfs") &&
	    (!*pool || !host_exists(st->scan->h, POOLS)))
		return add_pool(st, d, pool, false);
	if (st->depth > 0)
		return 0;
	/* What Proxmox would look for is there already, without this disk. */
	if (imported)
		return add(st, d, INUSE_NOTE, pool, "the label of a ZFS pool with the name of an imported one, which does "
			   "not use it");
	need = inuse_scan_need(st->scan, INUSE_NEED_POOL, pool);
	if (need)
		return add_needed(st, d, "a member of the ZFS pool", need);
	return add(st, d, INUSE_NOTE, pool, "the label of a ZFS pool that is not imported");
}

/* A process has the node open: a raw OSD has no volume above its disk. */
static bool is_held(struct inuse_store *st, const struct inuse_disk *d)
{
	struct host_path node = host_path("/dev/%s", d->name);

	return inuse_scan_get(st->scan, st->fn, INUSE_PROCESS, node.s) != NULL;
}

static int look_drbd(struct inuse_store *st, const struct inuse_disk *d)
{
	int claimed = inuse_disk_claimed(d, st->scan->h);

	if (claimed == 0 || (claimed < 0 && !host_exists(st->scan->h, "/sys/module/drbd")))
		return add(st, d, INUSE_NOTE, d->name, "a DRBD volume that is not in use");
	return add(st, d, INUSE_CRITICAL, d->name, "a DRBD volume in use");
}

/* Which group a physical volume belongs to is not in udev's database of old; LVM's own autoactivation notes it in
 * /run/lvm/pvs_online/UUID as "8:3", "vg:NAME" (lvm2: lib/device/online.c). */
struct volume {
	struct inuse_store *st;
	char number[32];
	char group[128];
};

static int each_volume(void *arg, const char *name)
{
	struct volume *v = arg;
	char text[512], *cursor = text, *line;
	ssize_t n = host_read(v->st->scan->h, host_path("/run/lvm/pvs_online/%s", name).s, text, sizeof(text) - 1);
	bool mine = false;

	text[n > 0 ? n : 0] = '\0';
	while ((line = str_token(&cursor, "\n"))) {
		mine = mine || strcmp(line, v->number) == 0;
		if (mine && str_starts(line, "vg:") && str_copy(v->group, sizeof(v->group), line + strlen("vg:")) == 0)
			return 1;
	}
	return 0;
}

/* The id of the active volume group of that name, from its volumes: "LVM-" and twice 32 characters, the group's
 * first. */
struct active {
	struct host *h;
	const char *group;
	char id[33];
	bool two;		/* groups of that name: none is meant */
};

static int each_active(void *arg, const char *name)
{
	struct active *a = arg;
	struct inuse_disk d;
	char group[sizeof(d.dm_name)];
	const char *id = d.dm_uuid + strlen("LVM-");

	if (!str_starts(name, "dm-") || inuse_disk_load(&d, a->h, host_path("/sys/class/block/%s", name).s, name) < 0 ||
	    !str_starts(d.dm_uuid, "LVM-") || strlen(id) < sizeof(a->id) - 1)
		return 0;
	inuse_group_name(d.dm_name, group, sizeof(group));
	if (strcmp(group, a->group) != 0)
		return 0;
	a->two = a->two || (a->id[0] && strncmp(a->id, id, sizeof(a->id) - 1) != 0);
	snprintf(a->id, sizeof(a->id), "%.32s", id);
	return 0;
}

/* As LVM and udev write it: 6-4-4-4-4-4-6. */
struct lvm_id { char s[39]; };

static struct lvm_id with_dashes(const char *id)
{
	struct lvm_id t;
	size_t n = 0;

	for (size_t i = 0; i < 32 && id[i]; i++) {
		if (i >= 6 && i <= 26 && i % 4 == 2)
			t.s[n++] = '-';
		t.s[n++] = id[i];
	}
	t.s[n] = '\0';
	return t;
}

static bool is_id(const char *text)
{
	return strlen(text) == sizeof(struct lvm_id) - 1 &&
	       !text[strspn(text, "-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")];
}

/*
 * Is the group of that name active, and this disk none of its volumes, but of another group with the same name?  No
 * file of the kernel says which group a disk without an active volume is of.  LVM's backup of a group lists
 * its physical volumes, and is written with every change, and when it is found to be out of date
 * (lib/format_text/archiver.c:backup, check_current_backup).  In doubt no: no backup, one of another group, no id.
 */
static bool is_namesake(struct inuse_store *st, const struct inuse_disk *d, const char *group, const char *volume)
{
	struct active a = { .h = st->scan->h, .group = group };
	char *text;
	size_t len;
	bool other;

	if (!*group || strchr(group, '/') || *group == '.' || !is_id(volume) || inuse_disk_claimed(d, st->scan->h) != 0)
		return false;
	(void)!host_list(st->scan->h, "/sys/class/block", each_active, &a);
	if (!a.id[0] || a.two ||
	    host_read_file(st->scan->h, host_path("/etc/lvm/backup/%s", group).s, BACKUP_MAX, &text, &len) < 0)
		return false;
	other = strstr(text, with_dashes(a.id).s) && !strstr(text, volume);
	free(text);
	return other;
}

static int look_lvm(struct inuse_store *st, const struct inuse_disk *d, const struct inuse_label *label)
{
	struct volume v = { .st = st };
	const struct inuse_need *need;
	const char *group;

	snprintf(v.number, sizeof(v.number), "%u:%u", d->major, d->minor);
	(void)!host_list(st->scan->h, "/run/lvm/pvs_online", each_volume, &v);
	group = *v.group ? v.group : label->group;
	need = inuse_scan_need(st->scan, INUSE_NEED_GROUP, group);
	if (need && is_namesake(st, d, group, label->id))
		return add(st, d, INUSE_NOTE, d->name, "an LVM physical volume of another group than the active one of that name");
	if (need)
		return add_needed(st, d, "the inactive LVM volume group", need);
	return add(st, d, INUSE_NOTE, d->name, "an LVM physical volume that is not active");
}

int inuse_labels_look(struct inuse_store *st, const struct inuse_disk *d, bool used)
{
	struct inuse_label label;

	inuse_disk_label(d, st->scan->h, &label);
	if (strcmp(label.type, "zfs_member") == 0)
		return look_zfs(st, d, label.label);
	/* On a volume these are a guest's own labels. */
	if (used || st->depth > 0)
		return 0;
	if (strcmp(label.type, "ceph_bluestore") == 0)
		return is_held(st, d) ? add(st, d, INUSE_CRITICAL, d->name, "a running Ceph OSD") :
					add(st, d, INUSE_NOTE, d->name, "a Ceph OSD that is not running");
	if (strcmp(label.type, "drbd") == 0)
		return look_drbd(st, d);
	if (strcmp(label.type, "LVM2_member") == 0)
		return look_lvm(st, d, &label);
	if (strcmp(label.type, "linux_raid_member") == 0)
		return add(st, d, INUSE_NOTE, d->name, "a RAID member that is not assembled");
	return 0;
}
