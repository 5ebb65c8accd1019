// SPDX-License-Identifier: GPL-2.0-or-later
/* Changing a VM's config: who is told what, and a file system that does not play along. */
#include "test_pve_box.h"

#include <stdio.h>

#include "vmfile.h"

#define CONFIG "/etc/pve/nodes/pve1/qemu-server/100.conf"

static void make_vm(struct box *b)
{
	box_text(b, "/etc/hostname", "pve1\n");
	box_text(b, CONFIG, "name: a\n");
	box_link(b, "/etc/pve/local", "nodes/pve1");
	box_link(b, "/etc/pve/qemu-server", "nodes/pve1/qemu-server");
}

struct calls {
	const char *value;		/* of `name` */
	unsigned recorded, written, unwritten;
};

static int edit(void *arg, struct vmedit *ed, struct err *e)
{
	struct calls *c = arg;

	return vmedit_put(ed, "name", c->value, e);
}

static int record(void *arg, const struct vmfile_change *change, struct err *e)
{
	(void)change;
	(void)e;
	((struct calls *)arg)->recorded++;
	return 0;
}

static void written(void *arg)
{
	((struct calls *)arg)->written++;
}

static void unwritten(void *arg)
{
	((struct calls *)arg)->unwritten++;
}

static int change(struct box *b, const char *name, bool dry_run, struct calls *ret)
{
	struct vmfile_edit what = {
		.edit = edit, .record = record, .written = written, .unwritten = unwritten, .arg = ret, .dry_run = dry_run,
	};
	struct vmfile_change c = VMFILE_CHANGE_INIT;
	int r;

	*ret = (struct calls){ .value = name };
	b->e = (struct err)ERR_INIT;
	r = vmfile_change(&b->h, 100, NULL, &what, &c, &b->e);
	vmfile_change_release(&c);
	return r;
}

static void who_is_told(void **state)
{
	struct box *b = *state;
	struct calls c;

	make_vm(b);
	assert_int_equal(change(b, "b", true, &c), 0);
	assert_int_equal(c.recorded + c.written + c.unwritten, 0);
	assert_int_equal(change(b, "a", false, &c), 0);		/* it has that name */
	assert_int_equal(c.recorded + c.unwritten, 0);
	assert_int_equal(c.written, 1);
	assert_int_equal(change(b, "b", false, &c), 0);
	assert_int_equal(c.recorded, 1);
	assert_int_equal(c.written, 1);
	assert_int_equal(c.unwritten, 0);
}

static int refuse_rename(struct host *h, const char *from, const char *to)
{
	(void)h;
	(void)from;
	(void)to;
	return -EPERM;
}

/* chattr +i: something went wrong, which is no rule of ours. */
static void a_failed_write_is_told_and_no_refusal(void **state)
{
	struct box *b = *state;
	struct host_ops ops = host_default_ops;
	struct calls c;
	int r;

	make_vm(b);
	ops.rename = refuse_rename;
	b->h.ops = &ops;
	r = change(b, "b", false, &c);
	assert_true(r < 0);
	assert_false(vmfile_is_refusal(r));
	assert_non_null(strstr(b->e.msg, "Operation not permitted"));
	assert_int_equal(c.recorded, 1);
	assert_int_equal(c.written, 0);
	assert_int_equal(c.unwritten, 1);
}

/* --- pmxcfs during a rename --------------------------------------------------------------------- */

static unsigned absent, slept;

static bool is_absent(const char *path)
{
	if (strcmp(path, "/etc/pve/qemu-server/100.conf") != 0 || !absent)
		return false;
	absent--;
	return true;
}

static int absent_open(struct host *h, const char *path, int flags, mode_t mode)
{
	return is_absent(path) ? -ENOENT : host_default_ops.open(h, path, flags, mode);
}

static int absent_stat(struct host *h, const char *path, struct stat *ret)
{
	return is_absent(path) ? -ENOENT : host_default_ops.stat(h, path, ret);
}

static void count_sleep(struct host *h, uint64_t ms)
{
	(void)h;
	(void)ms;
	slept++;
}

static uint64_t slept_so_far(struct host *h)
{
	(void)h;
	return slept * 20;
}

static void a_file_that_is_absent_for_a_moment_is_waited_for(void **state)
{
	struct host_ops ops = host_default_ops;
	struct box *b = *state;
	struct vmconf *conf = NULL;
	struct calls c;

	make_vm(b);
	ops.open = absent_open;
	ops.stat = absent_stat;
	ops.sleep = count_sleep;
	ops.now = slept_so_far;
	b->h.ops = &ops;
	absent = 3;
	if (vmfile_load(&b->h, 100, NULL, &conf, &b->e) < 0)
		fail_msg("%s", b->e.msg);
	vmconf_free(conf);
	assert_int_equal(b->e.code, 0);
	absent = 3;
	if (change(b, "b", false, &c) < 0)
		fail_msg("%s", b->e.msg);
	/* It is listed and never comes. */
	absent = 1000000;
	assert_int_equal(vmfile_load(&b->h, 100, NULL, &conf, &b->e), -ENOENT);
	assert_non_null(strstr(b->e.msg, "does not exist, although"));
	/* Nobody waits for what is nowhere. */
	slept = 0;
	assert_int_equal(vmfile_load(&b->h, 101, NULL, &conf, &b->e), -ENOENT);
	assert_int_equal(slept, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(who_is_told),
		BOX_TEST(a_failed_write_is_told_and_no_refusal),
		BOX_TEST(a_file_that_is_absent_for_a_moment_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
