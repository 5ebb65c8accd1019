/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapping - cluster-wide names for PCI devices: /etc/pve/mapping/pci.cfg.
 *
 * A VM may say "mapping=gpu" instead of an address; the mapping says what that is on each node.
 * Each `map` line of this node is one alternative, in file order; the paths in it, separated by
 * ';', are the functions of one multifunction device (pve-guest-common: Mapping/PCI.pm:
 * get_node_mapping; qemu-server: QemuServer/PCI.pm: parse_hostpci).
 *
 * At every start Proxmox compares every alternative of the node with the hardware and refuses the
 * start when one differs (Mapping/PCI.pm: assert_valid).  mapping_check() is that comparison, over
 * facts the caller has looked up: this layer knows no hardware.
 */
#ifndef MAPPING_H
#define MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "host.h"
#include "propstr.h"
#include "section.h"

#define MAPPING_FILE "/etc/pve/mapping/pci.cfg"

/* The format of a `map` line. */
extern const struct propfmt mapping_map_fmt;

struct mapping_entry {
	unsigned line;			/* in the file */
	const char *node;
	const char *id;			/* "10de:2684", letters as written */
	const char *subsystem;		/* likewise, or NULL when not configured */
	const char *group;		/* number as written, or NULL when not configured */
	const char *description;	/* or NULL */
	const char **paths;		/* "0000:01:00" (whole slot) or "0000:01:00.0" */
	size_t n_paths;			/* at least 1 */
	char *text;			/* private: what the strings point into */
};

struct mapping {
	char *name;
	char *description;		/* or NULL */
	bool mdev;
	bool live_migration;
	struct mapping_entry *entries;
	size_t n_entries;
	unsigned n_skipped;		/* `map` lines that Proxmox skips with a warning, of any node */
	char skipped[256];		/* why the first of them: "line 4: ..." */
};

#define MAPPING_INIT { NULL, NULL, false, false, NULL, 0, 0, "" }

/* The mapping `name` with its entries for `node` (NULL: of all nodes).  -ENOENT with a sentence when
 * there is no file, no such mapping, or no entry for the node.  *ret is the caller's to release. */
int mapping_load(struct host *h, const char *name, const char *node, struct mapping *ret,
		 struct err *e) _must_check_;

/* The same from a section already read; with node NULL it may have no entries. */
int mapping_from_section(const struct section *s, const char *node, struct mapping *ret,
			 struct err *e) _must_check_;

void mapping_release(struct mapping *m);

/* The address a path stands for; *ret_whole when it has no function (fn is then 0, the function
 * that Proxmox looks at).  -EINVAL: it passes Proxmox's pattern, but no device can be called so. */
int mapping_path(const char *path, struct bdf *ret, bool *ret_whole) _must_check_;

/* What the machine has at the address mapping_path() gave. */
struct mapping_facts {
	bool present;
	uint16_t vendor, device;
	bool has_subsystem;		/* sysfs has subsystem_vendor and subsystem_device */
	uint16_t subsystem_vendor, subsystem_device;
	int group;			/* IOMMU group, -1 = none */
	bool mdev;			/* has mdev_supported_types/, or the vGPU driver's nvidia/ */
};

/*
 * Would Proxmox start a VM with path number `path` of this entry?  Compared as text, upper case
 * differs from lower: id; subsystem-id (required when the device has one); iommugroup (required
 * when the device is in one; first path only); the mapping's mdev flag.  0, or -ENODEV when
 * nothing is there, or -ESTALE with one sentence naming everything that differs.
 */
int mapping_check(const struct mapping *m, const struct mapping_entry *entry, size_t path,
		  const struct mapping_facts *facts, struct err *e) _must_check_;

#endif
