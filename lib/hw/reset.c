// SPDX-License-Identifier: GPL-2.0-or-later
/* Resets and the look at a card after them: see reset.h. */
#include "reset.h"

#include <errno.h>
#include <string.h>

#include "driver.h"
#include "str.h"
#include "vfio.h"

/* Config space, PCI 3.0 section 6.1 and 6.7, PCI PM 1.2 section 3.2. */
enum {
	CFG_VENDOR = 0x00, CFG_DEVICE = 0x02, CFG_STATUS = 0x06, CFG_HEADER = 0x0e, CFG_BAR0 = 0x10,
	CFG_CAPS = 0x34, CFG_SIZE = 256,
	STATUS_CAPS = 0x10, CAP_PM = 0x01, PM_CTRL = 4,
};

bool reset_own_works(const struct pdev *d, bool alone)
{
	char list[PDEV_METHODS], *cursor = list, *word;

	if (!d->has_reset)
		return false;
	if (str_copy(list, sizeof(list), d->reset_method) < 0 || !list[0])
		return alone;	/* kernels before 5.15 do not tell: only the write does */
	while ((word = str_token(&cursor, " ")))
		if (alone || strcmp(word, "bus") != 0)
			return true;
	return false;
}

const char *reset_first_method(const struct pdev *d, char *buf, size_t size)
{
	size_t n = strcspn(d->reset_method, " ");

	if (n == 0 || n >= size)
		return "reset";
	memcpy(buf, d->reset_method, n);
	buf[n] = '\0';
	return buf;
}

/* Each function by its own attribute.  How many were reset; the first error. */
static int own_resets(struct host *h, const struct bdf *fns, size_t n, size_t *ret_done, uint64_t *ns,
		      struct err *e)
{
	int first = 0;

	*ret_done = 0;
	for (size_t i = 0; i < n; i++) {
		struct err mine = ERR_INIT;
		int r;

		if (!host_exists(h, pdev_path(fns[i], "reset").s))
			continue;
		r = driver_attr(h, fns[i], "reset", "1", ns, &mine);
		if (r == 0)
			(*ret_done)++;
		else if (first == 0 || first == -ENOTTY)
			first = err_set(e, -r, "the kernel's reset of %s failed: %s%s", BDF_S(fns[i]), err_text(r),
					r == -ENOTTY ? " (no method works for it)" : "");
	}
	/* An attribute that promised what it cannot do is no failure of those that could. */
	if (first == -ENOTTY && *ret_done > 0)
		*e = (struct err)ERR_INIT, first = 0;
	return first;
}

int reset_card(struct host *h, const struct bdf *fns, size_t n, enum reset_way way, bool hot_allowed,
	       enum reset_way *ret_used, uint64_t *ns, struct err *e)
{
	struct err own = ERR_INIT, hot = ERR_INIT;
	size_t done = 0;
	int r = 0;

	if (way == RESET_SYSFS) {
		r = own_resets(h, fns, n, &done, ns, &own);
		*ret_used = RESET_SYSFS;
		if (r == 0)
			return 0;
	}
	if (hot_allowed) {
		*ret_used = RESET_HOT;
		if (vfio_hot_reset(h, fns, n, ns, &hot) == 0)
			return 0;
		if (way == RESET_HOT) {
			r = own_resets(h, fns, n, &done, ns, &own);
			*ret_used = RESET_SYSFS;
			if (r == 0 && done > 0)
				return 0;
		}
	}
	/* Only now does the kernel tell that this bus cannot be reset (quirks.c:quirk_no_bus_reset). */
	if (hot.code == ENODEV && done == 0 && (own.code == 0 || own.code == ENOTTY)) {
		*ret_used = RESET_NONE;
		return 0;
	}
	if (!hot.code && !own.code)
		return err_set(e, ENOTTY, "the kernel offers no way to reset %s", BDF_S(fns[0]));
	if (hot.code && own.code)
		return err_set(e, hot.code, "%s; and before, %s", hot.msg, own.msg);
	return err_set(e, hot.code ? hot.code : own.code, "%s", hot.code ? hot.msg : own.msg);
}

static unsigned le16(const uint8_t *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

/* The D-state from the power management capability; 0 when there is none: always D0. */
static unsigned d_state(const uint8_t *cfg, size_t size)
{
	unsigned at = le16(cfg + CFG_STATUS) & STATUS_CAPS ? cfg[CFG_CAPS] & 0xfc : 0;

	for (int i = 0; i < 48 && at >= 0x40 && at + PM_CTRL + 1 < size; i++, at = cfg[at + 1] & 0xfc)
		if (cfg[at] == CAP_PM)
			return cfg[at + PM_CTRL] & 3;
	return 0;
}

/* A BAR that the kernel has placed reads zero or ones: the card was reset behind the kernel's back
 * or lost power.  A virtual function has no BAR registers of its own (SR-IOV 3.4.1.11). */
static int bar_lost(struct host *h, struct bdf bdf, const uint8_t *cfg)
{
	char buf[1024], *cursor = buf, *line;
	ssize_t n = host_read(h, pdev_path(bdf, "resource").s, buf, sizeof(buf) - 1);

	if (n < 0 || host_exists(h, pdev_path(bdf, "physfn").s) || (cfg[CFG_HEADER] & 0x7f) != 0)
		return -1;
	buf[n] = '\0';
	for (int i = 0; i < 6 && (line = str_token(&cursor, "\n")); i++) {
		uint32_t bar = le32(cfg + CFG_BAR0 + 4 * i);
		uint64_t at = (bar & 1) ? bar & ~3U : bar & ~15U;

		if ((bar & 7) == 4 && i < 5)	/* the upper half of a 64-bit BAR */
			at |= (uint64_t)le32(cfg + CFG_BAR0 + 4 * i + 4) << 32;
		if (!str_starts(line, "0x0000000000000000 ") && (bar == 0xffffffff || at == 0))
			return i;
	}
	return -1;
}

int reset_check(struct host *h, struct bdf bdf, struct err *e)
{
	uint8_t cfg[CFG_SIZE] = { 0 };
	uint64_t vendor, device;
	ssize_t n = host_read(h, pdev_path(bdf, "config").s, cfg, sizeof(cfg));
	bool vf;
	int bar;

	if (n < 64)
		return err_set(e, EIO, "cannot read the config space of %s: %s", BDF_S(bdf),
			       n < 0 ? err_text((int)n) : "it is too short");
	/* A virtual function has no IDs of its own (SR-IOV 3.4.1.1): its status register must speak. */
	vf = host_exists(h, pdev_path(bdf, "physfn").s);
	if (le16(cfg + (vf ? CFG_STATUS : CFG_VENDOR)) == 0xffff)
		return err_set(e, EIO, "%s does not answer: its config space reads all ones (fell off the bus, or "
			       "did not come back from reset); a power cycle of the host will bring it back",
			       BDF_S(bdf));
	if (!vf && host_read_u64(h, pdev_path(bdf, "vendor").s, 16, &vendor) == 0 &&
	    host_read_u64(h, pdev_path(bdf, "device").s, 16, &device) == 0 &&
	    (vendor != le16(cfg + CFG_VENDOR) || device != le16(cfg + CFG_DEVICE)))
		return err_set(e, EIO, "%s answers as %04x:%04x, not as %04x:%04x: it did not come back from reset "
			       "as the device it was", BDF_S(bdf), le16(cfg), le16(cfg + 2), (unsigned)vendor,
			       (unsigned)device);
	if (d_state(cfg, (size_t)n) != 0)
		return err_set(e, EIO, "%s is asleep in D%u and does not wake up", BDF_S(bdf),
			       d_state(cfg, (size_t)n));
	bar = bar_lost(h, bdf, cfg);
	if (bar >= 0)
		return err_set(e, EIO, "%s lost the address of its BAR %d: it was reset without the kernel's "
			       "knowledge or lost power", BDF_S(bdf), bar);
	return 0;
}
