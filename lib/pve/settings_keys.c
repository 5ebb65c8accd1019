// SPDX-License-Identifier: GPL-2.0-or-later
/* Every key of a settings file, with its default: see settings.h. */
#include "settings.h"

static const char *const members_words[] = { "idle", "take", "refuse", NULL };
static const char *const reset_words[] = { "auto", "always", "never", "on-claim", "on-return", NULL };
static const char *const containers_words[] = { "refuse", "stop", "freeze", NULL };
static const char *const processes_words[] = { "refuse", "term", "kill", NULL };
static const char *const other_words[] = { "refuse", "wait", "shutdown", "stop", NULL };
static const char *const backup_words[] = { "take", "refuse", "take-if-free", NULL };
static const char *const idle_words[] = { "host-driver", "vfio-d3", "awake", NULL };

const struct settings_key settings_keys[SETTINGS_N] = {
	[SETTINGS_GROUP_MEMBERS] = {
		.section = "claim", .name = "group_members", .type = SETTINGS_ENUM, .def = "idle",
		.where = SETTINGS_IN_BOTH, .words = members_words,
		.offset = offsetof(struct settings, group_members),
		.help = "other functions of the IOMMU group, which Proxmox takes along: idle, take, refuse",
	},
	[SETTINGS_ALLOW] = {
		.section = "claim", .name = "allow", .type = SETTINGS_LIST, .def = "",
		.where = SETTINGS_IN_BOTH, .offset = offsetof(struct settings, allow),
		.help = "what the host can do without: boot-display, only-display, bmc-display, last-input",
	},
	[SETTINGS_RESET] = {
		.section = "claim", .name = "reset", .type = SETTINGS_ENUM, .def = "auto",
		.where = SETTINGS_IN_BOTH, .words = reset_words,
		.offset = offsetof(struct settings, reset),
		.help = "when a device is reset: auto, always, never, on-claim, on-return",
	},
	[SETTINGS_RESET_METHODS] = {
		.section = "claim", .name = "reset_methods", .type = SETTINGS_LIST, .def = "",
		.where = SETTINGS_IN_BOTH, .offset = offsetof(struct settings, reset_methods),
		.help = "reset by these, in this order; empty: by what the device offers",
	},
	[SETTINGS_IDLE] = {
		.section = "claim", .name = "idle", .type = SETTINGS_ENUM, .def = "host-driver",
		.where = SETTINGS_IN_BOTH, .words = idle_words, .offset = offsetof(struct settings, idle),
		.help = "where a device is while no VM has it: host-driver, vfio-d3 (asleep), awake (on vfio-pci)",
	},
	[SETTINGS_BAR0] = {
		.section = "claim", .name = "bar0", .type = SETTINGS_LIST, .def = "", .where = SETTINGS_IN_VM,
		.offset = offsetof(struct settings, bar0), .help = "size of a graphics card's BAR 0, as in 8G; empty: as it is",
	},
	[SETTINGS_VFS] = {
		.section = "claim", .name = "vfs", .type = SETTINGS_LIST, .def = "", .where = SETTINGS_IN_BOTH,
		.offset = offsetof(struct settings, vfs),
		.help = "virtual functions to make at the start, where one that the VM asks for is not there: 1 to 256",
	},
	[SETTINGS_START_DEADLINE] = {
		.section = "claim", .name = "start_deadline", .type = SETTINGS_SECONDS, .def = "120",
		.where = SETTINGS_IN_BOTH, .min = 5, .max = 600,
		.offset = offsetof(struct settings, start_deadline),
		.help = "seconds that taking all devices of a VM may last, 5 to 600",
	},
	[SETTINGS_STOP_DEADLINE] = {
		.section = "claim", .name = "stop_deadline", .type = SETTINGS_SECONDS, .def = "45",
		.where = SETTINGS_IN_BOTH, .min = 5, .max = 55,
		.offset = offsetof(struct settings, stop_deadline),
		.help = "seconds that giving them back may last, 5 to 55 ('qm reboot' waits 60)",
	},
	[SETTINGS_RELEASE_WAIT] = {
		.section = "claim", .name = "release_wait", .type = SETTINGS_SECONDS, .def = "30",
		.where = SETTINGS_IN_BOTH, .min = 1, .max = 55,
		.offset = offsetof(struct settings, release_wait),
		.help = "seconds of stop_deadline to wait for QEMU to let go of the devices, 1 to 55",
	},
	[SETTINGS_LINGER] = {
		.section = "claim", .name = "linger", .type = SETTINGS_SECONDS, .def = "0",
		.where = SETTINGS_IN_BOTH, .min = 0, .max = 3600,
		.offset = offsetof(struct settings, linger),
		.help = "seconds after a stop that the devices wait for the VM's next start, 0 to 3600",
	},
	[SETTINGS_SERVICE_USERS] = {
		.section = "claim", .name = "services", .type = SETTINGS_SERVICES, .def = "refuse",
		.where = SETTINGS_IN_BOTH, .offset = offsetof(struct settings, services),
		.help = "services that have a device open: refuse, auto [UNIT...] (stop and start again), stop UNIT...",
	},
	[SETTINGS_CONTAINER_USERS] = {
		.section = "claim", .name = "containers", .type = SETTINGS_ENUM, .def = "refuse",
		.where = SETTINGS_IN_BOTH, .words = containers_words, .offset = offsetof(struct settings, containers),
		.help = "containers that have a device open: refuse, stop (and start again), freeze",
	},
	[SETTINGS_PROCESS_USERS] = {
		.section = "claim", .name = "processes", .type = SETTINGS_TIMED, .def = "refuse",
		.where = SETTINGS_IN_BOTH, .words = processes_words, .min = 1, .max = 60, .usual = 10,
		.offset = offsetof(struct settings, processes),
		.help = "other processes that have a device open: refuse, term [SECONDS], kill [SECONDS]",
	},
	[SETTINGS_OTHER_VM] = {
		.section = "claim", .name = "other_vm", .type = SETTINGS_TIMED, .def = "refuse",
		.where = SETTINGS_IN_BOTH, .words = other_words, .min = 1, .max = 600, .usual = 60,
		.offset = offsetof(struct settings, other_vm),
		.help = "another VM has a device: refuse, wait [SECONDS], shutdown [SECONDS], stop [SECONDS]",
	},
	[SETTINGS_BACKUP] = {
		.section = "claim", .name = "backup", .type = SETTINGS_ENUM, .def = "take",
		.where = SETTINGS_IN_BOTH, .words = backup_words, .offset = offsetof(struct settings, backup),
		.help = "a start for a backup: take (as any other), refuse, take-if-free (nobody is stopped for it)",
	},
	[SETTINGS_GRACE] = {
		.section = "watch", .name = "grace", .type = SETTINGS_SECONDS, .def = "5",
		.where = SETTINGS_IN_HOST, .min = 1, .max = 300,
		.offset = offsetof(struct settings, grace),
		.help = "seconds that post-stop is waited for once QEMU is gone, 1 to 300",
	},
	[SETTINGS_NOTIFY] = {
		.section = "watch", .name = "notify", .type = SETTINGS_BOOL, .def = "yes",
		.where = SETTINGS_IN_HOST,
		.offset = offsetof(struct settings, notify),
		.help = "tell the administrator through Proxmox VE's notifications what could not be given back",
	},
	[SETTINGS_NEXT] = {
		.section = "hook", .name = "next", .type = SETTINGS_HOOK, .def = "",
		.where = SETTINGS_IN_VM, .offset = offsetof(struct settings, next),
		.help = "another hookscript of the VM, run after this one: a volume or an absolute path",
	},
};
