// SPDX-License-Identifier: GPL-2.0-or-later
/* Virtual functions that a start makes: they are there as long as a VM needs them, whatever fails, dies or
 * hangs on the way, and what somebody else has made stays. */
#include "keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "treefs.h"

#define NUMVFS "/sys/bus/pci/devices/0000:01:00.0/sriov_numvfs"

static const struct scenario makes = { .tree = "nic-vfs-lent", .vmid = 100, .rival = 101, .fresh = true };

static const struct bdf pf = { 0, 1, 0, 0 }, vf1 = { 0, 1, 2, 1 };

static void says(const struct play *p, const char *text)
{
	if (!strstr(p->o.output, text))
		fail_msg("it does not say '%s', but:\n%s", text, p->o.output);
}

static void number(struct play *p, const char *want)
{
	if (strcmp(tree_attr(p->k.tree.dir, pf, "sriov_numvfs").s, want) != 0)
		fail_msg("there are %s virtual functions instead of %s; the hook said:\n%s",
			 tree_attr(p->k.tree.dir, pf, "sriov_numvfs").s, want, p->o.output);
}

/* The card as it is before anybody has made some. */
static void begin(struct play *p)
{
	play_open(p, &makes);
	assert_int_equal(host_write(&p->k.host, NUMVFS, "0"), 0);
	number(p, "0");
	fake_kernel_rewind(&p->k);
	free(p->before);
	p->before = fake_kernel_dump(&p->k, TREE_LEASES);
	assert_non_null(p->before);
}

static void stop_vm(struct play *p, unsigned vmid, const char *what, unsigned n)
{
	if (play_hook(p, vmid, "post-stop") != 0)
		fail_msg("post-stop of VM %u after %s %u (%s): %s", vmid, what, n, fake_log(&p->k, n), p->o.output);
}

static void as_before(struct play *p, const char *what, unsigned n)
{
	number(p, "0");
	play_same(p, "%s %u", what, n);
	assert_string_equal(tree_attr(p->k.tree.dir, pf, "sriov_drivers_autoprobe").s, "1");
	assert_string_equal(tree_attr(p->k.tree.dir, pf, "driver").s, "i40e");
}

static void test_made_and_taken_away(void **state)
{
	struct play p;

	(void)state;
	begin(&p);
	play_claim(&p, 100);
	number(&p, "2");
	play_taken(&p, 100, "a start");
	play_vm_up(&p, true);
	fake_vm_end(&p.k, 100);
	stop_vm(&p, 100, "a run", 0);
	says(&p, "0000:01:00.0: the virtual functions are gone");
	as_before(&p, "a run", 0);
	play_close(&p);
}

/* The VM's own does not come back: all of them wait for it. */
static void test_wait_for_their_own(void **state)
{
	struct play p;

	(void)state;
	begin(&p);
	play_claim(&p, 100);
	fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_FAIL, .match = "vfio-pci/unbind", .err = EIO, .times = 1 });
	assert_int_equal(play_hook(&p, 100, "post-stop"), 1);
	number(&p, "2");
	says(&p, "cannot unbind 0000:01:02.0 from vfio-pci");
	assert_null(strstr(p.o.output, "are gone"));
	stop_vm(&p, 100, "a failure", 0);
	says(&p, "0000:01:00.0: the virtual functions are gone");
	as_before(&p, "a failure", 0);
	play_close(&p);
}

/* A program of the host's has begun to use one. */
static void test_stay_where_they_are_used(void **state)
{
	struct play p;

	(void)state;
	begin(&p);
	play_claim(&p, 100);
	assert_int_equal(host_write(&p.k.host, "/sys/bus/pci/drivers_probe", "0000:01:02.1"), 0);
	assert_string_equal(tree_attr(p.k.tree.dir, vf1, "driver").s, "iavf");
	stop_vm(&p, 100, "a run", 0);
	says(&p, "0000:01:00.0: the virtual functions stay: somebody else has them");
	number(&p, "2");
	play_close(&p);
}

/* Two VMs have one each; between its claim and its QEMU nobody has the second one open, and before its
 * steps it is on no driver. */
static void test_the_last_one_takes_them_away(void **state)
{
	struct play p;

	(void)state;
	begin(&p);
	play_claim(&p, 100);
	play_claim(&p, 101);
	number(&p, "2");
	stop_vm(&p, 100, "a run beside VM 101", 0);
	says(&p, "0000:01:00.0: the virtual functions stay: somebody else has them");
	number(&p, "2");
	play_taken(&p, 101, "after the other one");
	stop_vm(&p, 101, "the last run", 0);
	says(&p, "0000:01:00.0: the virtual functions are gone");
	as_before(&p, "two runs", 0);
	play_close(&p);
}

/* The second start has written down its lease, and no more: the functions are left to it. */
static void test_left_to_a_start(void **state)
{
	(void)state;
	for (int again = 0; again < 2; again++) {
		struct play p;

		begin(&p);
		play_claim(&p, 100);
		fake_kernel_rewind(&p.k);
		fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_KILL_AFTER, .match = "rename /run/pve-gpu/leases/.101", .times = 1 });
		assert_int_equal(play_hook(&p, 101, "pre-start"), -1);
		stop_vm(&p, 100, "a run beside a start", 0);
		number(&p, "2");
		if (again) {
			play_claim(&p, 101);
			play_taken(&p, 101, "a start beside an end");
		}
		stop_vm(&p, 101, "a start beside an end", 0);
		as_before(&p, "a start beside an end", 0);
		play_close(&p);
	}
}

/* While the first start makes them, with the attribute changed for a moment and before there is one: the second
 * one plans with the first one's number, whatever its own settings say, and with what was there before. */
static void test_plans_with_the_maker(void **state)
{
	struct lease l = LEASE_INIT;
	struct err e = ERR_INIT;
	struct play p;

	(void)state;
	begin(&p);
	fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_KILL_BEFORE, .match = "sriov_numvfs 2", .times = 1 });
	assert_int_equal(play_hook(&p, 100, "pre-start"), -1);
	assert_string_equal(tree_attr(p.k.tree.dir, pf, "sriov_drivers_autoprobe").s, "0");
	play_put(&p, "/etc/pve-gpu/settings.ini", "[claim]\nvfs = 8\n");
	play_claim(&p, 101);
	number(&p, "2");
	assert_int_equal(lease_load(&p.k.host, 101, &l, &e), 0);
	for (size_t i = 0; i < l.plan.n_steps; i++)
		if (l.plan.steps[i].kind == STEP_VFS)
			assert_string_equal(l.plan.steps[i].keep, "1");
	lease_release(&l);
	stop_vm(&p, 100, "a kill", 0);
	stop_vm(&p, 101, "a kill of another one", 0);
	as_before(&p, "a kill beside a start", 0);
	play_close(&p);
}

static int run_tool(struct host *h, void *arg)
{
	struct cli c = { .h = h, .to = stdout, .chatter = stdout };
	char name[] = "pve-gpu", command[16], option[16], what[16];
	char *argv[] = { name, command, option, what, NULL };
	int status;

	(void)arg;
	snprintf(command, sizeof(command), "release");
	snprintf(option, sizeof(option), "--abandon");
	snprintf(what, sizeof(what), "100");
	status = cli_main(&c, 4, argv);
	fflush(stdout);
	return status;
}

static void give_up(struct play *p)
{
	assert_int_equal(fake_main_run(&p->k, run_tool, NULL, KEEPER_PATIENCE_MS, &p->o), 0);
	if (p->o.timed_out || p->o.status != 0)
		fail_msg("release --abandon: %d: %s", p->o.status, p->o.output);
}

static void hook_hangs(struct play *p, const char *phase, const char *match)
{
	struct fake_fault f = { .kind = FAKE_HANG, .times = 1 };

	fake_kernel_rewind(&p->k);
	snprintf(f.match, sizeof(f.match), "%s", match);
	fake_fault_add(&p->k, f);
	fake_settings(&p->k)->time_scale = play_scale(20);
	assert_int_equal(play_hook_limited(p, 100, phase, 8000), 1);
	assert_int_equal(fake_hanging(&p->k), 1);
}

/* A virtual function hangs and is given up: no second writer comes near it by way of its card. */
static void test_given_up_with_one(void **state)
{
	struct play p;

	(void)state;
	begin(&p);
	play_claim(&p, 100);
	hook_hangs(&p, "post-stop", "vfio-pci/unbind");
	give_up(&p);
	says(&p, "the virtual functions of 0000:01:00.0 stay");
	assert_int_equal(fake_log_find(&p.k, "sriov_numvfs"), 0);
	number(&p, "2");
	play_close(&p);
}

/* Making them hangs and is given up: no other VM makes any there. */
static void test_given_up_while_made(void **state)
{
	struct play p;

	(void)state;
	begin(&p);
	hook_hangs(&p, "pre-start", "sriov_numvfs 2");
	give_up(&p);
	assert_int_equal(play_hook(&p, 101, "pre-start"), 4);
	says(&p, "0000:01:00.0, whose virtual functions are to be made, is held by a step that hangs");
	assert_int_equal(fake_log_find(&p.k, "sriov_numvfs"), 1);
	fake_hang_release(&p.k);
	fake_settle(&p.k, 3000);
	play_close(&p);
}

/* --- every operation fails, dies, hangs ---------------------------------------------------------- */

static void fail_at(bool back, unsigned n)
{
	struct play p;

	begin(&p);
	if (back)
		play_claim(&p, 100);
	play_fail_at(&p, n, EIO);
	(void)play_hook(&p, 100, back ? "post-stop" : "pre-start");
	fake_fault_clear(&p.k);
	stop_vm(&p, 100, "a failure at", n);
	as_before(&p, "a failure at", n);
	play_close(&p);
}

static void kill_at(bool back, unsigned n)
{
	for (unsigned turn = 0; turn < 3; turn++) {
		struct play p;

		begin(&p);
		if (back)
			play_claim(&p, 100);
		play_kill_at(&p, n, turn);
		(void)play_hook(&p, 100, back ? "post-stop" : "pre-start");
		fake_fault_clear(&p.k);
		fake_settle(&p.k, 3000);
		stop_vm(&p, 100, "a kill at", n);
		as_before(&p, "a kill at", n);
		play_close(&p);
	}
}

static bool is_about_vfs(const char *op)
{
	return strstr(op, "sriov_") != NULL;
}

static void hang_at(bool back, unsigned n)
{
	struct play p;

	begin(&p);
	if (back)
		play_claim(&p, 100);
	fake_kernel_rewind(&p.k);
	fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_HANG, .at = n, .times = 1 });
	fake_settings(&p.k)->time_scale = play_scale(20);
	(void)play_hook_limited(&p, 100, back ? "post-stop" : "pre-start", 8000);
	says(&p, "stuck");
	fake_hang_release(&p.k);
	fake_fault_clear(&p.k);
	fake_settle(&p.k, 3000);
	fake_settings(&p.k)->time_scale = 1;
	stop_vm(&p, 100, "a hang at", n);
	as_before(&p, "a hang at", n);
	play_close(&p);
}

static void each_operation(void (*act)(bool back, unsigned n), bool only_vfs)
{
	for (int back = 0; back < 2; back++) {
		bool wanted[256] = { false };
		unsigned last, found = 0;
		struct play p;

		begin(&p);
		if (back)
			play_claim(&p, 100);
		last = play_writes(&p, back ? "post-stop" : "pre-start");
		assert_true(last > 4 && last < ARRAY_SIZE(wanted));
		for (unsigned n = 1; n <= last; n++)
			found += wanted[n] = !only_vfs || is_about_vfs(fake_log(&p.k, n));
		play_close(&p);
		assert_true(found > 0);
		for (unsigned n = 1; n <= last; n += only_vfs ? 1 : play_stride())
			if (wanted[n])
				act(back, n);
	}
}

static void test_failures(void **state)
{
	(void)state;
	each_operation(fail_at, false);
}

static void test_kills(void **state)
{
	(void)state;
	each_operation(kill_at, false);
}

static void test_hangs(void **state)
{
	(void)state;
	each_operation(hang_at, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_and_taken_away),
		cmocka_unit_test(test_wait_for_their_own),
		cmocka_unit_test(test_stay_where_they_are_used),
		cmocka_unit_test(test_the_last_one_takes_them_away),
		cmocka_unit_test(test_left_to_a_start),
		cmocka_unit_test(test_plans_with_the_maker),
		cmocka_unit_test(test_given_up_with_one),
		cmocka_unit_test(test_given_up_while_made),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_kills),
		cmocka_unit_test(test_hangs),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
