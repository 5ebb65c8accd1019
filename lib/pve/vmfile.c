// SPDX-License-Identifier: GPL-2.0-or-later
/* A VM's config as a file: see vmfile.h. */
#include "vmfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "file.h"
#include "guestlock.h"
#include "pmxcfs.h"
#include "running.h"
#include "section.h"

#define MODELS "/etc/pve/virtual-guest/cpu-models.conf"

struct host_path vmfile_path(unsigned vmid)
{
	return host_path("/etc/pve/qemu-server/%u.conf", vmid);
}

bool vmfile_is_refusal(int r)
{
	return r == -EBUSY || r == -EPERM || r == -EXDEV || r == -ENOLINK || r == -EWOULDBLOCK;
}

/* --- CPU models -------------------------------------------------------------------------------- */

static bool knows_model(void *arg, const char *name)
{
	const struct vmfile_models *m = arg;
	struct host_path word = host_path(" %s ", name);

	return m->names && strstr(m->names, word.s);
}

void vmfile_models_load(struct host *h, struct vmfile_models *ret)
{
	_cleanup_(section_release) struct section_file f = SECTION_FILE_INIT;
	struct str names = STR_INIT;
	struct err ignored = ERR_INIT;

	*ret = (struct vmfile_models){ NULL, { knows_model, ret } };
	if (section_load(h, MODELS, SECTION_TYPE_ID, &f, &ignored) < 0)
		return;
	str_add(&names, " ");
	for (size_t i = 0; i < f.n; i++)
		if (strcmp(f.list[i].type, "cpu-model") == 0)
			str_addf(&names, "custom-%s ", f.list[i].id);
	ret->names = str_steal(&names);
}

void vmfile_models_release(struct vmfile_models *m)
{
	free(m->names);
	m->names = NULL;
}

/* --- all guests -------------------------------------------------------------------------------- */

struct each {
	struct host *h;
	struct vmfile_entry entry;
	unsigned *ids;			/* of one folder */
	size_t n, size;
	vmfile_each_fn fn;
	void *arg;
};

static int add_config(void *arg, const char *name)
{
	struct each *w = arg;
	const char *dot = strchr(name, '.');
	char digits[16];
	unsigned vmid;

	if (!dot || strcmp(dot, ".conf") != 0 || (size_t)(dot - name) >= sizeof(digits))
		return 0;
	memcpy(digits, name, (size_t)(dot - name));
	digits[dot - name] = '\0';
	if (str_to_vmid(digits, &vmid) < 0)
		return 0;
	if (array_room(&w->ids, w->n, &w->size, sizeof(*w->ids)) < 0)
		return -ENOMEM;
	w->ids[w->n++] = vmid;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

static int each_of_folder(struct each *w, const char *folder, bool container)
{
	int r;

	w->n = 0;
	r = host_list(w->h, folder, add_config, w);
	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	if (w->n)
		qsort(w->ids, w->n, sizeof(*w->ids), by_number);
	w->entry.container = container;
	for (size_t i = 0; r == 0 && i < w->n; i++) {
		w->entry.vmid = w->ids[i];
		w->entry.path = host_path("%s/%u.conf", folder, w->ids[i]);
		r = w->fn(w->arg, &w->entry);
	}
	return r;
}

static int each_of_node(struct each *w, const char *folder)
{
	int r = each_of_folder(w, host_path("%s/qemu-server", folder).s, false);

	return r ? r : each_of_folder(w, host_path("%s/lxc", folder).s, true);
}

static int each_node(void *arg, const char *name)
{
	struct each *w = arg;

	if (!nodename_is_valid(name) || str_copy(w->entry.node, sizeof(w->entry.node), name) < 0)
		return 0;
	return each_of_node(w, host_path("/etc/pve/nodes/%s", name).s);
}

int vmfile_each(struct host *h, const char *node, vmfile_each_fn fn, void *arg, struct err *e)
{
	struct each w = { .h = h, .fn = fn, .arg = arg };
	int r;

	if (node) {
		r = str_copy(w.entry.node, sizeof(w.entry.node), node) < 0 ? -ENAMETOOLONG : each_of_node(&w, "/etc/pve");
	} else {
		r = host_list(h, "/etc/pve/nodes", each_node, &w);
		if (r == -ENOENT && nodename_read(h, w.entry.node, sizeof(w.entry.node), e) == 0)
			r = each_of_node(&w, "/etc/pve");
	}
	free(w.ids);
	if (r < 0 && !e->code)
		return err_set(e, -r, "cannot list the guests below /etc/pve: %s%s", err_text(r),
			       r == -ENOTCONN ? " (is pve-cluster.service running?)" : "");
	return r;
}

/* --- finding ----------------------------------------------------------------------------------- */

struct search {
	unsigned vmid;
	struct vmfile_entry found;
};

static int is_it(void *arg, const struct vmfile_entry *entry)
{
	struct search *s = arg;

	if (entry->vmid != s->vmid)
		return 0;
	s->found = *entry;
	return 1;
}

/* *ret_here: this node has it after all. */
static int missing(struct host *h, unsigned vmid, bool *ret_here, struct err *e)
{
	struct search s = { .vmid = vmid };
	char here[NODENAME_SIZE] = "";
	struct err ignored = ERR_INIT;
	int r = pmxcfs_check_mounted(h, e);

	*ret_here = false;
	if (r < 0)
		return err_wrap(e, "there is no configuration of VM %u", vmid);
	(void)!nodename_read(h, here, sizeof(here), &ignored);
	ignored = (struct err)ERR_INIT;
	if (vmfile_each(h, NULL, is_it, &s, &ignored) <= 0)
		return err_set(e, ENOENT, "there is no VM %u in this cluster", vmid);
	if (s.found.container)
		return err_set(e, EINVAL, "%u is a container (on node '%s'): it takes no PCI devices", vmid, s.found.node);
	*ret_here = strcmp(s.found.node, here) == 0;
	if (*ret_here)
		return err_set(e, ENOENT, "there is no VM %u on this node: '%s' does not exist, although '%s' does", vmid,
			       vmfile_path(vmid).s, s.found.path.s);
	return err_set(e, EXDEV, "VM %u lives on node '%s', and only there its configuration may be changed: run this "
		       "command on that node", vmid, s.found.node);
}

int vmfile_missing(struct host *h, unsigned vmid, struct err *e)
{
	bool here;

	return missing(h, vmid, &here, e);
}

/* A config that cannot be opened but is listed is being replaced at the moment. */
static int load(struct host *h, unsigned vmid, char **ret, size_t *ret_len, struct err *e)
{
	struct host_path path = vmfile_path(vmid);
	struct err again = ERR_INIT;
	bool here;
	int q, r = pmxcfs_read(h, path.s, ret, ret_len, e);

	if (r != -ENOENT && r != -ENOTDIR)
		return r;
	r = missing(h, vmid, &here, e);
	if (!here)
		return r;
	q = pmxcfs_read_listed(h, path.s, ret, ret_len, &again);
	if (q == -ENOENT)
		return r;
	*e = again;
	return q;
}

int vmfile_load(struct host *h, unsigned vmid, const struct schema_env *env, struct vmconf **ret, struct err *e)
{
	char *text;
	size_t len;
	int r = load(h, vmid, &text, &len, e);

	if (r < 0)
		return r;
	r = vmconf_parse_env(text, len, env, ret, e);
	free(text);
	return r < 0 ? err_wrap(e, "configuration of VM %u", vmid) : 0;
}

int vmfile_check_free(const struct vmconf *c, unsigned vmid, struct err *e)
{
	const char *lock = vmconf_current(c, "lock"), *template = vmconf_current(c, "template");
	_cleanup_(str_release) struct str safe = STR_INIT;

	(void)str_add_safe(&safe, lock ? lock : "");
	if (lock && *lock)
		return err_set(e, EBUSY, "VM %u is locked (%s): Proxmox is in the middle of a long operation on it; "
			       "nothing was changed. Wait for its end, or, if it died, 'qm unlock %u'", vmid, safe.s, vmid);
	if (template && strcmp(template, "1") == 0)
		return err_set(e, EPERM, "VM %u is a template: it never runs, and its clones would all want the same "
			       "device; nothing was changed. Give the device to a clone", vmid);
	return 0;
}

/* --- changing ---------------------------------------------------------------------------------- */

void vmfile_change_release(struct vmfile_change *c)
{
	vmconf_freep(&c->before);
	vmconf_freep(&c->after);
}

/* From the bytes to *ret; whether they are written is another question. */
static int edit_text(unsigned vmid, const char *text, size_t len, const struct schema_env *env, bool running,
		     const struct vmfile_edit *what, struct vmfile_change *ret, struct err *e)
{
	struct vmedit ed;
	int r = vmconf_parse_env(text, len, env, &ret->before, e);

	if (r == 0)
		r = vmfile_check_free(ret->before, vmid, e);
	if (r == 0)
		r = vmedit_init(&ed, text, len, env, running, e);
	if (r < 0)
		return r;
	r = what->edit(what->arg, &ed, e);
	if (r == 0) {
		ret->after = ed.now;
		ret->newline_added = ed.newline_added;
		ret->running = running;
		ed.now = NULL;
	}
	vmedit_release(&ed);
	return r;
}

static bool is_same_text(const struct vmfile_change *c)
{
	return c->before->len == c->after->len && memcmp(c->before->bytes, c->after->bytes, c->before->len) == 0;
}

static int replace(struct host *h, unsigned vmid, const struct vmfile_edit *what, struct vmfile_change *c,
		   struct err *e)
{
	int r = what->record ? what->record(what->arg, c, e) : 0;

	if (r < 0)
		return r;
	r = pmxcfs_replace(h, vmfile_path(vmid).s, c->before->bytes, c->before->len, c->after->bytes, c->after->len, e);
	c->written = r == 0;
	if (r < 0 && what->unwritten)
		what->unwritten(what->arg);
	return r;
}

static int write_change(struct host *h, unsigned vmid, const struct vmfile_edit *what, struct vmfile_change *c,
			struct err *e)
{
	int r = 0;

	if (what->dry_run)
		return 0;
	if (!is_same_text(c))
		r = replace(h, vmid, what, c, e);
	if (r == 0 && what->written)
		what->written(what->arg);
	return r;
}

/* Proxmox's own notion of running decides, as it does for qm set. */
static int change_locked(struct host *h, unsigned vmid, const struct schema_env *env, const struct vmfile_edit *what,
			 struct vmfile_change *c, struct err *e)
{
	struct running run;
	char *text;
	size_t len;
	int running = running_pidfile(h, vmid, &run, e), r;

	if (running < 0)
		return running;
	r = load(h, vmid, &text, &len, e);
	if (r < 0)
		return r;
	r = edit_text(vmid, text, len, env, running > 0, what, c, e);
	free(text);
	return r < 0 ? r : write_change(h, vmid, what, c, e);
}

static int look_first(struct host *h, unsigned vmid, struct err *e)
{
	char *text;
	size_t len;
	/* A VM of another node gets no lock file here. */
	int r = load(h, vmid, &text, &len, e);

	if (r < 0)
		return r;
	free(text);
	return pmxcfs_check_mounted(h, e);
}

int vmfile_change(struct host *h, unsigned vmid, const struct schema_env *env, const struct vmfile_edit *what,
		  struct vmfile_change *ret, struct err *e)
{
	struct vmfile_change c = VMFILE_CHANGE_INIT;
	_cleanup_(file_closep) int lock = -1;
	int r = look_first(h, vmid, e);

	if (r == 0 && !what->dry_run)
		r = pmxcfs_check_writable(h, e);
	if (r == 0 && !what->dry_run) {
		lock = guestlock_take(h, vmid, VMFILE_LOCK_MS, e);
		r = lock < 0 ? lock : 0;
	}
	if (r == 0)
		r = change_locked(h, vmid, env, what, &c, e);
	if (r == 0)
		*ret = c;
	else
		vmfile_change_release(&c);
	return r;
}
