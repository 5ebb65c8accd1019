// SPDX-License-Identifier: GPL-2.0-or-later
/* Device names through libpci, in a child: see names.h. */
#include "names.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pci/pci.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc.h"
#include "str.h"

#define WAIT_MS 1000
#define IDS_FILE "/usr/share/misc/pci.ids"
#define KEPT_MAX 65536

struct name { char s[160]; };

struct names {
	struct host *h;
	bool fresh;		/* something was looked up that is not kept yet */
	pid_t pid;
	uint64_t patience;
	int fd;			/* -1 once everything is read or given up */
	size_t n;
	struct names_id *ids;
	struct name *list;
};

/* The few functions of the library that are used. */
struct lib {
	struct pci_access *(*alloc)(void);
	char *(*lookup)(struct pci_access *, char *, int, int, ...);
	void (*set_list)(struct pci_access *, char *, int);
};

static int lib_open(struct lib *l)
{
	void *so = dlopen("libpci.so.3", RTLD_NOW | RTLD_LOCAL);

	if (!so)
		return -ENOENT;
	*(void **)&l->alloc = dlsym(so, "pci_alloc");
	*(void **)&l->lookup = dlsym(so, "pci_lookup_name");
	*(void **)&l->set_list = dlsym(so, "pci_set_name_list_path");
	return l->alloc && l->lookup && l->set_list ? 0 : -ENOENT;
}

static void look_up(const struct lib *l, struct pci_access *a, struct names_id id, struct name *ret)
{
	char vendor[80], device[100];
	const int flags = PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB;
	char *v = l->lookup(a, vendor, sizeof(vendor), PCI_LOOKUP_VENDOR | flags, id.vendor);
	char *d = l->lookup(a, device, sizeof(device), PCI_LOOKUP_DEVICE | flags, id.vendor, id.device);
	struct str safe = STR_INIT;

	if (v)
		(void)str_add_safe(&safe, v);
	if (v && d)
		(void)str_add(&safe, " ");
	if (d)
		(void)str_add_safe(&safe, d);
	if (!d)
		(void)str_addf(&safe, "%s[%04x:%04x]", v ? " " : "", id.vendor, id.device);
	snprintf(ret->s, sizeof(ret->s), "%.159s", safe.s);
	str_release(&safe);
}

static void quiet(char *fmt, ...)
{
	(void)fmt;
}

static void give_up(char *fmt, ...) __attribute__((noreturn));
static void give_up(char *fmt, ...)
{
	(void)fmt;
	_exit(1);
}

static void child(struct host *h, const struct names_id *ids, size_t n, int out)
{
	int keep[] = { out, h->rootfd };
	struct pci_access *a;
	char path[64];
	struct lib l;

	proc_shed(-1, keep, 2);
	setpriority(PRIO_PROCESS, 0, 19);
	if (lib_open(&l) < 0 || !(a = l.alloc()))
		_exit(1);
	/* pci_init() would set them, but it looks for a bus first. */
	a->debug = a->warning = quiet;
	a->error = give_up;
	if (!h->real && host_exists(h, IDS_FILE)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d" IDS_FILE, h->rootfd);
		l.set_list(a, path, 0);
	}
	for (size_t i = 0; i < n; i++) {
		struct name name = { "" };

		look_up(&l, a, ids[i], &name);
		if (write(out, &name, sizeof(name)) != (ssize_t)sizeof(name))
			_exit(1);
	}
	_exit(0);
}

/* The kept line of one device, cut out of the file's text; false when there is none. */
static bool kept_name(const char *text, struct names_id id, struct name *ret)
{
	char key[16];
	const char *p;

	snprintf(key, sizeof(key), "\n%04x:%04x ", id.vendor, id.device);
	p = strstr(text, key);
	if (!p)
		return false;
	p += strlen(key);
	snprintf(ret->s, sizeof(ret->s), "%.*s", (int)strcspn(p, "\n"), p);
	return true;
}

/* All of them, or it has to be asked anyway. */
static bool all_kept(struct names *names)
{
	bool all = true;
	char *text;
	size_t len;

	if (host_read_file(names->h, NAMES_KEPT, KEPT_MAX, &text, &len) < 0)
		return false;
	for (size_t i = 0; all && i < names->n; i++)
		all = kept_name(text, names->ids[i], &names->list[i]);
	free(text);
	return all;
}

void names_keep(struct names *names)
{
	struct str out = STR_INIT;
	char *old = NULL;
	size_t len = 0;
	int fd;

	if (!names->fresh)
		return;
	if (host_read_file(names->h, NAMES_KEPT, KEPT_MAX / 2, &old, &len) == 0)
		(void)str_add(&out, old);
	else
		(void)str_add(&out, "\n");
	for (size_t i = 0; i < names->n; i++) {
		struct name have;

		if (!kept_name(out.s, names->ids[i], &have))
			(void)str_addf(&out, "%04x:%04x %s\n", names->ids[i].vendor, names->ids[i].device,
				       names->list[i].s);
	}
	free(old);
	(void)host_unlink(names->h, NAMES_KEPT ".new");
	fd = out.failed ? -1 : host_open_file(names->h, NAMES_KEPT ".new", O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd >= 0) {
		if (host_append(names->h, fd, out.s, out.len) == 0)
			(void)!host_rename(names->h, NAMES_KEPT ".new", NAMES_KEPT);
		close(fd);
	}
	str_release(&out);
}

int names_start(struct host *h, const struct names_id *ids, size_t n, struct names **ret, struct err *e)
{
	struct names *names = calloc(1, sizeof(*names));
	int pair[2] = { -1, -1 };

	if (!names)
		return err_nomem(e);
	*names = (struct names){ .h = h, .patience = WAIT_MS, .fd = -1, .n = n };
	names->ids = calloc(n + 1, sizeof(*ids));
	names->list = calloc(n + 1, sizeof(*names->list));
	if (!names->ids || !names->list) {
		names_free(names);
		return err_nomem(e);
	}
	if (n)
		memcpy(names->ids, ids, n * sizeof(*ids));
	for (size_t i = 0; i < n; i++)
		snprintf(names->list[i].s, sizeof(names->list[i].s), "[%04x:%04x]", ids[i].vendor, ids[i].device);
	*ret = names;
	if (all_kept(names))
		return 0;
	/* Without a child there are numbers instead of names: no reason to fail. */
	if (n == 0 || pipe2(pair, O_CLOEXEC) < 0)
		return 0;
	names->pid = fork();
	if (names->pid == 0)
		child(h, names->ids, n, pair[1]);
	close(pair[1]);
	if (names->pid < 0) {
		close(pair[0]);
		names->pid = 0;
		return 0;
	}
	names->fd = pair[0];
	return 0;
}

static void end_child(struct names *names)
{
	if (names->pid <= 0)
		return;
	kill(names->pid, SIGKILL);
	while (waitpid(names->pid, NULL, 0) < 0 && errno == EINTR)
		;
	names->pid = 0;
}

static bool read_one(struct names *names, struct name *ret, uint64_t end)
{
	size_t got = 0;

	while (got < sizeof(*ret)) {
		struct pollfd p = { names->fd, POLLIN, 0 };
		uint64_t now = host_now(names->h);
		ssize_t r;

		if (now >= end || (poll(&p, 1, (int)(end - now)) < 0 && errno != EINTR))
			return false;
		r = p.revents ? read(names->fd, (char *)ret + got, sizeof(*ret) - got) : 0;
		if (p.revents && r <= 0)
			return false;
		got += (size_t)r;
	}
	return true;
}

static void finish(struct names *names)
{
	uint64_t end = host_now(names->h) + names->patience;
	struct name one;
	size_t i;

	for (i = 0; i < names->n && read_one(names, &one, end); i++) {
		one.s[sizeof(one.s) - 1] = '\0';
		if (one.s[0])
			names->list[i] = one;
	}
	names->fresh = i > 0 && i == names->n;
	close(names->fd);
	names->fd = -1;
	end_child(names);
}

void names_patience(struct names *names, uint64_t ms)
{
	names->patience = ms;
}

const char *names_get(struct names *names, size_t i)
{
	if (names->fd >= 0)
		finish(names);
	return i < names->n ? names->list[i].s : "";
}

void names_free(struct names *names)
{
	if (!names)
		return;
	end_child(names);
	if (names->fd >= 0)
		close(names->fd);
	free(names->ids);
	free(names->list);
	free(names);
}
