// SPDX-License-Identifier: GPL-2.0-or-later
/* The keeper of leases: see watch.h. */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "array.h"
#include "file.h"
#include "watch_int.h"

#define GRACE_MS 5000
#define SETTLE_MS 1000

static bool is_readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 0) > 0;
}

int watch_pidfd_of(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int watch_pidfd(struct host *h, struct lease_process p)
{
	int fd = lease_process_alive(h, p) ? watch_pidfd_of(p.pid) : -ESRCH;

	if (fd < 0)
		return fd;
	/* Another's pid by now, or a zombie, which still has its line in /proc. */
	if (lease_process_alive(h, p) && !is_readable(fd))
		return fd;
	close(fd);
	return -ESRCH;
}

void watch_init(struct watch *w, struct host *h, const struct claim_world *world, FILE *out)
{
	*w = (struct watch){
		.h = h, .world = world, .out = out, .stop = -1, .grace_ms = GRACE_MS, .settle_ms = SETTLE_MS,
		.retry_ms = { 5000, 30000, 300000 }, .limit = step_limit, .follow = watch_pidfd, .events = -1, .alive = -1,
		.journal = -1,
	};
}

void watch_release(struct watch *w)
{
	for (size_t i = 0; i < w->n; i++)
		file_closep(&w->list[i].follow);
	free(w->list);
	w->list = NULL;
	w->n = w->size = 0;
	file_closep(&w->events);
	file_closep(&w->alive);
	file_closep(&w->journal);
}

/* Shared, because a child of a killed predecessor may have it still; a post-stop that asks whether
 * somebody has it holds it for a moment. */
static int say_alive(struct watch *w, struct err *e)
{
	int r = lease_prepare(w->h, e);

	if (r < 0)
		return r;
	w->alive = host_open_file(w->h, LEASE_KEEPER, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (w->alive < 0)
		return err_set(e, -w->alive, "cannot open '" LEASE_KEEPER "': %s", err_text(w->alive));
	for (int i = 0; i < 100; i++) {
		if (flock(w->alive, LOCK_SH | LOCK_NB) == 0)
			return 0;
		host_sleep(w->h, 10);
	}
	return err_set(e, EBUSY, "cannot lock '" LEASE_KEEPER "': somebody else has locked it");
}

/* --- the folder -------------------------------------------------------------------------------- */

static struct watched *find(struct watch *w, unsigned vmid)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].vmid == vmid)
			return &w->list[i];
	return NULL;
}

/* systemd starts us as long as the folder is not empty: what is no lease has to leave it. */
static void foreign_file(struct watch *w, const char *name)
{
	struct host_path from = host_path(LEASE_DIR "/%s", name), to;
	struct str safe = STR_INIT, said = STR_INIT;
	struct err e = ERR_INIT;
	int r = file_private_dir(w->h, LEASE_ASIDE, &e), i = 0;

	do {
		to = host_path(LEASE_ASIDE "/%s.%d", name, i++);
	} while (r == 0 && i < 100 && host_exists(w->h, to.s));
	if (r == 0)
		r = host_rename(w->h, from.s, to.s);
	(void)str_add_safe(&safe, name);
	(void)str_addf(&said, "'%s' in " LEASE_DIR " is no lease%s%s", safe.s, r ? "; remove it. It could not be "
		       "put aside: " : ": it was put aside in " LEASE_ASIDE, r ? err_text(r) : "");
	if (r == 0 || !w->told_foreign)
		watch_line(w, 0, WATCH_NOTE, NULL, said.s);
	w->foreign |= r != 0;
	w->told_foreign |= r != 0;
	str_release(&safe);
	str_release(&said);
}

static int seen(void *arg, const char *name)
{
	struct watch *w = arg;
	unsigned vmid;

	if (name[0] == '.')
		return 0;	/* being written */
	if (str_to_vmid(name, &vmid) < 0) {
		foreign_file(w, name);
		return 0;
	}
	if (find(w, vmid))
		return 0;
	if (array_room(&w->list, w->n, &w->size, sizeof(*w->list)) < 0)
		return -ENOMEM;
	w->list[w->n++] = (struct watched){ .vmid = vmid, .follow = -1, .child_fd = -1, .news = true };
	return 0;
}

static int list_leases(struct watch *w, struct err *e)
{
	int r;

	w->rescan = w->foreign = false;
	r = host_list(w->h, LEASE_DIR, seen, w);
	if (r < 0 && r != -ENOENT)
		return err_set(e, -r, "cannot list the leases in " LEASE_DIR ": %s", err_text(r));
	return 0;
}

/* The folder is reached through the host's root, so inotify gets it by its descriptor. */
static int open_events(struct watch *w, struct err *e)
{
	const uint32_t mask = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_ONLYDIR;
	_cleanup_(file_closep) int dir = -1;
	int r = lease_prepare(w->h, e);

	file_closep(&w->events);
	w->rescan = true;
	if (r < 0)
		return r;
	dir = host_open_file(w->h, LEASE_DIR, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		return err_set(e, -dir, "cannot open the folder " LEASE_DIR ": %s", err_text(dir));
	w->events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->events < 0 || inotify_add_watch(w->events, host_path("/proc/self/fd/%d", dir).s, mask) < 0)
		return err_set(e, errno, "cannot watch the folder " LEASE_DIR ": %s%s", err_text(errno),
			       errno == ENOSPC || errno == EMFILE ? " (see 'sysctl fs.inotify')" : "");
	return 0;
}

static void everything_is_news(struct watch *w)
{
	for (size_t i = 0; i < w->n; i++)
		w->list[i].news = true;
}

/* True when the folder itself is gone. */
static bool read_events(struct watch *w)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool lost = false;
	ssize_t n;

	while ((n = read(w->events, buf, sizeof(buf))) > 0) {
		const struct inotify_event *ev;

		for (const char *p = buf; p < buf + n; p += sizeof(*ev) + ev->len) {
			struct watched *v;
			unsigned vmid;

			ev = (const struct inotify_event *)(const void *)p;
			lost |= (ev->mask & IN_IGNORED) != 0;
			w->rescan |= ev->mask != IN_CLOSE_WRITE;
			if (ev->mask & (IN_IGNORED | IN_Q_OVERFLOW))
				everything_is_news(w);
			v = ev->len && str_to_vmid(ev->name, &vmid) == 0 ? find(w, vmid) : NULL;
			if (v)
				v->news = true;
		}
	}
	return lost;
}

/* --- the loop ---------------------------------------------------------------------------------- */

static void look_after(struct watch *w)
{
	uint64_t now = host_now(w->h);
	size_t kept = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct watched *v = &w->list[i];

		if (!w->stopping && v->child == 0 && (v->news || (v->due && now >= v->due)))
			watch_judge(w, v);
		if (v->child == 0 && v->verdict == GONE && !v->news) {
			file_closep(&v->follow);
			watch_forget(w, v->vmid);
		} else {
			w->list[kept++] = *v;
		}
	}
	w->n = kept;
}

static size_t children(const struct watch *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += w->list[i].child > 0;
	return n;
}

static int pause_ms(const struct watch *w)
{
	uint64_t now = host_now(w->h), least = UINT64_MAX;

	for (size_t i = 0; i < w->n && !w->stopping; i++) {
		const struct watched *v = &w->list[i];
		uint64_t left = v->due > now ? v->due - now : 0;

		if (v->child == 0 && (v->due || v->news) && left < least)
			least = v->news ? 0 : left;
	}
	return least == UINT64_MAX ? -1 : (int)(least < INT32_MAX ? least : INT32_MAX);
}

static int sleep_until_news(struct watch *w, struct err *e)
{
	struct pollfd *p = calloc(w->n + 2, sizeof(*p));
	int pause = pause_ms(w), r = 0;

	if (!p)
		return err_nomem(e);
	for (size_t i = 0; i < w->n; i++)
		p[i] = (struct pollfd){ w->list[i].child ? w->list[i].child_fd : w->list[i].follow, POLLIN, 0 };
	p[w->n] = (struct pollfd){ w->stopping ? -1 : w->stop, POLLIN, 0 };
	p[w->n + 1] = (struct pollfd){ w->stopping ? -1 : w->events, POLLIN, 0 };
	if (pause < 0 && w->rest)
		w->rest();
	if (poll(p, w->n + 2, pause) <= 0) {
		free(p);
		return 0;
	}
	for (size_t i = 0; i < w->n; i++) {
		if (p[i].revents && w->list[i].child)
			watch_reap(w, &w->list[i]);
		else if (p[i].revents)
			w->list[i].news = true;
	}
	w->stopping |= p[w->n].revents != 0;
	if (p[w->n + 1].revents && read_events(w))
		r = open_events(w, e);
	free(p);
	return r;
}

int watch_run(struct watch *w, struct err *e)
{
	int r = say_alive(w, e);

	if (r == 0)
		r = open_events(w, e);
	while (r == 0) {
		if (w->rescan && !w->stopping)
			r = list_leases(w, e);
		look_after(w);
		if (r == 0 && w->n == 0 && !w->foreign)
			return 0;
		if (w->stopping && children(w) == 0)
			return 1;
		if (r == 0)
			r = sleep_until_news(w, e);
	}
	/* What is under way is not left behind. */
	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].child)
			watch_reap(w, &w->list[i]);
	return r;
}
