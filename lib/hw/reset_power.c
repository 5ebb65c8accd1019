// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * D3hot and back through runtime power management: see reset.h.
 *
 * A function on vfio-pci that nobody has open is put to sleep as soon as power/control allows it
 * (drivers/vfio/pci/vfio_pci_core.c, module parameter disable_idle_d3), and woken when it no longer does.
 * Without No_Soft_Reset waking is a reset (PCI PM 1.2 section 5.4).  d3cold_allowed keeps the port's
 * power on meanwhile: this is not a power cycle.
 */
#include <errno.h>
#include <string.h>

#include "driver.h"
#include "health.h"
#include "reset_int.h"

#define ASLEEP_MS 2000

static bool sleeps(struct host *h, struct bdf bdf)
{
	char state[16];

	return host_read_line(h, pdev_path(bdf, "power_state").s, state, sizeof(state)) == 0 &&
	       strncmp(state, "D3", 2) == 0;
}

static int fall_asleep(struct reset_job *j, struct bdf bdf, struct err *e)
{
	uint64_t end = host_now(j->h) + ASLEEP_MS;
	int r = driver_attr(j->h, bdf, "power/control", "auto", j->ns, e);

	while (r == 0 && !sleeps(j->h, bdf)) {
		if (host_now(j->h) >= end)
			return err_set(e, EIO, "%s refuses to go to D3hot (or vfio-pci has disable_idle_d3 set)",
				       BDF_S(bdf));
		host_sleep(j->h, 10);
	}
	return r;
}

static int wake_up(struct reset_job *j, struct bdf bdf, struct err *e)
{
	int r = driver_attr(j->h, bdf, "power/control", "on", j->ns, e);

	if (r == 0 && sleeps(j->h, bdf))
		r = err_set(e, EIO, "%s does not wake up from D3hot", BDF_S(bdf));
	return r;
}

static int cycle(struct reset_job *j, struct bdf bdf, struct err *e)
{
	char cold[8];
	bool has_cold = host_read_line(j->h, pdev_path(bdf, "d3cold_allowed").s, cold, sizeof(cold)) == 0;
	struct err woken = ERR_INIT;
	int r = has_cold && strcmp(cold, "0") != 0 ? driver_attr(j->h, bdf, "d3cold_allowed", "0", j->ns, e) : 0, q;

	if (r == 0)
		r = fall_asleep(j, bdf, e);
	q = wake_up(j, bdf, &woken);
	if (has_cold && strcmp(cold, "0") != 0) {
		struct err back = ERR_INIT;
		int k = driver_attr(j->h, bdf, "d3cold_allowed", cold, j->ns, &back);

		if (q == 0 && k < 0)
			woken = back, q = k;
	}
	if (r == 0 && q < 0) {
		*e = woken;
		r = q;
	}
	return r;
}

int reset_power_d3(struct reset_job *j, struct err *e)
{
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < j->n; i++)
		any = any || health_d3_resets(j->h, j->fns[i]) > 0;
	if (!any)
		return err_set(e, ENOTTY, "no function of %s is reset by waking from D3hot", BDF_S(j->fns[0]));
	for (size_t i = 0; r == 0 && i < j->n; i++)
		if (health_d3_resets(j->h, j->fns[i]) > 0)
			r = cycle(j, j->fns[i], e);
	return r;
}
