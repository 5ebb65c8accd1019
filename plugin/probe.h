/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe - questions to a device whose answer may never come.
 *
 * While a write to a device hangs in the kernel, reading its driver_override (up to 6.1) or its
 * config space may hang as well.  A child asks; when it does not come back in time it is left
 * behind, and the next question goes to a new one.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stddef.h>

#include "bdf.h"
#include "err.h"
#include "health.h"
#include "host.h"
#include "worker.h"

struct probe {
	struct host *h;
	struct worker worker;
};

#define PROBE_INIT(host) { (host), WORKER_INIT }

/* driver_override, "" = unset.  -ETIMEDOUT: it hangs. */
int probe_override(struct probe *p, struct bdf bdf, char *buf, size_t size, struct err *e) _must_check_;

/* health_look() and health_errors(), which may be NULL.  -ETIMEDOUT: it hangs.  -ENOENT: there is no config
 * space to read (a captured tree). */
int probe_health(struct probe *p, struct bdf bdf, const struct pdev_link *before, struct health *ret,
		 struct health_errors *ret_errors, struct err *e) _must_check_;

void probe_stop(struct probe *p);

#endif
