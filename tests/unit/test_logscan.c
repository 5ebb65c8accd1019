// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of logs: every pattern finds its own sample, and none finds another's. */
#include "test_pve_box.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "logpattern.h"
#include "logread.h"
#include "logscan.h"

static const struct sample {
	const char *id, *line;
} samples[] = {
	{ "log-bar-reserved", "vfio-pci 0000:01:00.0: BAR 1: can't reserve [mem 0x6000000000-0x7fffffffff 64bit pref]" },
	{ "log-rmrr", "vfio-pci 0000:03:00.0: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting "
	  "configuring the device without a 1:1 mapping. Contact your platform vendor." },
	{ "log-rmrr-6.1", "vfio-pci 0000:03:00.0: Device is ineligible for IOMMU domain attach due to platform RMRR requirement. "
	  "Contact your platform vendor." },
	{ "log-no-interrupt-remapping", "vfio_iommu_type1_attach_group: No interrupt remapping support.  Use the module param "
	  "\"allow_unsafe_interrupts\" to enable VFIO IOMMU support on this platform" },
	{ "log-group-not-viable", "kvm: -device vfio-pci,host=0000:01:00.0: vfio 0000:01:00.0: group 1 is not viable" },
	{ "log-group-in-use", "Verify all devices in group 15 are bound to vfio-<bus> or pci-stub and not already in use" },
	{ "log-vfio-node", "kvm: -device vfio-pci,host=0000:01:00.0: vfio 0000:01:00.0: Could not open '/dev/vfio/16': Device or "
	  "resource busy" },
	{ "log-no-iommu-group", "vfio 0000:01:00.0: no iommu_group found: No such file or directory" },
	{ "log-no-such-device", "vfio /sys/bus/pci/devices/0000:05:00.0: no such host device: No such file or directory" },
	{ "log-device-refused", "vfio 0000:01:00.0: error getting device from group 16: Resource temporarily unavailable" },
	{ "log-no-reset", "kvm: vfio: Cannot reset device 0000:01:00.0, no available reset mechanism." },
	{ "log-reset-needs-other", "kvm: vfio: Cannot reset device 0000:01:00.0, depends on group 17 which is not owned." },
	{ "log-stuck-in-sleep", "kvm: vfio: Unable to power on device, stuck in D3" },
	{ "log-config-unreachable", "vfio-pci 0000:03:00.0: Unable to change power state from D3cold to D0, device inaccessible" },
	{ "log-reset-failed", "vfio-pci 0000:01:00.0: not ready 65535ms after FLR; giving up" },
	{ "log-reset-slow", "vfio-pci 0000:01:00.0: not ready 1023ms after bus reset; waiting" },
	{ "log-link-down", "pcieport 0000:00:01.0: Data Link Layer Link Active not set in 100 msec" },
	{ "log-pending-dma", "vfio-pci 0000:01:00.0: timed out waiting for pending transaction; performing function level reset "
	  "anyway" },
	{ "log-dead-header", "Unknown PCI header type '127' for device '0000:0b:00.0'" },
	{ "log-bars-restored", "vfio-pci 0000:0b:00.0: vfio_bar_restore: reset recovery - restoring BARs" },
	{ "log-unbind-blocked", "vfio-pci 0000:01:00.0: No device request channel registered, blocked until released by user" },
	{ "log-unbind-asked", "vfio-pci 0000:01:00.0: Relaying device request to user (#10)" },
	{ "log-unbind-signalled", "vfio-pci 0000:01:00.0: Device is currently in use, task \"bash\" (4711) blocked until device is "
	  "released" },
	{ "log-pf-with-vfs", "vfio-pci 0000:03:00.0: Cannot bind to PF with SR-IOV enabled" },
	{ "log-denylisted", "vfio-pci 0000:6b:00.0: 8086:37c8 exists in vfio-pci device denylist, driver probing disallowed." },
	{ "log-vf-token", "vfio-pci 0000:03:10.0: VF token required to access device" },
	{ "log-nvidia-unbind-hangs", "NVRM: Attempting to remove device 0000:01:00.0 with non-zero usage count!" },
	{ "log-nvidia-lent", "NVRM: GPU 0000:01:00.0 is already bound to vfio-pci." },
	{ "log-nvidia-probe", "NVRM: The NVIDIA probe routine was not called for 1 device(s)." },
	{ "log-nvidia-lost", "NVRM: Xid (PCI:0000:01:00): 79, pid='<unknown>', GPU has fallen off the bus." },
	{ "log-nvidia-gsp", "NVRM: Xid (PCI:0000:01:00): 119, pid=1234, name=nvidia-smi, Timeout waiting for RPC from GSP!" },
	{ "log-nvidia-init", "NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x62:0x65:2000)" },
	{ "log-nvidia-bar", "NVRM: This PCI I/O region assigned to your NVIDIA device is invalid:" },
	{ "log-amdgpu-init", "amdgpu 0000:03:00.0: amdgpu: Fatal error during GPU init" },
	{ "log-amdgpu-rom", "amdgpu 0000:03:00.0: amdgpu: Unable to locate a BIOS ROM" },
	{ "log-amdgpu-psp", "[drm:psp_v13_0_init] *ERROR* PSP load tmr failed!" },
	{ "log-rom-invalid", "vfio-pci 0000:01:00.0: Invalid PCI ROM header signature: expecting 0xaa55, got 0xffff" },
	{ "log-map-slow", "kvm: Failed to mmap 0000:01:00.0 BAR 1. Performance may be slow" },
	{ "log-no-lockable-memory", "kvm: vfio_container_dma_map(0x55d0, 0x0, 0x80000000, 0x7f00) = -12 (Cannot allocate memory)" },
	{ "log-cannot-map", "kvm: vfio_container_dma_map(0x55d0, 0x380000000000, 0x10000000, 0x7f00) = -22 (Invalid argument)" },
	{ "log-memlock", "vfio_pin_pages_remote: RLIMIT_MEMLOCK (8388608) exceeded" },
	{ "log-intel-dma-fault", "DMAR: [DMA Read NO_PASID] Request device [01:00.0] fault addr 0xfffe0000 [fault reason 0x06] PTE Read "
	  "access is not set" },
	{ "log-amd-dma-fault", "vfio-pci 0000:0a:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0010 address=0xfffffff0 "
	  "flags=0x0020]" },
	{ "log-amd-iommu-stuck", "AMD-Vi: Completion-Wait loop timed out" },
	{ "log-amd-unknown-option", "AMD-Vi: Unknown option - 'on'" },
	{ "log-broken-tables", "DMAR: [Firmware Bug]: RMRR entry for device 03:00.0 is broken - applying workaround" },
	{ "log-interrupts-remapped", "DMAR-IR: Enabled IRQ remapping in x2apic mode" },
	{ "log-acs-override", "Warning: PCIe ACS overrides enabled; This may allow non-IOMMU protected peer-to-peer DMA" },
	{ "log-no-iommu-used", "vfio-pci 0000:01:00.0: Adding kernel taint for vfio-noiommu group on device" },
	{ "log-pcie-errors", "pcieport 0000:00:01.0: AER: Uncorrected (Fatal) error received: 0000:00:01.0" },
	{ "log-no-address-space", "pci 0000:01:00.0: BAR 1 [mem size 0x400000000 64bit pref]: can't assign; no space" },
	{ "log-bridge-window", "pci 0000:01:00.0: BAR 0 [mem 0xfd000000-0xfdffffff]: can't claim; no compatible bridge window" },
	{ "log-proxmox-bind", "TASK ERROR: can't unbind/bind PCI group to VFIO '0000:01:00.0'" },
	{ "log-proxmox-no-iommu", "TASK ERROR: cannot prepare PCI pass-through, IOMMU not present" },
	{ "log-proxmox-reset", "failed to reset PCI device '0000:01:00.0', but trying to continue as not all devices need a reset" },
	{ "log-reset-refused", "error writing '1' to '/sys/bus/pci/devices/0000:01:00.0/reset': Inappropriate ioctl for device" },
	{ "log-reserved-by-other", "PCI device '0000:01:00.0' already in use by VMID '101'" },
	{ "log-device-gone", "no pci device info for device '0000:05:00.0'" },
	{ "log-hung-task", "INFO: task gpu-hook:4711 blocked for more than 122 seconds." },
	{ "log-probe-failed", "amdgpu 0000:03:00.0: probe with driver amdgpu failed with error -22" },
	{ "log-shared-interrupt", "genirq: Flags mismatch irq 16. 00000000 (vfio-intx(0000:00:1f.4)) vs. 00000080 (i801_smbus)" },
	{ "log-intx-setup", "kvm: vfio 0000:00:1b.0: VFIO_DEVICE_SET_IRQS failure: Device or resource busy" },
	{ "log-x-vga", "kvm: -device vfio-pci,host=0000:01:00.0,x-vga=on: Unable to enable VGA access" },
	{ "log-option-rom", "Device at 0000:04:00.0 is known to cause system instability issues during option rom execution" },
	{ "log-no-guest-memory", "kvm: cannot set up guest memory 'pc.ram': Cannot allocate memory" },
	{ "log-no-virqfd", "modprobe: FATAL: Module vfio_virqfd not found in directory /lib/modules/6.8.12-4-pve" },
	{ "log-lockdown", "Lockdown: setpci: direct PCI access is restricted; see man kernel_lockdown.7" },
	{ "log-no-sriov", "i915 0000:00:02.0: driver does not support SR-IOV configuration via sysfs" },
	{ "log-vendor-reset", "vendor_reset_hook: install failed" },
	{ "log-vendor-reset-failed", "vfio-pci 0000:28:00.0: AMD_NAVI10: failed to reset device" },
	{ "log-no-codec", "snd_hda_intel 0000:01:00.1: no codecs found!" },
	{ "log-usb-died", "xhci_hcd 0000:01:00.2: HC died; cleaning up" },
	{ "log-sleep-refused", "snd_hda_intel 0000:01:00.1: Refused to change power state from D3hot to D0" },
	{ "log-sriov-oops", "RIP: 0010:vfio_pci_core_sriov_configure+0x33/0x1a0 [vfio_pci_core]" },
	{ "log-reset-methods", "pci 0000:01:00.0: All device reset methods disabled by user" },
	{ "log-link-slow", "pcieport 0000:00:01.0: broken device, retraining non-functional downstream link at 2.5GT/s" },
	{ "log-normal-vfio", "vfio-pci 0000:01:00.0: vfio_ecap_init: hiding ecap 0x19@0x900" },
	{ "log-normal-msr", "kvm [52392]: ignored rdmsr: 0xc0011029 data 0x0" },
	{ "log-gpu-hangs", "amdgpu 0000:03:00.0: [drm:amdgpu_job_timedout] *ERROR* ring gfx_0.0.0 timeout, signaled seq=7, "
	  "emitted seq=9" },
};

static struct logscan *begin(struct box *b)
{
	struct logscan *s = NULL;

	box_worked(b, logscan_new(&s, &b->e), 0);
	return s;
}

static struct findings found(struct logscan *s)
{
	struct findings l = FINDINGS_INIT;

	logscan_findings(s, &l);
	logscan_free(s);
	assert_false(l.failed);
	return l;
}

static void every_pattern_finds_its_sample_alone(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct logscan *s = begin(*state);
		struct findings l;

		logscan_line(s, "kernel log", samples[i].line);
		l = found(s);
		if (l.n != 1 || strcmp(l.v[0].id, samples[i].id) != 0)
			fail_msg("'%s' has %zu findings, the first is %s instead of %s", samples[i].line, l.n,
				 l.n ? l.v[0].id : "none", samples[i].id);
		assert_non_null(strstr(l.v[0].evidence, "kernel log: "));
		findings_release(&l);
	}
}

static void every_pattern_has_a_sample(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t t = 0; log_tables[t]; t++)
		for (const struct log_pattern *p = log_tables[t]; p->id; p++) {
			size_t with = 0;

			n++;
			for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
				with += strcmp(samples[i].id, p->id) == 0;
			if (with != 1)
				fail_msg("'%s' has %zu samples", p->id, with);
			assert_true(p->text[strlen(p->text) - 1] == '.');
			assert_true(p->fix || p->severity == SEVERITY_OK);
		}
	assert_int_equal(n, 79);
}

/* What a kernel says while nothing is wrong. */
static const char *const quiet[] = {
	"Linux version 6.8.12-11-pve (build@proxmox) (gcc (Debian 12.2.0-14) 12.2.0) #1 SMP PREEMPT_DYNAMIC",
	"Command line: BOOT_IMAGE=/boot/vmlinuz-6.8.12-11-pve root=/dev/mapper/pve-root ro quiet",
	"ACPI: DMAR 0x000000003BE9F000 000088 (v02 INTEL  EDK2     00000002      01000013)",
	"DMAR: Host address width 39", "DMAR: IOMMU enabled", "DMAR: RMRR base: 0x0000003e2e0000 end: 0x0000003e529fff",
	"pci 0000:01:00.0: BAR 1 [mem 0x6000000000-0x67ffffffff 64bit pref]", "pci 0000:01:00.0: Adding to iommu group 14",
	"pci 0000:01:00.0: vgaarb: setting as boot VGA device", "pci 0000:00:01.0: PCI bridge to [bus 01]",
	"pcieport 0000:00:01.0: PME: Signaling with IRQ 122", "pcieport 0000:00:01.0: AER: enabled with IRQ 122",
	"AMD-Vi: Extended features (0x58f77ef22294a5a, 0x0): PPR NX GT IA GA PC GA_vAPIC", "AMD-Vi: Virtual APIC enabled",
	"VFIO - User Level meta-driver version: 0.3", "vfio-pci 0000:01:00.0: enabling device (0000 -> 0003)",
	"vfio-pci 0000:01:00.0: resetting", "vfio-pci 0000:01:00.0: reset done",
	"snd_hda_intel 0000:01:00.1: bound 0000:01:00.0 (ops amdgpu_dm_audio_component_bind_ops [amdgpu])",
	"amdgpu 0000:03:00.0: amdgpu: Fetched VBIOS from VFCT", "[drm] Initialized amdgpu 3.57.0 20150101 for 0000:03:00.0 on minor 0",
	"nvidia 0000:01:00.0: vgaarb: deactivate vga console", "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.163.01",
	"xhci_hcd 0000:01:00.2: xHCI Host Controller", "kvm_intel: L1TF CPU bug present", "tap100i0: entered promiscuous mode",
	"vmbr0: port 2(tap100i0) entered forwarding state", "Lockdown: swapper/0: hibernation is restricted; see man kernel_lockdown.7",
	"perf: interrupt took too long (2510 > 2500), lowering kernel.perf_event_max_sample_rate to 79500",
	"01:00.0 NVIDIA Corporation AD102: nvidia -> vfio-pci, reset by hot reset, 84 ms", "TASK OK",
	"generating cloud-init ISO", "swtpm_setup: Not overwriting existing state file.",
};

static void a_healthy_log_has_nothing(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(quiet); i++) {
		struct logscan *s = begin(*state);
		struct findings l;

		logscan_line(s, "kernel log", quiet[i]);
		l = found(s);
		if (l.n)
			fail_msg("'%s' was taken for %s", quiet[i], l.v[0].id);
		findings_release(&l);
	}
}

static void lines_are_counted(void **state)
{
	char text[] = "vfio-pci 0000:01:00.0: not ready 1023ms after FLR; giving up\nsomething else\n\n"
		      "vfio-pci 0000:02:00.0: not ready 1023ms after FLR; giving up";
	struct logscan *s = begin(*state);
	struct findings l;

	logscan_text(s, "/var/log/dmesg", text);
	l = found(s);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].text, "A device did not come back from a reset (2 lines).");
	assert_string_equal(l.v[0].evidence, "/var/log/dmesg: vfio-pci 0000:02:00.0: not ready 1023ms after FLR; giving up");
	findings_release(&l);
}

/* --- reading ----------------------------------------------------------------------------------- */

/* /dev/kmsg gives one record per read, and EAGAIN behind the last: so does a socket of packets. */
static int kmsg_fd;

static int open_kmsg(struct host *h, const char *path, int flags, mode_t mode)
{
	if (strcmp(path, "/dev/kmsg") != 0)
		return host_default_ops.open(h, path, flags, mode);
	assert_true(flags & O_NONBLOCK);
	return kmsg_fd;
}

static void records_are_read(void **state)
{
	static const char *const records[] = {
		"4,120,5140900,-;pci 0000:01:00.0: something\n SUBSYSTEM=pci\n DEVICE=+pci:0000:01:00.0\n",
		"3,121,5140901,-;AMD-Vi: Completion-Wait loop timed out\n", "rubbish", "6,122", ";",
		"3,123,5140902,-;\n AMD-Vi: Completion-Wait loop timed out\n",
	};
	struct box *b = *state;
	struct host_ops ops = host_default_ops;
	struct logscan *s = begin(b);
	struct findings l;
	uint64_t lost;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd), 0);
	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		assert_int_equal(send(fd[1], records[i], strlen(records[i]), 0), strlen(records[i]));
	kmsg_fd = fd[0];
	ops.open = open_kmsg;
	b->h.ops = &ops;
	b->h.real = true;
	assert_int_equal(logread_kernel(&b->h, s, &lost), 0);
	b->h.ops = &host_default_ops;
	b->h.real = false;
	close(fd[1]);
	assert_int_equal(lost, 120);
	l = found(s);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].id, "log-amd-iommu-stuck");
	assert_string_equal(l.v[0].evidence, "kernel log: AMD-Vi: Completion-Wait loop timed out");
	findings_release(&l);
}

#define TASK(started, type, vmid) "UPID:pve1:0000A1B2:00C3D4E5:" started ":" type ":" vmid ":root@pam:"

static void tasks_since_the_boot_are_read(void **state)
{
	struct box *b = *state;
	struct findings l = FINDINGS_INIT;

	box_text(b, "/proc/stat", "cpu  1 2 3\nbtime 1700000000\nprocesses 9\n");
	box_text(b, "/var/log/pve/tasks/1/" TASK("65540001", "qmstart", "100"),
		 "kvm: -device vfio-pci,host=0000:01:00.0: vfio 0000:01:00.0: group 1 is not viable\nTASK ERROR: start failed\n");
	box_text(b, "/var/log/pve/tasks/1/" TASK("65530001", "qmstart", "101"), "no such host device\n");
	box_text(b, "/var/log/pve/tasks/2/" TASK("65540002", "vncproxy", "100"), "no such host device\n");
	box_text(b, "/var/log/pve/tasks/A/UPID:odd", "no such host device\n");
	box_text(b, "/var/log/pve/tasks/index", "no such host device\n");
	box_worked(b, logscan_host(&b->h, &l, &b->e), 0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].id, "log-group-not-viable");
	assert_non_null(strstr(l.v[0].evidence, "task qmstart 100: kvm: -device"));
	findings_release(&l);
}

static void an_unreadable_log_is_told(void **state)
{
	struct box *b = *state;
	struct findings l = FINDINGS_INIT;

	box_folder(b, "/var/log/dmesg");
	box_worked(b, logscan_host(&b->h, &l, &b->e), 0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].id, "log-unreadable");
	findings_release(&l);
}

static void noise_matches_nothing(void **state)
{
	struct box *b = *state;
	struct findings l = FINDINGS_INIT;

	box_noise(b, "/var/log/dmesg", 1 << 20);
	box_worked(b, logscan_host(&b->h, &l, &b->e), 0);
	assert_int_equal(l.n, 0);
	findings_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(every_pattern_finds_its_sample_alone),
		cmocka_unit_test(every_pattern_has_a_sample),
		BOX_TEST(a_healthy_log_has_nothing),
		BOX_TEST(lines_are_counted),
		BOX_TEST(records_are_read),
		BOX_TEST(tasks_since_the_boot_are_read),
		BOX_TEST(an_unreadable_log_is_told),
		BOX_TEST(noise_matches_nothing),
	};

	return cmocka_run_group_tests_name("logscan", tests, NULL, NULL);
}
