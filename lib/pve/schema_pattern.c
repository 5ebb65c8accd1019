/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The patterns that stand in the formats of single options (qemu-server: QemuServer/). */
#include "schema_check.h"

#include <strings.h>

#include "propnum.h"
#include "schema_scan.h"

static bool exactly(struct scan *c, size_t n, bool (*is)(char c))
{
	const char *start = c->p;

	while (c->p < c->end && (size_t)(c->p - start) < n && is(*c->p))
		c->p++;
	return (size_t)(c->p - start) == n;
}

/* One PCI id: [domain:]bus:device[.function], lower case, the domain of four digits or more. */
static bool pci_id(struct scan *c)
{
	size_t n = scan_while(c, scan_is_lower_hex);

	if (!scan_char(c, ':'))
		return false;
	if (n >= 4) {
		n = scan_while(c, scan_is_lower_hex);
		if (!scan_char(c, ':'))
			return false;
	}
	if (n != 2 || !exactly(c, 2, scan_is_lower_hex))
		return false;
	return !scan_char(c, '.') || exactly(c, 1, scan_is_lower_hex);
}

static bool pci_ids(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	do {
		if (!pci_id(&c))
			return false;
	} while (scan_char(&c, ';'));
	return scan_done(&c);
}

static bool hex_id(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	return scan_text(&c, "0x") && exactly(&c, 4, scan_is_hex) && scan_done(&c);
}

static bool none_of(const char *s, size_t len, const char *forbidden)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] && strchr(forbidden, s[i]))
			return false;
	return len > 0;
}

static bool romfile(const char *s, size_t len)
{
	return none_of(s, len, ",;");
}

static bool mdev(const char *s, size_t len)
{
	return none_of(s, len, "/.:");
}

static bool usb_id(struct scan c)
{
	(void)scan_text(&c, "0x");
	if (!exactly(&c, 4, scan_is_hex) || !scan_char(&c, ':'))
		return false;
	(void)scan_text(&c, "0x");
	return exactly(&c, 4, scan_is_hex) && scan_done(&c);
}

static bool usb_path(struct scan c)
{
	if (!scan_while(&c, scan_is_digit) || !scan_char(&c, '-'))
		return false;
	do {
		if (!scan_while(&c, scan_is_digit))
			return false;
	} while (scan_char(&c, '.'));
	return scan_done(&c);
}

static bool usb_host(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	return usb_id(c) || usb_path(c) || (len == 5 && strncasecmp(s, "spice", 5) == 0);
}

static bool number_set(struct scan *c)
{
	if (!scan_while(c, scan_is_digit))
		return false;
	return !scan_char(c, '-') || scan_while(c, scan_is_digit);
}

static bool number_sets(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	do {
		if (!number_set(&c))
			return false;
	} while (scan_char(&c, ';'));
	return scan_done(&c);
}

/* Digits and at least one more group of digits behind a dot. */
static bool dotted_version(struct scan *c)
{
	unsigned n = 0;

	if (!scan_while(c, scan_is_digit))
		return false;
	for (; c->end - c->p >= 2 && *c->p == '.' && scan_is_digit(c->p[1]); n++) {
		c->p++;
		scan_while(c, scan_is_digit);
	}
	return n > 0;
}

static bool version(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	return dotted_version(&c) && scan_done(&c);
}

static bool machine(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);
	bool pc = scan_text(&c, "pc");

	if (!pc && scan_text(&c, "q35"))
		return scan_done(&c);
	if (!pc && !scan_text(&c, "virt"))
		return false;
	if (pc && scan_done(&c))
		return true;
	if (pc && !scan_text(&c, "-i440fx"))
		(void)scan_text(&c, "-q35");
	/* "virt" may go without a version, "pc" with a suffix may not. */
	if (scan_char(&c, '-') ? !dotted_version(&c) : pc)
		return false;
	if (scan_text(&c, "+pve") && !scan_while(&c, scan_is_digit))
		return false;
	if (pc)
		(void)scan_text(&c, ".pxe");
	return scan_done(&c);
}

static bool is_flag_char(char c)
{
	return scan_is_alnum(c) || (c && strchr("-_.", c));
}

static bool cpu_flags(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	do {
		if (!scan_char(&c, '+') && !scan_char(&c, '-'))
			return false;
		if (!scan_while(&c, is_flag_char))
			return false;
	} while (scan_char(&c, ';'));
	return scan_done(&c);
}

static bool hv_vendor(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	return len >= 1 && len <= 12 && scan_while(&c, scan_is_alnum) == len;
}

static bool uuid(const char *s, size_t len)
{
	static const unsigned groups[] = { 8, 4, 4, 4, 12 };
	struct scan c = scan_of(s, len);

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if ((i && !scan_char(&c, '-')) || !exactly(&c, groups[i], scan_is_hex))
			return false;
	return scan_done(&c);
}

static bool is_base64_char(char c)
{
	return scan_is_alnum(c) || c == '+' || c == '/';
}

static bool base64(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	if (!scan_while(&c, is_base64_char))
		return false;
	if (scan_char(&c, '='))
		(void)scan_char(&c, '=');
	return scan_done(&c);
}

static bool is_shm_char(char c)
{
	return scan_is_alnum(c) || c == '-';
}

static bool shm_name(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	return len && scan_while(&c, is_shm_char) == len;
}

static bool is_boot_letter(char c)
{
	return c == 'a' || c == 'c' || c == 'd' || c == 'n';
}

static bool boot_letters(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	return len >= 1 && len <= 4 && scan_while(&c, is_boot_letter) == len;
}

static bool is_inquiry_char(char c)
{
	return is_flag_char(c) ? c != '.' : scan_is_space(c);
}

static bool scsi_text(const char *s, size_t len, size_t max)
{
	struct scan c = scan_of(s, len);

	return len <= max && scan_while(&c, is_inquiry_char) == len;
}

static bool scsi_product(const char *s, size_t len)
{
	return scsi_text(s, len, 16);
}

static bool scsi_vendor(const char *s, size_t len)
{
	return scsi_text(s, len, 8);
}

static bool wwn(const char *s, size_t len)
{
	struct scan c = scan_of(s, len);

	return scan_text(&c, "0x") && exactly(&c, 16, scan_is_hex) && scan_done(&c);
}

#define CHECK(name, wanted) \
	const struct prop_check schema_check_##name = { name, wanted }

CHECK(pci_ids, "PCI addresses such as 01:00 or 0000:01:00.0 (lower case, joined by ';')");
CHECK(hex_id, "0x and four hex digits");
CHECK(romfile, "a file name");
CHECK(mdev, "a mediated device type (without '/', '.' and ':')");
CHECK(usb_host, "a USB device such as 1-2.3 or 046d:c52b, or 'spice'");
CHECK(number_sets, "numbers or ranges joined by ';'");
CHECK(machine, "a machine type such as q35 or pc-i440fx-9.0");
CHECK(version, "a version such as 9.0.2");
CHECK(cpu_flags, "flags such as +aes;-pcid");
CHECK(hv_vendor, "1 to 12 letters and digits");
CHECK(uuid, "a UUID");
CHECK(base64, "base64 text");
CHECK(shm_name, "letters, digits and '-'");
CHECK(boot_letters, "one to four of the letters a, c, d, n");
CHECK(scsi_product, "at most 16 letters, digits, '-', '_' and blanks");
CHECK(scsi_vendor, "at most 8 letters, digits, '-', '_' and blanks");
CHECK(wwn, "0x and 16 hex digits");
