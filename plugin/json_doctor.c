// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings and facts for programs. */
#include "json.h"
#include "out.h"

/* 1, 0, -1 = not known */
static void add_known(struct json *j, struct json_object *in, const char *key, int v)
{
	if (v < 0)
		json_add_null(j, in, key);
	else
		json_add_bool(j, in, key, v == 1);
}

static void add_machine(struct json *j, struct json_object *o, const struct facts *f)
{
	json_add_word(j, o, "node", f->node);
	json_add_word(j, o, "pve_manager", f->pve_manager);
	json_add_word(j, o, "qemu_server", f->qemu_server);
	json_add_word(j, o, "kernel", f->kernel);
	json_add_text(j, o, "cpu_vendor", f->cpu == CPU_UNKNOWN ? NULL : cpu_vendor_text(f->cpu));
	json_add_word(j, o, "cpu", f->cpu_model);
	add_known(j, o, "virtualisation", f->virtualisation);
	add_known(j, o, "uefi", f->firmware_iommu < 0 ? -1 : f->efi);
	add_known(j, o, "secure_boot", f->secure_boot);
	json_add_word(j, o, "lockdown", f->lockdown);
	add_known(j, o, "quorum", f->quorate);
	json_add_id(j, o, "memory", f->memory);
	json_add_id(j, o, "numa_nodes", f->numa_nodes);
	json_add_word(j, o, "aspm", f->aspm);
	json_add_number(j, o, "huge_pages_2m", (int64_t)f->huge[0]);
	json_add_number(j, o, "huge_pages_1g", (int64_t)f->huge[1]);
	json_add_word(j, o, "console", f->console);
	json_add_bool(j, o, "hook_installed", f->hook_installed);
	json_add_bool(j, o, "keeper_enabled", f->keeper_enabled);
}

static void add_iommu(struct json *j, struct json_object *o, const struct facts *f)
{
	struct json_object *v = json_add_object(j, o, "iommu");

	add_known(j, v, "firmware", f->firmware_iommu);
	json_add_text(j, v, "table", f->firmware_table);
	json_add_bool(j, v, "kernel", f->iommu);
	add_known(j, v, "interrupt_remapping", f->remapping);
	json_add_bool(j, v, "unsafe_interrupts", f->unsafe_interrupts);
	json_add_bool(j, v, "no_iommu_mode", f->no_iommu_mode);
	add_known(j, v, "vfio_pci", f->vfio_there);
}

static void add_line(struct json *j, struct json_object *list, const char *text, const struct source *at)
{
	struct json_object *v = json_add_object(j, list, NULL);

	json_add_text(j, v, "text", text);
	json_add_text(j, v, "file", at->file);
	json_add_id(j, v, "line", at->line);
}

static void add_words(struct json *j, struct json_object *in, const char *key, const struct boot_words *l)
{
	struct json_object *list = json_add_array(j, in, key);

	for (size_t i = 0; i < l->n; i++)
		if (boot_matters(&l->v[i]))
			add_line(j, list, l->v[i].text, &l->v[i].at);
}

static void add_boot(struct json *j, struct json_object *o, const struct facts *f)
{
	struct json_object *v = json_add_object(j, o, "boot"), *list;

	json_add_text(j, v, "chain", f->boot.chain == BOOT_UNKNOWN ? NULL : boot_chain_text(f->boot.chain));
	add_words(j, v, "now", &f->boot.now);
	add_words(j, v, "next", &f->boot.next);
	add_words(j, v, "unused", &f->boot.unused);
	list = json_add_array(j, o, "modules");
	for (size_t i = 0; i < f->mods.n; i++)
		add_line(j, list, f->mods.v[i].text, &f->mods.v[i].at);
}

static void add_cards(struct json *j, struct json_object *o, const struct facts *f)
{
	struct json_object *list = json_add_array(j, o, "cards");

	for (size_t i = 0; i < f->n_cards; i++) {
		const struct pdev *d = f->cards[i].d;
		struct json_object *v = json_add_object(j, list, NULL);

		json_add_address(j, v, "address", d->bdf);
		json_add_word(j, v, "driver", d->driver);
		json_add_count(j, v, "group", d->group);
		json_add_words(j, v, "reset_methods", d->reset_method);
		add_known(j, v, "boot_vga", d->boot_vga);
		json_add_bool(j, v, "rom", f->cards[i].rom);
		add_known(j, v, "d3cold_allowed", f->cards[i].d3cold_allowed);
		json_add_bool(j, v, "rmrr", f->cards[i].rmrr);
		json_add_word(j, v, "firmware_framebuffer", f->cards[i].firmware_fb);
	}
}

static void add_finding(struct json *j, struct json_object *list, const struct finding *f)
{
	struct json_object *v = json_add_object(j, list, NULL);

	json_add_text(j, v, "id", f->id);
	json_add_text(j, v, "severity", severity_name(f->severity));
	json_add_text(j, v, "text", f->text);
	json_add_text(j, v, "evidence", f->evidence);
	json_add_text(j, v, "fix", f->fix);
}

void json_findings(struct json *j, struct json_object *in, const struct findings *l)
{
	struct json_object *list = json_add_array(j, in, "findings");

	for (size_t i = 0; i < l->n; i++)
		add_finding(j, list, &l->v[i]);
}

void json_facts(struct json *j, struct json_object *in, const struct facts *f)
{
	struct json_object *host = json_add_object(j, in, "host");

	add_machine(j, host, f);
	add_iommu(j, host, f);
	add_boot(j, host, f);
	add_cards(j, host, f);
}

void json_doctor(struct out *o, const struct doctor_result *r)
{
	struct json *j = &o->json;

	json_add_id(j, json_root(j), "vmid", r->vmid);
	json_facts(j, json_root(j), r->facts);
	json_findings(j, json_root(j), &r->findings);
}
