// SPDX-License-Identifier: GPL-2.0-or-later
/* Reasons not to take a device: see judge.h. */
#include "judge.h"

#include <stdio.h>
#include <string.h>

#include "bar.h"
#include "plan_free.h"
#include "str.h"

struct look {
	const struct plan_input *in;
	struct plan *plan;
	const struct device *v;
	const struct pdev *d;
	struct err *e;
};

/* The refusal just made is a setting's doing. */
static int by_setting(struct look *l, const char *name, int r)
{
	struct refusal *last = &l->plan->refusals[l->plan->n_refusals - 1];

	if (r == 0)
		snprintf(last->setting, sizeof(last->setting), "%s", name);
	return r;
}

static bool dragged(const struct look *l)
{
	return l->v->key[0] == '\0';
}

/* The device is on a host driver now (our own unfinished claim aside). */
static bool on_host_driver(const struct look *l)
{
	return l->d->driver[0] && !l->d->vfio && strcmp(l->d->driver, "pci-stub") != 0;
}

static int no_group(struct look *l)
{
	if (l->d->group >= 0 || l->d->coming || !snapshot_has_iommu(l->in->snapshot) || l->d->bridge)
		return 0;
	return plan_refuse(l->plan, "no-group", &l->v->bdf, l->e,
			   "See which devices the IOMMU covers with 'ls /sys/kernel/iommu_groups/*/devices'.",
			   "%s is in no IOMMU group: the IOMMU does not cover it, so no VM can have it",
			   BDF_S(l->v->bdf));
}

static int bridge(struct look *l)
{
	unsigned c = pdev_class(l->d);

	/* A host or ISA bridge owns no bus, and the board does not run without it. */
	if (!l->d->bridge && (dragged(l) || (c != 0x0600 && c != 0x0601)))
		return 0;
	return plan_refuse(l->plan, "bridge", &l->v->bdf, l->e,
			   "Name the device behind it instead; 'pve-gpu list --all' shows what there is.",
			   "%s is a %s: bridges stay with the host", BDF_S(l->v->bdf),
			   pdev_class_text(pdev_class(l->d)));
}

/* What this VM had before was waited for by its lease; without a lease nobody has waited. */
static bool is_origin(const struct look *l)
{
	for (size_t i = 0; i < l->in->n_origins; i++)
		if (bdf_same(l->in->origins[i].bdf, l->v->bdf))
			return true;
	return false;
}

/* A dying process is gone from /proc before its files are closed: seconds, with much guest memory. */
static int closing(struct look *l)
{
	if (!l->d->open || is_origin(l))
		return 0;
	return plan_refuse(l->plan, PLAN_CLOSING, &l->v->bdf, l->e,
			   "A QEMU on its way out still has it, or a process that is not to be seen: see 'fuser -v "
			   "/dev/vfio/*' and 'dmesg', and try again.",
			   "%s is still open through VFIO", BDF_S(l->v->bdf));
}

static int held(struct look *l)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->in->n_holds; i++) {
		const struct hold *o = &l->in->holds[i];

		if (!bdf_same(o->bdf, l->v->bdf))
			continue;
		r = plan_refuse(l->plan, "held", &l->v->bdf, l->e, o->vmid && l->in->policy.other_vm[0] ?
				l->in->policy.other_vm : o->vmid ? "Stop that VM first, or give this VM another device." :
				o->hangs ? "Give this VM another device, or reboot the host: only that ends it for certain." :
				"End that process first.", "%s %sis held by %s", BDF_S(l->v->bdf),
				dragged(l) ? "(same IOMMU group) " : "", o->who);
		if (r == 0)
			l->plan->refusals[l->plan->n_refusals - 1].vmid = o->vmid;
		return by_setting(l, o->vmid ? "other_vm" : "", r);
	}
	return closing(l);
}

/* Its virtual functions, which a step of this plan makes, would go with its driver. */
static bool makes_vfs(const struct look *l)
{
	for (size_t i = 0; i < l->plan->n_steps; i++)
		if (step_makes_vfs(&l->plan->steps[i], l->v->bdf))
			return true;
	return false;
}

static int pf_with_vfs(struct look *l)
{
	struct host_path hint = host_path("Stop the VMs that have them, then remove them: echo 0 > "
					  "/sys/bus/pci/devices/%s/sriov_numvfs", BDF_S(l->v->bdf));

	if (l->d->vfs == 0 && makes_vfs(l))
		return plan_refuse(l->plan, "pf-with-vfs", &l->v->bdf, l->e, "Give the VM either the one or the others.",
				   "%s would be taken %swith the virtual functions of it that are to be made", BDF_S(l->v->bdf),
				   dragged(l) ? "(same IOMMU group) " : "");
	if (l->d->vfs == 0)
		return 0;
	return plan_refuse(l->plan, "pf-with-vfs", &l->v->bdf, l->e, hint.s,
			   "%s has %u virtual function%s; taking it would destroy them under their users",
			   BDF_S(l->v->bdf), l->d->vfs, l->d->vfs == 1 ? "" : "s");
}

/* The unbind waits for their users, and takes them away from these. */
static int mdev_parent(struct look *l)
{
	if (l->d->mdevs == 0)
		return 0;
	return plan_refuse(l->plan, "mdev-parent", &l->v->bdf, l->e,
			   "Stop the VMs that have them; Proxmox removes a mediated device with its VM.",
			   "%s carries %u mediated device%s (virtual GPU%s); taking it would destroy %s under their users",
			   BDF_S(l->v->bdf), l->d->mdevs, l->d->mdevs == 1 ? "" : "s", l->d->mdevs == 1 ? "" : "s",
			   l->d->mdevs == 1 ? "it" : "them");
}

/* What must never be taken, whoever asks: the host would lose its disk or its network. */
static int critical(struct look *l)
{
	int r = 0;

	for (size_t i = 0; r == 0 && l->in->inuse && i < l->in->inuse->n; i++) {
		const struct inuse_finding *f = &l->in->inuse->v[i];

		if (f->weight == INUSE_CRITICAL && bdf_same(f->bdf, l->v->bdf))
			r = plan_refuse(l->plan, "host-needs-it", &l->v->bdf, l->e,
					"Move that elsewhere first, or take the device out of the VM's config.",
					"%s %s; the host needs it", BDF_S(l->v->bdf), f->text);
	}
	return r;
}

static const struct {
	enum inuse_kind kind;
	unsigned bit;
	const char *word;		/* of the setting, and the refusal's id */
} allows[] = {
	{ INUSE_BOOT_DISPLAY, PLAN_ALLOW_BOOT_DISPLAY, "boot-display" },
	{ INUSE_ONLY_DISPLAY, PLAN_ALLOW_ONLY_DISPLAY, "only-display" },
	{ INUSE_BMC_DISPLAY, PLAN_ALLOW_BMC_DISPLAY, "bmc-display" },
	{ INUSE_LAST_INPUT, PLAN_ALLOW_LAST_INPUT, "last-input" },
};
const char plan_allow_words[] = "boot-display, only-display, bmc-display, last-input";

unsigned plan_allow(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(allows); i++)
		if (strcmp(allows[i].word, word) == 0)
			return allows[i].bit;
	return 0;
}

/* ARRAY_SIZE: a use that needs nobody's leave. */
static size_t allow_of(const struct inuse_finding *f)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(allows) && allows[i].kind != f->kind)
		i++;
	return f->weight == INUSE_BUSY ? i : ARRAY_SIZE(allows);
}

/* The whole line to write: what is set already, and what the plan needs besides. */
static struct host_path allow_line(const struct plan_input *in)
{
	struct host_path s = host_path("allow =");
	unsigned bits = in->policy.allow;
	const char *comma = " ";

	for (size_t i = 0; i < in->inuse->n; i++)
		if (allow_of(&in->inuse->v[i]) < ARRAY_SIZE(allows))
			bits |= allows[allow_of(&in->inuse->v[i])].bit;
	for (size_t i = 0; i < ARRAY_SIZE(allows); i++)
		if (bits & allows[i].bit) {
			s = host_path("%s%s%s", s.s, comma, allows[i].word);
			comma = ", ";
		}
	return s;
}

/* Only a person can know whether anybody sits before this host. */
static int displays(struct look *l)
{
	int r = 0;

	for (size_t i = 0; r == 0 && l->in->inuse && i < l->in->inuse->n; i++) {
		const struct inuse_finding *f = &l->in->inuse->v[i];
		size_t k = allow_of(f);
		struct host_path hint;

		if (!bdf_same(f->bdf, l->v->bdf))
			continue;
		hint = host_path("If this host can do without it, write '%s' into %u.gpu.ini beside the hookscript, or into "
				 "/etc/pve-gpu/settings.ini.", allow_line(l->in).s, l->in->vmid);
		if (k < ARRAY_SIZE(allows) && !(l->in->policy.allow & allows[k].bit))
			r = by_setting(l, "allow", plan_refuse(l->plan, allows[k].word, &l->v->bdf, l->e, hint.s, "%s %s%s",
				       BDF_S(l->v->bdf), dragged(l) ? "(same IOMMU group) " : "", f->text));
		else if (k < ARRAY_SIZE(allows) || f->for_good)
			r = plan_warn(l->plan, l->v->bdf, l->e, "%s %s", BDF_S(l->v->bdf), f->text);
	}
	return r;
}

/* held() speaks of it. */
static bool is_held(const struct look *l)
{
	for (size_t i = 0; i < l->in->n_holds; i++)
		if (bdf_same(l->in->holds[i].bdf, l->v->bdf))
			return true;
	return false;
}

/* An unbind that hangs until its user lets go, or tears a wanted device away from him. */
static bool disturbs(const struct look *l, const struct inuse_finding *f)
{
	if (f->kind == INUSE_VFIO && is_held(l))
		return false;
	if (f->weight == INUSE_HANGS)
		return true;
	return !dragged(l) && f->weight == INUSE_BUSY && (f->who.pid > 0 || f->kind == INUSE_NET);
}

/* What to do about a user, by hand or once and for all. */
static struct host_path way_out(const struct look *l, const struct inuse_finding *f)
{
	const char *setting = free_setting(f), *obstacle;

	if (f->kind == INUSE_NET && f->object[0])
		return host_path("If the host can do without it, type 'ip link set %s down', then start the VM again.", f->object);
	obstacle = strcmp(setting, "services") == 0 ? free_obstacle(l->in, f->who.unit) : NULL;
	if (obstacle)
		return host_path("Type 'systemctl stop %s', then start the VM again; 'services = auto' does not, because %s "
				 "would go down with it.", f->who.unit, obstacle);
	if (strcmp(setting, "services") == 0)
		return host_path("Type 'systemctl stop %s', then start the VM again; or let 'services = auto' stop it for the "
				 "VM and start it again afterwards.", f->who.unit);
	if (strcmp(setting, "containers") == 0)
		return host_path("Type 'pct shutdown %s', then start the VM again; or let 'containers = stop' do it for the "
				 "VM and start it again afterwards.", f->who.place_id);
	return host_path("Stop what uses it, then start the VM again.");
}

/* held() has named the VM whose QEMU this is. */
static bool is_told(const struct look *l, const struct inuse_finding *f)
{
	unsigned vmid;

	if (f->who.place != INUSE_OF_VM || str_to_vmid(f->who.place_id, &vmid) < 0)
		return false;
	for (size_t i = 0; i < l->in->n_holds; i++)
		if (bdf_same(l->in->holds[i].bdf, f->bdf) && l->in->holds[i].vmid == vmid)
			return true;
	return false;
}

static int users(struct look *l)
{
	int r = 0;

	/* Of a dragged member group_member() speaks, but where it may not, an unbind that hangs stays a no. */
	if (dragged(l) && l->in->policy.members != MEMBERS_TAKE)
		return 0;
	for (size_t i = 0; r == 0 && l->in->inuse && i < l->in->inuse->n; i++) {
		const struct inuse_finding *f = &l->in->inuse->v[i];

		if (bdf_same(f->bdf, l->v->bdf) && disturbs(l, f) && !is_told(l, f) && !plan_frees(l->plan, f))
			r = by_setting(l, free_setting(f), plan_refuse(l->plan, "in-use", &l->v->bdf, l->e, way_out(l, f).s, "%s %s%s",
				       BDF_S(l->v->bdf), f->kind == INUSE_NET ? "" : "is in use: ", f->text));
	}
	return r;
}

/* Host bridges, ISA bridges, SMBus, memory controllers: idle-looking, yet the board's own. */
static bool part_of_board(const struct pdev *d)
{
	unsigned c = pdev_class(d);

	return c >> 8 == 0x05 || c == 0x0600 || c == 0x0601 || c == 0x0680 || c == 0x0c05;
}

static const char *member_use(struct look *l, char *buf, size_t size)
{
	for (size_t i = 0; l->in->inuse && i < l->in->inuse->n; i++) {
		const struct inuse_finding *f = &l->in->inuse->v[i];

		if (bdf_same(f->bdf, l->v->bdf) && f->weight != INUSE_NOTE && f->weight != INUSE_CRITICAL &&
		    !plan_frees(l->plan, f) && allow_of(f) == ARRAY_SIZE(allows)) {
			snprintf(buf, size, "in use: %s", f->text);
			return buf;
		}
	}
	if (part_of_board(l->d)) {
		snprintf(buf, size, "part of the board, on %s", l->d->driver);
		return buf;
	}
	return NULL;
}

static int group_member(struct look *l)
{
	char use[560];
	const char *why;

	if (!dragged(l) || !on_host_driver(l) || l->in->policy.members == MEMBERS_TAKE)
		return 0;
	why = member_use(l, use, sizeof(use));
	if (!why && l->in->policy.members == MEMBERS_REFUSE) {
		snprintf(use, sizeof(use), "on %s", l->d->driver);
		why = use;
	}
	if (!why)
		return 0;
	return by_setting(l, "group_members",
			  plan_refuse(l->plan, "group-member", &l->v->bdf, l->e,
				      "Use a slot with a group of its own, pass this device to the same VM too, or set "
				      "'group_members = take' in /etc/pve-gpu/settings.ini.",
				      "%s (%s) shares IOMMU group %d with the VM's device and would be taken from the host "
				      "with it, but it is %s", BDF_S(l->v->bdf), pdev_class_text(pdev_class(l->d)),
				      l->d->group, why));
}

/* Resets of a card that is off the bus last a minute and more, and most cannot help it. */
static int dead(struct look *l)
{
	struct host_path hint = host_path("'pve-gpu reset %s --chain' tries what is left; else a power cycle of the host "
					  "brings it back.", BDF_S(l->v->bdf));

	if (!l->d->dead || l->in->policy.dead_too)
		return 0;
	return plan_refuse(l->plan, "dead", &l->v->bdf, l->e, hint.s,
			   "%s is dead: it does not answer, its config space reads all ones", BDF_S(l->v->bdf));
}

/* A size that the card cannot do, or a card that cannot do any. */
static int bar_size_is_offered(struct look *l)
{
	uint64_t want = l->in->policy.bar0;
	struct bar_text size = bar_format(want);

	if (!want || dragged(l) || !pdev_is_gpu(l->d) || l->d->bar0_size == want)
		return 0;
	if (!(l->d->bar0_sizes >> bar_bit(want) & 1))
		return by_setting(l, "bar0", plan_refuse(l->plan, "bar-size", &l->v->bdf, l->e,
				  l->d->bar0_sizes ? "Set bar0 to one of these." :
				  "Take bar0 out of the VM's settings, or switch on 'Resizable BAR' in the firmware.",
				  "BAR 0 of %s cannot be %s large: %s%s", BDF_S(l->v->bdf), size.s, l->d->bar0_sizes ?
				  "the card offers " : "it is not resizable", bar_list(l->d->bar0_sizes).s));
	if (strcmp(l->v->driver, "vfio-pci") != 0)
		return 0;
	return by_setting(l, "bar0", plan_refuse(l->plan, "bar-size", &l->v->bdf, l->e, "Unbind it from vfio-pci first.",
			  "BAR 0 of %s cannot be made %s large: it was on vfio-pci before, and only a device that no "
			  "driver has can be resized", BDF_S(l->v->bdf), size.s));
}

static int no_reset(struct look *l)
{
	if (l->in->policy.reset != POLICY_RESET_ALWAYS || l->d->bridge)
		return 0;
	for (size_t i = 0; i < l->plan->n_steps; i++) {
		const struct step *s = &l->plan->steps[i];

		if (s->kind == STEP_RESET && step_concerns(s, l->v->bdf))
			return 0;
	}
	return by_setting(l, "reset", plan_refuse(l->plan, "no-reset", &l->v->bdf, l->e,
			  "Set 'reset = auto' to take it as it is.",
			  "the kernel offers no way to reset %s, and the setting 'reset = always' demands one",
			  BDF_S(l->v->bdf)));
}

typedef int (*rule)(struct look *l);
static const rule rules[] = {
	bridge, no_group, held, dead, bar_size_is_offered, pf_with_vfs, mdev_parent, critical, displays, users, group_member, no_reset,
};

int judge(const struct plan_input *in, struct plan *p, struct err *e)
{
	int r = 0;

	if (p->n_devices && !snapshot_has_iommu(in->snapshot))
		r = plan_refuse(p, "no-iommu", NULL, e,
				"Switch on VT-d or AMD-Vi in the firmware; on Intel also put intel_iommu=on on the "
				"kernel's command line; then reboot.",
				"this host has no IOMMU at work (/sys/class/iommu is empty), so no device can be "
				"passed to a VM");
	for (size_t i = 0; r == 0 && i < p->n_devices; i++) {
		struct look l = { in, p, &p->devices[i], snapshot_get(in->snapshot, p->devices[i].bdf), e };

		for (size_t k = 0; r == 0 && l.d && k < ARRAY_SIZE(rules); k++)
			r = rules[k](&l);
	}
	return r;
}
