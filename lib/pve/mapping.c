// SPDX-License-Identifier: GPL-2.0-or-later
/* Cluster-wide names for PCI devices: see mapping.h. */
#include "mapping.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "macro.h"
#include "nodename.h"
#include "propstr.h"
#include "str.h"

/* "vvvv:dddd", either case. */
static bool is_id(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (i == 4 ? s[i] != ':' : !isxdigit((unsigned char)s[i]))
			return false;
	return len == 9;
}

static size_t hex_span(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && ((s[n] >= '0' && s[n] <= '9') || (s[n] >= 'a' && s[n] <= 'f')))
		n++;
	return n;
}

/* dddd+:bb:dd[.f] in lower case.  Proxmox's pattern has an unquoted dot, so that any character may
 * stand before the function ($PCI_RE of Mapping/PCI.pm); such a device is then never found. */
static bool is_path(const char *s, size_t len)
{
	size_t n = hex_span(s, len);

	if (n < 4 || len < n + 6 || s[n] != ':')
		return false;
	s += n + 1;
	len -= n + 1;
	if (hex_span(s, 3) != 2 || s[2] != ':' || hex_span(s + 3, 2) != 2)
		return false;
	return len == 5 || (len == 7 && hex_span(s + 6, 1) == 1);
}

static bool is_path_list(const char *s, size_t len)
{
	const char *semicolon;

	while ((semicolon = memchr(s, ';', len))) {
		if (!is_path(s, (size_t)(semicolon - s)))
			return false;
		len -= (size_t)(semicolon - s) + 1;
		s = semicolon + 1;
	}
	return is_path(s, len);
}

static bool is_node(const char *s, size_t len)
{
	char name[NODENAME_SIZE];

	if (len >= sizeof(name))
		return false;
	memcpy(name, s, len);
	name[len] = '\0';
	return strlen(name) == len && nodename_is_valid(name);
}

static const struct prop_check check_node = { is_node, "a node's name" };
static const struct prop_check check_id = { is_id, "of the form vvvv:dddd" };
static const struct prop_check check_paths = { is_path_list, "full addresses in lower case, separated by ';'" };

enum { KEY_NODE, KEY_ID, KEY_PATH, KEY_SUBSYSTEM, KEY_GROUP, KEY_DESCRIPTION };

/* $map_fmt of Mapping/PCI.pm. */
static const struct prop map_props[] = {
	[KEY_NODE]	  = { .name = "node", .flags = PROP_REQUIRED, .check = &check_node },
	[KEY_ID]	  = { .name = "id", .flags = PROP_REQUIRED, .check = &check_id },
	[KEY_PATH]	  = { .name = "path", .flags = PROP_REQUIRED, .check = &check_paths },
	[KEY_SUBSYSTEM]	  = { .name = "subsystem-id", .check = &check_id },
	[KEY_GROUP]	  = { .name = "iommugroup", .type = PROP_INT },
	[KEY_DESCRIPTION] = { .name = "description", .max_len = 4096 },
};

const struct propfmt mapping_map_fmt = PROPFMT(map_props, NULL);

static void entry_release(struct mapping_entry *en)
{
	free(en->paths);
	free(en->text);
}

/* `list` has passed is_path_list(). */
static int split_paths(char *list, struct mapping_entry *en)
{
	size_t n = 1;
	char *path;

	for (const char *p = list; *p; p++)
		n += *p == ';';
	en->paths = calloc(n, sizeof(*en->paths));
	if (!en->paths)
		return -ENOMEM;
	while ((path = str_token(&list, ";")))
		en->paths[en->n_paths++] = path;
	return 0;
}

/* A value as a string of its own: ends it inside `text`, which holds it.  NULL = not given. */
static char *own(char *text, const struct propstr *p, int key)
{
	struct slice v = p->value[key];
	char *s;

	if (!v.s)
		return NULL;
	s = text + (v.s - text);
	s[v.len] = '\0';
	return s;
}

/* -EINVAL with a sentence for what Proxmox skips. */
static int entry_parse(const struct section_prop *map, struct mapping_entry *ret, struct err *e)
{
	struct mapping_entry en = { .line = map->line, .text = strdup(map->value) };
	struct propstr p;
	int r = en.text ? propstr_parse(&mapping_map_fmt, en.text, strlen(en.text), NULL, &p, e) : err_nomem(e);

	if (r == 0 && split_paths(own(en.text, &p, KEY_PATH), &en) < 0)
		r = err_nomem(e);
	if (r < 0) {
		entry_release(&en);
		return r;
	}
	en.node = own(en.text, &p, KEY_NODE);
	en.id = own(en.text, &p, KEY_ID);
	en.subsystem = own(en.text, &p, KEY_SUBSYSTEM);
	en.group = own(en.text, &p, KEY_GROUP);
	en.description = own(en.text, &p, KEY_DESCRIPTION);
	*ret = en;
	return 0;
}

static int add_entry(struct mapping *m, const struct section_prop *map, const char *node, struct err *e)
{
	struct mapping_entry en;
	struct err why = ERR_INIT;
	int r = entry_parse(map, &en, &why);

	if (r == -ENOMEM) {
		*e = why;
		return r;
	}
	if (r < 0) {
		if (m->n_skipped++ == 0)
			snprintf(m->skipped, sizeof(m->skipped), "line %u: %.200s", map->line, why.msg);
		return 0;
	}
	if (node && strcmp(en.node, node) != 0)
		entry_release(&en);
	else
		m->entries[m->n_entries++] = en;
	return 0;
}

static int add_entries(struct mapping *m, const struct section *s, const char *node, struct err *e)
{
	int r = 0;

	m->entries = calloc(s->n_props ? s->n_props : 1, sizeof(*m->entries));
	if (!m->entries)
		return err_nomem(e);
	for (size_t i = 0; r == 0 && i < s->n_props; i++)
		if (strcmp(s->props[i].key, "map") == 0)
			r = add_entry(m, &s->props[i], node, e);
	return r;
}

static int none_for_node(const struct mapping *m, const struct section *s, const char *node, struct err *e)
{
	err_set(e, ENOENT, "mapping '%s' (line %u of '%s') says nothing about node '%s': give it an entry "
		"for this node, or assign another device", m->name, s->line, MAPPING_FILE, node);
	if (m->n_skipped)
		err_hint(e, "(%u of its entries cannot be read, and Proxmox skips them too; %s)",
			 m->n_skipped, m->skipped);
	return -ENOENT;
}

int mapping_from_section(const struct section *s, const char *node, struct mapping *ret, struct err *e)
{
	const char *description = section_value(s, "description", NULL);
	struct mapping m = MAPPING_INIT;
	int r = 0;

	m.name = strdup(s->id);
	m.description = description ? strdup(description) : NULL;
	m.mdev = section_flag(s, "mdev");
	m.live_migration = section_flag(s, "live-migration-capable");
	if (!m.name || (description && !m.description))
		r = err_nomem(e);
	if (r == 0)
		r = add_entries(&m, s, node, e);
	if (r == 0 && node && m.n_entries == 0)
		r = none_for_node(&m, s, node, e);
	if (r < 0)
		mapping_release(&m);
	else
		*ret = m;
	return r;
}

int mapping_load(struct host *h, const char *name, const char *node, struct mapping *ret, struct err *e)
{
	_cleanup_(section_release) struct section_file f = SECTION_FILE_INIT;
	const struct section *s;
	int r = section_load(h, MAPPING_FILE, SECTION_ID, &f, e);

	if (r < 0)
		return err_wrap(e, "mapping '%s'", name);
	s = section_find(&f, name);
	if (!s)
		return err_set(e, ENOENT, "there is no mapping '%s' in '%s': create it, or correct "
			       "'mapping=' in the VM's config", name, MAPPING_FILE);
	return mapping_from_section(s, node, ret, e);
}

void mapping_release(struct mapping *m)
{
	for (size_t i = 0; i < m->n_entries; i++)
		entry_release(&m->entries[i]);
	free(m->entries);
	free(m->name);
	free(m->description);
	*m = (struct mapping)MAPPING_INIT;
}

int mapping_path(const char *path, struct bdf *ret, bool *ret_whole)
{
	/* Proxmox wants the domain here, and finds only lower-case names in sysfs. */
	return is_path(path, strlen(path)) ? bdf_parse_user(path, ret, ret_whole) : -EINVAL;
}

/* Appends what differs in one property; NULL = there is none. */
static void differ(struct str *s, const char *name, const char *here, const char *configured)
{
	const char *joint = s->len ? ", and " : "";

	if (here && configured && strcmp(here, configured) != 0)
		str_addf(s, "%s%s is %s here but %s in the mapping%s", joint, name, here, configured,
			 strcasecmp(here, configured) == 0 ? " (upper and lower case differ)" : "");
	else if (here && !configured)
		str_addf(s, "%s%s is %s here and missing in the mapping", joint, name, here);
	else if (!here && configured)
		str_addf(s, "%sthe device has no %s but the mapping says %s", joint, name, configured);
}

static void differ_all(struct str *s, const struct mapping *m, const struct mapping_entry *en, size_t path,
		       const struct mapping_facts *f)
{
	char id[16], subsystem[16], group[16];

	snprintf(id, sizeof(id), "%04x:%04x", f->vendor, f->device);
	snprintf(subsystem, sizeof(subsystem), "%04x:%04x", f->subsystem_vendor, f->subsystem_device);
	snprintf(group, sizeof(group), "%d", f->group);
	differ(s, "id", id, en->id);
	differ(s, "subsystem-id", f->has_subsystem ? subsystem : NULL, en->subsystem);
	if (path == 0)
		differ(s, "iommugroup", f->group >= 0 ? group : NULL, en->group);
	differ(s, "mdev", f->mdev ? "1" : "0", m->mdev ? "1" : "0");
}

int mapping_check(const struct mapping *m, const struct mapping_entry *entry, size_t path,
		  const struct mapping_facts *facts, struct err *e)
{
	_cleanup_(str_release) struct str s = STR_INIT;

	if (!facts->present)
		return err_set(e, ENODEV, "mapping '%s' (line %u of '%s') names %s, and this machine has no "
			       "such device: correct the mapping", m->name, entry->line, MAPPING_FILE,
			       entry->paths[path]);
	differ_all(&s, m, entry, path, facts);
	if (s.failed)
		return err_nomem(e);
	if (s.len == 0)
		return 0;
	return err_set(e, ESTALE, "mapping '%s' (line %u of '%s') does not fit %s, and Proxmox will refuse "
		       "to start the VM: %s; correct the mapping", m->name, entry->line, MAPPING_FILE,
		       entry->paths[path], s.s);
}
