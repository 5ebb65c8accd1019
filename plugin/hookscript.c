// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a VM's hookscript lies: see hookscript.h. */
#include "hookscript.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage.h"
#include "str.h"
#include "vmconf.h"

static int read_volid(struct host *h, unsigned vmid, char *buf, size_t size, struct err *e)
{
	struct host_path path = host_path("/etc/pve/qemu-server/%u.conf", vmid);
	struct vmconf *c = NULL;
	const char *value;
	char *text;
	size_t len;
	int r = host_read_file(h, path.s, VMCONF_SIZE_MAX, &text, &len);

	if (r < 0)
		return err_set(e, -r, "cannot read '%s': %s", path.s, err_text(r));
	r = vmconf_parse(text, len, &c, e);
	free(text);
	if (r < 0)
		return r;
	value = vmconf_current(c, "hookscript");
	if (value && str_copy(buf, size, value) < 0)
		r = err_set(e, ENAMETOOLONG, "'%s': the hookscript's name is too long", path.s);
	vmconf_free(c);
	return r;
}

int hookscript_find(struct host *h, unsigned vmid, struct hookscript *ret, struct err *e)
{
	struct storages storages = STORAGES_INIT;
	char path[sizeof(ret->folder)], *slash;
	int r;

	*ret = (struct hookscript){ "", "" };
	r = read_volid(h, vmid, ret->volid, sizeof(ret->volid), e);
	if (r < 0 || !ret->volid[0])
		return r;
	r = storage_load(h, &storages, e);
	if (r == 0)
		r = storage_resolve(&storages, ret->volid, path, sizeof(path), e);
	storage_release(&storages);
	if (r < 0)
		return r;
	slash = strrchr(path, '/');
	if (slash && slash > path)
		memcpy(ret->folder, path, (size_t)(slash - path));
	return 0;
}
