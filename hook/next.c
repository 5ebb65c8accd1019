// SPDX-License-Identifier: GPL-2.0-or-later
/* Another hookscript of the same VM, named in its settings: see hook.h. */
#include <errno.h>
#include <string.h>

#include "hook.h"
#include "storage.h"

/* Proxmox would wait for ever; whoever waits for the VM would not. */
#define NEXT_MS (10 * 60 * 1000)

static int failed(struct hook *k, const char *phase, const struct err *e)
{
	fprintf(k->out, "pve-gpu: VM %u: the next hookscript failed at %s: %s\n", k->vmid, phase, e->msg);
	return EXIT_FAILED;
}

/* Where a volume lies is asked when it is run: storages move. */
static int find(struct hook *k, const char *next, struct host_path *ret, struct err *e)
{
	struct storages storages = STORAGES_INIT;
	struct stat st;
	int r = 0;

	*ret = host_path("%s", next);
	if (*next != '/') {
		r = storage_load(k->h, &storages, e);
		if (r == 0)
			r = storage_resolve(&storages, next, ret->s, sizeof(ret->s), e);
		storage_release(&storages);
	}
	if (r < 0)
		return r;
	r = host_stat(k->h, ret->s, &st);
	if (r < 0)
		return err_set(e, -r, "cannot find '%s' (next = %s): %s", ret->s, next, err_text(r));
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return err_set(e, EACCES, "'%s' (next = %s) is no executable file: chmod +x it", ret->s, next);
	return 0;
}

static int run(struct hook *k, const char *path, const char *vmid, const char *phase, struct err *e)
{
	const char *const argv[] = { path, vmid, phase, NULL };
	struct host_run run;
	int r = host_run(k->h, argv, NEXT_MS, &run);

	if (r < 0)
		return err_set(e, -r, "cannot run '%s': %s", path, err_text(r));
	if (run.output[0])
		fprintf(k->out, "%s%s", run.output, run.output[strlen(run.output) - 1] == '\n' ? "" : "\n");
	if (run.timed_out)
		return err_set(e, ETIMEDOUT, "'%s' did not end within %d minutes", path, NEXT_MS / 60000);
	if (run.signal)
		return err_set(e, EIO, "'%s' was ended by signal %d", path, run.signal);
	if (run.status != 0)
		return err_set(e, EIO, "'%s' ended with status %d", path, run.status);
	return 0;
}

int hook_next(struct hook *k, const char *vmid, const char *phase)
{
	struct settings settings;
	struct err e = ERR_INIT;
	struct host_path path;

	if (!k->snippets || !host_exists(k->h, host_path("%s/%u.gpu.ini", k->snippets, k->vmid).s))
		return EXIT_DONE;
	if (settings_load(k->h, k->snippets, k->vmid, &settings, &e) < 0)
		return failed(k, phase, &e);
	if (!settings.next[0])
		return EXIT_DONE;
	if (find(k, settings.next, &path, &e) < 0 || run(k, path.s, vmid, phase, &e) < 0)
		return failed(k, phase, &e);
	return EXIT_DONE;
}
