// SPDX-License-Identifier: GPL-2.0-or-later
/* Unified diffs: see diff.h.  An edit touches few lines, so looking a little ahead finds where two
 * texts meet again; what it misses makes a diff longer, never wrong. */
#include "diff.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

#define AROUND 3
#define AHEAD 200

struct line { const char *s; size_t len; };		/* line feed included */
struct lines { struct line *list; size_t n, size; };

/* One line of the result: ' ' is in both, '-' and '+' in one. */
struct op { char what; size_t a, b; };
struct ops { struct op *list; size_t n, size; };

static int cut(const char *s, size_t len, struct lines *ret)
{
	for (const char *end = s + len; s < end; ) {
		const char *feed = memchr(s, '\n', (size_t)(end - s)), *next = feed ? feed + 1 : end;

		if (array_room(&ret->list, ret->n, &ret->size, sizeof(*ret->list)) < 0)
			return -ENOMEM;
		ret->list[ret->n++] = (struct line){ s, (size_t)(next - s) };
		s = next;
	}
	return 0;
}

static bool same(const struct lines *a, size_t i, const struct lines *b, size_t k)
{
	return a->list[i].len == b->list[k].len && memcmp(a->list[i].s, b->list[k].s, a->list[i].len) == 0;
}

static int add(struct ops *o, char what, size_t a, size_t b)
{
	if (array_room(&o->list, o->n, &o->size, sizeof(*o->list)) < 0)
		return -ENOMEM;
	o->list[o->n++] = (struct op){ what, a, b };
	return 0;
}

/* How many lines to leave out on either side until they agree again; all of them when they do not. */
static void meet(const struct lines *a, size_t i, const struct lines *b, size_t k, size_t *ret_a, size_t *ret_b)
{
	for (size_t d = 1; d < AHEAD; d++)
		for (size_t n = 0; n <= d; n++)
			if (i + n < a->n && k + d - n < b->n && same(a, i + n, b, k + d - n)) {
				*ret_a = n;
				*ret_b = d - n;
				return;
			}
	*ret_a = a->n - i;
	*ret_b = b->n - k;
}

static int compare(const struct lines *a, const struct lines *b, struct ops *o)
{
	size_t i = 0, k = 0;
	int r = 0;

	while (r == 0 && (i < a->n || k < b->n)) {
		size_t out = a->n - i, in = b->n - k;

		if (out && in && same(a, i, b, k)) {
			r = add(o, ' ', i++, k++);
			continue;
		}
		if (out && in)
			meet(a, i, b, k, &out, &in);
		while (r == 0 && out--)
			r = add(o, '-', i++, k);
		while (r == 0 && in--)
			r = add(o, '+', i, k++);
	}
	return r;
}

/* --- hunks ------------------------------------------------------------------------------------- */

/* The hunk around change `i` ends where more than twice the context is unchanged. */
static size_t hunk_end(const struct ops *o, size_t i)
{
	size_t last = i;

	for (; i < o->n && i - last <= 2 * AROUND; i++)
		if (o->list[i].what != ' ')
			last = i;
	return last + 1 + AROUND < o->n ? last + 1 + AROUND : o->n;
}

static void put_range(struct str *s, char sign, size_t first, size_t n)
{
	(void)str_addf(s, n == 1 ? "%c%zu" : "%c%zu,%zu", sign, n ? first + 1 : first, n);
}

static void put_hunk(struct str *s, const struct ops *o, size_t from, size_t to, const struct lines *a,
		     const struct lines *b)
{
	size_t na = 0, nb = 0;

	for (size_t i = from; i < to; i++) {
		na += o->list[i].what != '+';
		nb += o->list[i].what != '-';
	}
	(void)str_add(s, "@@ ");
	put_range(s, '-', o->list[from].a, na);
	(void)str_add(s, " ");
	put_range(s, '+', o->list[from].b, nb);
	(void)str_add(s, " @@\n");
	for (size_t i = from; i < to; i++) {
		const struct op *p = &o->list[i];
		const struct line *line = p->what == '+' ? &b->list[p->b] : &a->list[p->a];

		(void)str_addn(s, &p->what, 1);
		(void)str_addn(s, line->s, line->len);
		if (line->s[line->len - 1] != '\n')
			(void)str_add(s, "\n\\ No newline at end of file\n");
	}
}

static void put_all(struct str *s, const char *name, const struct ops *o, const struct lines *a,
		    const struct lines *b)
{
	bool first = true;

	for (size_t i = 0; i < o->n; i++) {
		size_t end;

		if (o->list[i].what == ' ')
			continue;
		if (first)
			(void)str_addf(s, "--- a%s\n+++ b%s\n", name, name);
		first = false;
		end = hunk_end(o, i);
		put_hunk(s, o, i > AROUND ? i - AROUND : 0, end, a, b);
		i = end - 1;
	}
}

int diff_unified(const char *name, const char *before, size_t before_len, const char *after, size_t after_len,
		 struct str *ret)
{
	struct lines a = { NULL, 0, 0 }, b = { NULL, 0, 0 };
	struct ops o = { NULL, 0, 0 };
	int r = cut(before, before_len, &a);

	if (r == 0)
		r = cut(after, after_len, &b);
	if (r == 0)
		r = compare(&a, &b, &o);
	if (r == 0)
		put_all(ret, name, &o, &a, &b);
	free(a.list);
	free(b.list);
	free(o.list);
	return r < 0 || ret->failed ? -ENOMEM : 0;
}
