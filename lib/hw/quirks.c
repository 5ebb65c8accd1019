// SPDX-License-Identifier: GPL-2.0-or-later
/* Quirks, word by word: see quirks.h. */
#include "quirks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reset.h"
#include "str.h"

/* Exactly `digits` hex digits. */
static bool hex(const char *text, size_t digits, uint64_t *ret)
{
	return strlen(text) == digits && str_to_u64(text, 16, ret) == 0;
}

/* "1002:67df" or "10de:2340/ffc0" */
static int add_id(struct quirk *q, char *text, struct err *e)
{
	char *colon = strchr(text, ':'), *slash = strchr(text, '/');
	uint64_t vendor, device, mask = 0xffff;

	if (colon)
		*colon = '\0';
	if (slash)
		*slash = '\0';
	if (!colon || !hex(text, 4, &vendor) || !hex(colon + 1, 4, &device) || (slash && !hex(slash + 1, 4, &mask)))
		return err_set(e, EINVAL, "match needs vendor:device or vendor:device/mask in four hex digits each, "
			       "as in 10de:2340/ffc0");
	if (q->n == QUIRK_IDS)
		return err_set(e, EINVAL, "match has more than %d entries: make two quirks of it", QUIRK_IDS);
	q->ids[q->n].vendor = (uint16_t)vendor;
	q->ids[q->n].device = (uint16_t)(device & mask);
	q->ids[q->n++].mask = (uint16_t)mask;
	return 0;
}

static int set_match(struct quirk *q, const char *value, struct err *e)
{
	char copy[256], *cursor = copy, *word;
	int r = str_copy(copy, sizeof(copy), value) < 0 ? err_set(e, EINVAL, "match is too long") : 0;

	while (r == 0 && (word = str_token(&cursor, " \t,")))
		r = add_id(q, word, e);
	return r;
}

/* "03", "0300" or "030000" */
static int set_class(struct quirk *q, const char *value, struct err *e)
{
	size_t n = strlen(value);
	uint64_t v;

	if ((n != 2 && n != 4 && n != 6) || !hex(value, n, &v))
		return err_set(e, EINVAL, "class needs two, four or six hex digits, as in 03 or 0300");
	q->class = (uint32_t)v << (24 - 4 * n);
	q->class_mask = 0xffffffU << (24 - 4 * n) & 0xffffff;
	return 0;
}

static int set_methods(const char *key, const char *value, char *to, struct err *e)
{
	char copy[PDEV_METHODS], *cursor = copy, *word;
	size_t n = 0;

	if (str_copy(copy, sizeof(copy), value) < 0)
		return err_set(e, EINVAL, "%s is too long", key);
	to[0] = '\0';
	while ((word = str_token(&cursor, " \t,"))) {
		if (!reset_is_method(word, NULL))
			return err_set(e, EINVAL, "%s = ...%s...: there is no such method; there are %s", key, word,
				       reset_methods());
		n += (size_t)snprintf(to + n, PDEV_METHODS - n, "%s%s", n ? " " : "", word);
	}
	return 0;
}

/* Names without a kind are services; what may stand in one: systemd.unit(5). */
static int set_services(const char *value, char *to, size_t size, struct err *e)
{
	char copy[200], *cursor = copy, *word;
	size_t n = 0;

	if (str_copy(copy, sizeof(copy), value) < 0)
		return err_set(e, EINVAL, "services is longer than %zu bytes", sizeof(copy) - 1);
	to[0] = '\0';
	while ((word = str_token(&cursor, " \t,"))) {
		size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.@");

		if (*word == '-' || word[len] || len > 80)
			return err_set(e, EINVAL, "services = ...%s...: that is no unit's name", word);
		n += (size_t)snprintf(to + n, size - n, "%s%s%s", n ? " " : "", word, strchr(word, '.') ? "" : ".service");
		if (n >= size)
			return err_set(e, EINVAL, "services is longer than %zu bytes: make two quirks of it", size - 1);
	}
	return 0;
}

static int set_text(const char *key, const char *value, char *to, size_t size, struct err *e)
{
	return str_copy(to, size, value) < 0 ? err_set(e, EINVAL, "%s is longer than %zu bytes", key, size - 1) : 0;
}

int quirk_set(struct quirk *q, const char *key, const char *value, struct err *e)
{
	if (strcmp(key, "match") == 0)
		return set_match(q, value, e);
	if (strcmp(key, "class") == 0)
		return set_class(q, value, e);
	if (strcmp(key, "driver") == 0)
		return set_text(key, value, q->driver, sizeof(q->driver), e);
	if (strcmp(key, "module") == 0)
		return set_text(key, value, q->module, sizeof(q->module), e);
	if (strcmp(key, "order") == 0)
		return set_methods(key, value, q->order, e);
	if (strcmp(key, "never") == 0)
		return set_methods(key, value, q->never, e);
	if (strcmp(key, "services") == 0)
		return set_services(value, q->services, sizeof(q->services), e);
	if (strcmp(key, "hint") == 0)
		return set_text(key, value, q->hint, sizeof(q->hint), e);
	if (strcmp(key, "source") == 0)
		return set_text(key, value, q->source, sizeof(q->source), e);
	if (strcmp(key, "date") == 0)
		return set_text(key, value, q->date, sizeof(q->date), e);
	return err_set(e, EINVAL, "'%s' is no key of a quirk: match, class, driver, module, order, never, services, hint, "
		       "source, date", key);
}

static bool is_date(const char *s)
{
	return strlen(s) == 10 && strspn(s, "0123456789-") == 10 && s[4] == '-' && s[7] == '-';
}

int quirk_check(const struct quirk *q, struct err *e)
{
	if (q->n == 0 && !q->class_mask)
		return err_set(e, EINVAL, "[%s] does not say which devices it is about: match or class", q->name);
	if (!q->order[0] && !q->never[0] && !q->services[0] && !q->hint[0])
		return err_set(e, EINVAL, "[%s] says nothing: order, never, services or hint", q->name);
	if (!q->source[0] || !is_date(q->date))
		return err_set(e, EINVAL, "[%s] needs a source and a date (YYYY-MM-DD), so that others can judge it",
			       q->name);
	return 0;
}

static bool id_fits(const struct quirk *q, const struct pdev *d)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->ids[i].vendor == d->vendor && q->ids[i].device == (d->device & q->ids[i].mask))
			return true;
	return q->n == 0;
}

bool quirk_fits(const struct quirk *q, const struct pdev *d)
{
	return id_fits(q, d) && (d->class & q->class_mask) == q->class &&
	       (!q->driver[0] || strcmp(q->driver, d->driver) == 0);
}

bool quirk_module_is_there(struct host *h, const struct quirk *q)
{
	return !q->module[0] || host_exists(h, host_path("/sys/module/%s", q->module).s);
}

struct quirk_text quirk_describe(const struct quirk *q)
{
	struct quirk_text t;
	int n = snprintf(t.s, sizeof(t.s), "quirk %s (%s, %s)", q->name, q->date, q->source);

	if (q->never[0])
		n += snprintf(t.s + n, sizeof(t.s) - (size_t)n, ": never %s", q->never);
	if (q->order[0])
		n += snprintf(t.s + n, sizeof(t.s) - (size_t)n, ": reset by %s", q->order);
	if (q->hint[0])
		snprintf(t.s + n, sizeof(t.s) - (size_t)n, ": %s", q->hint);
	return t;
}
