// SPDX-License-Identifier: GPL-2.0-or-later
/* Mount and swap tables: see inuse_mounts.h. */
#include "inuse_mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inuse_text.h"
#include "str.h"

enum { LIMIT = 16 << 20 };	/* hosts with many containers have thousands of mounts */

static int read_table(struct host *h, const char *path, bool optional, char **ret, struct err *e)
{
	size_t len;
	int r = host_read_file(h, path, LIMIT, ret, &len);

	if (r == -ENOENT && optional) {
		*ret = calloc(1, 1);
		r = *ret ? 0 : -ENOMEM;
	}
	return r < 0 ? err_set(e, -r, "cannot read %s: %s", path, err_text(r)) : 0;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	while ((text = strchr(text, '\n')))
		n++, text++;
	return n;
}

/* Cuts at single spaces: fields may be empty (a source of "none" is, a super option is not). */
static char *field(char **cursor)
{
	char *start = *cursor, *end = strchr(start, ' ');

	if (end)
		*end++ = '\0';
	*cursor = end ? end : start + strlen(start);
	return start;
}

/* "36 35 98:0 /root /point opts shared:1 - type source options" (Documentation/filesystems/proc.rst
 * 3.5); the fields before the "-" vary in number. */
static int parse_mount(char *line, struct inuse_mount *m)
{
	char *tail = strstr(line, " - "), *number, *colon, *point;
	uint64_t major, minor;

	if (!tail)
		return -EINVAL;
	*tail = '\0';
	tail += 3;
	field(&line);
	field(&line);
	number = field(&line);
	field(&line);
	point = field(&line);
	colon = strchr(number, ':');
	if (!colon || !*point)
		return -EINVAL;
	*colon = '\0';
	if (str_to_u64(number, 10, &major) < 0 || str_to_u64(colon + 1, 10, &minor) < 0)
		return -EINVAL;
	m->major = (unsigned)major;
	m->minor = (unsigned)minor;
	inuse_text_unescape(point);
	m->point = point;
	m->type = field(&tail);
	m->source = field(&tail);
	m->options = tail;
	inuse_text_unescape((char *)m->source);
	return 0;
}

static int parse_mounts(struct inuse_mounts *m)
{
	char *p = m->mount_text, *line;

	m->mounts = calloc(count_lines(p), sizeof(*m->mounts));
	if (!m->mounts)
		return -ENOMEM;
	while ((line = str_token(&p, "\n")))
		if (parse_mount(line, &m->mounts[m->n_mounts]) == 0)
			m->n_mounts++;
	return 0;
}

/* A heading, then "PATH TYPE SIZE USED PRIORITY" (mm/swapfile.c:swap_show). */
static int parse_swaps(struct inuse_mounts *m)
{
	char *p = m->swap_text, *line, *path;

	m->swaps = calloc(count_lines(p), sizeof(*m->swaps));
	if (!m->swaps)
		return -ENOMEM;
	while ((line = str_token(&p, "\n"))) {
		path = str_token(&line, " \t");
		if (!path || *path != '/')
			continue;
		inuse_text_unescape(path);
		m->swaps[m->n_swaps++].path = path;
	}
	return 0;
}

int inuse_mounts_load(struct inuse_mounts *m, struct host *h, struct err *e)
{
	int r;

	*m = (struct inuse_mounts){ NULL, 0, NULL, 0, NULL, NULL };
	r = read_table(h, "/proc/self/mountinfo", !h->real, &m->mount_text, e);
	if (r == 0)
		r = read_table(h, "/proc/swaps", true, &m->swap_text, e);
	if (r == 0 && (parse_mounts(m) < 0 || parse_swaps(m) < 0))
		r = err_nomem(e);
	if (r < 0)
		inuse_mounts_release(m);
	return r;
}

void inuse_mounts_release(struct inuse_mounts *m)
{
	free(m->mounts);
	free(m->swaps);
	free(m->mount_text);
	free(m->swap_text);
	*m = (struct inuse_mounts){ NULL, 0, NULL, 0, NULL, NULL };
}
