/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schema_check - what a value in a VM config may look like: ids, addresses, sizes, lists.
 *
 * Each rule is one registered format or one pattern of Proxmox's schemas, as named beside it
 * (pve-common: JSONSchema.pm; qemu-server: QemuServer.pm and QemuServer/; pve-storage:
 * Storage/Plugin.pm).  All work on bytes: a letter is an ASCII letter.
 */
#ifndef SCHEMA_CHECK_H
#define SCHEMA_CHECK_H

#include "propstr.h"

extern const struct prop_check
	schema_check_configid,		/* pve-configid: "gpu1" */
	schema_check_storage_id,	/* pve-storage-id */
	schema_check_volume,		/* pve-volume-id: "local:snippets/x" */
	schema_check_volumes,		/* pve-volume-id-list */
	schema_check_drive_file,	/* pve-volume-id-or-qm-path: also none, cdrom, /path */
	schema_check_bridge,		/* pve-bridge-id */
	schema_check_tags,		/* pve-tag-list */
	schema_check_urlencoded,	/* urlencoded */
	schema_check_disk_size,		/* disk-size: "4M" */
	schema_check_cpuset,		/* pve-cpuset: "0,5,8-11" */
	schema_check_startup,		/* pve-startup-order: "order=1,up=30" */
	schema_check_hotplug,		/* pve-hotplug-features */
	schema_check_phys_bits,		/* pve-phys-bits: 8..64 or host */
	schema_check_mac,		/* mac-addr, unicast */
	schema_check_dns_name,		/* dns-name */
	schema_check_addresses,		/* address-list */
	schema_check_ipv4,		/* ipv4 */
	schema_check_ipv6,		/* ipv6 */
	schema_check_ipv4_config,	/* pve-ipv4-config: dhcp, manual or CIDR */
	schema_check_ipv6_config,	/* pve-ipv6-config: auto, dhcp, manual or CIDR */
	/* patterns that stand in the formats themselves */
	schema_check_pci_ids,		/* PCI.pm: host */
	schema_check_hex_id,		/* PCI.pm: vendor-id and its like */
	schema_check_romfile,		/* PCI.pm */
	schema_check_mdev,		/* PCI.pm */
	schema_check_usb_host,		/* USB.pm */
	schema_check_number_sets,	/* Memory.pm: cpus; Network.pm: trunks */
	schema_check_machine,		/* Machine.pm: type */
	schema_check_version,		/* MetaInfo.pm: creation-qemu */
	schema_check_cpu_flags,		/* CPUConfig.pm: flags, any name */
	schema_check_hv_vendor,		/* CPUConfig.pm: hv-vendor-id */
	schema_check_uuid,		/* QemuServer.pm: smbios1 */
	schema_check_base64,		/* QemuServer.pm: smbios1 */
	schema_check_shm_name,		/* QemuServer.pm: ivshmem */
	schema_check_boot_letters,	/* QemuServer.pm: boot */
	schema_check_scsi_product,	/* Drive.pm */
	schema_check_scsi_vendor,	/* Drive.pm */
	schema_check_wwn;		/* Drive.pm */

/*
 * Calls `ok` for each word of a list as ParseUtils.pm: split_list takes it apart: at ',', ';' and
 * white space; or, when there is a NUL byte, at NUL bytes only.  An empty list is fine.  Its white
 * space counts the bytes 0x85 and 0xa0 in, although they are parts of letters in UTF-8.
 */
bool schema_check_list(const char *s, size_t len, bool (*ok)(const char *s, size_t len));

#endif
