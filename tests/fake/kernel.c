// SPDX-License-Identifier: GPL-2.0-or-later
/* kernel - the operations of the fake kernel: which path or descriptor means what. */
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel_int.h"
#include "str.h"

/* --- what a path means ------------------------------------------------------------------------ */

enum what {
	PLAIN,			/* a state file: the default operation */
	ATTRIBUTE,		/* some attribute of sysfs or procfs: its content is replaced */
	DEVICE,			/* an attribute of a PCI function */
	DRIVER,			/* a control file of a PCI driver */
	BUS,			/* of the PCI bus itself */
};

struct target {
	enum what what;
	struct bdf a;		/* DEVICE */
	struct bus_name name;	/* the attribute, "power/control" for one in a folder */
	struct bus_name driver;	/* DRIVER */
	char path[512];		/* resolved */
};

/* ".../0000:01:00.0/power/control" -> the last address in the path, and what follows it */
static bool device_of(const char *path, struct bdf *ret, const char **ret_attr)
{
	bool found = false;

	for (const char *p = path; (p = strchr(p, '/')); ) {
		size_t n = strcspn(++p, "/");
		struct bus_name one;

		if (n >= sizeof(one.s) || p[n] != '/')
			continue;
		memcpy(one.s, p, n);
		one.s[n] = '\0';
		if (bdf_parse(one.s, ret) == 0) {
			*ret_attr = p + n + 1;
			found = true;
		}
	}
	return found;
}

static enum what target_what(struct target *t)
{
	const char *attr, *slash;

	if (str_starts(t->path, "/sys/bus/pci/drivers/")) {
		const char *p = t->path + strlen("/sys/bus/pci/drivers/");

		slash = strchr(p, '/');
		if (!slash)
			return PLAIN;
		t->driver = (struct bus_name){ "" };
		memcpy(t->driver.s, p, (size_t)(slash - p) < sizeof(t->driver.s) ? (size_t)(slash - p) : 0);
		return str_copy(t->name.s, sizeof(t->name.s), slash + 1) < 0 ? PLAIN : DRIVER;
	}
	if (str_starts(t->path, "/sys/bus/pci/"))
		return str_copy(t->name.s, sizeof(t->name.s), t->path + strlen("/sys/bus/pci/")) < 0 ? PLAIN : BUS;
	if (str_starts(t->path, "/sys/devices/") && device_of(t->path, &t->a, &attr))
		return str_copy(t->name.s, sizeof(t->name.s), attr) < 0 ? PLAIN : DEVICE;
	return str_starts(t->path, "/sys/") || str_starts(t->path, "/proc/") ? ATTRIBUTE : PLAIN;
}

static int target_find(struct fake_kernel *k, const char *path, struct target *t)
{
	int r = tfs_resolve(root_of(k), path, t->path, sizeof(t->path));

	if (r < 0)
		return r;
	t->name.s[0] = '\0';
	t->what = target_what(t);
	return 0;
}

/* --- writes ----------------------------------------------------------------------------------- */

static int write_override(struct fake_kernel *k, struct fake_op *op, struct target *t, const char *value)
{
	size_t n = strcspn(value, "\n");
	int lock;

	if (strncmp(value, "(null)", 6) == 0)
		violation(k, "%s: \"(null)\" is the name of no driver", fake_log(k, op->n));
	if (!*value)
		return 0;	/* write(fd, "", 0) never reaches the attribute */
	lock = device_lock(op, t->a);
	if (lock < 0)
		return lock;
	n = (size_t)tfs_putf(root_of(k), t->path, 0644, "%.*s\n", n ? (int)n : 6, n ? value : "(null)");
	kunlock(lock);
	return (int)n;
}

static int replace(struct fake_kernel *k, const char *path, const char *value)
{
	size_t n = strcspn(value, "\n");

	return tfs_putf(root_of(k), path, 0644, "%.*s\n", (int)n, value);
}

static int write_device(struct fake_kernel *k, struct fake_op *op, struct target *t, const char *value)
{
	static const struct { const char *name; int (*write)(struct fake_op *op, struct bdf a, const char *value); } attrs[] = {
		{ "reset_method", kernel_reset_method }, { "resource0_resize", kernel_resize },
		{ "sriov_numvfs", kernel_numvfs }, { "power/control", kernel_power },
	};
	const char *name = t->name.s;

	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++)
		if (strcmp(name, attrs[i].name) == 0)
			return attrs[i].write(op, t->a, value);
	if (strcmp(name, "driver_override") == 0)
		return write_override(k, op, t, value);
	if (strcmp(name, "reset") == 0)
		return strcmp(value, "1") == 0 || strcmp(value, "1\n") == 0 ? kernel_reset(op, t->a) : -EINVAL;
	if (strcmp(name, "reset_subordinate") == 0)
		return kernel_reset_below(op, t->a);
	if (strcmp(name, "d3cold_allowed") == 0 && value[0] != '0' && value[0] != '1')
		return -EINVAL;
	if ((k->shared->settings.allow & FAKE_ALLOW_RESCAN) && strcmp(name, "remove") == 0)
		return kernel_remove(op, t->a);
	if ((k->shared->settings.allow & FAKE_ALLOW_RESCAN) && strcmp(name, "rescan") == 0)
		return kernel_rescan(op, t->a);
	if (strcmp(name, "remove") == 0 || strcmp(name, "rescan") == 0) {
		violation(k, "%s: nobody is to remove or rescan", fake_log(k, op->n));
		return -EACCES;
	}
	return replace(k, t->path, value);
}

static int write_ids(struct fake_kernel *k, struct fake_op *op, struct target *t, const char *value)
{
	bool add = strcmp(t->name.s, "new_id") == 0;
	unsigned vendor, device;

	if (!(k->shared->settings.allow & (add ? FAKE_ALLOW_NEW_ID : FAKE_ALLOW_REMOVE_ID))) {
		violation(k, "%s: nobody is to write ids", fake_log(k, op->n));
		return -EACCES;
	}
	if (sscanf(value, "%x %x", &vendor, &device) != 2)
		return -EINVAL;
	return add ? kernel_new_id(op, t->driver.s, vendor, device) :
		     kernel_remove_id(op, t->driver.s, vendor, device);
}

static int write_driver(struct fake_kernel *k, struct fake_op *op, struct target *t, const char *value)
{
	if (strcmp(t->name.s, "bind") == 0)
		return kernel_bind(op, t->driver.s, value);
	if (strcmp(t->name.s, "unbind") == 0)
		return kernel_unbind(op, t->driver.s, value);
	if (strcmp(t->name.s, "new_id") == 0 || strcmp(t->name.s, "remove_id") == 0)
		return write_ids(k, op, t, value);
	return -EACCES;
}

static int write_bus(struct fake_kernel *k, struct fake_op *op, struct target *t, const char *value)
{
	if (strcmp(t->name.s, "drivers_probe") == 0)
		return kernel_drivers_probe(op, value);
	if (strcmp(t->name.s, "rescan") == 0) {
		violation(k, "%s: nobody is to remove or rescan", fake_log(k, op->n));
		return -EACCES;
	}
	return replace(k, t->path, value);
}

/* The function that a write is about: of the path, or of the value. */
static const struct bdf *subject(const struct target *t, const char *value, struct bdf *buf)
{
	char text[64];

	if (t->what == DEVICE) {
		*buf = t->a;
		return buf;
	}
	if (t->what == PLAIN || t->what == ATTRIBUTE || str_copy(text, sizeof(text), value) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return bdf_parse(text, buf) < 0 ? NULL : buf;
}

static int write_target(struct fake_kernel *k, struct fake_op *op, struct target *t, const char *path,
			const char *value, size_t len)
{
	if (strcmp(path, "/sys/power/state") == 0)
		return kernel_suspend(op, value);
	switch (t->what) {
	case PLAIN:
		return host_default_ops.write(&k->host, path, value, len);
	case ATTRIBUTE:
		if (strstr(t->path, "/cgroup.freeze"))
			unit_froze(k, t->path, value);
		return replace(k, t->path, value);
	case DEVICE:
		return write_device(k, op, t, value);
	case DRIVER:
		return write_driver(k, op, t, value);
	case BUS:
		return write_bus(k, op, t, value);
	}
	return -EINVAL;
}

static int fake_write(struct host *h, const char *path, const void *data, size_t len)
{
	struct fake_kernel *k = kernel_of(h);
	char *value = strndup(data, len);
	struct target t = { .what = PLAIN };
	struct bdf buf;
	struct fake_op op;
	int found, r;

	if (!value)
		return -ENOMEM;
	found = target_find(k, path, &t);
	r = op_begin(&op, k, found < 0 ? NULL : subject(&t, value, &buf), "write %s %s", path, value);
	if (r == 0 && !(t.what == DRIVER && strcmp(t.name.s, "unbind") == 0))
		op_hang(&op);
	if (r == 0) {
		r = found < 0 ? found : write_target(k, &op, &t, path, value, len);
		op_hang(&op);
		r = op_end(&op, r);
	}
	free(value);
	return r;
}

/* --- reads ------------------------------------------------------------------------------------ */

/* Attributes that say what is, and those whose reader takes the device's lock (up to 6.1). */
static const char *const live[] = { "enable", "power_state", "power/runtime_status", "config",
				    "driver_override", "sriov_numvfs" };

static bool is_live(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(live); i++) {
		size_t n = strlen(live[i]), m = strlen(path);

		if (m > n && strcmp(path + m - n, live[i]) == 0 && path[m - n - 1] == '/')
			return true;
	}
	return false;
}

static ssize_t read_enable(struct fake_kernel *k, struct bdf a, char *buf, ssize_t n, size_t size)
{
	char text[16];
	uint64_t v;

	if (n <= 0 || !device_fd_is_open(k, a))
		return n;
	snprintf(text, sizeof(text), "%.*s", (int)(n - 1), buf);
	if (str_to_u64(text, 10, &v) < 0)
		return n;
	return snprintf(buf, size, "%llu\n", (unsigned long long)v + 1);
}

static ssize_t fake_read(struct host *h, const char *path, void *buf, size_t size)
{
	struct fake_kernel *k = kernel_of(h);
	struct target t;
	ssize_t n;

	if (!is_live(path) || target_find(k, path, &t) < 0 || t.what != DEVICE)
		return host_default_ops.read(h, path, buf, size);
	if (strcmp(t.name.s, "driver_override") == 0 || strcmp(t.name.s, "config") == 0 ||
	    strcmp(t.name.s, "sriov_numvfs") == 0)
		read_wait(k, t.a);
	n = host_default_ops.read(h, path, buf, size);
	if (strcmp(t.name.s, "enable") == 0)
		return read_enable(k, t.a, buf, n, size);
	return power_read(k, t.a, t.name.s, buf, n, size);
}

/* --- files ------------------------------------------------------------------------------------ */

static int fake_open(struct host *h, const char *path, int flags, mode_t mode)
{
	struct fake_kernel *k = kernel_of(h);
	struct fake_op op;
	int r;

	if (str_starts(path, "/dev/vfio/"))
		return vfio_open(k, path, flags, mode);
	if (!(flags & O_TRUNC) && (!(flags & O_CREAT) || tfs_exists(root_of(k), path)))
		return host_default_ops.open(h, path, flags, mode);
	r = op_begin(&op, k, NULL, "create %s", path);
	if (r < 0)
		return r;
	op_hang(&op);
	return op_end(&op, host_default_ops.open(h, path, flags, mode));
}

static int fake_append(struct host *h, int fd, const void *data, size_t len)
{
	struct fake_kernel *k = kernel_of(h);
	struct fake_op op;
	char path[512];
	int r = tfs_fdpath(root_of(k), fd, path, sizeof(path));

	r = op_begin(&op, k, NULL, "append %s %.*s", r < 0 ? "?" : path, (int)len, (const char *)data);
	if (r < 0)
		return r;
	op_hang(&op);
	return op_end(&op, host_default_ops.append(h, fd, data, len));
}

static int fake_rename(struct host *h, const char *from, const char *to)
{
	struct fake_op op;
	int r = op_begin(&op, kernel_of(h), NULL, "rename %s %s", from, to);

	if (r < 0)
		return r;
	op_hang(&op);
	return op_end(&op, host_default_ops.rename(h, from, to));
}

static int fake_unlink(struct host *h, const char *path)
{
	struct fake_op op;
	int r = op_begin(&op, kernel_of(h), NULL, "unlink %s", path);

	if (r < 0)
		return r;
	op_hang(&op);
	return op_end(&op, host_default_ops.unlink(h, path));
}

static int fake_mkdir(struct host *h, const char *path, mode_t mode)
{
	struct fake_op op;
	int r = op_begin(&op, kernel_of(h), NULL, "mkdir %s", path);

	if (r < 0)
		return r;
	op_hang(&op);
	return op_end(&op, host_default_ops.mkdir(h, path, mode));
}

static int fake_ioctl(struct host *h, int fd, unsigned long request, void *arg)
{
	char path[512];

	if (tfs_fdpath(root_of(kernel_of(h)), fd, path, sizeof(path)) < 0)
		return host_default_ops.ioctl(h, fd, request, arg);
	return vfio_ioctl(kernel_of(h), fd, path, request, arg);
}

/* --- programs --------------------------------------------------------------------------------- */

void run_answer(struct host_run *ret, int status, const char *fmt, ...)
{
	va_list ap;

	memset(ret, 0, sizeof(*ret));
	ret->status = status;
	va_start(ap, fmt);
	vsnprintf(ret->output, sizeof(ret->output), fmt, ap);
	va_end(ap);
}

static void run_modprobe(struct fake_op *op, const char *const argv[], struct host_run *ret)
{
	run_answer(ret, 0, "%s", "");
	for (size_t i = 1; argv[i]; i++) {
		if (strcmp(argv[i], "-r") == 0 || strcmp(argv[i], "--remove") == 0) {
			violation(op->k, "%s: nobody is to unload modules", fake_log(op->k, op->n));
			run_answer(ret, 1, "modprobe: FATAL: Module %s is in use.\n", argv[i + 1] ? argv[i + 1] : "");
			return;
		}
		if (argv[i][0] == '-')
			continue;
		if (kernel_load(op, argv[i]) != 0)
			run_answer(ret, 1, "modprobe: FATAL: Module %s not found in directory /lib/modules/6.8.12-11-pve\n",
			       argv[i]);
	}
}

static void run_program(struct fake_op *op, const char *const argv[], struct host_run *ret)
{
	struct fake_shared *s = op->k->shared;
	const char *name = strrchr(argv[0], '/');

	name = name ? name + 1 : argv[0];
	for (unsigned i = 0; i < s->n_answers; i++) {
		if (strcmp(s->answers[i].program, name) != 0)
			continue;
		run_answer(ret, s->answers[i].status, "%s", s->answers[i].output);
		return;
	}
	if (unit_run(op, name, argv, ret))
		return;
	if (strcmp(name, "modprobe") == 0) {
		run_modprobe(op, argv, ret);
		return;
	}
	if (strcmp(name, "rmmod") == 0)
		violation(op->k, "%s: nobody is to unload modules", fake_log(op->k, op->n));
	run_answer(ret, 127, "%s: no such program on this machine\n", argv[0]);
}

static int fake_run(struct host *h, const char *const argv[], uint64_t ms, struct host_run *ret)
{
	struct str text = STR_INIT;
	struct fake_op op;
	int r;

	(void)ms;
	for (size_t i = 0; argv[i]; i++)
		str_addf(&text, " %s", argv[i]);
	r = op_begin(&op, kernel_of(h), NULL, "run%s", text.s);
	str_release(&text);
	if (r < 0)
		return r;
	op_hang(&op);
	run_program(&op, argv, ret);
	return op_end(&op, 0);
}

static int fake_signal(struct host *h, pid_t pid, uint64_t start, int sig)
{
	struct fake_op op;
	int r = op_begin(&op, kernel_of(h), NULL, "signal %d %d", (int)pid, sig);

	if (r < 0)
		return r;
	op_hang(&op);
	return op_end(&op, unit_signal(&op, pid, start, sig));
}

/* --- clock ------------------------------------------------------------------------------------ */

static unsigned scale(struct fake_kernel *k)
{
	unsigned n = k->shared->settings.time_scale;

	return n ? n : 1;
}

static uint64_t fake_now(struct host *h)
{
	struct fake_kernel *k = kernel_of(h);
	uint64_t now = host_default_ops.now(h), start = k->shared->start;

	return start + (now - start) * scale(k);
}

static void fake_sleep(struct host *h, uint64_t ms)
{
	struct fake_kernel *k = kernel_of(h);

	host_default_ops.sleep(h, (ms + scale(k) - 1) / scale(k));
}

static int fake_readlink(struct host *h, const char *path, char *buf, size_t size)
{
	return host_default_ops.readlink(h, path, buf, size);
}

static int fake_list(struct host *h, const char *path, host_name_fn fn, void *arg)
{
	return host_default_ops.list(h, path, fn, arg);
}

static int fake_stat(struct host *h, const char *path, struct stat *ret)
{
	return host_default_ops.stat(h, path, ret);
}

const struct host_ops fake_kernel_ops = {
	.read = fake_read,
	.write = fake_write,
	.readlink = fake_readlink,
	.list = fake_list,
	.stat = fake_stat,
	.open = fake_open,
	.append = fake_append,
	.rename = fake_rename,
	.unlink = fake_unlink,
	.mkdir = fake_mkdir,
	.ioctl = fake_ioctl,
	.run = fake_run,
	.signal = fake_signal,
	.now = fake_now,
	.sleep = fake_sleep,
};
