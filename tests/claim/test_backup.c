// SPDX-License-Identifier: GPL-2.0-or-later
/* The backup of a stopped VM: Proxmox locks it, starts it with its devices, and stops it again. */
#include "play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USERS "services = auto\ncontainers = stop\nprocesses = term\n"
#define LOCKED "hostpci0: 0000:0a:00,pcie=1\nlock: backup\nmemory: 8192\n"

static const struct scenario usual = { .tree = "shared-card", .vmid = 100 };
static const struct scenario takes = { .tree = "shared-card", .vmid = 100, .settings = "[claim]\n" USERS "backup = take\n" };
static const struct scenario never = { .tree = "shared-card", .vmid = 100, .settings = "[claim]\n" USERS "backup = refuse\n" };
static const struct scenario if_free = {
	.tree = "shared-card", .vmid = 100, .settings = "[claim]\n" USERS "other_vm = stop\nbackup = take-if-free\n",
};
static const struct scenario idle = { .tree = "gpu-four", .vmid = 100, .settings = "[claim]\nbackup = take-if-free\n" };

static void begins(struct play *p, const struct scenario *s, const char *config)
{
	play_open(p, s);
	play_put(p, "/etc/pve/qemu-server/100.conf", config);
}

static void says(const struct play *p, const char *text)
{
	if (!strstr(p->o.output, text))
		fail_msg("it does not say '%s', but:\n%s", text, p->o.output);
}

static void refuses(struct play *p, const char *why)
{
	fake_kernel_rewind(&p->k);
	assert_int_equal(play_hook(p, 100, "pre-start"), 4);
	says(p, "VM 100: this start is a backup's (lock: backup)");
	says(p, why);
	says(p, "so its backup fails");
	/* Nothing but a question. */
	assert_int_equal(fake_log_find(&p->k, "run "), fake_log_find(&p->k, "run /usr/bin/systemctl show "));
	play_same(p, "after a refused backup");
}

static void takes_and_returns(struct play *p)
{
	play_claim(p, 100);
	says(p, "VM 100: this start is a backup's (lock: backup)");
	play_taken(p, 100, "for a backup");
	play_vm_up(p, true);
	fake_vm_end(&p->k, 100);
	if (play_hook(p, 100, "post-stop") != 0)
		fail_msg("post-stop: %s", p->o.output);
	play_same(p, "after a backup");
}

static void test_as_any_other_start(void **state)
{
	struct play p;

	(void)state;
	begins(&p, &takes, LOCKED);
	takes_and_returns(&p);
	play_close(&p);
}

/* The card is busy and nobody may be stopped: who has it is what the task's log says. */
static void test_a_busy_card(void **state)
{
	struct play p;

	(void)state;
	begins(&p, &usual, LOCKED);
	refuses(&p, "held by ollama.service (pid 812)");
	says(&p, "held by jellyfin.service (ffmpeg, pid 901) in container 105");
	play_close(&p);
	begins(&p, &if_free, LOCKED);
	refuses(&p, "held by ollama.service (pid 812)");
	play_claim(&p, 101);	/* the same settings stop all of them for a start that is none */
	play_close(&p);
}

static void test_a_free_card(void **state)
{
	struct play p;

	(void)state;
	begins(&p, &idle, "hostpci0: 0000:0a:00,pcie=1\nlock: backup\n");
	takes_and_returns(&p);
	play_close(&p);
}

static void test_never(void **state)
{
	struct play p;

	(void)state;
	begins(&p, &never, LOCKED);
	refuses(&p, "'backup = refuse' (/etc/pve-gpu/settings.ini:5) keeps its devices out");
	play_put(&p, "/etc/pve/qemu-server/100.conf", "hostpci0: 0000:0a:00\nlock: suspended\n");
	play_claim(&p, 100);
	assert_null(strstr(p.o.output, "backup"));
	play_close(&p);
}

static void test_a_template(void **state)
{
	struct play p;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begins(&p, i ? &never : &takes, LOCKED "template: 1\n");
		fake_kernel_rewind(&p.k);
		assert_int_equal(play_hook(&p, 100, "pre-start"), 0);
		assert_int_equal(play_hook(&p, 100, "post-stop"), 0);
		assert_int_equal(fake_log_count(&p.k), 0);
		assert_string_equal(p.o.output, "");
		play_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_any_other_start),
		cmocka_unit_test(test_a_busy_card),
		cmocka_unit_test(test_a_free_card),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_a_template),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
