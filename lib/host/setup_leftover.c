// SPDX-License-Identifier: GPL-2.0-or-later
/* What guides and older days have left, that setup takes out: see setup.h. */
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "rule_int.h"
#include "setup_int.h"

#define OFF "it keeps the IOMMU off"
#define BLACKLIST "a card goes to a VM and comes back without any blacklist"
#define IDS "the host never has these cards, and twins are caught as well"

/* item NULL: whatever the value is; otherwise it is the whole value, so that nothing else goes with it. */
static const struct word {
	const char *name, *item, *why;
	bool acs;
} words[] = {
	{ "amd_iommu", "on", "the kernel has no such value", false },
	{ "iommu", "on", "the kernel has no such value", false },
	{ "iommu", "off", OFF, false },
	{ "iommu", "soft", OFF, false },
	{ "intel_iommu", "off", OFF, false },
	{ "amd_iommu", "off", OFF, false },
	{ "intremap", "off", "VFIO needs interrupts to be remapped", false },
	{ "noapic", NULL, "VFIO needs interrupts to be remapped", false },
	{ "nomodeset", NULL, "it keeps the host's graphics drivers from working", false },
	{ "nofb", NULL, "it keeps the host's graphics drivers from working", false },
	{ "initcall_blacklist", "sysfb_init", "VFIO removes the firmware's frame buffer by itself", false },
	{ "pcie_acs_override", NULL, "it only pretends that groups are isolated", true },
	{ "vfio-pci.ids", NULL, IDS, false },
};

static int add(struct setup_cuts *l, const struct source *at, const char *word, const char *why, bool cmdline)
{
	struct setup_cut *c;

	for (size_t i = 0; i < l->n; i++)	/* one word may be there for two reasons */
		if (l->v[i].at.line == at->line && strcmp(l->v[i].at.file, at->file) == 0 && strcmp(l->v[i].word, word) == 0)
			return 0;
	if (array_room(&l->v, l->n, &l->size, sizeof(*l->v)) < 0)
		return -ENOMEM;
	c = &l->v[l->n++];
	c->at = *at;
	c->cmdline = cmdline;
	snprintf(c->word, sizeof(c->word), "%s", word);
	snprintf(c->why, sizeof(c->why), "%s", why);
	return 0;
}

/* The frame buffer of a card that is no VGA card: the one case where the word helps. */
static bool needs_no_sysfb(const struct facts *f)
{
	for (size_t i = 0; i < f->n_cards; i++)
		if (pdev_class(f->cards[i].d) != 0x0300 && (f->cards[i].firmware_fb[0] || f->cards[i].d->vfio))
			return true;
	return false;
}

static bool is_word(const struct boot_words *one, const struct word *k)
{
	const struct boot_word *w = boot_find(one, k->name);

	return w && (!k->item || strcmp(boot_value(w), k->item) == 0);
}

/* video= with nothing but frame buffers of the firmware switched off. */
static bool only_firmware_off(const char *list)
{
	char copy[256], *cursor = copy, *item;

	if (str_copy(copy, sizeof(copy), list) < 0 || !*copy)
		return false;
	while ((item = str_token(&cursor, ",")))
		if (strcmp(item, "efifb:off") != 0 && strcmp(item, "vesafb:off") != 0 && strcmp(item, "simplefb:off") != 0)
			return false;
	return true;
}

/* Without its id a VM's disk controller would be the host's at the next boot, and so its disks. */
static bool only_card_ids(const struct facts *f, const struct source *at, const char *list, struct str *notes)
{
	char copy[256], *cursor = copy, *id;

	if (str_copy(copy, sizeof(copy), list) < 0)
		return false;
	while ((id = str_token(&cursor, ","))) {
		if (rule_is_card_id(f, id))
			continue;
		(void)str_addf(notes, "%s: ids=%s stays, because %s is no function of a graphics card in this host, and without "
			       "it the host would take such a device at the next boot\n", source_format(at).s, list, id);
		return false;
	}
	return true;
}

/* A driver of cards that are there, and kept away for no good reason. */
static bool is_forbidden(const struct facts *f, const char *module)
{
	return rule_is_card_driver(module) && rule_has_hardware(f, module) && !rule_is_kept_away(f, module);
}

/* One such module at least, and none that is rightly kept away or no card's driver. */
static bool only_forbidden(const struct facts *f, const struct boot_word *w, struct str *notes)
{
	char copy[256], stays[64] = "", *cursor = copy, *module;
	size_t n = 0;

	if (str_copy(copy, sizeof(copy), boot_value(w)) < 0)
		return false;
	while ((module = str_token(&cursor, ","))) {
		mod_normalise(module);
		n += is_forbidden(f, module);
		if (!rule_is_card_driver(module) || rule_is_kept_away(f, module))
			snprintf(stays, sizeof(stays), "%s", module);
	}
	if (n && stays[0])
		(void)str_addf(notes, "%s: %s stays, because of %s, which may be kept from loading for a good reason; the other drivers "
			       "of cards need not be on it\n", source_format(&w->at).s, w->text, stays);
	return n && !stays[0];
}

static const char *why_word(const struct facts *f, const struct setup_wish *w, struct boot_word *word, struct str *notes)
{
	const struct boot_words one = { word, 1, 1 };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!is_word(&one, &words[i]) || (words[i].acs && w->keep_acs_override))
			continue;
		if (strcmp(words[i].name, "initcall_blacklist") == 0 && needs_no_sysfb(f))
			continue;
		if (strcmp(words[i].name, "vfio-pci.ids") == 0 && !only_card_ids(f, &word->at, boot_value(word), notes))
			continue;
		return words[i].why;
	}
	if (boot_find(&one, "video") && only_firmware_off(boot_value(word)))
		return "VFIO removes the firmware's frame buffer by itself";
	if ((boot_find(&one, "module_blacklist") || boot_find(&one, "modprobe.blacklist")) && only_forbidden(f, word, notes))
		return BLACKLIST;
	if ((f->cpu == CPU_AMD && boot_find(&one, "intel_iommu")) || (f->cpu == CPU_INTEL && boot_find(&one, "amd_iommu")))
		return "it is for the other maker's processors";
	return NULL;
}

static int cut_words(const struct facts *f, const struct setup_wish *w, const struct boot_words *l, struct setup_cuts *ret,
		     struct str *notes)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->n; i++) {
		const char *why = why_word(f, w, &l->v[i], notes);

		if (why)
			r = add(ret, &l->v[i].at, l->v[i].text, why, true);
	}
	return r;
}

/* One option of an "options" line; the whole line when it has no other. */
static int cut_option(const struct mod_line *m, const char *name, const char *why, struct setup_cuts *ret)
{
	char value[256], word[320];

	if (!mod_option(m, name, value, sizeof(value)))
		return 0;
	snprintf(word, sizeof(word), "%s=%s", name, value);
	if (strcmp(m->rest, word) == 0)
		word[0] = '\0';
	return strlen(word) < sizeof(ret->v->word) ? add(ret, &m->at, word, why, false) : 0;
}

static int cut_vfio_options(const struct facts *f, const struct mod_line *m, struct setup_cuts *ret, struct str *notes)
{
	char list[256], vga[16];
	bool ids = mod_option(m, "ids", list, sizeof(list)) && only_card_ids(f, &m->at, list, notes);
	bool both = ids && mod_option(m, "disable_vga", vga, sizeof(vga));
	size_t all = both ? strlen("ids= disable_vga=") + strlen(list) + strlen(vga) : 0;
	int r;

	if (both && strlen(m->rest) == all)
		return add(ret, &m->at, "", IDS, false);
	r = ids ? cut_option(m, "ids", IDS, ret) : 0;
	return r == 0 ? cut_option(m, "disable_vga", "it has no effect with OVMF and breaks x-vga=1", ret) : r;
}

static int cut_module_line(const struct facts *f, const struct mod_line *m, struct setup_cuts *ret, struct str *notes)
{
	if (m->cut)	/* nobody knows what else it says */
		return 0;
	if (mod_forbids(m))
		return is_forbidden(f, m->module) ? add(ret, &m->at, "", BLACKLIST, false) : 0;
	if ((m->kind == MOD_LOAD || m->kind == MOD_INITRAMFS) && strcmp(m->module, "vfio_virqfd") == 0 && facts_kernel_from(f, 6, 2))
		return add(ret, &m->at, "", "there is no such module since kernel 6.2", false);
	if (m->kind != MOD_OPTIONS)
		return 0;
	if (strcmp(m->module, "vfio_pci") == 0)
		return cut_vfio_options(f, m, ret, notes);
	if (strcmp(m->module, "vfio_iommu_type1") == 0 && f->remapping == 1)
		return cut_option(m, "allow_unsafe_interrupts", "a guest could raise interrupts of the host, and this host does not "
				  "need it", ret);
	return 0;
}

int setup_leftovers(const struct facts *f, const struct setup_wish *w, struct setup_cuts *ret, struct str *notes)
{
	int r = cut_words(f, w, &f->boot.next, ret, notes);

	if (r == 0)
		r = cut_words(f, w, &f->boot.unused, ret, notes);
	for (size_t i = 0; r == 0 && i < f->mods.n; i++)
		/* What packages bring is theirs; what we have written ourselves is no leftover. */
		if (str_starts(f->mods.v[i].at.file, "/etc/") && !strstr(f->mods.v[i].at.file, "/pve-gpu"))
			r = cut_module_line(f, &f->mods.v[i], ret, notes);
	return r;
}
