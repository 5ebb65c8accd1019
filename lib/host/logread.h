/* SPDX-License-Identifier: GPL-2.0-or-later */
/* logread - the host's logs, line by line, for logscan.h. */
#ifndef LOGREAD_H
#define LOGREAD_H

#include <stdint.h>

#include "logscan.h"

/* The kernel's ring buffer; *ret_lost = how many lines it has dropped since the boot.  Records are
 * those of Documentation/ABI/testing/dev-kmsg. */
int logread_kernel(struct host *h, struct logscan *s, uint64_t *ret_lost) _must_check_;

/* Logs of the tasks that started VMs since the boot.  Their files lie in a folder named after the
 * last digit of their start time (pve-common: PVE/Tools.pm: upid_decode). */
int logread_tasks(struct host *h, struct logscan *s) _must_check_;

#endif
