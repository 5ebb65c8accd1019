// SPDX-License-Identifier: GPL-2.0-or-later
/* Device nodes in a process's memory map: see inuse_maps.h. */
#include "inuse_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

enum { BUFFER = 65536 };

int inuse_maps_init(struct inuse_maps *m, bool wanted)
{
	m->buf = wanted ? malloc(BUFFER + 1) : NULL;
	return wanted && !m->buf ? -ENOMEM : 0;
}

void inuse_maps_release(struct inuse_maps *m)
{
	free(m->buf);
	m->buf = NULL;
}

/* All whole lines of buf; only those that name something below /dev are looked at. */
static int read_lines(char *buf, const struct inuse_match *match, inuse_match_fn fn, void *arg)
{
	char *p = buf, *end;
	int r = 0;

	while (r == 0 && (p = strstr(p, " /dev/"))) {
		p++;
		end = p + strcspn(p, "\n");
		if (!*end)
			break;
		*end = '\0';
		r = inuse_match_path(match, p, fn, arg);
		p = end + 1;
	}
	return r;
}

int inuse_maps_read(struct inuse_maps *m, struct host *h, const char *path, const struct inuse_match *match,
		    inuse_match_fn fn, void *arg)
{
	_cleanup_(file_closep) int fd = host_open_file(h, path, O_RDONLY, 0);
	size_t have = 0;
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return fd;
	while (r == 0 && (n = read(fd, m->buf + have, BUFFER - have)) != 0) {
		char *last;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		have += (size_t)n;
		m->buf[have] = '\0';
		last = memrchr(m->buf, '\n', have);
		r = read_lines(m->buf, match, fn, arg);
		/* The rest of a cut line goes to the front; a line longer than the buffer is dropped. */
		have = last ? have - (size_t)(last + 1 - m->buf) : have < BUFFER ? have : 0;
		if (last)
			memmove(m->buf, last + 1, have);
	}
	return r;
}
