/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules for ids, lists and small patterns in VM configs. */
#include "schema_check.h"

#include <strings.h>

#include "propnum.h"
#include "schema_scan.h"

/* --- ids ---------------------------------------------------------------------------------- */

static bool is_id_char(char c)
{
	return scan_is_alnum(c) || c == '_' || c == '-';
}

static bool is_dotted_id_char(char c)
{
	return is_id_char(c) || c == '.';
}

static bool all(const char *s, size_t len, bool (*is)(char c))
{
	struct scan c = scan_of(s, len);

	return scan_while(&c, is) == len;
}

static bool configid(const char *s, size_t len)
{
	return len >= 2 && scan_is_alpha(s[0]) && all(s, len, is_id_char);
}

static bool storage_id(const char *s, size_t len)
{
	return len >= 2 && scan_is_alpha(s[0]) && scan_is_alnum(s[len - 1]) &&
	       all(s, len, is_dotted_id_char);
}

static bool volume(const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	size_t n = colon ? (size_t)(colon - s) : 0;

	return colon && storage_id(s, n) && n + 1 < len && !memchr(colon, '\n', len - n);
}

static bool volumes(const char *s, size_t len)
{
	return schema_check_list(s, len, volume);
}

static bool drive_file(const char *s, size_t len)
{
	struct slice v = { s, len };

	return slice_is(v, "none") || slice_is(v, "cdrom") || (len && *s == '/') || volume(s, len);
}

static bool bridge(const char *s, size_t len)
{
	return len && all(s, len, is_dotted_id_char);
}

static bool is_tag_char(char c)
{
	return is_dotted_id_char(c) || c == '+';
}

static bool tag(const char *s, size_t len)
{
	return len && (scan_is_alnum(*s) || *s == '_') && all(s, len, is_tag_char);
}

static bool tags(const char *s, size_t len)
{
	return schema_check_list(s, len, tag);
}

static bool is_url_char(char c)
{
	return scan_is_alnum(c) || (c && strchr("-%_.!~*'()", c));
}

static bool urlencoded(const char *s, size_t len)
{
	return all(s, len, is_url_char);
}

/* --- lists -------------------------------------------------------------------------------- */

static bool is_list_space(char c)
{
	return scan_is_space(c) || c == ',' || c == ';' || c == '\x85' || c == '\xa0';
}

static bool nul_list(const char *s, size_t len, bool (*ok)(const char *s, size_t len))
{
	while (len && s[len - 1] == '\0')
		len--;
	for (const char *end = s + len; s < end; ) {
		const char *nul = memchr(s, '\0', (size_t)(end - s));
		size_t n = (size_t)((nul ? nul : end) - s);

		if (!ok(s, n))
			return false;
		s += n + 1;
	}
	return true;
}

static bool is_list_word(char c)
{
	return !is_list_space(c);
}

bool schema_check_list(const char *s, size_t len, bool (*ok)(const char *s, size_t len))
{
	struct scan c = scan_of(s, len);

	if (memchr(s, '\0', len))
		return nul_list(s, len, ok);
	while (scan_while(&c, is_list_space), !scan_done(&c)) {
		const char *word = c.p;

		if (!ok(word, scan_while(&c, is_list_word)))
			return false;
	}
	return true;
}

static bool hotplug_word(const char *s, size_t len)
{
	static const char *const words[] = { "network", "disk", "cpu", "memory", "usb", "cloudinit" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (slice_is((struct slice){ s, len }, words[i]))
			return true;
	return false;
}

static bool hotplug(const char *s, size_t len)
{
	if (len == 1 && (*s == '0' || *s == '1'))
		return true;
	return schema_check_list(s, len, hotplug_word);
}

/* --- numbers with something around them ---------------------------------------------------- */

static bool disk_size(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	if (!scan_while(&c, scan_is_digit))
		return false;
	if (scan_char(&c, '.') && !scan_while(&c, scan_is_digit))
		return false;
	if (!scan_done(&c) && strchr("KMGT", *c.p) && *c.p) {
		c.p++;
		(void)scan_text(&c, "iB");
	}
	return scan_done(&c);
}

/* Digits of any length as numbers: a > b. */
static bool above(struct slice a, struct slice b)
{
	for (; a.len && *a.s == '0'; a.len--)
		a.s++;
	for (; b.len && *b.s == '0'; b.len--)
		b.s++;
	return a.len != b.len ? a.len > b.len : memcmp(a.s, b.s, a.len) > 0;
}

/* CpuSet.pm: parse_cpuset; white space around a range is fine. */
static bool cpu_range(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);
	struct slice from, to;

	scan_while(&c, scan_is_space);
	from.s = c.p;
	from.len = scan_while(&c, scan_is_digit);
	to = from;
	if (from.len && scan_char(&c, '-')) {
		to.s = c.p;
		to.len = scan_while(&c, scan_is_digit);
	}
	scan_while(&c, scan_is_space);
	return from.len && to.len && scan_done(&c) && !above(from, to);
}

static bool cpuset(const char *s, size_t len)
{
	while (len && s[len - 1] == ',')
		len--;
	for (const char *end = s + len; s < end; ) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		size_t n = (size_t)((comma ? comma : end) - s);

		if (!cpu_range(s, n))
			return false;
		s += n + 1;
	}
	return true;
}

static bool startup_part(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	if (all(s, len, scan_is_space))
		return true;
	if (!scan_text(&c, "order=") && !scan_text(&c, "up="))
		(void)scan_text(&c, "down=");
	return scan_while(&c, scan_is_digit) && scan_done(&c);
}

/* JSONSchema.pm: pve_parse_startup_order; "0" alone is false, and so no order. */
static bool startup(const char *s, size_t len)
{
	if (!len || (len == 1 && *s == '0'))
		return false;
	for (const char *end = s + len; s < end; ) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		size_t n = (size_t)((comma ? comma : end) - s);

		if (!startup_part(s, n))
			return false;
		s += n + 1;
	}
	return true;
}

static bool phys_bits(const char *s, size_t len)
{
	if (slice_is((struct slice){ s, len }, "host"))
		return true;
	return len <= 2 && propnum_is_digits(s, len) && propnum_compare(s, len, 8) >= 0 &&
	       propnum_compare(s, len, 64) <= 0;
}

static bool mac(const char *s, size_t len)
{
	if (len != 17 || !scan_is_hex(s[0]) || !s[1] || !strchr("02468aceACE", s[1]))
		return false;
	for (size_t i = 2; i < len; i++)
		if (i % 3 == 2 ? s[i] != ':' : !scan_is_hex(s[i]))
			return false;
	return true;
}

#define CHECK(name, wanted) \
	const struct prop_check schema_check_##name = { name, wanted }

CHECK(configid, "an id of letters, digits, '-' and '_' that begins with a letter");
CHECK(storage_id, "a storage id");
CHECK(volume, "a volume id such as local:snippets/name");
CHECK(volumes, "a list of volume ids");
CHECK(drive_file, "a volume id, a path, 'none' or 'cdrom'");
CHECK(bridge, "the name of a bridge");
CHECK(tags, "a list of tags");
CHECK(urlencoded, "URL-encoded text");
CHECK(disk_size, "a size such as 32G");
CHECK(cpuset, "a list of CPUs such as 0,5,8-11");
CHECK(startup, "a start order such as order=1,up=30,down=60");
CHECK(hotplug, "0, 1 or a list of network, disk, cpu, memory, usb, cloudinit");
CHECK(phys_bits, "a number from 8 to 64 or 'host'");
CHECK(mac, "a unicast MAC address");
