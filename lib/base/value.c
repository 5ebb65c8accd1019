// SPDX-License-Identifier: GPL-2.0-or-later
/* Values as sysfs and state files have them, read through any host: see host.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "host.h"
#include "str.h"

int host_read_line(struct host *h, const char *path, char *buf, size_t size)
{
	ssize_t n = host_read(h, path, buf, size);
	char *end;

	if (n < 0)
		return (int)n;
	end = memchr(buf, '\n', (size_t)n);
	if (!end && (size_t)n == size)
		return -ENAMETOOLONG;
	if (!end)
		end = buf + n;
	while (end > buf && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	*end = '\0';
	return 0;
}

int host_read_u64(struct host *h, const char *path, unsigned base, uint64_t *ret)
{
	char buf[64], *p = buf;
	int r = host_read_line(h, path, buf, sizeof(buf));

	if (r < 0)
		return r;
	if (base == 16 && p[0] == '0' && p[1] == 'x')
		p += 2;
	return str_to_u64(p, base, ret);
}

int host_read_linkname(struct host *h, const char *path, char *buf, size_t size)
{
	char target[512];
	int r = host_readlink(h, path, target, sizeof(target));
	const char *slash;

	if (r < 0)
		return r;
	slash = strrchr(target, '/');
	return str_copy(buf, size, slash ? slash + 1 : target);
}

static int read_all(int fd, char *buf, size_t limit, size_t *ret_len)
{
	size_t n = 0;
	ssize_t r;

	while (n <= limit) {
		r = read(fd, buf + n, limit + 1 - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	*ret_len = n;
	return n > limit ? -EFBIG : 0;
}

int host_read_file(struct host *h, const char *path, size_t limit, char **ret, size_t *ret_len)
{
	_cleanup_(file_closep) int fd = -1;
	struct stat st;
	size_t len = 0;
	char *buf, *small;
	int r;

	fd = host_open_file(h, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (st.st_size > (off_t)limit)
		return -EFBIG;
	/* A whole-size buffer: one read(2) sees one version of a file on pmxcfs. */
	if (st.st_size > 0 && (size_t)st.st_size + 4096 < limit)
		limit = (size_t)st.st_size + 4096;
	buf = malloc(limit + 2);
	if (!buf)
		return -ENOMEM;
	r = read_all(fd, buf, limit, &len);
	if (r < 0) {
		free(buf);
		return r;
	}
	buf[len] = '\0';
	small = realloc(buf, len + 1);
	*ret = small ? small : buf;
	*ret_len = len;
	return 0;
}
