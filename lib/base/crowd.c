// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes without kernel threads: see crowd.h. */
#include "crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "array.h"
#include "str.h"

#define KTHREADD_CHILDREN "/proc/2/task/2/children"
#define CHILDREN_MAX (1 << 20)

static int add(void *arg, const char *name)
{
	struct crowd *c = arg;
	uint64_t pid;

	if (str_to_u64(name, 10, &pid) < 0 || pid == 0 || pid > INT_MAX)
		return 0;
	if (array_room(&c->pids, c->n, &c->size, sizeof(*c->pids)) < 0)
		return -ENOMEM;
	c->pids[c->n++] = (pid_t)pid;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort(struct crowd *c)
{
	if (c->n)
		qsort(c->pids, c->n, sizeof(*c->pids), by_number);
}

/* The children of kthreadd; none where the kernel does not tell. */
static int list_kthreads(struct host *h, struct crowd *ret)
{
	char *text, *cursor, *word;
	size_t len;
	int r = host_read_file(h, KTHREADD_CHILDREN, CHILDREN_MAX, &text, &len);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	cursor = text;
	while (r == 0 && (word = str_token(&cursor, " \n")))
		r = add(ret, word);
	free(text);
	sort(ret);
	return r;
}

static bool has_no_program(int proc, pid_t pid)
{
	char path[32], text[8];

	snprintf(path, sizeof(path), "%d/exe", (int)pid);
	return readlinkat(proc, path, text, sizeof(text)) < 0 && errno == ENOENT;
}

static int drop_kthreads(struct host *h, struct crowd *c)
{
	struct crowd threads = CROWD_INIT;
	int r = list_kthreads(h, &threads);
	int proc = r == 0 && threads.n ? host_open_file(h, "/proc", O_PATH | O_DIRECTORY, 0) : -1;
	size_t n = 0;

	for (size_t i = 0; proc >= 0 && i < c->n; i++)
		if (!bsearch(&c->pids[i], threads.pids, threads.n, sizeof(*threads.pids), by_number) ||
		    !has_no_program(proc, c->pids[i]))
			c->pids[n++] = c->pids[i];
	if (proc >= 0) {
		c->n = n;
		close(proc);
	}
	crowd_release(&threads);
	return r;
}

int crowd_list(struct host *h, struct crowd *ret)
{
	int r;

	*ret = (struct crowd)CROWD_INIT;
	r = host_list(h, "/proc", add, ret);
	if (r < 0)
		return r;
	sort(ret);
	return drop_kthreads(h, ret);
}

void crowd_release(struct crowd *c)
{
	free(c->pids);
	*c = (struct crowd)CROWD_INIT;
}
