// SPDX-License-Identifier: GPL-2.0-or-later
/* Binding and unbinding by address: see driver.h. */
#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pdev.h"
#include "str.h"

static const unsigned retry_ms[] = { 50, 100, 200, 400, 800 };

uint64_t driver_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int timed_write(struct host *h, const char *path, const char *value, uint64_t *ns)
{
	uint64_t start = driver_clock();
	int r = host_write(h, path, value);

	*ns += driver_clock() - start;
	return r;
}

int driver_current(struct host *h, struct bdf bdf, char *buf, size_t size, struct err *e)
{
	int r = host_read_linkname(h, pdev_path(bdf, "driver").s, buf, size);

	if (r == 0)
		return 0;
	if (r != -ENOENT)
		return err_set(e, -r, "cannot see which driver %s is bound to: %s", BDF_S(bdf), err_text(r));
	if (!host_exists(h, pdev_path(bdf, "").s))
		return err_set(e, ENODEV, "%s is no longer there: it left the bus", BDF_S(bdf));
	buf[0] = '\0';
	return 0;
}

int driver_attr(struct host *h, struct bdf bdf, const char *attr, const char *value, uint64_t *ns,
		struct err *e)
{
	int r = timed_write(h, pdev_path(bdf, attr).s, value, ns);

	if (r < 0)
		return err_set(e, -r, "cannot write '%s' to %s of %s: %s", value, attr, BDF_S(bdf), err_text(r));
	return 0;
}

int driver_set_override(struct host *h, struct bdf bdf, const char *name, uint64_t *ns, struct err *e)
{
	char now[PDEV_NAME];
	int r = timed_write(h, pdev_path(bdf, "driver_override").s, *name ? name : "\n", ns);

	if (r < 0)
		return err_set(e, -r, "cannot %s%s%s the driver_override of %s: %s", *name ? "set '" : "clear",
			       name, *name ? "' as" : "", BDF_S(bdf), err_text(r));
	r = pdev_read_override(h, bdf, now, sizeof(now));
	if (r < 0)
		return err_set(e, -r, "cannot read back the driver_override of %s: %s", BDF_S(bdf), err_text(r));
	if (strcmp(now, name) != 0)
		return err_set(e, EIO, "driver_override of %s reads '%s' after '%s' was written: something else "
			       "writes to it too (driverctl? a udev rule?)", BDF_S(bdf), now, name);
	return 0;
}

int driver_unbind(struct host *h, struct bdf bdf, const char *driver, uint64_t *ns, struct err *e)
{
	char now[PDEV_NAME];
	int r = driver_current(h, bdf, now, sizeof(now), e);

	if (r < 0 || now[0] == '\0')
		return r;
	if (strcmp(now, driver) != 0)
		return err_set(e, EBUSY, "%s is on %s, not on %s as expected: somebody else bound it meanwhile",
			       BDF_S(bdf), now, driver);
	r = timed_write(h, host_path("/sys/bus/pci/drivers/%s/unbind", driver).s, BDF_S(bdf), ns);
	if (r < 0)
		return err_set(e, -r, "cannot unbind %s from %s: %s", BDF_S(bdf), driver, err_text(r));
	r = driver_current(h, bdf, now, sizeof(now), e);
	if (r == 0 && now[0])
		return err_set(e, EBUSY, "%s was unbound from %s but is on %s at once: a udev rule or service binds "
			       "it back", BDF_S(bdf), driver, now);
	return r;
}

/* What a bind's errno means here; the kernel's texts mislead. */
static const char *bind_reason(int r, const char *driver)
{
	bool vfio = strcmp(driver, "vfio-pci") == 0;

	if (r == -ENODEV)
		return vfio ? "the driver does not accept the device (is its driver_override 'vfio-pci'?)" :
			      "the driver does not know this device, or a driver_override keeps it off";
	if (r == -EINVAL && vfio)
		return "vfio-pci needs an IOMMU group and an ordinary device: is the IOMMU on in the firmware and "
		       "on the kernel's command line?";
	if (r == -EBUSY)
		return vfio ? "it has virtual functions, or its IOMMU group has another owner" :
			      "its probe said busy, or a VM still owns its IOMMU group";
	return err_text(r);
}

static int bind_once(struct host *h, struct bdf bdf, const char *driver, uint64_t *ns, struct err *e)
{
	char now[PDEV_NAME];
	int w = timed_write(h, host_path("/sys/bus/pci/drivers/%s/bind", driver).s, BDF_S(bdf), ns);
	int r = driver_current(h, bdf, now, sizeof(now), e);

	if (r < 0)
		return r;
	if (strcmp(now, driver) == 0)
		return 0;
	if (now[0])
		return err_set(e, EBUSY, "cannot bind %s to %s: it is on %s already; somebody else bound it "
			       "meanwhile", BDF_S(bdf), driver, now);
	if (w == 0)
		w = -EIO;
	return err_set(e, -w, "cannot bind %s to %s: %s; 'dmesg | grep %s' has the driver's own words", BDF_S(bdf),
		       driver, w == -EIO ? "the driver's probe failed" : bind_reason(w, driver), BDF_S(bdf));
}

int driver_bind(struct host *h, struct bdf bdf, const char *driver, uint64_t *ns, struct err *e)
{
	char now[PDEV_NAME];
	int r = driver_current(h, bdf, now, sizeof(now), e);

	if (r < 0 || strcmp(now, driver) == 0)
		return r;
	for (size_t i = 0; ; i++) {
		struct err mine = ERR_INIT, ignored = ERR_INIT;

		r = bind_once(h, bdf, driver, ns, &mine);
		if (r == 0)
			return 0;
		if ((r != -EBUSY && r != -EAGAIN) || i == ARRAY_SIZE(retry_ms) ||
		    driver_current(h, bdf, now, sizeof(now), &ignored) < 0 || now[0]) {
			*e = mine;
			return r;
		}
		host_sleep(h, retry_ms[i]);
	}
}

static int say_missing(const struct host_run *run, const char *driver, const char *module, struct err *e)
{
	struct str said = STR_INIT;

	(void)str_add_safe(&said, run->output);
	err_set(e, ENOENT, "'modprobe %s' ended with status %d and there is still no driver %s: %.300s", module,
		run->status, driver, said.s);
	str_release(&said);
	return -ENOENT;
}

int driver_need(struct host *h, const char *driver, const char *module, uint64_t ms, uint64_t *ns,
		struct err *e)
{
	const char *const argv[] = { "/sbin/modprobe", "--", module, NULL };
	struct host_path dir = host_path("/sys/bus/pci/drivers/%s", driver);
	uint64_t start = driver_clock();
	struct host_run run;
	int r;

	if (host_exists(h, dir.s))
		return 0;
	if (!module[0])
		return err_set(e, ENOENT, "the driver %s is not loaded and nothing says which module holds it", driver);
	r = host_run(h, argv, ms, &run);
	*ns += driver_clock() - start;
	if (r < 0)
		return err_set(e, -r, "cannot run modprobe to load %s: %s", module, err_text(r));
	if (run.timed_out)
		return err_set(e, ETIMEDOUT, "'modprobe %s' did not come back within %llu s", module,
			       (unsigned long long)ms / 1000);
	if (!host_exists(h, dir.s))
		return say_missing(&run, driver, module, e);
	return 0;
}
