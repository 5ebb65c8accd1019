// SPDX-License-Identifier: GPL-2.0-or-later
/* One property of a property string: see propset.h. */
#include "propset.h"

#include <errno.h>

/* The name of the property that a part of the text gives. */
static struct slice part_name(const struct propfmt *fmt, const char *part, size_t len)
{
	const char *equals = memchr(part, '=', len);

	if (equals)
		return (struct slice){ part, (size_t)(equals - part) };
	for (size_t i = 0; i < fmt->n; i++)
		if (fmt->props[i].flags & PROP_DEFAULT)
			return (struct slice){ fmt->props[i].name, strlen(fmt->props[i].name) };
	return (struct slice){ part, len };
}

/* The part with its new value, or nothing. */
static void put_part(struct str *s, const char *part, size_t len, const char *name, const char *to)
{
	if (memchr(part, '=', len))
		(void)str_addf(s, "%s=%s", name, to);
	else
		(void)str_add(s, to);
}

int propset(const struct propfmt *fmt, const char *value, const char *name, const char *to, struct str *ret)
{
	bool found = false, first = true;
	size_t start = ret->len, len;

	for (const char *part = value; ; part += len + 1) {
		bool is_it;

		len = strcspn(part, ",");
		is_it = strspn(part, " \t") < len && slice_is(part_name(fmt, part, len), name);
		found |= is_it;
		if (!is_it || to) {
			if (!first)
				(void)str_add(ret, ",");
			first = false;
			if (is_it)
				put_part(ret, part, len, name, to);
			else
				(void)str_addn(ret, part, len);
		}
		if (!part[len])
			break;
	}
	if (!found && to)
		(void)str_addf(ret, "%s%s=%s", ret->len > start ? "," : "", name, to);
	return ret->failed ? -ENOMEM : 0;
}
