// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * writer - changes a VM's config again and again, the way Proxmox does: under the VM's flock, by a
 * temporary file and rename.  Each round adds one to `cores:`.
 *
 *   writer TREE VMID ROUNDS     the third round holds the lock for three seconds
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int take(const char *path)
{
	int fd = open(path, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0)
		die(path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			die("flock");
	return fd;
}

static void change(const char *conf)
{
	char text[8192], temp[4200], *cores, *rest;
	FILE *f = fopen(conf, "r");
	size_t n;

	if (!f)
		die(conf);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	cores = strstr(text, "cores: ");
	if (!cores) {
		fprintf(stderr, "'cores:' is lost in:\n%s", text);
		exit(1);
	}
	n = strtoul(cores + 7, &rest, 10) + 1;
	snprintf(temp, sizeof(temp), "%s.tmp.%d", conf, (int)getpid());
	f = fopen(temp, "w");
	if (!f)
		die(temp);
	fprintf(f, "%.*scores: %zu%s", (int)(cores - text), text, n, rest);
	if (fclose(f) != 0 || rename(temp, conf) < 0)
		die(conf);
}

int main(int argc, char *argv[])
{
	char lock[4096], conf[4096];
	long rounds;

	if (argc != 4)
		return 2;
	rounds = strtol(argv[3], NULL, 10);
	snprintf(lock, sizeof(lock), "%s/run/lock/qemu-server/lock-%s.conf", argv[1], argv[2]);
	snprintf(conf, sizeof(conf), "%s/etc/pve/qemu-server/%s.conf", argv[1], argv[2]);
	for (long i = 0; i < rounds; i++) {
		int fd = take(lock);

		if (i == 2)
			sleep(3);
		change(conf);
		close(fd);
		usleep(2000);
	}
	return 0;
}
