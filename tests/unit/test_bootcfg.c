// SPDX-License-Identifier: GPL-2.0-or-later
/* How a host boots, what its files say about modules, and that both are read as their owners read them. */
#include "test_pve_box.h"

#include <fcntl.h>

#include "bootcfg.h"
#include "conffile.h"
#include "facts.h"
#include "modconf.h"
#include "resettable.h"

#define GRUB "GRUB_CMDLINE_LINUX_DEFAULT"

static void join(const struct boot_words *l, struct str *s)
{
	str_clear(s);
	for (size_t i = 0; i < l->n; i++)
		str_addf(s, "%s%s@%u", i ? " " : "", l->v[i].text, l->v[i].at.line);
}

/* What a shell would make of the file. */
static const struct {
	const char *file, *folder, *want;
} grub[] = {
	{ GRUB "=\"quiet\"\nGRUB_CMDLINE_LINUX=\"\"\n", NULL, "quiet@1" },
	{ GRUB "=\"quiet splash\"\nGRUB_CMDLINE_LINUX=\"console=tty0\"\n", NULL, "console=tty0@2 quiet@1 splash@1" },
	{ GRUB "=quiet\n", NULL, "quiet@1" },
	{ GRUB "=quiet splash\n", NULL, "quiet@1" },
	{ GRUB "='a b' # c\n", NULL, "a@1 b@1" },
	{ "# " GRUB "=\"a\"\n#" GRUB "=\"b\"\n\n", NULL, "" },
	{ "  export " GRUB "=\"a\"\n", NULL, "a@1" },
	{ GRUB "=\"a\"\n" GRUB "=\"b\"\n", NULL, "b@2" },
	{ GRUB "=\"a\"\n" GRUB "+=\" b\"\n", NULL, "a@1 b@2" },
	{ GRUB "=\"a\"\n" GRUB "=\"$" GRUB " b\"\n", NULL, "a@1 b@2" },
	{ GRUB "=\"a\"\n" GRUB "=\"b ${" GRUB "} c\"\n", NULL, "b@2 a@1 c@2" },
	{ GRUB "=\"a\"\n", GRUB "=\"$" GRUB " b\"\n", "a@1 b@1" },
	{ GRUB "=\"a\"\n", GRUB "=\"b\"\n", "b@1" },
	{ GRUB "=\"a \\\nb\"\n" GRUB "_X=\"c\"\n", NULL, "a@1 b@1" },
	{ GRUB "=\"x=\\\"y\\\"\"\n", NULL, "x=\"y\"@1" },
	{ GRUB "=\"$OTHER b\"\n", NULL, "$OTHER@1 b@1" },
	{ GRUB "=\"\"\n", NULL, "" },
	{ GRUB "\n=\n+=\n" GRUB "+\n" GRUB " = a\n", NULL, "" },
	{ "", NULL, "" },
};

static void grub_is_read_as_a_shell_does(void **state)
{
	struct box *b = *state;
	struct str s = STR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(grub); i++) {
		struct bootcfg c;

		box_text(b, "/proc/cmdline", "BOOT_IMAGE=/vmlinuz\n");
		box_text(b, BOOT_GRUB_FILE, grub[i].file);
		box_text(b, BOOT_GRUB_FILE ".d/50-x.cfg", grub[i].folder ? grub[i].folder : "# nothing\n");
		box_worked(b, bootcfg_load(&b->h, &c, &b->e), 0);
		join(&c.next, &s);
		if (strcmp(s.s, grub[i].want) != 0)
			fail_msg("case %zu: '%s', wanted '%s'", i, s.s, grub[i].want);
		bootcfg_release(&c);
	}
	str_release(&s);
}

enum { HAS_GRUB = 1, HAS_SYSTEMD = 2, HAS_TOOL = 4 };

static const struct {
	const char *cmdline;
	unsigned files;
	enum boot_chain want;
} chains[] = {
	{ "BOOT_IMAGE=/boot/vmlinuz-6.8 root=/dev/sda1 ro", HAS_GRUB, BOOT_GRUB },
	{ "BOOT_IMAGE=/boot/vmlinuz-6.8 root=/dev/sda1 ro", HAS_GRUB | HAS_SYSTEMD, BOOT_GRUB },
	{ "BOOT_IMAGE=/vmlinuz-6.8 root=ZFS=rpool", HAS_GRUB | HAS_TOOL, BOOT_TOOL_GRUB },
	{ "BOOT_IMAGE=/vmlinuz-6.8 root=ZFS=rpool", HAS_GRUB | HAS_SYSTEMD | HAS_TOOL, BOOT_TOOL_GRUB },
	{ "BOOT_IMAGE=/vmlinuz-6.8 root=ZFS=rpool", HAS_SYSTEMD | HAS_TOOL, BOOT_UNKNOWN },
	{ "initrd=\\EFI\\proxmox\\6.8\\initrd.img-6.8 root=ZFS=rpool", HAS_GRUB | HAS_SYSTEMD | HAS_TOOL, BOOT_SYSTEMD },
	{ "initrd=\\EFI\\proxmox\\6.8\\initrd.img-6.8 root=ZFS=rpool", HAS_SYSTEMD | HAS_TOOL, BOOT_SYSTEMD },
	{ "initrd=\\EFI\\proxmox\\6.8\\initrd.img-6.8 root=ZFS=rpool", HAS_SYSTEMD, BOOT_UNKNOWN },
	{ "initrd=\\EFI\\debian\\initrd.img root=/dev/sda1", HAS_GRUB, BOOT_UNKNOWN },
	{ "root=/dev/sda1", HAS_GRUB, BOOT_GRUB },
	{ "root=/dev/sda1", HAS_GRUB | HAS_TOOL, BOOT_TOOL_GRUB },
	{ "root=ZFS=rpool", HAS_SYSTEMD | HAS_TOOL, BOOT_SYSTEMD },
	{ "root=ZFS=rpool", HAS_GRUB | HAS_SYSTEMD | HAS_TOOL, BOOT_UNKNOWN },
	{ "root=ZFS=rpool", HAS_SYSTEMD, BOOT_UNKNOWN },
	{ "root=ZFS=rpool", 0, BOOT_UNKNOWN },
};

static void offer(struct box *b, const char *path, bool there, const char *text)
{
	assert_int_equal(tfs_remove(b->h.rootfd, path), 0);
	if (there)
		box_text(b, path, text);
}

static void the_chain_is_found_or_unknown(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		struct bootcfg c;

		box_text(b, "/proc/cmdline", chains[i].cmdline);
		offer(b, BOOT_GRUB_FILE, chains[i].files & HAS_GRUB, GRUB "=\"grub\"\n");
		offer(b, BOOT_SYSTEMD_FILE, chains[i].files & HAS_SYSTEMD, "systemd\n");
		offer(b, BOOT_TOOL_FILE, chains[i].files & HAS_TOOL, "1234-ABCD\n");
		box_worked(b, bootcfg_load(&b->h, &c, &b->e), 0);
		if (c.chain != chains[i].want)
			fail_msg("case %zu: %s, wanted %s", i, boot_chain_text(c.chain), boot_chain_text(chains[i].want));
		if (c.chain != BOOT_UNKNOWN) {
			assert_null(boot_find(&c.next, c.chain == BOOT_SYSTEMD ? "grub" : "systemd"));
			assert_non_null(boot_find(&c.next, c.chain == BOOT_SYSTEMD ? "systemd" : "grub"));
		}
		bootcfg_release(&c);
	}
}

static void words_are_found(void **state)
{
	struct box *b = *state;
	struct bootcfg c;

	box_text(b, "/proc/cmdline", "quiet iommu=pt intel_iommu=on,igfx_off vfio-pci.ids=1:2 vfio_pci.ids=3:4 "
		 "dyndbg=\"file x +p\" video=efifb:off,vesafb:off\n");
	box_worked(b, bootcfg_load(&b->h, &c, &b->e), 0);
	assert_int_equal(c.now.n, 7);
	assert_string_equal(boot_value(boot_find(&c.now, "iommu")), "pt");
	assert_string_equal(boot_value(boot_find(&c.now, "quiet")), "");
	assert_string_equal(boot_value(boot_find(&c.now, "vfio-pci.ids")), "3:4");
	assert_string_equal(boot_value(boot_find(&c.now, "dyndbg")), "\"file x +p\"");
	assert_null(boot_find(&c.now, "intel"));
	assert_non_null(boot_find_item(&c.now, "intel_iommu", "on"));
	assert_non_null(boot_find_item(&c.now, "intel_iommu", "igfx_off"));
	assert_null(boot_find_item(&c.now, "intel_iommu", "off"));
	assert_null(boot_find_item(&c.now, "intel_iommu", "o"));
	assert_non_null(boot_find_item(&c.now, "video", "vesafb:off"));
	assert_true(boot_matters(boot_find(&c.now, "vfio_pci.ids")));
	assert_false(boot_matters(boot_find(&c.now, "quiet")));
	assert_true(boot_same_word("vfio-pci.ids=1-2", "vfio_pci.ids=1-2"));
	assert_false(boot_same_word("vfio-pci.ids=1-2", "vfio_pci.ids=1_2"));
	bootcfg_release(&c);
}

/* --- modules ----------------------------------------------------------------------------------- */

static void modules_are_read(void **state)
{
	struct box *b = *state;
	struct modconf c;
	char value[32];

	box_text(b, "/etc/modprobe.d/a.conf", "# comment\noptions vfio-pci ids=1:2 \\\n  disable_vga=1\nblacklist  nouveau\n"
		 "install i915 /bin/false\ninstall xe /sbin/modprobe --ignore-install xe\nsoftdep amdgpu pre: vfio-pci\nalias a b\n");
	box_text(b, "/etc/modprobe.d/b.txt", "blacklist never\n");
	box_text(b, "/usr/lib/modprobe.d/a.conf", "blacklist hidden\n");
	box_text(b, "/usr/lib/modprobe.d/z.conf", "blacklist snd-hda-intel\n");
	box_text(b, "/etc/modules", "vfio\n\n#x\nvfio-pci ids=5:6\n");
	box_link(b, "/etc/modules-load.d/modules.conf", "../modules");
	box_text(b, "/etc/initramfs-tools/modules", "vfio_iommu_type1\n");
	box_worked(b, modconf_load(&b->h, &c, &b->e), 0);
	assert_int_equal(c.n, 9);
	assert_string_equal(c.v[0].module, "vfio_pci");
	assert_string_equal(c.v[0].text, "options vfio-pci ids=1:2    disable_vga=1");
	assert_int_equal(c.v[0].at.line, 2);
	assert_true(mod_option(&c.v[0], "disable_vga", value, sizeof(value)));
	assert_string_equal(value, "1");
	assert_false(mod_option(&c.v[0], "id", value, sizeof(value)));
	assert_int_equal(c.v[1].at.line, 4);
	assert_true(mod_forbids(&c.v[1]) && mod_forbids(&c.v[2]));
	assert_false(mod_forbids(&c.v[3]) || mod_forbids(&c.v[4]));
	assert_string_equal(c.v[5].module, "snd_hda_intel");
	assert_string_equal(source_format(&c.v[5].at).s, "/usr/lib/modprobe.d/z.conf:1");
	assert_int_equal(c.v[7].kind, MOD_LOAD);
	assert_string_equal(c.v[7].rest, "ids=5:6");
	assert_int_equal(c.v[8].kind, MOD_INITRAMFS);
	modconf_release(&c);
}

static int stop_at_two(void *arg, const char *path, unsigned line, char *text)
{
	(void)arg;
	(void)path;
	(void)text;
	return line == 2 ? -EINTR : 0;
}

static void what_cannot_be_read_is_said(void **state)
{
	static const char *const folders[] = { "/etc/x.d" };
	struct box *b = *state;
	struct bootcfg boot;
	struct modconf mods;

	box_folder(b, "/etc/modules");
	box_failed(b, modconf_load(&b->h, &mods, &b->e), -EISDIR, "cannot read '/etc/modules'");
	box_folder(b, BOOT_GRUB_FILE);
	box_failed(b, bootcfg_load(&b->h, &boot, &b->e), -EISDIR, "cannot read '" BOOT_GRUB_FILE "'");
	box_fifo(b, "/etc/x.d/a.conf");
	box_failed(b, conffile_folders(&b->h, folders, 1, ".conf", stop_at_two, NULL, &b->e), -EINVAL, "a.conf'");
	box_text(b, "/etc/y", "a\nb\nc\n");
	box_worked(b, conffile_lines(&b->h, "/etc/y", stop_at_two, NULL, &b->e), -EINTR);
	box_noise(b, "/etc/z", CONFFILE_MAX + 1);
	box_failed(b, conffile_lines(&b->h, "/etc/z", stop_at_two, NULL, &b->e), -EFBIG, "cannot read '/etc/z'");
}

/* Rubbish is no reason to fall over; what is meant is for the rules. */
static void noise_is_survived(void **state)
{
	struct box *b = *state;
	struct facts *f = NULL;

	box_folder(b, "/sys/bus/pci/devices");
	box_noise(b, "/proc/cmdline", 4000);
	box_noise(b, BOOT_GRUB_FILE, 9000);
	box_noise(b, BOOT_SYSTEMD_FILE, 9000);
	box_noise(b, "/etc/modprobe.d/x.conf", 9000);
	box_noise(b, "/etc/modules", 9000);
	box_noise(b, "/proc/cpuinfo", 9000);
	box_noise(b, "/proc/interrupts", 9000);
	box_noise(b, "/proc/meminfo", 9000);
	box_noise(b, "/proc/modules", 9000);
	box_noise(b, "/proc/iomem", 9000);
	box_noise(b, "/var/lib/dpkg/status", 9000);
	box_noise(b, "/etc/pve/.members", 9000);
	box_noise(b, "/proc/sys/kernel/osrelease", 60);
	box_noise(b, "/sys/kernel/security/lockdown", 100);
	box_worked(b, facts_load(&b->h, &f, &b->e), 0);
	facts_free(f);
}

static void initramfs_is_compared(void **state)
{
	struct box *b = *state;

	for (int newer = 0; newer < 2; newer++) {
		struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } }, young[2] = { { 2000, 0 }, { 2000, 0 } };
		struct facts *f = NULL;

		box_folder(b, "/sys/bus/pci/devices");
		box_text(b, "/proc/sys/kernel/osrelease", "6.8.1-pve\n");
		box_text(b, "/etc/modprobe.d/x.conf", "options kvm x=1\n");
		box_text(b, "/boot/initrd.img-6.8.1-pve", "");
		assert_int_equal(utimensat(AT_FDCWD, box_path(b, "/etc/modprobe.d/x.conf").s, newer ? young : old, 0), 0);
		assert_int_equal(utimensat(AT_FDCWD, box_path(b, "/boot/initrd.img-6.8.1-pve").s, newer ? old : young, 0), 0);
		box_worked(b, facts_load(&b->h, &f, &b->e), 0);
		assert_int_equal(f->initramfs_stale, newer);
		assert_int_equal(f->kernel_version, 0x060801);
		assert_true(facts_kernel_from(f, 6, 8) && !facts_kernel_from(f, 6, 9) && facts_kernel_from(f, 5, 19));
		facts_free(f);
	}
}

static void vendor_reset_is_for_some(void **state)
{
	static const uint16_t yes[] = { 0x67df, 0x731f, 0x7340, 0x687f, 0x66af, 0x738c, 0x6860, 0x686f };
	static const uint16_t no[] = { 0x73bf, 0x744c, 0x73ff, 0x67c3, 0x731c, 0x6865, 0x1638, 0x15bf, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_true(vendor_reset_knows(yes[i]));
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_false(vendor_reset_knows(no[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(grub_is_read_as_a_shell_does),
		BOX_TEST(the_chain_is_found_or_unknown),
		BOX_TEST(words_are_found),
		BOX_TEST(modules_are_read),
		BOX_TEST(what_cannot_be_read_is_said),
		BOX_TEST(noise_is_survived),
		BOX_TEST(initramfs_is_compared),
		cmocka_unit_test(vendor_reset_is_for_some),
	};

	return cmocka_run_group_tests_name("bootcfg", tests, NULL, NULL);
}
