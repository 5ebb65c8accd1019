/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reservation - Proxmox's list of which VM has which PCI function.
 *
 * /run/qemu-server/pci-id-reservations has one line per function, "<address> <vmid> time:<seconds>"
 * while a start is under way and "... pid:<pid>" from then on (qemu-server: QemuServer/PCI.pm:
 * reserve_pci_usage).  Lines of any other form are passed over, as Proxmox does; of two lines for
 * one address the later one counts.  The file is replaced by rename, so reading needs no lock.
 * We never write it.
 *
 * Not in it: mediated devices, devices used by containers or host processes, and VMs whose
 * cleanup has already run although QEMU is still on its way out.  Stale lines are normal.
 */
#ifndef RESERVATION_H
#define RESERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "host.h"

enum reservation_kind {
	RESERVATION_TIME,	/* value: seconds since 1970 until which it holds */
	RESERVATION_PID,	/* value: pid of the QEMU that holds it */
};

struct reservation {
	char address[24];	/* as written: the full sysfs name, for all that Proxmox writes itself */
	unsigned vmid;
	enum reservation_kind kind;
	uint64_t value;
};

struct reservations {
	struct reservation *list;	/* sorted by address; owned */
	size_t n;
};

#define RESERVATIONS_INIT { NULL, 0 }

/* A missing file is an empty list.  *ret is written on success only. */
int reservation_load(struct host *h, struct reservations *ret, struct err *e) _must_check_;
void reservation_release(struct reservations *r);

/* The entry speaks of function `a`; one without a domain means 0000, one without a function the
 * whole slot. */
bool reservation_covers(const struct reservation *r, struct bdf a);

/*
 * Would Proxmox refuse the device to any other VM because of this entry, or is its QEMU still
 * there?  A time in the future (`now_unix`: wall clock, from the caller), or a pid that is a
 * running QEMU of that VM.  Proxmox also wants the pid file to name it; we do not, because the pid
 * file goes first when QEMU exits.  1 in force, 0 stale, negative when it cannot be told.
 */
int reservation_in_force(struct host *h, const struct reservation *r, uint64_t now_unix,
			 struct err *e) _must_check_;

#endif
