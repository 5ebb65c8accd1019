// SPDX-License-Identifier: GPL-2.0-or-later
/* Chains of resets and the look at a card after each: see reset.h. */
#include "reset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "health.h"
#include "reset_int.h"
#include "str.h"
#include "vfio.h"

bool reset_own_works(const struct pdev *d, bool alone)
{
	char list[PDEV_METHODS], *cursor = list, *word;

	if (!d->has_reset)
		return false;
	if (str_copy(list, sizeof(list), d->reset_method) < 0 || !list[0])
		return alone;	/* kernels before 5.15 do not tell: only the write does */
	while ((word = str_token(&cursor, " ")))
		if (alone || strcmp(word, "bus") != 0)
			return true;
	return false;
}

const char *reset_first_method(const struct pdev *d, char *buf, size_t size)
{
	size_t n = strcspn(d->reset_method, " ");

	if (n == 0 || n >= size)
		return "reset";
	memcpy(buf, d->reset_method, n);
	buf[n] = '\0';
	return buf;
}

/* --- the functions' own attribute --------------------------------------------------------------- */

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

struct alone { struct bdf bdf; bool yes; };

static int see_neighbour(void *arg, const char *name)
{
	struct alone *a = arg;
	struct bdf other;

	if (bdf_parse(name, &other) == 0 && bdf_same_bus(other, a->bdf) && !bdf_same(other, a->bdf))
		a->yes = false;
	return 0;
}

/* Lists lie about `bus` (function 0's was made before its siblings were there): only a function alone
 * on its bus can be reset so. */
static bool bus_suits(struct host *h, struct bdf bdf)
{
	struct alone a = { bdf, true };

	return host_list(h, "/sys/bus/pci/devices", see_neighbour, &a) == 0 && a.yes;
}

/* The chosen method alone; afterwards the order as it was, whatever the reset said. */
static int chosen_reset(struct reset_job *j, struct bdf bdf, struct err *e)
{
	char list[PDEV_METHODS];
	struct err back = ERR_INIT;
	bool select;
	int r = host_read_line(j->h, pdev_path(bdf, "reset_method").s, list, sizeof(list)), q;

	if (r < 0 || !has_word(list, j->method))
		return err_set(e, ENOTTY, "%s does not offer it", BDF_S(bdf));
	if (strcmp(j->method, "bus") == 0 && !bus_suits(j->h, bdf))
		return err_set(e, ENOTTY, "%s lists it, but is not alone on its bus", BDF_S(bdf));
	select = strcmp(list, j->method) != 0;
	if (select)
		r = driver_attr(j->h, bdf, "reset_method", j->method, j->ns, e);
	if (r < 0)
		return r;
	r = driver_attr(j->h, bdf, "reset", "1", j->ns, e);
	q = select ? driver_attr(j->h, bdf, "reset_method", list, j->ns, &back) : 0;
	if (r == 0 && q < 0) {
		*e = back;
		r = q;
	}
	return r;
}

/* Each function by its own attribute; the first error. */
static int own_resets(struct reset_job *j, struct err *e)
{
	size_t done = 0;
	int first = 0;

	for (size_t i = 0; i < j->n; i++) {
		struct err mine = ERR_INIT;
		int r;

		if (!host_exists(j->h, pdev_path(j->fns[i], "reset").s))
			continue;
		r = j->method ? chosen_reset(j, j->fns[i], &mine) :
		    driver_attr(j->h, j->fns[i], "reset", "1", j->ns, &mine);
		if (r == 0)
			done++, j->reached |= (uint64_t)1 << i;
		else if (first == 0 || first == -ENOTTY)
			first = j->method ? err_set(e, -r, "%s", mine.msg) :
				err_set(e, -r, "the kernel's reset of %s failed: %s%s", BDF_S(j->fns[i]), err_text(r),
					r == -ENOTTY ? " (no method works for it)" : "");
	}
	/* An attribute that promised what it cannot do is no failure of those that could. */
	if (first == -ENOTTY && done > 0)
		*e = (struct err)ERR_INIT, first = 0;
	if (first == 0 && done == 0)
		return err_set(e, ENOTTY, "the kernel offers no reset for %s", BDF_S(j->fns[0]));
	return first;
}

static int vfio_each(struct reset_job *j, struct err *e)
{
	return vfio_function_reset(j->h, j->fns, j->n, j->ns, e);
}

static int vfio_hot(struct reset_job *j, struct err *e)
{
	return vfio_hot_reset(j->h, j->fns, j->n, j->ns, e);
}

/* --- the table ------------------------------------------------------------------------------------ */

static const struct method {
	const char *name;
	int (*act)(struct reset_job *j, struct err *e);
	bool own;		/* of the kernel's list */
	bool wide;
	bool wakes_the_dead;	/* can help where nothing answers; the others would only poll for a minute */
	bool by_hand;		/* never part of a chain */
	const char *why;
} methods[] = {
	{ "device_specific", own_resets, true, false, true, false, "what the kernel, or the module vendor-reset, knows about this device" },
	{ "acpi", own_resets, true, false, true, false, "the firmware's _RST method" },
	{ "flr", own_resets, true, false, false, false, "function level reset" },
	{ "af_flr", own_resets, true, false, false, false, "function level reset of conventional PCI" },
	{ "pm", own_resets, true, false, false, false, "D3hot and back, by the kernel" },
	{ "bus", own_resets, true, true, true, false, "reset of the bus, for a function alone on it" },
	{ "cxl_bus", own_resets, true, true, true, false, "reset of the CXL bus" },
	{ "vfio", vfio_each, false, false, false, false, "VFIO's reset of each function" },
	{ "hot", vfio_hot, false, true, true, false, "VFIO hot reset of the whole card" },
	{ "subordinate", reset_wide_subordinate, false, true, true, false, "reset of everything below the port" },
	{ "d3", reset_power_d3, false, false, false, false, "D3hot and back, by power management" },
	{ "reset", own_resets, false, false, false, false, "whatever the kernel picks (before Linux 5.15 it does not tell)" },
	{ "rescan", reset_wide_rescan, false, true, true, false, "off the bus and found again" },
	{ "suspend", reset_suspend, false, false, true, true, "the whole host sleeps for some seconds: its slots lose their power" },
};

static const struct method *method_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

bool reset_is_method(const char *name, const char **why)
{
	const struct method *m = method_named(name);

	if (m && why)
		*why = m->why;
	return m && !m->by_hand;
}

bool reset_is_by_hand(const char *name)
{
	const struct method *m = method_named(name);

	return m && m->by_hand;
}

bool reset_is_wide(const char *name)
{
	const struct method *m = method_named(name);

	return m && m->wide;
}

bool reset_is_own(const char *name)
{
	const struct method *m = method_named(name);

	return m && m->act == own_resets;
}

const char *reset_methods(void)
{
	return "device_specific, acpi, flr, af_flr, pm, bus, cxl_bus, vfio, hot, subordinate, d3, rescan";
}

/* --- guards --------------------------------------------------------------------------------------- */

bool reset_is_ours(const struct reset_job *j, struct bdf bdf)
{
	for (size_t i = 0; i < j->n; i++)
		if (bdf_same(j->fns[i], bdf))
			return true;
	return false;
}

int reset_is_free(struct reset_job *j, struct err *e)
{
	char now[PDEV_NAME];

	for (size_t i = 0; i < j->n; i++) {
		int r = driver_current(j->h, j->fns[i], now, sizeof(now), e);

		if (r < 0)
			return r;
		if (strcmp(now, "vfio-pci") != 0)
			return err_set(e, EBUSY, "%s is on '%s' instead of vfio-pci: somebody else moved it",
				       BDF_S(j->fns[i]), now);
	}
	return 0;
}

/* --- chains --------------------------------------------------------------------------------------- */

struct chain {
	struct reset_job job;
	struct health_mark before[RESET_FUNCTIONS];
	struct str said;	/* "flr: ...; hot: ..." */
	int first;		/* the first errno of a method that was offered */
	bool dead;		/* after what was tried last */
};

static void say(struct chain *c, const char *name, const char *what)
{
	(void)str_addf(&c->said, "%s%s: %s", c->said.len ? "; " : "", name, what);
}

static int look_after(struct chain *c, struct err *e)
{
	for (size_t i = 0; i < c->job.n; i++) {
		int r = health_after(c->job.h, c->job.fns[i], &c->before[i], e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* 0: it worked. */
static int try(struct chain *c, const struct method *m, bool exact)
{
	struct err e = ERR_INIT;
	bool not_offered;
	int r;

	if (c->dead && !m->wakes_the_dead) {
		say(c, m->name, "of no use to a card that does not answer");
		return -EIO;
	}
	c->job.method = m->own && exact ? m->name : NULL;
	c->job.reached = 0;
	r = reset_is_free(&c->job, &e);
	if (r == 0)
		r = m->act(&c->job, &e);
	not_offered = r == -ENOTTY || r == -ENODEV;
	if (r == 0) {
		r = look_after(c, &e);
		c->dead = r < 0;
	}
	if (r < 0) {
		say(c, m->name, e.msg);
		if (!not_offered && c->first == 0)
			c->first = r;
	}
	return r;
}

static void begin(struct chain *c)
{
	for (size_t i = 0; i < c->job.n; i++) {
		health_before(c->job.h, c->job.fns[i], &c->before[i]);
		c->dead = c->dead || c->before[i].dead;
	}
}

static int conclude(struct chain *c, struct reset_result *ret, struct err *e)
{
	if (c->dead)
		return err_set(e, EIO, "%s is dead, and no reset brings it back (%s); left are 'pve-gpu reset %s --chain', "
			       "'--method suspend' and a power cycle of the host", BDF_S(c->job.fns[0]), c->said.s,
			       BDF_S(c->job.fns[0]));
	if (c->first)
		return err_set(e, -c->first, "no reset of %s worked: %s", BDF_S(c->job.fns[0]), c->said.s);
	snprintf(ret->used, sizeof(ret->used), "none");
	return 0;
}

static void worked(const struct chain *c, const struct method *m, struct reset_result *ret)
{
	uint64_t all = c->job.n < 64 ? ((uint64_t)1 << c->job.n) - 1 : ~(uint64_t)0;

	snprintf(ret->used, sizeof(ret->used), "%s", m->name);
	ret->reached = m->act == own_resets ? c->job.reached : all;
}

int reset_run(struct host *h, const char *chain, bool exact, const struct bdf *fns, size_t n,
	      struct reset_result *ret, struct err *e)
{
	struct chain c = { .job = { .h = h, .fns = fns, .n = n, .ns = &ret->ns }, .said = STR_INIT };
	uint64_t end = host_now(h) + RESET_BEGIN_MS;
	char list[PDEV_METHODS], *cursor = list, *word;
	int r = -ENOTTY;

	if (n == 0 || n > RESET_FUNCTIONS || str_copy(list, sizeof(list), chain) < 0)
		return err_set(e, EINVAL, "a reset of %zu functions by '%s' makes no sense", n, chain);
	begin(&c);
	while (r < 0 && (word = str_token(&cursor, " ")) && host_now(h) < end) {
		const struct method *m = method_named(word);

		if (!m)
			r = err_set(e, EINVAL, "'%s' is no way to reset a device", word);
		else if ((r = try(&c, m, exact)) == 0)
			worked(&c, m, ret);
		if (!m)
			break;
	}
	if (r < 0 && e->code == 0)
		r = conclude(&c, ret, e);
	str_release(&c.said);
	return r;
}
