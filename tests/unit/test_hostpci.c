/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hostpciN values: agreement with Proxmox's parser, ids, and normal form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "../corpus/archive.h"
#include "hostpci.h"
#include "vmconf.h"

/* --- Proxmox's verdicts ---------------------------------------------------------------------- */

/* One value, with what we make of it and which of Proxmox's facts were there. */
struct trial {
	struct str value;
	struct propstr props;
	struct err e;
	bool ours_ok, refused, start_error, dropped, changed, printed;
	size_t n_props;
};

static void assert_text(const struct trial *t, const char *what, const char *got, size_t len,
			const char *want)
{
	struct str bytes = STR_INIT;

	archive_value(want, &bytes);
	if (len != bytes.len || memcmp(got, bytes.s, len) != 0)
		fail_msg("'%s': %s is '%.*s', not '%s'", t->value.s, what, (int)len, got, want);
	str_release(&bytes);
}

static struct vmconf *as_line(const struct trial *t)
{
	struct str file = STR_INIT;
	struct err e = ERR_INIT;
	struct vmconf *c = NULL;

	assert_int_equal(str_add(&file, "hostpci0: "), 0);
	assert_int_equal(str_addn(&file, t->value.s, t->value.len), 0);
	assert_int_equal(vmconf_parse(file.s, file.len, &c, &e), 0);
	str_release(&file);
	return c;
}

static void check_line(const struct trial *t, const char *want)
{
	struct vmconf *c = as_line(t);
	const struct vmconf_line *line = vmconf_find(c, c->sections, "hostpci0");

	if (!line)
		fail_msg("'%s' is dropped as a line", t->value.s);
	if (want)
		assert_text(t, "the line", line->value, line->value_len, want);
	else if (line->value_len != t->value.len || memcmp(line->value, t->value.s, t->value.len) != 0)
		fail_msg("'%s' is kept as '%s'", t->value.s, line->value);
	vmconf_free(c);
}

static void begin(struct trial *t, const char *value)
{
	struct hostpci p = HOSTPCI_INIT;

	*t = (struct trial){ .value = STR_INIT };
	archive_value(value, &t->value);
	t->ours_ok = propstr_parse(&hostpci_fmt, t->value.s, t->value.len, NULL, &t->props, &t->e) == 0;
	if ((hostpci_parse(t->value.s, t->value.len, &p, &t->e) == 0) != t->ours_ok)
		fail_msg("'%s': the struct and the format disagree", t->value.s);
	hostpci_release(&p);
}

static void check_prop(struct trial *t, char *fact)
{
	char *eq = strchr(fact, '=');
	const struct slice *v;

	*eq = '\0';
	v = propstr_get(&t->props, fact);
	if (!v)
		fail_msg("'%s': no %s was parsed", t->value.s, fact);
	assert_text(t, fact, v->s, v->len, eq + 1);
	t->n_props++;
}

static void check_printed(struct trial *t, const char *want)
{
	struct str out = STR_INIT;

	t->printed = true;
	assert_int_equal(hostpci_print(t->value.s, t->value.len, &out, &t->e), 0);
	assert_text(t, "the normal form", out.s, out.len, want);
	str_release(&out);
}

static void end(struct trial *t)
{
	size_t n = 0;

	if (t->ours_ok == t->refused)
		fail_msg("'%s' is %s: %s", t->value.s, t->refused ? "accepted" : "refused", t->e.msg);
	if (t->ours_ok) {
		for (size_t i = 0; i < hostpci_fmt.n; i++)
			n += t->props.value[i].s != NULL;
		if (n != t->n_props)
			fail_msg("'%s': %zu properties instead of %zu", t->value.s, n, t->n_props);
		assert_true(t->printed);
		if ((hostpci_check_start(t->value.s, t->value.len, &t->e) < 0) != t->start_error)
			fail_msg("'%s': would a VM start?", t->value.s);
	}
	if (t->dropped) {
		struct vmconf *c = as_line(t);

		if (vmconf_current(c, "hostpci0"))
			fail_msg("'%s' is kept as a line", t->value.s);
		vmconf_free(c);
	} else if (!t->changed) {
		check_line(t, NULL);
	}
	str_release(&t->value);
}

static void check_fact(struct trial *t, char *line)
{
	switch (line[0]) {
	case 'k':
		if (!t->ours_ok)
			fail_msg("'%s' is refused: %s", t->value.s, t->e.msg);
		check_prop(t, line + 2);
		break;
	case 'p':
		check_printed(t, archive_text(line, 1));
		break;
	case 'r':
		t->refused = true;
		break;
	case 'e':
		t->start_error = true;
		break;
	case 'x':
		t->dropped = true;
		break;
	case 'l':
		t->changed = true;
		check_line(t, archive_text(line, 1));
		break;
	default:
		fail_msg("hostpci.txt: '%s'", line);
	}
}

static void agrees_with_proxmox(void **state)
{
	struct archive a;
	struct trial t = { .value = STR_INIT };
	unsigned n = 0;

	(void)state;
	archive_open(&a, "tests/corpus/hostpci.txt");
	for (char *line; (line = archive_next(&a)) != NULL; ) {
		if (line[0] != '=') {
			check_fact(&t, line);
			continue;
		}
		if (n++)
			end(&t);
		begin(&t, archive_text(line, 1));
	}
	end(&t);
	archive_close(&a);
	assert_true(n >= 439);
}

/* --- our own view ---------------------------------------------------------------------------- */

static void parse(const char *value, struct hostpci *ret)
{
	struct err e = ERR_INIT;

	if (hostpci_parse(value, strlen(value), ret, &e) < 0)
		fail_msg("'%s': %s", value, e.msg);
}

static void reads_everything_into_the_struct(void **state)
{
	struct hostpci p = HOSTPCI_INIT;

	(void)state;
	parse("0000:01:00;10000:e1:1f.7,pcie=on,x-vga=yes,rombar=0,romfile=a b.rom,mdev=nvidia-35,"
	      "vendor-id=0x10DE,sub-device-id=0x0001,driver=keep,legacy-igd=1,mapping=gpu1", &p);
	assert_int_equal(p.n_ids, 2);
	assert_string_equal(p.ids[0].text, "0000:01:00");
	assert_true(p.ids[0].whole && p.ids[0].can_match);
	assert_int_equal(p.ids[0].bus, 1);
	assert_string_equal(p.ids[1].text, "10000:e1:1f.7");
	assert_int_equal(p.ids[1].domain, 0x10000);
	assert_int_equal(p.ids[1].bus, 0xe1);
	assert_int_equal(p.ids[1].dev, 0x1f);
	assert_int_equal(p.ids[1].fn, 7);
	assert_false(p.ids[1].whole);
	assert_true(p.pcie && p.x_vga && p.has_rombar && !p.rombar && p.legacy_igd);
	assert_string_equal(p.romfile, "a b.rom");
	assert_string_equal(p.mdev, "nvidia-35");
	assert_string_equal(p.mapping, "gpu1");
	assert_int_equal(p.driver, HOSTPCI_KEEP);
	assert_true(p.vendor_id.set && p.sub_device_id.set && !p.device_id.set && !p.sub_vendor_id.set);
	assert_int_equal(p.vendor_id.id, 0x10de);
	hostpci_release(&p);
	assert_int_equal(p.n_ids, 0);
}

static void has_proxmox_defaults(void **state)
{
	struct hostpci p = HOSTPCI_INIT;

	(void)state;
	parse("mapping=gpu", &p);
	assert_int_equal(p.n_ids, 0);
	assert_true(p.rombar && !p.has_rombar && !p.pcie && !p.x_vga && !p.legacy_igd);
	assert_null(p.romfile);
	assert_null(p.mdev);
	assert_int_equal(p.driver, HOSTPCI_VFIO);
	hostpci_release(&p);
}

static void knows_ids_that_no_device_has(void **state)
{
	static const struct { const char *id; bool can_match; } table[] = {
		{ "01:00.0", true }, { "0000:01:00", true }, { "10000:e1:00.0", true },
		{ "ffffffff:ff:1f.7", true }, { "00000001:01:00.0", false },
		{ "00000:01:00", false },
		{ "123456789:01:00.0", false }, { "01:20.0", false }, { "01:00.8", false },
		{ "01:00.f", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct hostpci p = HOSTPCI_INIT;

		parse(table[i].id, &p);
		if (p.ids[0].can_match != table[i].can_match)
			fail_msg("%s", table[i].id);
		hostpci_release(&p);
	}
}

static void an_id_is_the_beginning_of_a_name(void **state)
{
	static const struct { const char *id, *name; bool matches; } table[] = {
		{ "01:00", "0000:01:00.0", true },
		{ "01:00", "0000:01:00.7", true },
		{ "01:00.0", "0000:01:00.0", true },
		{ "01:00.0", "0000:01:00.1", false },
		{ "0000:01:00", "0000:01:00.1", true },
		{ "0000:01:00.1", "0000:01:00.1", true },
		{ "01:00", "0001:01:00.0", false },
		{ "0001:01:00", "0001:01:00.0", true },
		{ "01:00", "10000:01:00.0", false },
		{ "10000:e1:00", "10000:e1:00.0", true },
		{ "1000:e1:00", "10000:e1:00.0", false },
		{ "00000001:01:00.0", "0001:01:00.0", false },
		{ "01:00.0\n", "0000:01:00.0", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (hostpci_id_matches(table[i].id, table[i].name) != table[i].matches)
			fail_msg("%s %s", table[i].id, table[i].name);
}

static void formats_a_struct_in_normal_form(void **state)
{
	static const char *const values[] = {
		"0000:01:00", "01:00.0;01:00.1,pcie=1,x-vga=1", "mapping=gpu,pcie=1",
		"01:00,device-id=0x1234,driver=keep,legacy-igd=1,mdev=a,rombar=0,romfile=b",
		"01:00,sub-device-id=0x0001,sub-vendor-id=0xffff,vendor-id=0x10de",
		"01:00,rombar=1", "",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct hostpci p = HOSTPCI_INIT;
		struct str out = STR_INIT;

		parse(values[i], &p);
		assert_int_equal(hostpci_format(&p, &out), 0);
		assert_string_equal(out.s, values[i]);
		str_release(&out);
		hostpci_release(&p);
	}
}

static void names_what_is_wrong(void **state)
{
	static const struct { const char *value, *word; } table[] = {
		{ "01:0.0", "host" }, { "01:00.0, pcie=1", "' pcie'" }, { "01:00,pcie=x", "pcie" },
		{ "01:00,bogus=1", "bogus" }, { "AF:00", "lower case" },
		{ "01:00,pcie=1,pcie=0", "twice" },
		{ "01:00,vendor-id=10de", "vendor-id" }, { "driver=vfio-pci", "driver" },
		{ "01:00,x-vga=", "x-vga=" }, { "mapping=1", "mapping" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct hostpci p = HOSTPCI_INIT;
		struct err e = ERR_INIT;

		assert_int_equal(hostpci_parse(table[i].value, strlen(table[i].value), &p, &e), -EINVAL);
		if (!strstr(e.msg, table[i].word))
			fail_msg("'%s': %s", table[i].value, e.msg);
	}
}

static void survives_anything(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		static const char alphabet[] = "0123456789abcdef:.;,=-host mappingrombarpcieX\n\r\0\xff";
		char value[40];
		struct hostpci p = HOSTPCI_INIT;
		struct err e = ERR_INIT;
		size_t n;

		seed = seed * 1664525 + 1013904223;
		n = seed >> 16 & 31;
		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			value[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		if (hostpci_parse(value, n, &p, &e) == 0)
			hostpci_release(&p);
		else
			assert_true(e.msg[0] != '\0');
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_proxmox),
		cmocka_unit_test(reads_everything_into_the_struct),
		cmocka_unit_test(has_proxmox_defaults),
		cmocka_unit_test(knows_ids_that_no_device_has),
		cmocka_unit_test(an_id_is_the_beginning_of_a_name),
		cmocka_unit_test(formats_a_struct_in_normal_form),
		cmocka_unit_test(names_what_is_wrong),
		cmocka_unit_test(survives_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
