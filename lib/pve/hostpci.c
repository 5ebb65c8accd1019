/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes a hostpciN value apart, judges it as Proxmox does, and writes it in normal form. */
#include "hostpci.h"

#include <errno.h>
#include <stdlib.h>

#include "schema_check.h"

static const char *const drivers[] = { "vfio", "keep", NULL };

#define FLAG(key)		{ .name = key, .type = PROP_BOOL }
#define CHECKED(key, rule)	{ .name = key, .check = &schema_check_##rule }

static const struct prop props[] = {
	{ .name = "host", .flags = PROP_DEFAULT, .check = &schema_check_pci_ids },
	CHECKED("device-id", hex_id),
	{ .name = "driver", .words = drivers },
	FLAG("legacy-igd"),
	CHECKED("mapping", configid),
	CHECKED("mdev", mdev),
	FLAG("pcie"),
	FLAG("rombar"),
	CHECKED("romfile", romfile),
	CHECKED("sub-device-id", hex_id),
	CHECKED("sub-vendor-id", hex_id),
	CHECKED("vendor-id", hex_id),
	FLAG("x-vga"),
};

const struct propfmt hostpci_fmt = PROPFMT(props, NULL);

static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return (unsigned)((c | 0x20) - 'a') + 10;
}

static unsigned hex_pair(const char *s)
{
	return hex_value(s[0]) << 4 | hex_value(s[1]);
}

/* The kernel writes a domain with four digits or, if it needs them, more (%04x). */
static bool read_domain(const char *s, size_t n, uint32_t *ret)
{
	uint32_t value = 0;

	if (n > 8 || (n > 4 && *s == '0'))
		return false;
	for (size_t i = 0; i < n; i++)
		value = value << 4 | hex_value(s[i]);
	*ret = value;
	return true;
}

/* `text` has passed schema_check_pci_ids. */
static struct hostpci_id read_id(const char *text)
{
	struct hostpci_id id = { .text = text, .can_match = true };
	size_t n = strcspn(text, ":");

	if (n >= 4) {
		id.can_match = read_domain(text, n, &id.domain);
		text += n + 1;
	}
	id.bus = (uint8_t)hex_pair(text);
	id.dev = (uint8_t)hex_pair(text + 3);
	id.whole = text[5] != '.';
	id.fn = id.whole ? 0 : (uint8_t)hex_value(text[6]);
	id.can_match = id.can_match && id.dev <= 0x1f && id.fn <= 7 && !strchr(text, '\n');
	return id;
}

static int read_ids(char *text, struct hostpci *p)
{
	size_t n = 1;

	for (const char *s = text; *s; s++)
		n += *s == ';';
	p->ids = calloc(n, sizeof(*p->ids));
	if (!p->ids)
		return -ENOMEM;
	for (char *next; text; text = next) {
		next = strchr(text, ';');
		if (next)
			*next++ = '\0';
		p->ids[p->n_ids++] = read_id(text);
	}
	return 0;
}

/* The value's copy in p->text, cut out by writing the NUL behind it; NULL when not given. */
static char *own(struct hostpci *p, const char *base, const struct propstr *values, const char *name)
{
	const struct slice *v = propstr_get(values, name);
	char *s;

	if (!v)
		return NULL;
	s = p->text + (v->s - base);
	s[v->len] = '\0';
	return s;
}

static struct hostpci_override read_override(const struct propstr *values, const char *name)
{
	const struct slice *v = propstr_get(values, name);
	struct hostpci_override ret = { false, 0 };

	if (v) {
		ret.set = true;
		ret.id = (uint16_t)(hex_pair(v->s + 2) << 8 | hex_pair(v->s + 4));
	}
	return ret;
}

static int fill(struct hostpci *p, const char *base, const struct propstr *values)
{
	const struct slice *driver = propstr_get(values, "driver");
	char *host;

	p->pcie = propstr_bool(values, "pcie", false);
	p->rombar = propstr_bool(values, "rombar", true);
	p->has_rombar = propstr_get(values, "rombar") != NULL;
	p->x_vga = propstr_bool(values, "x-vga", false);
	p->legacy_igd = propstr_bool(values, "legacy-igd", false);
	p->driver = driver && slice_is(*driver, "keep") ? HOSTPCI_KEEP : HOSTPCI_VFIO;
	p->vendor_id = read_override(values, "vendor-id");
	p->device_id = read_override(values, "device-id");
	p->sub_vendor_id = read_override(values, "sub-vendor-id");
	p->sub_device_id = read_override(values, "sub-device-id");
	p->mapping = own(p, base, values, "mapping");
	p->romfile = own(p, base, values, "romfile");
	p->mdev = own(p, base, values, "mdev");
	host = own(p, base, values, "host");
	return host ? read_ids(host, p) : 0;
}

int hostpci_parse(const char *value, size_t len, struct hostpci *ret, struct err *e)
{
	struct hostpci p = HOSTPCI_INIT;
	struct propstr values;
	int r;

	r = propstr_parse(&hostpci_fmt, value, len, NULL, &values, e);
	if (r < 0)
		return r;
	p.text = malloc(len + 1);
	if (!p.text)
		return err_nomem(e);
	memcpy(p.text, value, len);
	p.text[len] = '\0';
	if (fill(&p, value, &values) < 0) {
		hostpci_release(&p);
		return err_nomem(e);
	}
	*ret = p;
	return 0;
}

void hostpci_release(struct hostpci *p)
{
	free(p->ids);
	free(p->text);
	*p = (struct hostpci)HOSTPCI_INIT;
}

int hostpci_check_start(const char *value, size_t len, struct err *e)
{
	struct propstr values;
	bool host, mapping;
	int r;

	if (!len)
		return 0;
	r = propstr_parse(&hostpci_fmt, value, len, NULL, &values, e);
	if (r < 0)
		return r;
	host = propstr_get(&values, "host") != NULL;
	mapping = propstr_get(&values, "mapping") != NULL;
	if (host && mapping)
		return err_set(e, EINVAL, "it names both an address and a mapping; only one may be given");
	if (!host && !mapping)
		return err_set(e, EINVAL, "it names neither an address nor a mapping");
	return 0;
}

bool hostpci_id_matches(const char *id, const char *sysfs_name)
{
	if (str_starts(sysfs_name, id))
		return true;
	return str_starts(sysfs_name, "0000:") && str_starts(sysfs_name + 5, id);
}

int hostpci_print(const char *value, size_t len, struct str *out, struct err *e)
{
	struct propstr values;
	int r;

	r = propstr_parse(&hostpci_fmt, value, len, NULL, &values, e);
	if (r < 0)
		return r;
	return propstr_print(&values, out) < 0 ? err_nomem(e) : 0;
}

/* --- from a struct: the same order, by name --------------------------------------------------- */

static void add(struct str *out, size_t start, const char *name, const char *value)
{
	if (value)
		(void)str_addf(out, "%s%s=%s", out->len > start ? "," : "", name, value);
}

static void add_flag(struct str *out, size_t start, const char *name, bool given, bool value)
{
	add(out, start, name, given ? (value ? "1" : "0") : NULL);
}

static void add_id(struct str *out, size_t start, const char *name, struct hostpci_override id)
{
	if (id.set)
		(void)str_addf(out, "%s%s=0x%04x", out->len > start ? "," : "", name, id.id);
}

int hostpci_format(const struct hostpci *p, struct str *out)
{
	size_t start = out->len;

	for (size_t i = 0; i < p->n_ids; i++)
		(void)str_addf(out, "%s%s", i ? ";" : "", p->ids[i].text);
	add_id(out, start, "device-id", p->device_id);
	add(out, start, "driver", p->driver == HOSTPCI_KEEP ? "keep" : NULL);
	add_flag(out, start, "legacy-igd", p->legacy_igd, true);
	add(out, start, "mapping", p->mapping);
	add(out, start, "mdev", p->mdev);
	add_flag(out, start, "pcie", p->pcie, true);
	add_flag(out, start, "rombar", p->has_rombar || !p->rombar, p->rombar);
	add(out, start, "romfile", p->romfile);
	add_id(out, start, "sub-device-id", p->sub_device_id);
	add_id(out, start, "sub-vendor-id", p->sub_vendor_id);
	add_id(out, start, "vendor-id", p->vendor_id);
	add_flag(out, start, "x-vga", p->x_vga, true);
	return out->failed ? -ENOMEM : 0;
}
