/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run_look - the look between stopping the host's users of the devices and touching the first device.
 *
 * A stop that succeeds is no proof: a service may leave processes behind (KillMode=process in systemd.kill(5)),
 * somebody may have started it again, and another user may have come since the plan was made.  An unbind would
 * wait for such a holder for ever, or tear the device away from him.
 */
#ifndef RUN_LOOK_H
#define RUN_LOOK_H

#include "lease.h"

/* -EBUSY, and who: a process has a device of the lease open that is still on its host driver, and would hang the
 * unbind or be disturbed by it.  Who stands still in a container that a step has frozen is in nobody's way.  0 also
 * where the plan stops nobody.  The look is taken by a child for `ms` at most: -ETIMEDOUT. */
int run_look(struct host *h, const struct lease *l, int ms, struct err *e) _must_check_;

#endif
