// SPDX-License-Identifier: GPL-2.0-or-later
/* What uses PCI functions: see inuse.h. */
#include "inuse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inuse_scan.h"
#include "inuse_text.h"

struct inuse_finding *inuse_scan_add(struct inuse_scan *s, size_t fn, enum inuse_kind kind,
				     enum inuse_weight weight, const char *object)
{
	struct inuse *u = s->ret;
	struct inuse_finding *f;

	if (u->n == s->size) {
		size_t size = s->size ? s->size * 2 : 8;
		struct inuse_finding *v = realloc(u->v, size * sizeof(*v));

		if (!v)
			return NULL;
		u->v = v;
		s->size = size;
	}
	f = &u->v[u->n++];
	memset(f, 0, sizeof(*f));
	f->bdf = s->fns[fn];
	f->kind = kind;
	f->weight = weight;
	inuse_text_safe(f->object, sizeof(f->object), object);
	return f;
}

const char *inuse_kind_name(enum inuse_kind kind)
{
	static const char *const names[] = {
		[INUSE_PROCESS] = "process", [INUSE_VFIO] = "vfio", [INUSE_MOUNT] = "mount", [INUSE_SWAP] = "swap",
		[INUSE_STORAGE] = "storage", [INUSE_NET] = "net", [INUSE_KEYBOARD] = "keyboard", [INUSE_USB] = "usb",
		[INUSE_DISPLAY] = "display", [INUSE_BOOT_DISPLAY] = "boot-display", [INUSE_ONLY_DISPLAY] = "only-display",
		[INUSE_BMC_DISPLAY] = "bmc-display", [INUSE_LAST_INPUT] = "last-input",
	};

	return names[kind];
}

const char *inuse_weight_name(enum inuse_weight weight)
{
	static const char *const names[] = {
		[INUSE_NOTE] = "note", [INUSE_MAYBE] = "maybe", [INUSE_BUSY] = "busy", [INUSE_HANGS] = "hangs",
		[INUSE_CRITICAL] = "critical",
	};

	return names[weight];
}

struct inuse_finding *inuse_scan_get(struct inuse_scan *s, size_t fn, enum inuse_kind kind, const char *object)
{
	for (size_t i = 0; i < s->ret->n; i++) {
		struct inuse_finding *f = &s->ret->v[i];

		if (f->kind == kind && bdf_same(f->bdf, s->fns[fn]) && strcmp(f->object, object) == 0)
			return f;
	}
	return NULL;
}

bool inuse_scan_goes(const struct inuse_scan *s, struct bdf of, struct bdf that)
{
	for (size_t i = 0; i < s->n; i++)
		if (bdf_same(s->fns[i], that))
			return !s->needs || !s->needs->apart || bdf_same_slot(of, that);
	return false;
}

const struct inuse_need *inuse_scan_need(const struct inuse_scan *s, enum inuse_need_kind kind, const char *name)
{
	for (size_t i = 0; s->needs && i < s->needs->n; i++)
		if (s->needs->v[i].kind == kind && strcmp(s->needs->v[i].name, name) == 0)
			return &s->needs->v[i];
	return NULL;
}

/* The place of a finding in the answer: the same whatever the order of a folder's entries. */
struct place {
	size_t fn;
	const struct inuse_finding *f;
};

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int r;

	if (x->fn != y->fn)
		return x->fn < y->fn ? -1 : 1;
	if (x->f->weight != y->f->weight)
		return x->f->weight > y->f->weight ? -1 : 1;
	if (x->f->kind != y->f->kind)
		return x->f->kind < y->f->kind ? -1 : 1;
	if (x->f->who.pid != y->f->who.pid)
		return x->f->who.pid < y->f->who.pid ? -1 : 1;
	r = strcmp(x->f->object, y->f->object);
	return r ? r : strcmp(x->f->text, y->f->text);
}

static size_t function_index(const struct inuse_scan *s, struct bdf bdf)
{
	size_t i = 0;

	while (i < s->n && !bdf_same(s->fns[i], bdf))
		i++;
	return i;
}

static int sort(struct inuse_scan *s, struct err *e)
{
	struct inuse *u = s->ret;
	struct place *places = calloc(u->n + 1, sizeof(*places));
	struct inuse_finding *v = calloc(u->n + 1, sizeof(*v));

	if (!places || !v) {
		free(places);
		free(v);
		return err_nomem(e);
	}
	for (size_t i = 0; i < u->n; i++)
		places[i] = (struct place){ function_index(s, u->v[i].bdf), &u->v[i] };
	qsort(places, u->n, sizeof(*places), by_place);
	for (size_t i = 0; i < u->n; i++)
		v[i] = *places[i].f;
	free(places);
	free(u->v);
	u->v = v;
	return 0;
}

static int walk(struct inuse_scan *s, struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		int r = inuse_walk(&s->parts, s->h, s->fns[i], i);

		if (r == -ENOMEM)
			return err_nomem(e);
		if (r < 0)
			return err_set(e, -r, "cannot look through the devices of %s in /sys: %s",
				       BDF_S(s->fns[i]), err_text(r));
	}
	return 0;
}

int inuse_scan(struct host *h, const struct bdf *fns, size_t n, const struct inuse_needs *needs,
	       struct inuse **ret, struct err *e)
{
	struct inuse_scan s = { .h = h, .fns = fns, .n = n, .needs = needs };
	int r;

	s.ret = calloc(1, sizeof(*s.ret));
	if (!s.ret)
		return err_nomem(e);
	r = walk(&s, e);
	if (r == 0)
		r = inuse_users(&s, e);
	if (r == 0)
		r = inuse_storage(&s, e);
	if (r == 0)
		r = inuse_network(&s, e);
	if (r == 0)
		r = inuse_usb(&s, e);
	if (r == 0)
		r = inuse_display(&s, e);
	if (r == 0)
		r = sort(&s, e);
	inuse_parts_release(&s.parts);
	if (r < 0)
		inuse_free(s.ret);
	else
		*ret = s.ret;
	return r;
}

void inuse_free(struct inuse *u)
{
	if (u)
		free(u->v);
	free(u);
}

void inuse_freep(struct inuse **u)
{
	inuse_free(*u);
}
