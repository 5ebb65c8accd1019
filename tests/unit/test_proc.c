// SPDX-License-Identifier: GPL-2.0-or-later
/* Running programs: deadlines that hold, output that is kept, nothing inherited, nothing left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"
#include "str.h"

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct host_run sh(const char *script, uint64_t ms)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct host_run run;

	memset(&run, 'x', sizeof(run));
	assert_int_equal(proc_run(argv, ms, &run), 0);
	return run;
}

static const struct { const char *script; int status, signal; const char *output; } ends[] = {
	{ "true", 0, 0, "" }, { "exit 3", 3, 0, "" }, { "exit 127", 127, 0, "" }, { "exit 255", 255, 0, "" },
	{ "echo out; echo err >&2", 0, 0, "out\nerr\n" }, { "printf 'no end'", 0, 0, "no end" },
	{ "kill -TERM $$", -1, SIGTERM, "" }, { "echo last; kill -KILL $$", -1, SIGKILL, "last\n" },
	{ "cat", 0, 0, "" },			/* stdin is empty, not the caller's */
	{ "exec >&- 2>&-; sleep 0.1; exit 5", 5, 0, "" },	/* it closes its pipe before it ends */
};

static void says_how_it_ended(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct host_run run = sh(ends[i].script, 20000);

		if (run.status != ends[i].status || run.signal != ends[i].signal)
			fail_msg("'%s': status %d signal %d", ends[i].script, run.status, run.signal);
		assert_string_equal(run.output, ends[i].output);
		assert_false(run.timed_out);
	}
}

static const struct { const char *program; int want; } unrunnable[] = {
	{ "/nonexistent/modprobe", -ENOENT }, { "/etc/passwd", -EACCES }, { "/", -EACCES },
	{ "/etc/passwd/x", -ENOTDIR },
};

static void a_program_that_cannot_run_is_its_errno(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unrunnable); i++) {
		const char *const argv[] = { unrunnable[i].program, NULL };
		struct host_run run;

		assert_int_equal(proc_run(argv, 5000, &run), unrunnable[i].want);
	}
}

/* The first bytes are kept, the rest is read all the same. */
static void long_output_is_cut(void **state)
{
	struct host_run run = sh("i=0; while [ $i -lt 3000 ]; do echo 0123456789; i=$((i+1)); done; exit 4", 20000);

	(void)state;
	assert_int_equal(run.status, 4);
	assert_int_equal(strlen(run.output), sizeof(run.output) - 1);
	assert_memory_equal(run.output, "0123456789\n0123456789\n", 22);
}

/* Its standard output is an ordinary pipe: a fast writer waits for us and does not fail (EAGAIN). */
static void a_fast_writer_is_not_disturbed(void **state)
{
	struct host_run run = sh("head -c 4000000 /dev/zero | tr '\\0' x 2>/dev/null", 20000);

	(void)state;
	assert_int_equal(run.status, 0);
	run = sh("head -c 4000000 /dev/zero", 20000);
	assert_int_equal(run.status, 0);
	assert_string_equal(run.output, "");	/* and what it wrote was zero bytes */
}

static const struct { const char *script; uint64_t ms; int signal; } slow[] = {
	{ "sleep 30", 200, SIGTERM },
	{ "trap '' TERM; sleep 30", 200, SIGKILL },
	{ "trap '' TERM; while :; do sleep 1; done", 200, SIGKILL },
	{ "while :; do echo noise; done", 200, SIGTERM },
	{ "exec >&- 2>&-; sleep 30", 200, SIGTERM },
	{ "kill -STOP $$", 200, SIGKILL },
	{ "sleep 30", 0, -1 },
};

static void deadlines_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++) {
		uint64_t start = now_ms();
		struct host_run run = sh(slow[i].script, slow[i].ms);
		uint64_t took = now_ms() - start;

		assert_true(run.timed_out);
		assert_int_equal(run.status, -1);
		if (slow[i].signal >= 0)
			assert_int_equal(run.signal, slow[i].signal);
		if (took > 20000)	/* the script itself would take longer */
			fail_msg("'%s' took %llu ms", slow[i].script, (unsigned long long)took);
	}
}

/* A daemon that keeps the pipe: the program's end is the end. */
static void a_grandchild_with_the_pipe_does_not_hold_us(void **state)
{
	uint64_t start = now_ms();
	struct host_run run = sh("echo started; (sleep 30; echo late) & exit 0", 60000);

	(void)state;
	assert_int_equal(run.status, 0);
	assert_false(run.timed_out);
	assert_string_equal(run.output, "started\n");
	assert_true(now_ms() - start < 20000);
}

/* The whole group goes, not its leader alone. */
static void grandchildren_go_with_the_group(void **state)
{
	char path[] = "/tmp/test-proc-XXXXXX", script[160];
	int fd = mkstemp(path);
	struct host_run run;

	(void)state;
	assert_true(fd >= 0);
	snprintf(script, sizeof(script), "(sleep 3; echo alive >%s) & sleep 30", path);
	run = sh(script, 300);
	assert_true(run.timed_out);
	sleep(4);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
	unlink(path);
}

static void the_environment_is_clean(void **state)
{
	const char *const argv[] = { "/usr/bin/env", NULL };
	struct host_run run;

	(void)state;
	setenv("MODPROBE_OPTIONS", "-C /tmp/evil", 1);
	setenv("LD_LIBRARY_PATH", "/tmp/evil", 1);
	assert_int_equal(proc_run(argv, 5000, &run), 0);
	assert_string_equal(run.output, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n");
	unsetenv("MODPROBE_OPTIONS");
	unsetenv("LD_LIBRARY_PATH");
}

static void descriptors_are_closed(void **state)
{
	int a = open("/dev/null", O_RDONLY), b = dup2(a, 200);
	struct host_run run = sh("ls /proc/self/fd | tr '\\n' ' '", 5000);

	(void)state;
	assert_string_equal(run.output, "0 1 2 3 ");	/* 3 is the folder itself */
	close(a);
	close(b);
}

static void signals_are_as_new(void **state)
{
	struct host_run run;
	const char *ignored;
	sigset_t set, old;

	(void)state;
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGPIPE, SIG_IGN);
	run = sh("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d ' \\t'", 5000);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	/* 32 and 33 are the C library's own: who started us may ignore them, and nobody here can tell. */
	assert_non_null(strstr(run.output, "SigBlk:0000000000000000"));
	ignored = strstr(run.output, "SigIgn:");
	assert_non_null(ignored);
	if (strtoull(ignored + 7, NULL, 16) & ~0x180000000ULL)
		fail_msg("the child's signals: %s", run.output);
}

static void it_has_a_session_of_its_own(void **state)
{
	struct host_run run = sh("cut -d' ' -f6 /proc/self/stat", 5000);
	uint64_t sid;

	(void)state;
	run.output[strcspn(run.output, "\n")] = '\0';
	assert_int_equal(str_to_u64(run.output, 10, &sid), 0);
	assert_true((pid_t)sid != getsid(0));
}

/* Neither descriptors nor zombies: many runs are as good as one. */
static void leaves_nothing_behind(void **state)
{
	int first = open("/dev/null", O_RDONLY), last;

	(void)state;
	close(first);
	for (int i = 0; i < 5; i++) {
		const char *const bad[] = { "/nonexistent", NULL };
		struct host_run run;

		(void)sh("true", 5000);
		assert_int_equal(proc_run(bad, 5000, &run), -ENOENT);
	}
	last = open("/dev/null", O_RDONLY);
	assert_int_equal(first, last);
	close(last);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_how_it_ended),
		cmocka_unit_test(a_program_that_cannot_run_is_its_errno),
		cmocka_unit_test(long_output_is_cut),
		cmocka_unit_test(a_fast_writer_is_not_disturbed),
		cmocka_unit_test(deadlines_hold),
		cmocka_unit_test(a_grandchild_with_the_pipe_does_not_hold_us),
		cmocka_unit_test(grandchildren_go_with_the_group),
		cmocka_unit_test(the_environment_is_clean),
		cmocka_unit_test(descriptors_are_closed),
		cmocka_unit_test(signals_are_as_new),
		cmocka_unit_test(it_has_a_session_of_its_own),
		cmocka_unit_test(leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
