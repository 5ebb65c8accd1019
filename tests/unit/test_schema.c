/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options and their values: agreement with Proxmox's reader line by line, and the rest of schema.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "../corpus/archive.h"
#include "schema.h"
#include "schema_check.h"
#include "vmconf.h"

/* --- Proxmox's verdicts ---------------------------------------------------------------------- */

static void parse_line(const char *text, struct str *line, struct vmconf **ret)
{
	struct err e = ERR_INIT;

	str_clear(line);
	archive_value(text, line);
	assert_int_equal(vmconf_parse(line->s, line->len, ret, &e), 0);
}

static void check_kept(const struct vmconf *c, const char *key, const char *value, size_t len)
{
	const struct vmconf_line *line = vmconf_find(c, c->sections, key);

	if (!line)
		fail_msg("'%s' is dropped", c->bytes);
	if (line->value_len != len || memcmp(line->value, value, len) != 0)
		fail_msg("'%s' is kept as '%s'", c->bytes, line->value);
}

static void check_verdict(char tag, const struct vmconf *c, const char *fact)
{
	struct str s = STR_INIT;
	char *split;

	if (tag == 'x') {
		if (c->lines[0].verdict != VMCONF_DROPPED)
			fail_msg("'%s' is kept", c->bytes);
		return;
	}
	archive_value(fact, &s);
	split = strchr(s.s, tag == 'k' ? ':' : '=');
	assert_non_null(split);
	*split = '\0';
	split += tag == 'k' ? 2 : 1;
	check_kept(c, s.s, split, s.len - (size_t)(split - s.s));
	str_release(&s);
}

static void agrees_with_proxmox(void **state)
{
	struct archive a;
	struct str text = STR_INIT;
	struct vmconf *c = NULL;
	unsigned n = 0;

	(void)state;
	archive_open(&a, "tests/corpus/lines.txt");
	for (char *line; (line = archive_next(&a)) != NULL; n++) {
		if (line[0] != 'v') {
			vmconf_free(c);
			parse_line(line + 2, &text, &c);
		}
		if (line[0] != 'c')
			check_verdict(line[0], c, line + 2);
	}
	vmconf_free(c);
	str_release(&text);
	archive_close(&a);
	assert_true(n > 2500);
}

/* --- our own view ---------------------------------------------------------------------------- */

static void numbers_end_where_proxmox_ends_them(void **state)
{
	static const struct { const char *key; bool known; } table[] = {
		{ "net0", true }, { "net31", true }, { "net32", false }, { "net", false },
		{ "net00", false },
		{ "scsi30", true }, { "scsi31", false }, { "unused255", true },
		{ "unused256", false },
		{ "hostpci15", true }, { "hostpci16", false }, { "usb13", true },
		{ "usb14", false },
		{ "numa", true }, { "numa0", true }, { "numa7", true }, { "numa8", false },
		{ "numa1000", false },
		{ "smbios1", true }, { "smbios0", false }, { "smbios", false },
		{ "efidisk0", true },
		{ "efidisk1", false }, { "cores", true }, { "cores0", false },
		{ "snapstate", false },
		{ "digest", false }, { "delete", false }, { "description", true },
		{ "cdrom", true },
		{ "virtio15", true }, { "virtiofs9", true }, { "virtiofs10", false },
		{ "0", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if ((schema_find(SCHEMA_VM, table[i].key, strlen(table[i].key)) != NULL) != table[i].known)
			fail_msg("%s", table[i].key);
	assert_non_null(schema_find(SCHEMA_FLEECING, "fleecing-images", 15));
	assert_null(schema_find(SCHEMA_FLEECING, "cores", 5));
	assert_null(schema_find(SCHEMA_VM, "fleecing-images", 15));
}

static void knows_drives(void **state)
{
	(void)state;
	assert_true(schema_is_drive("scsi0", 5));
	assert_true(schema_is_drive("efidisk0", 8));
	assert_false(schema_is_drive("unused0", 7));
	assert_false(schema_is_drive("cdrom", 5));
	assert_false(schema_is_drive("net0", 4));
}

static int check(const char *key, const char *value, const struct schema_env *env, struct str *kept)
{
	const struct schema_option *o = schema_find(SCHEMA_VM, key, strlen(key));
	struct schema_number number;
	struct slice ret = { NULL, 0 };
	struct err e = ERR_INIT;
	int r;

	assert_non_null(o);
	r = schema_check(o, (struct slice){ value, strlen(value) }, env, &number, &ret, &e);
	str_clear(kept);
	if (r == 0)
		assert_int_equal(str_addn(kept, ret.s, ret.len), 0);
	else
		assert_true(e.msg[0] != '\0');
	return r;
}

static void normalises_values(void **state)
{
	static const struct { const char *key, *value, *kept; } table[] = {
		{ "onboot", "yes", "1" }, { "onboot", "OFF", "0" }, { "onboot", "2", NULL },
		{ "cores", "007", "7" }, { "cores", "0", "0" }, { "cores", "000", "0" },
		{ "cores", "+1", NULL },
		{ "cores", "18446744073709551615", "18446744073709551615" },
		{ "cores", "00018446744073709551616", "1.84467440737096e+19" },
		{ "cores", "100000000000000000000", "1e+20" },
		{ "cpulimit", "01.50", "01.50" }, { "cpulimit", "1.", NULL },
		{ "cpulimit", "1e3", NULL },
		{ "bios", "\"ovmf\"", "ovmf" }, { "bios", "\"", "\"" }, { "bios", "\"\"", "" },
		{ "bios", "\"a\"b", "\"a\"b" }, { "tags", "\"a\"", NULL },
		{ "lock", "nonsense", "nonsense" },
		{ "onboot", "1\r", NULL },
	};
	struct str kept = STR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int r = check(table[i].key, table[i].value, NULL, &kept);

		if ((r == 0) != (table[i].kept != NULL) || (r == 0 && strcmp(kept.s, table[i].kept) != 0))
			fail_msg("%s: %s became '%s'", table[i].key, table[i].value, kept.s);
	}
	str_release(&kept);
}

static bool knows_model(void *arg, const char *name)
{
	return strcmp(name, arg) == 0;
}

static void asks_for_cpu_models_it_does_not_know(void **state)
{
	char name[] = "custom-mine";
	struct schema_env env = { knows_model, name };
	struct str kept = STR_INIT;

	(void)state;
	assert_int_equal(check("cpu", "host,hidden=1", NULL, &kept), 0);
	assert_int_equal(check("cpu", "x86-64-v2-AES,flags=+aes;-pcid", NULL, &kept), 0);
	assert_int_equal(check("cpu", "custom-mine", NULL, &kept), -EINVAL);
	assert_int_equal(check("cpu", "custom-mine", &env, &kept), 0);
	assert_int_equal(check("cpu", "custom-other", &env, &kept), -EINVAL);
	assert_int_equal(check("cpu", "host,flags=+vmx", &env, &kept), -EINVAL);
	assert_int_equal(check("cpu", "hidden=1", &env, &kept), -EINVAL);
	assert_int_equal(check("cpu", "host,reported-model=kvm64", &env, &kept), -EINVAL);
	str_release(&kept);
}

static bool is_word(const char *s, size_t len)
{
	return len == 1 && *s >= 'a' && *s <= 'z';
}

static void splits_lists_as_perl_does(void **state)
{
	static const struct { const char *list; size_t len; bool ok; } table[] = {
		{ "", 0, true }, { " ,; ", 4, true }, { "a,b;c d\te", 9, true }, { ",a", 2, true },
		{ "a,bb", 4, false }, { "a\xa0" "b\x85", 4, true }, { "a\0b", 3, true },
		{ "a\0", 2, true },
		{ "\0a", 2, false }, { "a,b\0c", 5, false }, { "\0\0", 2, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (schema_check_list(table[i].list, table[i].len, is_word) != table[i].ok)
			fail_msg("list %zu", i);
}

static void explains_in_one_sentence(void **state)
{
	static const struct { const char *line, *word; } table[] = {
		{ "bogus: 1\n", "'bogus'" }, { "cores: x\n", "whole number" },
		{ "net0: e1000=x\n", "MAC" },
		{ "memory: 8\n", "below 16" }, { "onboot: maybe\n", "yes nor no" },
		{ "cpu: pentium9\n", "model" },
		{ "delete: x\n", "PENDING" }, { "Cores: 1\n", "key: value" },
		{ "[a b]\n", "section" },
		{ "tags: -x\n", "tags" }, { "boot: order=sda\n", "boot from" },
		{ "scsi0: x,y\n", "twice" },
		{ "machine: q36\n", "machine type" }, { "audio0: driver=none\n", "missing" },
		{ "ipconfig0: gw=1.2.3.4\n", "'gw' needs 'ip'" }, { "name: a_b\n", "DNS" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct err e = ERR_INIT;
		struct vmconf *c = NULL;

		assert_int_equal(vmconf_parse(table[i].line, strlen(table[i].line), &c, &e), 0);
		assert_true(vmconf_explain(c, &c->lines[0], NULL, &e) < 0);
		if (!strstr(e.msg, table[i].word) || strchr(e.msg, '\n'))
			fail_msg("%s%s", table[i].line, e.msg);
		vmconf_free(c);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_proxmox),
		cmocka_unit_test(numbers_end_where_proxmox_ends_them),
		cmocka_unit_test(knows_drives),
		cmocka_unit_test(normalises_values),
		cmocka_unit_test(asks_for_cpu_models_it_does_not_know),
		cmocka_unit_test(splits_lists_as_perl_does),
		cmocka_unit_test(explains_in_one_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
