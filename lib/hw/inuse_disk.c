// SPDX-License-Identifier: GPL-2.0-or-later
/* One block device: see inuse_disk.h. */
#include "inuse_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "inuse_nodes.h"
#include "inuse_text.h"
#include "str.h"

int inuse_disk_load(struct inuse_disk *d, struct host *h, const char *path, const char *name)
{
	memset(d, 0, sizeof(*d));
	d->path = host_path("%s", path);
	if (str_copy(d->name, sizeof(d->name), name) < 0)
		return -ENAMETOOLONG;
	if (host_read_line(h, host_path("%s/dm/name", path).s, d->dm_name, sizeof(d->dm_name)) < 0)
		d->dm_name[0] = '\0';
	if (host_read_line(h, host_path("%s/dm/uuid", path).s, d->dm_uuid, sizeof(d->dm_uuid)) < 0)
		d->dm_uuid[0] = '\0';
	return inuse_nodes_number(h, host_path("%s/dev", path).s, &d->major, &d->minor);
}

/* Without symbolic links: "/dev/cciss/c0d0" is "cciss!c0d0" in sysfs. */
static struct host_path node_path(const struct inuse_disk *d)
{
	struct host_path p = host_path("/dev/%s", d->name);

	for (char *s = p.s; (s = strchr(s, '!')); s++)
		*s = '/';
	return p;
}

struct inuse_disk_text inuse_disk_node(const struct inuse_disk *d)
{
	struct inuse_disk_text t;

	inuse_text_safe(t.s, sizeof(t.s),
			d->dm_name[0] ? host_path("/dev/mapper/%s", d->dm_name).s : node_path(d).s);
	return t;
}

bool inuse_disk_is(const struct inuse_disk *d, struct host *h, const char *path)
{
	char target[256];
	struct stat st;

	if (!str_starts(path, "/dev/"))
		return false;
	if (h->real)
		return host_stat(h, path, &st) == 0 && S_ISBLK(st.st_mode) &&
		       major(st.st_rdev) == d->major && minor(st.st_rdev) == d->minor;
	if (strcmp(path, node_path(d).s) == 0)
		return true;
	if (d->dm_name[0] && strcmp(path, host_path("/dev/mapper/%s", d->dm_name).s) == 0)
		return true;
	return host_read_linkname(h, path, target, sizeof(target)) == 0 && strcmp(target, d->name) == 0;
}

static void take_value(const char *line, const char *key, char *buf, size_t size)
{
	if (str_starts(line, key) && str_copy(buf, size, line + strlen(key)) < 0)
		buf[0] = '\0';
}

void inuse_disk_label(const struct inuse_disk *d, struct host *h, struct inuse_label *ret)
{
	char text[8192], *p = text, *line;
	ssize_t n = host_read(h, host_path("/run/udev/data/b%u:%u", d->major, d->minor).s, text, sizeof(text) - 1);

	memset(ret, 0, sizeof(*ret));
	text[n > 0 ? n : 0] = '\0';
	while ((line = str_token(&p, "\n"))) {
		take_value(line, "E:ID_FS_TYPE=", ret->type, sizeof(ret->type));
		take_value(line, "E:ID_FS_LABEL=", ret->label, sizeof(ret->label));
		take_value(line, "E:ID_FS_UUID=", ret->id, sizeof(ret->id));
		take_value(line, "E:LVM_VG_NAME_COMPLETE=", ret->group, sizeof(ret->group));
	}
}

int inuse_disk_claimed(const struct inuse_disk *d, struct host *h)
{
	int fd;

	if (!h->real)
		return -1;
	fd = host_open_file(h, node_path(d).s, O_RDONLY | O_EXCL | O_NONBLOCK, 0);
	if (fd == -EBUSY)
		return 1;
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}
