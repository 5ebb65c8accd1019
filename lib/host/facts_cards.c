// SPDX-License-Identifier: GPL-2.0-or-later
/* Facts about the graphics cards that their records do not have: see facts.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "facts_int.h"
#include "scout.h"

#define SCOUT_MS 5000

/* "0x... 0x... 0x..." per line: start, end, flags */
static void read_bars(struct host *h, struct card *c)
{
	char buf[1024], *cursor = buf, *line;
	ssize_t n = host_read(h, pdev_path(c->d->bdf, "resource").s, buf, sizeof(buf) - 1);

	if (n < 0)
		return;
	buf[n] = '\0';
	for (size_t i = 0; i < FACT_BARS && (line = str_token(&cursor, "\n")); i++) {
		uint64_t v[3];
		size_t k;

		for (k = 0; k < ARRAY_SIZE(v); k++) {
			char *word = str_token(&line, " ");

			if (!word || !str_starts(word, "0x") || str_to_u64(word + 2, 16, &v[k]) < 0)
				break;
		}
		if (k == ARRAY_SIZE(v) && v[1] > v[0])
			c->bars[i] = (struct fact_bar){ v[0], v[1] - v[0] + 1, v[2], 0 };
	}
}

/* resourceN_resize: bit k set = the BAR can have 2^(k+20) bytes (Documentation/ABI/testing/sysfs-bus-pci). */
static void read_resizable(struct host *h, struct card *c)
{
	for (size_t i = 0; i < FACT_BARS; i++) {
		uint64_t sizes;
		char attr[32];

		snprintf(attr, sizeof(attr), "resource%zu_resize", i);
		if (host_read_u64(h, pdev_path(c->d->bdf, attr).s, 16, &sizes) < 0)
			continue;
		for (unsigned k = 0; k < 43; k++)
			if (sizes >> k & 1)
				c->bars[i].largest = 1ull << (k + 20);
	}
}

/* "direct" regions only: "direct-relaxable" does not stand in the way (drivers/iommu/iommu.c). */
static bool has_rmrr(struct host *h, int group)
{
	char buf[4096], *cursor = buf, *line;
	ssize_t n;

	if (group < 0)
		return false;
	n = host_read(h, host_path("/sys/kernel/iommu_groups/%d/reserved_regions", group).s, buf, sizeof(buf) - 1);
	if (n < 0)
		return false;
	buf[n] = '\0';
	while ((line = str_token(&cursor, "\n"))) {
		const char *kind = strrchr(line, ' ');

		if (kind && strcmp(kind + 1, "direct") == 0)
			return true;
	}
	return false;
}

/* A console_memory_fn. */
static void place_framebuffer(void *arg, uint64_t at, const char *name)
{
	struct facts *f = arg;

	for (size_t i = 0; i < f->n_cards; i++)
		for (size_t k = 0; k < FACT_BARS; k++) {
			const struct fact_bar *b = &f->cards[i].bars[k];

			if (b->size && at >= b->start && at - b->start < b->size)
				str_copy(f->cards[i].firmware_fb, sizeof(f->cards[i].firmware_fb), name);
		}
}

static void read_card(struct host *h, struct card *c)
{
	c->rom = host_exists(h, pdev_path(c->d->bdf, "rom").s);
	c->d3cold_allowed = facts_flag(h, pdev_path(c->d->bdf, "d3cold_allowed").s);
	c->rmrr = has_rmrr(h, c->d->group);
	read_bars(h, c);
	read_resizable(h, c);
}

/* A card whose driver hangs must not make the doctor hang, so who uses it may stay unknown. */
static int find_users(struct host *h, struct facts *f, struct err *e)
{
	struct bdf *fns = calloc(f->n_cards + 1, sizeof(*fns));
	struct err why = ERR_INIT;

	if (!fns)
		return err_nomem(e);
	for (size_t i = 0; i < f->n_cards; i++)
		fns[i] = f->cards[i].d->bdf;
	if (f->n_cards && scout(h, f->snapshot, fns, f->n_cards, SCOUT_MS, false, NULL, &f->inuse, &why) < 0)
		snprintf(f->inuse_why, sizeof(f->inuse_why), "%.500s", why.msg);
	free(fns);
	return 0;
}

int facts_cards(struct host *h, struct facts *f, struct err *e)
{
	size_t n = snapshot_count(f->snapshot);

	f->cards = calloc(n + 1, sizeof(*f->cards));
	if (!f->cards)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		const struct pdev *d = snapshot_at(f->snapshot, i);

		if (!d || !pdev_is_gpu(d) || d->bridge)
			continue;
		f->cards[f->n_cards].d = d;
		read_card(h, &f->cards[f->n_cards++]);
	}
	console_each_memory(h, place_framebuffer, f);
	return find_users(h, f, e);
}
