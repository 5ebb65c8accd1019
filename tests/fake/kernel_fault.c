// SPDX-License-Identifier: GPL-2.0-or-later
/* kernel_fault - operations by number, and what a test has asked to happen to them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "kernel_int.h"
#include "str.h"

void nap(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* --- locks ------------------------------------------------------------------------------------ */

static int lock_file(const struct fake_kernel *k, const char *path, int how)
{
	int fd = tfs_open(root_of(k), path, O_RDWR | O_CREAT, 0600), r;

	if (fd < 0)
		return fd;
	do {
		r = flock(fd, how);
	} while (r < 0 && errno == EINTR);
	if (r < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

int klock(const struct fake_kernel *k)
{
	return lock_file(k, "/.fake/klock", LOCK_EX);
}

void kunlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

/* --- violations, rules, counters -------------------------------------------------------------- */

void violation(struct fake_kernel *k, const char *fmt, ...)
{
	struct fake_shared *s = k->shared;
	int lock = klock(k);
	size_t n = strlen(s->violations);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(s->violations + n, sizeof(s->violations) - n, "%s\n", text);
	kunlock(lock);
}

bool rule_applies(struct fake_kernel *k, enum fake_rule_kind kind, const char *driver, struct bdf a,
		  int *ret_value)
{
	struct fake_shared *s = k->shared;

	for (unsigned i = 0; i < s->n_rules; i++) {
		struct fake_rule *r = &s->rules[i];

		if (r->kind != kind || (r->driver[0] && strcmp(r->driver, driver) != 0) ||
		    (r->device[0] && strcmp(r->device, BDF_S(a)) != 0))
			continue;
		if (r->times && __atomic_fetch_add(&s->applied[i], 1, __ATOMIC_SEQ_CST) >= r->times)
			continue;
		if (ret_value)
			*ret_value = r->value;
		return true;
	}
	return false;
}

struct fake_counts *counts_of(struct fake_kernel *k, struct bdf a)
{
	struct fake_shared *s = k->shared;
	int lock = klock(k);
	unsigned i = 0;

	while (i < s->n_counts && !bdf_same(s->counts[i].a, a))
		i++;
	if (i == s->n_counts && i < FAKE_DEVS) {
		s->counts[i].a = a;
		s->n_counts++;
	}
	kunlock(lock);
	return &s->counts[i < FAKE_DEVS ? i : 0].c;
}

/* --- hanging ---------------------------------------------------------------------------------- */

static struct fake_stuck *stuck_enter(struct fake_op *op, bool locked, bool waiting)
{
	struct fake_shared *s = op->k->shared;
	int lock = klock(op->k);
	struct fake_stuck *mine = NULL;

	for (size_t i = 0; !mine && i < ARRAY_SIZE(s->stuck); i++)
		if (!s->stuck[i].pid)
			mine = &s->stuck[i];
	if (mine) {
		*mine = (struct fake_stuck){ 0, op->n, locked, waiting, op->has_dev, op->a };
		mine->pid = getpid();
	}
	kunlock(lock);
	return mine;
}

static void stuck_leave(struct fake_op *op, struct fake_stuck *mine)
{
	int lock = klock(op->k);

	if (mine)
		mine->pid = 0;
	kunlock(lock);
}

/* The test is over, or gone: a process that hangs ends here. */
static void leave_if_over(const struct fake_shared *s)
{
	if (s->closing || (kill(s->owner, 0) < 0 && errno == ESRCH))
		_exit(0);
}

static void hang(struct fake_op *op, bool locked)
{
	struct fake_shared *s = op->k->shared;
	unsigned releases = s->releases;
	struct fake_stuck *mine = stuck_enter(op, locked, false);

	while (__atomic_load_n(&s->releases, __ATOMIC_SEQ_CST) == releases) {
		leave_if_over(s);
		nap(2);
	}
	stuck_leave(op, mine);
}

void op_hang(struct fake_op *op)
{
	if (op->hang_locked)
		hang(op, true);
	op->hang_locked = false;
}

/* Somebody else hangs on the device: holding its lock, or just somehow. */
static bool is_stuck(const struct fake_kernel *k, struct bdf a, bool locked)
{
	for (size_t i = 0; i < ARRAY_SIZE(k->shared->stuck); i++) {
		const struct fake_stuck *t = &k->shared->stuck[i];

		if (t->pid && t->pid != getpid() && t->has_dev && !t->waiting && bdf_same(t->a, a) &&
		    (t->locked || !locked))
			return true;
	}
	return false;
}

static bool lock_is_stuck(const struct fake_kernel *k, struct bdf a)
{
	return is_stuck(k, a, true);
}

void op_wait(struct fake_op *op, struct bdf a, bool locked,
	     bool (*busy)(const struct fake_kernel *k, struct bdf a))
{
	struct fake_stuck *mine;

	if (!busy(op->k, a))
		return;
	mine = stuck_enter(op, locked, !locked);
	while (busy(op->k, a)) {
		leave_if_over(op->k->shared);
		nap(2);
	}
	stuck_leave(op, mine);
}

void read_wait(struct fake_kernel *k, struct bdf a)
{
	struct fake_op op = { .k = k, .has_dev = true, .a = a };

	op_wait(&op, a, false, lock_is_stuck);
}

int device_lock(struct fake_op *op, struct bdf a)
{
	for (;;) {
		int fd;

		op_wait(op, a, false, lock_is_stuck);
		fd = lock_file(op->k, bus_hidden("lock", a).s, LOCK_EX | LOCK_NB);
		if (fd == -ENOENT) {
			tfs_mkdirs(root_of(op->k), "/.fake/lock");
			continue;
		}
		if (fd != -EWOULDBLOCK)
			return fd;
		leave_if_over(op->k->shared);
		nap(1);
	}
}

/* --- faults ----------------------------------------------------------------------------------- */

static bool is_over(pid_t pid)
{
	char text[256] = "", *paren;
	int fd = open(tfs_path("/proc/%d/stat", (int)pid).s, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return true;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	paren = strrchr(text, ')');
	return !paren || paren[2] == 'Z' || paren[2] == 'X';
}

/* "main" is dead when this returns. */
static void kill_main(struct fake_kernel *k)
{
	pid_t pid = k->shared->main;

	if (pid <= 0 || pid == k->shared->owner)
		return;
	kill(pid, SIGKILL);
	while (pid != getpid() && !is_over(pid))
		nap(1);
}

static void die(struct fake_kernel *k)
{
	kill_main(k);
	kill(getpid(), SIGKILL);
}

static bool fault_fits(struct fake_kernel *k, unsigned i, unsigned n, const char *text)
{
	struct fake_shared *s = k->shared;
	struct fake_fault *f = &s->faults[i];

	if ((f->at && f->at != n) || (f->match[0] && !strstr(text, f->match)))
		return false;
	return !f->times || __atomic_fetch_add(&s->struck[i], 1, __ATOMIC_SEQ_CST) < f->times;
}

static int strike(struct fake_op *op, const struct fake_fault *f)
{
	switch (f->kind) {
	case FAKE_FAIL:
		return -f->err;
	case FAKE_KILL_BEFORE:
		die(op->k);
		break;
	case FAKE_KILL_AFTER:
		op->kill_after = true;
		break;
	case FAKE_KILL_MAIN:
		kill_main(op->k);
		break;
	case FAKE_HANG:
		hang(op, false);
		break;
	case FAKE_HANG_LOCKED:
		op->hang_locked = true;
		break;
	case FAKE_DELAY:
		nap(f->ms);
		break;
	}
	return 0;
}

/* --- operations ------------------------------------------------------------------------------- */

/* One line: control characters as in C. */
static void tidy(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from && n + 3 < size; from++) {
		if (*from == '\n' || *from == '\0') {
			to[n++] = '\\';
			to[n++] = 'n';
		} else {
			to[n++] = *from < 0x20 && *from >= 0 ? '?' : *from;
		}
	}
	to[n] = '\0';
}

int op_begin(struct fake_op *op, struct fake_kernel *k, const struct bdf *a, const char *fmt, ...)
{
	struct fake_shared *s = k->shared;
	char text[512], *log;
	va_list ap;
	int r = 0;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*op = (struct fake_op){ .k = k, .has_dev = a != NULL, .a = a ? *a : (struct bdf){ 0, 0, 0, 0 } };
	op->n = __atomic_add_fetch(&s->last, 1, __ATOMIC_SEQ_CST);
	log = s->log[op->n <= FAKE_LOG_MAX ? op->n : 0];
	tidy(text, log, FAKE_LOG_TEXT);
	if (a && is_stuck(k, *a, false))
		violation(k, "%s: an earlier write to the device still hangs", log);
	for (unsigned i = 0; r == 0 && i < s->n_faults; i++)
		if (fault_fits(k, i, op->n, log))
			r = strike(op, &s->faults[i]);
	return r;
}

int op_end(struct fake_op *op, int result)
{
	if (op->kill_after)
		die(op->k);
	return result;
}

unsigned fake_log_count(const struct fake_kernel *k)
{
	return k->shared->last;
}

const char *fake_log(const struct fake_kernel *k, unsigned n)
{
	return n && n <= k->shared->last && n <= FAKE_LOG_MAX ? k->shared->log[n] : "";
}

unsigned fake_log_find(const struct fake_kernel *k, const char *part)
{
	unsigned found = 0;

	for (unsigned n = 1; n <= k->shared->last; n++)
		found += strstr(fake_log(k, n), part) != NULL;
	return found;
}

void fake_kernel_rewind(struct fake_kernel *k)
{
	k->shared->last = 0;
	fake_fault_clear(k);
}

void fake_fault_add(struct fake_kernel *k, struct fake_fault f)
{
	struct fake_shared *s = k->shared;

	if (s->n_faults == ARRAY_SIZE(s->faults)) {
		fprintf(stderr, "fake kernel: more than %zu faults\n", ARRAY_SIZE(s->faults));
		abort();
	}
	s->struck[s->n_faults] = 0;
	s->faults[s->n_faults++] = f;
}

void fake_fault_clear(struct fake_kernel *k)
{
	k->shared->n_faults = 0;
}

unsigned fake_hanging(const struct fake_kernel *k)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(k->shared->stuck); i++)
		n += k->shared->stuck[i].pid && !k->shared->stuck[i].waiting;
	return n;
}

void fake_hang_release(struct fake_kernel *k)
{
	struct fake_stuck before[ARRAY_SIZE(k->shared->stuck)];

	memcpy(before, k->shared->stuck, sizeof(before));
	__atomic_add_fetch(&k->shared->releases, 1, __ATOMIC_SEQ_CST);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		struct fake_stuck *now = &k->shared->stuck[i];

		/* Until it has left; one that was killed while it hung does not come back to say so. */
		while (before[i].pid && !before[i].waiting && now->pid == before[i].pid && now->n == before[i].n) {
			if (is_over(now->pid))
				now->pid = 0;
			nap(1);
		}
	}
}
