// SPDX-License-Identifier: GPL-2.0-or-later
/* The lock Proxmox holds while it starts, stops or changes one VM: see guestlock.h. */
#include "guestlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "file.h"
#include "macro.h"
#include "str.h"

#define LOCK_DIR "/var/lock/qemu-server"
/* A line per lock; a busy host has a few hundred. */
#define PROC_LOCKS_MAX (1024 * 1024)

static struct host_path lock_path(unsigned vmid)
{
	return host_path(LOCK_DIR "/lock-%u.conf", vmid);
}

/* /run/lock is writable by everybody: follow no link there, hang on no FIFO. */
static int open_lock(struct host *h, const char *path, int flags, struct err *e)
{
	int fd = host_open_file(h, path, flags | O_NONBLOCK | O_NOFOLLOW, 0644);
	struct stat st;

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0)
		return err_set(e, -fd, "cannot open the lock '%s': %s", path, err_text(fd));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return err_set(e, EINVAL, "the lock '%s' is no regular file: look at what lies there and remove it",
		       path);
}

int guestlock_probe(struct host *h, unsigned vmid, enum guestlock_state *ret, struct err *e)
{
	struct host_path path = lock_path(vmid);
	_cleanup_(file_closep) int fd = open_lock(h, path.s, O_RDONLY, e);
	int r;

	if (fd < 0 && fd != -ENOENT)
		return fd;
	if (fd >= 0) {
		do {
			r = flock(fd, LOCK_SH | LOCK_NB) < 0 ? -errno : 0;
		} while (r == -EINTR);
		if (r < 0 && r != -EWOULDBLOCK)
			return err_set(e, -r, "cannot try the lock '%s': %s", path.s, err_text(r));
		if (r < 0) {
			*ret = GUESTLOCK_HELD;
			return 0;
		}
	}
	*ret = GUESTLOCK_FREE;
	return 0;
}

/* "1: FLOCK  ADVISORY  WRITE 1234 00:1a:5678 0 EOF": the pid when the line is about this file.  Those
 * who wait have "->" behind the number. */
static pid_t line_holder(char *line, const char *file)
{
	enum { NUMBER, TYPE, MODE, ACCESS, PID, FILE_ID, N };
	char *word[N];
	uint64_t pid;

	for (int i = 0; i < N; i++) {
		word[i] = str_token(&line, " ");
		if (!word[i])
			return 0;
	}
	if (strcmp(word[TYPE], "FLOCK") != 0 || strcmp(word[FILE_ID], file) != 0)
		return 0;
	return str_to_u64(word[PID], 10, &pid) < 0 || pid > INT32_MAX ? 0 : (pid_t)pid;
}

/* Returns 0 when nobody holds it whom we can see. */
static pid_t find_holder(struct host *h, const struct stat *st)
{
	char file[64], *text = malloc(PROC_LOCKS_MAX), *cursor = text, *line;
	ssize_t n = text ? host_read(h, "/proc/locks", text, PROC_LOCKS_MAX - 1) : -1;
	pid_t pid = 0;

	/* fs/locks.c: lock_get_status */
	snprintf(file, sizeof(file), "%02x:%02x:%llu", major(st->st_dev), minor(st->st_dev),
		 (unsigned long long)st->st_ino);
	if (n > 0)
		text[n] = '\0';
	while (n > 0 && pid == 0 && (line = str_token(&cursor, "\n")))
		pid = line_holder(line, file);
	free(text);
	return pid;
}

int guestlock_holder(struct host *h, unsigned vmid, struct guestlock_holder *ret)
{
	_cleanup_(str_release) struct str name = STR_INIT;
	struct stat st;
	char comm[32];
	pid_t pid;

	if (host_stat(h, lock_path(vmid).s, &st) < 0)
		return 0;
	pid = find_holder(h, &st);
	if (pid == 0)
		return 0;
	if (host_read_line(h, host_path("/proc/%d/comm", (int)pid).s, comm, sizeof(comm)) == 0)
		str_add_safe(&name, comm);
	ret->pid = pid;
	snprintf(ret->name, sizeof(ret->name), "%.60s", name.s);
	return 1;
}

static int held(struct host *h, unsigned vmid, uint64_t ms, struct err *e)
{
	struct guestlock_holder who;
	struct host_path path = lock_path(vmid);

	err_set(e, EWOULDBLOCK, "VM %u is being worked on by another command, which did not finish within "
		"%llu ms; try again when it has", vmid, (unsigned long long)ms);
	if (guestlock_holder(h, vmid, &who))
		err_hint(e, "(process %d, %s, holds '%s'; do not delete that file)", (int)who.pid,
			 who.name[0] ? who.name : "already gone", path.s);
	return -EWOULDBLOCK;
}

/* One attempt within what is left of the time.  -ESTALE: somebody replaced the file meanwhile. */
static int take_once(struct host *h, unsigned vmid, uint64_t ms, struct err *e)
{
	struct host_path path = lock_path(vmid);
	int fd, r = file_mkdirs(h, LOCK_DIR, 0755);

	if (r < 0)
		return err_set(e, -r, "cannot create the folder '%s': %s", LOCK_DIR, err_text(r));
	fd = open_lock(h, path.s, O_WRONLY | O_APPEND | O_CREAT, e);
	if (fd == -ENOENT)
		return err_set(e, ENOENT, "cannot create the lock '%s': its folder went away", path.s);
	if (fd < 0)
		return fd;
	(void)!fchmod(fd, 0644);	/* as Proxmox makes it, whatever our umask */
	r = file_flock(h, fd, ms);
	if (r == 0 && file_is_current(h, fd, path.s) == 0)
		r = -ESTALE;
	if (r == 0)
		return fd;
	close(fd);
	if (r == -EWOULDBLOCK || r == -ESTALE)
		return r;
	return err_set(e, -r, "cannot lock '%s': %s", path.s, err_text(r));
}

int guestlock_take(struct host *h, unsigned vmid, uint64_t ms, struct err *e)
{
	uint64_t now = host_now(h), end = now + ms;
	int r;

	do {
		r = take_once(h, vmid, end - now, e);
		now = host_now(h);
	} while (r == -ESTALE && now < end);
	if (r == -EWOULDBLOCK || r == -ESTALE)
		return held(h, vmid, ms, e);
	return r;
}
