// SPDX-License-Identifier: GPL-2.0-or-later
/* The snippet in a storage: see hookfile.h. */
#include "hookfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "embed.h"
#include "file.h"
#include "nodename.h"
#include "str.h"

#define PROGRAM "/usr/libexec/pve-gpu/gpu-hook"
#define FILE_MAX (64 * 1024)

/* The files themselves, from the folder snippets/. */
EMBED(hookfile_snippet, "snippets/gpu-hook");
EMBED(hookfile_example, "snippets/100.gpu.ini");

/* --- what is there ----------------------------------------------------------------------------- */

int hookfile_look(struct host *h, const char *path, enum hookfile_state *ret, struct err *e)
{
	size_t want = (size_t)(hookfile_snippet_end - hookfile_snippet), len;
	struct stat st;
	char *text;
	int r = host_read_file(h, path, FILE_MAX, &text, &len);

	if (r == -ENOENT || r == -ENOTDIR) {
		*ret = HOOKFILE_ABSENT;
		return 0;
	}
	if (r == -EFBIG || r == -EINVAL || r == -EISDIR) {
		*ret = HOOKFILE_FOREIGN;
		return 0;
	}
	if (r < 0)
		return err_set(e, -r, "cannot read '%s': %s", path, err_text(r));
	if (!strstr(text, PROGRAM))
		*ret = HOOKFILE_FOREIGN;
	else if (len == want && memcmp(text, hookfile_snippet, len) == 0 && host_stat(h, path, &st) == 0 &&
		 (st.st_mode & 0111) == 0111)
		*ret = HOOKFILE_OURS;
	else
		*ret = HOOKFILE_OLD;
	free(text);
	return 0;
}

bool hookfile_is_ours(struct host *h, const struct storages *s, const char *volid)
{
	const char *slash = strrchr(volid, '/');
	enum hookfile_state state = HOOKFILE_ABSENT;
	struct err ignored = ERR_INIT;
	char path[512];

	if (storage_resolve(s, volid, path, sizeof(path), &ignored) < 0 ||
	    hookfile_look(h, path, &state, &ignored) < 0 || state == HOOKFILE_ABSENT)
		return slash && strcmp(slash + 1, HOOKFILE_NAME) == 0;
	return state != HOOKFILE_FOREIGN;
}

/* --- which storage ----------------------------------------------------------------------------- */

struct host_path hookfile_volid(const struct storage *st)
{
	return host_path("%s:snippets/" HOOKFILE_NAME, st->id);
}

struct host_path hookfile_path(const struct storage *st)
{
	return host_path("%s/" HOOKFILE_NAME, st->snippets);
}

const struct storage *hookfile_storage_of(const struct storages *s, const char *volid)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].snippets && strcmp(hookfile_volid(&s->list[i]).s, volid) == 0)
			return &s->list[i];
	return NULL;
}

/* Is something mounted there?  Where the list of mounts cannot be read (a captured tree), it is believed. */
static bool is_mounted(struct host *h, const char *path)
{
	_cleanup_(str_release) struct str want = STR_INIT;
	char *text, *found;
	size_t len;

	if (host_read_file(h, "/proc/mounts", 4 * 1024 * 1024, &text, &len) < 0)
		return true;
	str_addf(&want, " %s ", path);
	found = strstr(text, want.s);
	free(text);
	return found != NULL;
}

static int check_storage(struct host *h, const struct storage *st, const char *node, struct err *e)
{
	if (!st->snippets)
		return err_set(e, EPERM, "storage '%s' (%s) cannot hold snippets: %s; choose one of type dir, nfs, cifs, "
			       "cephfs or btrfs", st->id, st->type, st->broken ? "its definition in /etc/pve/storage.cfg "
			       "is incomplete" : "its type has no folder for them");
	if (st->disabled)
		return err_set(e, EPERM, "storage '%s' is disabled: 'pvesm set %s --disable 0', or choose another", st->id,
			       st->id);
	if (node && !storage_on_node(st, node))
		return err_set(e, EPERM, "storage '%s' is not for node '%s' (nodes: %s): choose another", st->id, node,
			       st->nodes);
	if (st->mountpoint[0] && !is_mounted(h, st->mountpoint))
		return err_set(e, EPERM, "storage '%s' is not mounted at '%s', and a file put there would be hidden by the "
			       "mount: see 'pvesm status'", st->id, st->mountpoint);
	/* What belongs to whom on another machine is that machine's to say. */
	return st->shared || !host_exists(h, st->snippets) ? 0 : file_check_place(h, hookfile_path(st).s, e);
}

/* How good a choice a storage is that nobody named. */
static int rank(struct host *h, const struct storage *st, const char *node)
{
	enum hookfile_state state = HOOKFILE_ABSENT;
	bool local = strcmp(st->id, "local") == 0;
	struct err ignored = ERR_INIT;

	if (check_storage(h, st, node, &ignored) < 0 ||
	    hookfile_look(h, hookfile_path(st).s, &state, &ignored) < 0)
		return 0;
	return 1 + local + (st->offers_snippets && !st->shared ? 4 : 0) +
	       (state == HOOKFILE_OURS || state == HOOKFILE_OLD ? 8 : 0);
}

static const struct storage *best(struct host *h, const struct storages *s, const char *node)
{
	const struct storage *found = NULL;
	int most = 0;

	for (size_t i = 0; i < s->n; i++) {
		int n = rank(h, &s->list[i], node);

		if (n > most) {
			most = n;
			found = &s->list[i];
		}
	}
	return found;
}

int hookfile_storage(struct host *h, const struct storages *s, const char *id, const struct storage **ret,
		     struct err *e)
{
	char name[NODENAME_SIZE], *node = NULL;
	struct err ignored = ERR_INIT;

	if (nodename_read(h, name, sizeof(name), &ignored) == 0)
		node = name;
	*ret = id ? storage_find(s, id) : best(h, s, node);
	if (!*ret && !id)
		*ret = storage_find(s, "local");	/* what is wrong with it is worth saying */
	if (!*ret && id)
		return err_set(e, ENOENT, "there is no storage '%s' in /etc/pve/storage.cfg", id);
	if (!*ret)
		return err_set(e, EPERM, "no storage of this node can hold snippets: add one of type dir, or enable 'local'");
	return check_storage(h, *ret, node, e);
}

/* --- writing ----------------------------------------------------------------------------------- */

static int cannot(const char *path, int r, struct err *e)
{
	return err_set(e, -r, "cannot write '%s': %s", path, err_text(r));
}

static int make_folder(struct host *h, const char *path)
{
	struct stat st;

	if (host_stat(h, path, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	return file_mkdirs(h, path, 0755);
}

static int put_example(struct host *h, const struct storage *st)
{
	struct host_path path = host_path("%s/" HOOKFILE_EXAMPLE, st->snippets);

	if (host_exists(h, path.s))
		return 0;
	return file_replace(h, path.s, hookfile_example, (size_t)(hookfile_example_end - hookfile_example), 0644);
}

int hookfile_install(struct host *h, const struct storage *st, bool dry_run, struct err *e)
{
	struct host_path path = hookfile_path(st);
	enum hookfile_state state = HOOKFILE_ABSENT;
	int r = hookfile_look(h, path.s, &state, e);

	if (r < 0)
		return r;
	if (state == HOOKFILE_FOREIGN)
		return err_set(e, EPERM, "'%s' is somebody else's file and was not touched: give it another name, or choose "
			       "another storage with --storage", path.s);
	if (dry_run)
		return state != HOOKFILE_OURS;
	r = make_folder(h, st->snippets);
	if (r < 0)
		return err_set(e, -r, "cannot create the folder '%s': %s", st->snippets, err_text(r));
	r = put_example(h, st);
	if (r == 0 && state != HOOKFILE_OURS)
		r = file_replace(h, path.s, hookfile_snippet, (size_t)(hookfile_snippet_end - hookfile_snippet), 0755);
	return r < 0 ? cannot(path.s, r, e) : state != HOOKFILE_OURS;
}

int hookfile_remove(struct host *h, const struct storage *st, struct err *e)
{
	struct host_path path = hookfile_path(st), example = host_path("%s/" HOOKFILE_EXAMPLE, st->snippets);
	enum hookfile_state state = HOOKFILE_ABSENT;
	int r = hookfile_look(h, path.s, &state, e);

	if (r < 0 || state == HOOKFILE_ABSENT)
		return r;
	if (state == HOOKFILE_FOREIGN)
		return err_set(e, EPERM, "'%s' is somebody else's file and was not touched", path.s);
	r = host_unlink(h, path.s);
	if (r < 0)
		return err_set(e, -r, "cannot remove '%s': %s", path.s, err_text(r));
	(void)host_unlink(h, example.s);
	return 1;
}
