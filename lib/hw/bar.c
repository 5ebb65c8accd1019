// SPDX-License-Identifier: GPL-2.0-or-later
/* Resizable BARs: see bar.h. */
#include "bar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "pdev.h"
#include "str.h"

#define SIZES_MAX 44	/* PCI Express 6.0 section 7.8.6: up to 8 EiB */

uint64_t bar_sizes(struct host *h, struct bdf bdf)
{
	uint64_t v;

	return host_read_u64(h, pdev_path(bdf, "resource0_resize").s, 16, &v) < 0 ? 0 : v;
}

uint64_t bar_size(struct host *h, struct bdf bdf)
{
	char line[80], *cursor = line, *from, *to;
	uint64_t a, b;

	if (host_read_line(h, pdev_path(bdf, "resource").s, line, sizeof(line)) < 0)
		return 0;
	from = str_token(&cursor, " ");
	to = str_token(&cursor, " ");
	if (!from || !to || !str_starts(from, "0x") || !str_starts(to, "0x") || str_to_u64(from + 2, 16, &a) < 0 ||
	    str_to_u64(to + 2, 16, &b) < 0 || b < a)
		return 0;
	return (b - a + 1) >> 20;
}

static const char *reason(int r)
{
	switch (r) {
	case -EBUSY: return "a driver has the device, or it has virtual functions";
	case -ENOSPC: return "the port above it has no window that large; with 'Above 4G decoding' and 'Resizable BAR' on "
			     "in the firmware there may be one";
	case -EINVAL: return "the card does not offer this size";
	case -524: return "the card cannot do it, or the host bridge keeps the firmware's layout";	/* ENOTSUPP */
	default: return err_text(r);
	}
}

int bar_resize(struct host *h, struct bdf bdf, unsigned bit, uint64_t *ns, struct err *e)
{
	uint64_t start = driver_clock();
	char text[8];
	int r;

	if (bar_size(h, bdf) == 1ULL << bit)
		return 0;
	snprintf(text, sizeof(text), "%u", bit);
	r = host_write(h, pdev_path(bdf, "resource0_resize").s, text);
	*ns += driver_clock() - start;
	if (r < 0)
		return err_set(e, -r, "cannot make BAR 0 of %s %s large: %s", BDF_S(bdf), bar_format(1ULL << bit).s, reason(r));
	if (bar_size(h, bdf) != 1ULL << bit)
		return err_set(e, EIO, "BAR 0 of %s is %s large after it was set to %s", BDF_S(bdf),
			       bar_format(bar_size(h, bdf)).s, bar_format(1ULL << bit).s);
	return 0;
}

unsigned bar_bit(uint64_t mib)
{
	unsigned bit = 0;

	while (bit < SIZES_MAX && 1ULL << bit < mib)
		bit++;
	return bit;
}

int bar_parse(const char *text, uint64_t *ret)
{
	size_t n = strlen(text);
	char number[8];
	uint64_t v;

	if (n < 2 || n > sizeof(number) || !strchr("MGT", text[n - 1]))
		return -EINVAL;
	memcpy(number, text, n - 1);
	number[n - 1] = '\0';
	if (str_to_u64(number, 10, &v) < 0 || v == 0 || (v & (v - 1)))
		return -EINVAL;
	*ret = v << (text[n - 1] == 'G' ? 10 : text[n - 1] == 'T' ? 20 : 0);
	return 0;
}

struct bar_text bar_format(uint64_t mib)
{
	static const char unit[] = "MGT";
	struct bar_text t;
	unsigned u = 0;

	for (; u < 2 && mib >= 1024 && mib % 1024 == 0; u++)
		mib /= 1024;
	snprintf(t.s, sizeof(t.s), "%llu%c", (unsigned long long)mib, unit[u]);
	return t;
}

struct bar_text bar_list(uint64_t sizes)
{
	struct bar_text t = { "" };
	size_t n = 0;

	for (unsigned bit = 0; bit < SIZES_MAX; bit++)
		if (sizes >> bit & 1 && n + 8 < sizeof(t.s))
			n += (size_t)snprintf(t.s + n, sizeof(t.s) - n, "%s%s", n ? ", " : "", bar_format(1ULL << bit).s);
	return t;
}
