// SPDX-License-Identifier: GPL-2.0-or-later
/* The host's displays, its console and its keyboards. */
#include "test_inuse_tree.h"

#include <errno.h>

#include "console.h"

#define IGPU	"0000:00:02.0"
#define CARD	"0000:01:00.0"
#define BMC	"0000:05:00.0"
#define XHCI	"0000:00:14.0"

static void make(const struct box *b, const char *bdf, const char *class, const char *driver, bool boot)
{
	box_pci(b, bdf);
	box_put(b, host_path(PCI "%s/class", bdf).s, class);
	box_put(b, host_path(PCI "%s/boot_vga", bdf).s, boot ? "1\n" : "0\n");
	if (driver)
		box_link(b, host_path(PCI "%s/driver", bdf).s, host_path("../../../bus/pci/drivers/%s", driver).s);
}

static void make_bmc(const struct box *b, bool boot)
{
	make(b, BMC, "0x030000\n", "ast", boot);
	box_put(b, PCI BMC "/vendor", "0x1a03\n");
	box_put(b, PCI BMC "/device", "0x2000\n");
}

static void make_output(const struct box *b, const char *bdf, const char *card, const char *status)
{
	box_put(b, host_path(PCI "%s/drm/%s/%s-HDMI-A-1/status", bdf, card, card).s, status);
}

/* A framebuffer below `parent`, a path under /sys/devices. */
static void make_fb(const struct box *b, const char *fb, const char *parent, const char *name)
{
	box_put(b, host_path("/sys/devices/%s/graphics/%s/name", parent, fb).s, name);
	box_link(b, host_path("/sys/class/graphics/%s", fb).s, host_path("../../devices/%s/graphics/%s", parent, fb).s);
}

static void make_console(const struct box *b, bool attached)
{
	box_put(b, "/sys/class/vtconsole/vtcon0/name", "(S) dummy device\n");
	box_put(b, "/sys/class/vtconsole/vtcon0/bind", attached ? "0\n" : "1\n");
	box_put(b, "/sys/class/vtconsole/vtcon1/name", "(M) frame buffer device\n");
	box_put(b, "/sys/class/vtconsole/vtcon1/bind", attached ? "1\n" : "0\n");
}

static void the_only_display(void **state)
{
	struct box *b = *state;

	make(b, CARD, "0x030000\n", "amdgpu", true);
	box_expect(b, CARD, CARD " busy is the boot display\n" CARD " busy is the only display of this host\n");
}

static void a_card_beside_the_boards_graphics_passes(void **state)
{
	struct box *b = *state;

	make(b, IGPU, "0x030000\n", "i915", true);
	make(b, CARD, "0x030000\n", "nvidia", false);
	make_output(b, CARD, "card1", "connected\n");
	box_expect(b, CARD, "");
	box_expect(b, IGPU, IGPU " busy is the boot display\n");
}

/* Both would go. */
static void the_last_two_displays_together(void **state)
{
	static const char *const both[] = { IGPU, CARD };
	struct box *b = *state;
	char *text;

	make(b, IGPU, "0x030000\n", "i915", true);
	make(b, CARD, "0x030000\n", "nvidia", false);
	make_output(b, CARD, "card1", "connected\n");
	text = box_scan(b, both, 2);
	assert_string_equal(text, IGPU " busy is the boot display\n" IGPU " busy is the only display of this host\n"
			    CARD " busy is the only display of this host\n");
	free(text);
	/* For a list each is asked about alone. */
	b->needs.apart = true;
	b->needs.n = 1;
	b->needs.v = &(const struct inuse_need){ .kind = INUSE_NEED_POOL, .name = "x", .why = "x" };
	text = box_scan(b, both, 2);
	assert_string_equal(text, IGPU " busy is the boot display\n");
	free(text);
}

static void a_bmc_is_a_display_and_no_card(void **state)
{
	struct box *b = *state;

	make_bmc(b, true);
	make(b, CARD, "0x030000\n", "nvidia", false);
	make_output(b, CARD, "card1", "connected\n");
	box_expect(b, CARD, "");
	box_expect(b, BMC, BMC " busy is the boot display\n" BMC " busy is the display of the board's remote console (BMC)\n");
	assert_true(inuse_display_is_bmc(0x102b, 0x0536));
	assert_false(inuse_display_is_bmc(0x102b, 0x2527));	/* a Matrox card that people bought */
}

static void an_accelerator_is_no_display(void **state)
{
	struct box *b = *state;

	make(b, CARD, "0x030200\n", "nvidia", false);
	box_expect(b, CARD, "");
	make(b, IGPU, "0x038000\n", "i915", false);
	box_expect(b, IGPU, "");
}

static void without_a_host_driver_nothing_is_shown(void **state)
{
	struct box *b = *state;

	make(b, CARD, "0x030000\n", "vfio-pci", true);
	box_expect(b, CARD, "");
	make(b, IGPU, "0x030000\n", NULL, true);
	box_expect(b, IGPU, "");
}

static void nobody_looks_at_what_is_not_plugged_in(void **state)
{
	struct box *b = *state;

	make(b, CARD, "0x030000\n", "amdgpu", true);
	make_output(b, CARD, "card0", "disconnected\n");
	box_expect(b, CARD, CARD " note is the boot display, but no monitor is plugged into it\n"
		   CARD " note is the only display of this host, but no monitor is plugged into it\n");
	make_output(b, CARD, "card0", "unknown\n");
	box_expect(b, CARD, CARD " busy is the boot display\n" CARD " busy is the only display of this host\n");
}

/* What amdgpu has beside its sockets. */
static void a_writeback_connector_is_no_output(void **state)
{
	struct box *b = *state;

	make(b, CARD, "0x030000\n", "amdgpu", true);
	make_output(b, CARD, "card0", "disconnected\n");
	for (int i = 0; i < 2; i++) {
		box_put(b, PCI CARD "/drm/card0/card0-Writeback-1/status", i ? "connected\n" : "unknown\n");
		box_expect(b, CARD, CARD " note is the boot display, but no monitor is plugged into it\n"
			   CARD " note is the only display of this host, but no monitor is plugged into it\n");
	}
	make(b, IGPU, "0x030000\n", "amdgpu", false);
	box_put(b, PCI IGPU "/drm/card1/card1-Writeback-1/status", "unknown\n");
	box_expect(b, IGPU, "");
}

static struct console look(struct box *b, const char *bdf)
{
	struct console c;
	struct bdf a;

	assert_int_equal(bdf_parse(bdf, &a), 0);
	console_look(&b->h, a, &a, 1, &c);
	return c;
}

static void a_drivers_framebuffer_comes_back(void **state)
{
	struct box *b = *state;
	struct console c;

	make(b, IGPU, "0x030000\n", "i915", true);
	make_fb(b, "fb0", "pci0000:00/" IGPU, "i915drmfb\n");
	make_console(b, true);
	c = look(b, IGPU);
	assert_string_equal(c.framebuffer, "fb0 (i915drmfb)");
	assert_true(c.drawn && c.last && !c.firmware && !c.text_mode);
	/* With another framebuffer fbcon moves there by itself. */
	make_fb(b, "fb1", "pci0000:00/" CARD, "amdgpudrmfb\n");
	c = look(b, IGPU);
	assert_true(c.drawn && !c.last);
}

/* efifb, vesafb, simplefb and simpledrm alike: the platform device is what counts. */
static void the_firmwares_framebuffer_does_not(void **state)
{
	static const char *const devices[] = { "efi-framebuffer.0", "vesa-framebuffer.0", "simple-framebuffer.0" };

	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
		struct box *b = box_new();

		make(b, CARD, "0x030000\n", NULL, true);
		make(b, IGPU, "0x030000\n", "i915", false);
		make_output(b, IGPU, "card1", "connected\n");
		make_fb(b, "fb0", host_path("platform/%s", devices[i]).s, "x\n");
		make_console(b, true);
		box_expect(b, CARD, host_path(CARD " busy is the boot display; the console on the firmware's framebuffer %s (x) does "
					      "not come back before a reboot\n", devices[i]).s);
		assert_false(look(b, IGPU).framebuffer[0]);
		box_free(b);
	}
	(void)state;
}

static void where_the_firmwares_framebuffer_lies(void **state)
{
	struct box *b = *state;

	make(b, CARD, "0x030000\n", NULL, false);
	make(b, IGPU, "0x030000\n", "i915", true);
	make_fb(b, "fb0", "platform/efi-framebuffer.0", "EFI VGA\n");
	box_put(b, PCI CARD "/resource", "0x00000000c0000000 0x00000000cfffffff 0x0\n");
	box_put(b, PCI IGPU "/resource", "0x00000000a0000000 0x00000000afffffff 0x0\n");
	box_put(b, "/proc/iomem", "a0000000-dfffffff : PCI Bus 0000:00\n  c0000000-c02fffff : efifb\n");
	assert_string_equal(look(b, CARD).framebuffer, "efi-framebuffer.0 (EFI VGA)");
	assert_false(look(b, IGPU).framebuffer[0]);
	/* Others see zeros. */
	box_put(b, "/proc/iomem", "00000000-00000000 : PCI Bus 0000:00\n  00000000-00000000 : efifb\n");
	assert_string_equal(look(b, IGPU).framebuffer, "efi-framebuffer.0 (EFI VGA)");
	/* From Linux 6.9 the way itself says it. */
	make_fb(b, "fb1", "pci0000:00/" CARD "/simple-framebuffer.0", "simpledrmdrmfb\n");
	assert_true(look(b, CARD).firmware);
}

static void text_mode_does_not_come_back_either(void **state)
{
	struct box *b = *state;

	make(b, CARD, "0x030000\n", NULL, true);
	box_put(b, "/sys/class/vtconsole/vtcon0/name", "(S) VGA+\n");
	box_put(b, "/sys/class/vtconsole/vtcon0/bind", "1\n");
	box_expect(b, CARD, CARD " busy is the boot display; the console in text mode on it does not come back before a reboot\n"
		   CARD " busy is the only display of this host; the console in text mode on it does not come back before a reboot\n");
}

static void the_console_lets_go_and_comes_back(void **state)
{
	struct box *b = *state;
	struct err e = ERR_INIT;
	char now[8];
	uint64_t ns = 0;

	assert_int_equal(console_set(&b->h, false, 0, &ns, &e), 0);	/* there is none */
	assert_int_equal(console_set(&b->h, true, 60, &ns, &e), 0);	/* no monitor, no framebuffer: fbcon comes with it */
	make_console(b, true);
	assert_int_equal(console_set(&b->h, false, 0, &ns, &e), 0);
	assert_int_equal(host_read_line(&b->h, "/sys/class/vtconsole/vtcon1/bind", now, sizeof(now)), 0);
	assert_string_equal(now, "0");
	assert_int_equal(console_set(&b->h, true, 0, &ns, &e), 0);
	assert_int_equal(host_read_line(&b->h, "/sys/class/vtconsole/vtcon1/bind", now, sizeof(now)), 0);
	assert_string_equal(now, "1");
	assert_int_equal(host_read_line(&b->h, "/sys/class/vtconsole/vtcon0/bind", now, sizeof(now)), 0);
	assert_string_equal(now, "0");		/* the dummy is the kernel's own matter */
}

static int deaf(struct host *h, const char *path, const void *data, size_t len)
{
	(void)h, (void)path, (void)data, (void)len;
	return 0;
}

/* The kernel says yes and does nothing. */
static void a_refusal_is_noticed(void **state)
{
	struct box *b = *state;
	struct host_ops ops = host_default_ops;
	struct err e = ERR_INIT;
	uint64_t ns = 0;

	make_console(b, true);
	ops.write = deaf;
	b->h.ops = &ops;
	assert_int_equal(console_set(&b->h, false, 0, &ns, &e), -EIO);
	assert_non_null(strstr(e.msg, "vtcon1/bind still reads 1"));
	make_console(b, false);
	e = (struct err)ERR_INIT;
	assert_int_equal(console_set(&b->h, true, 0, &ns, &e), -EIO);
	assert_non_null(strstr(e.msg, "vtcon1/bind still reads 0"));
	b->h.ops = &host_default_ops;
}

static void make_keyboard(const struct box *b, const char *bdf, const char *usb, const char *number)
{
	const char *const at = host_path(PCI "%s/usb1/%s", bdf, usb).s;
	struct host_path device = host_path("%s", at), interface = host_path("%s/%s:1.0", at, usb);

	box_dev(b, device.s, number, "usb");
	box_put(b, host_path("%s/bInterfaceClass", interface.s).s, "03\n");
	box_put(b, host_path("%s/bInterfaceSubClass", interface.s).s, "01\n");
	box_put(b, host_path("%s/bInterfaceProtocol", interface.s).s, "01\n");
	box_link(b, host_path("/sys/bus/usb/devices/%s:1.0", usb).s, host_path("../../../..%s", interface.s).s);
}

#define KEYBOARD(bdf, usb)	bdf " busy has a keyboard attached: 0000:0000 at USB " usb "\n"

static void the_only_keyboard(void **state)
{
	struct box *b = *state;

	box_pci(b, XHCI);
	make_keyboard(b, XHCI, "1-2", "189:1");
	box_expect(b, XHCI, KEYBOARD(XHCI, "1-2") XHCI " busy has the only keyboard of this host attached (USB 1-2)\n");
	/* A PS/2 port, or what a BMC has instead. */
	box_dirs(b, "/sys/bus/serio/drivers/atkbd/serio0/");
	box_expect(b, XHCI, KEYBOARD(XHCI, "1-2"));
}

static void a_keyboard_at_another_controller_stays(void **state)
{
	static const char *const both[] = { XHCI, CARD };
	struct box *b = *state;
	char *text;

	box_pci(b, XHCI);
	box_pci(b, CARD);
	make_keyboard(b, XHCI, "1-2", "189:1");
	make_keyboard(b, CARD, "5-1", "189:513");
	box_expect(b, XHCI, KEYBOARD(XHCI, "1-2"));
	text = box_scan(b, both, 2);
	assert_string_equal(text, KEYBOARD(XHCI, "1-2") XHCI " busy has the only keyboard of this host attached (USB 1-2)\n"
			    KEYBOARD(CARD, "5-1") CARD " busy has the only keyboard of this host attached (USB 5-1)\n");
	free(text);
}

#define T(name)	cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_only_display),
		T(a_card_beside_the_boards_graphics_passes),
		T(the_last_two_displays_together),
		T(a_bmc_is_a_display_and_no_card),
		T(an_accelerator_is_no_display),
		T(without_a_host_driver_nothing_is_shown),
		T(nobody_looks_at_what_is_not_plugged_in),
		T(a_writeback_connector_is_no_output),
		T(a_drivers_framebuffer_comes_back),
		T(the_firmwares_framebuffer_does_not),
		T(where_the_firmwares_framebuffer_lies),
		T(text_mode_does_not_come_back_either),
		T(the_console_lets_go_and_comes_back),
		T(a_refusal_is_noticed),
		T(the_only_keyboard),
		T(a_keyboard_at_another_controller_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
