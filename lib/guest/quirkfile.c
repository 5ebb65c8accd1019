// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading quirks: see quirkfile.h. */
#include "quirkfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "settings.h"
#include "str.h"

struct search {
	struct host *h;
	const struct snapshot *s;
	const struct bdf *fns;
	size_t n;
	struct quirk now;		/* the section being read; no name = none yet */
	struct quirk_hit *hits;
	size_t n_hits, size;
};

static int keep(struct search *k, struct bdf bdf, struct err *e)
{
	if (array_room(&k->hits, k->n_hits, &k->size, sizeof(*k->hits)) < 0)
		return err_nomem(e);
	k->hits[k->n_hits].bdf = bdf;
	k->hits[k->n_hits++].quirk = k->now;
	return 0;
}

static int end_section(struct search *k, struct err *e)
{
	int r = k->now.name[0] ? quirk_check(&k->now, e) : 0;

	for (size_t i = 0; r == 0 && k->now.name[0] && i < k->n; i++) {
		const struct pdev *d = snapshot_get(k->s, k->fns[i]);

		if (d && quirk_fits(&k->now, d) && quirk_module_is_there(k->h, &k->now))
			r = keep(k, k->fns[i], e);
	}
	memset(&k->now, 0, sizeof(k->now));
	return r;
}

/* A settings_line_fn. */
static int take_line(void *arg, const char *section, const char *key, const char *value, struct err *e)
{
	struct search *k = arg;
	int r = strcmp(k->now.name, section) != 0 ? end_section(k, e) : 0;

	if (r == 0 && !k->now.name[0] && str_copy(k->now.name, sizeof(k->now.name), section) < 0)
		r = err_set(e, EINVAL, "the name [%s] is too long", section);
	return r == 0 ? quirk_set(&k->now, key, value, e) : r;
}

static int read_file(struct search *k, const char *path, struct err *e)
{
	int r = settings_each(k->h, path, take_line, k, e);

	if (r == -ENOENT)
		return 0;
	return r == 0 && end_section(k, e) < 0 ? err_wrap(e, "%s", path) : r;
}

struct files { char **v; size_t n, size; };

static int add_file(void *arg, const char *name)
{
	struct files *f = arg;
	size_t len = strlen(name);

	if (name[0] == '.' || len < 5 || strcmp(name + len - 4, ".ini") != 0)
		return 0;
	if (array_room(&f->v, f->n, &f->size, sizeof(*f->v)) < 0 || asprintf(&f->v[f->n], QUIRKS_DIR "/%s", name) < 0)
		return -ENOMEM;
	f->n++;
	return 0;
}

static int read_folder(struct search *k, struct err *e)
{
	struct files f = { NULL, 0, 0 };
	int r = host_list(k->h, QUIRKS_DIR, add_file, &f);

	if (r == -ENOENT)
		r = 0;
	if (r < 0)
		err_set(e, -r, "cannot list the quirks in " QUIRKS_DIR ": %s", err_text(r));
	if (f.n)
		qsort(f.v, f.n, sizeof(*f.v), str_compare);
	for (size_t i = 0; i < f.n; i++) {
		if (r == 0)
			r = read_file(k, f.v[i], e);
		free(f.v[i]);
	}
	free(f.v);
	return r;
}

int quirkfile_find(struct host *h, const struct snapshot *s, const struct bdf *fns, size_t n,
		   struct quirk_hit **ret, size_t *ret_n, struct err *e)
{
	struct search k = { .h = h, .s = s, .fns = fns, .n = n };
	int r = read_file(&k, QUIRKS_FILE, e);

	if (r == 0)
		r = read_folder(&k, e);
	if (r < 0) {
		free(k.hits);
		return r;
	}
	*ret = k.hits;
	*ret_n = k.n_hits;
	return 0;
}
