// SPDX-License-Identifier: GPL-2.0-or-later
/* treeuse - the lines of a machine that say what the host uses: volumes on disks, bridges on NICs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest.h"
#include "str.h"

/* The real folder of a disk, partition, volume or interface. */
static int real_folder(struct manifest *m, const char *class, const char *name, struct tfs_path *ret)
{
	struct tfs_path link = tfs_path("/sys/class/%s/%s", class, name);

	if (tfs_resolve(m->root, link.s, ret->s, sizeof(ret->s)) < 0)
		return manifest_bad(m, "there is no '%s' below /sys/class/%s", name, class);
	return 0;
}

static int volume_files(struct manifest *m, const struct manifest_line *l, const struct tfs_path *own)
{
	const char *name = manifest_value(l, "name");
	int r = tfs_putf(m->root, tfs_path("%s/dev", own->s).s, 0444, "%s\n", l->v[3]);

	if (r == 0)
		r = tfs_putf(m->root, tfs_path("%s/dm/name", own->s).s, 0444, "%s\n", name ? name : l->v[2]);
	if (r == 0)
		r = tfs_putf(m->root, tfs_path("%s/dm/uuid", own->s).s, 0444,
			     "LVM-q2nV8sX0hYc4Tj5uKf7WbRzAeMgLd1Pi%.*s%s\n", 27, "xv0mT1bQzR8sJw3kLh6NcYp9DfGa2", l->v[2]);
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("%s/subsystem", own->s).s, "/sys/class/block");
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("/sys/class/block/%s", l->v[2]).s, own->s);
	return r < 0 ? r : tfs_link_to(m->root, tfs_path("/sys/dev/block/%s", l->v[3]).s, own->s);
}

/* volume PARTITION dm-1 252:1 [name=pve-root] */
int manifest_volume(struct manifest *m, const struct manifest_line *l)
{
	struct tfs_path below, own = tfs_path("/sys/devices/virtual/block/%s", l->v[2]);
	int r = real_folder(m, "block", l->v[1], &below);

	if (r < 0)
		return r;
	if (!tfs_exists(m->root, own.s))
		r = volume_files(m, l, &own);
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("%.250s/holders/%s", below.s, l->v[2]).s, own.s);
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("%s/slaves/%s", own.s, l->v[1]).s, below.s);
	return manifest_did(m, r, own.s);
}

static int bridge_port(struct manifest *m, const struct tfs_path *own, const char *name, const char *bridge)
{
	struct tfs_path nic;
	int r = real_folder(m, "net", name, &nic);

	if (r < 0)
		return r;
	r = tfs_link_to(m->root, tfs_path("%s/brif/%s", own->s, name).s, tfs_path("%.250s/brport", nic.s).s);
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("%s/lower_%s", own->s, name).s, nic.s);
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("%.250s/master", nic.s).s, own->s);
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("%.250s/upper_%s", nic.s, bridge).s, own->s);
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("%.250s/brport/bridge", nic.s).s, own->s);
	if (r == 0)
		r = tfs_putf(m->root, tfs_path("%.250s/operstate", nic.s).s, 0444, "up\n");
	return manifest_did(m, r, nic.s);
}

/* bridge vmbr0 enp5s0 */
int manifest_bridge(struct manifest *m, const struct manifest_line *l)
{
	struct tfs_path own = tfs_path("/sys/devices/virtual/net/%s", l->v[1]);
	int r = tfs_putf(m->root, tfs_path("%s/bridge/bridge_id", own.s).s, 0444, "8000.d8bbc1000000\n");

	if (r == 0)
		r = tfs_putf(m->root, tfs_path("%s/operstate", own.s).s, 0444, "up\n");
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("/sys/class/net/%s", l->v[1]).s, own.s);
	if (r == 0)
		r = tfs_link_to(m->root, tfs_path("%s/subsystem", own.s).s, "/sys/class/net");
	r = manifest_did(m, r, own.s);
	for (size_t i = 2; r == 0 && i < l->n; i++)
		r = bridge_port(m, &own, l->v[i], l->v[1]);
	return r;
}
