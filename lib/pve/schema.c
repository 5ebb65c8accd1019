/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of a VM config, and how Proxmox takes their values when it reads the file. */
#include "schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hostpci.h"
#include "propnum.h"
#include "schema_check.h"

#define BOOLEAN(name)		{ name, 0, 0, PROP_BOOL, NULL, NULL }
#define INTEGER(name)		{ name, 0, 0, PROP_INT, NULL, NULL }
#define NUMBER(name)		{ name, 0, 0, PROP_NUMBER, NULL, NULL }
#define TEXT(name)		{ name, 0, 0, PROP_STRING, NULL, NULL }
#define TEXTS(name, n)		{ name, n, 0, PROP_STRING, NULL, NULL }
#define CHECKED(name, rule)	{ name, 0, 0, PROP_STRING, NULL, &schema_check_##rule }
#define PROPS(name, f)		{ name, 0, 0, PROP_STRING, &schema_##f, NULL }
#define FAMILY(name, n, f)	{ name, n, 0, PROP_STRING, &schema_##f, NULL }

static bool bootdisk(const char *s, size_t len);
static const struct prop_check check_bootdisk = { bootdisk, "a disk such as scsi0" };

/* QemuServer.pm: $confdesc and $confdesc_cloudinit, Drive.pm: $drivedesc_hash. */
static const struct schema_option options[] = {
	BOOLEAN("acpi"), BOOLEAN("allow-ksm"), BOOLEAN("autostart"), BOOLEAN("ciupgrade"),
	BOOLEAN("freeze"), BOOLEAN("keephugepages"), BOOLEAN("kvm"), BOOLEAN("localtime"),
	BOOLEAN("numa"), BOOLEAN("onboot"), BOOLEAN("protection"), BOOLEAN("reboot"),
	BOOLEAN("tablet"), BOOLEAN("tdf"), BOOLEAN("template"),

	INTEGER("balloon"), INTEGER("cores"), INTEGER("cpuunits"), INTEGER("migrate_speed"),
	INTEGER("shares"), INTEGER("smp"), INTEGER("snaptime"), INTEGER("sockets"), INTEGER("vcpus"),
	NUMBER("cpulimit"), NUMBER("migrate_downtime"),

	TEXT("arch"), TEXT("args"), TEXT("bios"), TEXT("cipassword"), TEXT("citype"), TEXT("ciuser"),
	TEXT("description"), TEXT("hugepages"), TEXT("keyboard"), TEXT("lock"), TEXT("ostype"),
	TEXT("running-nets-host-mtu"), TEXT("runningcpu"), TEXT("scsihw"), TEXT("searchdomain"),
	TEXT("startdate"), TEXT("vmgenid"), TEXTS("parallel", 3), TEXTS("serial", 4),

	CHECKED("affinity", cpuset), CHECKED("hookscript", volume), CHECKED("hotplug", hotplug),
	CHECKED("name", dns_name), CHECKED("nameserver", addresses), CHECKED("parent", configid),
	CHECKED("sshkeys", urlencoded), CHECKED("startup", startup), CHECKED("tags", tags),
	CHECKED("vmstate", volume), CHECKED("vmstatestorage", storage_id),
	{ "bootdisk", 0, 0, PROP_STRING, NULL, &check_bootdisk },

	PROPS("agent", format_agent), PROPS("amd-sev", format_sev), PROPS("boot", format_boot),
	PROPS("cdrom", drive_ide), PROPS("cicustom", format_cicustom), PROPS("cpu", format_cpu),
	PROPS("intel-tdx", format_tdx), PROPS("ivshmem", format_ivshmem),
	PROPS("machine", format_machine), PROPS("memory", format_memory), PROPS("meta", format_meta),
	PROPS("runningmachine", format_machine), PROPS("spice_enhancements", format_spice),
	PROPS("vga", format_vga), PROPS("watchdog", format_watchdog),

	FAMILY("audio", 1, format_audio), FAMILY("efidisk", 1, drive_efidisk),
	{ "hostpci", HOSTPCI_MAX, 0, PROP_STRING, &hostpci_fmt, NULL },
	FAMILY("ide", 4, drive_ide), FAMILY("ipconfig", 32, format_ipconfig),
	FAMILY("net", 32, format_net), FAMILY("numa", 8, format_numa), FAMILY("rng", 1, format_rng),
	FAMILY("sata", 6, drive_sata), FAMILY("scsi", 31, drive_scsi),
	{ "smbios", 0, 1, PROP_STRING, &schema_format_smbios1, NULL },
	FAMILY("tpmstate", 1, drive_tpmstate), FAMILY("unused", 256, drive_unused),
	FAMILY("usb", 14, format_usb), FAMILY("virtio", 16, drive_virtio),
	FAMILY("virtiofs", 10, format_virtiofs),
};

/* QemuServer.pm: $fleecing_section_schema. */
static const struct schema_option fleecing[] = { CHECKED("fleecing-images", volumes) };

/* The number at the end of a key, as Proxmox writes it ("net00" is no key).  -1: none. */
static int split_key(const char *key, size_t len, size_t *ret_name)
{
	size_t n = len;
	int number = 0;

	while (n && key[n - 1] >= '0' && key[n - 1] <= '9')
		n--;
	*ret_name = n;
	if (n == len || len - n > 3 || (len - n > 1 && key[n] == '0'))
		return -1;
	for (size_t i = n; i < len; i++)
		number = number * 10 + (key[i] - '0');
	return number;
}

static const struct schema_option *find_in(const struct schema_option *table, size_t n,
					   const char *key, size_t len)
{
	size_t n_name;
	int number = split_key(key, len, &n_name);
	bool plain = n_name == len;

	for (size_t i = 0; i < n; i++) {
		const struct schema_option *o = &table[i];

		if (o->name[0] != key[0] || !slice_is((struct slice){ key, n_name }, o->name))
			continue;
		if (plain ? !o->count && !o->first : number >= 0 &&
		    (o->first ? (unsigned)number == o->first : (unsigned)number < o->count))
			return o;
	}
	return NULL;
}

const struct schema_option *schema_find(enum schema_kind kind, const char *key, size_t len)
{
	switch (kind) {
	case SCHEMA_VM:
		return find_in(options, ARRAY_SIZE(options), key, len);
	case SCHEMA_FLEECING:
		return find_in(fleecing, ARRAY_SIZE(fleecing), key, len);
	}
	return NULL;
}

bool schema_is_drive(const char *key, size_t len)
{
	const struct schema_option *o = schema_find(SCHEMA_VM, key, len);

	return o && (o->format == &schema_drive_ide || o->format == &schema_drive_sata ||
		     o->format == &schema_drive_scsi || o->format == &schema_drive_virtio ||
		     o->format == &schema_drive_efidisk || o->format == &schema_drive_tpmstate) &&
	       o->count;
}

static bool bootdisk(const char *s, size_t len)
{
	return schema_is_drive(s, len);
}

/* Perl's int() of digits: 64 bits, beyond that a double with 15 places. */
static struct slice normal_int(struct slice v, struct schema_number *number)
{
	uint64_t value;

	for (; v.len > 1 && *v.s == '0'; v.len--)
		v.s++;
	if (str_to_u64(v.s, 10, &value) == 0)
		return v;
	(void)snprintf(number->s, sizeof(number->s), "%.15g", strtod(v.s, NULL));
	if (number->s[0] == 'i')
		(void)str_copy(number->s, sizeof(number->s), "Inf");
	return (struct slice){ number->s, strlen(number->s) };
}

static int check_bool(struct slice v, struct slice *ret, struct err *e)
{
	int b = propnum_bool(v.s, v.len);

	if (b < 0)
		return err_set(e, EINVAL, "it is neither yes nor no");
	*ret = (struct slice){ b ? "1" : "0", 1 };
	return 0;
}

static int check_number(struct slice v, struct slice *ret, struct err *e)
{
	/* Digits, and perhaps a point and more digits. */
	const char *point = memchr(v.s, '.', v.len);
	size_t n = point ? (size_t)(point - v.s) : v.len;

	if (!propnum_is_digits(v.s, n) || (point && !propnum_is_digits(point + 1, v.len - n - 1)))
		return err_set(e, EINVAL, "it is no number");
	*ret = v;
	return 0;
}

static int check_string(const struct schema_option *o, struct slice v, const struct schema_env *env,
			struct slice *ret, struct err *e)
{
	struct propstr props;

	*ret = v;
	if (o->format)
		return propstr_parse(o->format, v.s, v.len, env, &props, e);
	if (o->check && !o->check->ok(v.s, v.len))
		return err_set(e, EINVAL, "it is not %s", o->check->want);
	if (!o->check && v.len >= 2 && v.s[0] == '"' && v.s[v.len - 1] == '"')
		*ret = (struct slice){ v.s + 1, v.len - 2 };
	return 0;
}

int schema_check(const struct schema_option *o, struct slice value, const struct schema_env *env,
		 struct schema_number *number, struct slice *ret, struct err *e)
{
	if (memchr(value.s, '\n', value.len) || memchr(value.s, '\r', value.len))
		return err_set(e, EINVAL, "it contains a line feed or carriage return");
	switch (o->type) {
	case PROP_BOOL:
		return check_bool(value, ret, e);
	case PROP_INT:
		if (!propnum_is_digits(value.s, value.len))
			return err_set(e, EINVAL, "it is no whole number");
		*ret = normal_int(value, number);
		return 0;
	case PROP_NUMBER:
		return check_number(value, ret, e);
	case PROP_STRING:
		break;
	}
	return check_string(o, value, env, ret, e);
}
