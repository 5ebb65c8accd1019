// SPDX-License-Identifier: GPL-2.0-or-later
/* What this node cannot do without: see upkeep.h. */
#include "upkeep.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "nodename.h"
#include "section.h"
#include "storage.h"
#include "str.h"

enum { LIMIT = 1 << 20 };

struct load {
	struct host *h;
	struct upkeep *u;
	char node[NODENAME_SIZE];
	char *hosts;			/* /etc/hosts */
};

static int add(struct load *l, enum upkeep_kind kind, const char *name, const char *fmt, const char *of)
{
	struct str why = STR_INIT, safe = STR_INIT;
	struct upkeep_item *v;
	int r = 0;

	if (array_room(&l->u->list, l->u->n, &l->u->size, sizeof(*v)) < 0 || str_add_safe(&safe, of) < 0 ||
	    str_addf(&why, "%s%s", fmt, safe.s) < 0)
		r = -ENOMEM;
	v = r == 0 ? &l->u->list[l->u->n] : NULL;
	/* Longer than any name of a group or an address: it is none. */
	if (v && *name && str_copy(v->name, sizeof(v->name), name) == 0) {
		v->kind = kind;
		if (str_copy(v->why, sizeof(v->why), why.s) < 0)
			(void)str_copy(v->why, sizeof(v->why), fmt);
		l->u->n++;
	}
	str_release(&why);
	str_release(&safe);
	return r;
}

/* NULL and 0: there is no such file. */
static int read_text(struct load *l, const char *path, char **ret, struct err *e)
{
	size_t len;
	int r = host_read_file(l->h, path, LIMIT, ret, &len);

	if (r == 0)
		return 0;
	*ret = NULL;
	return r == -ENOENT || r == -ENOTDIR ? 0 : err_set(e, -r, "cannot read '%s': %s", path, err_text(r));
}

static bool is_address(const char *text)
{
	unsigned char buf[16];

	return inet_pton(AF_INET, text, buf) == 1 || inet_pton(AF_INET6, text, buf) == 1;
}

/* Every address that a name stands for in /etc/hosts; an address stands for itself. */
static int add_named(struct load *l, enum upkeep_kind kind, const char *name, const char *fmt, const char *of)
{
	char *copy, *cursor, *line;
	int r = 0;

	if (is_address(name))
		return add(l, kind, name, fmt, of);
	copy = strdup(l->hosts ? l->hosts : "");
	if (!copy)
		return -ENOMEM;
	cursor = copy;
	while (r == 0 && (line = str_token(&cursor, "\n"))) {
		char *address, *word;

		line[strcspn(line, "#")] = '\0';
		address = str_token(&line, " \t\r");
		/* Debian's installer puts the name beside 127.0.1.1. */
		if (!address || !is_address(address) || str_starts(address, "127."))
			continue;
		while (r == 0 && (word = str_token(&line, " \t\r")))
			if (strcmp(word, name) == 0) {
				r = add(l, kind, address, fmt, of);
				break;
			}
	}
	free(copy);
	return r;
}

/* --- corosync -------------------------------------------------------------------------------------- */

enum { LINKS = 8 };	/* knet's limit (corosync.conf(5)) */

struct ring { char link[4], address[128]; };

/* The links of one "node { }", when it is ours. */
static int add_rings(struct load *l, const char *name, const struct ring *rings, size_t n)
{
	int r = 0;

	if (strcmp(name, l->node) != 0)
		return 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_named(l, UPKEEP_NETWORK, rings[i].address, "corosync link ", rings[i].link);
	return r;
}

/* "ring0_addr: 10.0.0.1"; the name may stand before or behind its addresses. */
static void take_ring(char *line, char *name, size_t size, struct ring *rings, size_t *n)
{
	char *colon = strchr(line, ':'), *value;
	struct ring *ring = &rings[*n];

	if (!colon)
		return;
	*colon = '\0';
	value = str_strip(colon + 1);
	line = str_strip(line);
	if (strcmp(line, "name") == 0) {
		(void)str_copy(name, size, value);
		return;
	}
	if (*n == LINKS || !str_starts(line, "ring") || strlen(line) != strlen("ring0_addr") ||
	    strcmp(line + strlen("ring0"), "_addr") != 0)
		return;
	ring->link[0] = line[strlen("ring")];
	ring->link[1] = '\0';
	if (str_copy(ring->address, sizeof(ring->address), value) == 0)
		++*n;
}

static int parse_corosync(struct load *l, char *text)
{
	char name[NODENAME_SIZE] = "", *line;
	struct ring rings[LINKS];
	bool inside = false;
	size_t n = 0;
	int r = 0;

	while (r == 0 && (line = str_token(&text, "\n"))) {
		line = str_strip(line);
		if (*line == '#')
			continue;
		if (str_starts(line, "node") && strcmp(str_strip(line + strlen("node")), "{") == 0) {
			inside = true;
			name[0] = '\0';
			n = 0;
		} else if (inside && *line == '}') {
			inside = false;
			r = add_rings(l, name, rings, n);
		} else if (inside) {
			take_ring(line, name, sizeof(name), rings, &n);
		}
	}
	return r;
}

/* --- datacenter.cfg, ceph.conf --------------------------------------------------------------------- */

/* "migration: type=secure,network=10.1.2.0/24" */
static int parse_datacenter(struct load *l, char *text)
{
	static const char *const keys[] = { "migration", "replication" };
	char *line, *word;
	int r = 0;

	while (r == 0 && (line = str_token(&text, "\n")))
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			size_t len = strlen(keys[i]);

			if (!str_starts(line, keys[i]) || line[len] != ':')
				continue;
			line += len + 1;
			while (r == 0 && (word = str_token(&line, ", \t\r")))
				if (str_starts(word, "network="))
					r = add(l, UPKEEP_NETWORK, word + strlen("network="), "the network of Proxmox's ",
						keys[i]);
			break;
		}
	return r;
}

/* "public_network = 10.0.0.0/24, 10.0.1.0/24"; blanks and underscores in the key are one (Ceph: ConfFile). */
static int parse_ceph(struct load *l, char *text)
{
	static const char *const keys[] = { "public_network", "cluster_network" };
	char *line, *equals, *word;
	int r = 0;

	while (r == 0 && (line = str_token(&text, "\n"))) {
		equals = strchr(line, '=');
		if (!equals)
			continue;
		*equals++ = '\0';
		line = str_strip(line);
		for (char *p = line; *p; p++)
			*p = *p == ' ' ? '_' : *p;
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			while (r == 0 && strcmp(line, keys[i]) == 0 && (word = str_token(&equals, ", \t\r")))
				r = add(l, UPKEEP_NETWORK, word, "Ceph's ", keys[i]);
	}
	return r;
}

/* --- storages -------------------------------------------------------------------------------------- */

static bool on_this_node(const struct load *l, const struct section *s)
{
	const char *nodes = section_value(s, "nodes", NULL);
	char list[1024], *cursor = list, *word;

	if (section_flag(s, "disable"))
		return false;
	if (!nodes || !*nodes || !l->node[0] || str_copy(list, sizeof(list), nodes) < 0)
		return true;
	while ((word = str_token(&cursor, ",; \t")))
		if (strcmp(word, l->node) == 0)
			return true;
	return false;
}

/* The keys by which storages name what they stand on (pve-storage: Storage plugins' `options`). */
static const struct {
	const char *key;
	enum upkeep_kind kind;
	const char *except;		/* a type whose key of that name means something else */
} keys[] = {
	{ "vgname", UPKEEP_GROUP, "" },
	{ "pool", UPKEEP_POOL, "rbd" },
	{ "server", UPKEEP_SERVER, "" },
	{ "portal", UPKEEP_SERVER, "" },
	{ "monhost", UPKEEP_SERVER, "" },
};

/* "[fd00::1]:3260", "10.0.0.5:3260" -> the address alone. */
static char *without_port(char *address)
{
	char *colon = strchr(address, ':');

	if (*address == '[') {
		address[strcspn(address, "]")] = '\0';
		return address + 1;
	}
	if (colon && !strchr(colon + 1, ':'))
		*colon = '\0';
	return address;
}

static int add_storage(struct load *l, const struct section *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(keys); i++) {
		const char *value = section_value(s, keys[i].key, NULL);
		char list[512], *cursor = list, *word;

		if (!value || strcmp(s->type, keys[i].except) == 0 || str_copy(list, sizeof(list), value) < 0)
			continue;
		if (keys[i].kind == UPKEEP_POOL)
			list[strcspn(list, "/")] = '\0';	/* a dataset of the pool */
		if (keys[i].kind != UPKEEP_SERVER)
			r = add(l, keys[i].kind, list, "the Proxmox storage ", s->id);
		else
			while (r == 0 && (word = str_token(&cursor, ",; \t")))
				r = add_named(l, UPKEEP_SERVER, without_port(word), "the Proxmox storage ", s->id);
	}
	return r;
}

static int load_storages(struct load *l, struct err *e)
{
	struct section_file f = SECTION_FILE_INIT;
	int r = section_load(l->h, STORAGE_FILE, SECTION_TYPE_ID, &f, e);

	if (r == -ENOENT) {
		*e = (struct err)ERR_INIT;
		return 0;
	}
	for (size_t i = 0; r == 0 && i < f.n; i++)
		if (section_find(&f, f.list[i].id) == &f.list[i] && on_this_node(l, &f.list[i]) &&
		    add_storage(l, &f.list[i]) < 0)
			r = err_nomem(e);
	section_release(&f);
	return r;
}

/* --------------------------------------------------------------------------------------------------- */

static int load_file(struct load *l, const char *path, int (*parse)(struct load *l, char *text), struct err *e)
{
	char *text;
	int r = read_text(l, path, &text, e);

	if (r == 0 && text && parse(l, text) < 0)
		r = err_nomem(e);
	free(text);
	return r;
}

int upkeep_load(struct host *h, struct upkeep *ret, struct err *e)
{
	struct upkeep u = UPKEEP_INIT;
	struct load l = { .h = h, .u = &u };
	struct err ignored = ERR_INIT;
	int r;

	if (nodename_read(h, l.node, sizeof(l.node), &ignored) < 0)
		l.node[0] = '\0';
	r = read_text(&l, "/etc/hosts", &l.hosts, e);
	if (r == 0 && l.node[0] && add_named(&l, UPKEEP_NETWORK, l.node, "the address of the node ", l.node) < 0)
		r = err_nomem(e);
	if (r == 0)
		r = load_file(&l, "/etc/pve/corosync.conf", parse_corosync, e);
	if (r == 0)
		r = load_file(&l, "/etc/pve/datacenter.cfg", parse_datacenter, e);
	if (r == 0)
		r = load_file(&l, "/etc/pve/ceph.conf", parse_ceph, e);
	if (r == 0)
		r = load_storages(&l, e);
	free(l.hosts);
	if (r < 0)
		upkeep_release(&u);
	else
		*ret = u;
	return r;
}

void upkeep_release(struct upkeep *u)
{
	free(u->list);
	*u = (struct upkeep)UPKEEP_INIT;
}
