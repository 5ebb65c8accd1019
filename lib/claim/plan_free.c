// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is stopped for a device, and what is started again: see plan_free.h. */
#include "plan_free.h"

#include <stdio.h>
#include <string.h>

#include "plan_int.h"
#include "str.h"

/* Beginnings of names: without these nobody could look after the host any more, or the start would end
 * with them.  A list in the settings may still name them. */
static const char *const essential[] = {
	"systemd-", "dbus", "ssh", "init.scope", "pve", "proxmox", "qmeventd", "corosync", "lxc", "networking", "chrony",
	"getty@", "serial-getty@", "ceph", "zfs", "multipathd", "iscsid", "watchdog-mux", "spiceproxy",
};

bool free_unit_is_active(struct host *h, const char *unit)
{
	char target[80];

	return host_readlink(h, host_path("/run/systemd/units/invocation:%s", unit).s, target, sizeof(target)) == 0;
}

/* Neither what was made safe for a terminal, which is its real name no more, nor what systemctl takes for a
 * pattern of many names. */
static bool is_plain(const char *unit)
{
	size_t n = strlen(unit);

	return n > 0 && n < sizeof(((struct step *)0)->to) &&
	       strspn(unit, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.@") == n;
}

static bool is_service(const char *unit)
{
	size_t n = strlen(unit);

	return n > 8 && strcmp(unit + n - 8, ".service") == 0 && is_plain(unit);
}

static bool is_essential(const char *unit)
{
	for (size_t i = 0; i < ARRAY_SIZE(essential); i++)
		if (str_starts(unit, essential[i]))
			return true;
	return false;
}

/* A process whose business this is; VMs and what merely is attached are others'. */
static bool is_user(const struct inuse_finding *f)
{
	return f->kind == INUSE_PROCESS && f->who.pid > 1 && (f->weight == INUSE_BUSY || f->weight == INUSE_HANGS);
}

const char *free_setting(const struct inuse_finding *f)
{
	unsigned id;

	if (!is_user(f))
		return "";
	switch (f->who.place) {
	case INUSE_ON_HOST:
		return is_essential(f->who.unit) ? "" : is_service(f->who.unit) ? "services" : "processes";
	case INUSE_OF_USER:
		return "processes";
	case INUSE_IN_CONTAINER:
		return str_to_vmid(f->who.place_id, &id) == 0 ? "containers" : "";
	case INUSE_OF_VM:
		break;
	}
	return "";
}

static const struct step *find_step(const struct plan *p, enum step_kind kind, const char *to)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == kind && strcmp(p->steps[i].to, to) == 0)
			return &p->steps[i];
	return NULL;
}

static struct host_path pid_text(const struct inuse_finding *f)
{
	return host_path("%d", f->who.pid);
}

bool plan_frees(const struct plan *p, const struct inuse_finding *f)
{
	if (!is_user(f) || f->who.place == INUSE_OF_VM)
		return false;
	if (f->who.place == INUSE_IN_CONTAINER)
		return find_step(p, STEP_CONTAINER, f->who.place_id) ||
		       (f->weight != INUSE_HANGS && find_step(p, STEP_FREEZE, f->who.place_id));
	return find_step(p, STEP_SERVICE, f->who.unit) || find_step(p, STEP_PROCESS, pid_text(f).s);
}

static int stop(struct plan *p, enum step_kind kind, const char *to, struct err *e)
{
	return find_step(p, kind, to) ? 0 : plan_add_step(p, kind, NULL, "", to, "", e);
}

/* Chains of units are short; a circle has no end. */
#define PULL_DEPTH 8

static const char *obstacle(const struct plan_input *in, const char *unit, unsigned depth)
{
	for (size_t i = 0; depth < PULL_DEPTH && i < in->n_pulls; i++) {
		const char *with = in->pulls[i].with.name, *behind;

		if (strcmp(in->pulls[i].unit.name, unit) != 0)
			continue;
		if (is_essential(with) || !is_plain(with))
			return with;
		behind = obstacle(in, with, depth + 1);
		if (behind)
			return behind;
	}
	return NULL;
}

const char *free_obstacle(const struct plan_input *in, const char *unit)
{
	return obstacle(in, unit, 0);
}

/* Those that go down with it first: then each of them is asked whether it runs while it does. */
static int stop_service(struct plan *p, const struct plan_input *in, const char *unit, unsigned depth, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && depth < PULL_DEPTH && i < in->n_pulls; i++) {
		const char *with = in->pulls[i].with.name;

		if (strcmp(in->pulls[i].unit.name, unit) != 0 || find_step(p, STEP_SERVICE, with))
			continue;
		if (is_plain(with))
			r = stop_service(p, in, with, depth + 1, e);
		else
			r = plan_warn(p, p->devices[0].bdf, e, "'%s' goes down with %s and is not started again", with, unit);
	}
	return r == 0 ? stop(p, STEP_SERVICE, unit, e) : r;
}

/* What an earlier start has stopped would not be found any more. */
static int take_over(struct plan *p, const struct plan_input *in, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < in->n_stopped; i++) {
		const struct step *old = &in->stopped[i];

		r = stop(p, old->kind, old->to, e);
		if (r < 0)
			break;
		for (size_t k = 0; k < p->n_steps; k++) {
			struct step *s = &p->steps[k];

			if (s->kind != old->kind || strcmp(s->to, old->to) != 0)
				continue;
			s->kept = true;
			if (s->kind == STEP_VFS) {
				memcpy(s->arg, old->arg, sizeof(s->arg));
				memcpy(s->keep, old->keep, sizeof(s->keep));
			}
		}
	}
	return r;
}

static int end_process(struct plan *p, const struct plan_input *in, const struct inuse_finding *f, struct err *e)
{
	const struct free_policy *o = &in->policy.free;
	struct host_path start = host_path("%llu", (unsigned long long)f->who.start);
	struct step *s;
	int r;

	if (o->processes == FREE_PROCESSES_REFUSE || f->who.start == 0 || find_step(p, STEP_PROCESS, pid_text(f).s))
		return 0;
	r = plan_add_step(p, STEP_PROCESS, NULL, start.s, pid_text(f).s, f->who.comm, e);
	if (r < 0)
		return r;
	s = &p->steps[p->n_steps - 1];
	snprintf(s->keep, sizeof(s->keep), "%s %llu", o->processes == FREE_PROCESSES_KILL ? "kill" : "term",
		 (unsigned long long)o->grace_ms);
	return 0;
}

static int stop_container(struct plan *p, const struct plan_input *in, const struct inuse_finding *f, struct err *e)
{
	switch (in->policy.free.containers) {
	case FREE_CONTAINERS_STOP:
		return stop(p, STEP_CONTAINER, f->who.place_id, e);
	case FREE_CONTAINERS_FREEZE:
		return stop(p, STEP_FREEZE, f->who.place_id, e);
	case FREE_CONTAINERS_REFUSE:
		break;
	}
	return 0;
}

/* One user, where this round's setting is about it. */
static int free_one(struct plan *p, const struct plan_input *in, const struct inuse_finding *f, const char *setting,
		    struct err *e)
{
	if (strcmp(free_setting(f), setting) != 0)
		return 0;
	if (strcmp(setting, "services") == 0)
		return in->policy.free.services_auto && !free_obstacle(in, f->who.unit) ?
		       stop_service(p, in, f->who.unit, 0, e) : 0;
	if (strcmp(setting, "containers") == 0)
		return stop_container(p, in, f, e);
	return end_process(p, in, f, e);
}

static bool in_plan(const struct plan *p, struct bdf bdf)
{
	for (size_t i = 0; i < p->n_devices; i++)
		if (bdf_same(p->devices[i].bdf, bdf))
			return true;
	return false;
}

int plan_free(struct plan *p, const struct plan_input *in, struct err *e)
{
	static const char *const rounds[] = { "services", "containers", "processes" };
	int r = take_over(p, in, e);

	for (size_t i = 0; r == 0 && i < in->n_units; i++)
		r = stop_service(p, in, in->units[i].name, 0, e);
	for (size_t k = 0; k < ARRAY_SIZE(rounds); k++)
		for (size_t i = 0; r == 0 && in->inuse && i < in->inuse->n; i++)
			if (in_plan(p, in->inuse->v[i].bdf))
				r = free_one(p, in, &in->inuse->v[i], rounds[k], e);
	return r;
}
