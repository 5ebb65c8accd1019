/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells the forms of a VM config's lines apart. */
#include "vmconf_line.h"

#include <strings.h>

#include "schema_scan.h"

static struct slice trim_end(struct slice s)
{
	while (s.len && scan_is_space(s.s[s.len - 1]))
		s.len--;
	return s;
}

static struct slice trim_start(struct slice s)
{
	for (; s.len && scan_is_space(*s.s); s.len--)
		s.s++;
	return s;
}

static struct slice trim(struct slice s)
{
	return trim_start(trim_end(s));
}

static bool same_nocase(struct slice s, const char *text)
{
	return strlen(text) == s.len && strncasecmp(s.s, text, s.len) == 0;
}

static bool ends_with(struct slice s, const char *text)
{
	size_t n = strlen(text);

	return s.len >= n && memcmp(s.s + s.len - n, text, n) == 0;
}

/* The rest of the line behind "NAME:" when the line begins so. */
static bool after_name(struct slice line, const char *name, struct slice *ret)
{
	struct scan c = scan_of(line.s, line.len);

	if (!scan_text(&c, name))
		return false;
	*ret = trim((struct slice){ c.p, (size_t)(c.end - c.p) });
	return true;
}

static bool is_snapshot_char(char c)
{
	return scan_is_alnum(c) || c == '_' || c == '-';
}

static bool is_snapshot(struct slice name)
{
	struct scan c = scan_of(name.s, name.len);

	return name.len >= 2 && scan_is_alpha(*name.s) && scan_while(&c, is_snapshot_char) == name.len;
}

static bool split_special(struct slice name, struct slice *ret)
{
	enum { PREFIX = 8 };

	if (name.len < PREFIX || strncasecmp(name.s, "special:", PREFIX) != 0)
		return false;
	*ret = (struct slice){ name.s + PREFIX, name.len - PREFIX };
	return slice_is(*ret, "cloudinit") || slice_is(*ret, "fleecing");
}

/* "[name]" and perhaps white space behind it. */
static bool split_header(struct slice line, struct vmconf_parts *ret)
{
	const char *close = memchr(line.s, ']', line.len);
	struct slice name = { line.s + 1, close ? (size_t)(close - line.s) - 1 : 0 };

	if (!close || trim_end(line).len != name.len + 2)
		return false;
	ret->value = name;
	if (same_nocase(name, "PENDING"))
		ret->form = VMCONF_FORM_PENDING;
	else if (split_special(name, &ret->value))
		ret->form = VMCONF_FORM_SPECIAL;
	else if (ret->value = name, is_snapshot(name))
		ret->form = VMCONF_FORM_SNAPSHOT;
	else
		ret->form = VMCONF_FORM_UNKNOWN;
	return true;
}

static bool split_snapstate(struct slice line, struct slice *ret)
{
	static const char *const states[] = { "prepare", "delete" };
	struct slice text = trim_end(line);

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		size_t n = strlen(states[i]);

		if (!ends_with(text, states[i]) ||
		    !ends_with(trim_end((struct slice){ text.s, text.len - n }), "snapstate:"))
			continue;
		*ret = (struct slice){ text.s + text.len - n, n };
		return true;
	}
	return false;
}

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

static bool split_pair(struct slice line, struct vmconf_parts *ret)
{
	struct scan c = scan_of(line.s, line.len);
	struct slice rest;

	if (!line.len || *line.s < 'a' || *line.s > 'z')
		return false;
	scan_while(&c, is_key_char);
	scan_while(&c, scan_is_digit);
	ret->key = (struct slice){ line.s, (size_t)(c.p - line.s) };
	if (!scan_char(&c, ':') || scan_done(&c))
		return false;
	rest = (struct slice){ c.p, (size_t)(c.end - c.p) };
	ret->value = trim(rest);
	/* Of nothing but white space the last character is the value. */
	if (!ret->value.len)
		ret->value = (struct slice){ rest.s + rest.len - 1, 1 };
	ret->form = VMCONF_FORM_PAIR;
	return true;
}

static bool split_named(struct slice line, struct vmconf_parts *ret)
{
	if (after_name(line, "description:", &ret->value) && ret->value.len)
		ret->form = VMCONF_FORM_DESCRIPTION;
	else if (split_snapstate(line, &ret->value))
		ret->form = VMCONF_FORM_SNAPSTATE;
	else if (after_name(line, "args:", &ret->value) && ret->value.len)
		ret->form = VMCONF_FORM_ARGS;
	else if (after_name(line, "delete:", &ret->value) && ret->value.len)
		ret->form = VMCONF_FORM_DELETE;
	else
		return split_pair(line, ret);
	return true;
}

struct vmconf_parts vmconf_line_split(struct slice line)
{
	struct vmconf_parts ret = { .form = VMCONF_FORM_BLANK };

	if (!trim_end(line).len)
		return ret;
	if (*line.s == '[' && split_header(line, &ret))
		return ret;
	if (*line.s == '#') {
		ret.form = VMCONF_FORM_COMMENT;
		ret.value = (struct slice){ line.s + 1, line.len - 1 };
		return ret;
	}
	if (split_named(line, &ret))
		return ret;
	return (struct vmconf_parts){ .form = VMCONF_FORM_JUNK };
}
