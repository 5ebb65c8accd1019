/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify - a word to the administrator through Proxmox VE's own notifications, whose targets and
 * matchers he has set up under Datacenter, Notifications (since 8.1).
 *
 * They are sent by a Perl module (pve-cluster: src/PVE/Notify.pm: error), which loads a template by
 * name from /usr/share/pve-manager/templates/default; ours is `pve-gpu`.  Sending may talk to mail
 * and web servers and so cannot be done in the keeper's sandbox: systemd-run starts it in a unit of
 * its own.  The Perl program is fixed; what is said travels as arguments.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include "err.h"
#include "host.h"

#define NOTIFY_MODULE "/usr/share/perl5/PVE/Notify.pm"

/* What perl is given behind -MPVE::Notify -e: arguments are node, VM id, text, node. */
extern const char notify_program[];

/* Hands the text over; it is on its way then, no more is known.  -ENOENT, without a sentence: this
 * node has no such system.  Takes as long as systemd does, at most 30 s. */
int notify_send(struct host *h, unsigned vmid, const char *text, struct err *e) _must_check_;

#endif
