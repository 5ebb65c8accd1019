/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmedit - changes single lines of a VM config and no other byte of it.
 *
 * A key's line is replaced, added or taken out; comments, blank lines, other sections, lines that
 * Proxmox drops, the order of lines and the kind of line end stay as they are.  A last line without
 * line feed gets one only when something is added behind it (`newline_added` says so).
 *
 * Every change is read back with Proxmox's rules (vmconf.h) before it counts: what its reader would
 * drop or understand differently is refused, and the text is then as it was.
 *
 * vmedit_put() and vmedit_drop() decide between the current section and [PENDING] as `qm set` does
 * (qemu-server: API2/Qemu.pm: update_vm_api; QemuServer.pm: vmconfig_hotplug_pending):
 *
 *  - a VM that is not running gets its change in the current section, and a waiting change or
 *    removal of the same key is taken back;
 *  - of a running VM only options without effect on QEMU are changed at once; everything else waits
 *    in [PENDING], a removal in its `delete:` list (sorted, with commas, without what is not set);
 *  - a value that waits but is the current one, and a removal of what is not there, do not wait.
 *
 * Other keys that wait are left alone, where `qm set` would tidy them up or, on a VM that is not
 * running, apply them.
 */
#ifndef VMEDIT_H
#define VMEDIT_H

#include "vmconf.h"

struct vmedit {
	struct vmconf *now;		/* as it is with the changes made so far; owned */
	const struct schema_env *env;
	bool running;
	bool newline_added;
	struct str gone;		/* private: devices dropped so far */
};

/* Begins with the bytes of a config; `env` (may be NULL) is kept. */
int vmedit_init(struct vmedit *ed, const char *bytes, size_t len, const struct schema_env *env,
		bool running, struct err *e) _must_check_;
void vmedit_release(struct vmedit *ed);

/* One section as it stands, main or pending.  The value is not to point into `now`, which every change
 * replaces, and may not contain line ends; "" is kept as a value of one blank, as Proxmox's own writer
 * causes it.  -EINVAL: Proxmox would not read it so. */
int vmedit_set(struct vmedit *ed, enum vmconf_section_kind where, const char *key, const char *value,
	       struct err *e) _must_check_;
/* All lines of the key that count or would count; nothing to do is success.  A [PENDING] in which
 * nothing is left goes with its header. */
int vmedit_unset(struct vmedit *ed, enum vmconf_section_kind where, const char *key,
		 struct err *e) _must_check_;

/* `qm set --KEY VALUE` and `qm set --delete KEY`; the latter takes a device out of the boot order, too. */
int vmedit_put(struct vmedit *ed, const char *key, const char *value, struct err *e) _must_check_;
int vmedit_drop(struct vmedit *ed, const char *key, struct err *e) _must_check_;

/* What the VM will have after its next stop and start: pending before current; NULL = nothing. */
const char *vmedit_effective(const struct vmconf *c, const char *key);

/* Does a change of this key need no restart (QemuServer.pm: $fast_plug_option; of cloud-init's options, which
 * Proxmox also applies at once but keeps a record of, nothing is known here)? */
bool vmedit_at_once(const char *key);

#endif
