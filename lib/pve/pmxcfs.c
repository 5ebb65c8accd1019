// SPDX-License-Identifier: GPL-2.0-or-later
/* Writing below /etc/pve: see pmxcfs.h. */
#include "pmxcfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

#define LOCAL "/etc/pve/local"
#define BUSY_MS 10000
#define BUSY_STEP_MS 100
#define SIZE_MAX_BYTES (1024 * 1024)
#define LOCK_STEP_MS 200
#define RENAME_MS 200
#define RENAME_STEP_MS 20

/* The link itself. */
static int stat_local(struct host *h, struct stat *ret)
{
	_cleanup_(file_closep) int fd = host_open_file(h, LOCAL, O_PATH | O_NOFOLLOW, 0);

	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

static int check(struct host *h, struct stat *ret, struct err *e)
{
	int r = stat_local(h, ret);

	if (r == 0 && S_ISLNK(ret->st_mode))
		return 0;
	if (r < 0 && r != -ENOENT && r != -ENOTCONN && r != -ENOTDIR)
		return err_set(e, -r, "cannot look at '%s': %s", LOCAL, err_text(r));
	return err_set(e, ENOLINK, "/etc/pve is not mounted ('%s' is no link), so nothing is written there; see what "
		       "is wrong with 'systemctl status pve-cluster'", LOCAL);
}

int pmxcfs_check_mounted(struct host *h, struct err *e)
{
	struct stat st;

	return check(h, &st, e);
}

static int no_quorum(const char *what, struct err *e)
{
	return err_set(e, EACCES, "%s: the cluster has no quorum, so /etc/pve is read-only; nothing was changed. See "
		       "'pvecm status'", what);
}

int pmxcfs_check_writable(struct host *h, struct err *e)
{
	struct stat st;
	int r = check(h, &st, e);

	if (r < 0 || (st.st_mode & 0200))
		return r;
	return no_quorum("no change is possible", e);
}

static int failed(const char *what, const char *path, int r, struct err *e)
{
	const char *why = err_text(r);

	if (r == -EACCES && geteuid() == 0) {
		err_set(e, EACCES, "cannot %s '%s'", what, path);
		return no_quorum(host_path("%s", e->msg).s, e);
	}
	if (r == -EBUSY)
		return err_set(e, ETIMEDOUT, "cannot %s '%s': the cluster's membership has been changing for %u seconds; "
			       "nothing was changed. Try again", what, path, BUSY_MS / 1000);
	if (r == -EEXIST)
		why = "this id belongs to a guest of another kind or node by now";
	else if (r == -EFBIG)
		why = "more than 1 MiB, which Proxmox cannot store";
	/* -EPERM is what our own rules say; this is the file system's (chattr +i). */
	return err_set(e, r == -EPERM ? EACCES : -r, "cannot %s '%s': %s; it is as it was%s", what, path, why,
		       r == -EPERM ? " (see 'lsattr')" : r == -EACCES ? " (are you root?)" :
		       r == -ENOTCONN ? " (is pve-cluster.service running?)" :
		       r == -EIO ? " (see 'journalctl -u pve-cluster')" : "");
}

int pmxcfs_read(struct host *h, const char *path, char **ret, size_t *ret_len, struct err *e)
{
	int r = host_read_file(h, path, SIZE_MAX_BYTES, ret, ret_len);

	if (r == 0 || r == -ENOENT)
		return r;
	return err_set(e, -r, "cannot read '%s': %s%s", path, r == -EINVAL ? "it is no regular file" : err_text(r),
		       r == -ENOTCONN ? " (is pve-cluster.service running?)" :
		       r == -EFBIG ? " (more than 1 MiB; Proxmox cannot hold such a file)" : "");
}

int pmxcfs_read_listed(struct host *h, const char *path, char **ret, size_t *ret_len, struct err *e)
{
	uint64_t end = host_now(h) + RENAME_MS;
	int r;

	while ((r = pmxcfs_read(h, path, ret, ret_len, e)) == -ENOENT && host_now(h) < end)
		host_sleep(h, RENAME_STEP_MS);
	return r;
}

/* --- replacing --------------------------------------------------------------------------------- */

static int open_temp(struct host *h, const char *path)
{
	int fd = -EEXIST;

	/* One of a process that died: Proxmox removes it as well (File.pm: file_set_contents). */
	for (int tries = 0; fd == -EEXIST && tries < 3; tries++) {
		fd = host_open_file(h, path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0640);
		if (fd == -EEXIST)
			(void)host_unlink(h, path);
	}
	return fd;
}

static int write_temp(struct host *h, const char *path, const char *bytes, size_t len)
{
	int fd = open_temp(h, path), r;

	if (fd < 0)
		return fd;
	(void)!fchmod(fd, 0640);	/* what pmxcfs gives it anyway; elsewhere the umask was stricter */
	r = len ? host_append(h, fd, bytes, len) : 0;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

static int is_unchanged(struct host *h, const char *path, const char *old, size_t old_len, struct err *e)
{
	char *now = NULL;
	size_t len = 0;
	int r = pmxcfs_read(h, path, &now, &len, e);
	bool same = r == 0 ? old && len == old_len && memcmp(now, old, len) == 0 : r == -ENOENT && !old;

	free(now);
	if (r < 0 && r != -ENOENT)
		return r;
	if (same)
		return 0;
	return err_set(e, ESTALE, "'%s' was changed by somebody else at the same moment; nothing was written. Look at "
		       "it, then try again", path);
}

static int replace_once(struct host *h, const char *path, const char *temp, const char *old, size_t old_len,
			const char *bytes, size_t len, bool *ret_busy, struct err *e)
{
	int r = write_temp(h, temp, bytes, len);

	*ret_busy = r == -EBUSY;
	if (r < 0)
		return failed("write", path, r, e);
	r = is_unchanged(h, path, old, old_len, e);
	if (r < 0)
		return r;
	r = host_rename(h, temp, path);
	*ret_busy = r == -EBUSY;
	return r < 0 ? failed("replace", path, r, e) : 0;
}

int pmxcfs_replace(struct host *h, const char *path, const char *old, size_t old_len, const char *bytes,
		   size_t len, struct err *e)
{
	struct host_path temp = host_path("%s.tmp.%d", path, (int)getpid());
	uint64_t end = host_now(h) + BUSY_MS;
	bool busy;
	int r;

	if (len > SIZE_MAX_BYTES)
		return failed("write", path, -EFBIG, e);
	for (;;) {
		r = replace_once(h, path, temp.s, old, old_len, bytes, len, &busy, e);
		if (r < 0)
			(void)host_unlink(h, temp.s);
		if (r == 0 || !busy || host_now(h) >= end)
			return r;
		host_sleep(h, BUSY_STEP_MS);
	}
}

/* --- the cluster-wide lock --------------------------------------------------------------------- */

static struct host_path lock_path(const char *name)
{
	struct host_path p = host_path("/etc/pve/priv/lock/file-%s", name);

	for (char *c = p.s + strlen("/etc/pve/priv/lock/"); *c; c++)
		if (*c == '/' || *c == '.')
			*c = '_';
	return p;
}

/* A lock older than two minutes goes away when its times are set to zero. */
static void ask_for_unlock(struct host *h, const char *path)
{
	const struct timespec zero[2] = { { 0, 0 }, { 0, 0 } };
	_cleanup_(file_closep) int fd = host_open_file(h, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd >= 0)
		(void)!futimens(fd, zero);
}

int pmxcfs_lock(struct host *h, const char *name, uint64_t ms, struct err *e)
{
	struct host_path p = lock_path(name);
	uint64_t end = host_now(h) + ms;
	int r;

	for (;;) {
		r = host_mkdir(h, p.s, 0700);
		if (r == -ENOENT) {
			(void)host_mkdir(h, "/etc/pve/priv", 0700);
			(void)host_mkdir(h, "/etc/pve/priv/lock", 0700);
			r = host_mkdir(h, p.s, 0700);
		}
		if (r == 0)
			return 0;
		if ((r != -EEXIST && r != -EBUSY) || host_now(h) >= end)
			break;
		ask_for_unlock(h, p.s);
		host_sleep(h, LOCK_STEP_MS);
	}
	if (r == -EEXIST)
		return err_set(e, EWOULDBLOCK, "'%s' is locked by somebody in the cluster and did not come free within "
			       "%llu s; such a lock ('%s') expires after two minutes. Try again then", name,
			       (unsigned long long)ms / 1000, p.s);
	return failed("lock", p.s, r, e);
}

void pmxcfs_unlock(struct host *h, const char *name)
{
	(void)host_unlink(h, lock_path(name).s);
}
