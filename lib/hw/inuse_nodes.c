// SPDX-License-Identifier: GPL-2.0-or-later
/* Device nodes to look for: see inuse_nodes.h. */
#include "inuse_nodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

int inuse_nodes_add(struct inuse_nodes *s, const struct inuse_node *node)
{
	if (s->n == s->size) {
		size_t size = s->size ? s->size * 2 : 16;
		struct inuse_node *v = realloc(s->v, size * sizeof(*v));

		if (!v)
			return -ENOMEM;
		s->v = v;
		s->size = size;
	}
	s->v[s->n++] = *node;
	return 0;
}

int inuse_nodes_number(struct host *h, const char *path, unsigned *ret_major, unsigned *ret_minor)
{
	char buf[64], *colon;
	uint64_t major, minor;
	int r = host_read_line(h, path, buf, sizeof(buf));

	if (r < 0)
		return r;
	colon = strchr(buf, ':');
	if (!colon)
		return -EINVAL;
	*colon = '\0';
	if (str_to_u64(buf, 10, &major) < 0 || str_to_u64(colon + 1, 10, &minor) < 0 ||
	    major > UINT32_MAX || minor > UINT32_MAX)
		return -EINVAL;
	*ret_major = (unsigned)major;
	*ret_minor = (unsigned)minor;
	return 0;
}

int inuse_nodes_add_dev(struct inuse_nodes *s, struct host *h, const char *folder, const char *name,
			size_t tag)
{
	struct inuse_node node = { .tag = tag };

	/* A name too long for the field cannot be one of the kernel's; the number still serves. */
	if (str_copy(node.name, sizeof(node.name), name) < 0)
		node.name[0] = '\0';
	node.numbered = inuse_nodes_number(h, host_path("%s/dev", folder).s, &node.major, &node.minor) == 0;
	return inuse_nodes_add(s, &node);
}

void inuse_nodes_release(struct inuse_nodes *s)
{
	free(s->v);
	*s = (struct inuse_nodes){ NULL, 0, 0 };
}
