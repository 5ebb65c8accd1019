// SPDX-License-Identifier: GPL-2.0-or-later
/* Gathering what is true on this host: see facts.h. */
#include "facts_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void facts_line(struct host *h, const char *path, char *buf, size_t size)
{
	if (host_read_line(h, path, buf, size) < 0)
		buf[0] = '\0';
}

int facts_flag(struct host *h, const char *path)
{
	char text[16];

	facts_line(h, path, text, sizeof(text));
	return text[0] ? text[0] == 'Y' || text[0] == '1' : -1;
}

int facts_load(struct host *h, struct facts **ret, struct err *e)
{
	struct facts *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return err_nomem(e);
	f->loaded = (struct str)STR_INIT;
	facts_cpu(h, f);
	facts_firmware(h, f);
	facts_kernel(h, f);
	facts_iommu(h, f);
	facts_pve(h, f);
	r = bootcfg_load(h, &f->boot, e);
	if (r == 0)
		r = modconf_load(h, &f->mods, e);
	if (r == 0) {
		facts_modules(h, f);
		r = snapshot_load(h, &f->snapshot, e);
	}
	if (r == 0) {
		f->iommu = snapshot_has_iommu(f->snapshot);
		r = facts_cards(h, f, e);
	}
	if (r == 0 && f->loaded.failed)
		r = err_nomem(e);
	if (r < 0)
		facts_free(f);
	else
		*ret = f;
	return r;
}

void facts_free(struct facts *f)
{
	if (!f)
		return;
	str_release(&f->loaded);
	bootcfg_release(&f->boot);
	modconf_release(&f->mods);
	inuse_free(f->inuse);
	free(f->cards);
	snapshot_free(f->snapshot);
	free(f);
}

bool facts_loaded(const struct facts *f, const char *module)
{
	char line[80];

	snprintf(line, sizeof(line), "\n%s\n", module);
	return strstr(f->loaded.s, line) != NULL;
}

bool facts_kernel_from(const struct facts *f, unsigned major, unsigned minor)
{
	return f->kernel_version >= (major << 16 | minor << 8);
}

bool facts_pve_kernel(const struct facts *f)
{
	return strstr(f->kernel, "-pve") != NULL;
}

const char *cpu_vendor_text(enum cpu_vendor v)
{
	switch (v) {
	case CPU_INTEL: return "Intel";
	case CPU_AMD: return "AMD";
	case CPU_ARM: return "Arm";
	case CPU_UNKNOWN: break;
	}
	return "unknown";
}

const char *facts_iommu_name(const struct facts *f)
{
	switch (f->cpu) {
	case CPU_INTEL: return "VT-d";
	case CPU_AMD: return "IOMMU (AMD-Vi)";
	case CPU_ARM: return "SMMU";
	case CPU_UNKNOWN: break;
	}
	return "VT-d or AMD-Vi";
}
