// SPDX-License-Identifier: GPL-2.0-or-later
/* Machines whose disks this host uses: see inuse_peers.h. */
#include "inuse_peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inuse_mounts.h"
#include "inuse_text.h"
#include "str.h"

struct load {
	struct inuse_peers *peers;
	struct host *h;
	const struct inuse_routes *routes;
};

/* How a file system's mount names its server. */
static const struct {
	const char *type, *word;
	const char *option;		/* followed by the address; "" = the source begins with it */
} kinds[] = {
	{ "nfs", "NFS server", "addr=" },	/* fs/nfs/super.c:nfs_show_mount_options */
	{ "nfs4", "NFS server", "addr=" },
	{ "cifs", "SMB server", "addr=" },	/* fs/smb/client/cifsfs.c:cifs_show_address */
	{ "smb3", "SMB server", "addr=" },
	{ "ceph", "Ceph monitor", "mon_addr=" },	/* fs/ceph/super.c:ceph_show_options */
	{ "ceph", "Ceph monitor", "" },
};

static int add(struct load *l, const char *word, const char *address, const char *of)
{
	struct inuse_peer *v, peer = { .text = "" };
	struct in_addr in;
	const char *name;
	char safe[96];

	if (inet_pton(AF_INET, address, &in) != 1)
		return 0;
	name = inuse_routes_via(l->routes, in.s_addr);
	if (!name || str_copy(peer.name, sizeof(peer.name), name) < 0)
		return 0;
	inuse_text_safe(safe, sizeof(safe), of);
	inuse_text_add(peer.text, sizeof(peer.text), "the %s %s of %s", word, address, safe);
	v = realloc(l->peers->v, (l->peers->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	l->peers->v = v;
	v[l->peers->n++] = peer;
	return 0;
}

/* The option at the start of the list or after a comma: "clientaddr=" is another one. */
static const char *find_option(const char *options, const char *option)
{
	const char *p = options;

	while ((p = strstr(p, option)) && p != options && p[-1] != ',')
		p++;
	return p ? p + strlen(option) : NULL;
}

static int add_mount(struct load *l, const struct inuse_mount *m)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++) {
		const char *p;
		char address[32];
		size_t n;

		if (strcmp(m->type, kinds[i].type) != 0)
			continue;
		p = *kinds[i].option ? find_option(m->options, kinds[i].option) : m->source;
		n = p ? strspn(p, "0123456789.") : 0;
		if (n == 0 || n >= sizeof(address))
			continue;
		memcpy(address, p, n);
		address[n] = '\0';
		r = add(l, kinds[i].word, address, m->point);
	}
	return r;
}

static int each_iscsi(void *arg, const char *name)
{
	struct load *l = arg;
	char address[64];

	if (host_read_line(l->h, host_path("/sys/class/iscsi_connection/%s/address", name).s, address,
			   sizeof(address)) < 0)
		return 0;
	return add(l, "iSCSI target", address, name);
}

int inuse_peers_load(struct inuse_peers *p, struct host *h, const struct inuse_routes *routes, struct err *e)
{
	struct load l = { p, h, routes };
	struct inuse_mounts mounts;
	int r;

	*p = (struct inuse_peers){ NULL, 0 };
	r = inuse_mounts_load(&mounts, h, e);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < mounts.n_mounts; i++)
		r = add_mount(&l, &mounts.mounts[i]);
	if (r == 0)
		r = host_list(h, "/sys/class/iscsi_connection", each_iscsi, &l);
	inuse_mounts_release(&mounts);
	return r == -ENOMEM ? err_nomem(e) : 0;
}

void inuse_peers_release(struct inuse_peers *p)
{
	free(p->v);
	*p = (struct inuse_peers){ NULL, 0 };
}

const struct inuse_peer *inuse_peers_over(const struct inuse_peers *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->v[i].name, name) == 0)
			return &p->v[i];
	return NULL;
}
