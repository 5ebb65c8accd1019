/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crowd - the processes of the machine, without the kernel's own threads.
 *
 * Two thirds of /proc on an idle server are kernel threads.  They have neither program nor files,
 * and finding that out costs as many system calls for each as looking into a small process does.
 * All of them, and nothing else that has no program of its own, are children of kthreadd
 * (kernel/kthread.c:create_kthread), which the kernel lists in one file where it was built with
 * CONFIG_PROC_CHILDREN.  A user mode helper is a child of kthreadd too
 * (kernel/umh.c:call_usermodehelper_exec_work); its link `exe` tells it apart.
 */
#ifndef CROWD_H
#define CROWD_H

#include <stddef.h>
#include <sys/types.h>

#include "host.h"

struct crowd {
	pid_t *pids;		/* ascending */
	size_t n, size;
};

#define CROWD_INIT { NULL, 0, 0 }

/* Lists /proc.  Where the kernel threads cannot be told (another kernel, a captured tree) they are
 * part of the answer.  A negative errno of listing /proc, or -ENOMEM; crowd_release() in any case. */
int crowd_list(struct host *h, struct crowd *ret) _must_check_;
void crowd_release(struct crowd *c);

#endif
