/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The property-string formats of all options but drives and CPUs (qemu-server: QemuServer.pm and
 * the modules below QemuServer/ that are named here). */
#include "hostpci.h"
#include "schema.h"
#include "schema_check.h"

#define FLAG(key)		{ .name = key, .type = PROP_BOOL }
#define CHECKED(key, rule)	{ .name = key, .check = &schema_check_##rule }
#define WORDS(key, list)	{ .name = key, .words = list }
#define INT_FROM(key, low)	{ .name = key, .type = PROP_INT, .flags = PROP_MIN, .min = low }
#define INT_RANGE(key, low, high) \
	{ .name = key, .type = PROP_INT, .flags = PROP_MIN | PROP_MAX, .min = low, .max = high }
#define FIRST_WORDS(key, more, list) { .name = key, .flags = PROP_DEFAULT | (more), .words = list }
#define FIRST_CHECKED(key, more, rule) \
	{ .name = key, .flags = PROP_DEFAULT | (more), .check = &schema_check_##rule }
#define FORMAT(name)		const struct propfmt schema_format_##name = PROPFMT(name, NULL)

/* Agent.pm */
static const char *const agent_types[] = { "virtio", "isa", NULL };
static const struct prop agent[] = {
	{ .name = "enabled", .type = PROP_BOOL, .flags = PROP_DEFAULT | PROP_REQUIRED },
	FLAG("freeze-fs"),
	{ .name = "freeze-fs-on-backup", .alias = "freeze-fs" },
	FLAG("fstrim_cloned_disks"),
	{ .name = "guest-fsfreeze", .alias = "freeze-fs" },
	WORDS("type", agent_types),
};
FORMAT(agent);

/* CPUConfig.pm */
static const char *const sev_types[] = { "std", "es", "snp", NULL };
static const struct prop sev[] = {
	FLAG("allow-smt"), FLAG("kernel-hashes"), FLAG("no-debug"), FLAG("no-key-sharing"),
	FIRST_WORDS("type", PROP_REQUIRED, sev_types),
};
FORMAT(sev);

/* CPUConfig.pm; `attestation` has a default there, but must be written all the same. */
static const char *const tdx_types[] = { "tdx", NULL };
static const struct prop tdx[] = {
	{ .name = "attestation", .type = PROP_BOOL, .flags = PROP_REQUIRED },
	FIRST_WORDS("type", PROP_REQUIRED, tdx_types),
	INT_FROM("vsock-cid", 2), INT_FROM("vsock-port", 0),
};
FORMAT(tdx);

static const char *const audio_devices[] = { "ich9-intel-hda", "intel-hda", "AC97", NULL };
static const char *const audio_drivers[] = { "spice", "none", NULL };
static const struct prop audio[] = {
	{ .name = "device", .flags = PROP_REQUIRED, .words = audio_devices },
	WORDS("driver", audio_drivers),
};
FORMAT(audio);

/* QemuServer.pm: verify_bootdev. */
static bool boot_device(const char *s, size_t len)
{
	const struct schema_option *o;

	if (!len)
		return false;
	o = schema_find(SCHEMA_VM, s, len);
	if (!o || !o->count)
		return false;
	if (o->format == &schema_drive_efidisk || o->format == &schema_drive_tpmstate)
		return false;
	return schema_is_drive(s, len) || o->format == &schema_format_net ||
	       o->format == &schema_format_usb || o->format == &hostpci_fmt;
}

static bool boot_order(const char *s, size_t len)
{
	return schema_check_list(s, len, boot_device);
}

static const struct prop_check check_boot_order = { boot_order, "a list of devices to boot from" };
static const struct prop boot[] = {
	FIRST_CHECKED("legacy", 0, boot_letters),
	{ .name = "order", .check = &check_boot_order },
};
FORMAT(boot);

static const struct prop cicustom[] = {
	CHECKED("meta", volume), CHECKED("network", volume), CHECKED("user", volume),
	CHECKED("vendor", volume),
};
FORMAT(cicustom);

/* Network.pm */
static const struct prop ipconfig[] = {
	{ .name = "gw", .check = &schema_check_ipv4, .needs = "ip" },
	{ .name = "gw6", .check = &schema_check_ipv6, .needs = "ip6" },
	CHECKED("ip", ipv4_config), CHECKED("ip6", ipv6_config),
};
FORMAT(ipconfig);

static const struct prop ivshmem[] = {
	CHECKED("name", shm_name),
	{ .name = "size", .type = PROP_INT, .flags = PROP_REQUIRED | PROP_MIN, .min = 1 },
};
FORMAT(ivshmem);

/* Machine.pm */
static const char *const viommus[] = { "intel", "virtio", NULL };
static const struct prop machine[] = {
	{ .name = "aw-bits", .type = PROP_NUMBER, .flags = PROP_MIN | PROP_MAX, .min = 32, .max = 64 },
	FLAG("enable-s3"), FLAG("enable-s4"),
	{ .name = "type", .flags = PROP_DEFAULT, .check = &schema_check_machine, .max_len = 40 },
	WORDS("viommu", viommus),
};
FORMAT(machine);

/* Memory.pm */
static const struct prop memory[] = {
	{ .name = "current", .type = PROP_INT, .flags = PROP_DEFAULT | PROP_REQUIRED | PROP_MIN,
	  .min = 16 },
};
FORMAT(memory);

static const char *const numa_policies[] = { "preferred", "bind", "interleave", NULL };
static const struct prop numa[] = {
	{ .name = "cpus", .flags = PROP_REQUIRED, .check = &schema_check_number_sets },
	CHECKED("hostnodes", number_sets),
	{ .name = "memory", .type = PROP_NUMBER },
	WORDS("policy", numa_policies),
};
FORMAT(numa);

/* MetaInfo.pm */
static const struct prop meta[] = { CHECKED("creation-qemu", version), INT_FROM("ctime", 0) };
FORMAT(meta);

/* Network.pm: the name of a model is also a key, with the MAC address as its value. */
static const char *const nics[] = {
	"e1000", "e1000-82540em", "e1000-82544gc", "e1000-82545em", "e1000e", "i82551",
	"i82557b", "i82559er", "ne2k_isa", "ne2k_pci", "pcnet", "rtl8139", "virtio", "vmxnet3",
	NULL
};
#define NIC(model)		{ .name = model, .alias = "macaddr", .key_alias = "model" }
static const struct prop net[] = {
	CHECKED("bridge", bridge), FLAG("firewall"), FLAG("host-tunnel"), FLAG("link_down"),
	CHECKED("macaddr", mac),
	FIRST_WORDS("model", PROP_REQUIRED, nics),
	INT_RANGE("mtu", 1, 65520), INT_RANGE("queues", 0, 64),
	{ .name = "rate", .type = PROP_NUMBER, .flags = PROP_MIN },
	INT_RANGE("tag", 1, 4094), CHECKED("trunks", number_sets),
	NIC("e1000"), NIC("e1000-82540em"), NIC("e1000-82544gc"), NIC("e1000-82545em"),
	NIC("e1000e"), NIC("i82551"), NIC("i82557b"), NIC("i82559er"), NIC("ne2k_isa"),
	NIC("ne2k_pci"), NIC("pcnet"), NIC("rtl8139"), NIC("virtio"), NIC("vmxnet3"),
};
FORMAT(net);

/* RNG.pm */
static const char *const rng_sources[] = { "/dev/urandom", "/dev/random", "/dev/hwrng", NULL };
static const struct prop rng[] = {
	{ .name = "max_bytes", .type = PROP_INT }, { .name = "period", .type = PROP_INT },
	FIRST_WORDS("source", PROP_REQUIRED, rng_sources),
};
FORMAT(rng);

static const struct prop smbios1[] = {
	FLAG("base64"), CHECKED("family", base64), CHECKED("manufacturer", base64),
	CHECKED("product", base64), CHECKED("serial", base64), CHECKED("sku", base64),
	CHECKED("uuid", uuid), CHECKED("version", base64),
};
FORMAT(smbios1);

static const char *const spice_streaming[] = { "off", "all", "filter", NULL };
static const struct prop spice[] = {
	FLAG("foldersharing"), WORDS("videostreaming", spice_streaming),
};
FORMAT(spice);

/* USB.pm */
static const struct prop usb[] = {
	FIRST_CHECKED("host", 0, usb_host), CHECKED("mapping", configid), FLAG("usb3"),
};
FORMAT(usb);

static const char *const vga_types[] = {
	"cirrus", "qxl", "qxl2", "qxl3", "qxl4", "none", "serial0", "serial1", "serial2", "serial3",
	"std", "virtio", "virtio-gl", "vmware", NULL
};
static const char *const clipboards[] = { "vnc", NULL };
static const struct prop vga[] = {
	WORDS("clipboard", clipboards), INT_RANGE("memory", 4, 512), FIRST_WORDS("type", 0, vga_types),
};
FORMAT(vga);

/* Virtiofs.pm */
static const char *const virtiofs_caches[] = { "auto", "always", "metadata", "never", NULL };
static const struct prop virtiofs[] = {
	WORDS("cache", virtiofs_caches), FLAG("direct-io"),
	FIRST_CHECKED("dirid", PROP_REQUIRED, configid),
	FLAG("expose-acl"), FLAG("expose-xattr"),
};
FORMAT(virtiofs);

static const char *const watchdog_actions[] = {
	"reset", "shutdown", "poweroff", "pause", "debug", "none", NULL
};
static const char *const watchdog_models[] = { "i6300esb", "ib700", NULL };
static const struct prop watchdog[] = {
	WORDS("action", watchdog_actions), FIRST_WORDS("model", 0, watchdog_models),
};
FORMAT(watchdog);
