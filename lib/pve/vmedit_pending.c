// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a change of a VM goes, now or at the next start: see vmedit.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "propstr.h"
#include "vmedit.h"

#define DELETE_SEPARATORS " \t\r\n\f\v,;"

bool vmedit_at_once(const char *key)
{
	static const char *const keys[] = {
		"description", "hookscript", "lock", "migrate_downtime", "migrate_speed", "name", "onboot",
		"protection", "shares", "startup", "tags", "vmstatestorage",
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

/* --- the list of removals ---------------------------------------------------------------------- */

static const char *bare(const char *word)
{
	return *word == '!' ? word + 1 : word;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(bare(*(char *const *)a), bare(*(char *const *)b));
}

struct removals {
	char *text;		/* what the words point into */
	char **words;
	size_t n, size;
};

static void removals_release(struct removals *l)
{
	free(l->words);
	free(l->text);
}

static int removals_add(struct removals *l, char *word)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(bare(l->words[i]), bare(word)) == 0) {
			l->words[i] = word;	/* of several mentions the last one decides */
			return 0;
		}
	if (array_room(&l->words, l->n, &l->size, sizeof(*l->words)) < 0)
		return -ENOMEM;
	l->words[l->n++] = word;
	return 0;
}

static int removals_load(const struct vmconf *c, struct removals *l)
{
	const char *value = vmconf_get(c, vmconf_section(c, VMCONF_PENDING, NULL), "delete");
	char *cursor, *word;

	l->text = strdup(value ? value : "");
	cursor = l->text;
	if (!l->text)
		return -ENOMEM;
	while ((word = str_token(&cursor, DELETE_SEPARATORS)))
		if (removals_add(l, word) < 0)
			return -ENOMEM;
	return 0;
}

/* As AbstractConfig.pm: print_pending_delete has it, without what cleanup_pending would take out. */
static int removals_store(struct vmedit *ed, const struct removals *l, struct err *e)
{
	_cleanup_(str_release) struct str s = STR_INIT;

	if (l->n)
		qsort(l->words, l->n, sizeof(*l->words), by_name);
	for (size_t i = 0; i < l->n; i++)
		if (vmconf_current(ed->now, bare(l->words[i])))
			str_addf(&s, "%s%s", s.len ? "," : "", l->words[i]);
	if (s.failed)
		return err_nomem(e);
	return s.len ? vmedit_set(ed, VMCONF_PENDING, "delete", s.s, e) :
		       vmedit_unset(ed, VMCONF_PENDING, "delete", e);
}

/* Puts the key on the list, or takes it off. */
static int list_removal(struct vmedit *ed, const char *key, bool on, struct err *e)
{
	_cleanup_(removals_release) struct removals l = { NULL, NULL, 0, 0 };
	size_t kept = 0;

	if (!on && !vmconf_deletes(ed->now, key, NULL))
		return 0;
	if (removals_load(ed->now, &l) < 0 || (on && removals_add(&l, (char *)key) < 0))
		return err_nomem(e);
	for (size_t i = 0; i < l.n; i++)
		if (on || strcmp(bare(l.words[i]), key) != 0)
			l.words[kept++] = l.words[i];
	l.n = kept;
	return removals_store(ed, &l, e);
}

/* --- put --------------------------------------------------------------------------------------- */

static int put_now(struct vmedit *ed, const char *key, const char *value, struct err *e)
{
	int r = vmedit_set(ed, VMCONF_MAIN, key, value, e);

	if (r == 0)
		r = vmedit_unset(ed, VMCONF_PENDING, key, e);
	return r == 0 ? list_removal(ed, key, false, e) : r;
}

static int put_later(struct vmedit *ed, const char *key, const char *value, struct err *e)
{
	const char *current = vmconf_current(ed->now, key);
	bool as_it_is = current && strcmp(current, *value ? value : " ") == 0;
	int r = list_removal(ed, key, false, e);

	if (r < 0)
		return r;
	return as_it_is ? vmedit_unset(ed, VMCONF_PENDING, key, e) : vmedit_set(ed, VMCONF_PENDING, key, value, e);
}

int vmedit_put(struct vmedit *ed, const char *key, const char *value, struct err *e)
{
	return ed->running && !vmedit_at_once(key) ? put_later(ed, key, value, e) : put_now(ed, key, value, e);
}

/* --- drop -------------------------------------------------------------------------------------- */

static bool is_gone(const struct vmedit *ed, const char *word)
{
	const char *p = ed->gone.s;
	size_t n = strlen(word);

	for (; (p = strstr(p, word)); p += n)
		if (p > ed->gone.s && p[-1] == ' ' && p[n] == ' ')
			return true;
	return false;
}

/* The order without what was dropped, as print_bootorder() has it. */
static int order_left(const struct vmedit *ed, struct slice order, const char *key, bool *ret_found,
		      struct str *ret)
{
	_cleanup_(str_release) struct str copy = STR_INIT;
	char *cursor, *word;

	str_addn(&copy, order.s, order.len);
	cursor = copy.s;
	while (!copy.failed && (word = str_token(&cursor, DELETE_SEPARATORS))) {
		*ret_found |= strcmp(word, key) == 0;
		if (!is_gone(ed, word))
			str_addf(ret, "%s%s", ret->len ? ";" : "order=", word);
	}
	return copy.failed || ret->failed ? -ENOMEM : 0;
}

/* Proxmox starts from the current order, even when another one waits; several removals in one go
 * add up.  Of an order with nothing in it "" is left. */
static int leave_boot_order(struct vmedit *ed, const char *key, struct err *e)
{
	const char *boot = vmconf_current(ed->now, "boot");
	_cleanup_(str_release) struct str left = STR_INIT;
	const struct slice *order;
	struct err ignored = ERR_INIT;
	struct propstr p;
	bool found = false;

	if (str_addf(&ed->gone, " %s ", key) < 0)
		return err_nomem(e);
	if (!boot || propstr_parse(&schema_format_boot, boot, strlen(boot), NULL, &p, &ignored) < 0)
		return 0;
	order = propstr_get(&p, "order");
	if (!order)
		return 0;
	if (order_left(ed, *order, key, &found, &left) < 0)
		return err_nomem(e);
	return found ? vmedit_put(ed, "boot", left.s, e) : 0;
}

int vmedit_drop(struct vmedit *ed, const char *key, struct err *e)
{
	int r = leave_boot_order(ed, key, e);

	if (r == 0)
		r = vmedit_unset(ed, VMCONF_PENDING, key, e);
	if (r < 0)
		return r;
	if (ed->running && !vmedit_at_once(key))
		return list_removal(ed, key, vmconf_current(ed->now, key) != NULL, e);
	r = vmedit_unset(ed, VMCONF_MAIN, key, e);
	return r == 0 ? list_removal(ed, key, false, e) : r;
}
