/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * section - Proxmox's section files: storage.cfg, mapping/pci.cfg and their kin.
 *
 * The grammar is that of pve-common: SectionConfig.pm: parse_config, with what surprises about it:
 *
 *  - a section ends at a completely empty line (or one that is just "0", which Perl takes for
 *    false), and nowhere else.  A line of blanks does not end it, and a header that follows without
 *    an empty line is swallowed as junk, together with all that belongs to it;
 *  - a property needs leading white space; "key" alone has no value, which means 1;
 *  - a line whose first visible character is '#' is skipped everywhere;
 *  - a value with a carriage return inside is refused, one at its end is white space;
 *  - anything else is junk: Proxmox warns about it and drops it at its next write.
 *
 * This reader knows no schema: it reports every property in file order, duplicates included, with
 * line numbers and byte ranges, so that an editor can leave all other bytes alone.  What counts
 * when there are two of a kind is said at section_find() and section_value().
 */
#ifndef SECTION_H
#define SECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "host.h"

enum section_header {
	SECTION_ID,		/* "id" alone: mapping/pci.cfg */
	SECTION_TYPE_ID,	/* "type: id": storage.cfg */
};

/* pmxcfs takes no larger file. */
#define SECTION_FILE_MAX (1024 * 1024)

struct section_prop {
	const char *key;
	const char *value;	/* "" when the line has none */
	unsigned line;		/* from 1 */
	size_t start, end;	/* bytes of the whole line, its newline included */
};

struct section {
	const char *type;	/* lower case; "" in the bare form */
	const char *id;
	unsigned line;
	size_t start, end;	/* from the header to the last line before the empty one */
	const struct section_prop *props;
	size_t n_props;
};

struct section_file {
	char *raw;		/* the bytes as read, `len` of them, NUL behind */
	size_t len;
	struct section *list;
	size_t n;
	unsigned *junk;		/* numbers of the lines that Proxmox drops */
	size_t n_junk;
	char *words;		/* private: what the strings point into */
	struct section_prop *props;	/* private */
};

#define SECTION_FILE_INIT { NULL, 0, NULL, 0, NULL, 0, NULL, NULL }

/* -ENOENT (with a sentence) when there is no such file; -EFBIG, -EISDIR and so on as
 * host_read_file().  Content never fails: binary rubbish is junk lines.  A line with a NUL byte is
 * junk (Proxmox carries it along until some format check refuses it). */
int section_load(struct host *h, const char *path, enum section_header header, struct section_file *ret,
		 struct err *e) _must_check_;

/* The same over text in memory; *ret owns a copy. */
int section_parse(const char *text, size_t len, enum section_header header, struct section_file *ret,
		  struct err *e) _must_check_;

void section_release(struct section_file *f);

/* Of several sections with one id Proxmox keeps the last.  NULL when there is none.  Lent. */
const struct section *section_find(const struct section_file *f, const char *id);

/* The first property with this key, for those who edit. */
const struct section_prop *section_get(const struct section *s, const char *key);

/* The first value of a text property that is not empty and, where there is a check, passes it:
 * Proxmox warns about others and goes on as if they were not there.  NULL when there is none. */
const char *section_value(const struct section *s, const char *key, bool (*fits)(const char *value));

/* A boolean property: "1" or no value is true; "0" is false, and so is a property that is not there.
 * Proxmox drops any other text (JSONSchema.pm: check_type), even "yes". */
bool section_flag(const struct section *s, const char *key);

#endif
