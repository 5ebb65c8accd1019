// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is stopped for a device by which setting, who never is, and signals that reach nobody else. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "plan_free.h"
#include "proc.h"
#include "step.h"
#include "str.h"
#include "tree.h"
#include "treefs.h"

static const char machine[] =
	"iommu intel\ndriver vfio-pci\nroot 0000:00\n"
	"pci 0000:00:01.0 8086:460d class=060400 bus=01 driver=pcieport group=1\n"
	"pci 0000:01:00.0 10de:2684 class=030000 parent=0000:00:01.0 driver=nvidia group=14 reset=flr\n"
	"pci 0000:01:00.1 10de:22ba class=040300 parent=0000:00:01.0 driver=snd_hda_intel group=14 reset=flr\n";

#define ALL { .services_auto = true, .containers = FREE_CONTAINERS_STOP, .processes = FREE_PROCESSES_KILL, .grace_ms = 3000 }
#define FREEZE { .containers = FREE_CONTAINERS_FREEZE }
#define TERM { .processes = FREE_PROCESSES_TERM, .grace_ms = 2000 }
#define OLLAMA { .pid = 812, .start = 8120, .place = INUSE_ON_HOST, .comm = "ollama", .unit = "ollama.service" }
#define CONTAINER { .pid = 901, .start = 9010, .place = INUSE_IN_CONTAINER, .comm = "ffmpeg", .place_id = "105", \
		    .unit = "jellyfin.service" }
#define LOGIN { .pid = 777, .start = 7770, .place = INUSE_OF_USER, .comm = "Xorg", .unit = "session-4.scope", .place_id = "4" }

/* One user of 01:00.0, or of `fn`; `steps` are those that free it, `refusal` who is told then. */
static const struct {
	const char *name;
	struct free_policy policy;
	struct inuse_who who;
	enum inuse_kind kind;
	enum inuse_weight weight;
	unsigned fn;
	const char *steps, *setting;
} cases[] = {
	{ "nobody may be stopped: a service", { 0 }, OLLAMA, INUSE_PROCESS, INUSE_BUSY, 0, "", "services" },
	{ "nobody may be stopped: a container", { 0 }, CONTAINER, INUSE_PROCESS, INUSE_BUSY, 0, "", "containers" },
	{ "nobody may be stopped: a login", { 0 }, LOGIN, INUSE_PROCESS, INUSE_BUSY, 0, "", "processes" },
	{ "a service", ALL, OLLAMA, INUSE_PROCESS, INUSE_BUSY, 0, "stop ollama.service\n", NULL },
	{ "a service that the unbind would wait for", ALL, OLLAMA, INUSE_PROCESS, INUSE_HANGS, 0, "stop ollama.service\n", NULL },
	{ "a service of a neighbour in the group", ALL, OLLAMA, INUSE_PROCESS, INUSE_HANGS, 1, "stop ollama.service\n", NULL },
	{ "a container", ALL, CONTAINER, INUSE_PROCESS, INUSE_BUSY, 0, "shut down container 105\n", NULL },
	{ "a frozen container", FREEZE, CONTAINER, INUSE_PROCESS, INUSE_BUSY, 0, "freeze container 105\n", NULL },
	{ "freezing does not help an unbind", FREEZE, CONTAINER, INUSE_PROCESS, INUSE_HANGS, 0, "freeze container 105\n",
	  "containers" },
	{ "a login's process", TERM, LOGIN, INUSE_PROCESS, INUSE_BUSY, 0, "end process 777 (Xorg)\n", NULL },
	{ "a service is no mere process", TERM, OLLAMA, INUSE_PROCESS, INUSE_BUSY, 0, "", "services" },
	{ "the host lives by it", ALL, { .pid = 500, .start = 5, .place = INUSE_ON_HOST, .unit = "systemd-logind.service" },
	  INUSE_PROCESS, INUSE_BUSY, 0, "", "" },
	{ "Proxmox's own", ALL, { .pid = 500, .start = 5, .place = INUSE_ON_HOST, .unit = "pvedaemon.service" },
	  INUSE_PROCESS, INUSE_BUSY, 0, "", "" },
	{ "a pattern to systemctl", ALL, { .pid = 5, .start = 5, .place = INUSE_ON_HOST, .unit = "*.service" },
	  INUSE_PROCESS, INUSE_BUSY, 0, "end process 5 ()\n", NULL },
	{ "a name that was made safe is another's", ALL, { .pid = 5, .start = 5, .place = INUSE_ON_HOST, .unit = "a\\x0a.service" },
	  INUSE_PROCESS, INUSE_BUSY, 0, "end process 5 ()\n", NULL },
	{ "process 1", ALL, { .pid = 1, .start = 1, .place = INUSE_ON_HOST, .comm = "systemd", .unit = "init.scope" },
	  INUSE_PROCESS, INUSE_BUSY, 0, "", "" },
	{ "a process whose start nobody could read", ALL, { .pid = 7, .place = INUSE_OF_USER, .comm = "x" },
	  INUSE_PROCESS, INUSE_BUSY, 0, "", "processes" },
	{ "a container of somebody else's", ALL, { .pid = 9, .start = 9, .place = INUSE_IN_CONTAINER, .place_id = "web" },
	  INUSE_PROCESS, INUSE_BUSY, 0, "", "" },
	{ "another VM", ALL, { .pid = 9, .start = 9, .place = INUSE_OF_VM, .place_id = "101" }, INUSE_PROCESS, INUSE_BUSY, 0,
	  "", "" },
	{ "who has it through VFIO", ALL, LOGIN, INUSE_VFIO, INUSE_BUSY, 0, "", "" },
	{ "who does not use it", ALL, LOGIN, INUSE_PROCESS, INUSE_NOTE, 0, "", NULL },
};

struct box { struct tree tree; struct host h; struct snapshot *s; struct plan plan; struct err e; };

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	if (!b || tree_open_text(&b->tree, machine, &b->e) < 0 || host_open(&b->h, b->tree.dir, &b->e) < 0 ||
	    snapshot_load(&b->h, &b->s, &b->e) < 0)
		return -1;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;

	plan_release(&b->plan);
	snapshot_free(b->s);
	host_close(&b->h);
	tree_close(&b->tree);
	free(b);
	return 0;
}

static void build(struct box *b, struct plan_input *in)
{
	static const struct want w = { .bdf = { 0, 1, 0, 0 }, .key = "hostpci0" };

	in->vmid = 100;
	in->snapshot = b->s;
	in->wants = &w;
	in->n_wants = 1;
	plan_release(&b->plan);
	assert_int_equal(plan_build(in, &b->plan, &b->e), 0);
}

/* What comes before the chains, a line each. */
static void users_are(struct box *b, const char *name, const char *want)
{
	struct str got = STR_INIT;

	for (size_t i = 0; i < b->plan.n_steps; i++)
		if (b->plan.steps[i].chain == 0)
			(void)str_addf(&got, "%s\n", step_describe(&b->plan.steps[i], STEP_DO).s);
	if (strcmp(got.s, want) != 0)
		fail_msg("%s: '%s' instead of '%s'", name, got.s, want);
	str_release(&got);
}

static void who_is_stopped(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct inuse_finding f = { .bdf = { 0, 1, 0, cases[i].fn }, .kind = cases[i].kind, .weight = cases[i].weight,
					   .who = cases[i].who, .text = "held by somebody" };
		struct inuse use = { &f, 1, 0 };
		struct plan_input in = { .inuse = &use, .policy.free = cases[i].policy };

		build(b, &in);
		users_are(b, cases[i].name, cases[i].steps);
		if ((b->plan.n_refusals > 0) != (cases[i].setting != NULL))
			fail_msg("%s: %zu refusals", cases[i].name, b->plan.n_refusals);
		if (cases[i].setting && strcmp(b->plan.refusals[0].setting, cases[i].setting) != 0)
			fail_msg("%s: it is the doing of '%s'", cases[i].name, b->plan.refusals[0].setting);
	}
}

/* Two processes of one service are one step; what an earlier start has stopped comes first, and is marked. */
static void each_once(void **state)
{
	static const struct step stopped[] = {
		{ .kind = STEP_SERVICE, .to = "old.service" }, { .kind = STEP_FREEZE, .to = "106" },
	};
	static const struct unit units[] = { { "listed.service" }, { "old.service" } };
	struct inuse_finding f[] = {
		{ .bdf = { 0, 1, 0, 0 }, .weight = INUSE_BUSY, .who = OLLAMA, .text = "x" },
		{ .bdf = { 0, 1, 0, 1 }, .weight = INUSE_BUSY, .who = OLLAMA, .text = "x" },
		{ .bdf = { 0, 1, 0, 0 }, .weight = INUSE_BUSY, .who = CONTAINER, .text = "x" },
		{ .bdf = { 0, 2, 0, 0 }, .weight = INUSE_BUSY, .who = LOGIN, .text = "of a stranger" },
	};
	struct inuse use = { f, ARRAY_SIZE(f), 0 };
	struct plan_input in = { .inuse = &use, .policy.free = ALL, .stopped = stopped, .n_stopped = 2, .units = units, .n_units = 2 };

	build(*state, &in);
	users_are(*state, "each once", "stop old.service\nfreeze container 106\nstop listed.service\nstop ollama.service\n"
		  "shut down container 105\n");
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(((struct box *)*state)->plan.steps[i].kept, i < 2);
}

#define UP(name, other) { { name }, { other } }

/* First who goes down with it; a circle ends; and who is in two places is stopped once. */
static void who_goes_down_comes_first(void **state)
{
	static const struct pull pulls[] = {
		UP("ollama.service", "webui.service"), UP("ollama.service", "b.timer"), UP("webui.service", "c.service"),
		UP("b.timer", "c.service"), UP("c.service", "webui.service"), UP("listed.service", "a\\x2d.mount"),
		UP("listed.service", "pveproxy.service"), UP("other.service", "stranger.service"),
	};
	static const struct unit units[] = { { "listed.service" } };
	struct inuse_finding f = { .bdf = { 0, 1, 0, 0 }, .weight = INUSE_BUSY, .who = OLLAMA, .text = "x" };
	struct inuse use = { &f, 1, 0 };
	struct plan_input in = { .inuse = &use, .policy.free = ALL, .units = units, .n_units = 1, .pulls = pulls,
				 .n_pulls = ARRAY_SIZE(pulls) };
	struct box *b = *state;

	build(b, &in);
	users_are(b, "pulled", "stop pveproxy.service\nstop listed.service\nstop c.service\nstop webui.service\nstop b.timer\n"
		  "stop ollama.service\n");
	assert_int_equal(b->plan.n_warnings, 1);
	assert_string_equal(b->plan.warnings[0].text, "'a\\x2d.mount' goes down with listed.service and is not started again");
	assert_int_equal(b->plan.n_refusals, 0);
}

/* --- steps that must not be ---------------------------------------------------------------------- */

static int serve(struct box *b, struct step s, struct step_reply *a)
{
	struct step_request q;

	memset(&q, 0, sizeof(q));
	q.step = s;
	step_serve(&b->h, NULL, &q, a);
	return a->r;
}

/* The test is the start, and process 777 has started it. */
static void nobody_ends_himself(void **state)
{
	struct box *b = *state;
	struct step s = { .kind = STEP_PROCESS, .from = "7770", .to = "777", .keep = "term 100", .arg = "bash" };
	struct step_reply a;

	assert_true(tfs_putf(b->h.rootfd, tfs_path("/proc/%d/stat", (int)getpid()).s, 0444, "%d (a b) S 600 1 1\n", (int)getpid()) >= 0);
	assert_true(tfs_putf(b->h.rootfd, "/proc/600/stat", 0444, "600 (c) S 777 1 1\n") >= 0);
	assert_int_equal(serve(b, s, &a), -EDEADLK);
	assert_non_null(strstr(a.e.msg, "process 777 is this start's own ancestor"));
	snprintf(s.to, sizeof(s.to), "%d", (int)getpid());
	assert_int_equal(serve(b, s, &a), -EDEADLK);
	snprintf(s.to, sizeof(s.to), "1");
	assert_int_equal(serve(b, s, &a), -EINVAL);
	snprintf(s.to, sizeof(s.to), "-1");
	assert_int_equal(serve(b, s, &a), -EINVAL);
}

static void no_service_stops_itself(void **state)
{
	struct box *b = *state;
	struct step s = { .kind = STEP_SERVICE, .to = "mine.service" };
	struct step_reply a;

	assert_int_equal(serve(b, s, &a), 0);
	assert_int_equal(a.enable, 0);		/* it does not run: nothing to stop, nothing to start */
	assert_int_equal(tfs_link(b->h.rootfd, "/run/systemd/units/invocation:mine.service", "5d1f"), 0);
	assert_true(tfs_putf(b->h.rootfd, "/proc/self/cgroup", 0444, "0::/system.slice/mine.service\n") >= 0);
	assert_int_equal(serve(b, s, &a), -EDEADLK);
	assert_non_null(strstr(a.e.msg, "this start runs in mine.service itself"));
}

/* On the running machine: one that began at another time is somebody else. */
static void signals_reach_one_process(void **state)
{
	struct box *b = *state;
	struct host real;
	int status;
	pid_t pid = fork();
	uint64_t start;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_int_equal(host_open(&real, NULL, &b->e), 0);
	start = proc_start(&real, pid);
	assert_true(start > 0);
	assert_int_equal(host_signal(&real, pid, start + 1, SIGKILL), -ESRCH);
	assert_int_equal(host_signal(&real, pid, 0, SIGKILL), -ESRCH);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	assert_int_equal(host_signal(&b->h, pid, start, SIGKILL), -EPERM);	/* never from a captured tree */
	assert_int_equal(host_signal(&real, pid, start, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_int_equal(host_signal(&real, pid, start, SIGTERM), -ESRCH);
	host_close(&real);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_is_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(each_once, setup, teardown),
		cmocka_unit_test_setup_teardown(who_goes_down_comes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_ends_himself, setup, teardown),
		cmocka_unit_test_setup_teardown(no_service_stops_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(signals_reach_one_process, setup, teardown),
	};

	return cmocka_run_group_tests_name("free", tests, NULL, NULL);
}
