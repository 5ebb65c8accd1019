// SPDX-License-Identifier: GPL-2.0-or-later
/* What this node cannot do without: see needs.h. */
#include "needs.h"

#include <stdlib.h>
#include <string.h>

#include "upkeep.h"

static void convert(const struct upkeep_item *from, struct inuse_need *to)
{
	static const enum inuse_need_kind kinds[] = {
		[UPKEEP_NETWORK] = INUSE_NEED_NETWORK, [UPKEEP_SERVER] = INUSE_NEED_SERVER,
		[UPKEEP_GROUP] = INUSE_NEED_GROUP, [UPKEEP_POOL] = INUSE_NEED_POOL,
	};

	_Static_assert(sizeof(to->name) == sizeof(from->name) && sizeof(to->why) == sizeof(from->why), "one size");
	to->kind = kinds[from->kind];
	memcpy(to->name, from->name, sizeof(to->name));
	memcpy(to->why, from->why, sizeof(to->why));
}

int needs_load(struct host *h, struct needs *ret, struct err *e)
{
	struct upkeep u = UPKEEP_INIT;
	struct needs n = NEEDS_INIT;
	int r = upkeep_load(h, &u, e);

	if (r < 0)
		return r;
	n.v = calloc(u.n + 1, sizeof(*n.v));
	for (size_t i = 0; n.v && i < u.n; i++)
		convert(&u.list[i], &n.v[i]);
	n.list.v = n.v;
	n.list.n = u.n;
	upkeep_release(&u);
	if (!n.v)
		return err_nomem(e);
	*ret = n;
	return 0;
}

void needs_release(struct needs *n)
{
	free(n->v);
	*n = (struct needs)NEEDS_INIT;
}
