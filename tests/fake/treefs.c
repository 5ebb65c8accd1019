// SPDX-License-Identifier: GPL-2.0-or-later
/* Files below a directory that stands for "/": see treefs.h. */
#include "treefs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "str.h"

struct tfs_path tfs_path(const char *fmt, ...)
{
	struct tfs_path p;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p.s, sizeof(p.s), fmt, ap);
	va_end(ap);
	return p;
}

int tfs_open(int root, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned long long)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_IN_ROOT,
	};
	long fd;

	do {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : (int)fd;
}

/* The folder of `path`, opened; *ret_name is the last element. */
static int open_parent(int root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	struct tfs_path dir;

	if (!slash || !slash[1] || (size_t)(slash - path) >= sizeof(dir.s) - 1)
		return -EINVAL;
	dir = tfs_path("%.*s/", (int)(slash - path), path);
	*ret_name = slash + 1;
	return tfs_open(root, dir.s, O_PATH | O_DIRECTORY, 0);
}

static int make_one(int root, const char *path)
{
	const char *name;
	int dir = open_parent(root, path, &name), r;

	if (dir < 0)
		return dir;
	r = mkdirat(dir, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
	close(dir);
	return r;
}

int tfs_mkdirs(int root, const char *path)
{
	struct tfs_path p = tfs_path("%s", path);
	char *slash = p.s;
	int r = 0;

	if (strlen(path) >= sizeof(p.s))
		return -ENAMETOOLONG;
	while (r == 0 && slash) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		r = make_one(root, p.s);
		if (slash)
			*slash = '/';
	}
	return r;
}

/* The folder of `path`, made when it is missing. */
static int make_parent(int root, const char *path, const char **ret_name)
{
	int dir = open_parent(root, path, ret_name), r;

	if (dir != -ENOENT)
		return dir;
	r = tfs_mkdirs(root, tfs_path("%.*s", (int)(strrchr(path, '/') - path), path).s);
	return r < 0 ? r : open_parent(root, path, ret_name);
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int put_at(int dir, const char *name, mode_t mode, const void *data, size_t len, int flags)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode), r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, data, len);
	if (r == 0 && fchmod(fd, mode) < 0)
		r = -errno;
	close(fd);
	return r;
}

int tfs_put(int root, const char *path, mode_t mode, const void *data, size_t len)
{
	struct tfs_path temp;
	const char *name;
	int dir = make_parent(root, path, &name), r;

	if (dir < 0)
		return dir;
	r = put_at(dir, name, mode, data, len, O_EXCL);
	if (r == -EEXIST) {
		temp = tfs_path(".%d.new", (int)getpid());
		r = put_at(dir, temp.s, mode, data, len, O_TRUNC);
		if (r == 0 && renameat(dir, temp.s, dir, name) < 0) {
			r = -errno;
			unlinkat(dir, temp.s, 0);
		}
	}
	close(dir);
	return r;
}

int tfs_putf(int root, const char *path, mode_t mode, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	r = tfs_put(root, path, mode, text, (size_t)n);
	free(text);
	return r;
}

int tfs_addf(int root, const char *path, const char *fmt, ...)
{
	char text[1024];
	const char *name;
	va_list ap;
	int dir, n, r;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text) - 1)
		return -ENAMETOOLONG;
	text[n++] = '\n';
	dir = make_parent(root, path, &name);
	if (dir < 0)
		return dir;
	r = put_at(dir, name, 0644, text, (size_t)n, O_APPEND);
	close(dir);
	return r;
}

int tfs_link(int root, const char *path, const char *target)
{
	const char *name;
	int dir = make_parent(root, path, &name), r;

	if (dir < 0)
		return dir;
	unlinkat(dir, name, 0);
	r = symlinkat(target, dir, name) < 0 ? -errno : 0;
	close(dir);
	return r;
}

int tfs_link_to(int root, const char *path, const char *target)
{
	struct str rel = STR_INIT;
	size_t common = 0;
	int r;

	for (size_t i = 0; path[i] && path[i] == target[i]; i++)
		if (path[i] == '/')
			common = i + 1;
	for (const char *p = path + common; (p = strchr(p, '/')); p++)
		str_add(&rel, "../");
	str_add(&rel, target + common);
	r = rel.failed ? -ENOMEM : tfs_link(root, path, rel.s);
	str_release(&rel);
	return r;
}

int tfs_unlink(int root, const char *path)
{
	const char *name;
	int dir = open_parent(root, path, &name), r;

	if (dir < 0)
		return dir;
	r = unlinkat(dir, name, 0) < 0 ? -errno : 0;
	close(dir);
	return r;
}

static int remove_at(int dir, const char *name)
{
	struct dirent *d;
	DIR *list;
	int fd;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	list = fdopendir(fd);
	if (!list) {
		close(fd);
		return -ENOMEM;
	}
	while ((d = readdir(list)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			(void)remove_at(fd, d->d_name);
	closedir(list);
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int tfs_remove(int root, const char *path)
{
	const char *name;
	int dir = open_parent(root, path, &name), r;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	r = remove_at(dir, name);
	close(dir);
	return r;
}

static int stat_path(int root, const char *path, int flags, struct stat *st)
{
	int fd = tfs_open(root, path, O_PATH | flags, 0), r;

	if (fd < 0)
		return fd;
	r = fstat(fd, st) < 0 ? -errno : 0;
	close(fd);
	return r;
}

bool tfs_exists(int root, const char *path)
{
	struct stat st;

	return stat_path(root, path, 0, &st) == 0;
}

bool tfs_is_link(int root, const char *path)
{
	struct stat st;

	return stat_path(root, path, O_NOFOLLOW, &st) == 0 && S_ISLNK(st.st_mode);
}

ssize_t tfs_read(int root, const char *path, void *buf, size_t size)
{
	int fd = tfs_open(root, path, O_RDONLY, 0);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, buf, size);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

ssize_t tfs_get(int root, const char *path, char *buf, size_t size)
{
	ssize_t n = tfs_read(root, path, buf, size - 1);

	if (n <= 0)
		buf[0] = '\0';
	if (n < 0)
		return n;
	while (n && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return n;
}

int tfs_readlink(int root, const char *path, char *buf, size_t size)
{
	const char *name;
	int dir = open_parent(root, path, &name);
	ssize_t n;

	if (dir < 0)
		return dir;
	n = readlinkat(dir, name, buf, size);
	if (n < 0)
		n = -errno;
	close(dir);
	if (n < 0)
		return (int)n;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return 0;
}

int tfs_linkname(int root, const char *path, char *buf, size_t size)
{
	struct tfs_path target;
	const char *slash;
	int r = tfs_readlink(root, path, target.s, sizeof(target.s));

	if (r < 0)
		return r;
	slash = strrchr(target.s, '/');
	return str_copy(buf, size, slash ? slash + 1 : target.s);
}

int tfs_fdpath(int root, int fd, char *buf, size_t size)
{
	char top[512], path[1024];
	ssize_t n, t;

	t = readlink(tfs_path("/proc/self/fd/%d", root).s, top, sizeof(top) - 1);
	n = readlink(tfs_path("/proc/self/fd/%d", fd).s, path, sizeof(path) - 1);
	if (n < 0 || t < 0)
		return -errno;
	top[t] = path[n] = '\0';
	if (strncmp(path, top, (size_t)t) != 0 || path[t] != '/')
		return -EXDEV;
	return str_copy(buf, size, path + t);
}

int tfs_resolve(int root, const char *path, char *buf, size_t size)
{
	int fd = tfs_open(root, path, O_PATH, 0), r;

	if (fd < 0)
		return fd;
	r = tfs_fdpath(root, fd, buf, size);
	close(fd);
	return r;
}

static int name_add(struct tfs_names *l, const char *name)
{
	char **v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	l->v = v;
	l->v[l->n] = strdup(name);
	return l->v[l->n] ? (l->n++, 0) : -ENOMEM;
}

int tfs_list(int root, const char *path, struct tfs_names *ret)
{
	int fd = tfs_open(root, path, O_RDONLY | O_DIRECTORY, 0), r = 0;
	struct dirent *d;
	DIR *dir;

	*ret = (struct tfs_names){ NULL, 0 };
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			r = name_add(ret, d->d_name);
	closedir(dir);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), str_compare);
	if (r < 0)
		tfs_names_release(ret);
	return r;
}

void tfs_names_release(struct tfs_names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct tfs_names){ NULL, 0 };
}
