/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostpci - one hostpciN value of a VM config: which host devices, and how the guest sees them.
 *
 * Syntax and start-time rules are those of qemu-server: QemuServer/PCI.pm: $hostpci_fmt and
 * parse_hostpci; the meaning of an id is that of pve-common: SysFSTools.pm: lspci.
 */
#ifndef HOSTPCI_H
#define HOSTPCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "propstr.h"
#include "str.h"

enum { HOSTPCI_MAX = 16 };	/* hostpci0 .. hostpci15 */

/* The format itself, for those who want the options as Proxmox's normal text. */
extern const struct propfmt hostpci_fmt;

/*
 * One id of a host list.  To Proxmox it is no address but the beginning of one: see
 * hostpci_id_matches().  `can_match` says whether any device can be called so at all: not with a
 * domain that has more leading zeros than the kernel writes, a device above 1f or a function
 * above 7.  The numbers are to be used only then.
 */
struct hostpci_id {
	const char *text;	/* as written */
	uint32_t domain;	/* 0 when none is written */
	uint8_t bus, dev, fn;
	bool whole;		/* no function is written: all functions; fn is 0 */
	bool can_match;
};

enum hostpci_driver {
	HOSTPCI_VFIO,		/* Proxmox resets the device and binds it to vfio-pci */
	HOSTPCI_KEEP,		/* neither: it has its driver already */
};

/* An id the guest is to see instead of the device's own. */
struct hostpci_override {
	bool set;
	uint16_t id;
};

struct hostpci {
	struct hostpci_id *ids;	/* `host`: functions of one device, in the order written */
	size_t n_ids;
	const char *mapping;	/* or NULL */
	const char *romfile;	/* or NULL; below /usr/share/kvm/ */
	const char *mdev;	/* or NULL */
	bool pcie, rombar, x_vga, legacy_igd;
	bool has_rombar;	/* rombar was written; it is true otherwise */
	enum hostpci_driver driver;
	struct hostpci_override vendor_id, device_id, sub_vendor_id, sub_device_id;
	char *text;		/* private: what the strings point into */
};

#define HOSTPCI_INIT { .rombar = true }

/*
 * The value of hostpciN as the config's reader keeps it (vmconf_get()).  -EINVAL with a sentence
 * naming the property: Proxmox drops such a line when it reads the file.  What it accepts there
 * may still stop a start: ask hostpci_check_start().  *ret is the caller's to release, and
 * untouched on failure.
 */
int hostpci_parse(const char *value, size_t len, struct hostpci *ret, struct err *e) _must_check_;
void hostpci_release(struct hostpci *p);

/*
 * The rules about the value alone that Proxmox applies only when the VM starts: exactly one of host
 * and mapping.  -EINVAL with a sentence.  (An empty value is no device at all and starts.)
 */
int hostpci_check_start(const char *value, size_t len, struct err *e) _must_check_;

/*
 * Is a device meant by this id?  The id is the beginning of its sysfs name ("0000:01:00.0"), or of
 * that name without "0000:".  So "01:00" means all functions of 0000:01:00 and nothing in another
 * domain; a domain has to be written as sysfs does.
 */
bool hostpci_id_matches(const char *id, const char *sysfs_name);

/* Appends the value in Proxmox's normal form. */
int hostpci_print(const char *value, size_t len, struct str *out, struct err *e) _must_check_;
/* The same from a struct whose ids' texts and flags the caller may have set by hand: it leaves out
 * what has its default value (but a rombar that was written) and writes ids in lower case. */
int hostpci_format(const struct hostpci *p, struct str *out);

#endif
