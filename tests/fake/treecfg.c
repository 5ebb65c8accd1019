// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * treecfg - config space, BARs and the `resource` file of a function in a tree.
 *
 * The bytes agree with what the attributes say: IDs, class, command register, header type, BARs,
 * PM, MSI and PCI Express capabilities (FLR bit, link), SR-IOV.  A virtual function reads ffff for
 * its IDs and has no BARs of its own, as the SR-IOV specification has it (3.4.1.1, 3.4.1.11); sysfs knows
 * better.
 */
#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "manifest.h"
#include "str.h"

enum { CAP_PM = 0x60, CAP_MSI = 0x68, CAP_EXP = 0x78, CAP_AF = 0xb4 };
enum { EXT_AER = 0x100, EXT_ACS = 0x148, EXT_SRIOV = 0x160 };

/* include/linux/ioport.h */
#define RES_IO		0x00040101u
#define RES_MEM		0x00040200u
#define RES_PREFETCH	0x00002008u
#define RES_64		0x00100004u
#define RES_ROM		0x00046200u

static void put16(uint8_t *cfg, unsigned at, unsigned value)
{
	cfg[at] = (uint8_t)value;
	cfg[at + 1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *cfg, unsigned at, uint32_t value)
{
	put16(cfg, at, value & 0xffff);
	put16(cfg, at + 2, value >> 16);
}

static bool has_reset(const struct tree_dev *d, const char *method)
{
	char copy[sizeof(d->reset)], *cursor = copy, *word;

	memcpy(copy, d->reset, sizeof(copy));
	while ((word = str_token(&cursor, " ")))
		if (strcmp(word, method) == 0)
			return true;
	return false;
}

/* "64m" -> bytes */
static int parse_size(const char *text, uint64_t *ret)
{
	char number[16];
	size_t n = strspn(text, "0123456789");
	unsigned shift;

	if (n == 0 || n >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, n);
	number[n] = '\0';
	shift = text[n] == 'k' ? 10 : text[n] == 'm' ? 20 : text[n] == 'g' ? 30 : 0;
	if (text[n + (shift != 0)] || str_to_u64(number, 10, ret) < 0 || *ret == 0)
		return -EINVAL;
	*ret <<= shift;
	return 0;
}

/* "16g:64p" at slot *i; a 64-bit BAR takes two. */
static int parse_bar(struct manifest *m, char *text, struct tree_bar *bars, size_t *i)
{
	char *kind = strchr(text, ':');
	struct tree_bar *b = &bars[*i];
	uint64_t *next;

	if (kind)
		*kind++ = '\0';
	if (parse_size(text, &b->size) < 0)
		return manifest_bad(m, "'%s' is not the size of a BAR", text);
	kind = kind ? kind : text + strlen(text);
	b->flags = strcmp(kind, "io") == 0 ? RES_IO : RES_MEM;
	if (strncmp(kind, "64", 2) == 0)
		b->flags |= RES_64;
	if (*kind && kind[strlen(kind) - 1] == 'p')
		b->flags |= RES_PREFETCH;
	next = b->flags & 4 ? &m->next_mem64 : b->flags == RES_IO ? &m->next_io : &m->next_mem;
	b->start = (*next + b->size - 1) & ~(b->size - 1);
	*next = b->start + b->size;
	*i += b->flags & 4 ? 2 : 1;
	return 0;
}

static int parse_bars(struct manifest *m, struct tree_dev *d, struct tree_bar *bars)
{
	char copy[sizeof(d->bars)], *cursor = copy, *word;
	size_t i = 0;
	int r = 0;

	memcpy(copy, d->bars, sizeof(copy));
	while (r == 0 && (word = str_token(&cursor, ","))) {
		if (i >= 6)
			return manifest_bad(m, "more than six BARs");
		if (strcmp(word, "-") == 0)
			i++;
		else
			r = parse_bar(m, word, bars, &i);
	}
	if (r == 0 && d->rom[0]) {
		char rom[sizeof(d->rom)];

		i = 6;
		memcpy(rom, d->rom, sizeof(rom));
		r = parse_bar(m, rom, bars, &i);
		bars[6].flags = RES_ROM;
	}
	return r;
}

static int write_resource(struct manifest *m, struct tree_dev *d, const struct tree_bar *bars)
{
	struct str text = STR_INIT;
	int lines = d->bridge ? 17 : 13, r;

	for (int i = 0; i < lines; i++) {
		struct tree_bar b = i < 7 ? bars[i] : (struct tree_bar){ 0, 0, 0 };

		str_addf(&text, "0x%016llx 0x%016llx 0x%016llx\n", (unsigned long long)b.start,
			 (unsigned long long)(b.size ? b.start + b.size - 1 : 0),
			 (unsigned long long)b.flags);
	}
	r = text.failed ? -ENOMEM : tfs_put(m->root, bus_attr(d->a, "resource").s, 0444, text.s, text.len);
	str_release(&text);
	for (unsigned i = 0; r == 0 && i < 6; i++)
		if (bars[i].size)
			r = tfs_put(m->root, tfs_path("%s/resource%u", d->path.s, i).s, 0600, "", 0);
	return r;
}

static void fill_bars(const struct tree_dev *d, const struct tree_bar *bars, uint8_t *cfg)
{
	unsigned slots = d->bridge ? 2 : 6;

	for (unsigned i = 0; i < slots; i++) {
		unsigned at = PCI_BASE_ADDRESS_0 + 4 * i;

		if (!bars[i].size)
			continue;
		put32(cfg, at, (uint32_t)bars[i].start |
		      (bars[i].flags == RES_IO ? 1 : bars[i].flags & 0xc));
		if (bars[i].flags & 4)
			put32(cfg, at + 4, (uint32_t)(bars[i].start >> 32));
	}
}

static unsigned command_of(const struct tree_dev *d, const struct tree_bar *bars)
{
	unsigned command = 0;

	if (d->has_physfn)
		return d->driver[0] && strcmp(d->driver, "vfio-pci") != 0 ? PCI_COMMAND_MASTER : 0;
	for (int i = 0; i < 6; i++)
		if (bars[i].size)
			command |= bars[i].flags == RES_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	if (d->bridge)
		command |= PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (d->driver[0] && strcmp(d->driver, "vfio-pci") != 0)
		command |= PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE;
	return command;
}

/* Device/port type: by `port=`, else by the place in the tree. */
static unsigned port_type(struct manifest *m, const struct tree_dev *d)
{
	struct tree_dev *up = d->has_parent ? manifest_dev(m, d->parent) : NULL;

	if (!d->bridge)
		return up ? PCI_EXP_TYPE_ENDPOINT : PCI_EXP_TYPE_RC_END;
	if (strcmp(d->port, "pci") == 0)
		return PCI_EXP_TYPE_PCI_BRIDGE;
	if (strcmp(d->port, "up") == 0)
		return PCI_EXP_TYPE_UPSTREAM;
	if (strcmp(d->port, "down") == 0)
		return PCI_EXP_TYPE_DOWNSTREAM;
	return up ? PCI_EXP_TYPE_UPSTREAM : PCI_EXP_TYPE_ROOT_PORT;
}

static unsigned speed_code(const char *speed)
{
	static const char *const speeds[] = { "2.5", "5.0", "8.0", "16.0", "32.0", "64.0" };

	for (unsigned i = 0; i < ARRAY_SIZE(speeds); i++)
		if (strncmp(speed, speeds[i], strlen(speeds[i])) == 0)
			return i + 1;
	return 1;
}

static void fill_express(struct manifest *m, const struct tree_dev *d, uint8_t *cfg)
{
	unsigned width = d->width > 0 ? (unsigned)d->width : 1;
	uint32_t cap = PCI_EXP_DEVCAP_RBER | 1;

	cfg[CAP_EXP] = PCI_CAP_ID_EXP;
	cfg[CAP_EXP + 1] = has_reset(d, "af_flr") ? CAP_AF : 0;
	put16(cfg, CAP_EXP + PCI_EXP_FLAGS, 2 | port_type(m, d) << 4);
	if (has_reset(d, "flr"))
		cap |= PCI_EXP_DEVCAP_FLR;
	put32(cfg, CAP_EXP + PCI_EXP_DEVCAP, cap);
	if (!d->speed[0])
		return;
	put32(cfg, CAP_EXP + PCI_EXP_LNKCAP, speed_code(d->speed) | width << 4);
	put16(cfg, CAP_EXP + PCI_EXP_LNKSTA, speed_code(d->speed) | width << 4);
}

static void fill_caps(struct manifest *m, const struct tree_dev *d, uint8_t *cfg)
{
	bool express = strcmp(d->pcie, "no") != 0, pm = strcmp(d->pm, "no") != 0 && !d->has_physfn;

	put16(cfg, PCI_STATUS, PCI_STATUS_CAP_LIST);
	cfg[PCI_CAPABILITY_LIST] = pm ? CAP_PM : CAP_MSI;
	if (pm) {
		cfg[CAP_PM] = PCI_CAP_ID_PM;
		cfg[CAP_PM + 1] = CAP_MSI;
		put16(cfg, CAP_PM + PCI_PM_PMC, 3);
		put16(cfg, CAP_PM + PCI_PM_CTRL, has_reset(d, "pm") ? 0 : PCI_PM_CTRL_NO_SOFT_RESET);
	}
	cfg[CAP_MSI] = PCI_CAP_ID_MSI;
	cfg[CAP_MSI + 1] = express ? CAP_EXP : has_reset(d, "af_flr") ? CAP_AF : 0;
	put16(cfg, CAP_MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT);
	if (express)
		fill_express(m, d, cfg);
	if (has_reset(d, "af_flr")) {
		cfg[CAP_AF] = PCI_CAP_ID_AF;
		cfg[CAP_AF + PCI_AF_LENGTH] = PCI_CAP_AF_SIZEOF;
		cfg[CAP_AF + PCI_AF_CAP] = PCI_AF_CAP_TP | PCI_AF_CAP_FLR;
	}
}

static void fill_extended(const struct tree_dev *d, uint8_t *cfg)
{
	unsigned next = d->bridge ? EXT_ACS : d->vfs > 0 ? EXT_SRIOV : 0;

	put32(cfg, EXT_AER, PCI_EXT_CAP_ID_ERR | 2u << 16 | next << 20);
	if (d->bridge) {
		put32(cfg, EXT_ACS, PCI_EXT_CAP_ID_ACS | 1u << 16);
		put16(cfg, EXT_ACS + PCI_ACS_CAP, 0x5f);
		put16(cfg, EXT_ACS + PCI_ACS_CTRL, 0x1d);
	} else if (d->vfs > 0) {
		put32(cfg, EXT_SRIOV, PCI_EXT_CAP_ID_SRIOV | 1u << 16);
		put16(cfg, EXT_SRIOV + PCI_SRIOV_INITIAL_VF, (unsigned)d->vfs);
		put16(cfg, EXT_SRIOV + PCI_SRIOV_TOTAL_VF, (unsigned)d->vfs);
	}
}

static void fill_header(const struct tree_dev *d, const struct tree_bar *bars, uint8_t *cfg)
{
	put16(cfg, PCI_VENDOR_ID, d->has_physfn ? 0xffff : d->vendor);
	put16(cfg, PCI_DEVICE_ID, d->has_physfn ? 0xffff : d->device);
	put16(cfg, PCI_COMMAND, command_of(d, bars));
	put32(cfg, PCI_CLASS_REVISION, (uint32_t)(d->class << 8 | d->revision));
	cfg[PCI_CACHE_LINE_SIZE] = d->has_physfn ? 0 : 16;
	cfg[PCI_HEADER_TYPE] = d->bridge ? PCI_HEADER_TYPE_BRIDGE : PCI_HEADER_TYPE_NORMAL;
	if (d->bridge) {
		cfg[PCI_PRIMARY_BUS] = d->a.bus;
		cfg[PCI_SECONDARY_BUS] = (uint8_t)d->secondary;
		cfg[PCI_SUBORDINATE_BUS] = (uint8_t)d->subordinate;
	} else {
		put16(cfg, PCI_SUBSYSTEM_VENDOR_ID, d->subvendor);
		put16(cfg, PCI_SUBSYSTEM_ID, d->subdevice);
		put32(cfg, PCI_ROM_ADDRESS, (uint32_t)bars[6].start);
	}
	if (!d->has_physfn) {
		cfg[PCI_INTERRUPT_LINE] = 0xff;
		cfg[PCI_INTERRUPT_PIN] = (uint8_t)(d->a.fn % 4 + 1);
		fill_bars(d, bars, cfg);
	}
}

int treecfg_write(struct manifest *m, struct tree_dev *d)
{
	struct tree_bar bars[8] = { { 0, 0, 0 } };
	uint8_t cfg[4096] = { 0 };
	size_t size = strcmp(d->pcie, "no") == 0 ? 256 : sizeof(cfg);
	int r = parse_bars(m, d, bars);

	if (r < 0)
		return r;
	fill_header(d, bars, cfg);
	fill_caps(m, d, cfg);
	if (size > 256)
		fill_extended(d, cfg);
	if (strcmp(d->dead, "yes") == 0)
		memset(cfg, 0xff, size);
	r = tfs_put(m->root, tfs_path("%s/config", d->path.s).s, 0644, cfg, size);
	if (r == 0)
		r = write_resource(m, d, bars);
	return manifest_did(m, r, d->path.s);
}

int treecfg_multifunction(struct manifest *m, struct tree_dev *d)
{
	struct tfs_path path = tfs_path("%s/config", d->path.s);
	uint8_t cfg[4096];
	ssize_t n;

	if (d->multifunction || d->has_physfn || strcmp(d->dead, "yes") == 0)
		return 0;
	d->multifunction = true;
	n = tfs_read(m->root, path.s, cfg, sizeof(cfg));
	if (n < 0)
		return manifest_did(m, (int)n, path.s);
	cfg[PCI_HEADER_TYPE] |= 0x80;
	return manifest_did(m, tfs_put(m->root, path.s, 0644, cfg, (size_t)n), path.s);
}
