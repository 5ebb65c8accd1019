// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory of attach: see attachlog.h. */
#include "attachlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "file.h"
#include "str.h"
#include "vmedit.h"

#define FOLDER "/var/lib/pve-gpu/attached"
#define LOG_MAX (16 * 1024 * 1024)

static struct host_path log_path(unsigned vmid)
{
	return host_path(FOLDER "/%u", vmid);
}

static void record_release(struct attachlog_record *r)
{
	for (size_t i = 0; i < r->n_keys; i++) {
		free(r->keys[i].key);
		free(r->keys[i].before);
		free(r->keys[i].after);
	}
	free(r->keys);
	free(r->bytes);
	*r = (struct attachlog_record){ .bytes = NULL };
}

void attachlog_pop(struct attachlog *log)
{
	if (log->n)
		record_release(&log->list[--log->n]);
}

void attachlog_release(struct attachlog *log)
{
	while (log->n)
		attachlog_pop(log);
	free(log->list);
	log->list = NULL;
	log->size = 0;
}

/* --- text -------------------------------------------------------------------------------------- */

static void put_hex(struct str *s, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		(void)str_addf(s, "%02x", (unsigned char)bytes[i]);
}

static void put_value(struct str *s, const char *value)
{
	(void)str_add(s, value ? " =" : " -");
	if (value)
		put_hex(s, value, strlen(value));
}

static void put_record(struct str *s, const struct attachlog_record *r)
{
	(void)str_addf(s, "attach %s %s %s\n", r->before, r->after, r->running ? "running" : "stopped");
	for (size_t i = 0; i < r->n_keys; i++) {
		(void)str_addf(s, "key %s", r->keys[i].key);
		put_value(s, r->keys[i].before);
		put_value(s, r->keys[i].after);
		(void)str_add(s, "\n");
	}
	(void)str_addf(s, "splice %zu %zu =", r->offset, r->len_after);
	put_hex(s, r->bytes, r->n_bytes);
	(void)str_add(s, "\n");
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "=hex" to bytes with a NUL behind them; "-" is no value at all.  -EBADMSG. */
static int get_value(const char *word, char **ret, size_t *ret_len)
{
	size_t n = word ? strlen(word) : 0;

	*ret = NULL;
	if (n == 1 && *word == '-')
		return 0;
	if (n % 2 != 1 || *word != '=')
		return -EBADMSG;
	*ret = malloc(n / 2 + 1);
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < n / 2; i++) {
		int high = digit(word[1 + 2 * i]), low = digit(word[2 + 2 * i]);

		if (high < 0 || low < 0)
			return -EBADMSG;
		(*ret)[i] = (char)(high << 4 | low);
	}
	(*ret)[n / 2] = '\0';
	if (ret_len)
		*ret_len = n / 2;
	return 0;
}

static int add_key(struct attachlog_record *r, const char *key, char *before, char *after)
{
	struct attachlog_key k = { strdup(key ? key : ""), before, after };

	if (!k.key || array_room(&r->keys, r->n_keys, &r->keys_size, sizeof(*r->keys)) < 0) {
		free(k.key);
		free(before);
		free(after);
		return -ENOMEM;
	}
	r->keys[r->n_keys++] = k;
	return 0;
}

static int get_key(struct attachlog_record *r, char *line)
{
	const char *key = str_token(&line, " ");
	char *before = NULL, *after = NULL;
	int q = get_value(str_token(&line, " "), &before, NULL);

	if (q == 0)
		q = get_value(str_token(&line, " "), &after, NULL);
	if (q == 0)
		return add_key(r, key, before, after);
	free(before);
	free(after);
	return q;
}

static int get_splice(struct attachlog_record *r, char *line)
{
	const char *offset = str_token(&line, " "), *len = str_token(&line, " ");
	uint64_t a, b;

	if (!offset || !len || r->bytes || str_to_u64(offset, 10, &a) < 0 || str_to_u64(len, 10, &b) < 0)
		return -EBADMSG;
	r->offset = (size_t)a;
	r->len_after = (size_t)b;
	return get_value(str_token(&line, " "), &r->bytes, &r->n_bytes);
}

static int get_attach(struct attachlog *log, char *line)
{
	const char *before = str_token(&line, " "), *after = str_token(&line, " "), *state = str_token(&line, " ");
	struct attachlog_record *r;

	if (array_room(&log->list, log->n, &log->size, sizeof(*log->list)) < 0)
		return -ENOMEM;
	r = &log->list[log->n++];
	*r = (struct attachlog_record){ .bytes = NULL };
	if (!before || !after || !state || str_copy(r->before, sizeof(r->before), before) < 0 ||
	    str_copy(r->after, sizeof(r->after), after) < 0)
		return -EBADMSG;
	r->running = strcmp(state, "running") == 0;
	return 0;
}

static int get_line(struct attachlog *log, char *line)
{
	struct attachlog_record *last = log->n ? &log->list[log->n - 1] : NULL;
	const char *word = str_token(&line, " ");

	if (!word)
		return 0;
	if (strcmp(word, "attach") == 0)
		return get_attach(log, line);
	if (last && strcmp(word, "key") == 0)
		return get_key(last, line);
	if (last && strcmp(word, "splice") == 0)
		return get_splice(last, line);
	return -EBADMSG;
}

int attachlog_load(struct host *h, struct attachlog *log, struct err *note, struct err *e)
{
	struct host_path path = log_path(log->vmid);
	char *text, *cursor, *line;
	size_t len;
	int r = host_read_file(h, path.s, LOG_MAX, &text, &len);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return err_set(e, -r, "cannot read '%s', which says what was attached: %s", path.s, err_text(r));
	cursor = text;
	while (r == 0 && (line = str_token(&cursor, "\n")))
		r = get_line(log, line);
	free(text);
	for (size_t i = 0; r == 0 && i < log->n; i++)
		if (!log->list[i].bytes)
			r = -EBADMSG;
	if (r == -ENOMEM)
		return err_nomem(e);
	if (r < 0) {
		attachlog_release(log);
		err_set(note, EBADMSG, "'%s' is damaged and was not used: what an earlier attach changed besides the "
			"devices stays as it is", path.s);
	}
	return 0;
}

/* --- records ----------------------------------------------------------------------------------- */

static int add_keys(struct attachlog_record *r, const struct vmconf *before, const struct vmconf *after,
		    const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *old = vmedit_effective(before, keys[i]), *new = vmedit_effective(after, keys[i]);
		char *a = old ? strdup(old) : NULL, *b = new ? strdup(new) : NULL;

		if ((old && !a) || (new && !b)) {
			free(a);
			free(b);
			return -ENOMEM;
		}
		if (!old && !new)
			continue;
		if (old && new && strcmp(old, new) == 0) {
			free(a);
			free(b);
			continue;
		}
		if (add_key(r, keys[i], a, b) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* What is the same at both ends need not be remembered. */
static int set_splice(struct attachlog_record *r, const struct vmconf *before, const struct vmconf *after)
{
	size_t shorter = before->len < after->len ? before->len : after->len, head = 0, tail = 0;

	while (head < shorter && before->bytes[head] == after->bytes[head])
		head++;
	while (tail < shorter - head &&
	       before->bytes[before->len - 1 - tail] == after->bytes[after->len - 1 - tail])
		tail++;
	r->offset = head;
	r->len_after = after->len - head - tail;
	r->n_bytes = before->len - head - tail;
	r->bytes = malloc(r->n_bytes + 1);
	if (!r->bytes)
		return -ENOMEM;
	memcpy(r->bytes, before->bytes + head, r->n_bytes);
	r->bytes[r->n_bytes] = '\0';
	return 0;
}

static bool has_value(const struct vmconf *c, const struct attachlog_key *k)
{
	const char *now = vmedit_effective(c, k->key);

	return now && k->after ? strcmp(now, k->after) == 0 : !now && !k->after;
}

static bool any_device_is_left(const struct attachlog *log, const struct vmconf *now)
{
	for (size_t i = 0; i < log->n; i++)
		for (size_t k = 0; k < log->list[i].n_keys; k++)
			if (str_starts(log->list[i].keys[k].key, "hostpci") && has_value(now, &log->list[i].keys[k]))
				return true;
	return false;
}

static void forget_keys(struct attachlog_record *r, const struct vmconf *now)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_keys; i++) {
		struct attachlog_key *k = &r->keys[i];

		if (strcmp(k->key, "hookscript") == 0 && k->before && has_value(now, k)) {
			r->keys[n++] = *k;
			continue;
		}
		free(k->key);
		free(k->before);
		free(k->after);
	}
	r->n_keys = n;
}

/* With the last device all settings went back; what looks as an attach left it since is the user's own.  Only
 * our hookscript outlives the devices of a VM that runs, and with it the memory of the one before. */
static void forget_stale(struct attachlog *log, const struct vmconf *now)
{
	size_t n = 0;

	if (any_device_is_left(log, now))
		return;
	for (size_t i = 0; i < log->n; i++) {
		forget_keys(&log->list[i], now);
		if (log->list[i].n_keys)
			log->list[n++] = log->list[i];
		else
			record_release(&log->list[i]);
	}
	log->n = n;
}

int attachlog_add(struct attachlog *log, const struct vmfile_change *change, const char *const *keys,
		  size_t n_keys, struct err *e)
{
	const struct vmconf *before = change->before, *after = change->after;
	struct attachlog_record r = { .running = change->running };

	/* A record whose config was never written. */
	while (log->n && strcmp(log->list[log->n - 1].before, before->digest) == 0)
		attachlog_pop(log);
	forget_stale(log, before);
	if (array_room(&log->list, log->n, &log->size, sizeof(*log->list)) < 0 ||
	    add_keys(&r, before, after, keys, n_keys) < 0 || set_splice(&r, before, after) < 0) {
		record_release(&r);
		return err_nomem(e);
	}
	memcpy(r.before, before->digest, sizeof(r.before));
	memcpy(r.after, after->digest, sizeof(r.after));
	log->list[log->n++] = r;
	return 0;
}

int attachlog_undo(const struct attachlog *log, const struct vmconf *now, bool running, char **ret,
		   size_t *ret_len, struct err *e)
{
	const struct attachlog_record *r = log->n ? &log->list[log->n - 1] : NULL;
	char digest[SHA1_TEXT];
	size_t len, rest;
	char *text;

	if (!r || (running && !r->running) || strcmp(r->after, now->digest) != 0 || r->len_after > now->len || r->offset > now->len - r->len_after)
		return 0;
	rest = now->len - r->offset - r->len_after;
	len = r->offset + r->n_bytes + rest;
	text = malloc(len + 1);
	if (!text)
		return err_nomem(e);
	memcpy(text, now->bytes, r->offset);
	memcpy(text + r->offset, r->bytes, r->n_bytes);
	memcpy(text + r->offset + r->n_bytes, now->bytes + now->len - rest, rest);
	text[len] = '\0';
	sha1_hex(text, len, digest);
	if (strcmp(digest, r->before) != 0) {
		free(text);
		return 0;
	}
	*ret = text;
	*ret_len = len;
	return 1;
}

/* --- the file ---------------------------------------------------------------------------------- */

int attachlog_save(struct host *h, const struct attachlog *log, struct err *e)
{
	struct host_path path = log_path(log->vmid);
	_cleanup_(str_release) struct str text = STR_INIT;
	int r;

	if (log->n == 0) {
		r = host_unlink(h, path.s);
		return r == 0 || r == -ENOENT || r == -ENOTDIR ? 0 :
		       err_set(e, -r, "cannot remove '%s': %s", path.s, err_text(r));
	}
	for (size_t i = 0; i < log->n; i++)
		put_record(&text, &log->list[i]);
	if (text.failed)
		return err_nomem(e);
	r = file_mkdirs(h, FOLDER, 0700);
	if (r == 0)
		r = file_replace(h, path.s, text.s, text.len, 0600);
	return r == 0 ? 0 : err_set(e, -r, "cannot note in '%s' what is attached, and without that a detach could not put it "
				    "back: %s; nothing was changed", path.s, err_text(r));
}
