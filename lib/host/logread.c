// SPDX-License-Identifier: GPL-2.0-or-later
/* The host's logs: see logread.h. */
#include "logread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "file.h"
#include "str.h"

#define DMESG "/var/log/dmesg"
#define KMSG "/dev/kmsg"
#define TASKS "/var/log/pve/tasks"
#define LOG_MAX (16u << 20)
#define TASK_MAX (256u << 10)
#define TASKS_MAX 40		/* the newest */
#define RECORD_MAX 8192
#define RECORDS_MAX 1000000	/* more than any buffer holds: whoever writes while we read does not keep us */

/* --- the kernel -------------------------------------------------------------------------------- */

/* "6,339,5140900,-;text\n KEY=value\n" */
static void take_record(struct logscan *s, char *record, uint64_t *first)
{
	char *text = strchr(record, ';'), *number = strchr(record, ','), *end;

	if (!text || !number || number > text)
		return;
	*text++ = '\0';
	number++;
	end = strchr(number, ',');
	if (end)
		*end = '\0';
	if (*first == UINT64_MAX && str_to_u64(number, 10, first) < 0)
		*first = 0;
	text[strcspn(text, "\n")] = '\0';
	logscan_line(s, "kernel log", text);
}

static int read_records(int fd, struct logscan *s, uint64_t *first)
{
	char record[RECORD_MAX];

	for (unsigned i = 0; i < RECORDS_MAX; i++) {
		ssize_t n = read(fd, record, sizeof(record) - 1);

		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;	/* overtaken by the writers: the next read goes on with the oldest record */
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (n == 0)
			break;
		record[n] = '\0';
		take_record(s, record, first);
	}
	return 0;
}

static int read_dmesg(struct host *h, struct logscan *s)
{
	char *text;
	size_t len;
	int r = host_read_file(h, DMESG, LOG_MAX, &text, &len);

	if (r < 0)
		return r;
	logscan_text(s, DMESG, text);
	free(text);
	return 0;
}

int logread_kernel(struct host *h, struct logscan *s, uint64_t *ret_lost)
{
	_cleanup_(file_closep) int fd = -1;
	uint64_t first = UINT64_MAX;
	int r;

	*ret_lost = 0;
	if (!h->real)
		return read_dmesg(h, s);
	fd = host_open_file(h, KMSG, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	r = read_records(fd, s, &first);
	if (first != UINT64_MAX)
		*ret_lost = first;
	return r;
}

/* --- tasks ------------------------------------------------------------------------------------- */

struct task {
	char name[160];		/* "UPID:pve1:0000A1B2:00C3D4E5:65A1B2C3:qmstart:100:root@pam:" */
	uint64_t started;	/* seconds since 1970 */
};

struct tasks {
	struct task *v;
	size_t n, size;
	uint64_t booted;
};

static uint64_t boot_time(struct host *h)
{
	char *text, *line;
	uint64_t v = 0;
	size_t len;

	if (host_read_file(h, "/proc/stat", LOG_MAX, &text, &len) < 0)
		return 0;
	line = strstr(text, "\nbtime ");
	if (line) {
		line += strlen("\nbtime ");
		line[strcspn(line, "\n")] = '\0';
		if (str_to_u64(line, 10, &v) < 0)
			v = 0;
	}
	free(text);
	return v;
}

static bool starts_vms(const char *type)
{
	static const char *const types[] = { "qmstart", "qmreboot", "qmreset", "qmresume", "vzdump", "qmclone" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

static int add_task(void *arg, const char *name)
{
	struct tasks *l = arg;
	char copy[160], *cursor = copy, *part[6];
	struct task t;

	if (str_copy(copy, sizeof(copy), name) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		if (!(part[i] = str_token(&cursor, ":")))
			return 0;
	if (strcmp(part[0], "UPID") != 0 || str_to_u64(part[4], 16, &t.started) < 0 || t.started < l->booted ||
	    !starts_vms(part[5]))
		return 0;
	if (array_room(&l->v, l->n, &l->size, sizeof(*l->v)) < 0)
		return -ENOMEM;
	str_copy(t.name, sizeof(t.name), name);
	l->v[l->n++] = t;
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	if (x->started != y->started)
		return x->started < y->started ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* "task qmstart 100": what a person knows the task by */
static struct host_path task_title(const char *name)
{
	char copy[160], *cursor = copy, *part[7] = { NULL };

	if (str_copy(copy, sizeof(copy), name) < 0)
		return host_path("task");
	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		part[i] = str_token(&cursor, ":");
	return host_path("task %s %s", part[5] ? part[5] : "", part[6] ? part[6] : "");
}

static void read_task(struct host *h, struct logscan *s, const struct task *t)
{
	struct host_path path = host_path(TASKS "/%X/%s", (unsigned)(t->started & 15), t->name);
	char *text;
	size_t len;

	if (host_read_file(h, path.s, TASK_MAX, &text, &len) < 0)
		return;		/* Proxmox has removed it meanwhile */
	logscan_text(s, task_title(t->name).s, text);
	free(text);
}

int logread_tasks(struct host *h, struct logscan *s)
{
	struct tasks l = { .booted = boot_time(h) };
	int r = 0;

	for (unsigned i = 0; r == 0 && i < 16; i++) {
		r = host_list(h, host_path(TASKS "/%X", i).s, add_task, &l);
		if (r != -ENOMEM)
			r = 0;	/* the folder is not there, or not for us */
	}
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), by_start);
	for (size_t i = l.n > TASKS_MAX ? l.n - TASKS_MAX : 0; r == 0 && i < l.n; i++)
		read_task(h, s, &l.v[i]);
	free(l.v);
	return r;
}
