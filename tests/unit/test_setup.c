// SPDX-License-Identifier: GPL-2.0-or-later
/* Setting a host up and back: what is written, what is put back when something fails, and that a change by
 * somebody else is never lost. */
#include "test_pve_box.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "facts.h"
#include "file.h"
#include "setup.h"
#include "setup_text.h"

/* --- text -------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	unsigned line;
	const char *word, *want;
} words[] = {
	{ "A=\"quiet nofb x\"\n", 1, "nofb", "A=\"quiet x\"\n" },
	{ "A=\"nofb x\"\n", 1, "nofb", "A=\"x\"\n" },
	{ "A=\"x nofb\"\n", 1, "nofb", "A=\"x\"\n" },
	{ "A=\"nofb\"\n", 1, "nofb", "A=\"\"\n" },
	{ "A=nofb\n", 1, "nofb", "A=\n" },
	{ "A='nofb x'\n", 1, "nofb", "A='x'\n" },
	{ "nofb x\n", 1, "nofb", "x\n" },
	{ "x nofb", 1, "nofb", "x" },
	{ "x\tnofb\ty\n", 1, "nofb", "x\ty\n" },
	{ "nofbx xnofb nofb=1 no\n", 1, "nofb", "nofbx xnofb nofb=1 no\n" },
	{ "nofb\nnofb\n", 2, "nofb", "nofb\n\n" },
	{ "nofb\n", 2, "nofb", "nofb\n" },
	{ "a \\\n nofb b\nnofb\n", 1, "nofb", "a \\\n b\nnofb\n" },
	{ "iommu=pt amd_iommu=on iommu=on\n", 1, "iommu=on", "iommu=pt amd_iommu=on\n" },
	{ "x nofb\r\ny\r\n", 1, "nofb", "x\r\ny\r\n" },
	{ "nofb\r\n", 1, "nofb", "\r\n" },
	{ "nofb x nofb nofb\n", 1, "nofb", "x\n" },
	{ "A=\"nofb nofb\"\nnofb\n", 1, "nofb", "A=\"\"\nnofb\n" },
	{ "", 1, "nofb", "" },
};

static void words_are_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char text[128];
		size_t len;

		snprintf(text, sizeof(text), "%s", words[i].text);
		len = setup_cut_word(text, strlen(text), words[i].line, words[i].word);
		assert_int_equal(len, strlen(words[i].want));
		assert_string_equal(text, words[i].want);
	}
}

static void lines_are_cut(void **state)
{
	char text[] = "one\ntwo \\\n more\nthree";
	size_t len = strlen(text);

	(void)state;
	assert_int_equal(setup_cut_line(text, len, 9), len);
	len = setup_cut_line(text, len, 2);
	assert_string_equal(text, "one\nthree");
	len = setup_cut_line(text, len, 2);
	assert_string_equal(text, "one\n");
	len = setup_cut_line(text, len, 1);
	assert_string_equal(text, "");
	assert_int_equal(setup_cut_line(text, len, 1), 0);
}

/* --- a machine --------------------------------------------------------------------------------- */

struct desk {
	struct tree tree;
	struct host h;
	struct host_ops ops;
	struct err e;
	char *before;
};

/* What the replaced operations do; one test at a time. */
static struct {
	struct str ran;
	const char *fails;	/* a part of the command that fails */
	long room;		/* so many appends succeed, then the disk is full; < 0: there is room */
	long renames;		/* so many renames succeed */
	long dies;		/* at this rename below /etc the process is killed; < 0: it is not */
	bool dies_running;	/* it is killed when the first command runs */
	size_t visible;		/* renames below /etc from a name that a folder of scripts or settings would count */
} world;

static int fake_run(struct host *h, const char *const argv[], uint64_t ms, struct host_run *ret)
{
	(void)h;
	(void)ms;
	if (world.dies_running)
		_exit(0);
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; argv[i]; i++)
		str_addf(&world.ran, "%s%s", i ? " " : "", argv[i]);
	str_add(&world.ran, "\n");
	snprintf(ret->output, sizeof(ret->output), "Generating ...\n");
	ret->status = world.fails && strstr(argv[0], world.fails) ? 1 : 0;
	return 0;
}

static int fake_append(struct host *h, int fd, const void *data, size_t len)
{
	if (world.room == 0)
		return -ENOSPC;
	world.room -= world.room > 0;
	return host_default_ops.append(h, fd, data, len);
}

static int fake_rename(struct host *h, const char *from, const char *to)
{
	if (str_starts(from, "/etc/")) {
		world.visible += strrchr(from, '/')[1] != '.';
		if (world.dies == 0)
			_exit(0);
		world.dies -= world.dies > 0;
	}
	if (world.renames == 0)
		return -EROFS;
	world.renames -= world.renames > 0;
	return host_default_ops.rename(h, from, to);
}

/* Path, mode and content of everything below /etc. */
static struct str dump_text;
static size_t dump_skip;

static int dump_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	char buf[8192];
	size_t n = 0;
	FILE *f;

	(void)ftw;
	if (flag != FTW_F)
		return 0;
	f = fopen(path, "r");
	if (f) {
		n = fread(buf, 1, sizeof(buf), f);
		fclose(f);
	}
	str_addf(&dump_text, "%s %o %.*s\n", path + dump_skip, st->st_mode & 07777, (int)n, buf);
	return 0;
}

/* Sorted by lines of the walk is not needed: the folder is the same one both times. */
static char *dump(struct desk *d, const char *below)
{
	dump_text = (struct str)STR_INIT;
	dump_skip = strlen(d->tree.dir);
	if (host_exists(&d->h, below))
		assert_int_equal(nftw(host_path("%s%s", d->tree.dir, below).s, dump_one, 16, FTW_PHYS), 0);
	return str_steal(&dump_text);
}

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Files that were replaced come in another order of the folder. */
static void assert_same_files(const char *a, const char *b)
{
	char *copy[2] = { strdup(a), strdup(b) }, *lines[2][512];
	size_t n[2] = { 0, 0 };

	for (size_t i = 0; i < 2; i++) {
		char *cursor = copy[i], *line;

		while ((line = str_token(&cursor, "\n")) && n[i] < 512)
			lines[i][n[i]++] = line;
		qsort(lines[i], n[i], sizeof(lines[i][0]), by_line);
	}
	assert_int_equal(n[0], n[1]);
	for (size_t i = 0; i < n[0]; i++)
		assert_string_equal(lines[0][i], lines[1][i]);
	free(copy[0]);
	free(copy[1]);
}

static void open_desk(struct desk *d, const char *tree)
{
	memset(d, 0, sizeof(*d));
	world.ran = (struct str)STR_INIT;
	world.fails = NULL;
	world.room = world.renames = world.dies = -1;
	world.dies_running = false;
	world.visible = 0;
	if (tree_open(&d->tree, tree, &d->e) < 0 || host_open(&d->h, d->tree.dir, &d->e) < 0)
		fail_msg("%s", d->e.msg);
	d->ops = host_default_ops;
	d->ops.run = fake_run;
	d->ops.append = fake_append;
	d->ops.rename = fake_rename;
	d->h.ops = &d->ops;
	d->before = dump(d, "/etc");
}

static void close_desk(struct desk *d)
{
	str_release(&world.ran);
	free(d->before);
	host_close(&d->h);
	tree_close(&d->tree);
}

static void same_as_before(struct desk *d)
{
	char *now = dump(d, "/etc");

	assert_same_files(d->before, now);
	free(now);
}

static int make(struct desk *d, const struct setup_wish *w, struct setup_plan *p)
{
	struct facts *f = NULL;
	int r = facts_load(&d->h, &f, &d->e);

	if (r == 0)
		r = setup_make(&d->h, f, w, p, &d->e);
	facts_free(f);
	return r;
}

static int apply(struct desk *d, const struct setup_wish *w, struct setup_report *report)
{
	struct setup_plan p;
	int r = make(d, w, &p);

	memset(report, 0, sizeof(*report));
	if (r == 0)
		r = setup_apply(&d->h, &p, report, &d->e);
	setup_release(&p);
	return r;
}

static const struct setup_wish dynamic = { .way = SETUP_DYNAMIC };

static void must_apply(struct desk *d, const struct setup_wish *w)
{
	struct setup_report report;

	if (apply(d, w, &report) < 0)
		fail_msg("%s", d->e.msg);
	setup_report_release(&report);
}

static void must_undo(struct desk *d)
{
	struct setup_report report = { .n = 0 };

	if (setup_undo(&d->h, &report, &d->e) < 0)
		fail_msg("%s", d->e.msg);
	setup_report_release(&report);
}

static size_t left_to_do(struct desk *d, const struct setup_wish *w)
{
	struct setup_plan p;
	size_t n;

	assert_int_equal(make(d, w, &p), 0);
	n = p.n;
	setup_release(&p);
	return n;
}

/* Applies in a process of its own, which is killed where `world` says; false: it came to its end. */
static bool apply_and_die(struct desk *d, const struct setup_wish *w)
{
	struct setup_report report;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)!apply(d, w, &report);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	world.dies = -1;
	world.dies_running = false;
	return WEXITSTATUS(status) == 0;
}

static const char *const trees[] = {
	"host-intel-grub", "host-amd-systemd", "host-secure-boot", "host-wrong-loader", "host-intel-off", "host-not-rebooted",
	"host-iommu-forbidden", "host-no-remapping", "host-guide-everything", "host-guide-amd", "host-guide-single", "host-ids-twins",
	"host-ids-late", "host-arm", "host-pve9", "host-module-unused", "host-plain-debian", "host-grub-d", "host-radeon",
};

static void every_host_goes_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		struct desk d;
		char *left;

		open_desk(&d, trees[i]);
		if (left_to_do(&d, &dynamic)) {
			must_apply(&d, &dynamic);
			if (left_to_do(&d, &dynamic))
				fail_msg("%s: a second time there is something to do", trees[i]);
			assert_true(world.ran.len > 0);
			must_undo(&d);
		}
		same_as_before(&d);
		left = dump(&d, SETUP_FOLDER);
		assert_true(!left || !strstr(left, "ours") || !strstr(left, "record"));
		free(left);
		close_desk(&d);
	}
}

static void file_is(struct desk *d, const char *path, const char *want)
{
	char text[4096];
	ssize_t n = host_read(&d->h, path, text, sizeof(text) - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, want);
}

static void the_right_file_is_changed(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "host-wrong-loader");
	must_apply(&d, &dynamic);
	file_is(&d, "/etc/kernel/cmdline", "root=ZFS=rpool/ROOT/pve-1 boot=zfs intel_iommu=on\n");
	assert_string_equal(world.ran.s, "/usr/sbin/proxmox-boot-tool refresh\n");
	close_desk(&d);

	open_desk(&d, "host-intel-off");
	must_apply(&d, &dynamic);
	file_is(&d, "/etc/default/grub.d/pve-gpu.cfg", "# By pve-gpu setup; 'pve-gpu setup --undo' takes it back.\n"
		"GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT intel_iommu=on\"\n");
	assert_string_equal(world.ran.s, "/usr/sbin/update-grub\n");
	close_desk(&d);

	open_desk(&d, "host-guide-amd");
	must_apply(&d, &dynamic);
	file_is(&d, "/etc/kernel/cmdline", "root=ZFS=rpool/ROOT/pve-1 boot=zfs iommu=pt\n");
	file_is(&d, "/etc/modprobe.d/pve-blacklist.conf", "blacklist nvidiafb\n");
	file_is(&d, "/etc/modprobe.d/vfio.conf", "softdep amdgpu pre: vfio-pci\n");
	assert_string_equal(world.ran.s, "/usr/sbin/update-initramfs -u -k all\n/usr/sbin/proxmox-boot-tool refresh\n");
	close_desk(&d);
}

static void an_unknown_boot_chain_is_refused(void **state)
{
	struct setup_report report;
	struct desk d;

	(void)state;
	open_desk(&d, "host-unknown-boot");
	assert_int_equal(apply(&d, &dynamic, &report), -ENOTSUP);
	assert_non_null(strstr(d.e.msg, "how this host boots"));
	assert_int_equal(world.ran.len, 0);
	same_as_before(&d);
	close_desk(&d);
}

static void a_failing_command_takes_all_back(void **state)
{
	static const char *const commands[] = { "update-grub", "update-initramfs" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct setup_report report;
		struct desk d;

		open_desk(&d, "host-guide-everything");
		world.fails = commands[i];
		assert_int_equal(apply(&d, &dynamic, &report), -EIO);
		assert_non_null(strstr(d.e.msg, commands[i]));
		assert_non_null(strstr(d.e.msg, "status 1"));
		assert_true(report.rolled_back);
		same_as_before(&d);
		assert_int_equal(setup_undo(&d.h, &report, &d.e), -ENOENT);
		setup_report_release(&report);
		close_desk(&d);
	}
}

/* The disk fills up at every single write, and stays full. */
static void a_full_disk_changes_nothing(void **state)
{
	bool done = false;

	(void)state;
	for (long n = 0; !done; n++) {
		struct setup_report report;
		struct desk d;

		assert_true(n < 100);
		open_desk(&d, "host-guide-everything");
		world.room = n;
		done = apply(&d, &dynamic, &report) == 0;
		if (!done) {
			assert_int_equal(d.e.code, ENOSPC);
			assert_true(report.rolled_back);
			assert_int_equal(world.ran.len, 0);
			same_as_before(&d);
			world.room = -1;
			assert_int_equal(setup_undo(&d.h, &report, &d.e), -ENOENT);
		}
		setup_report_release(&report);
		close_desk(&d);
	}
}

/* A rename fails in the middle: what was renamed before comes back. */
static void half_of_it_is_taken_back(void **state)
{
	size_t failed = 0;
	bool done = false;

	(void)state;
	for (long n = 0; !done; n++) {
		struct setup_report report;
		struct desk d;
		int r;

		assert_true(n < 100);
		open_desk(&d, "host-guide-everything");
		world.renames = n;
		r = apply(&d, &dynamic, &report);
		done = r == 0;
		world.renames = -1;
		if (!done && !report.rolled_back)	/* putting back fails as well while nothing can be renamed */
			must_undo(&d);
		if (!done) {
			same_as_before(&d);
			failed++;
		}
		setup_report_release(&report);
		close_desk(&d);
	}
	assert_true(failed > 10);
}

static void a_change_by_hand_is_not_lost(void **state)
{
	static const char mine[] = "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet mine nomodeset\"\n";
	struct setup_report report = { .n = 0 };
	struct desk d;

	(void)state;
	open_desk(&d, "host-guide-everything");
	must_apply(&d, &dynamic);
	assert_int_equal(tfs_put(d.h.rootfd, "/etc/default/grub", 0644, mine, strlen(mine)), 0);
	str_clear(&world.ran);
	assert_int_equal(setup_undo(&d.h, &report, &d.e), -EBUSY);
	assert_string_equal(report.conflict, "/etc/default/grub");
	assert_non_null(strstr(report.original, "nofb nomodeset"));
	assert_non_null(strstr(report.ours, "quiet intel_iommu=on iommu=pt\""));
	assert_string_equal(report.now, mine);
	setup_report_release(&report);
	assert_int_equal(apply(&d, &dynamic, &report), -EBUSY);
	setup_report_release(&report);
	file_is(&d, "/etc/default/grub", mine);
	file_is(&d, "/etc/modprobe.d/vfio.conf", "");
	assert_int_equal(world.ran.len, 0);
	close_desk(&d);
}

/* Something new to do later: the first original is what undo brings back, in whatever order it fails. */
static void a_second_setup_keeps_the_first_original(void **state)
{
	static const struct bdf card = { 0, 1, 0, 0 };
	const struct setup_wish by_address = { .way = SETUP_STATIC, .cards = &card, .n = 1 };
	struct setup_report report;
	struct desk d;

	(void)state;
	open_desk(&d, "host-guide-everything");
	must_apply(&d, &dynamic);
	for (long n = 0; n < 3; n++) {
		world.room = n;
		assert_int_equal(apply(&d, &by_address, &report), -ENOSPC);
		setup_report_release(&report);
		world.room = -1;
	}
	world.fails = "update-initramfs";
	assert_int_equal(apply(&d, &by_address, &report), -EIO);
	setup_report_release(&report);
	world.fails = NULL;
	must_apply(&d, &by_address);
	must_undo(&d);
	same_as_before(&d);
	close_desk(&d);
}

static void a_card_by_address(void **state)
{
	static const struct bdf card = { 0, 1, 0, 0 };
	const struct setup_wish w = { .way = SETUP_STATIC, .cards = &card, .n = 1 };
	struct stat st;
	struct desk d;

	(void)state;
	open_desk(&d, "host-intel-grub");
	must_apply(&d, &w);
	file_is(&d, "/etc/initramfs-tools/scripts/init-top/00-pve-gpu", "#!/bin/sh\n"
		"# By pve-gpu setup --static: VFIO's before any driver looks for devices.\n[ \"$1\" = prereqs ] && exit 0\n"
		"for device in 0000:01:00.0 0000:01:00.1; do\n"
		"\techo vfio-pci >\"/sys/bus/pci/devices/$device/driver_override\"\ndone\nmodprobe -q vfio-pci || :\n");
	assert_int_equal(host_stat(&d.h, "/etc/initramfs-tools/hooks/pve-gpu", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_string_equal(world.ran.s, "/usr/sbin/update-initramfs -u -k all\n");
	must_undo(&d);
	same_as_before(&d);
	close_desk(&d);
}

static void ids_warn_of_twins(void **state)
{
	static const struct bdf card = { 0, 0x41, 0, 0 }, nowhere = { 0, 0x77, 0, 0 };
	struct setup_wish w = { .way = SETUP_STATIC_IDS, .cards = &card, .n = 1 };
	struct setup_plan p;
	struct desk d;

	(void)state;
	open_desk(&d, "host-ids-twins");
	assert_int_equal(make(&d, &w, &p), 0);
	assert_non_null(strstr(p.notes.s, "0000:01:00.0 has the same id as 0000:41:00.0 (10de:2204)"));
	setup_release(&p);
	w.cards = &nowhere;
	assert_int_equal(make(&d, &w, &p), -ENODEV);
	setup_release(&p);
	close_desk(&d);
}

static void put(struct desk *d, const char *path, const char *text)
{
	assert_int_equal(tfs_put(d->h.rootfd, path, 0644, text, strlen(text)), 0);
}

/* Without their ids the disks of a storage VM would be the host's at the next boot. */
static void ids_of_other_devices_stay(void **state)
{
	static const char hba[] = "options vfio-pci ids=8086:460d\n", mixed[] = "options vfio-pci ids=10de:2504,1000:0072\n";
	static const char line[] = "root=x vfio-pci.ids=1000:0072,144d:a808\n";
	struct setup_plan p;
	struct desk d;

	(void)state;
	open_desk(&d, "host-guide-everything");
	put(&d, "/etc/modprobe.d/hba.conf", hba);
	put(&d, "/etc/modprobe.d/mixed.conf", mixed);
	put(&d, "/etc/modprobe.d/vga.conf", "options vfio-pci ids=1000:0072 disable_vga=1\n");
	put(&d, "/etc/kernel/cmdline", line);
	assert_int_equal(make(&d, &dynamic, &p), 0);
	assert_non_null(strstr(p.notes.s, "/etc/modprobe.d/hba.conf:1: ids=8086:460d stays"));
	assert_non_null(strstr(p.notes.s, "/etc/modprobe.d/mixed.conf:1: ids=10de:2504,1000:0072 stays, because 1000:0072 is no"));
	assert_non_null(strstr(p.notes.s, "/etc/kernel/cmdline:1: ids=1000:0072,144d:a808 stays"));
	setup_release(&p);
	must_apply(&d, &dynamic);
	file_is(&d, "/etc/modprobe.d/hba.conf", hba);
	file_is(&d, "/etc/modprobe.d/mixed.conf", mixed);
	file_is(&d, "/etc/modprobe.d/vga.conf", "options vfio-pci ids=1000:0072\n");
	file_is(&d, "/etc/kernel/cmdline", line);
	file_is(&d, "/etc/modprobe.d/vfio.conf", "");
	close_desk(&d);
}

static const struct bdf card_of_guide = { 0, 1, 0, 0 };
static const struct setup_wish static_card = { .way = SETUP_STATIC, .cards = &card_of_guide, .n = 1 };

/* Killed at any moment: what lies in the initramfs's folders of scripts is complete or has a name that is not run,
 * and the next run takes it away. */
static void nothing_half_written_is_run(void **state)
{
	size_t times = 0;
	bool killed = true;

	(void)state;
	for (long n = 0; killed; n++) {
		struct setup_report report = { .n = 0 };
		struct desk d;
		char *now;

		assert_true(n < 100);
		open_desk(&d, "host-guide-everything");
		world.dies = n;
		killed = apply_and_die(&d, &static_card);
		times += killed;
		now = dump(&d, "/etc");
		assert_null(strstr(now, "/init-top/00-pve-gpu."));
		assert_null(strstr(now, "/hooks/pve-gpu."));
		free(now);
		if (n % 2)
			must_apply(&d, &static_card);
		if (setup_undo(&d.h, &report, &d.e) < 0)	/* killed before anything was recorded */
			assert_int_equal(d.e.code, ENOENT);
		assert_int_equal(world.visible, 0);
		same_as_before(&d);
		setup_report_release(&report);
		close_desk(&d);
	}
	assert_true(times > 10);
}

static void an_undo_of_nothing_tidies_up(void **state)
{
	struct setup_report report = { .n = 0 };
	struct desk d;

	(void)state;
	open_desk(&d, "host-guide-everything");
	assert_int_equal(file_mkdirs(&d.h, SETUP_FOLDER, 0700), 0);
	put(&d, "/etc/initramfs-tools/scripts/init-top/.00-pve-gpu.pve-gpu-new", "half");
	put(&d, "/etc/initramfs-tools/hooks/pve-gpu.pve-gpu-new", "half");
	put(&d, "/etc/default/..grub.pve-gpu-new.new.77", "half");
	assert_int_equal(setup_undo(&d.h, &report, &d.e), -ENOENT);
	same_as_before(&d);
	close_desk(&d);
}

/* Between the plan and the lock somebody else has written: his words are not lost. */
static void a_change_while_planning_is_not_lost(void **state)
{
	static const char mine[] = "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet mine\"\n";
	static const char *const paths[] = { "/etc/default/grub", "/etc/initramfs-tools/hooks/pve-gpu" };

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(paths); i++) {
		struct setup_report report = { .n = 0 };
		struct setup_plan p;
		struct desk d;

		open_desk(&d, "host-guide-everything");
		if (i % 2)		/* the same after an earlier setup */
			must_apply(&d, &dynamic);
		str_clear(&world.ran);
		free(d.before);
		if (i % 2)
			put(&d, "/etc/default/grub.d/zz.cfg", "GRUB_CMDLINE_LINUX=\"nofb\"\n");
		assert_int_equal(make(&d, &static_card, &p), 0);
		put(&d, i % 2 && i < 2 ? "/etc/default/grub.d/zz.cfg" : paths[i / 2], mine);
		d.before = dump(&d, "/etc");
		assert_int_equal(setup_apply(&d.h, &p, &report, &d.e), -EBUSY);
		assert_non_null(strstr(d.e.msg, "changed while"));
		assert_string_equal(report.conflict, "");
		assert_int_equal(world.ran.len, 0);
		same_as_before(&d);
		setup_report_release(&report);
		setup_release(&p);
		close_desk(&d);
	}
}

/* A blacklist on the command line and in modprobe.d: the same is said of both. */
static void blacklists_are_judged_alike(void **state)
{
	static const struct {
		const char *tree, *path, *text;		/* what shows NVIDIA's own driver */
		const char *module;
		bool stays;
	} cases[] = {
		{ "host-guide-single", NULL, NULL, "nouveau", false },
		{ "host-guide-single", "/proc/modules", "nvidia 65536 0 - Live 0x0000000000000000\n", "nouveau", true },
		{ "host-guide-single", "/lib/modules/6.8.12-11-pve/modules.dep", "updates/dkms/nvidia.ko.zst:\n", "nouveau", true },
		{ "host-guide-single", "/lib/modules/6.8.12-11-pve/modules.dep", "updates/dkms/nvidia-current.ko:\n", "nouveau", true },
		{ "host-guide-single", "/lib/modules/6.8.12-11-pve/modules.dep",
		  "kernel/drivers/video/fbdev/nvidia/nvidiafb.ko:\nkernel/drivers/platform/x86/nvidia-wmi-ec-backlight.ko:\n", "nouveau",
		  false },
		{ "host-guide-single", "/usr/share/nvidia/nvidia-application-profiles-550.163-rc", "{}\n", "nouveau", true },
		{ "host-guide-single", "/proc/modules", "nvidia 65536 0 - Live 0x0000000000000000\n", "nvidia", false },
		{ "host-guide-single", NULL, NULL, "radeon", true },	/* there is no hardware for it */
		{ "host-guide-single", NULL, NULL, "amdgpu", true },
		{ "host-radeon", NULL, NULL, "radeon", true },
		{ "host-radeon", NULL, NULL, "amdgpu", false },
	};
	static const char *const names[] = { "module_blacklist", "modprobe.blacklist" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(names); i++) {
		const char *module = cases[i / 2].module;
		char line[64], word[64], now[256];
		struct desk d;

		open_desk(&d, cases[i / 2].tree);
		snprintf(line, sizeof(line), "blacklist %s\n", module);
		snprintf(word, sizeof(word), "GRUB_CMDLINE_LINUX=\"%s=%s nofb\"\n", names[i % 2], module);
		put(&d, "/etc/modprobe.d/one.conf", line);
		put(&d, "/etc/default/grub", word);
		if (cases[i / 2].path)
			put(&d, cases[i / 2].path, cases[i / 2].text);
		must_apply(&d, &dynamic);
		file_is(&d, "/etc/modprobe.d/one.conf", cases[i / 2].stays ? line : "");
		snprintf(now, sizeof(now), "GRUB_CMDLINE_LINUX=\"%s%s%s\"\n", cases[i / 2].stays ? names[i % 2] : "",
			 cases[i / 2].stays ? "=" : "", cases[i / 2].stays ? module : "");
		file_is(&d, "/etc/default/grub", now);
		close_desk(&d);
	}
}

/* One word for several modules stays as a whole, and that is said. */
static void a_list_of_both_kinds_stays(void **state)
{
	static const char line[] = "GRUB_CMDLINE_LINUX=\"modprobe.blacklist=nouveau,nvidia\"\n";
	struct setup_plan p;
	struct desk d;

	(void)state;
	open_desk(&d, "host-guide-single");
	put(&d, "/etc/default/grub", line);
	put(&d, "/proc/modules", "nvidia 65536 0 - Live 0x0000000000000000\n");
	assert_int_equal(make(&d, &dynamic, &p), 0);
	for (size_t i = 0; i < p.n; i++)
		assert_string_not_equal(p.files[i].path, "/etc/default/grub");
	assert_non_null(strstr(p.notes.s, "/etc/default/grub:1: modprobe.blacklist=nouveau,nvidia stays, because of nouveau"));
	setup_release(&p);
	close_desk(&d);
}

static void words_are_cut_wherever_they_stand(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "host-wrong-loader");
	put(&d, "/etc/kernel/cmdline", "root=x iommu=soft nofb iommu=soft nofb\r\n");
	must_apply(&d, &dynamic);
	file_is(&d, "/etc/kernel/cmdline", "root=x intel_iommu=on\r\n");
	assert_int_equal(left_to_do(&d, &dynamic), 0);
	close_desk(&d);
}

/* What stands behind the part that was kept is not known. */
static void lines_too_long_to_know_stay(void **state)
{
	char text[512];
	struct setup_plan p;
	struct desk d;

	(void)state;
	open_desk(&d, "host-guide-everything");
	for (int width = 200; width < 300; width++) {
		snprintf(text, sizeof(text), "options vfio-pci ids=10de:2504%*s,1000:0072\n", width, "disable_idle_d3=1 ids=10de:2504");
		put(&d, "/etc/modprobe.d/long.conf", text);
		assert_int_equal(make(&d, &dynamic, &p), 0);
		for (size_t i = 0; i < p.n; i++)
			assert_string_not_equal(p.files[i].path, "/etc/modprobe.d/long.conf");
		setup_release(&p);
	}
	close_desk(&d);
}

/* What a link leads to is somebody else's: a leftover there is left and told, and the rest is done. */
static void leftovers_behind_links_are_told(void **state)
{
	static const char text[] = "options vfio-pci ids=10de:2504\nblacklist nouveau\n";
	const char *first;
	struct setup_plan p;
	struct desk d;

	(void)state;
	open_desk(&d, "host-guide-everything");
	assert_int_equal(tfs_remove(d.h.rootfd, "/etc/modprobe.d/vfio.conf"), 0);
	put(&d, "/srv/vfio.conf", text);
	assert_int_equal(tfs_link(d.h.rootfd, "/etc/modprobe.d/vfio.conf", "/srv/vfio.conf"), 0);
	assert_int_equal(make(&d, &dynamic, &p), 0);
	first = strstr(p.notes.s, "'/etc/modprobe.d/vfio.conf' is a link to '/srv/vfio.conf'");
	assert_non_null(first);
	assert_null(strstr(first + 1, "'/etc/modprobe.d/vfio.conf' is a link"));
	setup_release(&p);
	must_apply(&d, &dynamic);
	assert_true(tfs_is_link(d.h.rootfd, "/etc/modprobe.d/vfio.conf"));
	file_is(&d, "/srv/vfio.conf", text);
	file_is(&d, "/etc/modprobe.d/blacklist.conf", "blacklist radeon\n");
	close_desk(&d);
}

static void what_must_be_written_is_no_link(void **state)
{
	struct setup_report report;
	struct desk d;

	(void)state;
	open_desk(&d, "host-wrong-loader");
	assert_int_equal(tfs_remove(d.h.rootfd, "/etc/kernel/cmdline"), 0);
	put(&d, "/srv/cmdline", "root=ZFS=rpool/ROOT/pve-1 boot=zfs nofb\n");
	assert_int_equal(tfs_link(d.h.rootfd, "/etc/kernel/cmdline", "/srv/cmdline"), 0);
	assert_int_equal(apply(&d, &dynamic, &report), -ELOOP);
	assert_non_null(strstr(d.e.msg, "is a link"));
	file_is(&d, "/srv/cmdline", "root=ZFS=rpool/ROOT/pve-1 boot=zfs nofb\n");
	assert_int_equal(world.ran.len, 0);
	close_desk(&d);
}

/* --- verify, and records that are not to be trusted ------------------------------------------------ */

static bool has(const struct findings *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].id, id) == 0)
			return true;
	return false;
}

static struct findings verified(struct desk *d)
{
	struct findings l;
	struct facts *f = NULL;

	assert_int_equal(facts_load(&d->h, &f, &d->e), 0);
	if (setup_verify(&d->h, f, &l, &d->e) < 0)
		fail_msg("%s", d->e.msg);
	facts_free(f);
	return l;
}

/* Killed between the last file and the end of the commands: the boot files do not have it, and no file differs. */
static void commands_that_are_due_are_run(void **state)
{
	static const char both[] = "/usr/sbin/update-initramfs -u -k all\n/usr/sbin/update-grub\n";
	struct setup_report report;
	struct findings l;
	struct setup_plan p;
	struct desk d;

	(void)state;
	open_desk(&d, "host-guide-everything");
	world.dies_running = true;
	assert_true(apply_and_die(&d, &dynamic));
	assert_int_equal(make(&d, &dynamic, &p), 0);
	assert_int_equal(p.n, 0);
	assert_non_null(strstr(p.notes.s, "cut short"));
	setup_release(&p);
	l = verified(&d);
	assert_true(has(&l, "setup-pending"));
	findings_release(&l);

	world.fails = "update-grub";
	assert_int_equal(apply(&d, &dynamic, &report), -EIO);
	assert_false(report.rolled_back);
	assert_string_equal(world.ran.s, both);
	setup_report_release(&report);
	world.fails = NULL;
	str_clear(&world.ran);
	must_apply(&d, &dynamic);
	assert_string_equal(world.ran.s, both);
	str_clear(&world.ran);
	must_apply(&d, &dynamic);
	assert_int_equal(world.ran.len, 0);
	assert_int_equal(make(&d, &dynamic, &p), 0);
	assert_string_equal(p.notes.s, "");
	setup_release(&p);
	must_undo(&d);
	same_as_before(&d);
	close_desk(&d);
}

/* The same, and then there is more to change: what was due is due with it, also when that fails first. */
static void due_commands_outlive_a_failure(void **state)
{
	struct setup_report report;
	struct desk d;

	(void)state;
	open_desk(&d, "host-intel-off");
	world.dies_running = true;
	assert_true(apply_and_die(&d, &dynamic));
	world.fails = "update-initramfs";
	assert_int_equal(apply(&d, &static_card, &report), -EIO);
	assert_true(report.rolled_back);
	setup_report_release(&report);
	world.fails = NULL;
	str_clear(&world.ran);
	must_apply(&d, &static_card);
	assert_string_equal(world.ran.s, "/usr/sbin/update-initramfs -u -k all\n/usr/sbin/update-grub\n");
	str_clear(&world.ran);
	must_apply(&d, &static_card);
	assert_int_equal(world.ran.len, 0);
	must_undo(&d);
	same_as_before(&d);
	close_desk(&d);
}

static void promises_are_checked(void **state)
{
	static const char booted[] = "BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 ro quiet intel_iommu=on\n";
	struct findings l;
	struct desk d;

	(void)state;
	open_desk(&d, "host-intel-off");
	must_apply(&d, &dynamic);
	l = verified(&d);
	assert_true(has(&l, "setup-no-reboot") && has(&l, "setup-word-missing") && has(&l, "setup-no-iommu"));
	assert_true(has(&l, "setup-file"));
	findings_release(&l);
	assert_int_equal(tfs_put(d.h.rootfd, "/proc/sys/kernel/random/boot_id", 0644, "other\n", 6), 0);
	assert_int_equal(tfs_put(d.h.rootfd, "/proc/cmdline", 0644, booted, strlen(booted)), 0);
	assert_int_equal(tfs_mkdirs(d.h.rootfd, "/sys/class/iommu/dmar0"), 0);
	l = verified(&d);
	assert_int_equal(findings_worst(&l), SEVERITY_OK);
	assert_true(has(&l, "setup-word") && has(&l, "setup-file"));
	findings_release(&l);
	assert_int_equal(tfs_put(d.h.rootfd, "/etc/default/grub.d/pve-gpu.cfg", 0644, "x\n", 2), 0);
	l = verified(&d);
	assert_true(has(&l, "setup-file-changed"));
	findings_release(&l);
	close_desk(&d);
}

static void damaged_records_are_told(void **state)
{
	static const char *const records[] = {
		"", "rubbish\n", "pve-gpu-setup 2\n", "pve-gpu-setup 1\nfile\n", "pve-gpu-setup 1\nfile 0 420 original ../etc/passwd\n",
		"pve-gpu-setup 1\nfile 0 420 original /etc/../x\n", "pve-gpu-setup 1\nfile 0 99999 absent /etc/x\n",
		"pve-gpu-setup 1\nfile 7 420 absent /etc/x\n", "pve-gpu-setup 1\nchain 9\n", "pve-gpu-setup 1\nwhat is this\n",
		"pve-gpu-setup 1\nboot\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		struct setup_report report = { .n = 0 };
		struct desk d;

		open_desk(&d, "host-guide-everything");
		assert_int_equal(tfs_put(d.h.rootfd, SETUP_FOLDER "/record", 0600, records[i], strlen(records[i])), 0);
		assert_int_equal(fchmodat(d.h.rootfd, &SETUP_FOLDER[1], 0700, 0), 0);
		assert_int_equal(setup_undo(&d.h, &report, &d.e), -EBADMSG);
		assert_int_equal(apply(&d, &dynamic, &report), -EBADMSG);
		assert_int_equal(world.ran.len, 0);
		same_as_before(&d);
		close_desk(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_cut),
		cmocka_unit_test(lines_are_cut),
		cmocka_unit_test(every_host_goes_there_and_back),
		cmocka_unit_test(the_right_file_is_changed),
		cmocka_unit_test(an_unknown_boot_chain_is_refused),
		cmocka_unit_test(a_failing_command_takes_all_back),
		cmocka_unit_test(a_full_disk_changes_nothing),
		cmocka_unit_test(half_of_it_is_taken_back),
		cmocka_unit_test(a_change_by_hand_is_not_lost),
		cmocka_unit_test(a_second_setup_keeps_the_first_original),
		cmocka_unit_test(a_card_by_address),
		cmocka_unit_test(ids_warn_of_twins),
		cmocka_unit_test(ids_of_other_devices_stay),
		cmocka_unit_test(nothing_half_written_is_run),
		cmocka_unit_test(an_undo_of_nothing_tidies_up),
		cmocka_unit_test(a_change_while_planning_is_not_lost),
		cmocka_unit_test(commands_that_are_due_are_run),
		cmocka_unit_test(due_commands_outlive_a_failure),
		cmocka_unit_test(blacklists_are_judged_alike),
		cmocka_unit_test(a_list_of_both_kinds_stays),
		cmocka_unit_test(words_are_cut_wherever_they_stand),
		cmocka_unit_test(lines_too_long_to_know_stay),
		cmocka_unit_test(leftovers_behind_links_are_told),
		cmocka_unit_test(what_must_be_written_is_no_link),
		cmocka_unit_test(promises_are_checked),
		cmocka_unit_test(damaged_records_are_told),
	};

	return cmocka_run_group_tests_name("setup", tests, NULL, NULL);
}
