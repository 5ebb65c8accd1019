// SPDX-License-Identifier: GPL-2.0-or-later
/* What one process has open: see inuse_peek.h. */
#include "inuse_peek.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inuse_dir.h"
#include "str.h"

/* A process that is gone, or a table that is being torn down, has nothing to tell. */
static bool is_gone(int r)
{
	return r == -ENOENT || r == -ESRCH || r == -ENOTDIR;
}

static bool is_hidden(int r)
{
	return r == -EACCES || r == -EPERM;
}

static int add_hit(struct inuse_peek *p, const struct inuse_hit *hit)
{
	if (p->n == p->size) {
		size_t size = p->size ? p->size * 2 : 32;
		struct inuse_hit *v = realloc(p->hits, size * sizeof(*v));

		if (!v)
			return -ENOMEM;
		p->hits = v;
		p->size = size;
	}
	p->hits[p->n++] = *hit;
	return 0;
}

static int add_node(void *arg, size_t node)
{
	struct inuse_peek *p = arg;
	struct inuse_hit hit = { .pid = p->pid, .i = node };

	return add_hit(p, &hit);
}

/* fdinfo's line "vfio-device-syspath: /sys/devices/.../0000:01:00.0", if this kernel writes one. */
static bool vfio_address(struct inuse_peek *p, const char *table, const char *fd, struct bdf *ret)
{
	char buf[2048], *s, *slash;
	ssize_t n = host_read(p->pass->h, host_path("%sinfo/%s", table, fd).s, buf, sizeof(buf) - 1);

	if (n <= 0)
		return false;
	buf[n] = '\0';
	s = strstr(buf, "vfio-device-syspath:");
	if (!s)
		return false;
	s[strcspn(s, "\n")] = '\0';
	slash = strrchr(s, '/');
	return slash && bdf_parse(str_strip(slash + 1), ret) == 0;
}

/* Anonymous files have no number and no type; their link text says what they are. */
static int look_at_anonymous(struct inuse_peek *p, const char *table, const char *fd, const char *text)
{
	struct inuse_hit hit = { .pid = p->pid, .vfio = true };

	if (strcmp(text, "anon_inode:[vfio-device]") != 0)
		return 0;
	hit.named = vfio_address(p, table, fd, &hit.bdf);
	return add_hit(p, &hit);
}

static ssize_t link_text(int dirfd, const char *fd, char *buf, size_t size)
{
	ssize_t n = readlinkat(dirfd, fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	return n;
}

/* The running machine: what the descriptor really is.  AT_STATX_DONT_SYNC asks no server, so a file
 * on a dead network mount cannot hold us. */
static int look_at_file(struct inuse_peek *p, const char *table, int dirfd, const char *fd)
{
	struct statx st;
	char text[64];

	if (statx(dirfd, fd, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st) < 0) {
		p->hidden = p->hidden || is_hidden(-errno);
		return 0;	/* or closed meanwhile */
	}
	switch (st.stx_mode & S_IFMT) {
	case S_IFCHR:
	case S_IFBLK:
		return inuse_match_number(p->match, S_ISBLK(st.stx_mode), st.stx_rdev_major,
					  st.stx_rdev_minor, add_node, p);
	case S_IFREG:
	case S_IFDIR:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	default:
		if (!p->pass->vfio || link_text(dirfd, fd, text, sizeof(text)) <= 0)
			return 0;
		return look_at_anonymous(p, table, fd, text);
	}
}

/* A captured tree: the text is all there is, and following it could lead out of the tree. */
static int look_at_text(struct inuse_peek *p, const char *table, int dirfd, const char *fd)
{
	char text[256];

	if (link_text(dirfd, fd, text, sizeof(text)) <= 0)
		return 0;
	if (p->pass->vfio && str_starts(text, "anon_inode:"))
		return look_at_anonymous(p, table, fd, text);
	return inuse_match_path(p->match, text, add_node, p);
}

/* Every descriptor of one table; the count or a negative errno. */
static int read_table(struct inuse_peek *p, const char *table)
{
	struct inuse_dir d;
	unsigned char type;
	const char *fd;
	int r, n = 0;

	r = inuse_dir_open(&d, p->pass->h, table);
	if (r < 0)
		return r;
	while ((r = inuse_dir_next(&d, &fd, &type)) > 0) {
		n++;
		r = p->pass->h->real ? look_at_file(p, table, d.fd, fd) : look_at_text(p, table, d.fd, fd);
		if (r < 0)
			break;
	}
	inuse_dir_close(&d);
	return r < 0 ? r : n;
}

/* The first thread may have ended before the others: then they hold the files. */
static int read_threads(struct inuse_peek *p)
{
	struct host_path path = host_path("/proc/%d/task", p->pid);
	struct inuse_dir d;
	unsigned char type;
	const char *name;
	uint64_t tid;
	int r;

	r = inuse_dir_open(&d, p->pass->h, path.s);
	if (r < 0)
		return is_gone(r) ? 0 : r;
	while ((r = inuse_dir_next(&d, &name, &type)) > 0) {
		if (str_to_u64(name, 10, &tid) < 0 || tid == (uint64_t)p->pid)
			continue;
		r = read_table(p, host_path("%s/%s/fd", path.s, name).s);
		if (r > 0)
			break;	/* all threads share one table */
		if (r < 0 && !is_gone(r))
			break;
	}
	inuse_dir_close(&d);
	return is_gone(r) ? 0 : r;
}

int inuse_peek(struct inuse_peek *p, int pid)
{
	size_t before = p->n;
	int r;

	p->pid = pid;
	p->hidden = false;
	r = read_table(p, host_path("/proc/%d/fd", pid).s);
	if (r == 0)
		r = read_threads(p);
	if (r >= 0 && p->pass->maps && p->n == before)
		r = inuse_maps_read(&p->maps, p->pass->h, host_path("/proc/%d/maps", pid).s, p->match,
				    add_node, p);
	if (p->hidden || is_hidden(r))
		p->unseen++;
	return r >= 0 || is_hidden(r) || is_gone(r) ? 0 : r;
}
