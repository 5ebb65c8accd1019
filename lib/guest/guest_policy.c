// SPDX-License-Identifier: GPL-2.0-or-later
/* From the administrator's words to a plan's policy: see guest.h. */
#include <stdio.h>

#include "guest_int.h"
#include "str.h"

void guest_spare_users(struct settings *s, const char *why)
{
	static const enum settings_id users[] = { SETTINGS_SERVICE_USERS, SETTINGS_CONTAINER_USERS, SETTINGS_PROCESS_USERS,
						  SETTINGS_OTHER_VM };
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(users); i++)
		if (settings_set(&settings_keys[users[i]], "refuse", s, &ignored) == 0)
			snprintf(s->origin[users[i]].text, sizeof(s->origin[users[i]].text), "%s", why);
}

void guest_adapt(const struct guest *g, struct settings *s)
{
	struct host_path why = host_path("by backup, %.250s", s->origin[SETTINGS_BACKUP].text);

	if (g->backup && s->backup == SETTINGS_BACKUP_TAKE_IF_FREE)
		guest_spare_users(s, why.s);
}

/* Proxmox has no way to start it without its devices (qemu-server: VZDump/QemuServer.pm). */
int guest_refuse_backup(const struct guest *g, const struct settings *s, struct plan *p, struct err *e)
{
	int r = !g->backup || s->backup != SETTINGS_BACKUP_REFUSE ? 0 :
		plan_refuse(p, "backup", NULL, e, "Back it up while it runs, or set 'backup = take'.", "VM %u is to be "
			    "started for a backup, and 'backup = refuse' (%s) keeps its devices out of that", g->vmid,
			    s->origin[SETTINGS_BACKUP].text);

	if (r == 0 && p->n_refusals)
		snprintf(p->refusals[p->n_refusals - 1].setting, sizeof(p->refusals->setting), "backup");
	return r;
}

void guest_policy(const struct settings *s, struct policy *ret)
{
	static const enum members_policy members[] = {
		[SETTINGS_MEMBERS_IDLE] = MEMBERS_IDLE, [SETTINGS_MEMBERS_TAKE] = MEMBERS_TAKE,
		[SETTINGS_MEMBERS_REFUSE] = MEMBERS_REFUSE,
	};
	static const enum reset_policy reset[] = {
		[SETTINGS_RESET_AUTO] = POLICY_RESET_AUTO, [SETTINGS_RESET_ALWAYS] = POLICY_RESET_ALWAYS,
		[SETTINGS_RESET_NEVER] = POLICY_RESET_NEVER, [SETTINGS_RESET_ON_CLAIM] = POLICY_RESET_ON_CLAIM,
		[SETTINGS_RESET_ON_RETURN] = POLICY_RESET_ON_RETURN,
	};
	static const enum idle_policy idle[] = {
		[SETTINGS_IDLE_HOST_DRIVER] = IDLE_HOST_DRIVER, [SETTINGS_IDLE_VFIO_D3] = IDLE_VFIO_D3,
		[SETTINGS_IDLE_AWAKE] = IDLE_AWAKE,
	};

	static const unsigned containers[] = {
		[SETTINGS_CONTAINERS_REFUSE] = FREE_CONTAINERS_REFUSE, [SETTINGS_CONTAINERS_STOP] = FREE_CONTAINERS_STOP,
		[SETTINGS_CONTAINERS_FREEZE] = FREE_CONTAINERS_FREEZE,
	};
	static const unsigned processes[] = {
		[SETTINGS_PROCESSES_REFUSE] = FREE_PROCESSES_REFUSE, [SETTINGS_PROCESSES_TERM] = FREE_PROCESSES_TERM,
		[SETTINGS_PROCESSES_KILL] = FREE_PROCESSES_KILL,
	};

	static const char *const other[] = {
		[SETTINGS_OTHER_REFUSE] = "", [SETTINGS_OTHER_WAIT] = "waits for that VM's end",
		[SETTINGS_OTHER_SHUTDOWN] = "shuts that VM down", [SETTINGS_OTHER_STOP] = "stops that VM",
	};

	*ret = (struct policy){ .chain = s->reset_methods.text };
	ret->members = members[s->group_members];
	ret->idle = idle[s->idle];
	ret->reset = reset[s->reset];
	if (s->other_vm.word)
		snprintf(ret->other_vm, sizeof(ret->other_vm), "A start first %s, which may take %llu s.",
			 other[s->other_vm.word], (unsigned long long)s->other_vm.ms / 1000);
	ret->free.services_auto = str_starts(s->services.text, "auto");
	ret->free.containers = containers[s->containers];
	ret->free.processes = processes[s->processes.word];
	ret->free.grace_ms = s->processes.ms;
}
