// SPDX-License-Identifier: GPL-2.0-or-later
/* Leases: what is written is read back, what is damaged is noticed, what is ours is locked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abandoned.h"
#include "lease.h"
#include "lease_text.h"
#include "tree.h"
#include "treefs.h"

#define BOOT "6b0c5d1e-43f7-4e0a-9f28-7c1d2a9b3e54"

struct box {
	struct tree tree;
	struct host h;
	struct err e;
	struct plan plan;
	struct device devices[2];
	struct step steps[3];
};

static const struct lease_process task = { 4711, 123456789 };

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b || tree_open_text(&b->tree, "dir /run\nfile /proc/sys/kernel/random/boot_id " BOOT "\n", &b->e) < 0 ||
	    host_open(&b->h, b->tree.dir, &b->e) < 0 || lease_prepare(&b->h, &b->e) < 0) {
		print_error("%s\n", b ? b->e.msg : "");
		return -1;
	}
	b->devices[0] = (struct device){ { 0x10000, 1, 0, 0 }, "hostpci0", 0x10de, 0x2684, 0x030000, 14, 1,
					 "nvidia", "nvidia", "", "on", 1, "flr bus", { 4, 16 }, false, false };
	b->devices[1] = (struct device){ { 0x10000, 1, 0, 1 }, "", 0x10de, 0x22ba, 0x040300, -1, 1,
					 "snd_hda_intel", "", "none", "auto", -1, "", { 0, 0 }, false, false };
	b->steps[0] = (struct step){ .kind = STEP_MODULE, .enable = -1, .to = "vfio-pci", .arg = "vfio-pci" };
	b->steps[1] = (struct step){ .kind = STEP_BIND, .chain = 1, .bdf = { 0x10000, 1, 0, 0 }, .enable = -1,
				     .to = "vfio-pci" };
	b->steps[2] = (struct step){ .kind = STEP_RESET, .chain = 1, .bdf = { 0x10000, 1, 0, 0 }, .exact = true,
				     .enable = -1, .stay = true, .to = "hot rescan", .from = "hot d3", .keep = "auto", .port = "10000:00:01.0",
				     .arg = "10000:01:00.0 10000:01:00.1" };
	b->plan = (struct plan){ .vmid = 100, .devices = b->devices, .n_devices = 2, .steps = b->steps, .n_steps = 3,
				 .chains = 1 };
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;

	host_close(&b->h);
	tree_close(&b->tree);
	free(b);
	return 0;
}

static struct lease created(struct box *b)
{
	struct lease l = LEASE_INIT;

	if (lease_create(&b->h, &b->plan, task, true, &l, &b->e) < 0)
		fail_msg("%s", b->e.msg);
	return l;
}

static void same_plan(const struct plan *a, const struct plan *b)
{
	assert_int_equal(a->vmid, b->vmid);
	assert_int_equal(a->chains, b->chains);
	assert_int_equal(a->n_devices, b->n_devices);
	assert_int_equal(a->n_steps, b->n_steps);
	for (size_t i = 0; i < a->n_devices; i++) {
		const struct device *x = &a->devices[i], *y = &b->devices[i];

		assert_true(bdf_same(x->bdf, y->bdf));
		assert_string_equal(x->key, y->key);
		assert_true(x->vendor == y->vendor && x->device == y->device && x->class == y->class);
		assert_true(x->group == y->group && x->chain == y->chain);
		assert_string_equal(x->driver, y->driver);
		assert_string_equal(x->module, y->module);
		assert_string_equal(x->override, y->override);
		assert_string_equal(x->power, y->power);
		assert_string_equal(x->reset_method, y->reset_method);
		assert_true(x->d3cold == y->d3cold && x->link.speed == y->link.speed && x->link.width == y->link.width);
	}
	for (size_t i = 0; i < a->n_steps; i++) {
		const struct step *x = &a->steps[i], *y = &b->steps[i];

		assert_true(x->kind == y->kind && x->chain == y->chain && x->exact == y->exact && x->stay == y->stay && x->enable == y->enable);
		assert_true(bdf_same(x->bdf, y->bdf));
		assert_string_equal(x->from, y->from);
		assert_string_equal(x->to, y->to);
		assert_string_equal(x->arg, y->arg);
		assert_string_equal(x->keep, y->keep);
		assert_string_equal(x->port, y->port);
	}
}

static char *text_of(struct box *b, size_t *ret_len)
{
	char *text;

	assert_int_equal(host_read_file(&b->h, lease_path(100).s, 1 << 20, &text, ret_len), 0);
	return text;
}

static void put_text(struct box *b, const char *text, size_t len)
{
	assert_int_equal(tfs_put(b->h.rootfd, lease_path(100).s, 0600, text, len), 0);
}

static int load(struct box *b, struct lease *l)
{
	*l = (struct lease)LEASE_INIT;
	b->e = (struct err)ERR_INIT;
	return lease_load(&b->h, 100, l, &b->e);
}

/* --- round trip ---------------------------------------------------------------------------------- */

static void what_is_written_is_read_back(void **state)
{
	struct box *b = *state;
	struct lease l = created(b), r;

	assert_int_equal(load(b, &r), 0);
	same_plan(&l.plan, &r.plan);
	same_plan(&l.plan, &b->plan);
	assert_string_equal(r.boot, BOOT);
	assert_true(r.task.pid == task.pid && r.task.start == task.start && r.task_locked);
	assert_int_equal(r.qemu.pid, 0);
	assert_false(r.claimed || r.returning);
	assert_int_equal(lease_open_step(&r), -1);
	lease_release(&r);
	lease_release(&l);
}

static const char *const hostile[] = {
	"", " ", "a b", "=", "a=b", "#", "#12345678", " #00000000", "%", "%%", "%20", "%0", "\n", "a\nclaimed\n", "\r\t",
	"\x1b[31m", "\xff\xfe\x80", "\\", "'\"`$(rm -rf /)", "gr\xc3\xbc\xc3\x9f", "(null)", "../../etc/passwd", "\x7f",
	"vfio-pci override=x", "~!@^&*{}[]|<>?;",
};

static void hostile_names_survive(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct lease l, r;

		for (size_t k = 0; k < 2; k++) {
			snprintf(b->devices[k].driver, PDEV_NAME, "%s", hostile[i]);
			snprintf(b->devices[k].module, PDEV_NAME, "%s", hostile[i]);
			snprintf(b->devices[k].override, PDEV_NAME, "%s", hostile[i]);
			snprintf(b->devices[k].reset_method, PDEV_METHODS, "%s", hostile[i]);
		}
		snprintf(b->steps[1].from, PDEV_METHODS, "%s", hostile[i]);
		snprintf(b->steps[1].to, PDEV_METHODS, "%s", hostile[i]);
		snprintf(b->steps[1].arg, STEP_ARG, "%s", hostile[i]);
		l = created(b);
		if (load(b, &r) < 0)
			fail_msg("'%s': %s", hostile[i], b->e.msg);
		same_plan(&r.plan, &b->plan);
		lease_release(&r);
		lease_release(&l);
	}
}

/* The longest values, every byte of them escaped. */
static void full_fields_survive(void **state)
{
	struct box *b = *state;
	struct lease l, r;

	memset(b->devices[0].key, '%', sizeof(b->devices[0].key) - 1);
	memset(b->devices[0].driver, 0xff, PDEV_NAME - 1);
	memset(b->devices[0].module, 0xff, PDEV_NAME - 1);
	memset(b->devices[0].override, 0xff, PDEV_NAME - 1);
	memset(b->devices[0].power, 0xff, sizeof(b->devices[0].power) - 1);
	memset(b->devices[0].reset_method, 0xff, PDEV_METHODS - 1);
	memset(b->steps[2].from, 0xff, PDEV_METHODS - 1);
	memset(b->steps[2].to, 0xff, PDEV_METHODS - 1);
	memset(b->steps[2].arg, 0xff, STEP_ARG - 1);
	b->devices[0].bdf = b->steps[2].bdf = (struct bdf){ 0xffffffff, 255, 31, 7 };
	l = created(b);
	assert_int_equal(load(b, &r), 0);
	same_plan(&r.plan, &b->plan);
	lease_release(&r);
	lease_release(&l);
}

/* --- the journal --------------------------------------------------------------------------------- */

static void write_history(struct box *b, struct lease *l)
{
	struct err *e = &b->e;

	assert_int_equal(lease_mark(l, 0, MARK_INTENT, 0, -1, NULL, e), 0);
	assert_int_equal(lease_mark(l, 0, MARK_DONE, 41000, -1, NULL, e), 0);
	assert_int_equal(lease_mark(l, 1, MARK_INTENT, 0, -1, NULL, e), 0);
	assert_int_equal(lease_mark(l, 1, MARK_DONE, 5, 2, NULL, e), 0);
	assert_int_equal(lease_mark(l, 2, MARK_INTENT, 0, -1, NULL, e), 0);
	assert_int_equal(lease_mark(l, 2, MARK_DONE, 7, -1, NULL, e), 0);
	assert_int_equal(lease_note_claimed(l, e), 0);
	assert_int_equal(lease_note_qemu(l, (struct lease_process){ 4242, 99 }, e), 0);
	assert_int_equal(lease_mark(l, 2, MARK_UNDO, 0, -1, NULL, e), 0);
	assert_int_equal(lease_mark(l, 2, MARK_UNDONE, 0, -1, NULL, e), 0);
	assert_int_equal(lease_mark(l, 1, MARK_UNDO, 0, -1, NULL, e), 0);
	assert_int_equal(lease_mark(l, 1, MARK_FAILED, 0, -1, "still #open\nby 100%", e), 0);
	assert_int_equal(lease_note_stuck(l, 0, (struct lease_process){ 77, 88 }, e), 0);
}

static void the_journal_is_read_back(void **state)
{
	struct box *b = *state;
	struct lease l = created(b), r;

	write_history(b, &l);
	assert_int_equal(load(b, &r), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(r.at[i].mark, l.at[i].mark);
	assert_int_equal(r.at[0].mark, MARK_STUCK);
	assert_int_equal(r.at[1].mark, MARK_FAILED);
	assert_int_equal(r.at[2].mark, MARK_UNDONE);
	assert_string_equal(r.at[1].why, "still #open\nby 100%");
	assert_int_equal(r.plan.steps[1].enable, 2);
	assert_true(r.claimed && r.returning);
	assert_true(r.qemu.pid == 4242 && r.qemu.start == 99 && r.stuck.pid == 77 && r.stuck.start == 88);
	assert_int_equal(lease_open_step(&r), 0);
	assert_true(lease_touched(&r, 0) && lease_touched(&r, 1) && !lease_touched(&r, 2));
	lease_release(&r);
	lease_release(&l);
}

/* What an earlier start had in hand is to be taken back although no step was begun; the time of a lease
 * that lingers. */
static void kept_and_lingering(void **state)
{
	struct box *b = *state;
	struct lease l, r;

	b->steps[1].kept = true;
	l = created(b);
	assert_true(lease_touched(&l, 1) && !lease_touched(&l, 2));
	assert_int_equal(lease_note_linger(&l, 123456789012ULL, &b->e), 0);
	assert_int_equal(load(b, &r), 0);
	assert_true(r.plan.steps[1].kept && !r.plan.steps[2].kept);
	assert_true(lease_touched(&r, 1) && !lease_touched(&r, 2));
	assert_true(r.linger == 123456789012ULL && r.linger == l.linger && !r.returning);
	assert_int_equal(lease_mark(&l, 1, MARK_UNDONE, 0, -1, NULL, &b->e), 0);
	assert_false(lease_touched(&l, 1));
	lease_release(&r);
	lease_release(&l);
}

/* Given up: read where it lies, told by device, hanging only as long as somebody has the lock. */
static void what_was_given_up_is_listed(void **state)
{
	struct box *b = *state;
	struct lease l = created(b);
	struct abandoned *list;
	struct host_path to;
	size_t n;

	assert_int_equal(abandoned_list(&b->h, &list, &n, &b->e), 0);
	assert_int_equal(n, 0);
	assert_int_equal(lease_note_stuck(&l, 1, (struct lease_process){ 77, 88 }, &b->e), 0);
	assert_int_equal(lease_move(&b->h, 100, LEASE_ABANDONED, &to, &b->e), 0);
	assert_string_equal(to.s, LEASE_ABANDONED "/100.0");
	assert_int_equal(tfs_put(b->h.rootfd, LEASE_ABANDONED "/notes", 0600, "x", 1), 0);
	assert_int_equal(tfs_put(b->h.rootfd, LEASE_ABANDONED "/101.0", 0600, "x", 1), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(abandoned_list(&b->h, &list, &n, &b->e), 0);
		assert_int_equal(n, 1);
		assert_true(list[0].vmid == 100 && bdf_same(list[0].bdf, b->devices[0].bdf));
		assert_int_equal(list[0].hangs, i == 0);
		assert_string_equal(list[0].step.s, "bind 10000:01:00.0 to vfio-pci");
		free(list);
		lease_release(&l);	/* the worker has come back */
	}
}

/* A killed writer at every byte: the plan was never complete, or the state is that of the whole lines. */
static void every_truncation_is_a_prefix_or_damaged(void **state)
{
	struct box *b = *state;
	struct lease l = created(b), r;
	size_t len, plan_end;
	char *text;

	free(text_of(b, &plan_end));
	write_history(b, &l);
	text = text_of(b, &len);
	for (size_t n = 0; n < len; n++) {
		int q;

		put_text(b, text, n);
		q = load(b, &r);
		if (n < plan_end) {
			assert_int_equal(q, -EBADMSG);
			assert_non_null(strstr(b->e.msg, "damaged"));
			continue;
		}
		assert_int_equal(q, 0);
		same_plan(&r.plan, &(struct plan){ .vmid = 100, .chains = 1, .devices = b->devices, .n_devices = 2,
						   .steps = r.plan.steps, .n_steps = r.plan.n_steps });
		assert_true(r.whole <= n && (r.whole == 0 || text[r.whole - 1] == '\n'));
		assert_int_equal(r.claimed, n >= (size_t)(strstr(text, "\nclaimed") - text) + 1 + strlen("claimed #00000000\n"));
		lease_release(&r);
	}
	free(text);
	lease_release(&l);
}

/* One wrong byte anywhere: noticed, or without any meaning (a torn end, the case of a digit). */
static void every_flipped_byte_is_noticed(void **state)
{
	struct box *b = *state;
	struct lease l = created(b), r;
	size_t len;
	char *text;

	write_history(b, &l);
	text = text_of(b, &len);
	for (size_t n = 0; n < len; n++) {
		bool in_sum = false;

		for (size_t k = 1; k <= 8 && k <= n; k++)
			in_sum |= text[n - k] == '#' && text[n - k - 1] == ' ';
		for (unsigned bit = 0; bit < 8; bit++) {
			char was = text[n];

			if (in_sum && bit == 5)
				continue;
			text[n] = (char)(was ^ (1 << bit));
			put_text(b, text, len);
			if (load(b, &r) == 0) {
				if (n != len - 1)
					fail_msg("byte %zu bit %u was not noticed", n, bit);
				lease_release(&r);
			} else {
				assert_int_equal(b->e.code, EBADMSG);
			}
			text[n] = was;
		}
	}
	free(text);
	lease_release(&l);
}

static void lines_taken_out_or_twice(void **state)
{
	/* the index of a line, and may it be missing */
	static const struct { unsigned line; const char *what; } missing[] = {
		{ 0, "head" }, { 1, "device" }, { 2, "device" }, { 3, "step" }, { 4, "step" }, { 5, "step" }, { 6, "plan" },
	};
	struct box *b = *state;
	struct lease l = created(b), r;
	size_t len;
	char *text = text_of(b, &len);

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
		struct str without = STR_INIT, twice = STR_INIT;
		unsigned number = 0;

		for (char *p = text; *p; number++) {
			size_t n = strcspn(p, "\n") + 1;

			if (number != missing[i].line)
				(void)str_addn(&without, p, n);
			(void)str_addn(&twice, p, n);
			if (number == missing[i].line)
				(void)str_addn(&twice, p, n);
			p += n;
		}
		put_text(b, without.s, without.len);
		assert_int_equal(load(b, &r), -EBADMSG);
		put_text(b, twice.s, twice.len);
		assert_int_equal(load(b, &r), -EBADMSG);
		str_release(&without);
		str_release(&twice);
	}
	free(text);
	lease_release(&l);
}

/* Lines with a right checksum and wrong content. */
static const char *const nonsense[] = {
	"hello", "intent", "intent x", "intent 3", "intent -1", "intent 99999999999999999999", "done 3 ns=1", "device",
	"step 3 kind=bind", "plan devices=2 steps=3", "qemu", "qemu 1", "qemu :", "qemu 1:", "qemu a:b", "qemu 99999999999:1",
	"qemu 1:2 3", "stuck 0 1", "stuck 0 x:y", "pve-gpu-lease 1 vmid=100 boot=x task=1:1", "failed", "undo", "undone 3",
};

static void nonsense_is_not_believed(void **state)
{
	struct box *b = *state;
	struct lease l = created(b), r;
	size_t len;
	char *text = text_of(b, &len);

	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
		struct str s = STR_INIT;

		(void)str_addn(&s, text, len);
		assert_int_equal(lease_line(&s, "%s", nonsense[i]), 0);
		put_text(b, s.s, s.len);
		if (load(b, &r) != -EBADMSG)
			fail_msg("'%s' was believed", nonsense[i]);
		str_release(&s);
	}
	free(text);
	lease_release(&l);
}

static const struct { const char *head; } heads[] = {
	{ "pve-gpu-lease 2 vmid=100 boot=x task=1:1" }, { "pve-gpu-lease 1 boot=x task=1:1" },
	{ "pve-gpu-lease 1 vmid=100 task=1:1" }, { "pve-gpu-lease 1 vmid=100 boot=x" },
	{ "pve-gpu-lease 1 vmid=100 boot=x task=1" }, { "pve-gpu-lease 1 vmid=x boot=x task=1:1" },
	{ "pve-gpu-lease 1 vmid=100 boot=0123456789012345678901234567890123456789 task=1:1" }, { "pve-gpu-lease" },
};

static void heads_of_another_kind(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		struct str s = STR_INIT;
		struct lease r;

		assert_int_equal(lease_line(&s, "%s", heads[i].head), 0);
		assert_int_equal(lease_line(&s, "plan devices=0 steps=0"), 0);
		put_text(b, s.s, s.len);
		assert_int_equal(load(b, &r), -EBADMSG);
		str_release(&s);
	}
}

static void a_nul_byte_is_damage(void **state)
{
	struct box *b = *state;
	struct lease l = created(b), r;
	size_t len;
	char *text = text_of(b, &len);

	text = realloc(text, len + 8);
	assert_non_null(text);
	memcpy(text + len, "\0claimed", 8);
	put_text(b, text, len + 8);
	assert_int_equal(load(b, &r), -EBADMSG);
	free(text);
	lease_release(&l);
}

/* --- whose and when -------------------------------------------------------------------------------- */

static void a_lease_of_another_vm(void **state)
{
	struct box *b = *state;
	struct lease l = created(b), r = LEASE_INIT;

	assert_int_equal(host_rename(&b->h, lease_path(100).s, lease_path(101).s), 0);
	assert_int_equal(lease_load(&b->h, 101, &r, &b->e), -EBADMSG);
	assert_non_null(strstr(b->e.msg, "lease of VM 100"));
	lease_release(&l);
}

static void a_lease_of_another_boot(void **state)
{
	struct box *b = *state;
	struct lease l = created(b), r;

	assert_int_equal(tfs_put(b->h.rootfd, "/proc/sys/kernel/random/boot_id", 0444, "other\n", 6), 0);
	assert_int_equal(load(b, &r), -ESTALE);
	lease_release(&l);
}

static void no_lease(void **state)
{
	struct box *b = *state;
	struct lease r = LEASE_INIT;

	assert_int_equal(load(b, &r), -ENOENT);
	assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), -ENOENT);
}

/* What lies there is no file that only we can write. */
static void not_our_file(void **state)
{
	struct box *b = *state;
	struct host_path path = host_path("%s%s", b->tree.dir, lease_path(100).s);
	struct lease l = created(b), r = LEASE_INIT;

	lease_release(&l);
	b->h.priv = b;			/* the checks of the running machine */
	assert_int_equal(chmod(path.s, 0620), 0);
	assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), -EBADMSG);
	assert_non_null(strstr(b->e.msg, "the lease '/run/pve-gpu/leases/100' is not a file that only root can write"));
	assert_int_equal(chmod(path.s, 0600), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path.s, 65534, 65534), 0);
		assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), -EBADMSG);
		assert_int_equal(lease_load(&b->h, 100, &r, &b->e), -EBADMSG);
	}
	assert_int_equal(unlink(path.s), 0);
	assert_int_equal(symlink("101", path.s), 0);
	assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), -EBADMSG);
	assert_int_equal(unlink(path.s), 0);
	assert_int_equal(mkfifo(path.s, 0600), 0);
	assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), -EBADMSG);
	assert_int_equal(unlink(path.s), 0);
	assert_int_equal(mkdir(path.s, 0700), 0);
	assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), -EBADMSG);
}

static void a_damaged_file_is_put_aside(void **state)
{
	struct box *b = *state;
	struct err why;
	struct lease r;
	char *text;
	size_t len;

	for (int i = 0; i < 3; i++) {
		char what[32];

		snprintf(what, sizeof(what), "damaged %d\n", i);
		put_text(b, what, strlen(what));
		assert_int_equal(load(b, &r), -EBADMSG);
		assert_int_equal(lease_dispose(&b->h, 100, 0, &why, &b->e), 1);
		assert_int_equal(why.code, EBADMSG);
		assert_int_equal(load(b, &r), -ENOENT);
		assert_int_equal(host_read_file(&b->h, host_path(LEASE_ASIDE "/100.%d", i).s, 100, &text, &len), 0);
		assert_string_equal(text, what);
		free(text);
	}
}

/* Between the look at it and its going aside somebody else may have done that and taken devices anew. */
static void only_a_damaged_file_is_put_aside(void **state)
{
	struct box *b = *state;
	struct err why;
	struct lease l;
	int fd;

	put_text(b, "damaged\n", 8);
	fd = host_open_file(&b->h, lease_path(100).s, O_RDONLY, 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(lease_dispose(&b->h, 100, 20, &why, &b->e), 0);
	assert_true(host_exists(&b->h, lease_path(100).s));
	close(fd);
	l = created(b);
	assert_int_equal(lease_dispose(&b->h, 100, 0, &why, &b->e), 0);
	lease_release(&l);
	assert_int_equal(lease_dispose(&b->h, 100, 0, &why, &b->e), 0);
	assert_int_equal(load(b, &l), 0);
	lease_release(&l);
	assert_int_equal(host_unlink(&b->h, lease_path(100).s), 0);
	assert_int_equal(lease_dispose(&b->h, 100, 0, &why, &b->e), 0);
	assert_false(host_exists(&b->h, LEASE_ASIDE "/100.0"));
}

/* --- locks ----------------------------------------------------------------------------------------- */

static void the_creator_holds_it(void **state)
{
	struct box *b = *state;
	struct lease l = created(b), r = LEASE_INIT;

	assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), -EWOULDBLOCK);
	assert_non_null(strstr(b->e.msg, "VM 100"));
	assert_int_equal(lease_mark(&l, 1, MARK_INTENT, 0, -1, NULL, &b->e), 0);
	assert_int_equal(lease_open(&b->h, 100, 30, &r, &b->e), -EWOULDBLOCK);
	assert_non_null(strstr(b->e.msg, "bind of 10000:01:00.0"));
	lease_release(&l);
	assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), 0);
	assert_int_equal(lease_open_step(&r), 1);
	lease_release(&r);
}

/* A killed writer's half line is mended before the next one follows. */
static void a_torn_line_is_mended(void **state)
{
	struct box *b = *state;
	struct lease l = created(b), r = LEASE_INIT, again;

	assert_int_equal(host_append(&b->h, l.fd, "intent 1 #12", 12), 0);
	lease_release(&l);
	assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), 0);
	assert_int_equal(lease_open_step(&r), -1);
	assert_int_equal(lease_mark(&r, 2, MARK_INTENT, 0, -1, NULL, &b->e), 0);
	assert_int_equal(load(b, &again), 0);
	assert_int_equal(lease_open_step(&again), 2);
	lease_release(&again);
	lease_release(&r);
}

/* The disk is full for each append in turn, half a line having been written: the file stays whole. */
static unsigned full_at;

static int append_full(struct host *h, int fd, const void *data, size_t len)
{
	(void)h;
	if (full_at-- > 0)
		return write(fd, data, len) == (ssize_t)len ? 0 : -EIO;
	full_at = 0;
	assert_true(write(fd, data, len / 2) > 0);
	return -ENOSPC;
}

static void a_full_disk_leaves_a_whole_file(void **state)
{
	struct host_ops ops = host_default_ops;
	struct box *b = *state;

	ops.append = append_full;
	for (unsigned i = 0; i < 5; i++) {
		struct lease l = created(b), r;
		int q;

		b->h.ops = &ops;
		full_at = i;
		q = lease_mark(&l, 1, MARK_INTENT, 0, -1, NULL, &b->e);
		assert_int_equal(l.at[1].mark, q == 0 ? MARK_INTENT : MARK_PLANNED);
		q = q < 0 ? q : lease_mark(&l, 1, MARK_DONE, 1, 0, NULL, &b->e);
		q = q < 0 ? q : lease_note_claimed(&l, &b->e);
		q = q < 0 ? q : lease_note_qemu(&l, task, &b->e);
		assert_int_equal(q, i < 4 ? -ENOSPC : 0);
		if (q < 0)
			assert_non_null(strstr(b->e.msg, "df /run"));
		b->h.ops = &host_default_ops;
		assert_int_equal(load(b, &r), 0);
		assert_int_equal(r.at[1].mark, i == 0 ? MARK_PLANNED : i == 1 ? MARK_INTENT : MARK_DONE);
		assert_int_equal(r.claimed, i > 2);
		assert_int_equal(l.claimed, i > 2);
		lease_release(&r);
		lease_release(&l);
	}
}

static void a_full_disk_at_the_beginning(void **state)
{
	struct host_ops ops = host_default_ops;
	struct box *b = *state;
	struct lease l = LEASE_INIT, r;

	ops.append = append_full;
	b->h.ops = &ops;
	full_at = 0;
	assert_int_equal(lease_create(&b->h, &b->plan, task, true, &l, &b->e), -ENOSPC);
	assert_non_null(strstr(b->e.msg, "no device was touched"));
	assert_int_equal(load(b, &r), -ENOENT);
	assert_false(host_exists(&b->h, LEASE_DIR "/.100.new"));
	assert_int_equal(l.fd, -1);
}

/* In a child with room for so many descriptors: what opening returned, 1000 when it never did. */
static int open_with_room(struct box *b, int room)
{
	struct lease r = LEASE_INIT;
	struct rlimit tight;
	int next = open("/dev/null", O_RDONLY), status;
	pid_t child;

	close(next);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(60);
		getrlimit(RLIMIT_NOFILE, &tight);
		tight.rlim_cur = (rlim_t)(next + room);
		setrlimit(RLIMIT_NOFILE, &tight);
		_exit(-lease_open(&b->h, 100, 0, &r, &b->e));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

/* Out of descriptors for a moment: that is no damage, for which the record would be thrown away, and no
 * reason to try for ever. */
static void out_of_descriptors_is_no_damage(void **state)
{
	struct box *b = *state;
	struct lease l = created(b);
	unsigned wrong = 0;

	lease_release(&l);
	for (int room = 0; room <= 4; room++) {
		int r = open_with_room(b, room);

		if (r != 0 && r != EMFILE) {
			print_error("with room for %d: %d\n", room, r);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

/* Whoever waited for a lease that was then closed finds none; replaced, the new one. */
static void closed_while_waiting(void **state)
{
	struct box *b = *state;
	struct lease l = created(b);
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct lease r = LEASE_INIT;
		struct err e = ERR_INIT;

		close(l.fd);		/* ours is the parent's lock too */
		_exit(lease_open(&b->h, 100, 5000, &r, &e) == -ENOENT ? 0 : 1);
	}
	usleep(100000);
	assert_int_equal(lease_remove(&l, &b->e), 0);
	lease_release(&l);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_new_one_takes_the_place(void **state)
{
	struct box *b = *state;
	struct lease old = created(b), fresh, r = LEASE_INIT;

	assert_int_equal(lease_mark(&old, 1, MARK_INTENT, 0, -1, NULL, &b->e), 0);
	fresh = created(b);
	lease_release(&old);
	assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), -EWOULDBLOCK);
	lease_release(&fresh);
	assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), 0);
	assert_int_equal(lease_open_step(&r), -1);
	lease_release(&r);
}

static void opening_leaks_nothing(void **state)
{
	struct box *b = *state;
	struct lease l = created(b), r = LEASE_INIT;
	int first, last;

	lease_release(&l);
	first = open("/dev/null", O_RDONLY);
	close(first);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), 0);
		assert_int_equal(lease_open(&b->h, 101, 0, &l, &b->e), -ENOENT);
		lease_release(&r);
	}
	put_text(b, "broken\n", 7);
	assert_int_equal(lease_open(&b->h, 100, 0, &r, &b->e), -EBADMSG);
	last = open("/dev/null", O_RDONLY);
	close(last);
	assert_int_equal(first, last);
}

/* --- processes and lists --------------------------------------------------------------------------- */

static const struct { const char *stat; uint64_t start; } stats[] = {
	{ "42 (kvm) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 48211 1 2\n", 48211 },
	{ "42 (a b) c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 777 1 2\n", 777 },
	{ "42 () 1 2 3 4) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 5 1\n", 5 },
	{ "42 (kvm) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 48211\n", 48211 },
	{ "42 (kvm) S 1 42", 0 }, { "42 (kvm)", 0 }, { "42", 0 }, { "", 0 }, { "\n", 0 },
	{ "42 (kvm) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 x 1 2\n", 0 },
};

static void start_times(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(stats); i++) {
		assert_int_equal(tfs_put(b->h.rootfd, "/proc/42/stat", 0444, stats[i].stat, strlen(stats[i].stat)), 0);
		assert_int_equal(lease_process_start(&b->h, 42), stats[i].start);
		assert_int_equal(lease_process_alive(&b->h, (struct lease_process){ 42, stats[i].start }),
				 stats[i].start != 0);
		assert_false(lease_process_alive(&b->h, (struct lease_process){ 42, stats[i].start + 1 }));
	}
	assert_false(lease_process_alive(&b->h, (struct lease_process){ 43, 1 }));
	assert_false(lease_process_alive(&b->h, (struct lease_process){ 0, 0 }));
}

static void lists_vmids_only(void **state)
{
	static const char *const names[] = { "101", "100", "999999999", ".100.new", "99", "0100", "x", "100.1", "1000000000" };
	struct box *b = *state;
	unsigned *ids = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(tfs_put(b->h.rootfd, host_path(LEASE_DIR "/%s", names[i]).s, 0600, "", 0), 0);
	assert_int_equal(lease_list(&b->h, &ids, &n, &b->e), 0);
	assert_int_equal(n, 3);
	assert_true(ids[0] == 100 && ids[1] == 101 && ids[2] == 999999999);
	free(ids);
	assert_int_equal(tfs_remove(b->h.rootfd, LEASE_DIR), 0);
	assert_int_equal(lease_list(&b->h, &ids, &n, &b->e), 0);
	assert_int_equal(n, 0);
	free(ids);
}

static void lines_that_do_not_fit(void **state)
{
	struct str s = STR_INIT;
	char longest[4096];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(lease_line(&s, "%s", longest), -ENAMETOOLONG);
	assert_string_equal(s.s, "");
	str_release(&s);
}

int main(void)
{
#define BOX(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		BOX(what_is_written_is_read_back), BOX(hostile_names_survive), BOX(full_fields_survive),
		BOX(the_journal_is_read_back),
		BOX(kept_and_lingering),
		BOX(what_was_given_up_is_listed), BOX(every_truncation_is_a_prefix_or_damaged),
		BOX(every_flipped_byte_is_noticed), BOX(lines_taken_out_or_twice), BOX(nonsense_is_not_believed),
		BOX(heads_of_another_kind), BOX(a_nul_byte_is_damage),
		BOX(a_lease_of_another_vm), BOX(a_lease_of_another_boot), BOX(no_lease), BOX(not_our_file),
		BOX(a_damaged_file_is_put_aside),
		BOX(only_a_damaged_file_is_put_aside),
		BOX(the_creator_holds_it), BOX(a_torn_line_is_mended), BOX(a_full_disk_leaves_a_whole_file),
		BOX(a_full_disk_at_the_beginning), BOX(closed_while_waiting),
		BOX(a_new_one_takes_the_place), BOX(opening_leaks_nothing),
		BOX(start_times), BOX(lists_vmids_only),
		cmocka_unit_test(lines_that_do_not_fit),
		BOX(out_of_descriptors_is_no_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
