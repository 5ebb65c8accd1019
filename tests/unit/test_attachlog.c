// SPDX-License-Identifier: GPL-2.0-or-later
/* What attach remembers: the way back to the very bytes, for every file of the corpus; and when not to go it. */
#include "test_pve_box.h"

#include <stdio.h>

#include "attachlog.h"

#include "../corpus/files.h"

#define FILE_100 "/var/lib/pve-gpu/attached/100"

static const char *const keys[] = { "machine", "vga", "hookscript", "hostpci0" };

/* A change as vmfile_change() would hand it over. */
static struct vmfile_change change(const char *bytes, size_t len, bool running)
{
	struct vmfile_change c = { .running = running };
	struct vmedit ed;
	struct err e = ERR_INIT;

	assert_int_equal(vmconf_parse(bytes, len, &c.before, &e), 0);
	assert_int_equal(vmedit_init(&ed, bytes, len, NULL, running, &e), 0);
	if (vmedit_put(&ed, "hostpci0", "0000:01:00,pcie=1", &e) < 0 || vmedit_put(&ed, "machine", "q35", &e) < 0 ||
	    vmedit_put(&ed, "hookscript", "local:snippets/gpu-hook", &e) < 0)
		fail_msg("%s", e.msg);
	c.after = ed.now;
	ed.now = NULL;
	vmedit_release(&ed);
	return c;
}

static struct vmfile_change change_text(const char *text, bool running)
{
	return change(text, strlen(text), running);
}

static void load(struct box *b, struct attachlog *log)
{
	struct err note = ERR_INIT;

	*log = (struct attachlog)ATTACHLOG_INIT(100);
	if (attachlog_load(&b->h, log, &note, &b->e) < 0 || note.code)
		fail_msg("%s%s", b->e.msg, note.msg);
}

static void add_and_save(struct box *b, struct attachlog *log, const struct vmfile_change *c)
{
	if (attachlog_add(log, c, keys, ARRAY_SIZE(keys), &b->e) < 0 || attachlog_save(&b->h, log, &b->e) < 0)
		fail_msg("%s", b->e.msg);
}

static void there_and_back(void *arg, const char *name, const char *bytes, size_t len)
{
	struct box *b = arg;

	for (int running = 0; running < 2; running++) {
		struct vmfile_change c = change(bytes, len, running);
		struct attachlog log = ATTACHLOG_INIT(100);
		char *text = NULL;
		size_t n = 0;

		add_and_save(b, &log, &c);
		attachlog_release(&log);
		load(b, &log);
		if (attachlog_undo(&log, c.after, running, &text, &n, &b->e) != 1 || n != len || memcmp(text, bytes, len) != 0)
			fail_msg("%s: the bytes do not come back", name);
		free(text);
		attachlog_pop(&log);
		assert_int_equal(attachlog_save(&b->h, &log, &b->e), 0);
		assert_false(host_exists(&b->h, FILE_100));
		attachlog_release(&log);
		vmfile_change_release(&c);
	}
}

static void every_file_of_the_corpus_comes_back(void **state)
{
	assert_true(corpus_each(there_and_back, *state) > 300);
}

static void keys_are_remembered_with_their_values(void **state)
{
	struct box *b = *state;
	struct vmfile_change c = change_text("machine: pc\nname: a\n", false);
	struct attachlog log = ATTACHLOG_INIT(100);

	add_and_save(b, &log, &c);
	attachlog_release(&log);
	load(b, &log);
	assert_int_equal(log.n, 1);
	assert_int_equal(log.list[0].n_keys, 3);	/* vga did not change */
	assert_string_equal(log.list[0].keys[0].key, "machine");
	assert_string_equal(log.list[0].keys[0].before, "pc");
	assert_string_equal(log.list[0].keys[0].after, "q35");
	assert_string_equal(log.list[0].keys[1].key, "hookscript");
	assert_null(log.list[0].keys[1].before);
	attachlog_release(&log);
	vmfile_change_release(&c);
}

static void nobody_goes_back_where_it_does_not_fit(void **state)
{
	struct box *b = *state;
	struct vmfile_change stopped = change_text("cores: 2\n", false), running = change_text("cores: 2\n", true);
	struct attachlog log = ATTACHLOG_INIT(100);
	char *text = NULL;
	size_t n;

	add_and_save(b, &log, &stopped);
	/* The file is another; or the VM was started with what would be taken away. */
	assert_int_equal(attachlog_undo(&log, stopped.before, false, &text, &n, &b->e), 0);
	assert_int_equal(attachlog_undo(&log, running.after, false, &text, &n, &b->e), 0);
	assert_int_equal(attachlog_undo(&log, stopped.after, true, &text, &n, &b->e), 0);
	attachlog_release(&log);
	/* What only waits can be taken back at any time. */
	log = (struct attachlog)ATTACHLOG_INIT(100);
	add_and_save(b, &log, &running);
	for (int now = 0; now < 2; now++) {
		assert_int_equal(attachlog_undo(&log, running.after, now, &text, &n, &b->e), 1);
		assert_string_equal(text, "cores: 2\n");
		free(text);
	}
	attachlog_release(&log);
	vmfile_change_release(&stopped);
	vmfile_change_release(&running);
}

static void a_record_of_what_was_never_written_goes(void **state)
{
	struct box *b = *state;
	struct vmfile_change c = change_text("cores: 2\n", false);
	struct attachlog log = ATTACHLOG_INIT(100);

	add_and_save(b, &log, &c);
	add_and_save(b, &log, &c);	/* the first one failed behind its record */
	assert_int_equal(log.n, 1);
	attachlog_release(&log);
	vmfile_change_release(&c);
}

static void damage_is_told_and_not_used(void **state)
{
	static const char *const texts[] = {
		"attach\n", "key a - -\n", "attach a b stopped\n", "attach a b stopped\nsplice 0 0 =0\n",
		"attach a b stopped\nsplice 0 x =\n", "attach a b stopped\nsplice 0 0 =zz\n", "nonsense\n", "\x01\xff",
		"attach a b stopped\nkey k =6 -\nsplice 0 0 =\n", "attach a b stopped\nsplice 0 0 -\n",
		"attach 0123456789012345678901234567890123456789x b stopped\nsplice 0 0 =\n",
	};
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct attachlog log = ATTACHLOG_INIT(100);
		struct err note = ERR_INIT;

		box_text(b, FILE_100, texts[i]);
		assert_int_equal(attachlog_load(&b->h, &log, &note, &b->e), 0);
		if (!note.code || log.n)
			fail_msg("'%s' passes for a record", texts[i]);
		attachlog_release(&log);
	}
}

static void without_a_record_nothing_is_changed(void **state)
{
	struct box *b = *state;
	struct vmfile_change c = change_text("cores: 2\n", false);
	struct attachlog log = ATTACHLOG_INIT(100);

	box_text(b, "/var/lib/pve-gpu", "a file in the way\n");
	assert_int_equal(attachlog_add(&log, &c, keys, ARRAY_SIZE(keys), &b->e), 0);
	assert_true(attachlog_save(&b->h, &log, &b->e) < 0);
	assert_non_null(strstr(b->e.msg, "nothing was changed"));
	attachlog_release(&log);
	vmfile_change_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(every_file_of_the_corpus_comes_back),
		BOX_TEST(keys_are_remembered_with_their_values),
		BOX_TEST(nobody_goes_back_where_it_does_not_fit),
		BOX_TEST(a_record_of_what_was_never_written_goes),
		BOX_TEST(damage_is_told_and_not_used),
		BOX_TEST(without_a_record_nothing_is_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
