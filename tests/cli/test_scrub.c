// SPDX-License-Identifier: GPL-2.0-or-later
/* What is taken out of a report, and what only looks like it and stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "scrub.h"

static const struct {
	const char *text, *want;
} lines[] = {
	{ "net0: virtio=BC:24:11:aa:BB:cc,bridge=vmbr0", "net0: virtio=00:00:00:00:00:00,bridge=vmbr0" },
	{ "a 00:11:22:33:44:55 b 66:77:88:99:aa:bb", "a 00:00:00:00:00:00 b 00:00:00:00:00:00" },
	{ "smbios1: uuid=e9be7f89-2d34-7949-37d2-b1391c65a1fb", "smbios1: uuid=00000000-0000-0000-0000-000000000000" },
	{ "scsi0: a,serial=WD-123,size=3", "scsi0: a,serial=removed,size=3" },
	{ "Serial Number: S4EVNX0R", "serial=removed" },
	{ "wwn=0x5000c500a, S/N: 77", "serial=removed, serial=removed" },
	{ "-object secret,id=k,password=hunter2 x", "-object secret,id=k,secret=removed x" },
	{ "token:abc key=1", "secret=removed secret=removed" },
	{ "0000:01:00.0 [10de:2684] 10de:2684:1043:88e2", "0000:01:00.0 [10de:2684] 10de:2684:1043:88e2" },
	{ "hostpci0: 0000:01:00,pcie=1,x-vga=1", "hostpci0: 0000:01:00,pcie=1,x-vga=1" },
	{ "efidisk0: local:vm-1,pre-enrolled-keys=0,hv-vendor-id=x", "efidisk0: local:vm-1,pre-enrolled-keys=0,hv-vendor-id=x" },
	{ "[    9.120441] BAR 1 [mem 0x6000000000-0x67ffffffff 64bit pref]", "[    9.120441] BAR 1 [mem 0x6000000000-0x67ffffffff 64bit pref]" },
	{ "vga: serial0, serial: it says serial", "vga: serial0, serial=removed says serial" },
	{ "a,serial=1\nserial=2\nb", "a,serial=removed\nserial=removed\nb" },
	{ "GPU-e9be7f89-2d34-7949-37d2-b1391c65a1fb", "GPU-00000000-0000-0000-0000-000000000000" },
	{ "two\nlines\n", "two\nlines\n" },
	{ "", "" },
};

static void secrets_go_and_words_stay(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct str s = STR_INIT;
		char *text = strdup(lines[i].text);

		assert_int_equal(scrub_add(&s, lines[i].text), 0);
		assert_string_equal(s.s, lines[i].want);
		assert_int_equal(scrub_string(&text), 0);
		assert_string_equal(text, lines[i].want);
		str_clear(&s);
		assert_int_equal(scrub_add(&s, text), 0);
		assert_string_equal(s.s, lines[i].want);	/* what is clean stays as it is */
		str_release(&s);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(secrets_go_and_words_stay) };

	return cmocka_run_group_tests_name("scrub", tests, NULL, NULL);
}
