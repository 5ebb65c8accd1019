// SPDX-License-Identifier: GPL-2.0-or-later
/* Arguments and phases: see hook.h. */
#include "hook.h"

#include <string.h>

#include "str.h"

static const struct phase {
	const char *name;
	int (*run)(struct hook *k);
} phases[] = {
	{ "pre-start", hook_prestart },
	{ "post-start", hook_poststart },
	{ "post-stop", hook_poststop },
};

static int usage(struct hook *k, const char *why, const char *what)
{
	struct str safe = STR_INIT;

	if (what) {
		(void)str_add(&safe, " '");
		(void)str_add_safe(&safe, what);
		(void)str_add(&safe, "'");
	}
	fprintf(k->out, "gpu-hook: %s%s\n"
		"usage: gpu-hook [--snippets DIR] VMID pre-start|post-start|pre-stop|post-stop\n"
		"Proxmox runs this program; 'pve-gpu' is the command for people.\n", why, safe.s);
	str_release(&safe);
	return EXIT_USAGE;
}

static int own_part(struct hook *k, const char *phase)
{
	for (size_t p = 0; p < ARRAY_SIZE(phases); p++)
		if (strcmp(phases[p].name, phase) == 0)
			return phases[p].run(k);
	return EXIT_DONE;	/* pre-stop, and whatever phases Proxmox may add */
}

static int run_phase(struct hook *k, const char *vmid, const char *phase)
{
	bool start = strcmp(phase, "pre-start") == 0;
	int status = own_part(k, phase), next;

	if (start && status != EXIT_DONE)
		return status;
	fflush(k->out);
	next = hook_next(k, vmid, phase);
	/* No post-stop follows a start that failed. */
	if (start && next != EXIT_DONE)
		(void)hook_undo_start(k);
	return status != EXIT_DONE ? status : next;
}

int hook_main(struct hook *k, int argc, char *const argv[])
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1] == '-'; i++) {
		if (strcmp(argv[i], "--timing") == 0)
			k->timing = true;
		else if (strcmp(argv[i], "--snippets") == 0 && i + 1 < argc)
			k->snippets = argv[++i];
		else if (strcmp(argv[i], "--snippets") == 0)
			return usage(k, "a folder is needed after", argv[i]);
		else
			return usage(k, "unknown option", argv[i]);
	}
	if (argc - i != 2)
		return usage(k, "a VM's id and a phase are needed", NULL);
	if (str_to_vmid(argv[i], &k->vmid) < 0)
		return usage(k, "this is no VM id (100 to 999999999):", argv[i]);
	return run_phase(k, argv[i], argv[i + 1]);
}
