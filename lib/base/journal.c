// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries for systemd's journal: see journal.h. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET "/run/systemd/journal/socket"

/* The socket is reached through the host's root, so it is connected to by its descriptor. */
int journal_open(struct host *h)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int at = host_open_file(h, SOCKET, O_PATH, 0), fd, r = 0;

	if (at < 0)
		return at;
	snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d", at);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		r = -errno;
	close(at);
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

bool journal_has(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;

	if (!stream || fstat(fd, &st) < 0)
		return false;
	snprintf(mine, sizeof(mine), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return strcmp(stream, mine) == 0;
}

int journal_field(struct str *entry, const char *name, const char *value)
{
	int r = str_addf(entry, "%s=", name);

	for (const unsigned char *c = (const unsigned char *)value; r == 0 && *c; c++)
		r = str_addn(entry, *c < ' ' ? (const void *)" " : c, 1);
	return r == 0 ? str_add(entry, "\n") : r;
}

int journal_entry(struct str *entry, enum journal_priority priority, const char *message)
{
	int r = str_addf(entry, "SYSLOG_IDENTIFIER=pve-gpu\nPRIORITY=%d\n", (int)priority);

	return r == 0 ? journal_field(entry, "MESSAGE", message) : r;
}

int journal_send(int fd, const struct str *entry)
{
	if (entry->failed)
		return -ENOMEM;
	return send(fd, entry->s, entry->len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}
