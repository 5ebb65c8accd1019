/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report - everything that somebody who is to help would ask for, gathered once and scrubbed (scrub.h);
 * text, JSON and the HTML page only show it.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#include "facts.h"
#include "finding.h"
#include "host.h"

struct report_device {
	const struct pdev *d;
	unsigned depth;			/* bridges above it */
	char name[200];
	char held[400];			/* who has it, in words */
	bool card;			/* a graphics card or another function of its slot */
};

struct report_vm {
	unsigned vmid;
	char *config;			/* its lines about passthrough */
	struct findings findings;
};

struct report {
	struct facts *facts;
	struct findings findings;	/* of the host and its logs */
	struct report_device *devices;	/* a bridge before what is behind it */
	size_t n_devices, devices_size;
	size_t n_others;		/* functions that have nothing to do with cards */
	struct report_vm *vms;		/* those with devices */
	size_t n_vms, vms_size;
	char *leases;			/* a line each; NULL = none */
	char *log;			/* the last lines that speak of it; NULL = none */
};

/* The caller releases *ret in any case. */
int report_make(struct host *h, uint64_t now_unix, struct report *ret, struct err *e) _must_check_;
void report_release(struct report *r);

/* One page that needs nothing else: no script, no outside resource.  -ENOMEM. */
int html_report(const struct report *r, struct str *page) _must_check_;

#endif
