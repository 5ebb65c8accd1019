// SPDX-License-Identifier: GPL-2.0-or-later
/* Which of a set of functions are the host's displays: see inuse_scan.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "console.h"
#include "inuse_scan.h"
#include "inuse_text.h"
#include "pdev.h"
#include "str.h"

enum { OLD_VGA = 0x0001 };

/* Display controllers that exist for a board's remote console: AST, Matrox G200 in several BMCs, ES1000,
 * XGI Volari, iBMC (Linux: drivers/gpu/drm/ast, mgag200, hisilicon/hibmc, radeon). */
static const struct { uint16_t vendor, device; /* 0 = any */ } bmcs[] = {
	{ 0x1a03, 0 },
	{ 0x102b, 0x0522 }, { 0x102b, 0x0530 }, { 0x102b, 0x0532 }, { 0x102b, 0x0533 }, { 0x102b, 0x0534 },
	{ 0x102b, 0x0536 }, { 0x102b, 0x0538 }, { 0x102b, 0x0540 },
	{ 0x1002, 0x515e }, { 0x1002, 0x5969 },
	{ 0x18ca, 0x0020 }, { 0x18ca, 0x0021 },
	{ 0x19e5, 0x1711 },
};

struct display {
	struct bdf bdf;
	bool bmc, boot;
	bool shows;		/* the host has something on it */
	bool dark;		/* it has outputs, and nothing is plugged into any of them */
	struct console console;
};

struct displays {
	struct inuse_scan *scan;
	struct display *v;
	size_t n, size;
};

bool inuse_display_is_bmc(uint16_t vendor, uint16_t device)
{
	for (size_t i = 0; i < ARRAY_SIZE(bmcs); i++)
		if (bmcs[i].vendor == vendor && (!bmcs[i].device || bmcs[i].device == device))
			return true;
	return false;
}

/* The outputs of a card are folders below its DRM device, "card0-HDMI-A-1", whose `status` is what the driver
 * found last (drivers/gpu/drm/drm_sysfs.c:status_show: no probing, no lock).  "card0-Writeback-1" is none: it draws into
 * memory, and is never unplugged (amdgpu has one, amdgpu_dm_wb.c). */
struct outputs { struct host *h; const char *card; struct host_path path; unsigned n, plugged; };

static int each_output(void *arg, const char *name)
{
	struct outputs *o = arg;
	size_t len = strlen(o->card);
	char status[32];

	if (!str_starts(name, o->card) || name[len] != '-' || str_starts(name + len, "-Writeback-") ||
	    host_read_line(o->h, host_path("%s/%s/status", o->path.s, name).s, status, sizeof(status)) < 0)
		return 0;
	o->n++;
	o->plugged += strcmp(status, "disconnected") != 0;
	return 0;
}

static int each_card(void *arg, const char *name)
{
	struct outputs *o = arg;
	struct outputs card = { .h = o->h, .card = name, .path = host_path("%s/%s", o->path.s, name) };

	if (str_starts(name, "card"))
		(void)!host_list(o->h, card.path.s, each_output, &card);
	o->n += card.n;
	o->plugged += card.plugged;
	return 0;
}

static bool on_host_driver(struct host *h, struct bdf bdf)
{
	char driver[64];

	return host_read_linkname(h, pdev_path(bdf, "driver").s, driver, sizeof(driver)) == 0 &&
	       !strstr(driver, "vfio") && strcmp(driver, "pci-stub") != 0;
}

/* A framebuffer or text mode is on it, or its driver has outputs.  Of a boot card that is so in any case; any other
 * whose driver shows none (class 0302, most of 0380, NVIDIA's driver without modesetting) is no display. */
static void look(struct displays *d, struct display *v, bool bmc)
{
	struct inuse_scan *s = d->scan;
	struct outputs o = { .h = s->h, .path = pdev_path(v->bdf, "drm") };
	bool apart = s->needs && s->needs->apart;
	uint64_t boot;

	(void)!host_list(s->h, o.path.s, each_card, &o);
	console_look(s->h, v->bdf, apart ? &v->bdf : s->fns, apart ? 1 : s->n, &v->console);
	v->bmc = bmc;
	v->boot = host_read_u64(s->h, pdev_path(v->bdf, "boot_vga").s, 10, &boot) == 0 && boot == 1;
	v->dark = o.n && !o.plugged;
	v->shows = v->console.framebuffer[0] || v->console.text_mode || bmc ||
		   ((o.n || v->boot) && on_host_driver(s->h, v->bdf));
}

static unsigned hex(struct host *h, struct bdf bdf, const char *attr)
{
	uint64_t v;

	return host_read_u64(h, pdev_path(bdf, attr).s, 16, &v) < 0 ? 0 : (unsigned)v;
}

static int each_function(void *arg, const char *name)
{
	struct displays *d = arg;
	struct bdf bdf;
	unsigned class, vendor;

	if (bdf_parse(name, &bdf) < 0)
		return 0;
	class = hex(d->scan->h, bdf, "class") >> 8;
	if (class >> 8 != 0x03 && class != OLD_VGA)
		return 0;
	if (array_room(&d->v, d->n, &d->size, sizeof(*d->v)) < 0)
		return -ENOMEM;
	d->v[d->n] = (struct display){ .bdf = bdf };
	vendor = hex(d->scan->h, bdf, "vendor");
	look(d, &d->v[d->n++], inuse_display_is_bmc((uint16_t)vendor, (uint16_t)hex(d->scan->h, bdf, "device")));
	return 0;
}

static size_t place_of(const struct inuse_scan *s, struct bdf bdf)
{
	size_t i = 0;

	while (i < s->n && !bdf_same(s->fns[i], bdf))
		i++;
	return i;
}

static bool another_is_left(const struct displays *d, const struct display *v)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].shows && !inuse_scan_goes(d->scan, v->bdf, d->v[i].bdf))
			return true;
	return false;
}

static int add(struct displays *d, size_t fn, const struct display *v, enum inuse_kind kind, const char *what)
{
	/* Nobody looks at what is not plugged in; the remote console is looked at from afar. */
	bool idle = v->dark && !v->bmc;
	struct inuse_finding *f = inuse_scan_add(d->scan, fn, kind, idle || kind == INUSE_DISPLAY ? INUSE_NOTE : INUSE_BUSY,
						 v->console.framebuffer);

	if (!f)
		return -ENOMEM;
	f->console = v->console.last && !v->console.firmware;
	f->for_good = v->console.firmware || v->console.text_mode;
	INUSE_ADD(f, "%s", what);
	if (idle)
		INUSE_ADD(f, ", but no monitor is plugged into it");
	if (v->console.firmware)
		INUSE_ADD(f, "; the console on the firmware's framebuffer %s does not come back before a reboot", f->object);
	else if (v->console.text_mode)
		INUSE_ADD(f, "; the console in text mode on it does not come back before a reboot");
	return 0;
}

static int report(struct displays *d, size_t fn, const struct display *v)
{
	bool another = another_is_left(d, v);
	int r = 0;

	if (v->bmc)
		r = add(d, fn, v, INUSE_BMC_DISPLAY, "is the display of the board's remote console (BMC)");
	if (r == 0 && v->boot)
		r = add(d, fn, v, INUSE_BOOT_DISPLAY, "is the boot display");
	if (r == 0 && !another)
		r = add(d, fn, v, INUSE_ONLY_DISPLAY, "is the only display of this host");
	if (r == 0 && another && !v->bmc && !v->boot && v->console.drawn)
		r = add(d, fn, v, INUSE_DISPLAY, "shows the text console, as another display does");
	return r;
}

int inuse_display(struct inuse_scan *s, struct err *e)
{
	struct displays d = { .scan = s };
	int r = host_list(s->h, "/sys/bus/pci/devices", each_function, &d);

	r = r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && i < d.n; i++) {
		size_t fn = place_of(s, d.v[i].bdf);

		if (fn < s->n && d.v[i].shows)
			r = report(&d, fn, &d.v[i]);
	}
	free(d.v);
	return r < 0 ? err_nomem(e) : 0;
}
