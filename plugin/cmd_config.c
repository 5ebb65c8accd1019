// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu config VMID: the passthrough part of a VM's configuration, as Proxmox understands it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "config_look.h"
#include "pmxcfs.h"

struct found { unsigned vmid; struct vmfile_entry entry; };

static int is_it(void *arg, const struct vmfile_entry *entry)
{
	struct found *f = arg;

	if (entry->vmid != f->vmid || entry->container)
		return 0;
	f->entry = *entry;
	return 1;
}

/* Looking is allowed from every node; what the devices are, only the VM's own can tell. */
static int load_elsewhere(struct cli *c, unsigned vmid, const struct schema_env *env, struct vmconf **ret,
			  struct err *e)
{
	struct found f = { .vmid = vmid };
	struct err why = ERR_INIT;
	char *text;
	size_t len;
	int r = vmfile_each(c->h, NULL, is_it, &f, &why);

	if (r <= 0)
		return -ENOENT;
	r = pmxcfs_read(c->h, f.entry.path.s, &text, &len, e);
	if (r < 0)
		return r;
	r = vmconf_parse_env(text, len, env, ret, e);
	free(text);
	if (r == 0)
		out_note(&c->out, "VM %u lives on node '%s': its devices can only be looked up there", vmid, f.entry.node);
	return r;
}

static int load(struct cli *c, struct config_look *l, struct vmconf **ret, struct err *e)
{
	struct err why = ERR_INIT;
	int r = vmfile_load(c->h, l->vmid, l->env, ret, e);

	l->here = r == 0;
	return r == -EXDEV && load_elsewhere(c, l->vmid, l->env, ret, &why) == 0 ? 0 : r;
}

static int choose_section(struct cli *c, struct config_look *l, char *title, size_t size)
{
	if (c->snapshot) {
		l->section = vmconf_section(l->conf, VMCONF_SNAPSHOT, c->snapshot);
		if (!l->section)
			return -ENOENT;
		snprintf(title, size, "snapshot '%s'", c->snapshot);
	} else if (c->pending) {
		l->section = vmconf_section(l->conf, VMCONF_PENDING, NULL);
		snprintf(title, size, "pending changes");
	} else {
		l->section = l->conf->sections;
		snprintf(title, size, "current configuration");
	}
	return 0;
}

static int show(struct cli *c, struct config_look *l)
{
	char title[128];
	struct config_result r = { .vmid = l->vmid, .all = c->all, .title = title };
	struct err e = ERR_INIT;

	if (choose_section(c, l, title, sizeof(title)) < 0) {
		err_set(&e, ENOENT, "VM %u has no snapshot '%s'", l->vmid, c->snapshot);
		return cli_failed(c, &e);
	}
	if (config_look(l, &e) < 0)
		return cli_failed(c, &e);
	r.conf = l->conf;
	r.section = l->section;
	r.entries = l->list;
	r.n = l->n;
	r.problems = l->n_problems;
	out_config(&c->out, &r);
	return l->n_problems ? CLI_PROBLEMS : CLI_DONE;
}

int cmd_config(struct cli *c)
{
	struct config_look l = { .h = c->h };
	struct vmfile_models models;
	struct vmconf *conf = NULL;
	struct err e = ERR_INIT;
	int status = cli_vmid(c, 0, &l.vmid);

	if (status)
		return status;
	if ((c->snapshot != NULL) + c->pending + c->all > 1)
		return cli_usage(c, "one of --snapshot, --pending and --all at a time");
	vmfile_models_load(c->h, &models);
	l.env = &models.env;
	if (load(c, &l, &conf, &e) < 0) {
		status = cli_failed(c, &e);
	} else {
		l.conf = conf;
		status = show(c, &l);
	}
	config_look_release(&l);
	vmconf_free(conf);
	vmfile_models_release(&models);
	return status;
}
