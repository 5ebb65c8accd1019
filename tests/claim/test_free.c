// SPDX-License-Identifier: GPL-2.0-or-later
/* A card that the host uses: a service, a container and a process are stopped for the VM and, as far as they
 * can be, started again; exactly those, exactly once, whatever fails, dies or hangs on the way. */
#include "keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "treefs.h"

static const struct scenario refuses = { .tree = "shared-card", .vmid = 100 };
static const struct scenario stops = {
	.tree = "shared-card", .vmid = 100, .rival = 101, .fresh = true,
	.settings = "[claim]\nservices = auto\ncontainers = stop\nprocesses = term\n",
};
static const struct scenario lists = {
	.tree = "shared-card", .vmid = 100, .rival = 101, .fresh = true,
	.settings = "[claim]\nservices = stop ollama, cron, not-there\ncontainers = freeze\nprocesses = kill 1\n",
};
static const struct scenario *const both[] = { &stops, &lists };
static unsigned cases;

static void says(const struct play *p, const char *text)
{
	if (!strstr(p->o.output, text))
		fail_msg("it does not say '%s', but:\n%s", text, p->o.output);
}

/* The number of the first operation with this in its text; 0 = there is none. */
static unsigned when(const struct play *p, const char *part)
{
	for (unsigned n = 1; n <= fake_log_count(&p->k); n++)
		if (strstr(fake_log(&p->k, n), part))
			return n;
	return 0;
}

static void in_this_order(const struct play *p, const char *const parts[], size_t n)
{
	unsigned last = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned at = when(p, parts[i]);

		if (at <= last || (!strstr(parts[i], "/sys/bus") && fake_log_find(&p->k, parts[i]) != 1))
			fail_msg("'%s' is operation %u, behind %u, and there are %u of it", parts[i], at, last,
				 fake_log_find(&p->k, parts[i]));
		last = at;
	}
}

static void mark(struct play *p, const char *folder, const char *who)
{
	assert_int_equal(tfs_putf(p->k.host.rootfd, tfs_path("/.fake/%s/%s", folder, who).s, 0644, "yes\n"), 0);
}

/* The machine was changed for a test: so it is to be afterwards. */
static void as_it_is(struct play *p)
{
	free(p->before);
	p->before = fake_kernel_dump(&p->k, TREE_LEASES);
}

static void stop_vm(struct play *p, unsigned vmid, const char *what, unsigned n)
{
	if (play_hook(p, vmid, "post-stop") != 0)
		fail_msg("post-stop of VM %u after %s %u (%s): %s", vmid, what, n, fake_log(&p->k, n), p->o.output);
}

struct words { const char *command, *option, *what; };

static int run_tool(struct host *h, void *arg)
{
	const struct words *w = arg;
	struct cli c = { .h = h, .to = stdout, .chatter = stdout };
	char name[] = "pve-gpu", command[16], option[16], what[16];
	char *argv[] = { name, command, option, what, NULL };
	int status;

	snprintf(command, sizeof(command), "%s", w->command);
	snprintf(option, sizeof(option), "%s", w->option);
	snprintf(what, sizeof(what), "%s", w->what);
	status = cli_main(&c, 4, argv);
	fflush(stdout);
	return status;
}

static int tool(struct play *p, const char *command, const char *option, const char *what)
{
	struct words w = { command, option, what };

	assert_int_equal(fake_main_run(&p->k, run_tool, &w, KEEPER_PATIENCE_MS, &p->o), 0);
	return p->o.status;
}

/* --- as it should be ----------------------------------------------------------------------------- */

static void test_refuses_by_default(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &refuses);
	assert_int_equal(play_hook(&p, 100, "pre-start"), 4);
	says(&p, "held by ollama.service (pid 812)");
	says(&p, "held by jellyfin.service (ffmpeg, pid 901) in container 105");
	says(&p, "held by radeontop (pid 777)");
	assert_int_equal(fake_log_find(&p.k, "run "), 0);
	assert_int_equal(fake_log_find(&p.k, "signal "), 0);
	play_same(&p, "after a refusal");
	play_close(&p);
}

static void test_stops_and_starts(void **state)
{
	static const char *const there[] = {
		"run /usr/bin/systemctl stop -- ollama.service", "run /usr/sbin/pct shutdown 105", "signal 777 15",
		"/sys/bus/pci/drivers/amdgpu/unbind",
	};
	static const char *const back[] = {
		"/sys/bus/pci/drivers/amdgpu/bind", "/usr/sbin/pct start 105",
		"run /usr/bin/systemctl reset-failed -- ollama.service", "run /usr/bin/systemctl start -- ollama.service",
	};
	struct play p;

	(void)state;
	play_open(&p, &stops);
	play_claim(&p, 100);
	in_this_order(&p, there, ARRAY_SIZE(there));
	says(&p, "ollama.service: stopped until the devices are back");
	says(&p, "container 105: stopped until the devices are back");
	says(&p, "process 777 (radeontop): ended");
	(void)tool(&p, "status", "--no-color", "100");
	says(&p, "\n  when they are back: start ollama.service again\n  when they are back: start container 105 again\n");
	(void)tool(&p, "status", "--json", "100");
	says(&p, "\"name\": \"ollama.service\"");
	play_vm_up(&p, true);
	fake_vm_end(&p.k, 100);
	fake_kernel_rewind(&p.k);
	stop_vm(&p, 100, "a run", 0);
	in_this_order(&p, back, ARRAY_SIZE(back));
	says(&p, "ollama.service: started again");
	says(&p, "container 105: started again");
	assert_null(strstr(p.o.output, "777"));
	assert_int_equal(fake_log_find(&p.k, "cron"), 0);
	play_same(&p, "after a run");
	play_close(&p);
}

/* Those of the list that run, whether they have the card open or not; a container that stands still. */
static void test_stops_a_list(void **state)
{
	static const char *const there[] = {
		"stop -- ollama.service", "stop -- cron.service", "write /sys/fs/cgroup/lxc/105/cgroup.freeze 1",
		"/sys/bus/pci/drivers/amdgpu/unbind",
	};
	static const char *const back[] = {
		"/sys/bus/pci/drivers/amdgpu/bind", "write /sys/fs/cgroup/lxc/105/cgroup.freeze 0", "start -- cron.service",
		"start -- ollama.service",
	};
	struct play p;

	(void)state;
	play_open(&p, &lists);
	play_claim(&p, 100);
	in_this_order(&p, there, ARRAY_SIZE(there));
	says(&p, "container 105: frozen until the devices are back");
	assert_int_equal(fake_log_find(&p.k, "not-there"), 0);
	fake_kernel_rewind(&p.k);
	stop_vm(&p, 100, "a run", 0);
	in_this_order(&p, back, ARRAY_SIZE(back));
	play_same(&p, "after a run");
	play_close(&p);
}

/* A service that requires the one with the card, and one that requires that. */
static void depends(struct play *p)
{
	mark(p, "requiredby/ollama.service", "webui.service");
	mark(p, "requiredby/ollama.service", "idle.service");
	mark(p, "requiredby/webui.service", "proxy.service");
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(tfs_link(p->k.host.rootfd, i ? "/run/systemd/units/invocation:webui.service" :
					  "/run/systemd/units/invocation:proxy.service", "0b6f2c9d"), 0);
	as_it_is(p);
}

/* systemd stops them, too, and starts none of them again. */
static void test_what_goes_down_with_it(void **state)
{
	static const struct scenario listed = {
		.tree = "shared-card", .vmid = 100,
		.settings = "[claim]\nservices = stop ollama, webui\ncontainers = freeze\nprocesses = kill 1\n",
	};
	static const struct scenario *const ways[] = { &stops, &listed };
	static const char *const there[] = { "stop -- proxy.service", "stop -- webui.service", "stop -- ollama.service" };
	static const char *const back[] = { "/sys/bus/pci/drivers/amdgpu/bind", " start -- ollama.service",
					    " start -- webui.service", " start -- proxy.service" };
	struct play p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		play_open(&p, ways[i]);
		depends(&p);
		play_claim(&p, 100);
		in_this_order(&p, there, ARRAY_SIZE(there));
		says(&p, "webui.service: stopped until the devices are back");
		fake_kernel_rewind(&p.k);
		stop_vm(&p, 100, "a run", 0);
		in_this_order(&p, back, ARRAY_SIZE(back));
		assert_int_equal(fake_log_find(&p.k, "idle.service"), 0);
		play_same(&p, "after a run");
		play_close(&p);
	}
}

static void test_goes_down_and_is_killed(void **state)
{
	unsigned last;
	struct play p;

	(void)state;
	play_open(&p, &stops);
	depends(&p);
	play_claim(&p, 100);
	last = when(&p, "stop -- ollama.service") + 1;
	play_close(&p);
	for (unsigned n = 1; n <= last; n += play_stride()) {
		play_open(&p, &stops);
		depends(&p);
		play_kill_at(&p, n, 0);
		(void)play_hook(&p, 100, "pre-start");
		fake_fault_clear(&p.k);
		stop_vm(&p, 100, "a kill at", n);
		play_same(&p, "a kill at %u", n);
		play_close(&p);
	}
}

/* By itself it takes nothing along that the host lives by. */
static void test_goes_down_with_the_host(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &stops);
	mark(&p, "requiredby/ollama.service", "pveproxy.service");
	assert_int_equal(tfs_link(p.k.host.rootfd, "/run/systemd/units/invocation:pveproxy.service", "0b6f2c9d"), 0);
	assert_int_equal(play_hook(&p, 100, "pre-start"), 4);
	says(&p, "held by ollama.service (pid 812)");
	says(&p, "'services = auto' does not, because pveproxy.service would go down with it");
	assert_int_equal(fake_log_find(&p.k, " stop "), 0);
	play_close(&p);
}

/* The VM starts again without its post-stop: what the first start has stopped is not forgotten. */
static void test_second_start(void **state)
{
	struct play p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		play_open(&p, both[i]);
		play_claim(&p, 100);
		play_claim(&p, 100);
		stop_vm(&p, 100, "two starts", 0);
		play_same(&p, "after two starts and one stop");
		play_close(&p);
	}
}

/* What somebody types for a card that is in use is no VM's start: nobody is stopped for it. */
static void test_no_trial_stops_anybody(void **state)
{
	static const char *const trials[] = { "reset", "selftest" };
	struct play p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(trials); i++) {
		play_open(&p, &stops);
		assert_int_equal(tool(&p, trials[i], "--no-color", "0000:0a:00.0"), 4);
		says(&p, "held by ollama.service (pid 812)");
		says(&p, "held by jellyfin.service");
		assert_int_equal(fake_log_find(&p.k, "run "), 0);
		assert_int_equal(fake_log_find(&p.k, "signal "), 0);
		play_same(&p, "after a trial that was refused");
		play_close(&p);
	}
}

/* --- who does not want to ------------------------------------------------------------------------ */

static void test_stubborn_process(void **state)
{
	static const struct scenario patient = {
		.tree = "shared-card", .vmid = 100, .settings = "[claim]\nservices = auto\ncontainers = stop\nprocesses = term 2\n",
	};
	struct play p;

	(void)state;
	play_open(&p, &patient);
	mark(&p, "stubborn", "777");
	fake_settings(&p.k)->time_scale = play_scale(20);
	assert_int_equal(play_hook(&p, 100, "pre-start"), 1);
	says(&p, "process 777 (radeontop) did not end within 2 s of SIGTERM");
	assert_int_equal(fake_log_find(&p.k, "signal 777 9"), 0);
	play_same(&p, "a process that does not end");
	play_close(&p);
	play_open(&p, &lists);
	mark(&p, "stubborn", "777");
	fake_settings(&p.k)->time_scale = play_scale(20);
	play_claim(&p, 100);
	assert_int_equal(fake_log_find(&p.k, "signal 777 15"), 1);
	assert_int_equal(fake_log_find(&p.k, "signal 777 9"), 1);
	play_close(&p);
}

static void test_zombie_is_an_end(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &stops);
	mark(&p, "orphan", "777");
	fake_settings(&p.k)->time_scale = play_scale(20);
	play_claim(&p, 100);
	assert_int_equal(fake_log_find(&p.k, "signal 777 15"), 1);
	play_close(&p);
}

/* A stop that succeeded, and somebody still has the card open: no device is touched, and everybody is back. */
static void refuses_at_the_last_look(const struct scenario *s, void (*prepare)(struct play *p), const char *who)
{
	struct play p;

	play_open(&p, s);
	prepare(&p);
	as_it_is(&p);
	assert_int_equal(play_hook(&p, 100, "pre-start"), 1);
	says(&p, "0000:0a:00.0 is in use although everybody was stopped who was to be: held by ");
	says(&p, who);
	says(&p, "Everything was put back as it was");
	assert_int_equal(fake_log_find(&p.k, "run /usr/bin/systemctl stop -- ollama.service"), 1);
	assert_int_equal(fake_log_find(&p.k, "run /usr/bin/systemctl start -- ollama.service"), 1);
	assert_int_equal(fake_log_find(&p.k, "/unbind"), 0);
	play_same(&p, "after %s", who);
	play_close(&p);
}

static void leaves_a_process(struct play *p)
{
	mark(p, "leaves", "ollama.service");
}

/* As where the control groups are of the old kind: there it is not to be seen whether it runs. */
static void hides_the_container(struct play *p)
{
	assert_int_equal(tfs_remove(p->k.host.rootfd, "/sys/fs/cgroup/lxc"), 0);
}

static void test_looks_again(void **state)
{
	(void)state;
	refuses_at_the_last_look(&stops, leaves_a_process, "ollama.service (pid 812)");
	refuses_at_the_last_look(&stops, hides_the_container, "jellyfin.service (ffmpeg, pid 901) in container 105");
	refuses_at_the_last_look(&lists, hides_the_container, "jellyfin.service (ffmpeg, pid 901) in container 105");
}

/* The card is the host's again, and another VM's if it wants it; the service is tried again later. */
static void test_service_stays_down(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &stops);
	play_claim(&p, 100);
	mark(&p, "broken", "ollama.service");
	assert_int_equal(play_hook(&p, 100, "post-stop"), 1);
	says(&p, "'systemctl start ollama.service' ended with status 1");
	assert_string_equal(tree_attr(p.k.tree.dir, (struct bdf){ 0, 0x0a, 0, 0 }, "driver").s, "amdgpu");
	play_claim(&p, 101);
	stop_vm(&p, 101, "the other one's run", 0);
	assert_int_equal(tfs_remove(p.k.host.rootfd, "/.fake/broken"), 0);
	keeper_to_end(&p, "a service that did not start", 0);
	play_same(&p, "after the service was repaired");
	play_close(&p);
}

/* The way back hangs for ever: nobody is started beside it, until somebody gives the device up. */
static void test_given_up(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &stops);
	play_claim(&p, 100);
	fake_kernel_rewind(&p.k);
	fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_HANG, .match = "write /sys/bus/pci/drivers/amdgpu/bind", .times = 1 });
	fake_settings(&p.k)->time_scale = play_scale(20);
	assert_int_equal(play_hook_limited(&p, 100, "post-stop", 8000), 1);
	says(&p, "before 'pve-gpu release --abandon 100': start ollama.service again");
	says(&p, "before 'pve-gpu release --abandon 100': start container 105 again");
	assert_int_equal(fake_log_find(&p.k, "run "), 0);
	assert_int_equal(tool(&p, "release", "--abandon", "100"), 0);
	says(&p, "start ollama.service again: done");
	assert_int_equal(fake_log_find(&p.k, "run /usr/bin/systemctl start -- ollama.service"), 1);
	assert_int_equal(fake_log_find(&p.k, "/usr/sbin/pct start 105"), 1);
	play_close(&p);
}

/* --- another VM ---------------------------------------------------------------------------------- */

#define SHARED "[claim]\nservices = auto\ncontainers = stop\nprocesses = term\n"
static const struct scenario shuts_down = { .tree = "shared-card", .vmid = 100, .settings = SHARED "other_vm = shutdown 30\n" };
static const struct scenario pulls_the_plug = { .tree = "shared-card", .vmid = 100, .settings = SHARED "other_vm = stop\n" };
static const struct scenario waits = { .tree = "shared-card", .vmid = 100, .settings = SHARED "other_vm = wait 5\n" };

/* VM 101 runs on the card. */
static void other_vm_runs(struct play *p, const struct scenario *s)
{
	static const struct bdf card[] = { { 0, 0x0a, 0, 0 }, { 0, 0x0a, 0, 1 } };
	struct err e = ERR_INIT;

	play_open(p, s);
	play_claim(p, 101);
	if (fake_vm_start(&p->k, 101, card, 2, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	fake_kernel_rewind(&p->k);
	fake_settings(&p->k)->time_scale = play_scale(20);
}

static void gets_it(struct play *p, const char *command)
{
	if (play_hook(p, 100, "pre-start") != 0)
		fail_msg("pre-start: %s", p->o.output);
	play_taken(p, 100, "from another VM");
	assert_int_equal(fake_log_find(&p->k, "run /usr/sbin/qm"), 1);
	assert_int_equal(fake_log_find(&p->k, command), 1);
	assert_int_equal(fake_log_find(&p->k, "systemctl start -- ollama"), 1);	/* VM 101 has given back */
	stop_vm(p, 100, "a start that ended VM 101", 0);
	play_same(p, "after a start that ended VM 101");
	play_close(p);
}

static void test_other_vm_ends(void **state)
{
	struct play p;

	(void)state;
	other_vm_runs(&p, &shuts_down);
	gets_it(&p, "qm shutdown 101 --timeout 30");
	other_vm_runs(&p, &pulls_the_plug);
	gets_it(&p, "qm stop 101 --timeout 60");
	/* One that has ended already is no reason to call anybody. */
	other_vm_runs(&p, &pulls_the_plug);
	fake_vm_end(&p.k, 101);
	play_claim(&p, 100);
	stop_vm(&p, 100, "a start without need", 0);
	assert_int_equal(fake_log_find(&p.k, "run /usr/sbin/qm"), 0);
	play_close(&p);
}

static void test_other_vm_does_not_end(void **state)
{
	struct play p;

	(void)state;
	other_vm_runs(&p, &shuts_down);
	mark(&p, "deaf", "101");
	assert_int_equal(play_hook(&p, 100, "pre-start"), 4);
	says(&p, "VM 101 has its devices: 'qm shutdown 101', for at most 30 s");
	says(&p, "'qm shutdown' failed: VM quit/powerdown failed - got timeout");
	says(&p, "held by VM 101, which is running");
	says(&p, "Stop that VM first");
	play_taken(&p, 101, "VM 101 after it was not ended");
	play_close(&p);
}

static int stranger_ends_it(struct host *h, void *arg)
{
	struct play *p = arg;

	host_sleep(h, 2000);
	fake_vm_end(&p->k, 101);
	return 0;
}

static void test_other_vm_is_waited_for(void **state)
{
	struct play p;
	pid_t pid;

	(void)state;
	other_vm_runs(&p, &waits);
	assert_int_equal(play_hook(&p, 100, "pre-start"), 4);
	says(&p, "VM 101 has its devices: waiting for its end");
	says(&p, "held by VM 101, which is running");
	assert_int_equal(fake_log_find(&p.k, "run "), 0);
	fake_settings(&p.k)->time_scale = 1;
	pid = fork();
	if (pid == 0)
		_exit(stranger_ends_it(&p.k.host, &p));
	play_claim(&p, 100);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	stop_vm(&p, 100, "a wait", 0);
	play_same(&p, "after a wait");
	play_close(&p);
}

/* Nobody is ended for nothing: something else is in the way, too. */
static void test_other_vm_is_left_alone(void **state)
{
	struct play p;

	(void)state;
	other_vm_runs(&p, &pulls_the_plug);
	play_put(&p, "/etc/pve/qemu-server/100.conf", "hostpci0: 0000:0a:00\nhostpci1: 0000:07:00\n");
	assert_int_equal(play_hook(&p, 100, "pre-start"), 4);
	says(&p, "held by VM 101");
	assert_int_equal(fake_log_find(&p.k, "run /usr/sbin/qm"), 0);
	play_taken(&p, 101, "VM 101, which was left alone");
	play_close(&p);
}

/* --- every operation fails, dies, hangs ---------------------------------------------------------- */

static bool on_device(const char *op)
{
	return strstr(op, "/sys/bus/pci") || strstr(op, "/sys/devices/") || strstr(op, "ioctl");
}

/* Before the first device is touched on the way there, after the last on the way back. */
struct range { unsigned first, last; };

static struct range about_users(const struct play *p, bool back)
{
	struct range r = { 1, fake_log_count(&p->k) };

	for (unsigned n = 1; n <= fake_log_count(&p->k); n++) {
		if (!on_device(fake_log(&p->k, n)))
			continue;
		if (back) {
			r.first = n + 1;
		} else {
			r.last = n;
			break;
		}
	}
	return r;
}

static void begin(struct play *p, const struct scenario *s, bool back)
{
	play_open(p, s);
	if (back)
		play_claim(p, 100);
	cases++;
}

static void fail_at(const struct scenario *s, bool back, unsigned n)
{
	struct play p;

	begin(&p, s, back);
	play_fail_at(&p, n, EIO);
	if (play_hook(&p, 100, back ? "post-stop" : "pre-start") != 0 && !strstr(p.o.output, "cannot"))
		fail_msg("'%s' failed, but the hook only said:\n%s", fake_log(&p.k, n), p.o.output);
	fake_fault_clear(&p.k);
	stop_vm(&p, 100, "a failure at", n);
	play_same(&p, "a failure at %u", n);
	play_close(&p);
}

static void by_post_stop(struct play *p, unsigned n)
{
	stop_vm(p, 100, "a kill at", n);
}

static void by_same_vm(struct play *p, unsigned n)
{
	play_claim(p, 100);
	play_taken(p, 100, "second start after a kill at %u", n);
	stop_vm(p, 100, "a kill and a second start at", n);
}

static void by_rival(struct play *p, unsigned n)
{
	play_claim(p, 101);
	stop_vm(p, 101, "a kill and the rival's start at", n);
}

static void by_watch(struct play *p, unsigned n)
{
	keeper_to_end(p, "a kill", n);
}

static void kill_at(const struct scenario *s, bool back, unsigned n)
{
	static void (*const next[])(struct play *p, unsigned n) = { by_post_stop, by_same_vm, by_rival, by_watch };

	for (size_t i = 0; i < ARRAY_SIZE(next); i++) {
		struct play p;

		begin(&p, s, back);
		play_kill_at(&p, n, (unsigned)i);
		(void)play_hook(&p, 100, back ? "post-stop" : "pre-start");
		fake_fault_clear(&p.k);
		next[i](&p, n);
		play_same(&p, "finished by %zu after a kill at %u", i, n);
		play_close(&p);
	}
}

/* Like an answer of systemd that never comes: the hook ends, what runs is not started twice. */
static void hang_at(const struct scenario *s, bool back, unsigned n)
{
	struct play p;

	begin(&p, s, back);
	fake_kernel_rewind(&p.k);
	fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_HANG, .at = n, .times = 1 });
	fake_settings(&p.k)->time_scale = play_scale(20);
	(void)play_hook_limited(&p, 100, back ? "post-stop" : "pre-start", 8000);
	if (fake_hanging(&p.k))
		says(&p, "stuck");
	fake_hang_release(&p.k);
	fake_fault_clear(&p.k);
	fake_settle(&p.k, 3000);
	fake_settings(&p.k)->time_scale = 1;
	stop_vm(&p, 100, "a hang at", n);
	play_same(&p, "a hang at %u", n);
	play_close(&p);
}

/* A question to systemd is no step: the program that asks is ended in time by host_run(). */
static bool may_hang(const char *op)
{
	if (strstr(op, "systemctl show"))
		return false;
	return strstr(op, "run ") == op || strstr(op, "signal ") == op || strstr(op, "cgroup");
}

static void each_operation(const struct scenario *s, bool back, void (*act)(const struct scenario *s, bool back, unsigned n),
			   bool only_users)
{
	bool wanted[256] = { false };
	struct range r;
	struct play p;

	begin(&p, s, back);
	(void)play_writes(&p, back ? "post-stop" : "pre-start");
	r = about_users(&p, back);
	assert_true(r.first + 6 < r.last && r.last < ARRAY_SIZE(wanted));
	for (unsigned n = r.first; n <= r.last; n++)
		wanted[n] = !only_users || may_hang(fake_log(&p.k, n));
	play_close(&p);
	for (unsigned n = r.first; n <= r.last; n += play_stride())
		if (wanted[n])
			act(s, back, n);
}

static void on_both_ways(void (*act)(const struct scenario *s, bool back, unsigned n), bool only_users)
{
	for (size_t i = 0; i < ARRAY_SIZE(both); i++)
		for (int back = 0; back < 2; back++)
			each_operation(both[i], back, act, only_users);
}

static void test_failures(void **state)
{
	(void)state;
	on_both_ways(fail_at, false);
}

static void test_kills(void **state)
{
	(void)state;
	on_both_ways(kill_at, false);
}

static void test_hangs(void **state)
{
	(void)state;
	on_both_ways(hang_at, true);
}

static int tell(void **state)
{
	(void)state;
	printf("cases: %u operations about a device's users failed, killed and hung\n", cases);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses_by_default),
		cmocka_unit_test(test_stops_and_starts),
		cmocka_unit_test(test_stops_a_list),
		cmocka_unit_test(test_what_goes_down_with_it),
		cmocka_unit_test(test_goes_down_and_is_killed),
		cmocka_unit_test(test_goes_down_with_the_host),
		cmocka_unit_test(test_second_start),
		cmocka_unit_test(test_no_trial_stops_anybody),
		cmocka_unit_test(test_stubborn_process),
		cmocka_unit_test(test_zombie_is_an_end),
		cmocka_unit_test(test_looks_again),
		cmocka_unit_test(test_service_stays_down),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_other_vm_ends),
		cmocka_unit_test(test_other_vm_does_not_end),
		cmocka_unit_test(test_other_vm_is_waited_for),
		cmocka_unit_test(test_other_vm_is_left_alone),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_kills),
		cmocka_unit_test(test_hangs),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, tell);
}
