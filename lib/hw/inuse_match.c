// SPDX-License-Identifier: GPL-2.0-or-later
/* Device nodes by number and by name: see inuse_match.h. */
#include "inuse_match.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

/* Nodes without a number sort behind all others and equal none. */
static uint64_t key(bool block, unsigned major, unsigned minor)
{
	return (uint64_t)block << 62 | (uint64_t)(major & 0x3fffffff) << 32 | minor;
}

static uint64_t key_of(const struct inuse_node *n)
{
	return n->numbered ? key(n->block, n->major, n->minor) : UINT64_MAX;
}

static int by_number(const void *a, const void *b)
{
	const struct inuse_node *n = a, *m = b;
	uint64_t x = key_of(n), y = key_of(m);
	int r = (x > y) - (x < y);

	if (r == 0)
		r = strcmp(n->name, m->name);
	return r ? r : (n->tag > m->tag) - (n->tag < m->tag);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct inuse_node *const *)a)->name,
		      (*(const struct inuse_node *const *)b)->name);
}

int inuse_match_init(struct inuse_match *m, struct inuse_node *nodes, size_t n)
{
	*m = (struct inuse_match){ .nodes = nodes };
	if (n == 0)
		return 0;
	m->by_name = calloc(n, sizeof(*m->by_name));
	if (!m->by_name)
		return -ENOMEM;
	m->n = n;
	qsort(nodes, n, sizeof(*nodes), by_number);
	for (size_t i = 0; i < n; i++)
		m->by_name[i] = &nodes[i];
	qsort(m->by_name, n, sizeof(*m->by_name), by_name);
	return 0;
}

void inuse_match_release(struct inuse_match *m)
{
	free(m->by_name);
	*m = (struct inuse_match){ NULL, NULL, 0 };
}

int inuse_match_number(const struct inuse_match *m, bool block, unsigned major, unsigned minor,
		       inuse_match_fn fn, void *arg)
{
	uint64_t wanted = key(block, major, minor);
	size_t low = 0, high = m->n;
	int r = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (key_of(&m->nodes[mid]) < wanted)
			low = mid + 1;
		else
			high = mid;
	}
	for (; r == 0 && low < m->n && key_of(&m->nodes[low]) == wanted; low++)
		r = fn(arg, low);
	return r;
}

int inuse_match_path(const struct inuse_match *m, char *path, inuse_match_fn fn, void *arg)
{
	size_t low = 0, high = m->n, len = strlen(path), cut = strlen(" (deleted)");
	const char *name = path + strlen("/dev/");
	int r = 0;

	if (!str_starts(path, "/dev/") || !*name)
		return 0;
	if (len > cut && strcmp(path + len - cut, " (deleted)") == 0)
		path[len - cut] = '\0';
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(m->by_name[mid]->name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; r == 0 && low < m->n && strcmp(m->by_name[low]->name, name) == 0; low++)
		r = fn(arg, (size_t)(m->by_name[low] - m->nodes));
	return r;
}
