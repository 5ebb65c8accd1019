/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal - entries with fields for systemd's journal, without its library.
 *
 * One datagram to /run/systemd/journal/socket is one entry: "FIELD=value\n" each
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/).  Nothing here waits, and a machine without a journal is
 * no error for anybody: the caller's other output has the same words.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>

#include "host.h"
#include "str.h"

enum journal_priority { JOURNAL_ERR = 3, JOURNAL_WARNING = 4, JOURNAL_NOTICE = 5, JOURNAL_INFO = 6 };

/* A connected socket; negative: there is no journal. */
int journal_open(struct host *h);

/* What is written to this descriptor goes to the journal anyhow, without fields: systemd has said so
 * in JOURNAL_STREAM (systemd.exec(5)). */
bool journal_has(int fd);

/* Begins an entry: SYSLOG_IDENTIFIER=pve-gpu, PRIORITY, MESSAGE. */
int journal_entry(struct str *entry, enum journal_priority priority, const char *message);
/* Control characters of the value become blanks: nobody adds a field of his own. */
int journal_field(struct str *entry, const char *name, const char *value);
int journal_send(int fd, const struct str *entry);

#endif
