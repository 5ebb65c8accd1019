// SPDX-License-Identifier: GPL-2.0-or-later
/* Who has the nodes of a function open, what is plugged into it, and that a big host is one pass. */
#include "test_inuse_tree.h"

#include <errno.h>
#include <fcntl.h>

#include "inuse.h"

#define GPU	"0000:01:00.0"
#define AUDIO	"0000:01:00.1"
#define XHCI	"0000:01:00.2"
#define BMC	"0000:00:05.0"

/* A card as its drivers show it: outputs and an i2c bus below .0, sound below .1, USB at .2. */
static void make_card(const struct box *b)
{
	box_pci(b, GPU);
	box_dev(b, PCI GPU "/drm/card0", "226:0", "drm");
	box_dev(b, PCI GPU "/drm/renderD128", "226:128", "drm");
	box_put(b, PCI GPU "/drm/card0/card0-HDMI-A-1/status", "connected\n");
	box_dev(b, PCI GPU "/i2c-7/i2c-dev/i2c-7", "89:7", "i2c-dev");
	box_dev(b, PCI GPU "/graphics/fb0", "29:0", "graphics");
	box_put(b, PCI GPU "/power/dev", "226:99\n");		/* a dull folder is not entered */
	box_pci(b, AUDIO);
	box_dev(b, PCI AUDIO "/sound/card1/controlC1", "116:9", "sound");
	box_dev(b, PCI AUDIO "/sound/card1/pcmC1D3p", "116:8", "sound");
	box_dev(b, PCI AUDIO "/sound/card1/input10/event10", "13:74", "input");
	box_pci(b, XHCI);
	box_dev(b, PCI XHCI "/usb3", "189:256", "usb");
	box_put(b, PCI XHCI "/usb3/bDeviceClass", "09\n");
	/* Another display stays, and another keyboard. */
	box_pci(b, BMC);
	box_put(b, PCI BMC "/vendor", "0x1a03\n");
	box_put(b, PCI BMC "/device", "0x2000\n");
	box_dirs(b, "/sys/bus/serio/drivers/atkbd/serio0/");
}

static void a_card_that_nobody_uses_passes(void **state)
{
	struct box *b = *state;

	make_card(b);
	box_process(b, 1, "systemd", "/init.scope");
	box_fd(b, 1, 0, "/dev/null");
	box_fd(b, 1, 1, "/dev/dri/card1");
	box_fd(b, 1, 2, "/dev/dri");
	box_fd(b, 1, 3, "/dev/snd/controlC0");
	box_fd(b, 1, 4, "/home/dev/dri/card0");
	box_expect(b, GPU, "");
	box_expect(b, AUDIO, "");
	box_expect(b, XHCI, "");
}

static void a_function_that_does_not_exist_has_no_users(void **state)
{
	box_expect(*state, GPU, "");
}

static void names_unit_container_and_node(void **state)
{
	struct box *b = *state;

	make_card(b);
	box_process(b, 812, "ollama", "/lxc/105/ns/system.slice/ollama.service");
	box_put(b, "/proc/driver/nvidia/gpus/" GPU "/information", "Model: \t x\nDevice Minor: \t 0\nBlacklisted:\t No\n");
	box_fd(b, 812, 9, "/dev/nvidia0");
	box_fd(b, 812, 10, "/dev/nvidiactl");
	box_fd(b, 812, 11, "/dev/nvidia0");
	box_expect(b, GPU, GPU " HANGS held by ollama.service (pid 812) in container 105 through /dev/nvidia0\n");
}

static void shared_nvidia_nodes_are_not_this_card(void **state)
{
	struct box *b = *state;

	make_card(b);
	box_put(b, "/proc/driver/nvidia/gpus/" GPU "/information", "Device Minor: \t 1\n");
	box_process(b, 812, "x", "/");
	box_fd(b, 812, 9, "/dev/nvidia0");
	box_fd(b, 812, 10, "/dev/nvidiactl");
	box_fd(b, 812, 11, "/dev/nvidia-uvm");
	box_expect(b, GPU, "");
}

static void weighs_what_would_hang(void **state)
{
	static const char *const all[] = { GPU, AUDIO };
	struct box *b = *state;
	char *text;

	make_card(b);
	box_process(b, 20, "Xorg", "/user.slice/user-1000.slice/session-4.scope");
	box_fd(b, 20, 5, "/dev/dri/card0");
	box_process(b, 21, "wireplumber", "/user.slice/user-1000.slice/user@1000.service/session.slice/wireplumber.service");
	box_fd(b, 21, 5, "/dev/snd/controlC1");
	box_process(b, 22, "ddcutil", "/");
	box_fd(b, 22, 3, "/dev/i2c-7");
	box_process(b, 23, "acpid", "/system.slice/acpid.service");
	box_fd(b, 23, 3, "/dev/input/event10");
	text = box_scan(b, all, 2);
	assert_string_equal(text,
		GPU " HANGS held by ddcutil (pid 22) through /dev/i2c-7\n"
		GPU " busy held by Xorg (pid 20) of login session 4 through /dev/dri/card0\n"
		AUDIO " HANGS held by wireplumber.service (pid 21) of user 1000 through /dev/snd/controlC1\n"
		AUDIO " note held by acpid.service (pid 23) through /dev/input/event10\n");
	free(text);
}

static void one_process_is_one_finding_per_function(void **state)
{
	static const char *const all[] = { GPU, AUDIO };
	struct box *b = *state;
	char *text;

	make_card(b);
	box_process(b, 30, "kodi", "/");
	box_fd(b, 30, 3, "/dev/dri/card0");
	box_fd(b, 30, 4, "/dev/dri/card0");
	box_fd(b, 30, 5, "/dev/dri/renderD128 (deleted)");
	box_fd(b, 30, 6, "/dev/i2c-7");
	box_fd(b, 30, 7, "/dev/fb0");
	box_fd(b, 30, 8, "/dev/snd/pcmC1D3p");
	text = box_scan(b, all, 2);
	assert_string_equal(text,
		GPU " HANGS held by kodi (pid 30) through /dev/i2c-7, /dev/fb0, /dev/dri/card0 and 1 more\n"
		AUDIO " HANGS held by kodi (pid 30) through /dev/snd/pcmC1D3p\n");
	free(text);
}

static void a_mapping_without_a_descriptor_counts(void **state)
{
	struct box *b = *state;
	char *maps = malloc(300000);
	size_t n = 0;

	make_card(b);
	box_process(b, 40, "gone", "/");
	/* Larger than any buffer, so that lines are cut at its ends. */
	while (n < 250000)
		n += (size_t)sprintf(maps + n, "7f%010zx-7f%010zx r--p 00000000 08:01 %zu /usr/lib/lib%zu.so\n", n, n, n, n);
	sprintf(maps + n, "7ffff000-80000000 rw-s 100000 00:05 423    /dev/dri/renderD128\n");
	box_put(b, "/proc/40/maps", maps);
	box_process(b, 41, "other", "/");
	box_put(b, "/proc/41/maps", "7f00-7f01 rw-s 0 00:05 1 /dev/dri/card1\n7f00-7f01 rw-s 0 00:05 1 /dev/zero (deleted)");
	box_expect(b, GPU, GPU " busy held by gone (pid 40) through /dev/dri/renderD128\n");
	free(maps);
}

static void kfd_users_are_found_by_their_memory(void **state)
{
	struct box *b = *state;

	make_card(b);
	box_put(b, "/sys/class/kfd/kfd/topology/nodes/0/gpu_id", "0\n");
	box_put(b, "/sys/class/kfd/kfd/topology/nodes/1/gpu_id", "51545\n");
	box_put(b, "/sys/class/kfd/kfd/topology/nodes/1/properties", "cpu_cores_count 0\nlocation_id 256\ndomain 0\n");
	box_put(b, "/sys/class/kfd/kfd/proc/77/vram_51545", "4096\n");
	box_put(b, "/sys/class/kfd/kfd/proc/78/vram_51545", "0\n");
	box_process(b, 77, "python3", "/lxc/110/ns");
	box_process(b, 78, "idle", "/");
	box_expect(b, GPU, GPU " busy held by python3 (pid 77) in container 110 through /dev/kfd\n");
}

static void a_vm_holds_its_group(void **state)
{
	struct box *b = *state;

	box_pci(b, GPU);
	box_link(b, PCI GPU "/iommu_group", "../../../kernel/iommu_groups/14");
	box_dev(b, PCI GPU "/vfio-dev/vfio0", "511:0", "vfio-dev");
	box_process(b, 4242, "kvm", "/qemu.slice/100.scope");
	box_fd(b, 4242, 20, "/dev/vfio/14");
	box_process(b, 4343, "kvm", "/qemu.slice/101.scope");
	box_fd(b, 4343, 20, "/dev/vfio/15");
	box_expect(b, GPU, GPU " HANGS held by kvm (pid 4242) of VM 100 through /dev/vfio/14\n");
}

static void hostile_names_stay_one_line(void **state)
{
	struct box *b = *state;

	make_card(b);
	box_process(b, 66, "a\nb\x1b[31m\"'\xff", "/lxc/1\x07/ns/\x1b]0;x.service");
	box_fd(b, 66, 3, "/dev/dri/card0");
	box_fd(b, 66, 4, "/tmp/\n\x1b[2J");
	box_expect(b, GPU, GPU " busy held by \\x1b]0;x.service (a\\x0ab\\x1b[31m\"'\\xff, pid 66) in container 1\\x07"
		   " through /dev/dri/card0\n");
}

static void usb_devices_are_named_and_hubs_are_not_in_the_way(void **state)
{
	struct box *b = *state;

	make_card(b);
	box_dev(b, PCI XHCI "/usb3/3-1", "189:257", "usb");
	box_put(b, PCI XHCI "/usb3/3-1/bDeviceClass", "09\n");
	box_put(b, PCI XHCI "/usb3/3-1/idVendor", "05e3\n");
	box_put(b, PCI XHCI "/usb3/3-1/idProduct", "0610\n");
	box_dev(b, PCI XHCI "/usb3/3-1/3-1.2", "189:258", "usb");
	box_put(b, PCI XHCI "/usb3/3-1/3-1.2/bDeviceClass", "00\n");
	box_put(b, PCI XHCI "/usb3/3-1/3-1.2/idVendor", "046d\n");
	box_put(b, PCI XHCI "/usb3/3-1/3-1.2/idProduct", "c52b\n");
	box_put(b, PCI XHCI "/usb3/3-1/3-1.2/product", "never read where udev knows\n");
	box_put(b, PCI XHCI "/usb3/3-1/3-1.2/3-1.2:1.0/bInterfaceClass", "03\n");
	box_put(b, PCI XHCI "/usb3/3-1/3-1.2/3-1.2:1.0/bInterfaceSubClass", "01\n");
	box_put(b, PCI XHCI "/usb3/3-1/3-1.2/3-1.2:1.0/bInterfaceProtocol", "01\n");
	box_put(b, "/run/udev/data/c189:258", "I:1\nE:ID_MODEL=USB_\x1bReceiver\n");
	box_dev(b, PCI XHCI "/usb3/3-4", "189:259", "usb");
	box_put(b, PCI XHCI "/usb3/3-4/idVendor", "0463\n");
	box_put(b, PCI XHCI "/usb3/3-4/idProduct", "ffff\n");
	box_put(b, PCI XHCI "/usb3/3-4/product", "Eaton UPS\n");
	box_process(b, 70, "usbhid-ups", "/system.slice/nut-driver.service");
	box_fd(b, 70, 4, "/dev/bus/usb/003/004");
	box_expect(b, XHCI,
		   XHCI " busy held by nut-driver.service (usbhid-ups, pid 70) through /dev/bus/usb/003/004\n"
		   XHCI " busy has a keyboard attached: USB \\x1bReceiver, 046d:c52b at USB 3-1.2\n"
		   XHCI " busy has a USB device attached: Eaton UPS, 0463:ffff at USB 3-4\n"
		   XHCI " note has a hub attached: 05e3:0610 at USB 3-1\n");
}

static void a_usb_sound_card_does_not_hang(void **state)
{
	struct box *b = *state;

	make_card(b);
	box_dev(b, PCI XHCI "/usb3/3-1", "189:257", "usb");
	box_put(b, PCI XHCI "/usb3/3-1/3-1:1.0/bInterfaceClass", "01\n");
	box_dev(b, PCI XHCI "/usb3/3-1/3-1:1.0/sound/card2/controlC2", "116:20", "sound");
	box_process(b, 71, "pw", "/");
	box_fd(b, 71, 4, "/dev/snd/controlC2");
	box_expect(b, XHCI, XHCI " busy held by pw (pid 71) through /dev/snd/controlC2\n"
		   XHCI " busy has a sound device attached: 0000:0000 at USB 3-1\n");
}

static void other_functions_below_are_not_ours(void **state)
{
	struct box *b = *state;

	box_pci(b, "0000:00:01.0");
	box_dev(b, PCI "0000:00:01.0/0000:02:00.0/drm/card5", "226:5", "drm");
	box_process(b, 80, "x", "/");
	box_fd(b, 80, 1, "/dev/dri/card5");
	box_expect(b, "0000:00:01.0", "");
}

static void a_domain_of_ones_own_goes_with_its_controller(void **state)
{
	struct box *b = *state;

	box_pci(b, "0000:00:0e.0");
	box_dev(b, PCI "0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme/nvme0", "240:0", "nvme");
	box_process(b, 80, "smartctl", "/");
	box_fd(b, 80, 3, "/dev/nvme0");
	box_expect(b, "0000:00:0e.0", "0000:00:0e.0 busy held by smartctl (pid 80) through /dev/nvme0\n");
}

/* --- scale --- */

static unsigned long opened;

static int counting_open(struct host *h, const char *path, int flags, mode_t mode)
{
	opened++;
	return host_default_ops.open(h, path, flags, mode);
}

static void five_thousand_processes_are_one_pass(void **state)
{
	enum { PROCESSES = 5000, FDS = 40 };
	static const char *const all[] = { GPU, AUDIO, XHCI };
	struct box *b = *state;
	struct host_ops ops = host_default_ops;
	char *text, *line;
	size_t lines = 0;

	make_card(b);
	/* Two tables stand for all: one that has the card open, one that has not. */
	for (int fd = 0; fd < FDS; fd++) {
		box_link(b, host_path("/idle/%d", fd).s, fd % 3 ? "socket:[1]" : "/dev/null");
		box_link(b, host_path("/busy/%d", fd).s, fd % 3 ? "pipe:[2]" : "/dev/dri/renderD128");
	}
	for (int pid = 1; pid <= PROCESSES; pid++) {
		box_link(b, host_path("/proc/%d/fd", pid).s, pid % 100 ? "../../idle" : "../../busy");
		box_put(b, host_path("/proc/%d/maps", pid).s, "7f00-7f01 r--p 0 08:01 1 /usr/lib/x.so\n");
	}
	ops.open = counting_open;
	b->h.ops = &ops;
	opened = 0;
	text = box_scan(b, all, 3);
	b->h.ops = &host_default_ops;
	for (line = text; (line = strchr(line, '\n')); line++)
		lines++;
	assert_int_equal(lines, PROCESSES / 100);
	/* One descriptor table and one memory map each, and the folders of three functions. */
	assert_in_range(opened, 2 * PROCESSES - PROCESSES / 100, 2 * PROCESSES + 100);
	free(text);
}

static void many_nodes_in_one_process_are_handled(void **state)
{
	enum { NODES = 1000 };
	struct box *b = *state;
	char *text;

	box_pci(b, GPU);
	box_process(b, 5, "greedy", "/");
	for (int i = 0; i < NODES; i++) {
		box_put(b, host_path(PCI GPU "/misc/node%d/dev", i).s, host_path("240:%d\n", i).s);
		box_fd(b, 5, i, host_path("/dev/node%d", i).s);
	}
	text = box_scan(b, (const char *[]){ GPU }, 1);
	assert_non_null(strstr(text, " and 997 more\n"));
	free(text);
}

static void without_a_node_proc_is_not_walked(void **state)
{
	struct box *b = *state;

	box_pci(b, GPU);
	assert_int_equal(rmdir(box_path(b, "/proc").s), 0);
	box_expect(b, GPU, "");
}

#define T(name)	cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_card_that_nobody_uses_passes),
		T(a_function_that_does_not_exist_has_no_users),
		T(names_unit_container_and_node),
		T(shared_nvidia_nodes_are_not_this_card),
		T(weighs_what_would_hang),
		T(one_process_is_one_finding_per_function),
		T(a_mapping_without_a_descriptor_counts),
		T(kfd_users_are_found_by_their_memory),
		T(a_vm_holds_its_group),
		T(hostile_names_stay_one_line),
		T(usb_devices_are_named_and_hubs_are_not_in_the_way),
		T(a_usb_sound_card_does_not_hang),
		T(other_functions_below_are_not_ours),
		T(a_domain_of_ones_own_goes_with_its_controller),
		T(five_thousand_processes_are_one_pass),
		T(many_nodes_in_one_process_are_handled),
		T(without_a_node_proc_is_not_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
