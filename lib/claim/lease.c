// SPDX-License-Identifier: GPL-2.0-or-later
/* Lease files: creating, locking, appending, removing.  See lease.h. */
#include "lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "file.h"
#include "lease_text.h"
#include "proc.h"
#include "str.h"

#define LEASE_MAX (4 << 20)

struct lease_path lease_path(unsigned vmid)
{
	struct lease_path p;

	snprintf(p.s, sizeof(p.s), LEASE_DIR "/%u", vmid);
	return p;
}

int lease_prepare(struct host *h, struct err *e)
{
	int r = file_private_dir(h, LEASE_RUN, e);

	if (r == 0)
		r = file_private_dir(h, LEASE_DIR, e);
	return r < 0 ? err_hint(e, "Without a record no device is touched.") : 0;
}

void lease_boot_id(struct host *h, char *buf, size_t size)
{
	if (host_read_line(h, "/proc/sys/kernel/random/boot_id", buf, size) < 0)
		buf[0] = '\0';
}

void lease_release(struct lease *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->at);
	plan_release(&l->plan);
	*l = (struct lease)LEASE_INIT;
}

static int copy_plan(struct lease *l, const struct plan *plan)
{
	struct plan *p = &l->plan;

	*p = (struct plan){ .vmid = plan->vmid, .chains = plan->chains };
	p->devices = calloc(plan->n_devices + 1, sizeof(*p->devices));
	p->steps = calloc(plan->n_steps + 1, sizeof(*p->steps));
	l->at = calloc(plan->n_steps + 1, sizeof(*l->at));
	if (!p->devices || !p->steps || !l->at)
		return -ENOMEM;
	if (plan->n_devices)
		memcpy(p->devices, plan->devices, plan->n_devices * sizeof(*p->devices));
	if (plan->n_steps)
		memcpy(p->steps, plan->steps, plan->n_steps * sizeof(*p->steps));
	p->n_devices = p->devices_size = plan->n_devices;
	p->n_steps = p->steps_size = plan->n_steps;
	return 0;
}

/* The file under its working name, locked before anybody can see it under its real one. */
static int write_new(struct lease *l, const char *tmp, const struct str *text, struct err *e)
{
	int r;

	(void)host_unlink(l->h, tmp);
	l->fd = host_open_file(l->h, tmp, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0600);
	if (l->fd < 0)
		return err_set(e, -l->fd, "cannot create the lease '%s': %s", tmp, err_text(l->fd));
	r = file_flock(l->h, l->fd, 0);
	if (r == 0)
		r = host_append(l->h, l->fd, text->s, text->len);
	if (r == 0)
		r = host_rename(l->h, tmp, lease_path(l->vmid).s);
	if (r < 0) {
		(void)host_unlink(l->h, tmp);
		return err_set(e, -r, "cannot write the lease of VM %u in " LEASE_DIR ": %s%s; no device was touched",
			       l->vmid, err_text(r), r == -ENOSPC ? " (see 'df /run')" : "");
	}
	return 0;
}

int lease_create(struct host *h, const struct plan *plan, struct lease_process task, bool task_locked,
		 struct lease *ret, struct err *e)
{
	struct lease l = LEASE_INIT;
	struct str text = STR_INIT;
	char tmp[64];
	int r;

	l.h = h;
	l.vmid = plan->vmid;
	l.task = task;
	l.task_locked = task_locked;
	lease_boot_id(h, l.boot, sizeof(l.boot));
	snprintf(tmp, sizeof(tmp), LEASE_DIR "/.%u.new", plan->vmid);
	r = copy_plan(&l, plan);
	if (r == 0)
		r = lease_format(plan, l.boot, task, task_locked, &text);
	r = r < 0 ? err_set(e, -r, "cannot write down the plan: %s", err_text(r)) : write_new(&l, tmp, &text, e);
	str_release(&text);
	if (r < 0)
		lease_release(&l);
	else
		*ret = l;
	return r;
}

static int check_file(int fd, const char *path, struct lease *l, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "cannot look at the lease '%s': %s", path, err_text(errno));
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		return err_set(e, EBADMSG, "the lease '%s' is not a file that only root can write", path);
	l->written = (uint64_t)st.st_mtime;
	return 0;
}

/* Length without a torn last line. */
static size_t whole_lines(const char *text, size_t len)
{
	while (len && text[len - 1] != '\n')
		len--;
	return len;
}

static int parse_file(struct lease *l, const char *path, struct err *e)
{
	char boot[40], *text;
	unsigned vmid = l->vmid;
	size_t len;
	int r = host_read_file(l->h, path, LEASE_MAX, &text, &len);

	if (r < 0)
		return err_set(e, r == -EFBIG || r == -EISDIR || r == -EINVAL || r == -ELOOP ? EBADMSG : -r,
			       "cannot read the lease '%s': %s", path,
			       r == -EINVAL ? "it is no regular file" : err_text(r));
	l->vmid = 0;
	l->whole = whole_lines(text, len);
	r = strlen(text) == len ? lease_parse(l, text, e) : err_set(e, EBADMSG, "there is a NUL byte in it");
	free(text);
	if (r == 0 && l->vmid != vmid)
		r = err_set(e, EBADMSG, "it is the lease of VM %u", l->vmid);
	l->vmid = vmid;
	if (r < 0)
		return err_wrap(e, "the lease '%s' is damaged", path);
	lease_boot_id(l->h, boot, sizeof(boot));
	if (boot[0] && strcmp(boot, l->boot) != 0)
		return err_set(e, ESTALE, "the lease '%s' is from before the last boot", path);
	return 0;
}

int lease_read(struct host *h, const char *path, unsigned vmid, struct lease *ret, struct err *e)
{
	struct lease l = LEASE_INIT;
	_cleanup_(file_closep) int fd = host_open_file(h, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return err_set(e, fd == -ELOOP ? EBADMSG : -fd, "cannot open the lease '%s': %s", path, err_text(fd));
	l.h = h;
	l.vmid = vmid;
	r = h->real || h->priv ? check_file(fd, path, &l, e) : 0;
	if (r == 0)
		r = parse_file(&l, path, e);
	if (r < 0)
		lease_release(&l);
	else
		*ret = l;
	return r;
}

int lease_load(struct host *h, unsigned vmid, struct lease *ret, struct err *e)
{
	return lease_read(h, lease_path(vmid).s, vmid, ret, e);
}

bool lease_is_locked(struct host *h, const char *path)
{
	_cleanup_(file_closep) int fd = host_open_file(h, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* What the writer is at, for those who found the lease locked. */
static int say_busy(struct host *h, unsigned vmid, struct err *e)
{
	struct lease l = LEASE_INIT;
	struct err ignored = ERR_INIT;
	int i;

	err_set(e, EWOULDBLOCK, "somebody is at work on the devices of VM %u right now", vmid);
	if (lease_load(h, vmid, &l, &ignored) < 0)
		return -EWOULDBLOCK;
	i = lease_open_step(&l);
	if (i >= 0 && !step_has_device(&l.plan.steps[i]))
		err_set(e, EWOULDBLOCK, "the hook of VM %u is at work on the %s '%s', which uses its devices", vmid,
			step_kind_name(l.plan.steps[i].kind), l.plan.steps[i].to);
	else if (i >= 0)
		err_set(e, EWOULDBLOCK, "a step on the devices of VM %u has not come back from the kernel: %s of %s%s%s; "
			"while it hangs nothing may be done to that device. 'dmesg' tells what the driver waits for",
			vmid, step_kind_name(l.plan.steps[i].kind), BDF_S(l.plan.steps[i].bdf),
			l.plan.steps[i].from[0] ? " from " : "", l.plan.steps[i].from);
	lease_release(&l);
	return -EWOULDBLOCK;
}

int lease_open(struct host *h, unsigned vmid, uint64_t ms, struct lease *ret, struct err *e)
{
	struct lease_path path = lease_path(vmid);
	uint64_t end = host_now(h) + ms;
	int tries = 0;

	for (;;) {
		int fd = host_open_file(h, path.s, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0), r;
		uint64_t now = host_now(h);

		if (fd < 0)
			return err_set(e, fd == -ELOOP || fd == -EISDIR ? EBADMSG : -fd,
				       "cannot open the lease '%s': %s", path.s, err_text(fd));
		r = file_flock(h, fd, now < end ? end - now : 0);
		if (r == -EWOULDBLOCK) {
			close(fd);
			return say_busy(h, vmid, e);
		}
		/* It may have been closed or replaced while we waited for it. */
		r = r == 0 ? file_is_current(h, fd, path.s) : r;
		if (r == 0) {
			close(fd);
			if (tries++ < 100)
				continue;
			return err_set(e, EBUSY, "the lease '%s' is replaced all the time", path.s);
		}
		r = r < 0 ? err_set(e, -r, "cannot lock '%s': %s", path.s, err_text(r)) :
		    lease_load(h, vmid, ret, e);
		if (r < 0)
			close(fd);
		else
			ret->fd = fd;
		/* What a killed writer left of a line would spoil the next one. */
		if (r == 0 && ftruncate(fd, (off_t)ret->whole) < 0)
			r = err_set(e, errno, "cannot mend the end of '%s': %s", path.s, err_text(errno));
		if (r < 0 && ret->fd == fd)
			lease_release(ret);
		return r;
	}
}

static int append(struct lease *l, struct str *line, int r, struct err *e)
{
	off_t end = lseek(l->fd, 0, SEEK_END);

	if (r == 0)
		r = host_append(l->h, l->fd, line->s, line->len);
	/* Half a line would spoil the next one. */
	if (r < 0 && end >= 0)
		(void)!ftruncate(l->fd, end);
	str_release(line);
	if (r < 0)
		return err_set(e, -r, "cannot write to the lease of VM %u in " LEASE_DIR ": %s%s", l->vmid, err_text(r),
			       r == -ENOSPC ? " (see 'df /run')" : "");
	return 0;
}

int lease_mark(struct lease *l, size_t step, enum lease_mark mark, uint64_t ns, int enable,
	       const char *text, struct err *e)
{
	static const char *const names[] = { "planned", "intent", "done", "undo", "undone", "failed", "stuck" };
	struct str line = STR_INIT, words = STR_INIT;
	int r = 0;

	if (mark == MARK_DONE) {
		(void)str_addf(&words, " ns=%llu", (unsigned long long)ns);
		if (enable >= 0)
			(void)str_addf(&words, " enable=%d", enable);
	}
	if (text) {
		char cut[160];

		snprintf(cut, sizeof(cut), "%.159s", text);
		(void)lease_word(&words, "why", cut);
	}
	r = words.failed ? -ENOMEM : lease_line(&line, "%s %zu%s", names[mark], step, words.s);
	str_release(&words);
	r = append(l, &line, r, e);
	if (r < 0)
		return r;
	l->at[step].mark = mark;
	l->at[step].ns = ns;
	if (mark == MARK_DONE && enable >= 0)
		l->plan.steps[step].enable = enable;
	if (mark >= MARK_UNDO)
		l->returning = true;
	return 0;
}

int lease_note_claimed(struct lease *l, struct err *e)
{
	struct str line = STR_INIT;
	int r = append(l, &line, lease_line(&line, "claimed"), e);

	if (r == 0)
		l->claimed = true;
	return r;
}

int lease_note_qemu(struct lease *l, struct lease_process qemu, struct err *e)
{
	struct str line = STR_INIT;
	int r = append(l, &line, lease_line(&line, "qemu %d:%llu", (int)qemu.pid,
					    (unsigned long long)qemu.start), e);

	if (r == 0)
		l->qemu = qemu;
	return r;
}

int lease_note_linger(struct lease *l, uint64_t until, struct err *e)
{
	struct str line = STR_INIT;
	int r = append(l, &line, lease_line(&line, "linger %llu", (unsigned long long)until), e);

	if (r == 0)
		l->linger = until;
	return r;
}

int lease_note_stuck(struct lease *l, size_t step, struct lease_process worker, struct err *e)
{
	struct str line = STR_INIT;
	int r = append(l, &line, lease_line(&line, "stuck %zu %d:%llu", step, (int)worker.pid,
					    (unsigned long long)worker.start), e);

	l->at[step].mark = MARK_STUCK;
	l->stuck = worker;
	return r;
}

int lease_remove(struct lease *l, struct err *e)
{
	int r = host_unlink(l->h, lease_path(l->vmid).s);

	if (r < 0 && r != -ENOENT)
		return err_set(e, -r, "cannot remove the lease '%s': %s", lease_path(l->vmid).s, err_text(r));
	return 0;
}

uint64_t lease_process_start(struct host *h, pid_t pid)
{
	return proc_start(h, pid);
}

bool lease_process_alive(struct host *h, struct lease_process p)
{
	return p.pid > 0 && lease_process_start(h, p.pid) == p.start && p.start != 0;
}

struct ids { unsigned *list; size_t n, size; };

static int add_id(void *arg, const char *name)
{
	struct ids *ids = arg;
	unsigned vmid;

	if (str_to_vmid(name, &vmid) < 0)
		return 0;
	if (array_room(&ids->list, ids->n, &ids->size, sizeof(*ids->list)) < 0)
		return -ENOMEM;
	ids->list[ids->n++] = vmid;
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

int lease_list(struct host *h, unsigned **ret, size_t *ret_n, struct err *e)
{
	struct ids ids = { NULL, 0, 0 };
	int r = host_list(h, LEASE_DIR, add_id, &ids);

	if (r < 0 && r != -ENOENT) {
		free(ids.list);
		return err_set(e, -r, "cannot list the leases in " LEASE_DIR ": %s", err_text(r));
	}
	if (ids.n)
		qsort(ids.list, ids.n, sizeof(*ids.list), compare_ids);
	*ret = ids.list;
	*ret_n = ids.n;
	return 0;
}

int lease_open_step(const struct lease *l)
{
	for (size_t i = 0; i < l->plan.n_steps; i++)
		if (l->at[i].mark == MARK_STUCK || l->at[i].mark == MARK_INTENT || l->at[i].mark == MARK_UNDO)
			return (int)i;
	return -1;
}

bool lease_touched(const struct lease *l, size_t step)
{
	const struct step *s = &l->plan.steps[step];

	return (l->at[step].mark != MARK_PLANNED || s->kept || s->kind == STEP_VFS) && l->at[step].mark != MARK_UNDONE;
}

bool lease_gave_back(const struct lease *l, struct bdf bdf)
{
	bool failed = false;

	for (size_t i = 0; i < l->plan.n_steps; i++) {
		if (step_concerns(&l->plan.steps[i], bdf) && lease_touched(l, i))
			return false;
		failed |= !step_has_device(&l->plan.steps[i]) && l->at[i].mark == MARK_FAILED;
	}
	return failed;
}

int lease_stopped(const struct lease *l, struct step **ret, size_t *ret_n)
{
	struct step *list = calloc(l->plan.n_steps + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; list && i < l->plan.n_steps; i++)
		if (!step_has_device(&l->plan.steps[i]) && !step_is_idle(l->plan.steps[i].kind, STEP_UNDO) &&
		    lease_touched(l, i) && l->plan.steps[i].enable != 0)
			list[n++] = l->plan.steps[i];
	*ret = list;
	*ret_n = n;
	return list ? 0 : -ENOMEM;
}

enum step_way lease_way(const struct lease *l, size_t step)
{
	const struct plan *p = &l->plan;

	if (l->at[step].mark == MARK_UNDO || l->at[step].ns > 0)
		return STEP_UNDO;
	for (size_t i = step + 1; i < p->n_steps; i++)
		if (p->steps[i].chain == p->steps[step].chain && l->at[i].mark == MARK_UNDONE)
			return STEP_UNDO;
	return STEP_DO;
}

bool lease_stays(const struct lease *l, struct bdf bdf)
{
	for (size_t i = 0; l->claimed && i < l->plan.n_steps; i++)
		if (l->plan.steps[i].kind == STEP_BIND && l->plan.steps[i].stay && bdf_same(l->plan.steps[i].bdf, bdf))
			return true;
	return false;
}
