/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * propstr - Proxmox's property strings: "01:00,pcie=1,x-vga=on", described by const tables.
 *
 * The grammar is that of pve-common: JSONSchema.pm: parse_property_string, with what surprises
 * about it:
 *
 *  - parts are separated by ',' and blank ones are passed over; nothing is trimmed, quoted or
 *    escaped, so that " pcie" is an unknown key and no value contains a comma;
 *  - the key ends at the first '='; a value is never empty and never contains a line feed (one at
 *    the very end is cut off);
 *  - a part without '=' is the value of the default key.  It may stand anywhere, once, and it
 *    replaces an explicit value only if that one is "0";
 *  - a pattern's end also matches before one last line feed, as everywhere in Perl;
 *  - booleans are kept as "1" or "0", everything else as it was written.
 *
 * A format is a const array of `struct prop`.  Parsing allocates nothing: the result lends pointers
 * into the text, which must stay as it is for as long as the result is used.
 */
#ifndef PROPSTR_H
#define PROPSTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "err.h"
#include "str.h"

/* Borrowed bytes, NUL bytes possible.  s is NULL where there is nothing at all. */
struct slice {
	const char *s;
	size_t len;
};

static inline bool slice_is(struct slice a, const char *text)	/* the same bytes */
{
	return a.s && strlen(text) == a.len && memcmp(a.s, text, a.len) == 0;
}

/* A rule for a value, and how to say in a sentence what it wants: "a MAC address". */
struct prop_check {
	bool (*ok)(const char *s, size_t len);
	const char *want;
};

enum prop_type { PROP_STRING, PROP_BOOL, PROP_INT, PROP_NUMBER };

enum prop_flags {
	PROP_DEFAULT = 1,	/* the key of a part without '='; at most one in a format */
	PROP_REQUIRED = 2,
	PROP_MIN = 4,		/* `min` counts */
	PROP_MAX = 8,		/* `max` counts */
};

struct prop {
	const char *name;
	enum prop_type type;
	unsigned flags;
	const struct prop_check *check;		/* or NULL */
	const char *const *words;		/* the only values, NULL at the end; or NULL */
	uint32_t min, max;
	unsigned max_len;			/* bytes, 0 = no limit */
	const char *alias;			/* another name for this property; nothing else counts */
	const char *key_alias;			/* with alias: the name itself is this one's value */
	const char *needs;			/* this property must be given, too */
};

struct propstr;

struct propfmt {
	const struct prop *props;
	size_t n;
	/* What concerns several properties, or NULL.  Negative errno and a sentence. */
	int (*verify)(const struct propstr *p, const void *arg, struct err *e);
};

#define PROPFMT(table, fn) { table, ARRAY_SIZE(table), fn }

enum { PROPSTR_MAX = 64 };	/* properties in a format, aliases included */

struct propstr {
	const struct propfmt *fmt;
	struct slice value[PROPSTR_MAX];	/* in the order of fmt->props; .s NULL = not given */
};

/*
 * -EINVAL with a sentence that names the property.  *ret is written in any case and to be used
 * only after success.  `arg` goes to the format's verify function.
 */
int propstr_parse(const struct propfmt *fmt, const char *text, size_t len, const void *arg,
		  struct propstr *ret, struct err *e) _must_check_;

/* The value of a property of this format, or NULL when it was not given. */
const struct slice *propstr_get(const struct propstr *p, const char *name);
/* A boolean with its default. */
bool propstr_bool(const struct propstr *p, const char *name, bool preset);

/*
 * Appends Proxmox's normal form (JSONSchema.pm: print_property_string): the value of the default
 * key first and without its name, then what is required, then the rest, both sorted by name.
 */
int propstr_print(const struct propstr *p, struct str *out);

#endif
