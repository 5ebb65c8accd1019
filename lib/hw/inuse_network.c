// SPDX-License-Identifier: GPL-2.0-or-later
/* What the network interfaces of a set of functions carry: see inuse_scan.h. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "inuse_dir.h"
#include "inuse_peers.h"
#include "inuse_routes.h"
#include "inuse_scan.h"
#include "inuse_text.h"
#include "str.h"

enum { LINKS = 16, LEVELS = 8 };	/* uppers of one interface; VLAN on bridge on bond is 3 */

/* What an interface, or one above it, is good for; the higher the worse to lose. */
enum rank { IDLE, HAS_UPPER, HAS_ROUTE, HAS_PEER, HAS_DEFAULT };

struct nic { char s[32]; };

/* A way up from an interface, as long as it is being looked for; then the best one found. */
struct way {
	struct nic step[LEVELS];
	size_t n;
};

struct net {
	struct inuse_scan *scan;
	struct inuse_routes routes;
	struct inuse_peers peers;
	struct way now, best;
	enum rank rank;		/* of `best` */
};

static struct host_path attr(const char *name, const char *what)
{
	return host_path("/sys/class/net/%s/%s", name, what);
}

static bool has(struct net *t, const char *name, const char *what)
{
	return host_exists(t->scan->h, attr(name, what).s);
}

/* Open vSwitch links its ports to one datapath device; which of its bridges, and so which address,
 * sysfs does not say (net/openvswitch/vport-netdev.c:ovs_netdev_link). */
static bool is_switch(const char *name)
{
	return strcmp(name, "ovs-system") == 0;
}

/* Some default route goes out of an interface that is neither hardware nor made of links: then the
 * switch's own ports are the only way out. */
static bool switch_has_default(struct net *t)
{
	char target[512];

	for (size_t i = 0; i < t->routes.n; i++) {
		const char *name = t->routes.v[i].name;

		if (t->routes.v[i].is_default && !has(t, name, "bridge") && !has(t, name, "bonding") &&
		    host_readlink(t->scan->h, host_path("/sys/class/net/%s", name).s, target, sizeof(target)) == 0 &&
		    strstr(target, "/virtual/"))
			return true;
	}
	return false;
}

static enum rank rank_of(struct net *t, const char *name, bool first)
{
	if (inuse_routes_default(&t->routes, name) || (is_switch(name) && switch_has_default(t)))
		return HAS_DEFAULT;
	if (inuse_peers_over(&t->peers, name))
		return HAS_PEER;
	if (inuse_routes_other(&t->routes, name))
		return HAS_ROUTE;
	return first ? IDLE : HAS_UPPER;
}

static void add_upper(struct nic *v, size_t *n, const char *name)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(v[i].s, name) == 0)
			return;
	if (*n < LINKS && str_copy(v[*n].s, sizeof(v[*n].s), name) == 0)
		++*n;
}

/* What is directly above: the `upper_` links, and `master`, `brport/bridge` where a kernel or a
 * tree has only those (net/core/dev.c:netdev_adjacent_sysfs_add, net/bridge/br_if.c). */
static size_t list_uppers(struct net *t, const char *folder, struct nic *v)
{
	static const char *const links[] = { "master", "brport/bridge" };
	struct inuse_dir d;
	unsigned char type;
	const char *name;
	char target[32];
	size_t n = 0;

	if (inuse_dir_open(&d, t->scan->h, folder) < 0)
		return 0;
	while (inuse_dir_next(&d, &name, &type) > 0)
		if (type == DT_LNK && str_starts(name, "upper_"))
			add_upper(v, &n, name + strlen("upper_"));
	inuse_dir_close(&d);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (host_read_linkname(t->scan->h, host_path("%s/%s", folder, links[i]).s, target,
				       sizeof(target)) == 0)
			add_upper(v, &n, target);
	return n;
}

/* Depth first; the first way of the highest rank is kept. */
static void climb(struct net *t, const char *folder, const char *name)
{
	struct nic uppers[LINKS];
	enum rank rank;
	size_t n;

	if (t->now.n == LEVELS || str_copy(t->now.step[t->now.n].s, sizeof(t->now.step[0].s), name) < 0)
		return;
	for (size_t i = 0; i < t->now.n; i++)
		if (strcmp(t->now.step[i].s, name) == 0)
			return;
	t->now.n++;
	rank = rank_of(t, name, t->now.n == 1);
	if (rank > t->rank || (rank == HAS_UPPER && t->rank == rank && t->now.n > t->best.n)) {
		t->rank = rank;
		t->best = t->now;
	}
	n = list_uppers(t, folder, uppers);
	for (size_t i = 0; i < n && t->rank < HAS_DEFAULT; i++)
		climb(t, host_path("/sys/class/net/%s", uppers[i].s).s, uppers[i].s);
	t->now.n--;
}

/* How an interface hangs on the one above it: "port eno1 of bridge vmbr0", and further up, where
 * the lower one was named already, "a port of bridge vmbr0". */
static void add_step(struct net *t, struct inuse_finding *f, const char *lower, const char *upper)
{
	const char *part = "", *of = "";
	char a[64], b[64];

	if (has(t, upper, "bridge"))
		part = "port", of = "of bridge";
	else if (has(t, upper, "bonding"))
		part = "member", of = "of bond";
	else if (is_switch(upper))
		part = "port", of = "of Open vSwitch";
	inuse_text_safe(a, sizeof(a), lower ? lower : "");
	inuse_text_safe(b, sizeof(b), upper);
	if (*part && lower)
		INUSE_ADD(f, "%s %s %s %s", part, a, of, b);
	else if (*part)
		INUSE_ADD(f, "a %s %s %s", part, of, b);
	else
		INUSE_ADD(f, "%s%sbelow %s", a, lower ? ", " : "", b);
}

static void add_way(struct net *t, struct inuse_finding *f)
{
	INUSE_ADD(f, "is ");
	if (t->best.n < 2)
		INUSE_ADD(f, "%s", f->object);
	for (size_t i = 1; i < t->best.n; i++) {
		if (i > 1)
			INUSE_ADD(f, ", ");
		add_step(t, f, i == 1 ? t->best.step[0].s : NULL, t->best.step[i].s);
	}
}

/* What it is good for, said of the last interface of the way. */
static void add_use(struct net *t, struct inuse_finding *f)
{
	const char *top = t->best.step[t->best.n - 1].s;
	const struct inuse_route *r;

	switch (t->rank) {
	case HAS_DEFAULT:
		INUSE_ADD(f, ", which has the default route");
		break;
	case HAS_PEER:
		INUSE_ADD(f, ", which %s", inuse_peers_over(&t->peers, top)->text);
		break;
	case HAS_ROUTE:
		r = inuse_routes_other(&t->routes, top);
		INUSE_ADD(f, ", which has %s%s", *r->net ? "the route to " : "an IPv6 network", r->net);
		break;
	case HAS_UPPER:
	case IDLE:
		break;
	}
}

static bool is_up(struct net *t, const struct inuse_part *p)
{
	uint64_t flags;

	/* IFF_UP; what cannot be read is not to be relied on. */
	return host_read_u64(t->scan->h, host_path("%s/flags", p->path.s).s, 16, &flags) < 0 || (flags & 1);
}

static bool has_link(struct net *t, const struct inuse_part *p)
{
	char state[32];

	return host_read_line(t->scan->h, host_path("%s/operstate", p->path.s).s, state, sizeof(state)) < 0 ||
	       (strcmp(state, "down") != 0 && strcmp(state, "lowerlayerdown") != 0 &&
		strcmp(state, "notpresent") != 0);
}

static struct inuse_finding *add(struct net *t, const struct inuse_part *p, enum inuse_weight weight)
{
	return inuse_scan_add(t->scan, p->fn, INUSE_NET, weight, p->name);
}

/* Up, but with nothing above it and no route: somebody may use it if it has a link. */
static int look_alone(struct net *t, const struct inuse_part *p)
{
	bool link = has_link(t, p);
	struct inuse_finding *f = add(t, p, link ? INUSE_MAYBE : INUSE_NOTE);

	if (!f)
		return -ENOMEM;
	INUSE_ADD(f, "is %s, which is up%s", f->object, link ? "" : " but has no link");
	return 0;
}

static int look(struct net *t, const struct inuse_part *p)
{
	struct inuse_finding *f;
	bool up = is_up(t, p);

	t->now.n = t->best.n = 0;
	t->rank = IDLE;
	climb(t, p->path.s, p->name);
	if (t->rank == IDLE)
		return up ? look_alone(t, p) : 0;
	f = add(t, p, !up ? INUSE_NOTE : t->rank >= HAS_PEER ? INUSE_CRITICAL : INUSE_BUSY);
	if (!f)
		return -ENOMEM;
	add_way(t, f);
	if (up)
		add_use(t, f);
	else
		INUSE_ADD(f, ", but is down");
	return 0;
}

static int look_elsewhere(struct net *t, const struct inuse_part *p)
{
	struct inuse_finding *f = add(t, p, INUSE_BUSY);

	if (!f)
		return -ENOMEM;
	INUSE_ADD(f, "has its network interface in another network namespace, a container's perhaps");
	return 0;
}

static bool has_interfaces(const struct inuse_scan *s)
{
	for (size_t i = 0; i < s->parts.n; i++)
		if (s->parts.v[i].kind == INUSE_PART_NET)
			return true;
	return false;
}

int inuse_network(struct inuse_scan *s, struct err *e)
{
	struct net t = { .scan = s };
	int r;

	if (!has_interfaces(s))
		return 0;
	if (inuse_routes_load(&t.routes, s->h) < 0)
		r = err_nomem(e);
	else
		r = inuse_peers_load(&t.peers, s->h, &t.routes, s->needs, e);
	for (size_t i = 0; r == 0 && i < s->parts.n; i++) {
		const struct inuse_part *p = &s->parts.v[i];

		if (p->kind == INUSE_PART_NET && (*p->name ? look(&t, p) : look_elsewhere(&t, p)) < 0)
			r = err_nomem(e);
	}
	inuse_peers_release(&t.peers);
	inuse_routes_release(&t.routes);
	return r;
}
