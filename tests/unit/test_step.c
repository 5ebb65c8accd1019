// SPDX-License-Identifier: GPL-2.0-or-later
/* Steps: doing them twice is doing them once, taking back looks first, and nothing is touched that
 * somebody else has.  A tree and a few writes with their meaning are kernel enough. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "file.h"
#include "lease.h"
#include "run.h"
#include "step.h"
#include "str.h"
#include "tree.h"
#include "treefs.h"

static const char machine[] =
	"iommu intel\nroot 0000:00\ndriver nvidia\ndriver snd_hda_intel\ndriver vfio-pci\n"
	"file /proc/sys/kernel/random/boot_id 6b0c5d1e-43f7-4e0a-9f28-7c1d2a9b3e54\n"
	"pci 0000:00:01.0 8086:460d class=060400 bus=01 driver=pcieport group=1\n"
	"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia group=14 reset=flr power=auto\n"
	"pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=snd_hda_intel group=14 reset=flr\n";

static const struct bdf gpu = { 0, 1, 0, 0 }, audio = { 0, 1, 0, 1 };

struct box {
	struct tree tree;
	struct host h;
	struct host_ops ops;
	struct err e;
	struct str log;		/* "unbind nvidia 0000:01:00.0\n" */
	const char *deaf;	/* writes to paths with this are taken and have no effect */
};

static struct box *the_box;

/* The writes that matter, with their effect on the tree. */
static int meaningful_write(struct host *h, const char *path, const void *data, size_t len)
{
	struct box *b = the_box;
	char value[128] = "", driver[64] = "", verb[32] = "";
	struct bdf a;

	assert_true(len < sizeof(value));
	memcpy(value, data, len);
	if (sscanf(path, "/sys/bus/pci/drivers/%63[^/]/%31s", driver, verb) == 2) {
		(void)str_addf(&b->log, "%s %s %s\n", verb, driver, value);
		if (b->deaf && strstr(path, b->deaf))
			return 0;
		assert_int_equal(bdf_parse(value, &a), 0);
		return strcmp(verb, "bind") == 0 ? bus_join(h->rootfd, a, driver) : bus_part(h->rootfd, a, driver);
	}
	(void)str_addf(&b->log, "%s %s%s", path + strlen("/sys/bus/pci/devices/"), value,
		       strchr(value, '\n') ? "" : "\n");
	if (b->deaf && strstr(path, b->deaf))
		return 0;
	if (strstr(path, "driver_override") && strcmp(value, "\n") == 0)
		snprintf(value, sizeof(value), "(null)");
	return strstr(path, "/reset") && !strstr(path, "reset_method") ? 0 :
	       tfs_putf(h->rootfd, path, 0644, "%s\n", value);
}

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b || tree_open_text(&b->tree, machine, &b->e) < 0 || host_open(&b->h, b->tree.dir, &b->e) < 0) {
		print_error("%s\n", b ? b->e.msg : "");
		return -1;
	}
	b->ops = host_default_ops;
	b->ops.write = meaningful_write;
	b->h.ops = &b->ops;
	b->log = (struct str)STR_INIT;
	the_box = b;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;

	str_release(&b->log);
	host_close(&b->h);
	tree_close(&b->tree);
	free(b);
	return 0;
}

static struct step_reply serve(struct box *b, const struct step *s, enum step_way way)
{
	struct step_request q;
	struct step_reply a;

	memset(&q, 0, sizeof(q));
	q.way = way;
	q.step = *s;
	str_clear(&b->log);
	step_serve(&b->h, NULL, &q, &a);
	if (a.r < 0)
		assert_true(a.e.code == -a.r && strlen(a.e.msg) > 10);
	return a;
}

static void does(struct box *b, const struct step *s, enum step_way way, const char *log)
{
	struct step_reply a = serve(b, s, way);

	if (a.r < 0)
		fail_msg("%s: %s", step_kind_name(s->kind), a.e.msg);
	assert_string_equal(b->log.s, log);
}

static void says(struct box *b, const struct step *s, enum step_way way, int r, const char *part)
{
	struct step_reply a = serve(b, s, way);

	assert_int_equal(a.r, r);
	if (!strstr(a.e.msg, part))
		fail_msg("'%s' lacks '%s'", a.e.msg, part);
}

static void put(struct box *b, struct bdf a, const char *attr, const char *value)
{
	assert_int_equal(tfs_putf(b->h.rootfd, bus_attr(a, attr).s, 0644, "%s\n", value), 0);
}

static void move_to(struct box *b, struct bdf a, const char *driver)
{
	struct bus_name now = bus_driver(b->h.rootfd, a);

	if (now.s[0])
		assert_int_equal(bus_part(b->h.rootfd, a, now.s), 0);
	if (*driver)
		assert_int_equal(bus_join(b->h.rootfd, a, driver), 0);
}

#define STEP(k, f, t, a) ((struct step){ .kind = STEP_##k, .chain = 1, .bdf = gpu, .enable = -1, .from = f, .to = t, .arg = a })

/* --- doing, doing again, taking back, taking back again ------------------------------------------- */

static void power(void **state)
{
	struct step s = STEP(POWER, "auto", "on", "");
	struct box *b = *state;

	does(b, &s, STEP_DO, "0000:01:00.0/power/control on\n");
	does(b, &s, STEP_DO, "");
	does(b, &s, STEP_UNDO, "0000:01:00.0/power/control auto\n");
	does(b, &s, STEP_UNDO, "");
}

static void override(void **state)
{
	struct step s = STEP(OVERRIDE, "", "vfio-pci", ""), keep = STEP(OVERRIDE, "none", "vfio-pci", "");
	struct box *b = *state;

	does(b, &s, STEP_DO, "0000:01:00.0/driver_override vfio-pci\n");
	does(b, &s, STEP_DO, "");
	does(b, &s, STEP_UNDO, "0000:01:00.0/driver_override \n");	/* a newline, never "(null)" */
	does(b, &s, STEP_UNDO, "");
	put(b, gpu, "driver_override", "vfio-pci");
	does(b, &keep, STEP_UNDO, "0000:01:00.0/driver_override none\n");
}

static void unbind_and_back(void **state)
{
	struct step s = STEP(UNBIND, "nvidia", "", "nvidia");
	struct box *b = *state;

	does(b, &s, STEP_DO, "unbind nvidia 0000:01:00.0\n");
	does(b, &s, STEP_DO, "");
	/* the override is set to the driver first: nobody else may take it, vfio-pci's ids included */
	put(b, gpu, "driver_override", "vfio-pci");
	does(b, &s, STEP_UNDO, "0000:01:00.0/driver_override nvidia\nbind nvidia 0000:01:00.0\n"
	     "0000:01:00.0/driver_override \n");
	does(b, &s, STEP_UNDO, "");
}

static void unbind_never_from_another(void **state)
{
	struct step s = STEP(UNBIND, "nvidia", "", "nvidia");
	struct box *b = *state;

	move_to(b, gpu, "snd_hda_intel");
	says(b, &s, STEP_DO, -EBUSY, "snd_hda_intel");
	assert_string_equal(b->log.s, "");
	says(b, &s, STEP_UNDO, -EBUSY, "snd_hda_intel");
	assert_string_equal(b->log.s, "");
	move_to(b, gpu, "vfio-pci");		/* an unfinished claim of our own, taken over */
	does(b, &s, STEP_DO, "");
}

static void bind_and_back(void **state)
{
	struct step s = STEP(BIND, "", "vfio-pci", "");
	struct step_reply a;
	struct box *b = *state;

	move_to(b, gpu, "");
	put(b, gpu, "enable", "1");
	a = serve(b, &s, STEP_DO);
	assert_int_equal(a.r, 0);
	assert_int_equal(a.enable, 1);		/* what an earlier driver left is the baseline */
	assert_non_null(strstr(b->log.s, "bind vfio-pci 0000:01:00.0\n"));
	assert_string_equal(tree_attr(b->tree.dir, gpu, "power/control").s, "on");
	a = serve(b, &s, STEP_DO);
	assert_int_equal(a.r, 0);
	assert_string_equal(b->log.s, "");
	s.enable = 1;
	does(b, &s, STEP_UNDO, "unbind vfio-pci 0000:01:00.0\n");
	does(b, &s, STEP_UNDO, "");
	move_to(b, gpu, "nvidia");		/* long since elsewhere: not ours to unbind */
	does(b, &s, STEP_UNDO, "");
}

/* A guest has it open: unbinding would pull the card out of it and hang. */
static void bind_is_not_taken_back_while_open(void **state)
{
	struct step s = STEP(BIND, "", "vfio-pci", "");
	struct box *b = *state;

	move_to(b, gpu, "vfio-pci");
	put(b, gpu, "enable", "1");
	s.enable = 0;
	says(b, &s, STEP_UNDO, -EBUSY, "still open");
	assert_string_equal(b->log.s, "");
}

/* The hook died between the bind and its record: what the count was at first nobody knows.  Somebody
 * may have started another VM on the card since then; it must not be pulled out of that. */
static void bind_without_a_baseline_is_not_blindly_taken_back(void **state)
{
	struct step s = STEP(BIND, "", "vfio-pci", "");
	struct box *b = *state;

	move_to(b, gpu, "vfio-pci");
	assert_int_equal(tfs_put(b->h.rootfd, "/dev/vfio/14", 0600, "", 0), 0);
	assert_int_equal(tfs_link(b->h.rootfd, "/proc/4242/fd/9", "/dev/vfio/14"), 0);
	put(b, gpu, "enable", "1");
	says(b, &s, STEP_UNDO, -EBUSY, "open");
	assert_string_equal(b->log.s, "");
	put(b, gpu, "enable", "0");
	assert_int_equal(tfs_remove(b->h.rootfd, "/proc/4242"), 0);
	does(b, &s, STEP_UNDO, "unbind vfio-pci 0000:01:00.0\n");
}

static void method_is_put_back(void **state)
{
	struct step s = STEP(METHOD, "flr", "flr", "");
	struct box *b = *state;

	does(b, &s, STEP_DO, "");
	does(b, &s, STEP_UNDO, "");
	put(b, gpu, "reset_method", "bus");
	does(b, &s, STEP_UNDO, "0000:01:00.0/reset_method flr\n");
}

static void reset_only_on_vfio(void **state)
{
	struct step s = STEP(RESET, "", "flr", "0000:01:00.0 0000:01:00.1");
	struct box *b = *state;
	struct step_reply a;

	move_to(b, gpu, "vfio-pci");
	says(b, &s, STEP_DO, -EBUSY, "0000:01:00.1 is on 'snd_hda_intel'");
	assert_string_equal(b->log.s, "");
	move_to(b, audio, "vfio-pci");
	a = serve(b, &s, STEP_DO);
	assert_int_equal(a.r, 0);
	assert_string_equal(a.used, "flr");
	assert_string_equal(b->log.s, "0000:01:00.0/reset 1\n0000:01:00.1/reset 1\n");
	does(b, &s, STEP_UNDO, "");
}

/* The last word before the VM gets it: it answers, and it is where the VM needs it. */
static void check_wants_it_on_vfio(void **state)
{
	struct step s = STEP(CHECK, "", "", "");
	struct box *b = *state;

	says(b, &s, STEP_DO, -EBUSY, "nvidia");
	move_to(b, gpu, "vfio-pci");
	does(b, &s, STEP_DO, "");
}

/* House rule 17: what was written is read back. */
static void a_write_without_effect_is_noticed(void **state)
{
	static const struct { struct step s; enum step_way way; const char *deaf; } cases[] = {
		{ { .kind = STEP_OVERRIDE, .bdf = { 0, 1, 0, 0 }, .to = "vfio-pci" }, STEP_DO, "driver_override" },
		{ { .kind = STEP_UNBIND, .bdf = { 0, 1, 0, 0 }, .from = "nvidia" }, STEP_DO, "unbind" },
		{ { .kind = STEP_POWER, .bdf = { 0, 1, 0, 0 }, .from = "auto", .to = "on" }, STEP_DO, "power/control" },
		{ { .kind = STEP_METHOD, .bdf = { 0, 1, 0, 0 }, .from = "bus", .to = "bus" }, STEP_UNDO, "reset_method" },
	};
	struct box *b = *state;
	unsigned wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		b->deaf = cases[i].deaf;
		if (serve(b, &cases[i].s, cases[i].way).r == 0) {
			print_error("%s: not noticed\n", cases[i].deaf);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void a_device_that_left(void **state)
{
	static const enum step_kind kinds[] = { STEP_UNBIND, STEP_BIND, STEP_RESET, STEP_CHECK, STEP_OVERRIDE };
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct step s = { .kind = kinds[i], .bdf = { 0, 9, 0, 0 }, .from = "nvidia", .to = "vfio-pci",
				  .arg = "0000:09:00.0" };
		struct step_reply a = serve(b, &s, STEP_DO);

		assert_true(a.r < 0);
		assert_non_null(strstr(a.e.msg, "0000:09:00.0"));
		assert_string_equal(b->log.s, "");
	}
}

static void unknown_kinds(void **state)
{
	struct step s = STEP(CHECK, "", "", "");

	s.kind = (enum step_kind)77;
	says(*state, &s, STEP_DO, -EINVAL, "77");
}

static void every_kind_has_words_and_a_limit(void **state)
{
	(void)state;
	for (int k = 0; k < STEP_KINDS; k++)
		for (int way = STEP_DO; way <= STEP_UNDO; way++) {
			struct step s = { .kind = (enum step_kind)k, .bdf = { 0, 1, 0, 0 }, .from = "old", .to = "new" };
			struct step_text t = step_describe(&s, (enum step_way)way);

			assert_true(step_limit(s.kind, (enum step_way)way) >= 1000);
			assert_true(strlen(t.s) > 4);
			assert_null(strchr(t.s, '%'));
			assert_string_not_equal(step_kind_name(s.kind), "unknown");
		}
	assert_string_equal(step_describe(&STEP(UNBIND, "nvidia", "", ""), STEP_DO).s, "unbind 0000:01:00.0 from nvidia");
	assert_string_equal(step_describe(&STEP(UNBIND, "nvidia", "", ""), STEP_UNDO).s, "bind 0000:01:00.0 to nvidia again");
}

static void long_words_are_cut(void **state)
{
	struct step s = STEP(POWER, "", "", "");

	(void)state;
	memset(s.from, 'x', sizeof(s.from) - 1);
	memset(s.to, 'y', sizeof(s.to) - 1);
	assert_true(strlen(step_describe(&s, STEP_UNDO).s) < sizeof(struct step_text));
}

/* --- the runner, where a step stands for more than one device ----------------------------------------- */

static uint64_t short_limit(enum step_kind kind, enum step_way way)
{
	(void)way;
	return kind == STEP_RESET ? 300 : 5000;
}

static int reset_hangs(struct host *h, const char *path, const void *data, size_t len)
{
	if (strstr(path, "01:00.0/reset") && !strstr(path, "reset_method"))
		for (;;)
			pause();
	return meaningful_write(h, path, data, len);
}

/* A reset of the card hangs in the kernel with the locks of all its functions: none of them may be
 * touched, not only the one the step is named after. */
static void a_stuck_reset_spares_all_its_functions(void **state)
{
	struct box *b = *state;
	struct device devices[] = { { .bdf = gpu, .group = 14, .chain = 1 }, { .bdf = audio, .group = 14, .chain = 1 } };
	struct step steps[] = { STEP(BIND, "", "vfio-pci", ""), STEP(BIND, "", "vfio-pci", ""),
				STEP(RESET, "", "flr", "0000:01:00.0 0000:01:00.1") };
	struct plan plan = { .vmid = 100, .devices = devices, .n_devices = 2, .steps = steps, .n_steps = 3, .chains = 1 };
	struct lease l = LEASE_INIT;
	struct runner r = { .h = &b->h, .lease = &l, .limit = short_limit, .cancel = -1 };

	steps[1].bdf = audio;
	move_to(b, gpu, "");
	move_to(b, audio, "");
	b->ops.write = reset_hangs;
	assert_int_equal(tfs_mkdirs(b->h.rootfd, "/run"), 0);
	assert_int_equal(lease_prepare(&b->h, &b->e), 0);
	assert_int_equal(lease_create(&b->h, &plan, (struct lease_process){ 1, 1 }, false, &l, &b->e), 0);
	r.deadline = host_now(&b->h) + 20000;
	assert_int_equal(run_forward(&r, &b->e), -ETIMEDOUT);
	assert_int_equal(r.report.stuck, 1);
	b->e = (struct err)ERR_INIT;
	(void)!run_back(&r, &b->e);
	kill(l.stuck.pid, SIGKILL);
	lease_release(&l);
	assert_string_equal(bus_driver(b->h.rootfd, gpu).s, "vfio-pci");
	assert_string_equal(bus_driver(b->h.rootfd, audio).s, "vfio-pci");
}

int main(void)
{
#define BOX(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		BOX(power), BOX(override), BOX(unbind_and_back), BOX(unbind_never_from_another), BOX(bind_and_back),
		BOX(bind_is_not_taken_back_while_open), BOX(bind_without_a_baseline_is_not_blindly_taken_back),
		BOX(method_is_put_back), BOX(reset_only_on_vfio), BOX(check_wants_it_on_vfio),
		BOX(a_write_without_effect_is_noticed), BOX(a_device_that_left), BOX(unknown_kinds),
		cmocka_unit_test(every_kind_has_words_and_a_limit), cmocka_unit_test(long_words_are_cut),
		BOX(a_stuck_reset_spares_all_its_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
