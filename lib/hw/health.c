// SPDX-License-Identifier: GPL-2.0-or-later
/* Verdicts from config space: see health.h. */
#include "health.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "str.h"

/* Config space: PCI 3.0 sections 6.1 and 6.7; PCI PM 1.2 section 3.2; PCI Express 3.0 section 7.8. */
enum {
	CFG_VENDOR = 0x00, CFG_DEVICE = 0x02, CFG_COMMAND = 0x04, CFG_STATUS = 0x06, CFG_HEADER = 0x0e, CFG_BAR0 = 0x10,
	CFG_CAPS = 0x34, CFG_SIZE = 256,
	COMMAND_DECODES = 0x03, STATUS_CAPS = 0x10,
	CAP_PM = 0x01, PM_CTRL = 4, PM_NO_SOFT_RESET = 0x08,
	CAP_EXPRESS = 0x10, EXPRESS_LINK = 0x12,
};

#define RESOURCE_UNSET 0x20000000	/* include/linux/ioport.h IORESOURCE_UNSET */

struct config {
	uint8_t b[CFG_SIZE];
	size_t size;
	bool vf;		/* no IDs and no BARs of its own (SR-IOV 3.4.1.1, 3.4.1.11) */
};

static unsigned le16(const uint8_t *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static int config_read(struct host *h, struct bdf bdf, bool vf, struct config *ret)
{
	ssize_t n;

	memset(ret, 0, sizeof(*ret));
	ret->vf = vf;
	n = host_read(h, pdev_path(bdf, "config").s, ret->b, sizeof(ret->b));
	if (n < 0)
		return (int)n;
	ret->size = (size_t)n;
	return n < 64 ? -EIO : 0;
}

static bool is_vf(struct host *h, struct bdf bdf)
{
	return host_exists(h, pdev_path(bdf, "physfn").s);
}

/* Where a capability lies, 0 = there is none. */
static unsigned capability(const struct config *c, uint8_t id, unsigned room)
{
	unsigned at = le16(c->b + CFG_STATUS) & STATUS_CAPS ? c->b[CFG_CAPS] & 0xfc : 0;

	for (int i = 0; i < 48 && at >= 0x40 && at + room <= c->size; i++, at = c->b[at + 1] & 0xfc)
		if (c->b[at] == id)
			return at;
	return 0;
}

static bool all_ones(const struct config *c)
{
	/* A virtual function reads ffff for its IDs in the best of health: its status must speak. */
	return le16(c->b + (c->vf ? CFG_STATUS : CFG_VENDOR)) == 0xffff;
}

/* Without power management always 0. */
static unsigned d_state(const struct config *c)
{
	unsigned at = capability(c, CAP_PM, PM_CTRL + 2);

	return at ? c->b[at + PM_CTRL] & 3 : 0;
}

static struct pdev_link link_of(const struct config *c)
{
	unsigned at = capability(c, CAP_EXPRESS, EXPRESS_LINK + 2), v = at ? le16(c->b + at + EXPRESS_LINK) : 0;

	return (struct pdev_link){ (uint8_t)(v & 15), (uint8_t)(v >> 4 & 63) };
}

const char *health_name(enum health_verdict v)
{
	switch (v) {
	case HEALTH_OK: return "ok";
	case HEALTH_DEGRADED: return "degraded";
	case HEALTH_DEAD: return "dead";
	}
	return "dead";
}

struct health_link_text health_link(struct pdev_link l)
{
	static const char *const speeds[] = { "?", "2.5", "5.0", "8.0", "16.0", "32.0", "64.0" };
	struct health_link_text t = { "" };

	if (l.width)
		snprintf(t.s, sizeof(t.s), "%s GT/s x%u", speeds[l.speed < ARRAY_SIZE(speeds) ? l.speed : 0], l.width);
	return t;
}

/* --- what can be wrong ------------------------------------------------------------------------- */

struct look {
	struct host *h;
	struct bdf bdf;
	const struct pdev_link *before;
	struct config c;
	struct health *ret;
};

/* The first finding of the worst kind is the verdict. */
static void found(struct look *l, enum health_verdict verdict, bool usable, const char *fmt, ...) _printf_(4, 5);
static void found(struct look *l, enum health_verdict verdict, bool usable, const char *fmt, ...)
{
	struct health *r = l->ret;
	va_list ap;

	r->usable = r->usable && usable;
	if (verdict <= r->verdict)
		return;
	r->verdict = verdict;
	va_start(ap, fmt);
	vsnprintf(r->what, sizeof(r->what), fmt, ap);
	va_end(ap);
}

static void look_identity(struct look *l)
{
	uint64_t vendor, device;

	if (!l->c.vf && host_read_u64(l->h, pdev_path(l->bdf, "vendor").s, 16, &vendor) == 0 &&
	    host_read_u64(l->h, pdev_path(l->bdf, "device").s, 16, &device) == 0 &&
	    (vendor != le16(l->c.b + CFG_VENDOR) || device != le16(l->c.b + CFG_DEVICE)))
		found(l, HEALTH_DEAD, false, "%s answers as %04x:%04x, not as %04x:%04x: it did not come back from reset "
		      "as the device it was", BDF_S(l->bdf), le16(l->c.b), le16(l->c.b + 2), (unsigned)vendor,
		      (unsigned)device);
}

static void look_power(struct look *l)
{
	if (d_state(&l->c))
		found(l, HEALTH_DEGRADED, false, "%s is asleep in D%u and does not wake up", BDF_S(l->bdf),
		      d_state(&l->c));
}

/* One line of `resource`: "start end flags". */
static bool read_bar(char *line, uint64_t v[3])
{
	for (int i = 0; i < 3; i++) {
		char *word = str_token(&line, " ");

		if (!word || !str_starts(word, "0x") || str_to_u64(word + 2, 16, &v[i]) < 0)
			return false;
	}
	return true;
}

static void look_bar(struct look *l, int i, const uint64_t v[3])
{
	const uint8_t *p = l->c.b + CFG_BAR0 + 4 * i;
	uint32_t bar = le32(p);
	uint64_t at = (bar & 1) ? bar & ~3U : bar & ~15U;

	if ((bar & 7) == 4 && i < 5)	/* the upper half of a 64-bit BAR */
		at |= (uint64_t)le32(p + 4) << 32;
	if (v[0] == 0 && v[1] != 0 && (v[2] & RESOURCE_UNSET))
		found(l, HEALTH_DEGRADED, true, "the kernel found no room for BAR %d of %s (%llu MiB): is 'Above 4G "
		      "decoding' on in the firmware?", i, BDF_S(l->bdf), (unsigned long long)(v[1] + 1) >> 20);
	else if (v[0] != 0 && (bar == 0xffffffff || at == 0))
		found(l, HEALTH_DEGRADED, false, "%s lost the address of its BAR %d: it was reset without the kernel's "
		      "knowledge or lost power", BDF_S(l->bdf), i);
}

/* The first six lines are the BARs. */
static bool look_bars(struct look *l)
{
	char buf[1024], *cursor = buf, *line;
	ssize_t n = host_read(l->h, pdev_path(l->bdf, "resource").s, buf, sizeof(buf) - 1);
	bool any = false;

	if (n < 0 || l->c.vf || (l->c.b[CFG_HEADER] & 0x7f) != 0)
		return false;
	buf[n] = '\0';
	for (int i = 0; i < 6 && (line = str_token(&cursor, "\n")); i++) {
		uint64_t v[3];

		if (read_bar(line, v)) {
			look_bar(l, i, v);
			any = any || v[1];
		}
	}
	return any;
}

/* A host driver that has it enabled (pci_enable_device) and yet nothing is decoded: its addresses are
 * dead.  Unbound, or on vfio-pci with nobody using it, a function rightly decodes nothing. */
static void look_decoding(struct look *l)
{
	char driver[PDEV_NAME];
	uint64_t enable;

	if ((le16(l->c.b + CFG_COMMAND) & COMMAND_DECODES) ||
	    host_read_u64(l->h, pdev_path(l->bdf, "enable").s, 10, &enable) < 0 || enable == 0 ||
	    host_read_linkname(l->h, pdev_path(l->bdf, "driver").s, driver, sizeof(driver)) < 0 ||
	    strcmp(driver, "vfio-pci") == 0)
		return;
	found(l, HEALTH_DEGRADED, true, "%s is enabled by %s but does not decode its addresses: it was reset without "
	      "its driver's knowledge", BDF_S(l->bdf), driver);
}

static void look_link(struct look *l)
{
	struct pdev_link now = link_of(&l->c);

	l->ret->link = now;
	if (!l->before || !l->before->width || !now.width)
		return;
	if (now.width < l->before->width || now.speed < l->before->speed)
		found(l, HEALTH_DEGRADED, true, "the link of %s is %s, it was %s: %s", BDF_S(l->bdf), health_link(now).s,
		      health_link(*l->before).s, now.width < l->before->width ? "reseat the card or its riser" :
		      "a card without work may save power this way");
}

/* "TOTAL_ERR_FATAL 3" is the last line (drivers/pci/pcie/aer.c:aer_stats_dev_attr). */
static bool read_total(struct host *h, struct bdf bdf, const char *attr, uint64_t *ret)
{
	char buf[2048], *cursor = buf, *line;
	ssize_t n = host_read(h, pdev_path(bdf, attr).s, buf, sizeof(buf) - 1);

	if (n < 0)
		return false;
	buf[n] = '\0';
	while ((line = str_token(&cursor, "\n"))) {
		char *number = strchr(line, ' ');

		if (number && str_starts(line, "TOTAL_ERR_"))
			return str_to_u64(number + 1, 10, ret) == 0;
	}
	return false;
}

void health_errors(struct host *h, struct bdf bdf, struct health_errors *ret)
{
	*ret = (struct health_errors){ .known = false };
	ret->known = read_total(h, bdf, "aer_dev_fatal", &ret->fatal) &&
		     read_total(h, bdf, "aer_dev_nonfatal", &ret->nonfatal) &&
		     read_total(h, bdf, "aer_dev_correctable", &ret->correctable);
}

/* Correctable errors are daily life, non-fatal ones a guest provokes by asking for what is not there. */
static void look_errors(struct look *l)
{
	uint64_t fatal;

	if (read_total(l->h, l->bdf, "aer_dev_fatal", &fatal) && fatal)
		found(l, HEALTH_DEGRADED, true, "%s reported %llu fatal error%s since boot, its link broke down each time: "
		      "look at its seat, riser and power supply ('dmesg | grep AER')", BDF_S(l->bdf),
		      (unsigned long long)fatal, fatal == 1 ? "" : "s");
}

void health_look(struct host *h, struct bdf bdf, const struct pdev_link *before, struct health *ret)
{
	struct look l = { .h = h, .bdf = bdf, .before = before, .ret = ret };
	int r = config_read(h, bdf, is_vf(h, bdf), &l.c);

	*ret = (struct health){ .verdict = HEALTH_OK, .usable = true };
	if (r < 0) {
		found(&l, HEALTH_DEAD, false, "cannot read the config space of %s: %s", BDF_S(bdf),
		      l.c.size || r == -EIO ? "it is too short" : err_text(r));
		return;
	}
	if (all_ones(&l.c)) {
		found(&l, HEALTH_DEAD, false, "%s does not answer: its config space reads all ones (fell off the bus, or "
		      "did not come back from reset); 'pve-gpu reset %s --chain' tries what is left, a power cycle of "
		      "the host will bring it back", BDF_S(bdf), BDF_S(bdf));
		return;
	}
	look_identity(&l);
	look_power(&l);
	if (look_bars(&l))
		look_decoding(&l);
	look_link(&l);
	look_errors(&l);
}

int health_check(struct host *h, struct bdf bdf, struct err *e)
{
	struct health health;

	health_look(h, bdf, NULL, &health);
	return health.usable ? 0 : err_set(e, EIO, "%s", health.what);
}

void health_glance(struct host *h, struct bdf bdf, bool vf, bool *ret_dead, struct pdev_link *ret_link)
{
	struct config c;

	*ret_dead = false;
	*ret_link = (struct pdev_link){ 0, 0 };
	if (config_read(h, bdf, vf, &c) < 0)
		return;
	*ret_dead = all_ones(&c);
	if (!*ret_dead)
		*ret_link = link_of(&c);
}

/* --- around a reset ---------------------------------------------------------------------------- */

void health_before(struct host *h, struct bdf bdf, struct health_mark *ret)
{
	struct config c;

	*ret = (struct health_mark){ .vf = is_vf(h, bdf) };
	ret->dead = config_read(h, bdf, ret->vf, &c) < 0 || all_ones(&c);
	ret->id = le32(c.b + CFG_VENDOR);
	for (int i = 0; i < 6; i++)
		ret->bars[i] = le32(c.b + CFG_BAR0 + 4 * i);
}

int health_after(struct host *h, struct bdf bdf, const struct health_mark *before, struct err *e)
{
	struct config c;
	int r;

	if (before->dead)
		return health_check(h, bdf, e);
	r = config_read(h, bdf, before->vf, &c);
	if (r < 0)
		return err_set(e, EIO, "cannot read the config space of %s any more: %s", BDF_S(bdf), err_text(r));
	if (all_ones(&c))
		return err_set(e, EIO, "%s does not answer any more: its config space reads all ones", BDF_S(bdf));
	if (le32(c.b + CFG_VENDOR) != before->id || d_state(&c))
		return health_check(h, bdf, e);
	for (int i = 0; (c.b[CFG_HEADER] & 0x7f) == 0 && i < 6; i++)
		if (le32(c.b + CFG_BAR0 + 4 * i) != before->bars[i])
			return health_check(h, bdf, e);
	return 0;
}

int health_d3_resets(struct host *h, struct bdf bdf)
{
	struct config c;
	int r = config_read(h, bdf, false, &c);
	unsigned at = r < 0 ? 0 : capability(&c, CAP_PM, PM_CTRL + 2);

	return r < 0 ? r : at && !(c.b[at + PM_CTRL] & PM_NO_SOFT_RESET);
}
