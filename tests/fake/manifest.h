/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manifest - a machine's text while it is being unpacked (inside of tree.h).
 *
 * Lines take effect in their order: a bridge stands before what is behind it, and a later `file` or
 * `hex` line may patch what a `pci` line made.
 */
#ifndef MANIFEST_H
#define MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "treefs.h"

#define MANIFEST_WORDS 64

/* One line.  `rest` is the line after its second word, untouched; `body` the text of a <<END. */
struct manifest_line {
	char *v[MANIFEST_WORDS];
	size_t n;
	const char *rest;
	const char *body;
	size_t body_len;
};

struct tree_root_bus {
	uint32_t domain;
	unsigned bus;
	struct tfs_path path;		/* /sys/devices/pci0000:00 */
};

/* A `pci` line.  Texts are kept as written; numbers that were not written are -1. */
struct tree_dev {
	struct bdf a, parent, physfn;
	bool has_parent, has_physfn, bridge;
	unsigned vendor, device, subvendor, subdevice;
	uint64_t class, revision;
	int group, boot_vga, numa, d3cold, enable, irq, width, vfs;
	char driver[32], module[32], native[96], reset[96], override[32], power[8], state[16];
	char speed[32], bars[128], rom[16], nodes[256], mdev[64], bus[12], port[8], subsystem[16];
	char pcie[4], pm[4], vgpu[4], dead[4];
	unsigned secondary, subordinate, n_vfs;
	bool multifunction;
	struct tfs_path path;		/* its real folder */
};

struct tree_bar {
	uint64_t start, size;
	uint32_t flags;			/* as the third column of `resource` */
};

struct manifest {
	int root;
	const char *name;
	unsigned line;
	char node[64];
	char iommu[16];			/* "dmar0", "ivhd0"; "" = none */
	struct tfs_path iommu_path;
	struct tree_dev *devs;
	size_t n_devs;
	struct tree_root_bus roots[32];
	size_t n_roots;
	uint64_t next_mem, next_mem64, next_io;		/* where the next BAR lies */
	struct err *e;
};

/* "NAME:LINE: ..." ; returns -EINVAL. */
int manifest_bad(struct manifest *m, const char *fmt, ...) _printf_(2, 3);
/* A failed file operation, 0 or more passes through. */
int manifest_did(struct manifest *m, int r, const char *path);
/* The value of KEY=VALUE, or NULL. */
const char *manifest_value(const struct manifest_line *l, const char *key);
struct tree_dev *manifest_dev(struct manifest *m, struct bdf a);
int manifest_id(const char *text, unsigned *ret_vendor, unsigned *ret_device);

/* The verbs. */
int manifest_pci(struct manifest *m, const struct manifest_line *l);	/* treepci.c */
int manifest_root(struct manifest *m, const struct manifest_line *l);
int manifest_host(struct manifest *m, const struct manifest_line *l);	/* treehost.c */
int manifest_iommu(struct manifest *m, const struct manifest_line *l);
int manifest_config(struct manifest *m, const struct manifest_line *l);
int manifest_driver(struct manifest *m, const struct manifest_line *l);
int manifest_loadable(struct manifest *m, const struct manifest_line *l);
int manifest_dynid(struct manifest *m, const struct manifest_line *l);
int manifest_vm(struct manifest *m, const struct manifest_line *l);
int manifest_volume(struct manifest *m, const struct manifest_line *l);	/* treeuse.c */
int manifest_bridge(struct manifest *m, const struct manifest_line *l);

/* treecfg.c: BARs laid out, config space and `resource` written. */
int treecfg_write(struct manifest *m, struct tree_dev *d);
/* The function has siblings: bit 7 of the header type. */
int treecfg_multifunction(struct manifest *m, struct tree_dev *d);

#endif
