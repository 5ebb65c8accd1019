// SPDX-License-Identifier: GPL-2.0-or-later
/* Editing a VM config: which bytes change, and where a change goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vmedit.h"

/* "+key=value" puts, "-key" drops, several separated by blanks; "RUN" first: the VM runs. */
struct edit_case {
	const char *edits, *before, *after;
	bool newline_added;
};

static const struct edit_case cases[] = {
	/* one line, nothing else */
	{ "+bios=ovmf", "", "bios: ovmf\n", false },
	{ "+bios=ovmf", "cores: 2\nmemory: 512\n", "bios: ovmf\ncores: 2\nmemory: 512\n", false },
	{ "+name=x", "cores: 2\n\n[snap]\ncores: 1\n", "cores: 2\nname: x\n\n[snap]\ncores: 1\n", false },
	{ "+name=x", "[snap]\ncores: 1\n", "name: x\n[snap]\ncores: 1\n", false },
	{ "+cores=4", "#note\ncores: 2\njunk\n", "#note\ncores: 4\njunk\n", false },
	{ "+cores=4", "cores:2  \r\nmemory: 512\r\n", "cores: 4\r\nmemory: 512\r\n", false },
	{ "+cores=2", "cores:2  \n", "cores:2  \n", false },
	{ "+cores=4", "cores: 1\nname: a\ncores: 2\n", "cores: 1\nname: a\ncores: 4\n", false },
	{ "-cores", "cores: 1\nname: a\ncores: 2\n", "name: a\n", false },
	{ "-cores", "name: a\n", "name: a\n", false },
	{ "-cores", "cores: x\nname: a\n", "cores: x\nname: a\n", false },
	{ "+cores=4", "cores: x\nname: a\n", "cores: x\ncores: 4\nname: a\n", false },
	/* the last line */
	{ "+cores=4", "cores: 2", "cores: 4", false },
	{ "+name=x", "cores: 2", "cores: 2\nname: x\n", true },
	{ "+name=x", "bios: ovmf\r\ncores: 2", "bios: ovmf\r\ncores: 2\nname: x\r\n", true },
	{ "+name=x", "bios: ovmf\r\ncores: 2\r", "bios: ovmf\r\ncores: 2\r\nname: x\r\n", true },
	{ "+bios=ovmf", "cores: 2", "bios: ovmf\ncores: 2", false },
	{ "+bios=ovmf", "cores: 2\r\n", "bios: ovmf\r\ncores: 2\r\n", false },
	{ "-cores", "bios: ovmf\ncores: 2", "bios: ovmf\n", false },
	/* a change that waits is taken back by one that does not */
	{ "+cores=4", "cores: 2\n\n[PENDING]\ncores: 3\n", "cores: 4\n", false },
	{ "+cores=4", "cores: 2\n\n[PENDING]\ncores: 3\n\n[snap]\ncores: 1\n", "cores: 4\n\n[snap]\ncores: 1\n", false },
	{ "+cores=4", "cores: 2\nname: n\n\n[PENDING]\ndelete: name,cores\n", "cores: 4\nname: n\n\n[PENDING]\ndelete: name\n", false },
	{ "-cores", "cores: 2\n\n[PENDING]\ncores: 3\nname: x\n", "\n[PENDING]\nname: x\n", false },
	{ "-cores", "cores: 2\n\n[PENDING]\ndelete: cores\n", "", false },
	/* a running VM */
	{ "RUN +machine=q35", "cores: 2\n", "cores: 2\n\n[PENDING]\nmachine: q35\n", false },
	{ "RUN +machine=q35", "cores: 2", "cores: 2\n\n[PENDING]\nmachine: q35\n", true },
	{ "RUN +machine=q35", "cores: 2\n\n[snap]\ncores: 1\n", "cores: 2\n\n[PENDING]\nmachine: q35\n\n[snap]\ncores: 1\n", false },
	{ "RUN +machine=q35", "cores: 2\r\n[snap]\r\n", "cores: 2\r\n\r\n[PENDING]\r\nmachine: q35\r\n[snap]\r\n", false },
	{ "RUN +machine=q35", "", "[PENDING]\nmachine: q35\n", false },
	{ "RUN +machine=q35 -machine", "cores: 2\n", "cores: 2\n", false },
	{ "RUN +machine=q35", "machine: pc\n\n[PENDING]\ndelete: machine\n", "machine: pc\n\n[PENDING]\nmachine: q35\n", false },
	{ "RUN +machine=pc", "machine: pc\n\n[PENDING]\nmachine: q35\n", "machine: pc\n", false },
	{ "RUN +machine=pc", "machine: pc\n", "machine: pc\n", false },
	{ "RUN -machine", "machine: pc\n", "machine: pc\n\n[PENDING]\ndelete: machine\n", false },
	{ "RUN -machine -cpu", "cpu: host\nmachine: pc\n", "cpu: host\nmachine: pc\n\n[PENDING]\ndelete: cpu,machine\n", false },
	{ "RUN -machine", "machine: pc\n\n[PENDING]\ndelete: !name net0\n", "machine: pc\n\n[PENDING]\ndelete: machine\n", false },
	{ "RUN -machine", "machine: pc\nname: a\n\n[PENDING]\ndelete: !name net0\n", "machine: pc\nname: a\n\n[PENDING]\ndelete: machine,!name\n", false },
	{ "RUN -machine", "machine: pc\n\n[PENDING]\nmachine: q35\n", "machine: pc\n\n[PENDING]\ndelete: machine\n", false },
	{ "RUN -machine", "\n[PENDING]\nmachine: q35\n", "", false },
	{ "RUN -machine", "[PENDING]\ncores: 1\n[PENDING]\nmachine: q35\n", "[PENDING]\ncores: 1\n[PENDING]\n", false },
	/* what applies at once goes to the current section */
	{ "RUN +hookscript=local:snippets/a", "cores: 2\n", "cores: 2\nhookscript: local:snippets/a\n", false },
	{ "RUN +name=b", "name: a\n\n[PENDING]\nname: c\n", "name: b\n", false },
	{ "RUN +onboot=1", "cores: 2\n\n[PENDING]\ncores: 3\n", "cores: 2\nonboot: 1\n\n[PENDING]\ncores: 3\n", false },
	{ "RUN -hookscript", "hookscript: local:snippets/a\ncores: 2\n", "cores: 2\n", false },
	/* the boot order */
	{ "-hostpci0", "boot: order=scsi0;hostpci0\nhostpci0: 01:00\n", "boot: order=scsi0\n", false },
	{ "-hostpci0", "boot: order=hostpci0\nhostpci0: 01:00\n", "boot: \n", false },
	{ "-hostpci0", "boot: order=hostpci0\r\nhostpci0: 01:00\r\n", "boot: \n", false },
	{ "RUN -hostpci0", "boot: order=hostpci0\r\nhostpci0: 01:00\r\n",
	  "boot: order=hostpci0\r\nhostpci0: 01:00\r\n\r\n[PENDING]\r\nboot: \ndelete: hostpci0\n", false },
	{ "-hostpci1", "boot: order=scsi0;hostpci10\nhostpci1: 01:00\n", "boot: order=scsi0;hostpci10\n", false },
	{ "-hostpci0 -hostpci1", "boot: order=hostpci1;scsi0;hostpci0\nhostpci0: 01:00\nhostpci1: 02:00\n", "boot: order=scsi0\n", false },
	{ "RUN -hostpci0", "boot: order=scsi0;hostpci0\nhostpci0: 01:00\n",
	  "boot: order=scsi0;hostpci0\nhostpci0: 01:00\n\n[PENDING]\nboot: order=scsi0\ndelete: hostpci0\n", false },
	{ "RUN -hostpci0 -hostpci1", "boot: order=hostpci1;scsi0;hostpci0\nhostpci0: 01:00\nhostpci1: 02:00\n",
	  "boot: order=hostpci1;scsi0;hostpci0\nhostpci0: 01:00\nhostpci1: 02:00\n\n[PENDING]\nboot: order=scsi0\ndelete: hostpci0,hostpci1\n", false },
	{ "-hostpci0", "boot: cdn\nhostpci0: 01:00\n", "boot: cdn\n", false },
};

static int edit_one(struct vmedit *ed, char *word, struct err *e)
{
	char *value = strchr(word, '=');

	if (*word == '-')
		return vmedit_drop(ed, word + 1, e);
	*value++ = '\0';
	return vmedit_put(ed, word + 1, value, e);
}

static void run_case(const struct edit_case *t)
{
	char edits[128], *cursor = edits, *word;
	struct err e = ERR_INIT;
	struct vmedit ed;

	snprintf(edits, sizeof(edits), "%s", t->edits);
	assert_int_equal(vmedit_init(&ed, t->before, strlen(t->before), NULL, false, &e), 0);
	while ((word = str_token(&cursor, " "))) {
		if (strcmp(word, "RUN") == 0)
			ed.running = true;
		else if (edit_one(&ed, word, &e) < 0)
			fail_msg("%s on\n%s: %s", t->edits, t->before, e.msg);
	}
	if (strcmp(ed.now->bytes, t->after) != 0)
		fail_msg("%s on\n%s\ngave\n%s\ninstead of\n%s", t->edits, t->before, ed.now->bytes, t->after);
	if (ed.newline_added != t->newline_added)
		fail_msg("%s on\n%s\nnewline_added is %d", t->edits, t->before, ed.newline_added);
	vmedit_release(&ed);
}

static void only_the_lines_meant_change(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run_case(&cases[i]);
}

static void what_proxmox_would_drop_is_not_written(void **state)
{
	static const struct { const char *key, *value, *part; } table[] = {
		{ "hostpci0", "0A:00.0", "Proxmox would drop the line" },
		{ "hostpci0", "01:00, pcie=1", "Proxmox would drop the line" },
		{ "hostpci16", "01:00", "Proxmox would drop the line" },
		{ "nosuchkey", "1", "Proxmox would drop the line" },
		{ "cores", "four", "Proxmox would drop the line" },
		{ "cpu", "host,hidden=1,hv-vendor-id=much-too-long", "Proxmox would drop the line" },
		{ "name", "a\ncores: 9", "more than one line" },
		{ "ostype", "\"l26\"", "Proxmox would read" },
		{ "args", "\"-a\" \"-b\"", "take its quotes off" },
		{ "name", "snapstate: prepare", "Proxmox would" },
	};
	static const char before[] = "#note\nmemory: 512\n";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct err e = ERR_INIT;
		struct vmedit ed;

		assert_int_equal(vmedit_init(&ed, before, sizeof(before) - 1, NULL, i & 1, &e), 0);
		if (vmedit_put(&ed, table[i].key, table[i].value, &e) != -EINVAL || !strstr(e.msg, table[i].part))
			fail_msg("%s: %s: '%s'", table[i].key, table[i].value, e.msg);
		assert_string_equal(ed.now->bytes, before);
		vmedit_release(&ed);
	}
}

static void a_file_cannot_outgrow_pmxcfs(void **state)
{
	struct err e = ERR_INIT;
	struct str big = STR_INIT;
	struct vmedit ed;

	(void)state;
	while (big.len < VMCONF_SIZE_MAX - 1)
		assert_int_equal(str_add(&big, "#"), 0);
	assert_int_equal(str_add(&big, "\n"), 0);
	assert_int_equal(vmedit_init(&ed, big.s, big.len, NULL, false, &e), 0);
	assert_int_equal(vmedit_put(&ed, "cores", "1", &e), -EFBIG);
	assert_int_equal(ed.now->len, VMCONF_SIZE_MAX);
	vmedit_release(&ed);
	str_release(&big);
}

static void nul_bytes_stay(void **state)
{
	static const char before[] = "#a\0b\ncores: 1\0\nmemory: 512\n", after[] = "#a\0b\ncores: 1\0\nmemory: 64\n";
	struct err e = ERR_INIT;
	struct vmedit ed;

	(void)state;
	assert_int_equal(vmedit_init(&ed, before, sizeof(before) - 1, NULL, false, &e), 0);
	assert_int_equal(vmedit_put(&ed, "memory", "64", &e), 0);
	assert_int_equal(ed.now->len, sizeof(after) - 1);
	assert_memory_equal(ed.now->bytes, after, sizeof(after));
	vmedit_release(&ed);
}

static void the_next_start_is_pending_before_current(void **state)
{
	static const char text[] = "cores: 1\nname: a\nbios: ovmf\n[PENDING]\ncores: 2\ndelete: name\n";
	struct err e = ERR_INIT;
	struct vmedit ed;

	(void)state;
	assert_int_equal(vmedit_init(&ed, text, sizeof(text) - 1, NULL, false, &e), 0);
	assert_string_equal(vmedit_effective(ed.now, "cores"), "2");
	assert_null(vmedit_effective(ed.now, "name"));
	assert_string_equal(vmedit_effective(ed.now, "bios"), "ovmf");
	assert_null(vmedit_effective(ed.now, "machine"));
	vmedit_release(&ed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_lines_meant_change),
		cmocka_unit_test(what_proxmox_would_drop_is_not_written),
		cmocka_unit_test(a_file_cannot_outgrow_pmxcfs),
		cmocka_unit_test(nul_bytes_stay),
		cmocka_unit_test(the_next_start_is_pending_before_current),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
