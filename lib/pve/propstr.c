/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses, checks and prints Proxmox's property strings. */
#include "propstr.h"

#include <errno.h>
#include <string.h>

#include "propnum.h"

static const struct slice yes = { "1", 1 }, no = { "0", 1 };

/* Perl's \s over bytes. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_blank(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_space(s.s[i]))
			return false;
	return true;
}

/* Where Perl's '$' may match: before one last line feed. */
static struct slice without_newline(struct slice s)
{
	if (s.len && s.s[s.len - 1] == '\n')
		s.len--;
	return s;
}

/* Keys and values come from files; in a sentence they are short and printable. */
struct shown { char s[64]; };

static struct shown show(struct slice text)
{
	static const char hex[] = "0123456789abcdef";
	struct shown ret;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.s[i];

		if (n > sizeof(ret.s) - 8) {
			memcpy(ret.s + n, "...", 3);
			n += 3;
			break;
		}
		if (c >= 0x20 && c < 0x7f) {
			ret.s[n++] = (char)c;
		} else {
			ret.s[n++] = '\\';
			ret.s[n++] = 'x';
			ret.s[n++] = hex[c >> 4];
			ret.s[n++] = hex[c & 15];
		}
	}
	ret.s[n] = '\0';
	return ret;
}

static size_t find(const struct propfmt *fmt, struct slice name)
{
	for (size_t i = 0; i < fmt->n; i++)
		if (fmt->props[i].name[0] == name.s[0] && slice_is(name, fmt->props[i].name))
			return i;
	return fmt->n;
}

static size_t find_name(const struct propfmt *fmt, const char *name)
{
	return find(fmt, (struct slice){ name, strlen(name) });
}

/* JSONSchema.pm: parse_boolean; what is none stays as it is and fails later. */
static struct slice normal_bool(struct slice v)
{
	int b = propnum_bool(without_newline(v).s, without_newline(v).len);

	if (b < 0)
		return v;
	return b ? yes : no;
}

static int set_named(struct propstr *p, struct slice key, struct slice value, struct err *e)
{
	const struct propfmt *fmt = p->fmt;
	size_t i = find(fmt, key);

	if (i == fmt->n)
		return err_set(e, EINVAL, "there is no property '%s'", show(key).s);
	if (fmt->props[i].alias) {
		const char *key_alias = fmt->props[i].key_alias;

		if (key_alias) {
			struct slice *named = &p->value[find_name(fmt, key_alias)];

			if (named->s)
				return err_set(e, EINVAL, "'%s' is given twice", key_alias);
			*named = key;
		}
		i = find_name(fmt, fmt->props[i].alias);
	}
	if (p->value[i].s)
		return err_set(e, EINVAL, "'%s' is given twice", fmt->props[i].name);
	p->value[i] = fmt->props[i].type == PROP_BOOL ? normal_bool(value) : value;
	return 0;
}

static int set_default(struct propstr *p, struct slice value, bool *seen, struct err *e)
{
	const struct propfmt *fmt = p->fmt;
	size_t i = 0;

	while (i < fmt->n && !(fmt->props[i].flags & PROP_DEFAULT))
		i++;
	if (i == fmt->n)
		return err_set(e, EINVAL, "'%s' has no name before it", show(value).s);
	/* A false value does not count as given. */
	if (*seen || (p->value[i].s && !slice_is(p->value[i], "0")))
		return err_set(e, EINVAL, "'%s' is given twice", fmt->props[i].name);
	*seen = true;
	p->value[i] = fmt->props[i].type == PROP_BOOL ? normal_bool(value) : value;
	return 0;
}

static int parse_part(struct propstr *p, struct slice part, bool *seen, struct err *e)
{
	const char *eq = memchr(part.s, '=', part.len);
	struct slice key, value;

	if (!eq)
		return set_default(p, part, seen, e);
	key = (struct slice){ part.s, (size_t)(eq - part.s) };
	value = without_newline((struct slice){ eq + 1, part.len - key.len - 1 });
	if (!key.len || !value.len || memchr(value.s, '\n', value.len))
		return err_set(e, EINVAL, "'%s' has no key or no value", show(part).s);
	return set_named(p, key, value, e);
}

static int split(struct propstr *p, const char *text, size_t len, struct err *e)
{
	bool seen = false;
	int r;

	for (const char *end = text + len; text <= end; ) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		struct slice part = { text, (size_t)((comma ? comma : end) - text) };

		if (!is_blank(part)) {
			r = parse_part(p, part, &seen, e);
			if (r < 0)
				return r;
		}
		text = part.s + part.len + 1;
	}
	return 0;
}

static bool is_word(const char *const *words, struct slice v)
{
	for (; *words; words++)
		if (slice_is(v, *words))
			return true;
	return false;
}

static int check_number(const struct prop *prop, struct slice v, struct err *e)
{
	bool ok = prop->type == PROP_INT ? propnum_is_int(v.s, v.len) : propnum_is_number(v.s, v.len);

	if (!ok)
		return err_set(e, EINVAL, "%s=%s is no %snumber", prop->name, show(v).s,
			       prop->type == PROP_INT ? "whole " : "");
	if ((prop->flags & PROP_MAX) && propnum_compare(v.s, v.len, prop->max) > 0)
		return err_set(e, EINVAL, "%s=%s is above %u", prop->name, show(v).s, prop->max);
	if ((prop->flags & PROP_MIN) && propnum_compare(v.s, v.len, prop->min) < 0)
		return err_set(e, EINVAL, "%s=%s is below %u", prop->name, show(v).s, prop->min);
	return 0;
}

/* JSONSchema.pm: check_prop, in its order. */
static int check_value(const struct prop *prop, struct slice value, struct err *e)
{
	struct slice v = without_newline(value);

	switch (prop->type) {
	case PROP_BOOL:
		if (!slice_is(value, "0") && !slice_is(value, "1"))
			return err_set(e, EINVAL, "%s=%s is neither yes nor no", prop->name,
				       show(value).s);
		return 0;
	case PROP_INT:
	case PROP_NUMBER:
		return check_number(prop, v, e);
	case PROP_STRING:
		break;
	}
	if (prop->check && !prop->check->ok(v.s, v.len))
		return err_set(e, EINVAL, "%s=%s is not %s", prop->name, show(value).s, prop->check->want);
	if (prop->max_len && value.len > prop->max_len)
		return err_set(e, EINVAL, "%s is longer than %u bytes", prop->name, prop->max_len);
	if (prop->words && !is_word(prop->words, value))
		return err_set(e, EINVAL, "%s=%s is none of the known words", prop->name, show(value).s);
	return 0;
}

static int check_all(const struct propstr *p, struct err *e)
{
	for (size_t i = 0; i < p->fmt->n; i++) {
		const struct prop *prop = &p->fmt->props[i];
		int r;

		if (!p->value[i].s) {
			if (!prop->alias && (prop->flags & PROP_REQUIRED))
				return err_set(e, EINVAL, "'%s' is missing", prop->name);
			continue;
		}
		r = check_value(prop, p->value[i], e);
		if (r < 0)
			return r;
		if (prop->needs && !propstr_get(p, prop->needs))
			return err_set(e, EINVAL, "'%s' needs '%s'", prop->name, prop->needs);
	}
	return 0;
}

int propstr_parse(const struct propfmt *fmt, const char *text, size_t len, const void *arg,
		  struct propstr *ret, struct err *e)
{
	int r;

	ret->fmt = fmt;
	memset(ret->value, 0, fmt->n * sizeof(ret->value[0]));
	r = split(ret, text, len, e);
	if (r < 0)
		return r;
	r = check_all(ret, e);
	if (r < 0)
		return r;
	return fmt->verify ? fmt->verify(ret, arg, e) : 0;
}

const struct slice *propstr_get(const struct propstr *p, const char *name)
{
	size_t i = find_name(p->fmt, name);

	return i < p->fmt->n && p->value[i].s ? &p->value[i] : NULL;
}

bool propstr_bool(const struct propstr *p, const char *name, bool preset)
{
	const struct slice *v = propstr_get(p, name);

	return v ? v->s[0] == '1' : preset;
}

/* --- printing --------------------------------------------------------------------------- */

/* The property whose name comes next after `last` among those with (or without) the flag. */
static size_t next_name(const struct propstr *p, bool required, const char *last)
{
	const struct prop *props = p->fmt->props;
	size_t best = p->fmt->n;

	for (size_t i = 0; i < p->fmt->n; i++) {
		if (!p->value[i].s || (props[i].flags & PROP_DEFAULT))
			continue;
		if (!!(props[i].flags & PROP_REQUIRED) != required)
			continue;
		if (last && strcmp(props[i].name, last) <= 0)
			continue;
		if (best == p->fmt->n || strcmp(props[i].name, props[best].name) < 0)
			best = i;
	}
	return best;
}

/* The property that is printed as the value behind the default key's value ("virtio=MAC"). */
static size_t combined(const struct propstr *p, const struct prop *with)
{
	for (size_t i = 0; i < p->fmt->n; i++) {
		const struct prop *prop = &p->fmt->props[i];

		if (prop->key_alias && strcmp(prop->key_alias, with->name) == 0)
			return find_name(p->fmt, prop->alias);
	}
	return p->fmt->n;
}

static void print_one(const struct propstr *p, size_t i, const char *name, struct str *out,
		      size_t start)
{
	if (out->len > start)
		(void)str_add(out, ",");
	if (name) {
		(void)str_add(out, name);
		(void)str_add(out, "=");
	}
	(void)str_addn(out, p->value[i].s, p->value[i].len);
}

static void print_sorted(const struct propstr *p, bool required, size_t done, struct str *out,
			 size_t start)
{
	const char *last = NULL;
	size_t i;

	for (; (i = next_name(p, required, last)) < p->fmt->n; last = p->fmt->props[i].name)
		if (i != done)
			print_one(p, i, p->fmt->props[i].name, out, start);
}

int propstr_print(const struct propstr *p, struct str *out)
{
	size_t start = out->len, done = p->fmt->n;

	for (size_t i = 0; i < p->fmt->n; i++) {
		if (!(p->fmt->props[i].flags & PROP_DEFAULT) || !p->value[i].s)
			continue;
		print_one(p, i, NULL, out, start);
		done = combined(p, &p->fmt->props[i]);
		if (done < p->fmt->n && p->value[done].s) {
			(void)str_add(out, "=");
			(void)str_addn(out, p->value[done].s, p->value[done].len);
		}
	}
	print_sorted(p, true, done, out, start);
	print_sorted(p, false, done, out, start);
	return out->failed ? -ENOMEM : 0;
}
