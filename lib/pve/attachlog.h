/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attachlog - what an attach changed in a VM's config, so that a detach can put it back.
 *
 * /var/lib/pve-gpu/attached/<vmid> holds one record per attach, the latest last.  A record says which
 * keys had which value before and after, and how to get from the whole file as it was written back to
 * the file before it, byte for byte.  It is local to the node: a VM that moved away has none, and a
 * detach there takes out the devices and nothing else.
 *
 * The records are written before the config: one whose config was never written is recognised by the
 * digest of the file before, which is then still the present one.
 *
 * Text, one line per fact, values in hex:
 *
 *   attach <digest before> <digest after> running|stopped
 *   key <key> <value before, or -> <value after, or ->
 *   splice <offset> <length after> <bytes before>
 */
#ifndef ATTACHLOG_H
#define ATTACHLOG_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "host.h"
#include "sha1.h"
#include "vmfile.h"

struct attachlog_key {
	char *key;
	char *before, *after;		/* NULL = absent */
};

struct attachlog_record {
	char before[SHA1_TEXT], after[SHA1_TEXT];
	bool running;			/* the VM ran: what had to wait went to [PENDING] */
	struct attachlog_key *keys;
	size_t n_keys, keys_size;
	size_t offset, len_after;
	char *bytes;			/* what stood there before */
	size_t n_bytes;
};

struct attachlog {
	unsigned vmid;
	struct attachlog_record *list;	/* the oldest first */
	size_t n, size;
};

#define ATTACHLOG_INIT(id) { (id), NULL, 0, 0 }

/* No file is an empty log; so is one that makes no sense (with a sentence in `note`, else ""). */
int attachlog_load(struct host *h, struct attachlog *log, struct err *note, struct err *e) _must_check_;
void attachlog_release(struct attachlog *log);

/* Adds a record of a change that is about to be written, about the keys given.  Records of which no device is left are
 * forgotten: a detach has used them, or somebody else took the devices out. */
int attachlog_add(struct attachlog *log, const struct vmfile_change *change, const char *const *keys,
		  size_t n_keys, struct err *e) _must_check_;

/* Forgets the latest record. */
void attachlog_pop(struct attachlog *log);

/* The file before the latest record, when `now` is exactly what that attach wrote, and going back does not
 * take away what a VM uses that was started since: 1 and malloc'ed bytes, 0 otherwise. */
int attachlog_undo(const struct attachlog *log, const struct vmconf *now, bool running, char **ret,
		   size_t *ret_len, struct err *e) _must_check_;

/* Replaces the file, or removes it when the log is empty. */
int attachlog_save(struct host *h, const struct attachlog *log, struct err *e) _must_check_;

#endif
