/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmconf - a VM's config file, line by line, as Proxmox's reader sees it.
 *
 * The grammar is that of qemu-server: QemuServer.pm: parse_vm_config; which values are taken is
 * said by schema.h.  Proxmox rewrites the whole file at its next change and loses every line that
 * its reader dropped; this model keeps all lines, so that an editor can replace the bytes of single
 * ones and leave the rest as it is.
 *
 * The model owns a copy of the bytes and lends pointers into itself; it never changes.  Strings are
 * NUL-terminated; where the file has NUL bytes inside a value, value_len tells.
 *
 * Parsing fails for lack of memory and for a size that pmxcfs does not hold, never because of what
 * the file contains.
 */
#ifndef VMCONF_H
#define VMCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "schema.h"
#include "sha1.h"

enum { VMCONF_SIZE_MAX = 1024 * 1024 };		/* pmxcfs: larger files cannot be written */

/* What a line is. */
enum vmconf_kind {
	VMCONF_BLANK,
	VMCONF_HEADER,		/* "[...]"; also of an unknown section */
	VMCONF_COMMENT,		/* "#...": a line of the section's description, wherever it stands */
	VMCONF_DESCRIPTION,	/* "description: ...", the old form of the same */
	VMCONF_KEY,		/* "key: value" */
	VMCONF_JUNK,		/* anything else; always dropped */
};

/* What Proxmox makes of it. */
enum vmconf_verdict {
	VMCONF_KEPT,
	VMCONF_SUPERSEDED,	/* fine, but a later line or section of this name takes its place */
	VMCONF_DROPPED,		/* lost, with a warning in the log of whoever reads the file */
	VMCONF_SKIPPED,		/* lost without a warning: in an unknown section, or without meaning */
};

struct vmconf_line {
	uint32_t off, len;		/* in vmconf.bytes, without the line feed */
	uint32_t section;		/* index into vmconf.sections */
	enum vmconf_kind kind;
	enum vmconf_verdict verdict;
	bool newline;			/* only the last line may lack it */
	bool warned;			/* Proxmox prints a warning about this line */
	uint32_t value_len;
	/* VMCONF_KEY: as Proxmox keeps it ("cdrom" has become "ide2", "yes" has become "1"), or as
	 * it is written when it is dropped.  Otherwise NULL.  The written form is in the bytes. */
	const char *key, *value;
};

enum vmconf_section_kind {
	VMCONF_MAIN,		/* before the first header; the only one without */
	VMCONF_PENDING,		/* [PENDING]: changes that wait for the VM to stop */
	VMCONF_SPECIAL,		/* [special:cloudinit], [special:fleecing] */
	VMCONF_SNAPSHOT,
	VMCONF_UNKNOWN,		/* its header is dropped, its lines are skipped */
};

struct vmconf_section {
	enum vmconf_section_kind kind;
	const char *name;		/* as written; "" for main, "pending" for pending */
	size_t first, end;		/* its lines, header included: first <= i < end */
	bool replaced;			/* a later section of the same name has taken its place */
	/* Decoded, without trailing white space; or NULL.  UTF-8 as Perl understands it: what
	 * is none has become U+FFFD, but surrogates and code points above 10ffff pass. */
	const char *description;
	size_t description_len;
};

struct vmconf_index;

struct vmconf {
	const char *bytes;		/* the file, with a NUL behind it */
	size_t len;
	const struct vmconf_line *lines;
	size_t n_lines;
	const struct vmconf_section *sections;	/* in file order; the first is main, always there */
	size_t n_sections;
	char digest[SHA1_TEXT];		/* of all bytes, as in qm set --digest */
	const struct vmconf_index *index;	/* private */
};

/* *ret is the caller's, for vmconf_free().  -EFBIG beyond VMCONF_SIZE_MAX, -ENOMEM. */
int vmconf_parse(const char *bytes, size_t len, struct vmconf **ret, struct err *e) _must_check_;

/* The same with what the verdicts depend on besides the bytes; env may be NULL and is not kept.
 * Without it a `cpu` of a model that only this host or cluster knows counts as dropped. */
int vmconf_parse_env(const char *bytes, size_t len, const struct schema_env *env,
		     struct vmconf **ret, struct err *e) _must_check_;

void vmconf_free(struct vmconf *c);		/* accepts NULL */
void vmconf_freep(struct vmconf **c);		/* for _cleanup_ */

/* The section of this kind and name that counts, or NULL.  main and pending have no other name
 * (pass NULL); an unknown section is not found. */
const struct vmconf_section *vmconf_section(const struct vmconf *c, enum vmconf_section_kind kind,
					    const char *name);

/* The line whose value counts for this key, or NULL.  `s` may be NULL: nothing is found. */
const struct vmconf_line *vmconf_find(const struct vmconf *c, const struct vmconf_section *s,
				      const char *key);

/* Its value, or NULL.  The description is no key: see struct vmconf_section. */
const char *vmconf_get(const struct vmconf *c, const struct vmconf_section *s, const char *key);

/* The value in the current configuration: what `qm start` uses. */
const char *vmconf_current(const struct vmconf *c, const char *key);

/* All kept keys of a section in file order, each once: start with prev NULL, ends with NULL. */
const struct vmconf_line *vmconf_next(const struct vmconf *c, const struct vmconf_section *s,
				      const struct vmconf_line *prev);

/* Is the removal of this key pending ([PENDING] delete:)?  *ret_force: with the '!' of a removal
 * that also destroys the volume; may be NULL.  AbstractConfig.pm: parse_pending_delete. */
bool vmconf_deletes(const struct vmconf *c, const char *key, bool *ret_force);

/*
 * Why a line has its verdict, as a sentence in e->msg.  0 and nothing written for a line that is
 * kept; otherwise a negative errno.  `env` as it was for parsing.
 */
int vmconf_explain(const struct vmconf *c, const struct vmconf_line *line,
		   const struct schema_env *env, struct err *e);

#endif
