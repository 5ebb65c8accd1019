// SPDX-License-Identifier: GPL-2.0-or-later
/* Single lines of pci.cfg: see mapedit.h. */
#include "mapedit.h"

#include <errno.h>
#include <string.h>

int mapedit_init(struct mapedit *ed, const char *bytes, size_t len, struct err *e)
{
	return section_parse(bytes, len, SECTION_ID, &ed->now, e);
}

void mapedit_release(struct mapedit *ed)
{
	section_release(&ed->now);
}

void mapedit_maps(const struct section *s, const struct section_prop *list[], size_t max, size_t *ret_n)
{
	*ret_n = 0;
	for (size_t i = 0; i < s->n_props && *ret_n < max; i++)
		if (strcmp(s->props[i].key, "map") == 0)
			list[(*ret_n)++] = &s->props[i];
}

static int splice(struct mapedit *ed, size_t start, size_t end, const struct str *text, struct err *e)
{
	_cleanup_(str_release) struct str all = STR_INIT;
	struct section_file next = SECTION_FILE_INIT;
	int r;

	(void)str_addn(&all, ed->now.raw, start);
	(void)str_addn(&all, text->s, text->len);
	(void)str_addn(&all, ed->now.raw + end, ed->now.len - end);
	if (all.failed || text->failed)
		return err_nomem(e);
	if (all.len > SECTION_FILE_MAX)
		return err_set(e, EFBIG, "'%s' would become larger than 1 MiB, which Proxmox cannot store", MAPPING_FILE);
	r = section_parse(all.s, all.len, SECTION_ID, &next, e);
	if (r < 0)
		return r;
	section_release(&ed->now);
	ed->now = next;
	return 0;
}

/* The line is there as Proxmox would read it. */
static int check(struct mapedit *ed, const char *name, const char *map, struct err *e)
{
	const struct section *s = section_find(&ed->now, name);
	struct propstr p;
	int r = propstr_parse(&mapping_map_fmt, map, strlen(map), NULL, &p, e);

	if (r < 0)
		return err_wrap(e, "mapping '%s'", name);
	for (size_t i = 0; s && i < s->n_props; i++)
		if (strcmp(s->props[i].key, "map") == 0 && strcmp(s->props[i].value, map) == 0)
			return 0;
	return err_set(e, EINVAL, "'%s' as it is does not let Proxmox read the mapping '%s' from it: correct the file first",
		       MAPPING_FILE, name);
}

static int append_section(struct mapedit *ed, const char *name, const char *map, struct err *e)
{
	_cleanup_(str_release) struct str text = STR_INIT;
	const char *raw = ed->now.raw;
	size_t len = ed->now.len;

	/* Only an empty line ends the section before. */
	if (len && raw[len - 1] != '\n')
		(void)str_add(&text, "\n");
	if (len && !(len > 1 && raw[len - 1] == '\n' && raw[len - 2] == '\n'))
		(void)str_add(&text, "\n");
	(void)str_addf(&text, "%s\n\tmap %s\n", name, map);
	return splice(ed, len, len, &text, e);
}

/* Where the header's line ends. */
static size_t header_end(const struct mapedit *ed, const struct section *s)
{
	const char *feed = memchr(ed->now.raw + s->start, '\n', s->end - s->start);

	return feed ? (size_t)(feed - ed->now.raw) + 1 : s->end;
}

int mapedit_add(struct mapedit *ed, const char *name, const char *map, struct err *e)
{
	const struct section *s = section_find(&ed->now, name);
	_cleanup_(str_release) struct str text = STR_INIT;
	size_t at;
	int r;

	if (!s) {
		r = append_section(ed, name, map, e);
		return r == 0 ? check(ed, name, map, e) : r;
	}
	at = header_end(ed, s);
	for (size_t i = 0; i < s->n_props; i++)
		if (strcmp(s->props[i].key, "map") == 0)
			at = s->props[i].end;
	if (at && ed->now.raw[at - 1] != '\n')
		(void)str_add(&text, "\n");
	(void)str_addf(&text, "\tmap %s\n", map);
	r = splice(ed, at, at, &text, e);
	return r == 0 ? check(ed, name, map, e) : r;
}

static const char *line_end(const char *line, size_t n)
{
	if (!n || line[n - 1] != '\n')
		return "";
	return n > 1 && line[n - 2] == '\r' ? "\r\n" : "\n";
}

int mapedit_replace(struct mapedit *ed, const char *name, size_t i, const char *map, struct err *e)
{
	const struct section *s = section_find(&ed->now, name);
	_cleanup_(str_release) struct str text = STR_INIT;

	for (size_t k = 0; s && k < s->n_props; k++) {
		const struct section_prop *p = &s->props[k];
		size_t n = p->end - p->start;
		int r;

		if (strcmp(p->key, "map") != 0 || i-- > 0)
			continue;
		if (map)	/* what stands before the value, and how the line ends, stay */
			(void)str_addf(&text, "%.*smap %s%s", (int)strspn(ed->now.raw + p->start, " \t"),
				       ed->now.raw + p->start, map, line_end(ed->now.raw + p->start, n));
		r = splice(ed, p->start, p->end, &text, e);
		return r == 0 && map ? check(ed, name, map, e) : r;
	}
	return err_set(e, ENOENT, "there is no such line in the mapping '%s'", name);
}

int mapedit_remove(struct mapedit *ed, const char *name, struct err *e)
{
	const struct str nothing = STR_INIT;
	const struct section *s;
	bool found = false;
	int r = 0;

	while (r == 0 && (s = section_find(&ed->now, name))) {
		size_t end = s->end;

		if (end < ed->now.len && ed->now.raw[end] == '\n')
			end++;
		r = splice(ed, s->start, end, &nothing, e);
		found = true;
	}
	if (r == 0 && !found)
		return err_set(e, ENOENT, "there is no mapping '%s' in '%s'", name, MAPPING_FILE);
	return r;
}
