// SPDX-License-Identifier: GPL-2.0-or-later
/* Locks and state folders: see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define POLL_MS 20

void file_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int file_flock(struct host *h, int fd, uint64_t ms)
{
	uint64_t end = host_now(h) + ms;

	for (;;) {
		uint64_t now;

		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		now = host_now(h);
		if (now >= end)
			return -EWOULDBLOCK;
		host_sleep(h, end - now < POLL_MS ? end - now : POLL_MS);
	}
}

int file_lock(struct host *h, const char *path, uint64_t ms, struct err *e)
{
	int fd = host_open_file(h, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600), r;

	if (fd < 0)
		return err_set(e, -fd, "cannot open the lock '%s': %s", path, err_text(fd));
	r = file_flock(h, fd, ms);
	if (r == 0)
		return fd;
	close(fd);
	if (r == -EWOULDBLOCK)
		return err_set(e, EWOULDBLOCK, "the lock '%s' is held by another process and did not come "
			       "free within %llu ms: see who with 'fuser -v %s', then try again",
			       path, (unsigned long long)ms, path);
	return err_set(e, -r, "cannot lock '%s': %s", path, err_text(r));
}

int file_is_current(struct host *h, int fd, const char *path)
{
	struct stat mine, there;
	int r = host_stat(h, path, &there);

	if (r == -ENOENT)
		return 0;
	if (r == 0 && fstat(fd, &mine) < 0)
		r = -errno;
	return r < 0 ? r : mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

int file_replace(struct host *h, const char *path, const void *bytes, size_t len, mode_t mode)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	/* hidden: a folder of scripts would run it when we are killed before it has its name */
	struct host_path temp = host_path("%.*s.%s.new.%d", (int)(name - path), path, name, (int)getpid());
	int fd, r;

	(void)host_unlink(h, temp.s);
	fd = host_open_file(h, temp.s, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, mode);
	if (fd < 0)
		return fd;
	r = len ? host_append(h, fd, bytes, len) : 0;
	if (r == 0 && fchmod(fd, mode) < 0 && errno != EPERM)	/* cifs has the mode of its mount */
		r = -errno;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0)
		r = host_rename(h, temp.s, path);
	if (r < 0)
		(void)host_unlink(h, temp.s);
	return r;
}

/* The program's umask is strict; the folder gets the mode that was asked for. */
static int make_dir(struct host *h, const char *path, mode_t mode)
{
	int r = host_mkdir(h, path, mode);
	_cleanup_(file_closep) int fd = r == 0 ? host_open_file(h, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0) : -1;

	if (fd >= 0)
		(void)!fchmod(fd, mode);
	return r;
}

int file_mkdirs(struct host *h, const char *path, mode_t mode)
{
	int r = make_dir(h, path, mode);
	const char *slash = strrchr(path, '/');

	if (r == -EEXIST)
		return 0;
	if (r != -ENOENT || !slash || slash == path)
		return r;
	r = file_mkdirs(h, host_path("%.*s", (int)(slash - path), path).s, mode);
	return r < 0 ? r : make_dir(h, path, mode);
}

int file_private_dir(struct host *h, const char *path, struct err *e)
{
	int r = host_mkdir(h, path, 0700);
	_cleanup_(file_closep) int fd = -1;
	struct stat st;

	if (r < 0 && r != -EEXIST)
		return err_set(e, -r, "cannot create the folder '%s': %s", path, err_text(r));
	fd = host_open_file(h, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_set(e, -fd, "'%s' is no folder of ours: %s; look at what lies there and remove it",
			       path, err_text(fd));
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "cannot look at the folder '%s': %s", path, err_text(errno));
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return err_set(e, EPERM, "the folder '%s' belongs to user %u with mode %04o: others could forge "
			       "leases in it; remove it, then try again", path, (unsigned)st.st_uid,
			       (unsigned)st.st_mode & 07777);
	return 0;
}

static int check_folder(const char *path, const char *folder, const struct stat *st, bool nearest, struct err *e)
{
	unsigned mode = (unsigned)st->st_mode & 07777;

	if (st->st_uid != 0)
		return err_set(e, EPERM, "the folder '%s' belongs to user %u, who can put another file in the place of "
			       "'%s': 'chown root %s'", folder, (unsigned)st->st_uid, path, folder);
	if (!nearest && (mode & 01000))
		return 0;
	if (mode & 02)
		return err_set(e, EPERM, "anybody can put files into the folder '%s' (mode %04o), so '%s' is not believed: "
			       "'chmod o-w %s'", folder, mode, path, folder);
	if ((mode & 020) && st->st_gid != 0)
		return err_set(e, EPERM, "the group %u can put files into the folder '%s' (mode %04o), so '%s' is not "
			       "believed: 'chmod g-w %s'", (unsigned)st->st_gid, folder, mode, path, folder);
	return 0;
}

int file_check_place(struct host *h, const char *path, struct err *e)
{
	struct host_path folder = host_path("%s", path);
	bool nearest = true;
	char *slash;
	int r = 0;

	if (!h->real)
		return 0;
	while (r == 0 && (slash = strrchr(folder.s, '/')) && folder.s[1]) {
		struct stat st;

		slash[slash == folder.s] = '\0';	/* the last one is "/" */
		r = host_stat(h, folder.s, &st);
		if (r < 0)
			return err_set(e, -r, "cannot look at the folder '%s': %s", folder.s, err_text(r));
		r = check_folder(path, folder.s, &st, nearest, e);
		nearest = false;
	}
	return r;
}
