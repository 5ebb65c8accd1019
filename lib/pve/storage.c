// SPDX-License-Identifier: GPL-2.0-or-later
/* Where "<storage>:snippets/<name>" lies: see storage.h. */
#include "storage.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "macro.h"
#include "nodename.h"
#include "section.h"
#include "str.h"

#define LOCAL_PATH "/var/lib/vz"
#define SEPARATORS " \t\r\f\v,;"	/* pve-common: ParseUtils.pm: split_list */

#define FILE_CONTENTS "images rootdir vztmpl iso backup snippets import"

/* What Proxmox's plugins say of themselves (pve-storage: plugindata and options in
 * Storage/NAMEPlugin.pm).  Types from elsewhere are as if they could hold no snippets. */
static const struct kind {
	const char *type;
	const char *contents;		/* content types it takes; NULL: no snippets among them */
	bool own_path;			/* `path` is required; otherwise it is /mnt/pve/<id> */
	bool content_dirs;		/* knows `content-dirs` */
	bool network;			/* shared by nature */
	const char *required[2];	/* besides the path */
} kinds[] = {
	{ "dir", FILE_CONTENTS " none", true, true, false, { NULL, NULL } },
	{ "btrfs", FILE_CONTENTS " none", true, false, false, { NULL, NULL } },
	{ "nfs", FILE_CONTENTS, false, true, true, { "server", "export" } },
	{ "cifs", FILE_CONTENTS, false, true, true, { "server", "share" } },
	{ "cephfs", "vztmpl iso backup snippets import", false, true, true, { NULL, NULL } },
	{ .type = "lvm" }, { .type = "lvmthin" }, { .type = "zfspool" }, { .type = "esxi" },
	{ .type = "rbd", .network = true }, { .type = "pbs", .network = true },
	{ .type = "zfs", .network = true }, { .type = "iscsi", .network = true },
	{ .type = "iscsidirect", .network = true },
};

static const struct kind *kind_find(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	return NULL;
}

/* JSONSchema.pm: parse_id. */
static bool is_storage_id(const char *id, size_t len)
{
	if (len < 2 || !isalpha((unsigned char)id[0]) || !isalnum((unsigned char)id[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)id[i]) && !strchr("-_.", id[i]))
			return false;
	return true;
}

/* Storage/Plugin.pm: verify_path, a pattern that does not look beyond the second character. */
static bool is_path(const char *path)
{
	return path[0] == '/' && path[1] && !strchr(";()", path[1]);
}

/* Storage/DirPlugin.pm: check_config, for dir and btrfs. */
static bool is_dir_path(const char *path)
{
	if (path[0] != '/' || !path[1])
		return false;
	for (; *path; path++)
		if (!isalnum((unsigned char)*path) && !strchr("-/_.@", *path))
			return false;
	return true;
}

/* Path with neither doubled slashes nor "." nor one at the end (File::Spec: canonpath); ".." stays,
 * except at the root.  In place. */
static void canonicalise(char *path)
{
	char *to = path, *from = path, *next;

	for (; *from; from = next) {
		size_t n;

		from += strspn(from, "/");
		n = strcspn(from, "/");
		next = from + n;
		if (n == 0 || (n == 1 && from[0] == '.'))
			continue;
		if (to == path && n == 2 && from[0] == '.' && from[1] == '.')
			continue;
		*to++ = '/';
		memmove(to, from, n);
		to += n;
	}
	if (to == path)
		*to++ = '/';
	*to = '\0';
}

static bool is_content(const char *name, size_t len)
{
	static const char *const contents[] = {
		"images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none",
	};

	for (size_t i = 0; i < ARRAY_SIZE(contents); i++)
		if (strlen(contents[i]) == len && memcmp(contents[i], name, len) == 0)
			return true;
	return false;
}

static bool is_content_word(const char *word)
{
	return is_content(word, strlen(word));
}

/* One element of `content-dirs` (Storage/Plugin.pm: verify_dir_override): a content type and a path
 * without "..", without a dot at the end and of bounded length. */
static bool is_override(const char *word)
{
	const char *path = strchr(word, '=');
	size_t len = path ? strlen(path + 1) : 0, n;

	if (len == 0 || len >= 1023 || path[len] == '.' || strstr(path, ".."))
		return false;
	if (!is_content(word, (size_t)(path - word)))
		return false;
	for (path++; *path; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		if (n >= 255)
			return false;
	}
	return true;
}

static bool every_word(const char *list, bool (*fits)(const char *word))
{
	char *copy = strdup(list), *cursor = copy, *word;
	bool ok = copy != NULL;

	while (ok && (word = str_token(&cursor, SEPARATORS)))
		ok = fits(word);
	free(copy);
	return ok;
}

static bool are_overrides(const char *list)
{
	return every_word(list, is_override);
}

static bool are_contents(const char *list)
{
	return every_word(list, is_content_word);
}

static bool are_nodes(const char *list)
{
	return every_word(list, nodename_is_valid);
}

/* Appends the words of a list, separated by single spaces. */
static int add_list(struct str *s, const char *list)
{
	char *copy = strdup(list), *cursor = copy, *word;

	if (!copy)
		return -ENOMEM;
	while ((word = str_token(&cursor, SEPARATORS)))
		str_addf(s, "%s%s", s->len ? " " : "", word);
	free(copy);
	return s->failed ? -ENOMEM : 0;
}

/* The same as a string of its own; NULL = no memory. */
static char *normal_list(const char *list)
{
	_cleanup_(str_release) struct str s = STR_INIT;

	return add_list(&s, list) < 0 ? NULL : str_steal(&s);
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word), len;

	for (; *list; list += len + (list[len] == ' ')) {
		len = strcspn(list, " ");
		if (len == n && strncmp(list, word, n) == 0)
			return true;
	}
	return false;
}

/* Does the type take this list (Storage/Plugin.pm: decode_value)?  What it does not know is passed
 * over, but something must be left, and `none` stands alone. */
static bool takes_contents(const struct kind *k, const char *contents)
{
	size_t known = 0, len;

	for (const char *p = contents; *p; p += len + (p[len] == ' ')) {
		char word[16];

		len = strcspn(p, " ");
		snprintf(word, sizeof(word), "%.*s", (int)len, p);
		known += has_word(k->contents, word);
	}
	if (has_word(k->contents, "none"))
		return known < 2 || !has_word(contents, "none");
	return known > 0;
}

/* <path>/<sub-folder>, where `content-dirs` may say snippets=<sub-folder>; the last one counts. */
static char *snippets_folder(const struct kind *k, const struct section *s, const char *path)
{
	const char *dirs = k->content_dirs ? section_value(s, "content-dirs", are_overrides) : NULL;
	_cleanup_(str_release) struct str folder = STR_INIT;
	char *copy = strdup(dirs ? dirs : ""), *cursor = copy, *word;
	const char *sub = "snippets";

	if (!copy)
		return NULL;
	while ((word = str_token(&cursor, SEPARATORS)))
		if (str_starts(word, "snippets="))
			sub = word + strlen("snippets=");
	str_addf(&folder, "%s/%s", path, sub);
	free(copy);
	return str_steal(&folder);
}

/* The storage's base path; NULL with 0 when the definition is broken. */
static int base_path(const struct kind *k, const struct section *s, char **ret)
{
	const char *path = section_value(s, "path", is_path);
	_cleanup_(str_release) struct str text = STR_INIT;

	*ret = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(k->required); i++) {
		const char *key = k->required[i];

		if (key && !section_value(s, key, strcmp(key, "export") == 0 ? is_path : NULL))
			return 0;
	}
	if (k->own_path && (!path || !is_dir_path(path)))
		return 0;
	if (path)
		str_add(&text, path);
	else
		str_addf(&text, "/mnt/pve/%s", s->id);
	*ret = str_steal(&text);
	if (!*ret)
		return -ENOMEM;
	if (k->own_path)
		canonicalise(*ret);
	return 0;
}

/* `is_mountpoint`: a path, or yes for the storage's own. */
static char *mountpoint_of(const struct kind *k, const struct section *s, const char *path)
{
	static const char *const yes[] = { "1", "on", "yes", "true" };
	static const char *const no[] = { "0", "off", "no", "false" };
	const char *value = k->own_path ? section_value(s, "is_mountpoint", NULL) : NULL;

	for (size_t i = 0; value && i < ARRAY_SIZE(yes); i++) {
		if (strcasecmp(value, yes[i]) == 0)
			return strdup(path);
		if (strcasecmp(value, no[i]) == 0)
			value = NULL;
	}
	/* A network storage is offline until it is mounted, whatever the file says. */
	return strdup(value ? value : k->network ? path : "");
}

static void storage_free(struct storage *st)
{
	free(st->id);
	free(st->type);
	free(st->path);
	free(st->snippets);
	free(st->nodes);
	free(st->mountpoint);
}

/* Type and contents agree: now the folders, unless something required is missing. */
static int fill_folders(const struct kind *k, const struct section *s, struct storage *st)
{
	int r = base_path(k, s, &st->path);

	if (r < 0 || !st->path) {
		st->broken = r == 0;
		return r;
	}
	free(st->mountpoint);
	st->snippets = snippets_folder(k, s, st->path);
	st->mountpoint = mountpoint_of(k, s, st->path);
	return st->snippets && st->mountpoint ? 0 : -ENOMEM;
}

/* On failure too *st holds what storage_free() takes. */
static int storage_fill(const struct section *s, struct storage *st)
{
	const char *content = section_value(s, "content", are_contents);
	const char *nodes = section_value(s, "nodes", are_nodes);
	_cleanup_(str_release) struct str contents = STR_INIT;
	const struct kind *k = kind_find(s->type);

	*st = (struct storage){
		.id = strdup(s->id), .type = strdup(s->type), .nodes = normal_list(nodes ? nodes : ""),
		.mountpoint = strdup(""),
		.shared = (k && k->network) || section_flag(s, "shared"),
		.disabled = section_flag(s, "disable"), .line = s->line,
	};
	if (!st->id || !st->type || !st->nodes || !st->mountpoint)
		return -ENOMEM;
	if (content && add_list(&contents, content) < 0)
		return -ENOMEM;
	if (!k || !k->contents)
		return 0;
	if (content && !takes_contents(k, contents.s)) {
		st->broken = true;
		return 0;
	}
	st->offers_snippets = has_word(contents.s, "snippets");
	return fill_folders(k, s, st);
}

static void remove_at(struct storages *all, size_t i)
{
	storage_free(&all->list[i]);
	all->n--;
	memmove(&all->list[i], &all->list[i + 1], (all->n - i) * sizeof(*all->list));
}

static size_t index_of(const struct storages *all, const char *id)
{
	size_t i = 0;

	while (i < all->n && strcmp(all->list[i].id, id) != 0)
		i++;
	return i;
}

/* The list has room. */
static int add(struct storages *all, const struct section *s)
{
	size_t before = index_of(all, s->id);

	/* A section of a type that Proxmox does not know replaces nothing. */
	if (before < all->n && !kind_find(s->type))
		return 0;
	if (before < all->n)
		remove_at(all, before);
	return storage_fill(s, &all->list[all->n++]);
}

/* What Proxmox puts in place of a `local` that is not what it must be: first in the list. */
static int add_local(struct storages *all)
{
	static const struct section_prop props[] = {
		{ .key = "path", .value = LOCAL_PATH },
		{ .key = "content", .value = "backup,images,iso,rootdir,snippets,vztmpl" },
	};
	static const struct section local = {
		.type = "dir", .id = "local", .props = props, .n_props = ARRAY_SIZE(props),
	};

	memmove(&all->list[1], &all->list[0], all->n * sizeof(*all->list));
	all->n++;
	return storage_fill(&local, &all->list[0]);
}

/* Storage/Plugin.pm: parse_config. */
static int settle_local(struct storages *all)
{
	size_t i = index_of(all, "local");
	struct storage *local = i < all->n ? &all->list[i] : NULL;

	if (local && strcmp(local->type, "dir") == 0 && local->path &&
	    strcmp(local->path, LOCAL_PATH) == 0) {
		local->nodes[0] = '\0';
		return 0;
	}
	if (local)
		remove_at(all, i);
	return add_local(all);
}

static int storages_fill(const struct section_file *f, struct storages *all)
{
	int r = 0;

	all->list = calloc(f->n + 1, sizeof(*all->list));
	if (!all->list)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < f->n; i++)
		if (is_storage_id(f->list[i].id, strlen(f->list[i].id)))
			r = add(all, &f->list[i]);
	return r == 0 ? settle_local(all) : r;
}

int storage_load(struct host *h, struct storages *ret, struct err *e)
{
	_cleanup_(section_release) struct section_file f = SECTION_FILE_INIT;
	struct storages all = STORAGES_INIT;
	struct err missing = ERR_INIT;
	int r = section_load(h, STORAGE_FILE, SECTION_TYPE_ID, &f, &missing);

	if (r < 0 && r != -ENOENT) {
		*e = missing;
		return r;
	}
	r = storages_fill(&f, &all);
	if (r < 0) {
		storage_release(&all);
		return err_nomem(e);
	}
	*ret = all;
	return 0;
}

void storage_release(struct storages *s)
{
	for (size_t i = 0; i < s->n; i++)
		storage_free(&s->list[i]);
	free(s->list);
	*s = (struct storages)STORAGES_INIT;
}

const struct storage *storage_find(const struct storages *s, const char *id)
{
	size_t i = index_of(s, id);

	return i < s->n ? &s->list[i] : NULL;
}

bool storage_on_node(const struct storage *s, const char *node)
{
	return !*s->nodes || has_word(s->nodes, node);
}

/* The name after "<storage>:snippets/", or NULL; *ret_id gets the storage's. */
static const char *split_volid(const char *volid, char **ret_id)
{
	static const char prefix[] = ":snippets/";
	size_t n = strcspn(volid, ":");
	const char *name;

	*ret_id = NULL;
	if (!is_storage_id(volid, n) || !str_starts(volid + n, prefix))
		return NULL;
	name = volid + n + strlen(prefix);
	if (!*name || strpbrk(name, "/\n"))
		return NULL;
	*ret_id = strndup(volid, n);
	return name;
}

static int find_for(const struct storages *s, const char *id, const struct storage **ret, struct err *e)
{
	const struct storage *st = storage_find(s, id);

	if (!st)
		return err_set(e, ENOENT, "there is no storage '%s' in '%s': see 'pvesm status'", id,
			       STORAGE_FILE);
	if (st->broken)
		return err_set(e, ENOENT, "storage '%s' (line %u of '%s') lacks what its type '%s' requires, "
			       "so Proxmox ignores it: complete its definition", id, st->line,
			       STORAGE_FILE, st->type);
	if (!st->snippets)
		return err_set(e, ENOTSUP, "storage '%s' is of a type that holds no snippets: use one of type "
			       "dir, btrfs, nfs, cifs or cephfs", id);
	*ret = st;
	return 0;
}

int storage_resolve(const struct storages *s, const char *volid, char *buf, size_t size, struct err *e)
{
	const struct storage *st = NULL;
	char *id;
	const char *name = split_volid(volid, &id);
	int r, n;

	if (!name)
		return err_set(e, EINVAL, "a hookscript must be given as <storage>:snippets/<name>");
	if (!id)
		return err_nomem(e);
	r = find_for(s, id, &st, e);
	free(id);
	if (r < 0)
		return r;
	n = snprintf(buf, size, "%s/%s", st->snippets, name);
	if (n < 0 || (size_t)n >= size)
		return err_set(e, ENAMETOOLONG, "the path of this hookscript is longer than %zu bytes",
			       size - 1);
	return 0;
}
