// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of commands, and running one of them: see cli.h. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "cli.h"

static const struct option list_options[] = {
	{ "all", 'a', NULL, offsetof(struct cli, all), "every assignable function, not only graphics cards" },
	{ NULL, 0, NULL, 0, NULL },
};

static const struct option release_options[] = {
	{ "all", 'a', NULL, offsetof(struct cli, all), "what any VM left behind" },
	{ "dry-run", 'n', NULL, offsetof(struct cli, dry_run), "say what would be done, touch nothing" },
	{ "abandon", 0, NULL, offsetof(struct cli, abandon), "give up, for good, what cannot be given back" },
	{ NULL, 0, NULL, 0, NULL },
};

static const struct option config_options[] = {
	{ "snapshot", 0, "NAME", offsetof(struct cli, snapshot), "a snapshot instead of the current configuration" },
	{ "pending", 'p', NULL, offsetof(struct cli, pending), "the changes that wait for the next start" },
	{ "all", 'a', NULL, offsetof(struct cli, all), "also the whole file, as Proxmox reads it" },
	{ NULL, 0, NULL, 0, NULL },
};

#define ATTACH(field) offsetof(struct cli, attach.field)

static const struct option attach_options[] = {
	{ "primary", 0, NULL, ATTACH(primary), "the guest's primary graphics card (x-vga=1)" },
	{ "slot", 0, "N", ATTACH(slot), "hostpciN instead of the next free one" },
	{ "function", 0, NULL, ATTACH(function), "only the function named, not its whole card" },
	{ "no-rombar", 0, NULL, ATTACH(no_rombar), "hide the card's ROM from the guest (rombar=0)" },
	{ "romfile", 0, "F", ATTACH(romfile), "a ROM image in /usr/share/kvm" },
	{ "no-pcie", 0, NULL, ATTACH(no_pcie), "plain PCI also on q35" },
	{ "display", 0, "none|std|keep", ATTACH(display), "the emulated display; with --primary: none if unset" },
	{ "machine", 0, "keep|q35", ATTACH(machine), "for a card: q35 if unset" },
	{ "bios", 0, "keep|ovmf", ATTACH(bios), "never changed unasked" },
	{ "cpu", 0, "keep|host", ATTACH(cpu), "for a card: host if unset" },
	{ "hide-hypervisor", 0, NULL, ATTACH(hide_hypervisor), "for drivers that refuse to work in a VM" },
	{ "replace-args", 0, NULL, ATTACH(replace_args), "with that: take '-cpu' out of 'args'" },
	{ "no-hook", 0, NULL, ATTACH(no_hook), "do not set the hookscript" },
	{ "chain", 0, NULL, ATTACH(chain), "run the VM's present hookscript after ours" },
	{ "yes-host-console", 0, NULL, ATTACH(yes_host_console), "also the display of the host itself" },
	{ "dry-run", 'n', NULL, offsetof(struct cli, dry_run), "show the diff, write nothing" },
	{ NULL, 0, NULL, 0, NULL },
};

static const struct option detach_options[] = {
	{ "dry-run", 'n', NULL, offsetof(struct cli, dry_run), "show the diff, write nothing" },
	{ NULL, 0, NULL, 0, NULL },
};

static const struct option hook_options[] = {
	{ "storage", 0, "ID", offsetof(struct cli, storage), "this storage, instead of the best one" },
	{ "dry-run", 'n', NULL, offsetof(struct cli, dry_run), "say what would be done, write nothing" },
	{ NULL, 0, NULL, 0, NULL },
};

static const struct option mapping_options[] = {
	{ "node", 0, "NODE", offsetof(struct cli, node), "remove: only what the mapping says of this node" },
	{ "dry-run", 'n', NULL, offsetof(struct cli, dry_run), "show the diff, write nothing" },
	{ NULL, 0, NULL, 0, NULL },
};

static const struct option doctor_options[] = {
	{ "fix", 0, NULL, offsetof(struct cli, fix), "mend what is safe to mend in the VM's config" },
	{ "dry-run", 'n', NULL, offsetof(struct cli, dry_run), "with --fix: show the diff, write nothing" },
	{ NULL, 0, NULL, 0, NULL },
};

static const struct option setup_options[] = {
	{ "apply", 0, NULL, offsetof(struct cli, apply), "do it; without, it is only shown" },
	{ "verify", 0, NULL, offsetof(struct cli, verify), "after the reboot: is everything as promised?" },
	{ "undo", 0, NULL, offsetof(struct cli, undo), "put everything back as it was" },
	{ "for", 0, "ADDR[,ADDR]", offsetof(struct cli, for_devices), "the cards that --static is about" },
	{ "static", 0, NULL, offsetof(struct cli, bind_static), "VFIO has them from the boot on, by address" },
	{ "static-ids", 0, NULL, offsetof(struct cli, static_ids), "the same by id, which catches twins as well" },
	{ "keep-acs-override", 0, NULL, offsetof(struct cli, keep_acs), "leave pcie_acs_override= in place" },
	{ NULL, 0, NULL, 0, NULL },
};

static const struct option report_options[] = {
	{ "html", 0, "FILE", offsetof(struct cli, html), "a page in FILE instead of text; '-' for stdout" },
	{ NULL, 0, NULL, 0, NULL },
};

static const struct option reset_options[] = {
	{ "method", 0, "METHOD", offsetof(struct cli, method), "this one and no other" },
	{ "chain", 0, NULL, offsetof(struct cli, chain), "everything that could help, strongest first" },
	{ "dry-run", 'n', NULL, offsetof(struct cli, dry_run), "say what would be done, touch nothing" },
	{ NULL, 0, NULL, 0, NULL },
};

static const struct option selftest_options[] = {
	{ "rounds", 0, "N", offsetof(struct cli, rounds), "how often, 1 to 1000 (10)" },
	{ NULL, 0, NULL, 0, NULL },
};

const struct command commands[] = {
	{
		.name = "list", .run = cmd_list, .args = "", .options = list_options,
		.summary = "graphics cards: driver, IOMMU group, reset, who holds them",
		.about =
		"Shows every graphics card with all functions of its slot: address, driver, IOMMU\n"
		"group, reset methods as the kernel lists them, who holds it, and below it what\n"
		"is wrong with it; with -v also its link and the errors the kernel counted.",
	}, {
		.name = "plan", .run = cmd_plan, .args = "VMID", .args_min = 1, .args_max = 1,
		.summary = "what a start of the VM would do now, and every refusal",
		.about =
		"Shows what the hookscript would do if the VM started now: which functions it\n"
		"would take, step by step, or every reason to refuse. Touches nothing.\n"
		"Exit status 4: the start would be refused.",
	}, {
		.name = "status", .run = cmd_status, .args = "[VMID]", .args_max = 1,
		.summary = "which VM has what, since when, and does it answer",
		.about =
		"Shows the leases: which VM holds which functions, in which state it is, where\n"
		"each function goes back to, and whether it answers.\n"
		"Exit status 3: something is left over, stuck, damaged, or does not answer.",
	}, {
		.name = "release", .run = cmd_release, .args = "VMID|--all", .args_max = 1,
		.options = release_options, .changes_devices = true,
		.summary = "give back what a VM left behind",
		.about =
		"Puts the devices of a VM that is gone back on the drivers they came from, as\n"
		"the hookscript does after a stop. Exit status 4: refused, because the VM lives,\n"
		"is being started or stopped, or somebody else is at work on its devices.\n"
		"With --abandon, what hangs or fails for good is given up: it is recorded, and\n"
		"'status' shows it until the host is rebooted. No VM gets a device whose step\n"
		"still hangs in the kernel; any other, the next start takes as it is then.",
	}, {
		.name = "reset", .run = cmd_reset, .args = "ADDRESS", .args_min = 1, .args_max = 1,
		.options = reset_options, .changes_devices = true,
		.summary = "reset an idle card and say whether it answers",
		.about =
		"Takes all functions of the card from their drivers, as a VM's start would,\n"
		"resets it, looks whether it answers, and puts it back. Refuses a card in use\n"
		"(exit status 4); status 1: it could not be reset, or is dead. Methods:\n"
		"  flr af_flr pm bus cxl_bus acpi device_specific  of the kernel, chosen alone\n"
		"  vfio  of each function    hot  of the whole card    (both through VFIO)\n"
		"  subordinate  of everything below the port    d3  D3hot and back\n"
		"  rescan  off the bus and found again\n"
		"  suspend  the whole host sleeps for 8 seconds (S3), its slots without power:\n"
		"    the last resort short of a reboot. Refused while a VM runs; containers and\n"
		"    the network stand still meanwhile. Only when it is named here.",
	}, {
		.name = "selftest", .run = cmd_selftest, .args = "ADDRESS", .args_min = 1, .args_max = 1,
		.options = selftest_options, .changes_devices = true,
		.summary = "take an idle card and give it back, again and again",
		.about =
		"Does what the start and stop of a VM would do to the card, N times: takes it,\n"
		"resets it, looks whether it answers, gives it back; each round is timed. Ends\n"
		"with the first round that fails (exit status 1). Ctrl-C ends it after a round.",
	}, {
		.name = "attach", .run = cmd_attach, .args = "VMID DEVICE...", .args_min = 2, .args_max = CLI_ARGS_MAX,
		.options = attach_options,
		.summary = "write a device, and what goes with it, into a VM's config",
		.about =
		"Gives the VM a PCI device (01:00, 0000:01:00.0) or a mapping, with all functions\n"
		"of the card, and sets the hookscript. For a graphics card it also sets machine\n"
		"type and CPU where the VM has none. Several devices are one edit; what runs gets\n"
		"its changes at the next start, as with 'qm set'. Shows the diff. 'detach' takes\n"
		"all of it back. Exit status 4: refused, and nothing was changed.",
	}, {
		.name = "detach", .run = cmd_detach, .args = "VMID [DEVICE|hostpciN|all]", .args_min = 1, .args_max = 2,
		.options = detach_options,
		.summary = "take devices out of a VM's config again",
		.about =
		"The inverse of attach: takes one device out, or all of them. When nobody has\n"
		"changed the file since, it is byte for byte what it was before; otherwise what\n"
		"attach had changed besides is put back where it is still as attach left it, and\n"
		"our hookscript goes with the last device.",
	}, {
		.name = "hook", .run = cmd_hook, .args = "install|remove|status", .args_min = 1, .args_max = 1,
		.options = hook_options,
		.summary = "the hookscript in a storage, and the guests that use it",
		.about =
		"install puts the snippet and an example of a VM's settings into a storage;\n"
		"remove takes the snippet out of this node's VMs first, and refuses while others\n"
		"use it; status shows every guest of every node: does its hookscript exist there,\n"
		"and which VMs have devices and no hookscript (exit status 3).",
	}, {
		.name = "mapping", .run = cmd_mapping, .args = "list|add|remove|refresh [NAME [DEVICE...]]", .args_min = 1,
		.args_max = CLI_ARGS_MAX, .options = mapping_options,
		.summary = "cluster-wide names for devices",
		.about =
		"list shows the mappings and whether they still fit this node's hardware; add\n"
		"gives NAME an entry for this node (several devices: several to choose from);\n"
		"remove takes NAME away; refresh corrects ids, subsystem and IOMMU group of this\n"
		"node's entries after a change of hardware. Everything else in the file stays.",
	}, {
		.name = "config", .run = cmd_config, .args = "VMID", .args_min = 1, .args_max = 1,
		.options = config_options,
		.summary = "the passthrough part of a VM's config, explained",
		.about =
		"Shows every hostpci line with the devices it means on this host, and what is\n"
		"wrong with it: what Proxmox would drop, and what keeps the VM from starting.\n"
		"Exit status 3: something is wrong.",
	}, {
		.name = "watch", .run = cmd_watch, .args = "", .changes_devices = true,
		.summary = "give back what no post-stop gives back; systemd runs it",
		.about =
		"Looks after all leases until none is left: where a start failed, a hook was\n"
		"killed, or post-stop never came, it gives the devices back as post-stop would\n"
		"have done, and writes a line about it. pve-gpu-watch.path starts it. Never\n"
		"acts on a VM that runs. SIGTERM ends it when what it is at is done.",
	}, {
		.name = "doctor", .run = cmd_doctor, .args = "[VMID]", .args_max = 1, .options = doctor_options,
		.summary = "what stands in the way of the host or a VM, what to type",
		.about =
		"Examines the host: firmware, IOMMU, kernel command line, modules, groups, cards\n"
		"and who uses them, and what the logs say since the boot. With VMID: what would\n"
		"keep that VM from starting, what its guest will stumble over, and what costs\n"
		"against bare metal. Each finding has a severity, what was seen and where, and\n"
		"what to do. Changes nothing, unless --fix is given: it writes what is safe into\n"
		"the VM's config and shows the diff.\n"
		"Exit status 3: there is a blocker or a problem; 4: --fix was refused.",
	}, {
		.name = "setup", .run = cmd_setup, .args = "", .options = setup_options,
		.summary = "make this host fit for it, and take that back",
		.about =
		"Shows, as diffs, what has to change on this host: the kernel's command line in\n"
		"the file that this host boots by, and leftovers of guides that do nothing or\n"
		"harm. --apply does it, keeps every original in /var/lib/pve-gpu/setup, and runs\n"
		"update-initramfs and the boot loader's command; when one fails, every file is\n"
		"put back. Exit status 3: --verify found something else than promised; 4:\n"
		"refused, because somebody has changed a file since, or because it cannot be told\n"
		"how the host boots.",
	}, {
		.name = "report", .run = cmd_report, .args = "", .options = report_options,
		.summary = "everything that a helper would ask for, without secrets",
		.about =
		"Writes down the host, its cards, groups, drivers and who holds them, all\n"
		"findings, the leases, every VM with devices, and what the logs say of it, as\n"
		"text to be pasted or as one page that needs nothing else. MAC addresses, UUIDs,\n"
		"serial numbers, keys and passwords are taken out; look at it before you give it\n"
		"away.",
	},
	{ .name = NULL },
};

int cli_failed(struct cli *c, const struct err *e)
{
	out_error(&c->out, e);
	return CLI_FAILED;
}

/* Neither giving back nor setting up is left half done for a Ctrl-C: every wait in them has an end. */
static void hold_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* The answer has to arrive.  A reader that went away has had enough of it: that is no news. */
static int finish(struct cli *c, int status)
{
	struct err e = ERR_INIT;

	if (status == CLI_USAGE) {
		out_drop(&c->out);
		return status;
	}
	if (out_finish(&c->out, &e) == 0)
		return status;
	if (e.code != EPIPE)
		fprintf(c->chatter, "pve-gpu: %s\n", e.msg);
	return CLI_FAILED;
}

static int run(struct cli *c)
{
	if ((c->command->changes_devices && !c->dry_run) || c->apply || c->undo)
		hold_signals();
	return c->command->run(c);
}

static int open_and_run(struct cli *c)
{
	struct err e = ERR_INIT;
	struct host h;
	int status;

	if (host_open(&h, c->root, &e) < 0)
		return cli_failed(c, &e);
	if (!getcwd(c->folder, sizeof(c->folder)))
		c->folder[0] = '\0';
	if (chdir("/") < 0) {	/* a relative root is open by now */
		err_set(&e, errno, "cannot change to the folder '/': %s", err_text(errno));
		status = cli_failed(c, &e);
	} else {
		c->h = &h;
		status = run(c);
		c->h = NULL;
	}
	host_close(&h);
	return status;
}

int cli_main(struct cli *c, int argc, char *const argv[])
{
	int status = args_parse(c, argc, argv);

	if (status)
		return status;
	if (args_print_only(c)) {
		out_open(&c->out, c->to, c->chatter, false, true);
		args_print(c);
		return finish(c, CLI_DONE);
	}
	out_open(&c->out, c->to, c->chatter, c->json, c->no_color);
	c->out.quiet = c->quiet;
	c->out.verbose = c->verbose;
	return finish(c, c->h ? run(c) : open_and_run(c));
}
