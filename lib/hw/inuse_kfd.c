// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes on AMD GPUs: see inuse_kfd.h. */
#include "inuse_kfd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

#define KFD	"/sys/class/kfd/kfd/"

struct search {
	struct host *h;
	const struct bdf *fns;
	size_t n;
	uint64_t *gpu_id;		/* per function; 0 = not one of kfd's */
	bool any;
	inuse_kfd_fn fn;
	void *arg;
};

/* The value of a line "KEY VALUE"; text begins with a newline. */
static int property(const char *text, const char *key, uint64_t *ret)
{
	const char *line = strstr(text, key);
	char value[32];
	size_t n;

	if (!line)
		return -ENOENT;
	line += strlen(key);
	n = strcspn(line, "\n");
	if (n >= sizeof(value))
		return -EINVAL;
	memcpy(value, line, n);
	value[n] = '\0';
	return str_to_u64(value, 10, ret);
}

/* One node of the topology: location_id is bus and devfn (kfd_topology.c:kfd_topology_add_device). */
static int each_node(void *arg, const char *name)
{
	struct search *s = arg;
	uint64_t id, location, domain;
	char text[4096] = "\n";
	ssize_t n;

	if (host_read_u64(s->h, host_path(KFD "topology/nodes/%s/gpu_id", name).s, 10, &id) < 0 || id == 0)
		return 0;
	n = host_read(s->h, host_path(KFD "topology/nodes/%s/properties", name).s, text + 1, sizeof(text) - 2);
	text[n > 0 ? n + 1 : 1] = '\0';
	if (property(text, "\nlocation_id ", &location) < 0)
		return 0;
	if (property(text, "\ndomain ", &domain) < 0)
		domain = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct bdf a = s->fns[i];

		if (a.domain != domain || ((uint64_t)a.bus << 8 | a.dev << 3 | a.fn) != location)
			continue;
		s->gpu_id[i] = id;
		s->any = true;
	}
	return 0;
}

static int each_process(void *arg, const char *name)
{
	struct search *s = arg;
	uint64_t pid, bytes;
	int r = 0;

	if (str_to_u64(name, 10, &pid) < 0 || pid > INT32_MAX)
		return 0;
	for (size_t i = 0; r == 0 && i < s->n; i++) {
		struct host_path path = host_path(KFD "proc/%s/vram_%llu", name, (unsigned long long)s->gpu_id[i]);

		if (s->gpu_id[i] && host_read_u64(s->h, path.s, 10, &bytes) == 0 && bytes > 0)
			r = s->fn(s->arg, i, (int)pid);
	}
	return r;
}

int inuse_kfd(struct host *h, const struct bdf *fns, size_t n, inuse_kfd_fn fn, void *arg)
{
	struct search s = { .h = h, .fns = fns, .n = n, .fn = fn, .arg = arg };
	int r;

	s.gpu_id = calloc(n ? n : 1, sizeof(*s.gpu_id));
	if (!s.gpu_id)
		return -ENOMEM;
	r = host_list(h, KFD "topology/nodes", each_node, &s);
	if (r == 0 && s.any)
		r = host_list(h, KFD "proc", each_process, &s);
	free(s.gpu_id);
	return r == -ENOMEM ? r : 0;
}
