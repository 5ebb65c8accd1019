/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint - what is wrong, or could be better, with the configuration of a VM that has devices.
 *
 *   lint.c         gathers; runs the tables
 *   lint_start.c   what keeps it from starting, or its devices from working
 *   lint_guest.c   what the guest will stumble over
 *   lint_speed.c   what it costs against bare metal, by how much, and who says so
 *   lint_fix.c     the safe ones mended
 *
 * A rule reads and judges, as those of lib/host/finding.h do.
 */
#ifndef LINT_H
#define LINT_H

#include "facts.h"
#include "finding.h"
#include "guest.h"
#include "vmconf.h"
#include "vmedit.h"

struct lint {
	unsigned vmid;
	char path[64];			/* of the configuration */
	struct vmconf *conf;
	struct guest guest;
	struct guest_view view;		/* the plan of a start */
	char unplanned[1536];		/* why there is no plan; "" = there is one */
	bool hookscript;
	const struct facts *facts;	/* lent */
	struct host_path mdevs[HOSTPCI_MAX];	/* that exist although the VM does not run, by entry; "" = none */
	const char *romfiles[HOSTPCI_MAX];	/* named and not there, by entry; NULL = fine */
};

struct lint_rule {
	const char *id;			/* NULL ends a table */
	enum severity severity;
	void (*check)(const struct lint *l, const struct lint_rule *r, struct findings *f);
	/* Mends it in the configuration; NULL: that is for a person to decide. */
	int (*fix)(const struct lint *l, struct vmedit *ed, struct err *e);
};

extern const struct lint_rule lint_start_rules[], lint_guest_rules[], lint_speed_rules[];
extern const struct lint_rule *const lint_tables[];	/* ends with NULL */

/* The caller releases *ret in any case.  `facts` has to outlive it. */
int lint_load(struct host *h, unsigned vmid, uint64_t now_unix, const struct facts *facts, struct lint *ret,
	      struct err *e) _must_check_;
void lint_release(struct lint *l);

int lint_findings(const struct lint *l, struct findings *f, struct err *e) _must_check_;

/* For vmfile_change(); arg is a struct lint: mends whatever applies and can be mended safely. */
int lint_fix(void *arg, struct vmedit *ed, struct err *e) _must_check_;

/* --- for the rules ------------------------------------------------------------------------- */

#define LINT_ADD(f, r, ...) finding_add(f, (r)->id, (r)->severity, __VA_ARGS__)

/* The value of a key, or NULL. */
const char *lint_get(const struct lint *l, const char *key);
/* One property of a key's value; false when it is not given. */
bool lint_prop(const struct lint *l, const struct propfmt *fmt, const char *key, const char *name, char *buf,
	       size_t size);
bool lint_is_on(const struct lint *l, const char *key, bool preset);
/* "/etc/pve/qemu-server/100.conf:7: cpu: kvm64", or that it has no such line. */
struct finding_text lint_seen(const struct lint *l, const char *key);
/* "qm set 100 --KEY..." */
struct finding_text lint_set(const struct lint *l, const char *fmt, ...) _printf_(2, 3);

bool lint_is_q35(const struct lint *l);
bool lint_is_ovmf(const struct lint *l);
bool lint_is_windows(const struct lint *l);
uint64_t lint_memory(const struct lint *l);	/* MiB; Proxmox's default is 512 */

/* Graphics functions that an entry brings, in the order of the plan; NULL at the end. */
const struct device *lint_card(const struct lint *l, size_t i);
const struct card *lint_facts_of(const struct lint *l, const struct device *v);

int lint_fix_cpu(const struct lint *l, struct vmedit *ed, struct err *e);
int lint_fix_balloon(const struct lint *l, struct vmedit *ed, struct err *e);
int lint_fix_agent(const struct lint *l, struct vmedit *ed, struct err *e);
int lint_fix_numa(const struct lint *l, struct vmedit *ed, struct err *e);
int lint_fix_kvm(const struct lint *l, struct vmedit *ed, struct err *e);

#endif
