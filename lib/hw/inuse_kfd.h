/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inuse_kfd - which processes compute on AMD GPUs.
 *
 * All of them share the one node /dev/kfd, so an open descriptor says nothing about a card; the
 * driver keeps a folder per process with the memory it has on each (drivers/gpu/drm/amd/amdkfd/
 * kfd_process.c:kfd_procfs_add_sysfs_files), and a topology that tells which card is which.
 */
#ifndef INUSE_KFD_H
#define INUSE_KFD_H

#include "bdf.h"
#include "host.h"

typedef int (*inuse_kfd_fn)(void *arg, size_t fn, int pid);

/* Calls fn for every process with memory on one of the functions.  Without amdkfd there are none;
 * an error is the callback's. */
int inuse_kfd(struct host *h, const struct bdf *fns, size_t n, inuse_kfd_fn fn, void *arg) _must_check_;

#endif
