/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot - all PCI functions of the machine and their IOMMU groups, read once, then immutable.
 *
 * A snapshot owns its records; readers borrow them and never free or keep them.  Whoever needs newer
 * facts takes a new snapshot.  Loading reads no attribute that can block (see pdev.h).
 *
 * The full machine is for commands that show it.  A start needs the records of a few functions
 * only: snapshot_open() lists the addresses, snapshot_want() reads what one function drags in (its
 * slot, its IOMMU group, its PF and VFs), and everything else stays a mere address.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stddef.h>

#include "pdev.h"

struct snapshot;

int snapshot_open(struct host *h, struct snapshot **ret, struct err *e) _must_check_;
int snapshot_want(struct host *h, struct snapshot *s, struct bdf bdf, struct err *e) _must_check_;

/* snapshot_open() and every record. */
int snapshot_load(struct host *h, struct snapshot **ret, struct err *e) _must_check_;
void snapshot_free(struct snapshot *s);
void snapshot_freep(struct snapshot **s);

/* The addresses, ascending. */
size_t snapshot_count(const struct snapshot *s);
struct bdf snapshot_address(const struct snapshot *s, size_t i);

/* NULL when there is no such function, or its record was not read. */
const struct pdev *snapshot_get(const struct snapshot *s, struct bdf bdf);
const struct pdev *snapshot_at(const struct snapshot *s, size_t i);

/* Does the machine have an IOMMU at work (/sys/class/iommu has an entry)?  The very test that
 * Proxmox makes (QemuServer/PCI.pm prepare_pci_device). */
bool snapshot_has_iommu(const struct snapshot *s);

/* Is the driver's folder there, i.e. is vfio-pci loaded? */
bool snapshot_has_vfio(const struct snapshot *s);

/* Adds facts whose reading can block, found out elsewhere (scout.h). */
void snapshot_learn(struct snapshot *s, struct bdf bdf, const char *override);
void snapshot_learn_open(struct snapshot *s, struct bdf bdf);
void snapshot_learn_bar(struct snapshot *s, struct bdf bdf, uint64_t sizes, uint64_t size);
void snapshot_learn_health(struct snapshot *s, struct bdf bdf, bool dead, struct pdev_link link);


/* Adds the record of a function that is not there yet (a copy); one that is there keeps its own.  -ENOMEM. */
int snapshot_expect(struct snapshot *s, const struct pdev *d) _must_check_;

#endif
