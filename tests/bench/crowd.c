// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A busy host for the bench of holders, and the search itself.
 *
 *   crowd make PROCESSES FILES NODE   as many processes with as many open files each, one of which has NODE open as
 *                                     well; prints "ready PID" of that one, and ends them all when stdin ends
 *   crowd find NODE                   who has the character device NODE open or mapped, as inuse_scan() looks
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "inuse_proc.h"
#include "str.h"

static int unsigned_of(const char *text, unsigned *ret)
{
	uint64_t v;

	if (str_to_u64(text, 10, &v) < 0 || v == 0 || v > 1000000)
		return -EINVAL;
	*ret = (unsigned)v;
	return 0;
}

/* What services have: sockets, pipes, logs, the odd device. */
static void open_files(unsigned n)
{
	int pair[2];

	for (unsigned i = 0; i < n; ) {
		if (i % 5 == 0 && i + 2 <= n && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)
			i += 2;
		else if (i % 5 == 2 && i + 2 <= n && pipe(pair) == 0)
			i += 2;
		else
			i += open(i % 5 == 4 ? "/dev/null" : "/proc/self/exe", O_RDONLY) >= 0 ? 1 : n;
	}
}

static void be_a_process(unsigned files, const char *node)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	open_files(files);
	if (node && open(node, O_RDONLY) < 0)
		_exit(1);
	for (;;)
		pause();
}

static int make(unsigned processes, unsigned files, const char *node)
{
	struct rlimit many = { 4096, 4096 };
	char c;
	pid_t holder = 0;

	setrlimit(RLIMIT_NOFILE, &many);
	for (unsigned i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("crowd: fork");
			return 1;
		}
		if (pid == 0)
			be_a_process(files, i == processes / 2 ? node : NULL);
		if (i == processes / 2)
			holder = pid;
	}
	sleep(3);	/* until the last of them has opened its files */
	printf("ready %d\n", (int)holder);
	fflush(stdout);
	return read(0, &c, 1) < 0;
}

static int found(void *arg, int pid, size_t i)
{
	(void)arg, (void)i;
	printf("%d\n", pid);
	return 0;
}

static int done(void *arg, int pid)
{
	(void)arg, (void)pid;
	return 0;
}

static int find(const char *path)
{
	struct inuse_node node = { .numbered = true };
	struct inuse_pass pass = { .nodes = &node, .n = 1, .maps = true, .found = found, .done = done };
	struct err e = ERR_INIT;
	struct host h;
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISCHR(st.st_mode) || host_open(&h, NULL, &e) < 0)
		return 1;
	node.major = major(st.st_rdev);
	node.minor = minor(st.st_rdev);
	snprintf(node.name, sizeof(node.name), "%s", path + strlen("/dev/"));
	pass.h = &h;
	if (inuse_proc_run(&pass, &e) < 0)
		fprintf(stderr, "crowd: %s\n", e.msg);
	host_close(&h);
	return e.code != 0;
}

int main(int argc, char *argv[])
{
	unsigned processes, files;

	if (argc == 5 && strcmp(argv[1], "make") == 0 && unsigned_of(argv[2], &processes) == 0 &&
	    unsigned_of(argv[3], &files) == 0)
		return make(processes, files, argv[4]);
	if (argc == 3 && strcmp(argv[1], "find") == 0)
		return find(argv[2]);
	fprintf(stderr, "usage: crowd make PROCESSES FILES NODE | crowd find NODE\n");
	return 2;
}
