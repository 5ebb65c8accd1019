/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schema - the options of a VM config and what Proxmox does with their values when it reads a file.
 *
 * The facts are those of qemu-server: QemuServer.pm: $confdesc and check_type, which is the only
 * check on reading.  It is laxer than the API: of a string only a `format` is looked at; `enum`,
 * `pattern`, `minimum` and `maxLength` of the option itself are not.  And it normalises:
 *
 *  - a boolean becomes "1" or "0", an integer loses its leading zeros (one that does not fit into
 *    64 bits becomes a float, "1e+20");
 *  - a string without a format loses one pair of enclosing double quotes;
 *  - everything else is kept as it was written.  Drives, networks and the like are checked, not
 *    rewritten.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "propstr.h"

/*
 * What a verdict depends on besides the bytes.  The names of CPU models come with Proxmox's QEMU
 * and from /etc/pve/virtual-guest/cpu-models.conf ("custom-NAME"); a name that the built-in table
 * does not have is asked for here.  NULL, or no function: the built-in names are all there are.
 */
struct schema_env {
	bool (*cpu_model)(void *arg, const char *name);
	void *arg;
};

struct schema_option {
	const char *name;		/* without the number: "net" */
	unsigned count;			/* numbers 0..count-1 are valid; 0 = there is no number */
	unsigned first;			/* the only number, for efidisk0 and its like (count is 0) */
	enum prop_type type;
	const struct propfmt *format;	/* of a property string, or NULL */
	const struct prop_check *check;	/* of another format, or NULL */
};

/* The sections of a config know different options. */
enum schema_kind {
	SCHEMA_VM,		/* current, pending and snapshot sections */
	SCHEMA_FLEECING,	/* [special:fleecing] */
};

/* The option of a key such as "net0", or NULL: Proxmox drops the line. */
const struct schema_option *schema_find(enum schema_kind kind, const char *key, size_t len);

/*
 * The value as Proxmox keeps it.  0 and *ret (inside `value`, in `number`, or a constant); -EINVAL
 * with a sentence: Proxmox drops the line.  `value` must be followed by a NUL byte.
 */
struct schema_number { char s[32]; };
int schema_check(const struct schema_option *o, struct slice value, const struct schema_env *env,
		 struct schema_number *number, struct slice *ret, struct err *e) _must_check_;

/* Is the key a drive that a VM can have (not unusedN)?  Drive.pm: is_valid_drivename. */
bool schema_is_drive(const char *key, size_t len);

/* The formats, for those who want to look into a value that was accepted. */
extern const struct propfmt schema_format_agent, schema_format_audio, schema_format_boot,
	schema_format_cicustom, schema_format_cpu, schema_format_ipconfig, schema_format_ivshmem,
	schema_format_machine, schema_format_memory, schema_format_meta, schema_format_net,
	schema_format_numa, schema_format_rng, schema_format_sev, schema_format_smbios1,
	schema_format_spice, schema_format_tdx, schema_format_usb, schema_format_vga,
	schema_format_virtiofs, schema_format_watchdog;
extern const struct propfmt schema_drive_ide, schema_drive_sata, schema_drive_scsi,
	schema_drive_virtio, schema_drive_efidisk, schema_drive_tpmstate, schema_drive_unused;

#endif
