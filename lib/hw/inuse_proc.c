// SPDX-License-Identifier: GPL-2.0-or-later
/* One pass over /proc: see inuse_proc.h. */
#include "inuse_proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inuse_dir.h"
#include "inuse_match.h"
#include "inuse_maps.h"
#include "str.h"

struct walk {
	struct inuse_pass *pass;
	struct inuse_match match;
	struct inuse_maps maps;
	int pid;
	bool hit;		/* the current process was reported */
};

/* A process that is gone, or a table that is being torn down, has nothing to tell. */
static bool is_gone(int r)
{
	return r == -ENOENT || r == -ESRCH || r == -ENOTDIR;
}

static bool is_hidden(int r)
{
	return r == -EACCES || r == -EPERM;
}

static int report(void *arg, size_t node)
{
	struct walk *w = arg;

	w->hit = true;
	return w->pass->found(w->pass->arg, w->pid, node);
}

/* The value of fdinfo's line "vfio-device-syspath:", if this kernel writes one. */
static const char *vfio_syspath(struct walk *w, const char *table, const char *fd, char *buf, size_t size)
{
	ssize_t n = host_read(w->pass->h, host_path("%sinfo/%s", table, fd).s, buf, size - 1);
	char *p;

	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	p = strstr(buf, "vfio-device-syspath:");
	if (!p)
		return NULL;
	p += strlen("vfio-device-syspath:");
	p[strcspn(p, "\n")] = '\0';
	return str_strip(p);
}

/* Anonymous files have no number and no type; their link text says what they are. */
static int look_at_anonymous(struct walk *w, const char *table, const char *fd, const char *text)
{
	char buf[2048];

	if (strcmp(text, "anon_inode:[vfio-device]") != 0)
		return 0;
	w->hit = true;
	return w->pass->device(w->pass->arg, w->pid, vfio_syspath(w, table, fd, buf, sizeof(buf)));
}

static ssize_t link_text(int dirfd, const char *fd, char *buf, size_t size)
{
	ssize_t n = readlinkat(dirfd, fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	return n;
}

/* The running machine: what the descriptor really is.  AT_STATX_DONT_SYNC asks no server, so a file
 * on a dead network mount cannot hold us. */
static int look_at_file(struct walk *w, const char *table, int dirfd, const char *fd)
{
	struct statx st;
	char text[64];

	if (statx(dirfd, fd, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st) < 0)
		return 0;	/* closed meanwhile */
	switch (st.stx_mode & S_IFMT) {
	case S_IFCHR:
	case S_IFBLK:
		return inuse_match_number(&w->match, S_ISBLK(st.stx_mode), st.stx_rdev_major,
					  st.stx_rdev_minor, report, w);
	case S_IFREG:
	case S_IFDIR:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	default:
		if (!w->pass->vfio || link_text(dirfd, fd, text, sizeof(text)) <= 0)
			return 0;
		return look_at_anonymous(w, table, fd, text);
	}
}

/* A captured tree: the text is all there is, and following it could lead out of the tree. */
static int look_at_text(struct walk *w, const char *table, int dirfd, const char *fd)
{
	char text[256];

	if (link_text(dirfd, fd, text, sizeof(text)) <= 0)
		return 0;
	if (w->pass->vfio && str_starts(text, "anon_inode:"))
		return look_at_anonymous(w, table, fd, text);
	return inuse_match_path(&w->match, text, report, w);
}

/* Every descriptor of one table; the count or a negative errno. */
static int read_table(struct walk *w, const char *table)
{
	struct inuse_dir d;
	unsigned char type;
	const char *fd;
	int r, n = 0;

	r = inuse_dir_open(&d, w->pass->h, table);
	if (r < 0)
		return r;
	while ((r = inuse_dir_next(&d, &fd, &type)) > 0) {
		n++;
		r = w->pass->h->real ? look_at_file(w, table, d.fd, fd) :
				       look_at_text(w, table, d.fd, fd);
		if (r < 0)
			break;
	}
	inuse_dir_close(&d);
	return r < 0 ? r : n;
}

/* The first thread may have ended before the others: then they hold the files. */
static int read_threads(struct walk *w)
{
	struct host_path path = host_path("/proc/%d/task", w->pid);
	struct inuse_dir d;
	unsigned char type;
	const char *name;
	uint64_t tid;
	int r;

	r = inuse_dir_open(&d, w->pass->h, path.s);
	if (r < 0)
		return is_gone(r) ? 0 : r;
	while ((r = inuse_dir_next(&d, &name, &type)) > 0) {
		if (str_to_u64(name, 10, &tid) < 0 || tid == (uint64_t)w->pid)
			continue;
		r = read_table(w, host_path("%s/%s/fd", path.s, name).s);
		if (r > 0)
			break;	/* all threads share one table */
		if (r < 0 && !is_gone(r))
			break;
	}
	inuse_dir_close(&d);
	return is_gone(r) ? 0 : r;
}

static int read_process(struct walk *w)
{
	int r = read_table(w, host_path("/proc/%d/fd", w->pid).s);

	if (r == 0)
		r = read_threads(w);
	if (r >= 0 && w->pass->maps && !w->hit)
		r = inuse_maps_read(&w->maps, w->pass->h, host_path("/proc/%d/maps", w->pid).s,
				    &w->match, report, w);
	if (is_hidden(r)) {
		w->pass->unseen++;
		r = 0;
	}
	if (r < 0 && !is_gone(r))
		return r;
	return w->hit ? w->pass->done(w->pass->arg, w->pid) : 0;
}

static int walk_processes(struct walk *w, struct err *e)
{
	struct inuse_dir d;
	unsigned char type;
	const char *name;
	uint64_t pid;
	int r, self = w->pass->h->real ? getpid() : 0;

	r = inuse_dir_open(&d, w->pass->h, "/proc");
	if (r < 0)
		return err_set(e, -r, "cannot look through the processes in /proc: %s", err_text(r));
	while ((r = inuse_dir_next(&d, &name, &type)) > 0) {
		if (str_to_u64(name, 10, &pid) < 0 || pid > INT32_MAX || (int)pid == self)
			continue;
		w->pid = (int)pid;
		w->hit = false;
		r = read_process(w);
		if (r < 0)
			break;
	}
	inuse_dir_close(&d);
	if (r < 0)
		return err_set(e, -r, "cannot look into process %d: %s", w->pid, err_text(r));
	return r;
}

int inuse_proc_run(struct inuse_pass *p, struct err *e)
{
	struct walk w = { .pass = p };
	int r;

	p->unseen = 0;
	r = inuse_match_init(&w.match, p->nodes, p->n);
	if (r == 0)
		r = inuse_maps_init(&w.maps, p->maps);
	if (r < 0)
		r = err_nomem(e);
	else
		r = walk_processes(&w, e);
	inuse_maps_release(&w.maps);
	inuse_match_release(&w.match);
	return r;
}
