// SPDX-License-Identifier: GPL-2.0-or-later
/* The hostpci lines of a config, one by one: see config_look.h. */
#include "config_look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "config_rules.h"
#include "mapping.h"
#include "nodename.h"

void config_look_release(struct config_look *l)
{
	for (size_t i = 0; i < l->n; i++) {
		str_release(&l->list[i].problems);
		free(l->list[i].devices);
		hostpci_release(&l->parsed[i]);
	}
	free(l->list);
	free(l->parsed);
	names_free(l->names);
	snapshot_freep(&l->snapshot);
}

/* --- lines ------------------------------------------------------------------------------------- */

static bool is_hostpci(const struct vmconf_line *line)
{
	return line->kind == VMCONF_KEY && strncmp(line->key, "hostpci", 7) == 0 &&
	       (line->verdict == VMCONF_KEPT || line->verdict == VMCONF_DROPPED);
}

static int add_line(struct config_look *l, const struct vmconf_line *line)
{
	struct config_entry *en;
	struct err why = ERR_INIT;

	if (array_room(&l->list, l->n, &l->size, sizeof(*l->list)) < 0 ||
	    array_room(&l->parsed, l->n, &l->parsed_size, sizeof(*l->parsed)) < 0)
		return -ENOMEM;
	en = &l->list[l->n];
	*en = (struct config_entry){
		.value = line->value, .value_len = line->value_len, .line = (unsigned)(line - l->conf->lines) + 1,
		.ok = line->verdict == VMCONF_KEPT, .problems = STR_INIT,
	};
	snprintf(en->key, sizeof(en->key), "%s", line->key);
	l->parsed[l->n++] = (struct hostpci)HOSTPCI_INIT;
	if (!en->ok)
		(void)vmconf_explain(l->conf, line, l->env, &why);
	else if (propstr_parse(&hostpci_fmt, en->value, en->value_len, NULL, &en->options, &why) < 0 ||
		 hostpci_parse(en->value, en->value_len, &l->parsed[l->n - 1], &why) < 0)
		return why.code == ENOMEM ? -ENOMEM : 0;
	snprintf(en->error, sizeof(en->error), "%.790s", why.msg);
	return 0;
}

/* --- devices ----------------------------------------------------------------------------------- */

static int add_device(struct config_entry *en, size_t *size, struct bdf bdf, const struct pdev *d)
{
	for (size_t i = 0; i < en->n_devices; i++)
		if (bdf_same(en->devices[i].bdf, bdf))
			return 0;
	if (array_room(&en->devices, en->n_devices, size, sizeof(*en->devices)) < 0)
		return -ENOMEM;
	en->devices[en->n_devices++] = (struct config_device){ .bdf = bdf, .d = d, .name = "" };
	return 0;
}

/* All functions whose name begins like this, as Proxmox finds them. */
static int add_matching(struct config_look *l, struct config_entry *en, size_t *size, const struct hostpci_id *id)
{
	size_t before = en->n_devices;

	for (size_t i = 0; i < snapshot_count(l->snapshot); i++) {
		struct bdf a = snapshot_address(l->snapshot, i);

		if (hostpci_id_matches(id->text, BDF_S(a)) &&
		    add_device(en, size, a, snapshot_get(l->snapshot, a)) < 0)
			return -ENOMEM;
	}
	if (en->n_devices > before)
		return 0;
	(void)str_addf(&en->problems, "there is no device %s on this host, so the VM does not start\n", id->text);
	if (id->can_match)
		return add_device(en, size, (struct bdf){ id->domain, id->bus, id->dev, id->fn }, NULL);
	return 0;
}

/* Proxmox asks for a subsystem wherever sysfs has one, be it 0000:0000. */
static struct mapping_facts facts_of(struct config_look *l, const struct pdev *d)
{
	if (!d)
		return (struct mapping_facts){ .group = -1 };
	return (struct mapping_facts){
		.present = true, .vendor = d->vendor, .device = d->device,
		.has_subsystem = host_exists(l->h, pdev_path(d->bdf, "subsystem_vendor").s) &&
				 host_exists(l->h, pdev_path(d->bdf, "subsystem_device").s),
		.subsystem_vendor = d->subvendor, .subsystem_device = d->subdevice, .group = d->group,
		.mdev = d->mdev_types || d->nvidia_vgpu,
	};
}

static int add_path(struct config_look *l, struct config_entry *en, size_t *size, const struct mapping *m,
		    const struct mapping_entry *entry, size_t path)
{
	struct hostpci_id id = { .text = entry->paths[path] };
	struct mapping_facts facts;
	struct err why = ERR_INIT;
	struct bdf bdf;
	bool whole;

	if (mapping_path(entry->paths[path], &bdf, &whole) < 0)
		return 0;
	facts = facts_of(l, snapshot_get(l->snapshot, bdf));
	if (mapping_check(m, entry, path, &facts, &why) < 0)
		(void)str_addf(&en->problems, "%s\n", why.msg);
	if (!facts.present)
		return add_device(en, size, bdf, NULL);
	return add_matching(l, en, size, &id);
}

static int add_mapping(struct config_look *l, struct config_entry *en, size_t *size, const char *name)
{
	struct mapping m = MAPPING_INIT;
	char node[NODENAME_SIZE];
	struct err why = ERR_INIT;
	int r = nodename_read(l->h, node, sizeof(node), &why);

	if (r == 0)
		r = mapping_load(l->h, name, node, &m, &why);
	if (r < 0) {
		(void)str_addf(&en->problems, "%s\n", why.msg);
		return r == -ENOMEM ? r : 0;
	}
	for (size_t i = 0; r == 0 && i < m.n_entries; i++)
		for (size_t k = 0; r == 0 && k < m.entries[i].n_paths; k++)
			r = add_path(l, en, size, &m, &m.entries[i], k);
	mapping_release(&m);
	return r;
}

static int add_devices(struct config_look *l, size_t i)
{
	struct config_entry *en = &l->list[i];
	const struct hostpci *p = &l->parsed[i];
	size_t size = 0;
	int r = 0;

	for (size_t k = 0; r == 0 && k < p->n_ids; k++)
		r = add_matching(l, en, &size, &p->ids[k]);
	if (r == 0 && p->mapping && !p->n_ids)
		r = add_mapping(l, en, &size, p->mapping);
	return r;
}

/* --- names ------------------------------------------------------------------------------------- */

static int look_up_names(struct config_look *l)
{
	struct names_id *ids = NULL;
	size_t n = 0, size = 0, at = 0;
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->list[i].n_devices; k++) {
			const struct pdev *d = l->list[i].devices[k].d;

			if (array_room(&ids, n, &size, sizeof(*ids)) < 0)
				return -ENOMEM;
			ids[n++] = d ? (struct names_id){ d->vendor, d->device } : (struct names_id){ 0, 0 };
		}
	if (n && names_start(l->h, ids, n, &l->names, &ignored) == 0)
		names_patience(l->names, 10000);
	free(ids);
	for (size_t i = 0; l->names && i < l->n; i++)
		for (size_t k = 0; k < l->list[i].n_devices; k++, at++)
			if (l->list[i].devices[k].d)
				l->list[i].devices[k].name = names_get(l->names, at);
	return 0;
}

static size_t count_problems(const struct config_look *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		n += !l->list[i].ok;
		for (const char *p = l->list[i].problems.s; *p; p++)
			n += *p == '\n';
	}
	return n;
}

static int look_at_machine(struct config_look *l, struct err *e)
{
	int r = l->n ? snapshot_load(l->h, &l->snapshot, e) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; l->snapshot && i < l->n; i++)
		if (l->list[i].ok && add_devices(l, i) < 0)
			return err_nomem(e);
	return look_up_names(l) < 0 ? err_nomem(e) : 0;
}

int config_look(struct config_look *l, struct err *e)
{
	int r = 0;

	for (size_t i = l->section ? l->section->first : 0; l->section && i < l->section->end; i++)
		if (is_hostpci(&l->conf->lines[i]) && add_line(l, &l->conf->lines[i]) < 0)
			return err_nomem(e);
	if (l->here)
		r = look_at_machine(l, e);
	if (r == 0)
		r = config_rules(l, e);
	l->n_problems = count_problems(l);
	return r;
}
