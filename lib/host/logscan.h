/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * logscan - looking for known lines in logs.
 *
 * A log has thousands of lines and there are many expressions, so a line meets an expression only when
 * it has one of its words.
 */
#ifndef LOGSCAN_H
#define LOGSCAN_H

#include "err.h"
#include "finding.h"
#include "host.h"

struct logscan;

int logscan_new(struct logscan **ret, struct err *e) _must_check_;
void logscan_free(struct logscan *s);		/* accepts NULL */

/* One line, without its newline; `where` names its log and is copied when it is needed. */
void logscan_line(struct logscan *s, const char *where, const char *line);
/* Every line of a text, which is cut into them. */
void logscan_text(struct logscan *s, const char *where, char *text);

/* From now on keep what speaks of passthrough, the last lines of it: "kernel log: DMAR: ...", a line each. */
void logscan_keep(struct logscan *s);
const char *logscan_kept(struct logscan *s);	/* "" = nothing; valid until the next line */

/* One finding per kind of line that was seen: how often, and the last one as evidence. */
void logscan_findings(const struct logscan *s, struct findings *l);

/*
 * What this host's logs say since it booted: the kernel's ring buffer (/dev/kmsg; of a captured tree the
 * file /var/log/dmesg) and the logs of tasks that started VMs (/var/log/pve/tasks), the newest of them.
 * A log that cannot be read is a finding, no failure.
 */
int logscan_host(struct host *h, struct findings *l, struct err *e) _must_check_;
/* The same with the caller's scan, for what it keeps. */
int logscan_read(struct host *h, struct logscan *s, struct findings *l, struct err *e) _must_check_;

#endif
