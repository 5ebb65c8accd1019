// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose process it is, from its control group: see inuse.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inuse.h"
#include "inuse_text.h"
#include "str.h"

static void read_comm(struct host *h, int pid, struct inuse_who *who)
{
	char buf[64];
	ssize_t n = host_read(h, host_path("/proc/%d/comm", pid).s, buf, sizeof(buf) - 1);

	/* One newline is the kernel's; any before it belongs to the name. */
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	if (n <= 0) {
		inuse_text_safe(who->comm, sizeof(who->comm), "?");
		return;
	}
	buf[n] = '\0';
	inuse_text_safe(who->comm, sizeof(who->comm), buf);
}

/* "812 (na) me) S 1 ...": the name may hold anything, so count from the last parenthesis. */
static void read_start(struct host *h, int pid, struct inuse_who *who)
{
	char buf[1024], *p, *field;
	ssize_t n = host_read(h, host_path("/proc/%d/stat", pid).s, buf, sizeof(buf) - 1);
	int i;

	if (n <= 0)
		return;
	buf[n] = '\0';
	p = strrchr(buf, ')');
	if (!p)
		return;
	p++;
	for (i = 3; i <= 22; i++) {
		field = str_token(&p, " \n");
		if (!field)
			return;
	}
	if (str_to_u64(field, 10, &who->start) < 0)
		who->start = 0;
}

static bool ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcmp(s + n - m, suffix) == 0;
}

/* The first path element, cut off: "/lxc/105/ns" -> "lxc", *path = "105/ns". */
static char *element(char **path)
{
	return str_token(path, "/");
}

/* "user@1000.service" -> "1000", "session-4.scope" -> "4"; NULL when the name is not of that form. */
static char *between(char *name, const char *prefix, const char *suffix)
{
	if (!str_starts(name, prefix) || !ends(name + strlen(prefix) - 1, suffix))
		return NULL;
	name[strlen(name) - strlen(suffix)] = '\0';
	return name + strlen(prefix);
}

/* Above a unit of process 1 there are only slices, and what is below one is its own choice and may imitate
 * anything: a container's systemd has a system.slice, too.  Only below a user's manager is a unit his.  Inside
 * a container of Proxmox the innermost name says most. */
static void read_units(char *path, struct inuse_who *who)
{
	bool inward = who->place != INUSE_ON_HOST;
	char *name, *id;

	while ((name = element(&path))) {
		bool service = ends(name, ".service");

		if (!service && !ends(name, ".scope")) {
			if (!inward && !ends(name, ".slice"))
				break;
			continue;
		}
		inuse_text_safe(who->unit, sizeof(who->unit), name);
		if (inward)
			continue;
		id = between(name, service ? "user@" : "session-", service ? ".service" : ".scope");
		if (id) {
			who->place = INUSE_OF_USER;
			inuse_text_safe(who->place_id, sizeof(who->place_id), id);
		}
		if (!id || !service)
			break;
		inward = true;
	}
}

/* Who owns a control group is said by the first elements of its path; what follows inside a
 * container is the container's own choice and may imitate anything. */
static void read_path(char *path, struct inuse_who *who)
{
	char *whole = path, *first, *id;

	if (str_starts(path, "/lxc/") || str_starts(path, "/lxc.monitor/")) {
		first = element(&path);
		id = element(&path);
		if (id) {
			who->place = INUSE_IN_CONTAINER;
			inuse_text_safe(who->place_id, sizeof(who->place_id), id);
		}
		if (strcmp(first, "lxc") == 0)
			read_units(path, who);
		return;
	}
	if (str_starts(path, "/qemu.slice/")) {
		element(&path);
		id = element(&path);
		if (id && ends(id, ".scope")) {
			id[strlen(id) - strlen(".scope")] = '\0';
			who->place = INUSE_OF_VM;
			inuse_text_safe(who->place_id, sizeof(who->place_id), id);
		}
		return;
	}
	read_units(whole, who);
}

/* /proc/PID/cgroup: "0::/path" (v2), or with v1 mounted beside it "1:name=systemd:/path". */
static void read_cgroup(struct host *h, int pid, struct inuse_who *who)
{
	char buf[8192], *p = buf, *line, *path = NULL;
	ssize_t n = host_read(h, host_path("/proc/%d/cgroup", pid).s, buf, sizeof(buf) - 1);

	if (n <= 0)
		return;
	buf[n] = '\0';
	while ((line = str_token(&p, "\n"))) {
		if (str_starts(line, "0::/") && line[4])
			path = line + 3;
		else if (!path && strstr(line, ":name=systemd:/"))
			path = strstr(line, ":/") + 1;
	}
	if (path)
		read_path(path, who);
}

void inuse_who(struct host *h, int pid, struct inuse_who *ret)
{
	*ret = (struct inuse_who){ .pid = pid };
	read_comm(h, pid, ret);
	read_start(h, pid, ret);
	read_cgroup(h, pid, ret);
}

/* "ollama.service (pid 812)", with the process's name where the service's does not begin with it:
 * "jellyfin.service (ffmpeg, pid 812)". */
static void format_process(const struct inuse_who *who, char *buf, size_t size)
{
	if (!ends(who->unit, ".service") || str_starts(who->unit, "user@"))
		snprintf(buf, size, "%s (pid %d)", who->comm, who->pid);
	else if (str_starts(who->unit, who->comm))
		snprintf(buf, size, "%s (pid %d)", who->unit, who->pid);
	else
		snprintf(buf, size, "%s (%s, pid %d)", who->unit, who->comm, who->pid);
}

struct inuse_who_text inuse_who_format(const struct inuse_who *who)
{
	struct inuse_who_text t;
	char process[240];

	format_process(who, process, sizeof(process));
	switch (who->place) {
	case INUSE_ON_HOST:
		if (ends(who->unit, ".scope"))
			snprintf(t.s, sizeof(t.s), "%s in %.70s", process, who->unit);
		else
			snprintf(t.s, sizeof(t.s), "%s", process);
		break;
	case INUSE_OF_USER:
		snprintf(t.s, sizeof(t.s), "%s of %s %s", process,
			 str_starts(who->unit, "session-") ? "login session" : "user", who->place_id);
		break;
	case INUSE_IN_CONTAINER:
		snprintf(t.s, sizeof(t.s), "%s in container %s", process, who->place_id);
		break;
	case INUSE_OF_VM:
		snprintf(t.s, sizeof(t.s), "%s of VM %s", process, who->place_id);
		break;
	}
	return t;
}
