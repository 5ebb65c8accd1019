// SPDX-License-Identifier: GPL-2.0-or-later
/* Virtual functions: see sriov.h. */
#include "sriov.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "pdev.h"
#include "str.h"

#define NUMVFS "sriov_numvfs"
#define AUTOPROBE "sriov_drivers_autoprobe"

static int read_number(struct host *h, struct bdf pf, const char *attr, unsigned base, unsigned *ret)
{
	uint64_t v;
	int r = host_read_u64(h, pdev_path(pf, attr).s, base, &v);

	*ret = r < 0 ? 0 : (unsigned)v;
	return r;
}

static int count(void *arg, const char *name)
{
	*(unsigned *)arg += str_starts(name, "virtfn");
	return 0;
}

/* The links are counted: reading sriov_numvfs takes the device's lock. */
static unsigned count_now(struct host *h, struct bdf pf)
{
	unsigned n = 0;

	(void)!host_list(h, pdev_path(pf, "").s, count, &n);
	return n;
}

int sriov_read(struct host *h, struct bdf pf, struct sriov *ret)
{
	unsigned device;

	*ret = (struct sriov){ .pf = pf };
	if (read_number(h, pf, "sriov_totalvfs", 10, &ret->total) < 0 || ret->total == 0 ||
	    read_number(h, pf, "sriov_offset", 10, &ret->offset) < 0 ||
	    read_number(h, pf, "sriov_stride", 10, &ret->stride) < 0)
		return -ENOENT;
	(void)!read_number(h, pf, "sriov_vf_device", 16, &device);
	ret->vf_device = (uint16_t)device;
	ret->now = count_now(h, pf);
	return 0;
}

struct bdf sriov_address(const struct sriov *s, unsigned i)
{
	unsigned id = ((unsigned)s->pf.bus << 8 | (unsigned)s->pf.dev << 3 | s->pf.fn) + s->offset + i * s->stride;
	struct bdf a = s->pf;

	a.bus = (uint8_t)(id >> 8);
	a.dev = (uint8_t)(id >> 3 & 31);
	a.fn = (uint8_t)(id & 7);
	return a;
}

static int put(struct host *h, struct bdf pf, const char *attr, const char *value, uint64_t *ns, struct err *e)
{
	int r = driver_attr(h, pf, attr, value, ns, e);

	if (r == -ENOENT)
		return err_hint(e, "(no driver that can make virtual functions is bound to it)"), r;
	if (r == -EBUSY)
		return err_hint(e, "(it has another number of them already: stop the VMs that have them, then 'echo 0' there)"), r;
	return r;
}

/* One of them in the group of its physical function? */
static bool shares_group(struct host *h, const struct sriov *s, unsigned n)
{
	char own[32], group[32];

	if (host_read_linkname(h, pdev_path(s->pf, "iommu_group").s, own, sizeof(own)) < 0)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (host_read_linkname(h, pdev_path(sriov_address(s, i), "iommu_group").s, group, sizeof(group)) == 0 &&
		    strcmp(own, group) == 0)
			return true;
	return false;
}

static int check(struct host *h, struct bdf pf, unsigned n, struct err *e)
{
	struct sriov s;
	int r = sriov_read(h, pf, &s);

	if (r < 0 || s.now != n)
		return err_set(e, EIO, "%s has %u virtual functions after %u were asked for", BDF_S(pf), s.now, n);
	for (unsigned i = 0; i < n; i++)
		if (!host_exists(h, pdev_path(sriov_address(&s, i), "vendor").s))
			return err_set(e, EIO, "virtual function %u of %s is not at %s", i, BDF_S(pf), BDF_S(sriov_address(&s, i)));
	if (shares_group(h, &s, n))
		return err_set(e, EPERM, "a virtual function of %s shares its IOMMU group: Proxmox would take %s from the host "
			       "with it; a slot with ACS, or 'Access Control Services' in the firmware, keeps them apart", BDF_S(pf),
			       BDF_S(pf));
	return 0;
}

static bool any_driver(struct host *h, struct bdf pf, unsigned n)
{
	char driver[64];

	for (unsigned i = 0; i < n; i++)
		if (host_read_linkname(h, host_path("%s/virtfn%u/driver", pdev_path(pf, "").s, i).s, driver, sizeof(driver)) == 0)
			return true;
	return false;
}

/* *ret_made: the functions that are there now are those that this made. */
static int make(struct host *h, struct bdf pf, unsigned n, bool *ret_made, uint64_t *ns, struct err *e)
{
	bool none = count_now(h, pf) == 0;
	char was[8] = "", number[12];
	int r = 0;

	snprintf(number, sizeof(number), "%u", n);
	if (host_read_line(h, pdev_path(pf, AUTOPROBE).s, was, sizeof(was)) < 0)
		was[0] = '\0';
	if (strcmp(was, "1") == 0)
		r = put(h, pf, AUTOPROBE, "0", ns, e);
	if (r == 0)
		r = put(h, pf, NUMVFS, number, ns, e);
	*ret_made = none && r == 0;
	if (strcmp(was, "1") == 0) {
		struct err mine = ERR_INIT;
		int q = put(h, pf, AUTOPROBE, was, ns, &mine);

		if (r == 0 && q < 0) {
			*e = mine;
			r = q;
		}
	}
	return r;
}

int sriov_make(struct host *h, struct bdf pf, unsigned n, uint64_t *ns, struct err *e)
{
	bool made = false;
	int r = count_now(h, pf) == n ? 0 : make(h, pf, n, &made, ns, e);

	if (r == 0)
		r = check(h, pf, n, e);
	if (r < 0 && made && !any_driver(h, pf, n)) {
		struct err mine = ERR_INIT;

		(void)!put(h, pf, NUMVFS, "0", ns, &mine);
	}
	return r;
}

int sriov_unmake(struct host *h, struct bdf pf, unsigned made, const char *autoprobe, uint64_t *ns, struct err *e)
{
	unsigned n = count_now(h, pf);
	bool stay = n && (n != made || any_driver(h, pf, n));
	char now[8];
	int r = 0;

	if (n && !stay)
		r = put(h, pf, NUMVFS, "0", ns, e);
	if (r == 0 && *autoprobe && host_read_line(h, pdev_path(pf, AUTOPROBE).s, now, sizeof(now)) == 0 &&
	    strcmp(now, autoprobe) != 0)
		r = put(h, pf, AUTOPROBE, autoprobe, ns, e);
	if (r == 0 && !stay && count_now(h, pf))
		r = err_set(e, EIO, "%s still has virtual functions after 0 was written to " NUMVFS, BDF_S(pf));
	return r == 0 && stay ? 1 : r;
}
