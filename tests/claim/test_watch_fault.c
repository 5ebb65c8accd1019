// SPDX-License-Identifier: GPL-2.0-or-later
/* The keeper of leases when things go wrong: writes that hang, drivers that refuse, broken leases, a
 * stop in the middle. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper.h"
#include "str.h"

static unsigned lines_with(struct play *p, const char *part)
{
	char *text, *cursor, *line;
	unsigned n = 0;
	size_t len;

	if (host_read_file(&p->k.host, KEEPER_NOTES, 1 << 20, &text, &len) < 0)
		return 0;
	cursor = text;
	while ((line = str_token(&cursor, "\n")))
		n += strstr(line, part) != NULL;
	free(text);
	return n;
}

/* The lines that the administrator got. */
static unsigned told(struct play *p, const char *part)
{
	fake_settle(&p->k, KEEPER_PATIENCE_MS);
	return lines_with(p, part);
}

/* The same by a watch that is still at work: until so many are there. */
static unsigned told_meanwhile(struct play *p, const char *part, unsigned n)
{
	for (unsigned ms = 0; ms < KEEPER_PATIENCE_MS && lines_with(p, part) < n; ms += 10)
		usleep(10000);
	return lines_with(p, part);
}

static unsigned hung;

static void hang_in(struct play *p, const char *phase, const char *op)
{
	struct fake_fault f = { .kind = FAKE_HANG_LOCKED, .times = 1 };
	struct keeper k;

	snprintf(f.match, sizeof(f.match), "%s", op);
	fake_kernel_rewind(&p->k);
	fake_fault_add(&p->k, f);
	if (play_hook_limited(p, p->s->vmid, phase, 6000 / play_scale(20)) == 0)
		fail_msg("'%s' was to hang in %s", op, phase);
	assert_true(fake_hanging(&p->k) > 0);
	keeper_start(p, &k);
	keeper_says(&k, "hangs in the kernel");
	assert_false(keeper_ended(&k, KEEPER_QUIET_MS));
	assert_null(strstr(keeper_said(&k), "gave back"));
	hung++;
	assert_int_equal(told_meanwhile(p, "a step hangs in the kernel", hung), hung);
	fake_fault_clear(&p->k);
	fake_hang_release(&p->k);
	keeper_says(&k, "has come back from the kernel");
	keeper_ends(&k, 0);
	play_same(p, "watch after '%s' of %s had hung", op, phase);
}

static void test_hung_hook(void **state)
{
	struct play p;

	(void)state;
	hung = 0;
	play_open(&p, &scenarios[0]);
	hang_in(&p, "pre-start", "drivers/nvidia/unbind");
	hang_in(&p, "pre-start", "drivers/vfio-pci/bind");
	play_claim(&p, p.s->vmid);
	hang_in(&p, "post-stop", "drivers/vfio-pci/unbind");
	play_claim(&p, p.s->vmid);
	hang_in(&p, "post-stop", "drivers/nvidia/bind");
	play_close(&p);
}

/* Its own write hangs; meanwhile the card of another VM comes back. */
static void test_hung_watch(void **state)
{
	static const struct scenario both = { .tree = "twins", .vmid = 100 };
	struct fake_fault f = { .kind = FAKE_HANG_LOCKED, .match = "drivers/vfio-pci/unbind 0000:42", .times = 1 };
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &both);
	play_claim(&p, 100);
	play_claim(&p, 101);
	fake_fault_add(&p.k, f);
	keeper_limit_ms = 600;
	keeper_start(&p, &k);
	keeper_limit_ms = 0;
	keeper_says(&k, "VM 101: the start failed: Proxmox is through with it and no QEMU came up: gave back");
	keeper_says(&k, "VM 100: the start failed: Proxmox is through with it and no QEMU came up; ");
	assert_false(keeper_ended(&k, KEEPER_QUIET_MS));
	fake_fault_clear(&p.k);
	fake_hang_release(&p.k);
	keeper_says(&k, "VM 100: the step that hung has come back from the kernel: gave back");
	keeper_ends(&k, 0);
	play_same(&p, "after watch's own write had hung");
	play_close(&p);
}

/* The driver refuses `times` times; watch tries four times in all. */
static void refuse(struct play *p, unsigned times)
{
	struct keeper k;

	play_claim(p, p->s->vmid);
	fake_kernel_rewind(&p->k);
	fake_fault_add(&p->k, (struct fake_fault){ .kind = FAKE_FAIL, .match = "drivers/nvidia/bind", .err = EIO,
						   .times = times });
	keeper_start(p, &k);
	if (times) {
		keeper_ends(&k, 0);
		play_same(p, "after %u refusals", times);
		return;
	}
	keeper_says(&k, "tried 4 times");
	assert_false(keeper_ended(&k, KEEPER_QUIET_MS));
	fake_fault_clear(&p->k);
	assert_int_equal(play_hook(p, p->s->vmid, "post-stop"), 0);	/* as 'release' does */
	keeper_ends(&k, 0);
	play_same(p, "after it was given back by hand");
}

/* Every incident once, also by a watch that was started again in the middle; what ends well, never. */
static void test_administrator(void **state)
{
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	refuse(&p, 3);
	assert_int_equal(told(&p, ""), 0);
	play_claim(&p, p.s->vmid);
	fake_kernel_rewind(&p.k);
	fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_FAIL, .match = "drivers/nvidia/bind", .err = EIO });
	for (int i = 0; i < 2; i++) {
		keeper_notify_ms = 6000;	/* more than anybody waits for a lease's lock */
		keeper_start(&p, &k);
		keeper_notify_ms = 0;
		keeper_says(&k, "tried 4 times");
		assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 1);
		assert_non_null(strstr(p.o.output, "cannot bind 0000:0a:00.0 to nvidia"));
		keeper_stop(&k);
		keeper_ends(&k, 1);
		assert_int_equal(told(&p, "VM 100: "), 1);
		assert_int_equal(told(&p, "'pve-gpu release 100' tries again"), 1);
	}
	fake_fault_clear(&p.k);
	assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
	keeper_start(&p, &k);
	keeper_ends(&k, 0);
	play_put(&p, "/run/pve-gpu/leases/100", "rubbish\n");
	keeper_start(&p, &k);
	keeper_ends(&k, 0);
	assert_int_equal(told(&p, "put aside"), 1);
	assert_int_equal(told(&p, ""), 2);
	play_close(&p);
}

/* The journal gets each event with its fields, and nobody else gets it as well. */
static void test_journal(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char got[2048] = "";
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	(void)host_mkdir(&p.k.host, "/run/systemd", 0755);
	(void)host_mkdir(&p.k.host, "/run/systemd/journal", 0755);
	snprintf(at.sun_path, sizeof(at.sun_path), "%.60s/run/systemd/journal/socket", p.k.tree.dir);
	assert_int_equal(bind(journald, (const struct sockaddr *)&at, sizeof(at)), 0);
	play_claim(&p, p.s->vmid);
	keeper_has_journal = true;
	keeper_start(&p, &k);
	keeper_has_journal = false;
	keeper_ends(&k, 0);
	assert_string_equal(k.said, "");
	assert_true(recv(journald, got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
	assert_non_null(strstr(got, "\nMESSAGE=VM 100: the start failed: Proxmox is through with it and no QEMU came up: gave back"));
	assert_non_null(strstr(got, "\nOBJECT_SYSTEMD_UNIT=pve-gpu-watch.service\n"));
	assert_non_null(strstr(got, "\nPVE_GPU_EVENT=gave-back\nPVE_GPU_VMID=100\nPVE_GPU_DEVICE=0000:0a:00.0\n"
			       "PVE_GPU_DEVICE=0000:0a:00.1\n"));
	close(journald);
	play_close(&p);
}

static void test_refusing_driver(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	refuse(&p, 1);
	refuse(&p, 3);
	refuse(&p, 0);
	play_close(&p);
}

static const struct scenario stops = {
	.tree = "shared-card", .vmid = 100, .settings = "[claim]\nservices = auto\ncontainers = stop\nprocesses = term\n",
};
static const char ollama[] = "run /usr/bin/systemctl start -- ollama.service";

/* A service that does not come up again keeps nobody's device: it is tried until it does. */
static void test_service_stays_down(void **state)
{
	struct fake_fault f = { .kind = FAKE_FAIL, .err = EIO };
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &stops);
	play_claim(&p, 100);
	snprintf(f.match, sizeof(f.match), "%s", ollama);
	fake_kernel_rewind(&p.k);
	fake_fault_add(&p.k, f);
	keeper_start(&p, &k);
	keeper_says(&k, "its devices are back, but: cannot start ollama.service again");
	for (unsigned ms = 0; ms < KEEPER_PATIENCE_MS && fake_log_find(&p.k, ollama) < 7; ms += 10)
		usleep(10000);
	assert_true(fake_log_find(&p.k, ollama) >= 7);
	fake_fault_clear(&p.k);
	keeper_says(&k, "gave back");
	keeper_ends(&k, 0);
	assert_int_equal(told(&p, "tried 4 times"), 1);
	assert_int_equal(told(&p, ""), 1);
	play_same(&p, "after the service had come up");
	play_close(&p);
}

/* The number of the last operation with this in its text. */
static unsigned last(const struct play *p, const char *part)
{
	unsigned n = fake_log_count(&p->k);

	while (n > 0 && !strstr(fake_log(&p->k, n), part))
		n--;
	return n;
}

/* A card that does not come back at once: its service is started when it is there, or when nobody tries any more. */
static void test_service_waits_for_card(void **state)
{
	static const char bind[] = "write /sys/bus/pci/drivers/amdgpu/bind";
	struct fake_fault f = { .kind = FAKE_FAIL, .err = EIO };
	struct play p;

	(void)state;
	snprintf(f.match, sizeof(f.match), "%s", bind);
	play_open(&p, &stops);
	for (unsigned times = 0; times < 3; times += 2) {
		struct keeper k;

		play_claim(&p, 100);
		fake_kernel_rewind(&p.k);
		f.times = times;
		fake_fault_add(&p.k, f);
		keeper_start(&p, &k);
		keeper_says(&k, times ? "gave back" : "tried 4 times");
		assert_non_null(strstr(k.said, "not done before the devices are back or the last try has failed, or before "
				       "'pve-gpu release 100': start ollama.service again"));
		assert_int_equal(fake_log_find(&p.k, ollama), 1);
		assert_true(last(&p, bind) < last(&p, ollama));
		fake_fault_clear(&p.k);
		if (!times)
			assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
		keeper_ends(&k, 0);
		play_same(&p, "after %u refusals", times);
	}
	/* Without a watch nobody would. */
	play_claim(&p, 100);
	fake_kernel_rewind(&p.k);
	f.times = 1;
	fake_fault_add(&p.k, f);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 1);
	assert_int_equal(fake_log_find(&p.k, ollama), 1);
	fake_fault_clear(&p.k);
	assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
	play_same(&p, "without a watch");
	play_close(&p);
}

/* Told to stop in the middle: what was begun is finished first. */
static void test_stop(void **state)
{
	struct keeper k;
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	play_claim(&p, p.s->vmid);
	fake_kernel_rewind(&p.k);
	fake_fault_add(&p.k, (struct fake_fault){ .kind = FAKE_DELAY, .match = "drivers/vfio-pci/unbind", .ms = 300,
						  .times = 1 });
	keeper_start(&p, &k);
	while (fake_log_find(&p.k, "drivers/vfio-pci/unbind") == 0)
		usleep(2000);
	keeper_stop(&k);
	keeper_ends(&k, 1);
	fake_fault_clear(&p.k);
	play_same(&p, "after a stop in the middle");

	play_claim(&p, p.s->vmid);
	play_vm_up(&p, true);
	keeper_start(&p, &k);
	keeper_is_quiet(&p, &k, "before the stop");
	keeper_stop(&k);
	keeper_ends(&k, 1);
	play_taken(&p, p.s->vmid, "after a stop while the VM runs");
	play_close(&p);
}

static void test_broken_lease(void **state)
{
	static const char *const texts[] = {
		"", "rubbish\n", "pve-gpu-lease 1 vmid=100 boot=x task=1:1 #00000000\n", "\1\2\3",
	};
	struct play p;

	(void)state;
	play_open(&p, &scenarios[0]);
	play_claim(&p, p.s->vmid);
	assert_int_equal(play_hook(&p, p.s->vmid, "post-stop"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		play_put(&p, "/run/pve-gpu/leases/100", texts[i]);
		play_put(&p, "/run/pve-gpu/leases/notes.txt", "foreign");
		fake_kernel_rewind(&p.k);
		keeper_to_end(&p, "a broken lease", (unsigned)i);
		assert_non_null(strstr(p.o.output, "damaged"));
		assert_non_null(strstr(p.o.output, "'notes.txt'"));
		assert_true(host_exists(&p.k.host, host_path("/run/pve-gpu/broken/100.%zu", i).s));
		assert_true(host_exists(&p.k.host, host_path("/run/pve-gpu/broken/notes.txt.%zu", i).s));
		assert_int_equal(fake_log_find(&p.k, "/sys/"), 0);
		play_same(&p, "broken lease %zu", i);
	}
	assert_int_equal(mkdir(host_path("%s/run/pve-gpu/leases/100", p.k.tree.dir).s, 0700), 0);
	keeper_to_end(&p, "a folder in a lease's place", 0);
	play_same(&p, "a folder in a lease's place");
	play_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hung_hook),
		cmocka_unit_test(test_hung_watch),
		cmocka_unit_test(test_refusing_driver),
		cmocka_unit_test(test_administrator),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_service_stays_down),
		cmocka_unit_test(test_service_waits_for_card),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_broken_lease),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
