/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings - what the administrator has decided: for the host, and for one VM.
 *
 * /etc/pve-gpu/settings.ini holds for every VM, <snippets folder>/<vmid>.gpu.ini for one and
 * overrides it key by key.  A file that is not there changes nothing.  Everything else is strict,
 * because a typing error in a safety setting must not pass for consent: unknown sections and keys,
 * a key given twice, a bad value, an indented line (the ini library would glue it to the line
 * above), a line longer than the library's buffer, and a byte that is no text are errors that name
 * file and line.
 *
 * These files decide what a root process does, so on the running machine they and the folder they
 * lie in are believed only when nobody but root can change them.  In a captured tree ownership is
 * not looked at.
 *
 * The table settings_keys[] is the reference: readers, help and the example file follow it.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "host.h"

#define SETTINGS_HOST_FILE "/etc/pve-gpu/settings.ini"
#define SETTINGS_FILE_MAX (64 * 1024)

enum settings_type {
	SETTINGS_BOOL,		/* yes, no -> bool */
	SETTINGS_ENUM,		/* one of `words` -> unsigned, its index */
	SETTINGS_SECONDS,	/* whole seconds, min..max -> uint64_t milliseconds */
	SETTINGS_LIST,		/* words separated by blanks or commas -> struct settings_list */
	SETTINGS_SERVICES,	/* refuse, auto or stop, then units -> struct settings_list, the first word included */
	SETTINGS_TIMED,		/* one of `words`, seconds after those that may have some -> struct settings_timed */
	SETTINGS_HOOK,		/* a volume or an absolute path -> char[SETTINGS_HOOK_SIZE], "" = none */
};

#define SETTINGS_HOOK_SIZE 192

enum {	/* where a key may stand */
	SETTINGS_IN_HOST = 1,
	SETTINGS_IN_VM = 2,
	SETTINGS_IN_BOTH = 3,
};

struct settings_list {
	char text[200];		/* the words separated by single blanks; a line is never longer */
	unsigned n;
};

struct settings_timed {
	unsigned word;		/* index in `words` */
	uint64_t ms;		/* 0 = none */
};

/* One key.  `def` is parsed like a value from a file. */
struct settings_key {
	const char *section, *name;
	enum settings_type type;
	const char *def;
	unsigned where;
	const char *const *words;	/* SETTINGS_ENUM, SETTINGS_TIMED: NULL-terminated */
	unsigned min, max;		/* SETTINGS_SECONDS, SETTINGS_TIMED */
	unsigned usual;			/* SETTINGS_TIMED: seconds of a word without any; the first word has none */
	size_t offset;			/* of the value in the settings struct */
	const char *help;		/* one line */
};

/* Other members of the device's IOMMU group, which nobody asked for (Proxmox takes them all). */
enum settings_members {
	SETTINGS_MEMBERS_IDLE,		/* take them when nothing on the host uses them */
	SETTINGS_MEMBERS_TAKE,		/* take them whatever uses them, short of what the host needs */
	SETTINGS_MEMBERS_REFUSE,	/* never: refuse the start */
};

enum settings_reset {
	SETTINGS_RESET_AUTO,		/* before the VM gets it, where a way is known; afterwards where it is needed */
	SETTINGS_RESET_ALWAYS,		/* before and after; no way to reset is a refusal */
	SETTINGS_RESET_NEVER,
	SETTINGS_RESET_ON_CLAIM,	/* only before */
	SETTINGS_RESET_ON_RETURN,	/* only after */
};

/* Where a device is while no VM has it. */
enum settings_idle { SETTINGS_IDLE_HOST_DRIVER, SETTINGS_IDLE_VFIO_D3, SETTINGS_IDLE_AWAKE };

/* Containers and processes of the host that have a device open. */
enum settings_containers { SETTINGS_CONTAINERS_REFUSE, SETTINGS_CONTAINERS_STOP, SETTINGS_CONTAINERS_FREEZE };
enum settings_processes { SETTINGS_PROCESSES_REFUSE, SETTINGS_PROCESSES_TERM, SETTINGS_PROCESSES_KILL };

/* Another VM has a device. */
enum settings_other { SETTINGS_OTHER_REFUSE, SETTINGS_OTHER_WAIT, SETTINGS_OTHER_SHUTDOWN, SETTINGS_OTHER_STOP };

/* A start for the backup of a stopped VM. */
enum settings_backup { SETTINGS_BACKUP_TAKE, SETTINGS_BACKUP_REFUSE, SETTINGS_BACKUP_TAKE_IF_FREE };

/* Index into settings_keys[] and origin[]. */
enum settings_id {
	SETTINGS_GROUP_MEMBERS,
	SETTINGS_ALLOW,
	SETTINGS_RESET,
	SETTINGS_RESET_METHODS,
	SETTINGS_IDLE,
	SETTINGS_BAR0,
	SETTINGS_VFS,
	SETTINGS_START_DEADLINE,
	SETTINGS_STOP_DEADLINE,
	SETTINGS_RELEASE_WAIT,
	SETTINGS_LINGER,
	SETTINGS_SERVICE_USERS,
	SETTINGS_CONTAINER_USERS,
	SETTINGS_PROCESS_USERS,
	SETTINGS_OTHER_VM,
	SETTINGS_BACKUP,
	SETTINGS_GRACE,
	SETTINGS_NOTIFY,
	SETTINGS_NEXT,
	SETTINGS_N
};

struct settings {
	unsigned group_members;		/* enum settings_members */
	struct settings_list allow;	/* words of plan_allow(), lib/claim/plan.h */
	unsigned reset;			/* enum settings_reset */
	struct settings_list reset_methods;	/* a chain, lib/hw/reset.h; empty = what the device offers */
	struct settings_list bar0;	/* a size, lib/hw/bar.h; empty = as it is */
	struct settings_list vfs;	/* how many virtual functions a start makes, a number; empty = none */
	unsigned idle;			/* enum settings_idle */
	uint64_t start_deadline;	/* ms for the whole pre-start */
	uint64_t stop_deadline;		/* ms for the whole post-stop */
	uint64_t release_wait;		/* ms of it that are spent waiting for QEMU to let go */
	uint64_t linger;		/* ms that the devices wait for the VM's next start */
	struct settings_list services;	/* "refuse", "auto UNIT...", "stop UNIT..." */
	unsigned containers;		/* enum settings_containers */
	struct settings_timed processes;	/* enum settings_processes; ms from SIGTERM on */
	struct settings_timed other_vm;	/* enum settings_other; ms until it must have ended */
	unsigned backup;		/* enum settings_backup */
	uint64_t grace;			/* ms that watch waits for post-stop */
	bool notify;			/* watch uses Proxmox's notification system */
	char next[SETTINGS_HOOK_SIZE];	/* another hookscript, to be run after ours; "" = none */
	struct { char text[280]; } origin[SETTINGS_N];	/* "default" or "FILE:LINE" */
};

extern const struct settings_key settings_keys[SETTINGS_N];

/* Defaults, all origins "default". */
void settings_init(struct settings *s);

/* Defaults, then the host's file, then (`snippets` not NULL) the VM's file in that folder.  *ret is
 * written on success only; it owns nothing. */
int settings_load(struct host *h, const char *snippets, unsigned vmid, struct settings *ret,
		  struct err *e) _must_check_;

/* --- the reader underneath, over any table --------------------------------------------- */

/* One "key = value" of a file whose sections have names of their own.  Negative with a sentence ends it. */
typedef int (*settings_line_fn)(void *arg, const char *section, const char *key, const char *value, struct err *e);

/* Every line of such a file, as strictly read and as little believed as a settings file.  -ENOENT without a
 * sentence: there is none.  What fn says gets file and line before it. */
int settings_each(struct host *h, const char *path, settings_line_fn fn, void *arg, struct err *e) _must_check_;

struct settings_table {
	const struct settings_key *keys;
	size_t n;
};

/* One file's text into `values` (a struct that the offsets fit); line_of[n] gets the line of each
 * key that the file sets and is not touched for the others.  `where` is SETTINGS_IN_HOST or _VM,
 * `file` is for messages.  On failure values may be half written: work on a copy. */
int settings_parse(const struct settings_table *table, const char *file, const char *text, size_t len,
		   unsigned where, void *values, unsigned line_of[], struct err *e) _must_check_;

/* One value as text into the settings struct; the sentence has no file or line yet.  -EINVAL. */
int settings_set(const struct settings_key *key, const char *value, void *values,
		 struct err *e) _must_check_;

#endif
