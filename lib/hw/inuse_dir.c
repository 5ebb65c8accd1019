// SPDX-License-Identifier: GPL-2.0-or-later
/* Folders with the kind of each entry: see inuse_dir.h. */
#include "inuse_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int inuse_dir_open(struct inuse_dir *d, struct host *h, const char *path)
{
	d->fd = host_open_file(h, path, O_RDONLY | O_DIRECTORY, 0);
	d->pos = d->len = 0;
	return d->fd < 0 ? d->fd : 0;
}

void inuse_dir_close(struct inuse_dir *d)
{
	close(d->fd);
	d->fd = -1;
}

static int fill(struct inuse_dir *d)
{
	ssize_t n;

	do {
		n = getdents64(d->fd, d->buf, sizeof(d->buf));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	d->pos = 0;
	d->len = (size_t)n;
	return n > 0;
}

/* For file systems that keep no types in their folders. */
static unsigned char type_of(int fd, const char *name)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_REG;
	return S_ISDIR(st.st_mode) ? DT_DIR : S_ISLNK(st.st_mode) ? DT_LNK : DT_REG;
}

int inuse_dir_next(struct inuse_dir *d, const char **ret_name, unsigned char *ret_type)
{
	const struct dirent64 *entry;
	int r;

	do {
		if (d->pos >= d->len) {
			r = fill(d);
			if (r <= 0)
				return r;
		}
		entry = (const struct dirent64 *)(const void *)(d->buf + d->pos);
		d->pos += entry->d_reclen;
	} while (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
	*ret_name = entry->d_name;
	*ret_type = entry->d_type != DT_UNKNOWN ? entry->d_type : type_of(d->fd, entry->d_name);
	return 1;
}
