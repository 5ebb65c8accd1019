// SPDX-License-Identifier: GPL-2.0-or-later
/* Machines whose disks this host uses: see inuse_peers.h. */
#include "inuse_peers.h"

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

/* What is reached over no route is not reached. */
static struct inuse_peer *add(struct load *l, const char *address, int *ret)
{
	const char *name = inuse_routes_via(l->routes, address);
	struct inuse_peer *v;

	*ret = 0;
	if (!name)
		return NULL;
	v = realloc(l->peers->v, (l->peers->n + 1) * sizeof(*v));
	if (!v) {
		*ret = -ENOMEM;
		return NULL;
	}
	l->peers->v = v;
	v = &v[l->peers->n];
	*v = (struct inuse_peer){ .text = "" };
	if (str_copy(v->name, sizeof(v->name), name) < 0)
		return NULL;
	l->peers->n++;
	return v;
}

static int add_peer(struct load *l, const char *word, const char *address, const char *of)
{
	char safe[96];
	int r;
	struct inuse_peer *v = add(l, address, &r);

	if (!v)
		return r;
	inuse_text_safe(safe, sizeof(safe), of);
	inuse_text_add(v->text, sizeof(v->text), "reaches the %s %s of %s", word, address, safe);
	return 0;
}

static int add_need(struct load *l, const struct inuse_need *need)
{
	char safe[64];
	struct inuse_peer *v;
	int r;

	if (need->kind != INUSE_NEED_NETWORK && need->kind != INUSE_NEED_SERVER)
		return 0;
	v = add(l, need->name, &r);
	if (!v)
		return r;
	inuse_text_safe(safe, sizeof(safe), need->name);
	inuse_text_add(v->text, sizeof(v->text), "%s %s (%s)", need->kind == INUSE_NEED_SERVER ? "reaches" : "carries",
		       need->why, safe);
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

/* Without a port behind it; an IPv6 address with one is in brackets, which end it. */
static size_t address_length(const char *p)
{
	size_t n = strspn(p, "0123456789.");

	return memchr(p, '.', n) ? n : strspn(p, "0123456789abcdefABCDEF:");
}

static int add_mount(struct load *l, const struct inuse_mount *m)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++) {
		const char *p;
		char address[64];
		size_t n;

		if (strcmp(m->type, kinds[i].type) != 0)
			continue;
		p = *kinds[i].option ? find_option(m->options, kinds[i].option) : m->source;
		p += p && *p == '[';
		n = p ? address_length(p) : 0;
		if (n == 0 || n >= sizeof(address))
			continue;
		memcpy(address, p, n);
		address[n] = '\0';
		r = add_peer(l, kinds[i].word, address, m->point);
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
	return add_peer(l, "iSCSI target", address, name);
}

int inuse_peers_load(struct inuse_peers *p, struct host *h, const struct inuse_routes *routes,
		     const struct inuse_needs *needs, struct err *e)
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
	r = r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && needs && i < needs->n; i++)
		r = add_need(&l, &needs->v[i]);
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
