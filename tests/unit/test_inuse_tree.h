/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A few files below a fresh directory that stands for "/": the machines of the inuse tests.
 *
 * Everything fails the test by itself; paths are those of the machine.
 */
#ifndef TEST_INUSE_TREE_H
#define TEST_INUSE_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "inuse.h"

struct box {
	char dir[64];
	struct host h;
	struct inuse_needs needs;	/* the test's own */
};

static inline struct host_path box_path(const struct box *b, const char *path)
{
	return host_path("%s%s", b->dir, path);
}

/* The folders above `path`, and with a slash at its end `path` too. */
static inline void box_dirs(const struct box *b, const char *path)
{
	struct host_path p = box_path(b, path);

	for (char *s = p.s + strlen(b->dir) + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		mkdir(p.s, 0755);
		*s = '/';
	}
}

static inline void box_put(const struct box *b, const char *path, const char *text)
{
	FILE *f;

	box_dirs(b, path);
	f = fopen(box_path(b, path).s, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static inline void box_link(const struct box *b, const char *path, const char *target)
{
	box_dirs(b, path);
	assert_int_equal(symlink(target, box_path(b, path).s), 0);
}

/* A process; cgroup is the path of the "0::" line. */
static inline void box_process(const struct box *b, int pid, const char *comm, const char *cgroup)
{
	char line[1024];

	snprintf(line, sizeof(line), "%s\n", comm);
	box_put(b, host_path("/proc/%d/comm", pid).s, line);
	snprintf(line, sizeof(line), "0::%s\n", cgroup);
	box_put(b, host_path("/proc/%d/cgroup", pid).s, line);
	snprintf(line, sizeof(line), "%d (%s) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0\n", pid, comm,
		 pid * 10);
	box_put(b, host_path("/proc/%d/stat", pid).s, line);
	box_dirs(b, host_path("/proc/%d/fd/", pid).s);
}

static inline void box_fd(const struct box *b, int pid, int fd, const char *target)
{
	box_link(b, host_path("/proc/%d/fd/%d", pid, fd).s, target);
}

/* A PCI function directly on its root bus; its folder is /sys/devices/pci0000:00/BDF. */
#define PCI	"/sys/devices/pci0000:00/"

static inline void box_pci(const struct box *b, const char *bdf)
{
	box_put(b, host_path(PCI "%s/class", bdf).s, "0x030000\n");
	box_link(b, host_path("/sys/bus/pci/devices/%s", bdf).s, host_path("../../../devices/pci0000:00/%s", bdf).s);
}

/* A device with a node: "226:0" of class "drm" at `path`, which is also in /sys/class/CLASS (for a
 * block device in /sys/class/block). */
static inline void box_dev(const struct box *b, const char *path, const char *number, const char *class)
{
	const char *name = strrchr(path, '/') + 1;

	box_put(b, host_path("%s/dev", path).s, host_path("%s\n", number).s);
	box_link(b, host_path("%s/subsystem", path).s, host_path("/sys/class/%s", class).s);
	box_link(b, host_path("/sys/class/%s/%s", class, name).s, host_path("../../..%s", path).s);
}

/* The whole answer, one finding per line: "0000:01:00.0 CRITICAL TEXT\n". */
static inline char *box_scan(struct box *b, const char *const *fns, size_t n)
{
	static const char *const words[] = {
		[INUSE_NOTE] = "note", [INUSE_MAYBE] = "maybe", [INUSE_BUSY] = "busy", [INUSE_HANGS] = "HANGS", [INUSE_CRITICAL] = "CRITICAL",
	};
	struct bdf bdf[16];
	struct inuse *u = NULL;
	struct err e = ERR_INIT;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(bdf_parse(fns[i], &bdf[i]), 0);
	if (inuse_scan(&b->h, bdf, n, b->needs.n ? &b->needs : NULL, &u, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < u->n; i++)
		fprintf(f, "%s %s %s\n", BDF_S(u->v[i].bdf), words[u->v[i].weight], u->v[i].text);
	fclose(f);
	inuse_free(u);
	return text;
}

/* Scans one function and compares. */
static inline void box_expect(struct box *b, const char *bdf, const char *expected)
{
	char *text = box_scan(b, &bdf, 1);

	assert_string_equal(text, expected);
	free(text);
}

static inline struct box *box_new(void)
{
	struct box *b = test_calloc(1, sizeof(*b));
	struct err e = ERR_INIT;

	snprintf(b->dir, sizeof(b->dir), "/tmp/pve-gpu-inuse.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	box_dirs(b, "/proc/");
	assert_int_equal(host_open(&b->h, b->dir, &e), 0);
	return b;
}

static inline int box_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static inline void box_free(struct box *b)
{
	host_close(&b->h);
	nftw(b->dir, box_remove_one, 32, FTW_DEPTH | FTW_PHYS);
	test_free(b);
}

static inline int box_setup(void **state)
{
	*state = box_new();
	return 0;
}

static inline int box_teardown(void **state)
{
	box_free(*state);
	return 0;
}

#endif
