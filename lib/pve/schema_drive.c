/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The formats of disks, CD drives and what is left of them (qemu-server: QemuServer/Drive.pm). */
#include "schema.h"
#include "schema_check.h"

#define FLAG(key)		{ .name = key, .type = PROP_BOOL }
#define CHECKED(key, rule)	{ .name = key, .check = &schema_check_##rule }
#define WORDS(key, list)	{ .name = key, .words = list }
#define INT(key)		{ .name = key, .type = PROP_INT }
#define NUMBER(key)		{ .name = key, .type = PROP_NUMBER }
#define SECONDS(key)		{ .name = key, .type = PROP_INT, .flags = PROP_MIN, .min = 1 }
#define ALIAS(key, target)	{ .name = key, .alias = target }

#define FILE_OF(rule) \
	{ .name = "file", .flags = PROP_DEFAULT | PROP_REQUIRED, .check = &schema_check_##rule }, \
	ALIAS("volume", "file")

static const char *const aios[] = { "native", "threads", "io_uring", NULL };
static const char *const caches[] = {
	"none", "writethrough", "writeback", "unsafe", "directsync", NULL
};
static const char *const discards[] = { "ignore", "on", NULL };
static const char *const formats[] = { "raw", "qcow", "qed", "qcow2", "vmdk", "cloop", NULL };
static const char *const media[] = { "cdrom", "disk", NULL };
static const char *const rerrors[] = { "ignore", "report", "stop", NULL };
static const char *const werrors[] = { "enospc", "ignore", "report", "stop", NULL };

/* %drivedesc_base, with the throttles and their old names. */
#define BASE \
	FILE_OF(drive_file), \
	WORDS("aio", aios), FLAG("backup"), WORDS("cache", caches), FLAG("detect_zeroes"), \
	WORDS("discard", discards), WORDS("format", formats), WORDS("media", media), \
	FLAG("replicate"), WORDS("rerror", rerrors), \
	{ .name = "serial", .check = &schema_check_urlencoded, .max_len = 60 }, \
	FLAG("shared"), CHECKED("size", disk_size), FLAG("snapshot"), WORDS("werror", werrors), \
	INT("bps"), INT("bps_rd"), INT("bps_wr"), \
	INT("iops"), INT("iops_rd"), INT("iops_wr"), \
	INT("iops_max"), INT("iops_rd_max"), INT("iops_wr_max"), \
	NUMBER("mbps"), NUMBER("mbps_rd"), NUMBER("mbps_wr"), \
	NUMBER("mbps_max"), NUMBER("mbps_rd_max"), NUMBER("mbps_wr_max"), \
	SECONDS("bps_max_length"), SECONDS("bps_rd_max_length"), SECONDS("bps_wr_max_length"), \
	SECONDS("iops_max_length"), SECONDS("iops_rd_max_length"), SECONDS("iops_wr_max_length"), \
	ALIAS("bps_rd_length", "bps_rd_max_length"), ALIAS("bps_wr_length", "bps_wr_max_length"), \
	ALIAS("iops_rd_length", "iops_rd_max_length"), ALIAS("iops_wr_length", "iops_wr_max_length")

#define MODEL	{ .name = "model", .check = &schema_check_urlencoded, .max_len = 120 }
#define WWN	CHECKED("wwn", wwn)

static const struct prop ide[] = { BASE, MODEL, FLAG("ssd"), WWN };
static const struct prop sata[] = { BASE, FLAG("ssd"), WWN };
static const struct prop virtio[] = { BASE, FLAG("iothread"), FLAG("ro") };
static const struct prop scsi[] = {
	BASE, FLAG("iothread"), CHECKED("product", scsi_product),
	{ .name = "queues", .type = PROP_INT, .flags = PROP_MIN, .min = 2 },
	FLAG("ro"), FLAG("scsiblock"), FLAG("ssd"), CHECKED("vendor", scsi_vendor), WWN,
};

static const char *const efitypes[] = { "2m", "4m", NULL };
static const char *const certificates[] = { "2011", "2023", "2023w", "2023k", NULL };
static const struct prop efidisk[] = {
	FILE_OF(drive_file), WORDS("efitype", efitypes), WORDS("format", formats),
	WORDS("ms-cert", certificates), FLAG("pre-enrolled-keys"), CHECKED("size", disk_size),
};

static const char *const image_formats[] = { "raw", "qcow2", "vmdk", NULL };
static const char *const tpm_versions[] = { "v1.2", "v2.0", NULL };
static const struct prop tpmstate[] = {
	FILE_OF(drive_file), WORDS("format", image_formats), CHECKED("size", disk_size),
	WORDS("version", tpm_versions),
};

static const struct prop unused[] = { FILE_OF(volume) };

_Static_assert(ARRAY_SIZE(scsi) <= PROPSTR_MAX && ARRAY_SIZE(ide) <= PROPSTR_MAX,
	       "a property string has no room for this format");

const struct propfmt schema_drive_ide = PROPFMT(ide, NULL);
const struct propfmt schema_drive_sata = PROPFMT(sata, NULL);
const struct propfmt schema_drive_scsi = PROPFMT(scsi, NULL);
const struct propfmt schema_drive_virtio = PROPFMT(virtio, NULL);
const struct propfmt schema_drive_efidisk = PROPFMT(efidisk, NULL);
const struct propfmt schema_drive_tpmstate = PROPFMT(tpmstate, NULL);
const struct propfmt schema_drive_unused = PROPFMT(unused, NULL);
