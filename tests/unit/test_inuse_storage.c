// SPDX-License-Identifier: GPL-2.0-or-later
/* Which disks the host would miss, and which are spare. */
#include "test_inuse_tree.h"

#include <errno.h>
#include <fcntl.h>

#include "inuse_mounts.h"
#include "inuse_text.h"

#define NVME	"0000:02:00.0"
#define DISK	PCI NVME "/nvme/nvme0/nvme0n1"
#define VIRTUAL	"/sys/devices/virtual/block/"

/* A disk nvme0n1 (259:0) with partitions 1 to 3 (259:1 to 259:3). */
static void make_nvme(const struct box *b)
{
	box_pci(b, NVME);
	box_dev(b, PCI NVME "/nvme/nvme0", "240:0", "nvme");
	box_dev(b, DISK, "259:0", "block");
	for (int i = 1; i <= 3; i++) {
		box_dev(b, host_path(DISK "/nvme0n1p%d", i).s, host_path("259:%d", i).s, "block");
		box_put(b, host_path(DISK "/nvme0n1p%d/partition", i).s, "1\n");
		box_dirs(b, host_path(DISK "/nvme0n1p%d/holders/", i).s);
	}
	box_dirs(b, DISK "/holders/");
}

static void make_volume(const struct box *b, const char *kernel, const char *number, const char *name, const char *uuid)
{
	box_dev(b, host_path(VIRTUAL "%s", kernel).s, number, "block");
	box_put(b, host_path(VIRTUAL "%s/dm/name", kernel).s, host_path("%s\n", name).s);
	box_put(b, host_path(VIRTUAL "%s/dm/uuid", kernel).s, host_path("%s\n", uuid).s);
}

static void hold(const struct box *b, const char *lower, const char *holder)
{
	box_link(b, host_path("/sys/class/block/%s/holders/%s", lower, holder).s, host_path("/sys/class/block/%s", holder).s);
}

static void mounts(const struct box *b, const char *lines)
{
	box_put(b, "/proc/self/mountinfo", lines);
}

static void label(const struct box *b, const char *number, const char *type, const char *name)
{
	box_put(b, host_path("/run/udev/data/b%s", number).s,
		host_path("S:disk/by-id/x\nE:ID_FS_LABEL=%s\nE:ID_FS_TYPE=%s\nG:systemd\n", name, type).s);
}

static void expect(struct box *b, const char *line)
{
	box_expect(b, NVME, *line ? host_path(NVME " %s\n", line).s : "");
}

static void a_spare_disk_passes(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	label(b, "259:1", "ext4", "backup");
	mounts(b, "22 1 259:9 / / rw,relatime shared:1 - ext4 /dev/nvme1n1p2 rw\n");
	box_put(b, "/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/nvme1n1p3 partition 1 0 -2\n");
	expect(b, "");
}

static void root_is_critical(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	mounts(b, "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=remount-ro\n"
	       "30 22 259:1 / /boot/efi rw - vfat /dev/nvme0n1p1 rw\n"
	       "31 22 259:2 /snap /mnt/a\\040b rw master:2 propagate_from:1 - ext4 /dev/root rw\n");
	box_expect(b, NVME, NVME " CRITICAL carries the mounted file system / (/dev/nvme0n1p2), also mounted at 1 other place\n"
		   NVME " CRITICAL carries the mounted file system /boot/efi (/dev/nvme0n1p1)\n");
}

static void swap_is_critical(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	box_put(b, "/proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/nvme0n1p3                          partition\t8388604\t\t0\t\t-2\n");
	expect(b, "CRITICAL carries swap /dev/nvme0n1p3");
}

static void lvm_is_climbed_and_named_once(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	make_volume(b, "dm-0", "253:0", "pve-swap", "LVM-aaaa");
	make_volume(b, "dm-1", "253:1", "pve-root", "LVM-bbbb");
	make_volume(b, "dm-2", "253:2", "pve-data_tdata", "LVM-cccc-tdata");
	make_volume(b, "dm-3", "253:3", "pve-data-tpool", "LVM-dddd-tpool");
	make_volume(b, "dm-4", "253:4", "pve-vm--101--disk--0", "LVM-eeee");
	hold(b, "nvme0n1p3", "dm-0");
	hold(b, "nvme0n1p3", "dm-1");
	hold(b, "nvme0n1p3", "dm-2");
	hold(b, "dm-2", "dm-3");
	hold(b, "dm-3", "dm-4");
	label(b, "259:3", "LVM2_member", "");
	label(b, "253:4", "LVM2_member", "a guest's own");
	mounts(b, "22 1 253:1 / / rw - ext4 /dev/mapper/pve-root rw\n");
	box_put(b, "/proc/swaps", "Filename Type\n/dev/dm-0 partition 1 0 -2\n");
	box_expect(b, NVME, NVME " CRITICAL carries the mounted file system / (/dev/mapper/pve-root)\n"
		   NVME " CRITICAL carries swap /dev/mapper/pve-swap\n"
		   NVME " CRITICAL carries the active LVM volume group pve (on /dev/nvme0n1p3)\n");
}

static void inactive_members_are_notes(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	label(b, "259:1", "LVM2_member", "");
	label(b, "259:2", "linux_raid_member", "nas:0");
	label(b, "259:3", "ceph_bluestore", "");
	box_expect(b, NVME, NVME " note carries an LVM physical volume that is not active (/dev/nvme0n1p1)\n"
		   NVME " note carries a RAID member that is not assembled (/dev/nvme0n1p2)\n"
		   NVME " note carries a Ceph OSD that is not running (/dev/nvme0n1p3)\n");
}

static void ceph_is_critical_as_volume_and_as_raw_disk(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	make_volume(b, "dm-0", "253:0", "ceph--1234--5678-osd--block--9abc", "LVM-aaaa");
	hold(b, "nvme0n1p1", "dm-0");
	label(b, "259:2", "ceph_bluestore", "");
	box_process(b, 900, "ceph-osd", "/system.slice/system-ceph\\x2dosd.slice/ceph-osd@3.service");
	box_fd(b, 900, 20, "/dev/nvme0n1p2");
	box_expect(b, NVME, NVME " CRITICAL carries a Ceph OSD in the LVM volume group ceph-1234-5678 (on /dev/nvme0n1p1)\n"
		   NVME " CRITICAL carries a running Ceph OSD (/dev/nvme0n1p2)\n"
		   NVME " busy held by ceph-osd@3.service (pid 900) through /dev/nvme0n1p2\n");
}

static void md_on_crypt_on_lvm(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	box_dev(b, VIRTUAL "md0", "9:0", "block");
	box_put(b, VIRTUAL "md0/md/array_state", "clean\n");
	make_volume(b, "dm-0", "253:0", "cryptdata", "CRYPT-LUKS2-1234-cryptdata");
	box_dev(b, VIRTUAL "md0/md0p1", "259:50", "block");
	hold(b, "nvme0n1p2", "md0");
	box_link(b, VIRTUAL "md0/md0p1/holders/dm-0", "/sys/class/block/dm-0");
	mounts(b, "22 1 253:0 / /data rw - xfs /dev/mapper/cryptdata rw\n");
	box_expect(b, NVME, NVME " CRITICAL carries the mounted file system /data (/dev/mapper/cryptdata)\n"
		   NVME " CRITICAL carries the opened encrypted volume cryptdata (on /dev/md0p1)\n"
		   NVME " CRITICAL carries a member of the RAID array md0 (on /dev/nvme0n1p2)\n");
}

static void a_stopped_array_is_busy_only(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	box_dev(b, VIRTUAL "md127", "9:127", "block");
	box_put(b, VIRTUAL "md127/md/array_state", "inactive\n");
	hold(b, "nvme0n1", "md127");
	expect(b, "busy carries a member of the stopped RAID array md127 (on /dev/nvme0n1)");
}

static void a_multipath_map_is_judged_by_what_is_on_it(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	make_volume(b, "dm-0", "253:0", "mpatha", "mpath-36001");
	hold(b, "nvme0n1", "dm-0");
	expect(b, "busy carries a path of the multipath map mpatha (on /dev/nvme0n1)");
	mounts(b, "22 1 253:0 / /san rw - ext4 /dev/mapper/mpatha rw\n");
	expect(b, "CRITICAL carries the mounted file system /san (/dev/mapper/mpatha)");
}

static void nvme_multipath_hides_the_disk_elsewhere(void **state)
{
	struct box *b = *state;

	box_pci(b, NVME);
	box_dev(b, PCI NVME "/nvme/nvme0", "240:0", "nvme");
	box_dev(b, "/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1", "259:0", "block");
	box_link(b, "/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0", "../../../pci0000:00/" NVME "/nvme/nvme0");
	box_link(b, "/sys/class/nvme-subsystem/nvme-subsys0", "../../devices/virtual/nvme-subsystem/nvme-subsys0");
	box_dirs(b, "/sys/class/nvme-subsystem/nvme-subsys1/");
	mounts(b, "22 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
	expect(b, "CRITICAL carries the mounted file system / (/dev/nvme0n1)");
}

/* Its VMs are off, so nothing of it is active; the next start of one would miss it. */
static void a_storage_at_rest_is_critical(void **state)
{
	static const struct inuse_need needs[] = {
		{ INUSE_NEED_GROUP, "vmdata", "the Proxmox storage vms" },
		{ INUSE_NEED_POOL, "cold", "the Proxmox storage cold" },
	};
	struct box *b = *state;

	make_nvme(b);
	label(b, "259:1", "LVM2_member", "");
	label(b, "259:3", "zfs_member", "cold");
	b->needs = (struct inuse_needs){ needs, 2, false };
	box_put(b, "/run/lvm/pvs_online/aaaa", "259:11\nvg:vmdata\ndev:/dev/nvme9n9p9\n");
	box_expect(b, NVME, NVME " CRITICAL carries a member of the ZFS pool cold (/dev/nvme0n1p3), which is the Proxmox storage cold\n"
		   NVME " note carries an LVM physical volume that is not active (/dev/nvme0n1p1)\n");
	box_put(b, "/run/lvm/pvs_online/bbbb", "259:1\nvg:vmdata\ndev:/dev/nvme0n1p1\n");
	box_expect(b, NVME, NVME " CRITICAL carries a member of the ZFS pool cold (/dev/nvme0n1p3), which is the Proxmox storage cold\n"
		   NVME " CRITICAL carries the inactive LVM volume group vmdata (/dev/nvme0n1p1), which is the Proxmox storage vms\n");
}

#define HOSTS_GROUP	"aaaaaabbbbccccddddeeeeffffgggggg"
#define HOSTS_GROUP_ID	"aaaaaa-bbbb-cccc-dddd-eeee-ffff-gggggg"
#define HOSTS_VOLUME	"111111-2222-3333-4444-5555-6666-777777"
#define SPARE_VOLUME	"AAAAAA-2222-3333-4444-5555-6666-777777"

static void backup(const struct box *b, const char *group, const char *volume)
{
	box_put(b, "/etc/lvm/backup/pve", host_path("contents = \"Text Format Volume Group\"\npve {\n\tid = \"%s\"\n\tphysical_volumes {\n"
		"\t\tpv0 {\n\t\t\tid = \"%s\"\n", group, volume).s);
}

/* "pve" is what every installation calls its group. */
static void a_disk_with_the_name_of_the_hosts_group(void **state)
{
	static const struct inuse_need need = { INUSE_NEED_GROUP, "pve", "the Proxmox storage local-lvm" };
	const char *other = "note carries an LVM physical volume of another group than the active one of that name (/dev/nvme0n1p3)";
	const char *same = "CRITICAL carries the inactive LVM volume group pve (/dev/nvme0n1p3), which is the Proxmox storage local-lvm";
	struct box *b = *state;

	make_nvme(b);
	box_put(b, "/run/udev/data/b259:3", "E:ID_FS_TYPE=LVM2_member\nE:ID_FS_UUID=" SPARE_VOLUME "\n");
	box_put(b, "/run/lvm/pvs_online/aaaa", "259:3\nvg:pve\ndev:/dev/nvme0n1p3\n");
	box_put(b, "/dev/nvme0n1p3", "");
	mounts(b, "22 1 253:1 / / rw - ext4 /dev/mapper/pve-root rw\n");
	b->needs = (struct inuse_needs){ &need, 1, false };
	b->h.real = true;
	backup(b, HOSTS_GROUP_ID, HOSTS_VOLUME);
	expect(b, same);		/* nothing of it is active */
	make_volume(b, "dm-1", "253:1", "pve-root", "LVM-" HOSTS_GROUP "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh");
	expect(b, other);
	b->h.real = false;
	expect(b, same);		/* one cannot ask who has it */
	b->h.real = true;
	backup(b, HOSTS_GROUP_ID, SPARE_VOLUME);
	expect(b, same);		/* a part of it on which nothing is active */
	backup(b, SPARE_VOLUME, HOSTS_VOLUME);
	expect(b, same);		/* the backup of another group */
	backup(b, HOSTS_GROUP_ID, HOSTS_VOLUME);
	box_put(b, "/run/udev/data/b259:3", "E:ID_FS_TYPE=LVM2_member\n");
	expect(b, same);
}

static void an_imported_pool_is_critical_and_says_what_it_carries(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	label(b, "259:3", "zfs_member", "rpool");
	box_put(b, "/sys/module/zfs/version", "2.3\n");
	box_put(b, "/proc/spl/kstat/zfs/rpool/state", "ONLINE\n");
	mounts(b, "22 1 0:30 / / rw - zfs rpool/ROOT/pve-1 rw\n23 1 0:31 / /rpool rw - zfs rpool rw\n"
	       "24 1 0:32 / /x rw - zfs rpool2 rw\n");
	expect(b, "CRITICAL carries a member of the ZFS pool rpool (/dev/nvme0n1p3), which is mounted at /");
}

static void an_exported_pool_is_a_note(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	label(b, "259:1", "zfs_member", "old");
	box_put(b, "/sys/module/zfs/version", "2.3\n");
	box_put(b, "/proc/spl/kstat/zfs/rpool/state", "ONLINE\n");
	expect(b, "note carries the label of a ZFS pool that is not imported (/dev/nvme0n1p1)");
}

static int claimed_open(struct host *h, const char *path, int flags, mode_t mode)
{
	return (flags & O_EXCL) && strcmp(path, "/dev/nvme0n1p3") == 0 ? -EBUSY : host_default_ops.open(h, path, flags, mode);
}

/* "rpool" is what every installation calls it, a guest's too. */
static void a_disk_with_the_name_of_the_hosts_pool(void **state)
{
	static const struct inuse_need need = { INUSE_NEED_POOL, "rpool", "the Proxmox storage local-zfs" };
	struct host_ops ops = host_default_ops;
	struct box *b = *state;

	make_nvme(b);
	label(b, "259:3", "zfs_member", "rpool");
	box_put(b, "/sys/module/zfs/version", "2.3\n");
	box_put(b, "/proc/spl/kstat/zfs/rpool/state", "ONLINE\n");
	box_put(b, "/dev/nvme0n1p3", "");
	mounts(b, "22 1 0:30 / / rw - zfs rpool/ROOT/pve-1 rw\n");
	b->needs = (struct inuse_needs){ &need, 1, false };
	b->h.real = true;		/* one may ask who has the disk */
	expect(b, "note carries the label of a ZFS pool with the name of an imported one, which does not use it (/dev/nvme0n1p3)");
	ops.open = claimed_open;
	b->h.ops = &ops;
	expect(b, "CRITICAL carries a member of the ZFS pool rpool (/dev/nvme0n1p3), which is mounted at /, and is the Proxmox "
	       "storage local-zfs");
	b->h.ops = &host_default_ops;
	/* Not imported, it may be the one that Proxmox will look for. */
	label(b, "259:3", "zfs_member", "tank");
	b->needs.v = &(const struct inuse_need){ INUSE_NEED_POOL, "tank", "the Proxmox storage tank" };
	expect(b, "CRITICAL carries a member of the ZFS pool tank (/dev/nvme0n1p3), which is the Proxmox storage tank");
}

static void a_pool_that_may_be_imported_is_critical(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	label(b, "259:1", "zfs_member", "old");
	box_put(b, "/sys/module/zfs/version", "2.3\n");	/* loaded, and its statistics were not captured */
	expect(b, "CRITICAL carries a member of the ZFS pool old (/dev/nvme0n1p1), which may be imported");
}

static void a_pool_without_zfs_is_a_note(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	label(b, "259:1", "zfs_member", "../../../x");
	expect(b, "note carries the label of a ZFS pool that is not imported (/dev/nvme0n1p1)");
}

static void all_disks_of_a_btrfs_count(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	box_put(b, "/sys/fs/btrfs/uuid-1/devices/nvme0n1p2/x", "");
	box_put(b, "/sys/fs/btrfs/uuid-1/devices/sdb1/x", "");
	box_dirs(b, "/sys/fs/btrfs/features/");
	mounts(b, "40 1 0:44 /@ /tank rw - btrfs /dev/sdb1 rw\n");
	expect(b, "CRITICAL carries a part of the mounted btrfs file system /tank (/dev/nvme0n1p2)");
}

static void the_disk_that_btrfs_names_counts_once(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	box_put(b, "/sys/fs/btrfs/uuid-1/devices/nvme0n1p2/x", "");
	mounts(b, "40 1 0:44 /@ /tank rw - btrfs /dev/nvme0n1p2 rw\n");
	expect(b, "CRITICAL carries the mounted file system /tank (/dev/nvme0n1p2)");
}

static void bcachefs_joins_its_disks(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	mounts(b, "40 1 0:44 / /bc rw - bcachefs /dev/sda:/dev/nvme0n1p1 rw\n"
	       "41 1 0:45 / /home/u/m rw - fuse.x /dev/nvme0n1p2 rw,user_id=1000,x=/dev/nvme0n1p3\n");
	expect(b, "CRITICAL carries the mounted file system /bc (/dev/nvme0n1p1)");
}

static void an_external_journal_counts(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	mounts(b, "40 1 8:1 / /big rw - xfs /dev/sda1 rw,logdev=/dev/nvme0n1p1,noquota\n");
	expect(b, "CRITICAL carries the journal of the mounted file system /big (/dev/nvme0n1p1)");
}

static void a_cache_device_of_bcache_counts(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	box_dirs(b, DISK "/nvme0n1p1/bcache/");
	expect(b, "CRITICAL carries the bcache member nvme0n1p1 (on /dev/nvme0n1p1)");
}

static void a_mounted_usb_disk_makes_its_controller_critical(void **state)
{
	struct box *b = *state;

	box_pci(b, NVME);
	box_dev(b, PCI NVME "/usb3", "189:256", "usb");
	box_dev(b, PCI NVME "/usb3/3-1", "189:257", "usb");
	box_put(b, PCI NVME "/usb3/3-1/3-1:1.0/bInterfaceClass", "08\n");
	box_dev(b, PCI NVME "/usb3/3-1/3-1:1.0/host8/target8:0:0/8:0:0:0/block/sdc", "8:32", "block");
	mounts(b, "40 1 8:32 / /mnt/backup rw - ext4 /dev/sdc rw\n");
	box_expect(b, NVME, NVME " CRITICAL carries the mounted file system /mnt/backup (/dev/sdc)\n"
		   NVME " busy has a disk attached: 0000:0000 at USB 3-1\n");
}

static void a_holder_that_cannot_be_read_still_counts(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	box_link(b, DISK "/holders/dm-7", "../../../nowhere/dm-7");
	expect(b, "CRITICAL carries the disk dm-7 (on /dev/nvme0n1)");
}

static void holders_in_a_circle_end(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	make_volume(b, "dm-0", "253:0", "a", "");
	make_volume(b, "dm-1", "253:1", "b", "");
	hold(b, "nvme0n1", "dm-0");
	hold(b, "dm-0", "dm-1");
	hold(b, "dm-1", "dm-0");
	box_expect(b, NVME, NVME " CRITICAL carries the device-mapper volume a (on /dev/nvme0n1)\n"
		   NVME " CRITICAL carries the device-mapper volume b (on /dev/mapper/a)\n");
}

static void hostile_names_stay_one_line(void **state)
{
	struct box *b = *state;

	make_nvme(b);
	label(b, "259:1", "zfs_member", "x\x1b[31m");
	box_put(b, "/proc/spl/kstat/zfs/x\x1b[31m/state", "ONLINE\n");
	mounts(b, "40 1 259:2 / /mnt/\\012\x1b]0;\"'\\134x rw - ext4 /dev/nvme0n1p2 rw\n");
	box_expect(b, NVME, NVME " CRITICAL carries the mounted file system /mnt/\\x0a\\x1b]0;\"'\\\\x (/dev/nvme0n1p2)\n"
		   NVME " CRITICAL carries a member of the ZFS pool x\\x1b[31m (/dev/nvme0n1p1), which is imported\n");
}

static void long_text_is_cut_with_a_mark(void **state)
{
	struct box *b = *state;
	char *line = test_malloc(3000), *text;
	size_t n;

	make_nvme(b);
	n = (size_t)sprintf(line, "40 1 259:2 / /");
	memset(line + n, '\x01', 2000);
	sprintf(line + n + 2000, " rw - ext4 /dev/nvme0n1p2 rw\n");
	mounts(b, line);
	test_free(line);
	text = box_scan(b, (const char *[]){ NVME }, 1);
	assert_int_equal(strcspn(text, "\n") + 1, strlen(text));
	assert_non_null(strstr(text, "..."));
	free(text);
}

static void broken_tables_are_survived(void **state)
{
	struct box *b = *state;
	struct inuse_mounts m;
	struct err e = ERR_INIT;

	mounts(b, "\n1\n1 2\n1 2 3:4\n - \n1 2 x:4 / /p o - t s o\n1 2 3:4 / /ok o - t s \n1 2 3:5 / /ok2 o - t");
	box_put(b, "/proc/swaps", "Filename\n\n/a\\040b file\nrubbish\n");
	assert_int_equal(inuse_mounts_load(&m, &b->h, &e), 0);
	assert_int_equal(m.n_mounts, 2);
	assert_string_equal(m.mounts[0].point, "/ok");
	assert_string_equal(m.mounts[1].source, "");
	assert_int_equal(m.n_swaps, 1);
	assert_string_equal(m.swaps[0].path, "/a b");
	inuse_mounts_release(&m);
}

static void escapes(void **state)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "", "" }, { "a\\040b", "a b" }, { "\\", "\\" }, { "\\04", "\\04" }, { "\\400", "\\400" },
		{ "\\134134", "\\134" }, { "\\000x", "\\000x" }, { "\\377", "\xff" },
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(buf, sizeof(buf), "%s", cases[i].in);
		inuse_text_unescape(buf);
		assert_string_equal(buf, cases[i].out);
	}
}

#define T(name)	cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_spare_disk_passes),
		T(root_is_critical),
		T(swap_is_critical),
		T(lvm_is_climbed_and_named_once),
		T(inactive_members_are_notes),
		T(ceph_is_critical_as_volume_and_as_raw_disk),
		T(md_on_crypt_on_lvm),
		T(a_stopped_array_is_busy_only),
		T(a_multipath_map_is_judged_by_what_is_on_it),
		T(nvme_multipath_hides_the_disk_elsewhere),
		T(a_storage_at_rest_is_critical),
		T(a_disk_with_the_name_of_the_hosts_group),
		T(an_imported_pool_is_critical_and_says_what_it_carries),
		T(an_exported_pool_is_a_note),
		T(a_disk_with_the_name_of_the_hosts_pool),
		T(a_pool_that_may_be_imported_is_critical),
		T(a_pool_without_zfs_is_a_note),
		T(all_disks_of_a_btrfs_count),
		T(the_disk_that_btrfs_names_counts_once),
		T(bcachefs_joins_its_disks),
		T(an_external_journal_counts),
		T(a_cache_device_of_bcache_counts),
		T(a_mounted_usb_disk_makes_its_controller_critical),
		T(a_holder_that_cannot_be_read_still_counts),
		T(holders_in_a_circle_end),
		T(hostile_names_stay_one_line),
		T(long_text_is_cut_with_a_mark),
		T(broken_tables_are_survived),
		cmocka_unit_test(escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
