// SPDX-License-Identifier: GPL-2.0-or-later
/* Services by name: see units.h. */
#include "units.h"

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
