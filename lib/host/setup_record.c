// SPDX-License-Identifier: GPL-2.0-or-later
/* What setup did, so that it can be taken back: see setup.h.
 *
 * SETUP_FOLDER/record is text, written last and removed first:
 *   pve-gpu-setup 1
 *   generation NUMBER
 *   boot BOOT_ID
 *   chain NUMBER
 *   after refresh initramfs
 *   pending commands		until they have succeeded
 *   with|without|vfio WORD
 *   file NUMBER MODE original|absent PATH
 * and beside it lie original.GENERATION.NUMBER and ours.GENERATION.NUMBER. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "file.h"
#include "setup_int.h"

#define RECORD SETUP_FOLDER "/record"
#define STAGED SETUP_FOLDER "/record.new"
#define BEFORE SETUP_FOLDER "/record.old"
#define HEAD "pve-gpu-setup 1"
#define FILE_MAX (1u << 20)

static const char *const kinds[] = { [SETUP_WITH] = "with", [SETUP_WITHOUT] = "without", [SETUP_VFIO] = "vfio" };

void setup_record_release(struct setup_record *r)
{
	setup_release(&r->plan);
}

static int damaged(struct err *e, const char *what)
{
	return err_set(e, EBADMSG, "the record of an earlier setup, '" RECORD "', is damaged: %s; the originals lie beside it as "
		       "original.*", what);
}

/* --- loading ----------------------------------------------------------------------------------- */

static struct host_path copy_path(const char *kind, uint64_t generation, uint64_t number)
{
	return host_path(SETUP_FOLDER "/%s.%llu.%llu", kind, (unsigned long long)generation, (unsigned long long)number);
}

static int load_copy(struct host *h, struct host_path path, char **ret, size_t *ret_len, struct err *e)
{
	int r = host_read_file(h, path.s, FILE_MAX, ret, ret_len);

	if (r == -ENOENT)
		return damaged(e, "one of its copies is missing");
	return r < 0 ? err_set(e, -r, "cannot read '%s': %s", path.s, err_text(r)) : 0;
}

/* NUMBER MODE original|absent PATH */
static int load_file(struct host *h, struct setup_record *r, char *text, struct err *e)
{
	char *number = str_token(&text, " "), *mode = str_token(&text, " "), *state = str_token(&text, " ");
	struct setup_file f = { .mode = 0644 };
	uint64_t n, bits;
	int status = 0;

	if (!number || !mode || !state || !text || str_to_u64(number, 10, &n) < 0 || str_to_u64(mode, 10, &bits) < 0 ||
	    bits > 07777 || text[0] != '/' || strstr(text, "/../") || str_copy(f.path, sizeof(f.path), text) < 0)
		return damaged(e, "a line about a file is odd");
	f.mode = (mode_t)bits;
	if (array_room(&r->plan.files, r->plan.n, &r->plan.size, sizeof(f)) < 0)
		return err_nomem(e);
	if (strcmp(state, "original") == 0)
		status = load_copy(h, copy_path("original", r->generation, n), &f.before, &f.before_len, e);
	if (status == 0)
		status = load_copy(h, copy_path("ours", r->generation, n), &f.after, &f.after_len, e);
	if (status < 0) {
		free(f.before);
		return status;
	}
	r->plan.files[r->plan.n++] = f;
	return 0;
}

static int load_line(struct host *h, struct setup_record *r, char *text, struct err *e)
{
	char *word = str_token(&text, " ");
	uint64_t v;

	if (!word || !text || !*text)
		return damaged(e, "a line is empty");
	if (strcmp(word, "file") == 0)
		return load_file(h, r, text, e);
	if (strcmp(word, "generation") == 0)
		return str_to_u64(text, 10, &r->generation) < 0 ? damaged(e, "its generation is odd") : 0;
	if (strcmp(word, "boot") == 0)
		return str_copy(r->boot_id, sizeof(r->boot_id), text) < 0 ? damaged(e, "the boot id is odd") : 0;
	if (strcmp(word, "chain") == 0) {
		if (str_to_u64(text, 10, &v) < 0 || v > BOOT_SYSTEMD)
			return damaged(e, "the boot chain is odd");
		r->plan.chain = (enum boot_chain)v;
		return 0;
	}
	if (strcmp(word, "after") == 0) {
		r->plan.refresh = strstr(text, "refresh") != NULL;
		r->plan.initramfs = strstr(text, "initramfs") != NULL;
		return 0;
	}
	if (strcmp(word, "pending") == 0) {
		r->pending = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(word, kinds[i]) == 0)
			return setup_promise_add(&r->plan, (int)i, text) < 0 ? err_nomem(e) : 0;
	return damaged(e, "it has a line of an unknown kind");
}

int setup_record_load(struct host *h, struct setup_record *ret, struct err *e)
{
	char *text, *cursor, *line;
	size_t len;
	int r = host_read_file(h, RECORD, FILE_MAX, &text, &len);

	if (r == -ENOENT)	/* a commit that was cut short */
		r = host_read_file(h, BEFORE, FILE_MAX, &text, &len);
	if (r == -ENOENT || r == -ENOTDIR)
		return err_set(e, ENOENT, "pve-gpu setup has changed nothing on this host");
	if (r < 0)
		return err_set(e, -r, "cannot read '" RECORD "': %s", err_text(r));
	*ret = (struct setup_record)SETUP_RECORD_INIT;
	cursor = text;
	line = str_token(&cursor, "\n");
	if (!line || strcmp(line, HEAD) != 0)
		r = damaged(e, "it does not begin with '" HEAD "'");
	while (r == 0 && (line = str_token(&cursor, "\n")))
		r = load_line(h, ret, line, e);
	free(text);
	if (r < 0)
		setup_record_release(ret);
	return r;
}

/* --- saving ------------------------------------------------------------------------------------ */

static int save(struct host *h, const char *path, const char *text, size_t len, struct err *e)
{
	int r = file_replace(h, path, text, len, 0600);

	return r < 0 ? err_set(e, -r, "cannot write '%s': %s", path, err_text(r)) : 0;
}

static int save_copies(struct host *h, const struct setup_record *rec, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rec->plan.n; i++) {
		const struct setup_file *f = &rec->plan.files[i];

		if (f->before)
			r = save(h, copy_path("original", rec->generation, i).s, f->before, f->before_len, e);
		if (r == 0)
			r = save(h, copy_path("ours", rec->generation, i).s, f->after ? f->after : "", f->after_len, e);
	}
	return r;
}

static void format(const struct setup_record *rec, struct str *text)
{
	const struct setup_plan *p = &rec->plan;

	(void)str_addf(text, HEAD "\ngeneration %llu\nboot %s\nchain %d\nafter%s%s .\n%s", (unsigned long long)rec->generation,
		       rec->boot_id[0] ? rec->boot_id : "-", (int)p->chain, p->refresh ? " refresh" : "",
		       p->initramfs ? " initramfs" : "", rec->pending ? "pending commands\n" : "");
	for (size_t i = 0; i < p->n_promises; i++)
		(void)str_addf(text, "%s %s\n", kinds[p->promises[i].kind], p->promises[i].text);
	for (size_t i = 0; i < p->n; i++)
		(void)str_addf(text, "file %zu %u %s %s\n", i, (unsigned)p->files[i].mode, p->files[i].before ? "original" : "absent",
			       p->files[i].path);
}

int setup_record_stage(struct host *h, const struct setup_record *rec, struct err *e)
{
	struct str text = STR_INIT;
	int r = save_copies(h, rec, e);

	format(rec, &text);
	if (r == 0)
		r = text.failed ? err_nomem(e) : save(h, STAGED, text.s, text.len, e);
	str_release(&text);
	return r;
}

int setup_record_commit(struct host *h, struct err *e)
{
	int before = host_rename(h, RECORD, BEFORE), r = before;

	if (r == 0 || r == -ENOENT)
		r = host_rename(h, STAGED, RECORD);
	if (r < 0 && before == 0)
		(void)!host_rename(h, BEFORE, RECORD);
	return r < 0 ? err_set(e, -r, "cannot put the record '" RECORD "' in place: %s", err_text(r)) : 0;
}

int setup_record_settle(struct host *h, struct setup_record *rec, struct err *e)
{
	struct str text = STR_INIT;
	int r;

	rec->pending = false;
	format(rec, &text);
	r = text.failed ? err_nomem(e) : save(h, RECORD, text.s, text.len, e);
	str_release(&text);
	return r;
}

bool setup_record_pending(struct host *h)
{
	struct setup_record rec = SETUP_RECORD_INIT;
	struct err none = ERR_INIT;
	bool pending = setup_record_load(h, &rec, &none) == 0 && rec.pending;

	setup_record_release(&rec);
	return pending;
}

static void remove_copies(struct host *h, const struct setup_record *rec)
{
	for (size_t i = 0; i < rec->plan.n; i++) {
		(void)host_unlink(h, copy_path("original", rec->generation, i).s);
		(void)host_unlink(h, copy_path("ours", rec->generation, i).s);
	}
}

void setup_record_withdraw(struct host *h, const struct setup_record *rec, bool committed)
{
	if (!committed)
		(void)host_unlink(h, STAGED);
	else if (host_rename(h, BEFORE, RECORD) < 0)
		(void)host_unlink(h, RECORD);
	remove_copies(h, rec);
}

void setup_record_drop(struct host *h, const struct setup_record *before)
{
	(void)host_unlink(h, BEFORE);
	remove_copies(h, before);
}

int setup_record_remove(struct host *h, const struct setup_record *rec, struct err *e)
{
	int r = host_unlink(h, RECORD);

	if (r < 0 && r != -ENOENT)
		return err_set(e, -r, "cannot remove '" RECORD "': %s", err_text(r));
	(void)host_unlink(h, BEFORE);
	remove_copies(h, rec);
	return 0;
}
