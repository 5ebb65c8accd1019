// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings and hardware: see mapping_work.h. */
#include "mapping_work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "propset.h"

#define MAPS_MAX 256

int mapping_work_open(struct mapping_work *w, struct err *e)
{
	int r = nodename_read(w->c->h, w->node, sizeof(w->node), e);

	return r == 0 ? snapshot_load(w->c->h, &w->snapshot, e) : r;
}

void mapping_work_close(struct mapping_work *w)
{
	for (size_t i = 0; i < w->n_maps; i++)
		mapping_release(&w->maps[i]);
	free(w->maps);
	free(w->rows);
	section_release(&w->file);
	mapedit_release(&w->ed);
	snapshot_freep(&w->snapshot);
}

/* --- hardware ---------------------------------------------------------------------------------- */

/* Proxmox asks for a subsystem wherever sysfs has one, be it 0000:0000. */
static struct mapping_facts facts_of(struct mapping_work *w, struct bdf bdf)
{
	const struct pdev *d = snapshot_get(w->snapshot, bdf);

	if (!d)
		return (struct mapping_facts){ .group = -1 };
	return (struct mapping_facts){
		.present = true, .vendor = d->vendor, .device = d->device,
		.has_subsystem = host_exists(w->c->h, pdev_path(bdf, "subsystem_vendor").s) &&
				 host_exists(w->c->h, pdev_path(bdf, "subsystem_device").s),
		.subsystem_vendor = d->subvendor, .subsystem_device = d->subdevice, .group = d->group,
		.mdev = d->mdev_types || d->nvidia_vgpu,
	};
}

struct texts { char id[16], subsystem[16], group[16]; };

static struct texts texts_of(const struct mapping_facts *f)
{
	struct texts t;

	snprintf(t.id, sizeof(t.id), "%04x:%04x", f->vendor, f->device);
	snprintf(t.subsystem, sizeof(t.subsystem), "%04x:%04x", f->subsystem_vendor, f->subsystem_device);
	snprintf(t.group, sizeof(t.group), "%d", f->group);
	return t;
}

/* --- list -------------------------------------------------------------------------------------- */

static void check_entry(struct mapping_work *w, const struct mapping *m, const struct mapping_entry *en,
			struct mapping_row *row)
{
	for (size_t i = 0; i < en->n_paths && !row->problem[0]; i++) {
		struct mapping_facts facts = { .group = -1 };
		struct err why = ERR_INIT;
		struct bdf bdf;
		bool whole;

		if (mapping_path(en->paths[i], &bdf, &whole) == 0)
			facts = facts_of(w, bdf);
		if (mapping_check(m, en, i, &facts, &why) < 0)
			snprintf(row->problem, sizeof(row->problem), "%.790s", why.msg);
	}
}

static int add_row(struct mapping_work *w, const struct mapping *m, const struct mapping_entry *en)
{
	struct mapping_row *row;
	size_t n = 0;

	if (array_room(&w->rows, w->n_rows, &w->rows_size, sizeof(*w->rows)) < 0)
		return -ENOMEM;
	row = &w->rows[w->n_rows++];
	*row = (struct mapping_row){ .name = m->name };
	if (!en) {
		snprintf(row->problem, sizeof(row->problem), "no node has a device under this name");
		return 0;
	}
	row->node = en->node;
	row->id = en->id;
	row->subsystem = en->subsystem;
	row->group = en->group;
	row->here = strcmp(en->node, w->node) == 0;
	for (size_t i = 0; i < en->n_paths && n < sizeof(row->paths); i++)
		n += (size_t)snprintf(row->paths + n, sizeof(row->paths) - n, "%s%s", i ? ";" : "", en->paths[i]);
	if (row->here)
		check_entry(w, m, en, row);
	return 0;
}

static int add_mapping(struct mapping_work *w, const struct section *s, struct err *e)
{
	struct mapping *m = &w->maps[w->n_maps];
	int r;

	if (section_find(&w->file, s->id) != s)
		return 0;
	r = mapping_from_section(s, NULL, m, e);
	if (r < 0)
		return r;
	w->n_maps++;
	if (m->n_skipped)
		out_note(&w->c->out, "mapping '%s': %u line%s cannot be read, and Proxmox skips them: %s", m->name, m->n_skipped,
			 m->n_skipped == 1 ? "" : "s", m->skipped);
	if (m->n_entries == 0 && add_row(w, m, NULL) < 0)
		return err_nomem(e);
	for (size_t i = 0; i < m->n_entries; i++)
		if (add_row(w, m, &m->entries[i]) < 0)
			return err_nomem(e);
	return 0;
}

int mapping_rows(struct mapping_work *w, struct err *e)
{
	struct err why = ERR_INIT;
	int r = section_load(w->c->h, MAPPING_FILE, SECTION_ID, &w->file, &why);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		*e = why;
		return r;
	}
	w->maps = calloc(w->file.n + 1, sizeof(*w->maps));
	if (!w->maps)
		return err_nomem(e);
	for (size_t i = 0; r == 0 && i < w->file.n; i++)
		r = add_mapping(w, &w->file.list[i], e);
	return r;
}

/* --- add --------------------------------------------------------------------------------------- */

static int refuse(struct mapping_work *w)
{
	w->refused = true;
	return -EPERM;
}

/* The path as Proxmox wants it: a whole slot, or one function where the slot's others are not meant. */
static int device_path(struct mapping_work *w, const char *arg, struct bdf *ret, struct str *path, struct err *e)
{
	bool whole;
	const struct pdev *d;

	if (bdf_parse_user(arg, ret, &whole) < 0)
		return err_set(e, EINVAL, "'%s' is no PCI address: 0000:01:00 or 01:00.0", arg);
	d = snapshot_get(w->snapshot, *ret);
	if (!d) {
		err_set(e, EPERM, "there is no device %s on this node; nothing was changed. 'pve-gpu list --all' shows what "
			"there is", BDF_S(*ret));
		return refuse(w);
	}
	if (d->bridge) {
		err_set(e, EPERM, "%s is a bridge: bridges stay with the host; nothing was changed", BDF_S(*ret));
		return refuse(w);
	}
	(void)str_addf(path, "%.*s", (int)strlen(BDF_S(*ret)) - (whole ? 2 : 0), BDF_S(*ret));
	return 0;
}

static int is_there(struct mapping_work *w, const char *name, const char *path, struct err *e)
{
	const struct section *s = section_find(&w->ed.now, name);
	const struct section_prop *maps[MAPS_MAX];
	size_t n = 0;

	if (s)
		mapedit_maps(s, maps, MAPS_MAX, &n);
	for (size_t i = 0; i < n; i++) {
		struct propstr p;
		struct err ignored = ERR_INIT;

		if (propstr_parse(&mapping_map_fmt, maps[i]->value, strlen(maps[i]->value), NULL, &p, &ignored) == 0 &&
		    slice_is(*propstr_get(&p, "node"), w->node) && slice_is(*propstr_get(&p, "path"), path)) {
			err_set(e, EPERM, "mapping '%s' has %s of node '%s' already; nothing was changed. 'pve-gpu mapping "
				"refresh %s' brings it up to date", name, path, w->node, name);
			return refuse(w);
		}
	}
	return 0;
}

static int add_device(struct mapping_work *w, const char *name, const char *arg, struct err *e)
{
	_cleanup_(str_release) struct str path = STR_INIT, map = STR_INIT;
	struct mapping_facts f;
	struct texts t;
	struct bdf bdf;
	int r = device_path(w, arg, &bdf, &path, e);

	if (r == 0)
		r = is_there(w, name, path.s, e);
	if (r < 0)
		return r;
	f = facts_of(w, bdf);
	t = texts_of(&f);
	(void)str_addf(&map, "id=%s", t.id);
	if (f.group >= 0)
		(void)str_addf(&map, ",iommugroup=%s", t.group);
	(void)str_addf(&map, ",node=%s,path=%s", w->node, path.s);
	if (f.has_subsystem)
		(void)str_addf(&map, ",subsystem-id=%s", t.subsystem);
	return map.failed ? err_nomem(e) : mapedit_add(&w->ed, name, map.s, e);
}

int mapping_add(struct mapping_work *w, struct err *e)
{
	const char *name = w->c->args[1];
	int r = 0;

	for (size_t i = 2; r == 0 && i < w->c->n_args; i++)
		r = add_device(w, name, w->c->args[i], e);
	return r;
}

/* --- remove ------------------------------------------------------------------------------------ */

static bool is_of_node(const struct section_prop *map, const char *node)
{
	struct propstr p;
	struct err ignored = ERR_INIT;

	return propstr_parse(&mapping_map_fmt, map->value, strlen(map->value), NULL, &p, &ignored) == 0 &&
	       slice_is(*propstr_get(&p, "node"), node);
}

int mapping_remove(struct mapping_work *w, struct err *e)
{
	const char *name = w->c->args[1], *node = w->c->node;
	const struct section *s = section_find(&w->ed.now, name);
	const struct section_prop *maps[MAPS_MAX];
	size_t n = 0, left = 0, removed = 0;
	int r = 0;

	if (!node || !s)
		return mapedit_remove(&w->ed, name, e);
	mapedit_maps(s, maps, MAPS_MAX, &n);
	for (size_t i = 0; i < n; i++)
		left += !is_of_node(maps[i], node);
	if (left == n)
		return err_set(e, ENOENT, "mapping '%s' says nothing about node '%s'", name, node);
	if (left == 0)	/* Proxmox wants at least one line */
		return mapedit_remove(&w->ed, name, e);
	for (size_t i = 0; r == 0 && i < n; i++) {
		s = section_find(&w->ed.now, name);
		mapedit_maps(s, maps, MAPS_MAX, &left);
		if (!is_of_node(maps[i - removed], node))
			continue;
		r = mapedit_replace(&w->ed, name, i - removed, NULL, e);
		removed++;
	}
	return r;
}

/* --- refresh ----------------------------------------------------------------------------------- */

/* The one function with these ids that is not at its old place; false: none, or more than one. */
static bool find_moved(struct mapping_work *w, const char *id, const char *subsystem, struct bdf *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < snapshot_count(w->snapshot); i++) {
		struct bdf bdf = snapshot_address(w->snapshot, i);
		struct mapping_facts f = facts_of(w, bdf);
		struct texts t = texts_of(&f);

		if (strcasecmp(t.id, id) != 0 || (subsystem && strcasecmp(t.subsystem, subsystem) != 0))
			continue;
		*ret = bdf;
		n++;
	}
	return n == 1;
}

static int set(struct str *value, const char *name, const char *to)
{
	_cleanup_(str_release) struct str next = STR_INIT;
	int r = propset(&mapping_map_fmt, value->s, name, to, &next);

	if (r < 0)
		return r;
	str_clear(value);
	return str_add(value, next.s);
}

/* Where the entry's first device is now. */
static int locate(struct mapping_work *w, const char *name, const struct mapping_entry *en, struct bdf *ret,
		  bool *ret_moved)
{
	struct mapping_facts f;
	struct texts t;
	bool whole;

	*ret_moved = false;
	if (mapping_path(en->paths[0], ret, &whole) < 0)
		return -ENOENT;
	f = facts_of(w, *ret);
	t = texts_of(&f);
	if (f.present && strcasecmp(t.id, en->id) == 0)
		return 0;
	if (en->n_paths == 1 && find_moved(w, en->id, en->subsystem, ret)) {
		*ret_moved = true;
		return 0;
	}
	(void)!mapping_path(en->paths[0], ret, &whole);
	if (!f.present) {
		out_note(&w->c->out, "mapping '%s': %s is not there, and nothing else on this node is a %s: its entry stays as it "
			 "is", name, en->paths[0], en->id);
		return -ENOENT;
	}
	out_note(&w->c->out, "mapping '%s': another device is at %s now (%s instead of %s): see whether that is what you want",
		 name, en->paths[0], t.id, en->id);
	return 0;
}

static int refreshed(struct mapping_work *w, const char *name, const struct mapping_entry *en, const char *old,
		     struct str *value)
{
	struct mapping_facts f;
	struct texts t;
	struct bdf bdf;
	bool moved;
	int r = str_add(value, old);

	if (r < 0)
		return r;
	if (locate(w, name, en, &bdf, &moved) < 0) {
		w->problem = true;
		return 0;
	}
	f = facts_of(w, bdf);
	t = texts_of(&f);
	r = set(value, "id", t.id);
	if (r == 0)
		r = set(value, "iommugroup", f.group >= 0 ? t.group : NULL);
	if (r == 0 && moved) {
		bool whole = strchr(en->paths[0], '.') == NULL;

		r = set(value, "path", host_path("%.*s", (int)strlen(BDF_S(bdf)) - (whole ? 2 : 0), BDF_S(bdf)).s);
	}
	return r == 0 ? set(value, "subsystem-id", f.has_subsystem ? t.subsystem : NULL) : r;
}

static int refresh_one(struct mapping_work *w, const char *name, struct err *e)
{
	const struct section *s = section_find(&w->ed.now, name);
	const struct section_prop *maps[MAPS_MAX];
	struct mapping m = MAPPING_INIT;
	size_t n = 0;
	int r = mapping_from_section(s, NULL, &m, e);

	if (r < 0)
		return r;
	mapedit_maps(s, maps, MAPS_MAX, &n);
	for (size_t i = 0; r == 0 && i < m.n_entries; i++)
		for (size_t k = 0; r == 0 && k < n; k++) {
			_cleanup_(str_release) struct str value = STR_INIT;

			s = section_find(&w->ed.now, name);
			mapedit_maps(s, maps, MAPS_MAX, &n);
			if (maps[k]->line != m.entries[i].line || strcmp(m.entries[i].node, w->node) != 0)
				continue;
			r = refreshed(w, name, &m.entries[i], maps[k]->value, &value);
			if (r < 0)
				r = err_nomem(e);
			else if (strcmp(value.s, maps[k]->value) != 0)
				r = mapedit_replace(&w->ed, name, k, value.s, e);
		}
	mapping_release(&m);
	return r;
}

int mapping_refresh(struct mapping_work *w, struct err *e)
{
	const char *name = w->c->n_args > 1 ? w->c->args[1] : NULL;
	int r = 0;

	if (name && !section_find(&w->ed.now, name))
		return err_set(e, ENOENT, "there is no mapping '%s' in '%s'", name, MAPPING_FILE);
	if (name)
		return refresh_one(w, name, e);
	for (size_t i = 0; r == 0 && i < w->ed.now.n; i++) {
		struct host_path id = host_path("%s", w->ed.now.list[i].id);

		r = refresh_one(w, id.s, e);
	}
	return r;
}
