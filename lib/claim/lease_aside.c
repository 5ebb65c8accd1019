// SPDX-License-Identifier: GPL-2.0-or-later
/* Lease files that go elsewhere: given up, or not to be read.  See lease.h. */
#include <errno.h>
#include <fcntl.h>

#include "file.h"
#include "lease.h"

int lease_move(struct host *h, unsigned vmid, const char *folder, struct host_path *ret, struct err *e)
{
	struct host_path to = host_path("%s", folder);
	int r = file_private_dir(h, folder, e);

	for (int i = 0; r == 0 && i < 100; i++) {
		to = host_path("%s/%u.%d", folder, vmid, i);
		if (!host_exists(h, to.s))
			break;
	}
	if (r == 0)
		r = host_rename(h, lease_path(vmid).s, to.s);
	if (r < 0)
		return e->code ? r : err_set(e, -r, "cannot put '%s' aside as '%s': %s", lease_path(vmid).s, to.s,
					     err_text(r));
	*ret = to;
	return 0;
}

/* What lies there, locked, is no lease of this boot. */
static int dispose(struct host *h, unsigned vmid, const struct err *why, struct err *e)
{
	struct lease_path path = lease_path(vmid);
	struct host_path to;
	int r;

	if (why->code != ESTALE)
		return lease_move(h, vmid, LEASE_ASIDE, &to, e);
	r = host_unlink(h, path.s);
	return r < 0 ? err_set(e, -r, "cannot remove '%s': %s", path.s, err_text(r)) : 0;
}

int lease_dispose(struct host *h, unsigned vmid, uint64_t ms, struct err *why, struct err *e)
{
	struct lease_path path = lease_path(vmid);
	/* A link has no lock; nobody makes a lease while something lies in its place. */
	_cleanup_(file_closep) int fd = host_open_file(h, path.s, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct lease l = LEASE_INIT;
	int r;

	*why = (struct err)ERR_INIT;
	if (fd >= 0 && (file_flock(h, fd, ms) < 0 || file_is_current(h, fd, path.s) != 1))
		return 0;
	r = lease_load(h, vmid, &l, why);
	lease_release(&l);
	if (r != -EBADMSG && r != -ESTALE)
		return 0;
	r = dispose(h, vmid, why, e);
	return r < 0 ? r : 1;
}
