// SPDX-License-Identifier: GPL-2.0-or-later
/* Services by name: see units.h. */
#include "units.h"

#include <errno.h>
#include <string.h>

#include "array.h"
#include "plan_free.h"
#include "str.h"

struct units { struct unit *v; size_t n, size; };

static int add_unit(struct host *h, struct units *u, const char *name)
{
	struct unit one;

	if (str_copy(one.name, sizeof(one.name), name) < 0 || !free_unit_is_active(h, name))
		return 0;
	for (size_t i = 0; i < u->n; i++)
		if (strcmp(u->v[i].name, name) == 0)
			return 0;
	if (array_room(&u->v, u->n, &u->size, sizeof(one)) < 0)
		return -ENOMEM;
	u->v[u->n++] = one;
	return 0;
}

static int add_words(struct host *h, struct units *u, const char *text)
{
	char copy[256], *cursor = copy, *word;
	int r = str_copy(copy, sizeof(copy), text);

	while (r == 0 && (word = str_token(&cursor, " ")))
		r = add_unit(h, u, word);
	return r;
}

int units_find(struct host *h, const struct settings_list *services, const struct quirk_hit *quirks, size_t n_quirks,
	       struct unit **ret, size_t *ret_n, struct err *e)
{
	const char *listed = strchr(services->text, ' ');
	struct units u = { NULL, 0, 0 };
	int r = listed ? add_words(h, &u, listed) : 0;

	for (size_t i = 0; r == 0 && str_starts(services->text, "auto") && i < n_quirks; i++)
		r = add_words(h, &u, quirks[i].quirk.services);
	if (r < 0) {
		free(u.v);
		return err_nomem(e);
	}
	*ret = u.v;
	*ret_n = u.n;
	return 0;
}

/* --- what goes down with them --------------------------------------------------------------------- */

#define ASK_MS 5000		/* for all of them */

/* systemd: src/core/unit-dependency-atom.c, UNIT_ATOM_PROPAGATE_STOP. */
#define PULLING "RequiredBy,RequisiteOf,BoundBy,ConsistsOf,PropagatesStopTo"

/* Each unit is asked about once. */
struct pulls {
	struct host *h;
	uint64_t until;
	struct units asked;
	struct pull *v;
	size_t n, size;
};

static int add_pull(struct pulls *p, const char *unit, const char *with)
{
	struct pull one = { 0 };

	if (!free_unit_is_active(p->h, with) || str_copy(one.unit.name, sizeof(one.unit.name), unit) < 0)
		return 0;
	if (str_copy(one.with.name, sizeof(one.with.name), with) < 0)
		return -ENAMETOOLONG;
	if (array_room(&p->v, p->n, &p->size, sizeof(one)) < 0)
		return -ENOMEM;
	p->v[p->n++] = one;
	return add_unit(p->h, &p->asked, with);
}

/* "RequiredBy=a.service b.service", a line for each of them that this systemd knows. */
static int read_answer(struct pulls *p, const char *unit, char *text)
{
	char *line, *word;
	int r = 0;

	while (r == 0 && (line = str_token(&text, "\n"))) {
		char *names = strchr(line, '=');

		if (!names++)
			continue;
		while (r == 0 && (word = str_token(&names, " ")))
			r = add_pull(p, unit, word);
	}
	return r;
}

static int ask_about(struct pulls *p, const char *unit, struct err *e)
{
	const char *const argv[] = { "/usr/bin/systemctl", "show", "-p", PULLING, "--", unit, NULL };
	uint64_t now = host_now(p->h);
	struct host_run done;
	int r = now < p->until ? host_run(p->h, argv, p->until - now, &done) : -ETIMEDOUT;

	if (r == -EPERM && !p->h->real)
		return 0;
	if (r == 0 && done.timed_out)
		r = -ETIMEDOUT;
	else if (r == 0 && done.status != 0)
		r = -EIO;
	else if (r == 0 && strlen(done.output) == sizeof(done.output) - 1)
		r = -ENAMETOOLONG;
	if (r == 0)
		r = read_answer(p, unit, done.output);
	return r < 0 ? err_set(e, -r, "cannot ask systemd what it would stop together with %s ('systemctl show -p %s %s'): %s",
			       unit, PULLING, unit, err_text(r)) : 0;
}

int units_pulled(struct host *h, const struct settings_list *services, const struct unit *units, size_t n_units,
		 const struct inuse *inuse, struct pull **ret, size_t *ret_n, struct err *e)
{
	struct pulls p = { .h = h, .until = host_now(h) + ASK_MS };
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_units; i++)
		r = add_unit(h, &p.asked, units[i].name);
	for (size_t i = 0; r == 0 && str_starts(services->text, "auto") && inuse && i < inuse->n; i++)
		if (strcmp(free_setting(&inuse->v[i]), "services") == 0)
			r = add_unit(h, &p.asked, inuse->v[i].who.unit);
	if (r < 0)
		r = err_nomem(e);
	for (size_t i = 0; r == 0 && i < p.asked.n; i++) {
		struct unit one = p.asked.v[i];		/* the list moves as it grows */

		r = ask_about(&p, one.name, e);
	}
	free(p.asked.v);
	if (r < 0) {
		free(p.v);
		return r;
	}
	*ret = p.v;
	*ret_n = p.n;
	return 0;
}
