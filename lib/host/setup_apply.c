// SPDX-License-Identifier: GPL-2.0-or-later
/* Carrying a plan out, and taking it back: see setup.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "file.h"
#include "setup_int.h"

#define LOCK_MS 10000
#define COMMAND_MS 600000

void setup_report_release(struct setup_report *r)
{
	free(r->original);
	free(r->ours);
	free(r->now);
	memset(r, 0, sizeof(*r));
}

static int enter(struct host *h, struct err *e)
{
	int r = file_mkdirs(h, SETUP_FOLDER, 0700);

	if (r < 0)
		return err_set(e, -r, "cannot create the folder '" SETUP_FOLDER "': %s", err_text(r));
	r = file_private_dir(h, SETUP_FOLDER, e);
	return r < 0 ? r : file_lock(h, SETUP_FOLDER "/lock", LOCK_MS, e);
}

/* --- commands ---------------------------------------------------------------------------------- */

static const char *const initramfs[] = { "/usr/sbin/update-initramfs", "-u", "-k", "all", NULL };
static const char *const grub[] = { "/usr/sbin/update-grub", NULL };
static const char *const tool[] = { "/usr/sbin/proxmox-boot-tool", "refresh", NULL };

static bool went_well(const struct setup_run *r)
{
	return r->skipped || (r->error == 0 && !r->run.timed_out && r->run.signal == 0 && r->run.status == 0);
}

static bool run_one(struct host *h, const char *words, const char *const argv[], struct setup_report *r)
{
	struct setup_run *v;

	if (r->n == SETUP_RUNS)
		return false;
	v = &r->runs[r->n++];
	v->words = words;
	v->error = host_run(h, argv, COMMAND_MS, &v->run);
	v->skipped = !h->real && v->error == -EPERM;
	return went_well(v);
}

static bool run_all(struct host *h, const struct setup_plan *p, struct setup_report *r)
{
	bool well = true;

	if (p->initramfs)
		well = run_one(h, "update-initramfs -u -k all", initramfs, r);
	if (well && p->refresh)
		well = p->chain == BOOT_SYSTEMD ? run_one(h, "proxmox-boot-tool refresh", tool, r) :
		       run_one(h, "update-grub", grub, r);
	return well;
}

static int command_failed(const struct setup_report *r, struct err *e)
{
	const struct setup_run *v = &r->runs[r->n - 1];

	if (v->error)
		return err_set(e, -v->error, "cannot run '%s': %s", v->words, err_text(v->error));
	if (v->run.timed_out)
		return err_set(e, ETIMEDOUT, "'%s' did not end within %d minutes", v->words, COMMAND_MS / 60000);
	if (v->run.signal)
		return err_set(e, EIO, "'%s' was ended by signal %d", v->words, v->run.signal);
	return err_set(e, EIO, "'%s' failed with status %d", v->words, v->run.status);
}

/* --- files ------------------------------------------------------------------------------------- */

/* Whose content has the file now?  1: ours, 0: the original, -EBUSY and the report: somebody else's. */
static int whose(struct host *h, const struct setup_file *f, struct setup_report *r, struct err *e)
{
	mode_t mode;
	char *now;
	size_t len;
	int status = setup_read(h, f->path, &now, &len, &mode, e);

	if (status < 0)
		return status;
	if (setup_same(now, len, f->after, f->after_len) || setup_same(now, len, f->before, f->before_len)) {
		status = setup_same(now, len, f->after, f->after_len);
		free(now);
		return status;
	}
	str_copy(r->conflict, sizeof(r->conflict), f->path);
	r->original = f->before ? strndup(f->before, f->before_len) : NULL;
	r->original_len = f->before_len;
	r->ours = f->after ? strndup(f->after, f->after_len) : NULL;
	r->ours_len = f->after_len;
	r->now = now;
	r->now_len = len;
	return err_set(e, EBUSY, "'%s' was changed by somebody else since pve-gpu setup wrote it, so it is left alone, and so is "
		       "everything else: put back what setup wrote, or the original, and try again", f->path);
}

static int check_unchanged(struct host *h, const struct setup_plan *p, struct setup_report *r, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		int status = whose(h, &p->files[i], r, e);

		if (status < 0)
			return status;
	}
	return 0;
}

/* The plan was made without the lock. */
static int check_planned(struct host *h, const struct setup_plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct setup_file *f = &p->files[i];
		mode_t mode;
		char *now;
		size_t len;
		int r = setup_read(h, f->path, &now, &len, &mode, e);
		bool same;

		if (r < 0)
			return r;
		same = setup_same(now, len, f->before, f->before_len);
		free(now);
		if (!same)
			return err_set(e, EBUSY, "'%s' was changed while the plan was made; nothing has been changed by pve-gpu setup: try "
				       "again", f->path);
	}
	return 0;
}

/* --- applying ---------------------------------------------------------------------------------- */

static int copy_bytes(char **to, size_t *to_len, const char *from, size_t len)
{
	char *copy = from ? malloc(len + 1) : NULL;

	if (from && !copy)
		return -ENOMEM;
	if (from) {
		memcpy(copy, from, len);
		copy[len] = '\0';
	}
	free(*to);
	*to = copy;
	*to_len = from ? len : 0;
	return 0;
}

/* The original of a file that was changed before stays what it was. */
static int merge_file(struct setup_plan *into, const struct setup_file *f)
{
	struct setup_file *v = NULL;

	for (size_t i = 0; i < into->n; i++)
		if (strcmp(into->files[i].path, f->path) == 0)
			v = &into->files[i];
	if (!v) {
		if (array_room(&into->files, into->n, &into->size, sizeof(*v)) < 0)
			return -ENOMEM;
		v = &into->files[into->n++];
		*v = (struct setup_file){ .mode = f->mode };
		str_copy(v->path, sizeof(v->path), f->path);
		if (copy_bytes(&v->before, &v->before_len, f->before, f->before_len) < 0)
			return -ENOMEM;
	}
	return copy_bytes(&v->after, &v->after_len, f->after, f->after_len);
}

static bool is_promised(const struct setup_plan *p, const struct setup_promise *v)
{
	for (size_t i = 0; i < p->n_promises; i++)
		if (p->promises[i].kind == v->kind && strcmp(p->promises[i].text, v->text) == 0)
			return true;
	return false;
}

static void read_boot_id(struct host *h, struct setup_record *rec)
{
	if (host_read_line(h, "/proc/sys/kernel/random/boot_id", rec->boot_id, sizeof(rec->boot_id)) < 0)
		rec->boot_id[0] = '\0';
}

static int merge(struct host *h, struct setup_record *into, const struct setup_plan *p, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n; i++)
		r = merge_file(&into->plan, &p->files[i]);
	for (size_t i = 0; r == 0 && i < p->n_promises; i++)
		if (!is_promised(&into->plan, &p->promises[i]))
			r = setup_promise_add(&into->plan, (int)p->promises[i].kind, p->promises[i].text);
	into->plan.refresh |= p->refresh;
	into->plan.initramfs |= p->initramfs;
	into->plan.chain = p->chain;
	into->pending |= p->refresh || p->initramfs;
	read_boot_id(h, into);
	return r < 0 ? err_nomem(e) : 0;
}

static int replace_all(struct host *h, const struct setup_plan *p, size_t *ret_n, struct err *e)
{
	for (*ret_n = 0; *ret_n < p->n; (*ret_n)++) {
		int r = setup_place(h, &p->files[*ret_n], e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Everything as it was.  What cannot be put back is said and stays recorded. */
static int roll_back(struct host *h, const struct setup_plan *p, const struct setup_plan *due, size_t n, struct setup_report *r,
		     struct err *e)
{
	struct err back = ERR_INIT;
	bool ran = r->n > 0;

	for (size_t i = 0; i < n; i++)
		if (setup_put_back(h, &p->files[i], &back) < 0)
			return err_hint(e, "And it could not be taken back: %s; 'pve-gpu setup --undo' tries again", back.msg);
	r->rolled_back = true;
	if (ran && !run_all(h, due, r)) {
		(void)command_failed(r, &back);
		return err_hint(e, "The files are as they were, but the boot files may not be: %s", back.msg);
	}
	return -e->code;
}

/* `due`: whose commands are to be run. */
static int carry_out(struct host *h, const struct setup_plan *p, const struct setup_record *merged, const struct setup_plan *due,
		     struct setup_report *r, struct err *e)
{
	int status = setup_record_stage(h, merged, e);
	bool committed = false;
	size_t n = 0;

	if (status == 0)
		status = setup_stage(h, p, e);
	if (status == 0)
		status = setup_record_commit(h, e);
	committed = status == 0;
	if (status == 0)
		status = replace_all(h, p, &n, e);
	if (status == 0 && !run_all(h, due, r))
		status = command_failed(r, e);
	if (status == 0) {
		r->n_files = n;
		return 0;
	}
	setup_sweep(h);
	if (n == 0)
		r->rolled_back = true;	/* nothing has been changed */
	else
		status = roll_back(h, p, due, n, r, e);
	if (r->rolled_back)
		setup_record_withdraw(h, merged, committed);
	return status;
}

/* *ret_again: there was an earlier setup, which is *ret. */
static int load_earlier(struct host *h, struct setup_record *ret, bool *ret_again, struct err *e)
{
	struct err none = ERR_INIT;
	int status = setup_record_load(h, ret, &none);

	*ret_again = status == 0;
	return status == 0 || status == -ENOENT ? 0 : err_set(e, none.code, "%s", none.msg);
}

static int apply_plan(struct host *h, const struct setup_plan *p, const struct setup_record *old, bool again, struct setup_report *r,
		      struct err *e)
{
	struct setup_record merged = SETUP_RECORD_INIT;
	struct err none = ERR_INIT;
	int status = again ? check_unchanged(h, &old->plan, r, e) : 0;

	if (status == 0)
		status = check_planned(h, p, e);
	if (status == 0 && again)
		status = setup_record_load(h, &merged, e);
	if (status == 0)
		status = merge(h, &merged, p, e);
	merged.generation = again ? old->generation + 1 : 0;
	if (status == 0)
		status = carry_out(h, p, &merged, old->pending ? &merged.plan : p, r, e);
	if (status == 0)	/* if that fails the commands are run once more, which does no harm */
		(void)!setup_record_settle(h, &merged, &none);
	if (status == 0 && again)
		setup_record_drop(h, old);
	setup_record_release(&merged);
	return status;
}

/* No file differs, but an earlier run was cut short before its commands were done. */
static int run_due(struct host *h, struct setup_record *old, struct setup_report *r, struct err *e)
{
	if (!run_all(h, &old->plan, r)) {
		(void)command_failed(r, e);
		return err_hint(e, "The files are as setup wants them; 'pve-gpu setup --apply' runs it again");
	}
	read_boot_id(h, old);
	return setup_record_settle(h, old, e);
}

int setup_apply(struct host *h, const struct setup_plan *p, struct setup_report *r, struct err *e)
{
	struct setup_record old = SETUP_RECORD_INIT;
	_cleanup_(file_closep) int lock = -1;
	bool again;
	int status;

	if (!p->n && !host_exists(h, SETUP_FOLDER))
		return 0;
	lock = enter(h, e);
	if (lock < 0)
		return lock;
	setup_sweep(h);
	status = load_earlier(h, &old, &again, e);
	if (status == 0 && p->n)
		status = apply_plan(h, p, &old, again, r, e);
	else if (status == 0 && old.pending)
		status = run_due(h, &old, r, e);
	setup_record_release(&old);
	return status;
}

/* --- taking back ------------------------------------------------------------------------------- */

static int take_back(struct host *h, const struct setup_record *rec, struct setup_report *r, struct err *e)
{
	const struct setup_plan *p = &rec->plan;
	int status = check_unchanged(h, p, r, e);

	for (size_t i = 0; status == 0 && i < p->n; i++) {
		int ours = whose(h, &p->files[i], r, e);

		status = ours < 0 ? ours : ours ? setup_put_back(h, &p->files[i], e) : 0;
		r->n_files += status == 0 && ours > 0;
	}
	if (status == 0 && !run_all(h, p, r)) {
		status = command_failed(r, e);
		return err_hint(e, "The files are as they were before setup; 'pve-gpu setup --undo' runs it again");
	}
	return status == 0 ? setup_record_remove(h, rec, e) : status;
}

int setup_undo(struct host *h, struct setup_report *r, struct err *e)
{
	struct setup_record rec = SETUP_RECORD_INIT;
	_cleanup_(file_closep) int lock = -1;
	int status;

	if (!host_exists(h, SETUP_FOLDER))
		return setup_record_load(h, &rec, e);	/* which says so */
	lock = enter(h, e);
	if (lock < 0)
		return lock;
	setup_sweep(h);
	status = setup_record_load(h, &rec, e);
	if (status < 0)
		return status;
	status = take_back(h, &rec, r, e);
	setup_record_release(&rec);
	return status;
}
