// SPDX-License-Identifier: GPL-2.0-or-later
/* The VM's other hookscript, run after ours on a fake kernel: when it fails before the start the devices
 * go back, later it is a warning. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hook.h"
#include "kernel.h"

#define SNIPPETS "/var/lib/vz/snippets"
#define OTHER SNIPPETS "/other.sh"

static const struct bdf card = { 0, 10, 0, 0 };		/* of VM 100 in tests/trees/gpu-four.tree */

struct desk {
	struct fake_kernel k;
	char *before;
	struct fake_outcome o;
};

static void put(struct desk *d, const char *path, const char *text, int mode)
{
	char full[PATH_MAX + 64];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", d->k.tree.dir, path);
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(full, (mode_t)mode), 0);
}

static void open_desk(struct desk *d)
{
	struct err e = ERR_INIT;

	memset(d, 0, sizeof(*d));
	if (fake_kernel_open(&d->k, "gpu-four", &e) < 0)
		fail_msg("%s", e.msg);
	fake_settings(&d->k)->time_scale = 4;
	for (const char *const *dir = (const char *const[]){ "/var", "/var/lib", "/var/lib/vz", SNIPPETS, "/usr", "/usr/share",
							      "/usr/share/misc", NULL }; *dir; dir++)
		(void)host_mkdir(&d->k.host, *dir, 0755);
	put(d, "/usr/share/misc/pci.ids", "", 0644);
	put(d, OTHER, "#!/bin/sh\n", 0755);
	put(d, SNIPPETS "/100.gpu.ini", "[hook]\nnext = local:snippets/other.sh\n", 0644);
	d->before = fake_kernel_dump(&d->k, 0);
	fake_kernel_rewind(&d->k);
}

static void close_desk(struct desk *d)
{
	assert_string_equal(fake_violations(&d->k), "");
	free(d->before);
	fake_kernel_close(&d->k);
}

static int main_of_hook(struct host *h, void *arg)
{
	struct hook k = { .h = h, .limit = step_limit, .cancel = -1, .out = stdout, .now_unix = (uint64_t)time(NULL) };
	const char *argv[] = { "gpu-hook", "--snippets", SNIPPETS, "100", arg, NULL };
	int status = hook_main(&k, 5, (char *const *)argv);

	fflush(stdout);
	return status;
}

static void phase(struct desk *d, const char *name, int status)
{
	fake_main_run(&d->k, main_of_hook, (void *)name, 60000, &d->o);
	assert_false(d->o.timed_out);
	if (d->o.status != status)
		fail_msg("%s ended with status %d instead of %d:\n%s", name, d->o.status, status, d->o.output);
}

static void said(struct desk *d, const char *part)
{
	if (!strstr(d->o.output, part))
		fail_msg("'%s' is missing in:\n%s", part, d->o.output);
}

static bool is_taken(struct desk *d)
{
	return strcmp(tree_attr(d->k.tree.dir, card, "driver").s, "vfio-pci") == 0;
}

static void same_as_before(struct desk *d)
{
	char *now = fake_kernel_dump(&d->k, 0);
	struct str diff = STR_INIT;

	if (tree_diff(d->before, now, &diff))
		fail_msg("the machine is not as it was:\n%s\nafter:\n%s", diff.s, d->o.output);
	str_release(&diff);
	free(now);
}

static void it_runs_after_ours_in_every_phase(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	fake_run_answer(&d.k, "other.sh", 0, "the other one\n");
	phase(&d, "pre-start", EXIT_DONE);
	said(&d, "the other one");
	assert_true(is_taken(&d));
	phase(&d, "pre-stop", EXIT_DONE);
	said(&d, "the other one");
	phase(&d, "some-new-phase", EXIT_DONE);
	said(&d, "the other one");
	phase(&d, "post-stop", EXIT_DONE);
	said(&d, "the other one");
	same_as_before(&d);
	close_desk(&d);
}

static void its_failure_before_a_start_gives_the_devices_back(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	fake_run_answer(&d.k, "other.sh", 3, "no\n");
	phase(&d, "pre-start", EXIT_FAILED);
	said(&d, "the next hookscript failed at pre-start: '" OTHER "' ended with status 3");
	assert_false(is_taken(&d));
	same_as_before(&d);
	close_desk(&d);
}

/* No VM has run: there is nothing to keep for its next start. */
static void its_failure_before_a_start_lets_nothing_linger(void **state)
{
	struct desk d;
	int watch;

	(void)state;
	open_desk(&d);
	put(&d, SNIPPETS "/100.gpu.ini", "[claim]\nlinger = 3600\n[hook]\nnext = local:snippets/other.sh\n", 0644);
	fake_run_answer(&d.k, "other.sh", 0, "");
	phase(&d, "pre-start", EXIT_DONE);
	watch = host_open_file(&d.k.host, LEASE_KEEPER, O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(watch, LOCK_SH | LOCK_NB), 0);
	fake_run_answer(&d.k, "other.sh", 3, "");
	phase(&d, "pre-start", EXIT_FAILED);
	assert_false(is_taken(&d));
	same_as_before(&d);
	close(watch);
	close_desk(&d);
}

static void its_failure_after_a_stop_is_a_warning(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	fake_run_answer(&d.k, "other.sh", 0, "");
	phase(&d, "pre-start", EXIT_DONE);
	fake_run_answer(&d.k, "other.sh", 1, "");
	phase(&d, "post-stop", EXIT_FAILED);
	said(&d, "ended with status 1");
	same_as_before(&d);
	close_desk(&d);
}

static void one_that_cannot_run_is_named(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	put(&d, OTHER, "#!/bin/sh\n", 0644);
	phase(&d, "pre-start", EXIT_FAILED);
	said(&d, "is no executable file");
	same_as_before(&d);
	put(&d, SNIPPETS "/100.gpu.ini", "[hook]\nnext = /nowhere/at/all\n", 0644);
	phase(&d, "pre-start", EXIT_FAILED);
	said(&d, "cannot find '/nowhere/at/all'");
	same_as_before(&d);
	put(&d, SNIPPETS "/100.gpu.ini", "[hook]\nnext = nonsense\n", 0644);
	phase(&d, "pre-start", EXIT_FAILED);
	said(&d, "the value must be a volume");
	same_as_before(&d);
	close_desk(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_runs_after_ours_in_every_phase),
		cmocka_unit_test(its_failure_before_a_start_gives_the_devices_back),
		cmocka_unit_test(its_failure_before_a_start_lets_nothing_linger),
		cmocka_unit_test(its_failure_after_a_stop_is_a_warning),
		cmocka_unit_test(one_that_cannot_run_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
