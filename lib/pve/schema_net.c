/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules for IP addresses and names of hosts (pve-common: ParseUtils.pm, JSONSchema.pm). */
#include "propnum.h"
#include "schema_check.h"
#include "schema_scan.h"

/* 0..255 without leading zeros; the longest such run of digits is taken. */
static bool octet(struct scan *c)
{
	const char *start = c->p;
	size_t n = scan_while(c, scan_is_digit);

	return n && n <= 3 && (n == 1 || *start != '0') && propnum_compare(start, n, 255) <= 0;
}

static bool ipv4(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	for (int i = 0; i < 4; i++)
		if ((i && !scan_char(&c, '.')) || !octet(&c))
			return false;
	return scan_done(&c);
}

/* Groups separated by ':' up to the end of the text; an IPv4 address at the end counts as two.
 * The number of groups, or -1. */
static int groups(const char *s, size_t len)
{
	int n = 0;

	if (!len)
		return 0;
	for (const char *end = s + len; ; s++) {
		struct scan c = { s, end };
		size_t digits = scan_while(&c, scan_is_hex);

		if (!scan_done(&c) && *c.p == '.')
			return ipv4(s, (size_t)(end - s)) ? n + 2 : -1;
		if (!digits || digits > 4)
			return -1;
		n++;
		if (scan_done(&c))
			return n;
		if (*c.p != ':')
			return -1;
		s = c.p;
	}
}

static const char *find_double_colon(const char *s, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (s[i] == ':' && s[i + 1] == ':')
			return s + i;
	return NULL;
}

static bool ipv6(const char *s, size_t len)
{
	const char *gap = find_double_colon(s, len);
	int before, after;

	if (!gap)
		return groups(s, len) == 8;
	/* An IPv4 tail belongs at the very end. */
	if (memchr(s, '.', (size_t)(gap - s)))
		return false;
	before = groups(s, (size_t)(gap - s));
	after = groups(gap + 2, len - (size_t)(gap - s) - 2);
	return before >= 0 && after >= 0 && before + after <= 7;
}

static bool cidr(const char *s, size_t len, bool (*address)(const char *s, size_t len),
		 unsigned max)
{
	const char *slash = memchr(s, '/', len);
	size_t n = slash ? (size_t)(slash - s) : 0, bits = slash ? len - n - 1 : 0;

	return slash && address(s, n) && propnum_is_digits(slash + 1, bits) &&
	       propnum_compare(slash + 1, bits, 8) >= 0 && propnum_compare(slash + 1, bits, max) <= 0;
}

static bool ipv4_config(const char *s, size_t len)
{
	struct slice v = { s, len };

	return slice_is(v, "dhcp") || slice_is(v, "manual") || cidr(s, len, ipv4, 32);
}

static bool ipv6_config(const char *s, size_t len)
{
	struct slice v = { s, len };

	return slice_is(v, "auto") || slice_is(v, "dhcp") || slice_is(v, "manual") ||
	       cidr(s, len, ipv6, 128);
}

static bool is_label_char(char c)
{
	return scan_is_alnum(c) || c == '-';
}

/* Labels of letters, digits and inner hyphens, separated by dots. */
static bool dns_name(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	for (;;) {
		const char *label = c.p;
		size_t n = scan_while(&c, is_label_char);

		if (!n || *label == '-' || label[n - 1] == '-')
			return false;
		if (!scan_char(&c, '.'))
			return scan_done(&c);
	}
}

/* Proxmox takes the name "0" for false, and so for no address. */
static bool address(const char *s, size_t len)
{
	if (len == 1 && *s == '0')
		return false;
	return ipv4(s, len) || ipv6(s, len) || dns_name(s, len);
}

static bool addresses(const char *s, size_t len)
{
	return schema_check_list(s, len, address);
}

#define CHECK(name, wanted) \
	const struct prop_check schema_check_##name = { name, wanted }

CHECK(ipv4, "an IPv4 address");
CHECK(ipv6, "an IPv6 address");
CHECK(ipv4_config, "'dhcp', 'manual' or an IPv4 address with its prefix length");
CHECK(ipv6_config, "'auto', 'dhcp', 'manual' or an IPv6 address with its prefix length");
CHECK(dns_name, "a DNS name");
CHECK(addresses, "a list of addresses or DNS names");
