// SPDX-License-Identifier: GPL-2.0-or-later
/* What this node is called in the cluster: see nodename.h. */
#include "nodename.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "str.h"

/* A kernel's host name has at most 64 bytes; what a captured tree holds may be anything. */
#define HOSTNAME_MAX 1024

bool nodename_is_valid(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || name[0] == '-' || name[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isascii((unsigned char)name[i]) || (!isalnum((unsigned char)name[i]) && name[i] != '-'))
			return false;
	return true;
}

static int hostname_read(struct host *h, char *buf, size_t size)
{
	int r = host_read_line(h, "/proc/sys/kernel/hostname", buf, size);

	if (r < 0 && !h->real)
		r = host_read_line(h, "/etc/hostname", buf, size);
	if (r < 0 && !h->real)
		r = host_read_linkname(h, "/etc/pve/local", buf, size);
	return r;
}

int nodename_read(struct host *h, char *buf, size_t size, struct err *e)
{
	char name[HOSTNAME_MAX];
	int r = hostname_read(h, name, sizeof(name));

	if (r < 0)
		return err_set(e, -r, "cannot tell the name of this node: no host name in "
			       "'/proc/sys/kernel/hostname': %s", err_text(r));
	name[strcspn(name, ".")] = '\0';
	if (!nodename_is_valid(name))
		return err_set(e, EINVAL, "the host name is no name a Proxmox node can have (letters, "
			       "digits and inner hyphens): see 'hostnamectl'");
	if (str_copy(buf, size, name) < 0)
		return err_set(e, ENAMETOOLONG, "the host name has %zu characters, more than a node's can have",
			       strlen(name));
	return 0;
}
