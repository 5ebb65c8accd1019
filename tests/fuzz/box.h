/* SPDX-License-Identifier: GPL-2.0-or-later */
/* box - a machine of one file, for readers that want a path. */
#ifndef BOX_H
#define BOX_H

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "host.h"

static char box_folder[] = "/dev/shm/pve-gpu-fuzz.XXXXXX", box_file[PATH_MAX];

static void box_remove(void)
{
	char path[PATH_MAX];

	unlink(box_file);
	for (char *slash; strlen(box_file) > strlen(box_folder) && (slash = strrchr(box_file, '/')); *slash = '\0')
		if (strcmp(box_file, box_folder) != 0)
			rmdir(box_file);
	snprintf(path, sizeof(path), "%s", box_folder);
	rmdir(path);
}

/* The machine whose file `path` has these bytes. */
static struct host *box_with(const char *path, const uint8_t *data, size_t size)
{
	static struct host h;
	struct err e = ERR_INIT;
	int fd;

	if (!box_file[0]) {
		char folder[PATH_MAX];

		if (!mkdtemp(box_folder) || host_open(&h, box_folder, &e) < 0)
			abort();
		snprintf(folder, sizeof(folder), "%s", path);
		*strrchr(folder, '/') = '\0';
		if (file_mkdirs(&h, folder, 0700) < 0)
			abort();
		snprintf(box_file, sizeof(box_file), "%s%s", box_folder, path);
		atexit(box_remove);
	}
	fd = open(box_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	return &h;
}

#endif
