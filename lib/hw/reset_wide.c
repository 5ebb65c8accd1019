// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Resets that reach further than a function: the bus below a port, and taking a card off the bus to find it
 * again.  See reset.h.
 *
 * reset_subordinate resets whatever is below the port, in use or not (drivers/pci/pci-sysfs.c:
 * reset_subordinate_store); `remove` with a driver bound can hold the lock of all hotplug for ever
 * (drivers/pci/remove.c:pci_stop_and_remove_bus_device_locked).  So both look around first.
 */
#include <errno.h>
#include <string.h>

#include "driver.h"
#include "reset_int.h"
#include "str.h"
#include "vfio.h"

/* The port that the card hangs below. */
static int port_of(struct reset_job *j, struct bdf *ret, struct err *e)
{
	struct pdev d;
	int r = pdev_load(j->h, j->fns[0], &d, e);

	if (r < 0)
		return r;
	if (!d.has_parent || d.is_vf)
		return err_set(e, ENOTTY, "%s is not behind a port of its own", BDF_S(j->fns[0]));
	*ret = d.parent;
	return 0;
}

struct below {
	struct reset_job *j;
	struct bdf bridge;
	int r;
	struct err *e;
};

/* Ours, or a bridge with nothing but ours below it. */
static int see_below(void *arg, const char *name)
{
	struct below *b = arg;
	struct bdf a;

	if (bdf_parse(name, &a) < 0 || reset_is_ours(b->j, a))
		return 0;
	if (host_exists(b->j->h, pdev_path(a, "pci_bus").s)) {
		struct below deeper = { b->j, a, 0, b->e };

		b->r = host_list(b->j->h, pdev_path(a, "").s, see_below, &deeper);
		b->r = deeper.r < 0 ? deeper.r : b->r;
	} else {
		b->r = err_set(b->e, EPERM, "%s is below the port too, and is not part of the card", BDF_S(a));
	}
	return b->r < 0 ? 1 : 0;
}

static int all_below_is_ours(struct reset_job *j, struct bdf bridge, struct err *e)
{
	struct below b = { j, bridge, 0, e };
	int r = host_list(j->h, pdev_path(bridge, "").s, see_below, &b);

	if (b.r < 0)
		return e->code ? b.r : err_set(e, -b.r, "cannot see what is below the port %s", BDF_S(bridge));
	return r < 0 ? err_set(e, -r, "cannot see what is below the port %s: %s", BDF_S(bridge), err_text(r)) : 0;
}

static int nobody_has_it_open(struct reset_job *j, struct err *e)
{
	for (size_t i = 0; i < j->n; i++)
		if (vfio_is_open(j->h, j->fns[i], -1))
			return err_set(e, EBUSY, "%s is open: a process uses it through VFIO; see who with "
				       "'fuser -v /dev/vfio/*'", BDF_S(j->fns[i]));
	return 0;
}

int reset_wide_subordinate(struct reset_job *j, struct err *e)
{
	struct bdf bridge;
	int r = port_of(j, &bridge, e);

	if (r < 0)
		return r;
	if (!host_exists(j->h, pdev_path(bridge, "reset_subordinate").s))
		return err_set(e, ENOTTY, "this kernel has no reset_subordinate at the port %s", BDF_S(bridge));
	r = all_below_is_ours(j, bridge, e);
	if (r == 0)
		r = nobody_has_it_open(j, e);
	return r == 0 ? driver_attr(j->h, bridge, "reset_subordinate", "1", j->ns, e) : r;
}

/* --- off the bus and found again ------------------------------------------------------------------ */

/* What a new device object forgets (drivers/pci/probe.c:pci_device_add).  The driver comes last: vfio-pci
 * changes power/control as it binds. */
static const char *const forgotten[] = { "driver_override", "d3cold_allowed", "reset_method" };

struct kept { char value[ARRAY_SIZE(forgotten)][PDEV_METHODS]; };

static void keep(struct reset_job *j, struct bdf bdf, struct kept *k)
{
	for (size_t i = 0; i < ARRAY_SIZE(forgotten); i++)
		if (host_read_line(j->h, pdev_path(bdf, forgotten[i]).s, k->value[i], sizeof(k->value[i])) < 0)
			k->value[i][0] = '\0';
	if (strcmp(k->value[0], "(null)") == 0)
		k->value[0][0] = '\0';
}

static int put_back(struct reset_job *j, struct bdf bdf, const struct kept *k, struct err *e)
{
	int r = driver_set_override(j->h, bdf, "vfio-pci", j->ns, e);

	for (size_t i = 1; r == 0 && i < ARRAY_SIZE(forgotten); i++) {
		char now[PDEV_METHODS];

		if (k->value[i][0] && host_read_line(j->h, pdev_path(bdf, forgotten[i]).s, now, sizeof(now)) == 0 &&
		    strcmp(now, k->value[i]) != 0)
			r = driver_attr(j->h, bdf, forgotten[i], k->value[i], j->ns, e);
	}
	return r;
}

/* Back to vfio-pci, whatever host driver took it as it appeared. */
static int take_again(struct reset_job *j, struct bdf bdf, const struct kept *k, struct err *e)
{
	char now[PDEV_NAME];
	int r = put_back(j, bdf, k, e);

	if (r == 0)
		r = driver_current(j->h, bdf, now, sizeof(now), e);
	if (r == 0 && now[0] && strcmp(now, "vfio-pci") != 0)
		r = driver_unbind(j->h, bdf, now, j->ns, e);
	if (r == 0)
		r = driver_bind(j->h, bdf, "vfio-pci", j->ns, e);
	if (r == 0 && strcmp(k->value[0], "vfio-pci") != 0)
		r = driver_set_override(j->h, bdf, k->value[0], j->ns, e);
	return r == 0 ? driver_attr(j->h, bdf, "power/control", "on", j->ns, e) : r;
}

static int all_there(struct host *h, const struct bdf *fns, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (!host_exists(h, pdev_path(fns[i], "vendor").s))
			return err_set(e, ENODEV, "%s was not found again on the bus: it is dead; a power cycle of the host "
				       "will bring it back", BDF_S(fns[i]));
	return 0;
}

int reset_recover(struct host *h, struct bdf bridge, const struct bdf *fns, size_t n, uint64_t *ns,
		  struct err *e)
{
	struct err ignored = ERR_INIT;
	int r = 0;

	if (all_there(h, fns, n, &ignored) < 0)
		r = driver_attr(h, bridge, "rescan", "1", ns, e);
	return r == 0 ? all_there(h, fns, n, e) : r;
}

/* Never with a driver bound: first unbind all, then remove the highest function first. */
static int remove_all(struct reset_job *j, struct err *e)
{
	int r = 0;

	for (size_t i = j->n; r == 0 && i-- > 0; )
		r = driver_unbind(j->h, j->fns[i], "vfio-pci", j->ns, e);
	for (size_t i = j->n; r == 0 && i-- > 0; )
		r = driver_attr(j->h, j->fns[i], "remove", "1", j->ns, e);
	return r;
}

/* -EIO where something could not be made as it was, dead or alive: never "not offered". */
static int serious(int r)
{
	return r == -ENODEV || r == -ENOTTY ? -EIO : r;
}

int reset_wide_rescan(struct reset_job *j, struct err *e)
{
	struct kept kept[RESET_FUNCTIONS];
	struct bdf bridge;
	int r = port_of(j, &bridge, e), q;

	if (r == 0)
		r = all_below_is_ours(j, bridge, e);
	if (r == 0)
		r = nobody_has_it_open(j, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < j->n; i++)
		keep(j, j->fns[i], &kept[i]);
	r = remove_all(j, e);
	q = reset_recover(j->h, bridge, j->fns, j->n, j->ns, r == 0 ? e : &(struct err)ERR_INIT);
	r = r < 0 ? r : q;
	for (size_t i = 0; q == 0 && i < j->n; i++) {
		struct err mine = ERR_INIT;

		q = take_again(j, j->fns[i], &kept[i], &mine);
		if (r == 0 && q < 0) {
			*e = mine;
			r = q;
		}
	}
	return serious(r);
}
