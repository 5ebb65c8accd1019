// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine's PCI functions at one moment: see snapshot.h. */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

struct snapshot {
	struct bdf *address;		/* ascending */
	struct pdev **record;		/* parallel; NULL = not read */
	size_t n, size;
	bool iommu, vfio;
};

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->record && i < s->n; i++)
		free(s->record[i]);
	free(s->record);
	free(s->address);
	free(s);
}

void snapshot_freep(struct snapshot **s)
{
	snapshot_free(*s);
	*s = NULL;
}

static int add_address(void *arg, const char *name)
{
	struct snapshot *s = arg;
	struct bdf a, *grown;

	if (bdf_parse(name, &a) < 0)
		return 0;	/* not an address: nothing the kernel makes, so not ours to judge */
	if (s->n == s->size) {
		s->size = s->size ? 2 * s->size : 64;
		grown = realloc(s->address, s->size * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		s->address = grown;
	}
	s->address[s->n++] = a;
	return 0;
}

static int any_name(void *arg, const char *name)
{
	(void)name;
	*(bool *)arg = true;
	return 1;
}

int snapshot_open(struct host *h, struct snapshot **ret, struct err *e)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_nomem(e);
	r = host_list(h, "/sys/bus/pci/devices", add_address, s);
	if (r < 0) {
		snapshot_free(s);
		return err_set(e, -r, "cannot list the PCI devices in /sys/bus/pci/devices: %s", err_text(r));
	}
	s->record = calloc(s->n ? s->n : 1, sizeof(*s->record));
	if (!s->record) {
		snapshot_free(s);
		return err_nomem(e);
	}
	if (s->n)
		qsort(s->address, s->n, sizeof(*s->address), bdf_compare_qsort);
	(void)!host_list(h, "/sys/class/iommu", any_name, &s->iommu);
	s->vfio = host_exists(h, "/sys/bus/pci/drivers/vfio-pci");
	*ret = s;
	return 0;
}

static size_t find(const struct snapshot *s, struct bdf bdf)
{
	const struct bdf *p = s->n ? bsearch(&bdf, s->address, s->n, sizeof(bdf), bdf_compare_qsort) : NULL;

	return p ? (size_t)(p - s->address) : s->n;
}

static int load_one(struct host *h, struct snapshot *s, size_t i, struct err *e)
{
	struct pdev *d;
	int r;

	if (s->record[i])
		return 0;
	d = malloc(sizeof(*d));
	if (!d)
		return err_nomem(e);
	r = pdev_load(h, s->address[i], d, e);
	if (r < 0) {
		free(d);
		return r;
	}
	s->record[i] = d;
	return 1;
}

struct want { struct host *h; struct snapshot *s; struct err *e; };

static int want_member(void *arg, const char *name)
{
	struct want *w = arg;
	struct bdf a;
	size_t i;
	int r;

	if (bdf_parse(name, &a) < 0)
		return 0;
	i = find(w->s, a);
	r = i < w->s->n ? load_one(w->h, w->s, i, w->e) : 0;
	return r < 0 ? r : 0;
}

static int want_group(struct host *h, struct snapshot *s, int group, struct err *e)
{
	struct want w = { h, s, e };
	int r = host_list(h, host_path("/sys/kernel/iommu_groups/%d/devices", group).s, want_member, &w);

	if (r < 0 && e->code == 0)
		return err_set(e, -r, "cannot list the members of IOMMU group %d: %s", group, err_text(r));
	return r;
}

int snapshot_want(struct host *h, struct snapshot *s, struct bdf bdf, struct err *e)
{
	size_t at = find(s, bdf);
	int r;

	if (at == s->n)
		return err_set(e, ENOENT, "there is no PCI device %s", BDF_S(bdf));
	r = load_one(h, s, at, e);
	if (r < 0)
		return r;
	if (s->record[at]->is_vf && find(s, s->record[at]->pf) < s->n) {
		r = load_one(h, s, find(s, s->record[at]->pf), e);
		if (r < 0)
			return r;
	}
	/* The whole bus: what a bus reset would reach, the slot's other functions, a PF's VFs. */
	for (size_t i = 0; i < s->n; i++)
		if (bdf_same_bus(s->address[i], bdf)) {
			r = load_one(h, s, i, e);
			if (r < 0)
				return r;
		}
	return s->record[at]->group < 0 ? 0 : want_group(h, s, s->record[at]->group, e);
}

int snapshot_load(struct host *h, struct snapshot **ret, struct err *e)
{
	struct snapshot *s = NULL;
	int r = snapshot_open(h, &s, e);

	if (r < 0)
		return r;
	for (size_t i = 0; r >= 0 && i < s->n; i++)
		r = load_one(h, s, i, e);
	if (r < 0 && e->code != 0) {
		if (r != -ENOMEM)
			err_hint(e, "(did it just vanish? try again)");
		snapshot_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

size_t snapshot_count(const struct snapshot *s)
{
	return s->n;
}

struct bdf snapshot_address(const struct snapshot *s, size_t i)
{
	return s->address[i];
}

const struct pdev *snapshot_at(const struct snapshot *s, size_t i)
{
	return s->record[i];
}

const struct pdev *snapshot_get(const struct snapshot *s, struct bdf bdf)
{
	size_t i = find(s, bdf);

	return i < s->n ? s->record[i] : NULL;
}

bool snapshot_has_iommu(const struct snapshot *s)
{
	return s->iommu;
}

bool snapshot_has_vfio(const struct snapshot *s)
{
	return s->vfio;
}

void snapshot_learn_open(struct snapshot *s, struct bdf bdf)
{
	size_t i = find(s, bdf);

	if (i < s->n && s->record[i])
		s->record[i]->open = true;
}

void snapshot_learn(struct snapshot *s, struct bdf bdf, const char *override)
{
	size_t i = find(s, bdf);

	if (i < s->n && s->record[i] && str_copy(s->record[i]->override, PDEV_NAME, override) == 0)
		s->record[i]->deep = true;
}

void snapshot_learn_health(struct snapshot *s, struct bdf bdf, bool dead, struct pdev_link link)
{
	size_t i = find(s, bdf);

	if (i < s->n && s->record[i]) {
		s->record[i]->dead = dead;
		s->record[i]->link = link;
	}
}

void snapshot_learn_bar(struct snapshot *s, struct bdf bdf, uint64_t sizes, uint64_t size)
{
	size_t i = find(s, bdf);

	if (i < s->n && s->record[i]) {
		s->record[i]->bar0_sizes = sizes;
		s->record[i]->bar0_size = size;
	}
}

int snapshot_expect(struct snapshot *s, const struct pdev *d)
{
	struct bdf *address;
	struct pdev **record, *own;
	size_t at = 0;

	if (find(s, d->bdf) < s->n)
		return 0;
	own = malloc(sizeof(*own));
	address = realloc(s->address, (s->n + 1) * sizeof(*address));
	if (address) {
		s->address = address;
		s->size = s->n + 1;
	}
	record = realloc(s->record, (s->n + 1) * sizeof(*record));
	if (record)
		s->record = record;
	if (!own || !address || !record) {
		free(own);
		return -ENOMEM;
	}
	*own = *d;
	while (at < s->n && bdf_compare(s->address[at], d->bdf) < 0)
		at++;
	memmove(&s->address[at + 1], &s->address[at], (s->n - at) * sizeof(*address));
	memmove(&s->record[at + 1], &s->record[at], (s->n - at) * sizeof(struct pdev *));
	s->address[at] = d->bdf;
	s->record[at] = own;
	s->n++;
	return 0;
}
