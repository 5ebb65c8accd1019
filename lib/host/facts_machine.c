// SPDX-License-Identifier: GPL-2.0-or-later
/* Facts about processor, firmware and kernel: see facts.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts_int.h"

#define CPUINFO_MAX (8u << 20)	/* every thread has a paragraph */
#define KCONFIG_MAX (2u << 20)
#define SECURE_BOOT "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* --- processor --------------------------------------------------------------------------------- */

/* "vendor_id	: GenuineIntel" -> the value of a line in the first paragraph */
static bool cpuinfo_value(const char *text, const char *name, char *buf, size_t size)
{
	size_t n = strlen(name);

	for (const char *p = text; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		const char *colon;

		if (strncmp(p, name, n) != 0 || !strchr("\t :", p[n]))
			continue;
		colon = strchr(p, ':');
		if (!colon)
			return false;
		colon += colon[1] == ' ' ? 2 : 1;
		snprintf(buf, size, "%.*s", (int)strcspn(colon, "\n"), colon);
		return true;
	}
	return false;
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

void facts_cpu(struct host *h, struct facts *f)
{
	char vendor[32] = "", flags[8192];
	char *text;
	size_t len;

	f->virtualisation = -1;
	if (host_read_file(h, "/proc/cpuinfo", CPUINFO_MAX, &text, &len) < 0)
		return;
	(void)cpuinfo_value(text, "vendor_id", vendor, sizeof(vendor));
	(void)cpuinfo_value(text, "model name", f->cpu_model, sizeof(f->cpu_model));
	if (strcmp(vendor, "GenuineIntel") == 0)
		f->cpu = CPU_INTEL;
	else if (strcmp(vendor, "AuthenticAMD") == 0 || strcmp(vendor, "HygonGenuine") == 0)
		f->cpu = CPU_AMD;
	else if (cpuinfo_value(text, "CPU implementer", vendor, sizeof(vendor)))
		f->cpu = CPU_ARM;
	if (cpuinfo_value(text, "flags", flags, sizeof(flags)))
		f->virtualisation = has_word(flags, "vmx") || has_word(flags, "svm");
	free(text);
}

/* The word in brackets: "[default] performance powersave". */
static void bracketed(struct host *h, const char *path, char *buf, size_t size)
{
	char text[128], *open, *close;

	facts_line(h, path, text, sizeof(text));
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	if (close)
		snprintf(buf, size, "%.*s", (int)(close - open - 1), open + 1);
}

/* --- firmware ---------------------------------------------------------------------------------- */

static int one_table(void *arg, const char *name)
{
	struct facts *f = arg;
	static const char *const tables[] = { "DMAR", "IVRS", "IORT" };

	f->firmware_iommu = f->firmware_iommu == 1;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (strcmp(name, tables[i]) == 0) {
			f->firmware_iommu = 1;
			f->firmware_table = tables[i];
		}
	return 0;
}

void facts_firmware(struct host *h, struct facts *f)
{
	unsigned char var[5];

	f->firmware_iommu = -1;
	(void)!host_list(h, "/sys/firmware/acpi/tables", one_table, f);
	f->efi = host_exists(h, "/sys/firmware/efi");
	f->secure_boot = -1;
	if (host_read(h, SECURE_BOOT, var, sizeof(var)) == sizeof(var))
		f->secure_boot = var[4] == 1;
	bracketed(h, "/sys/kernel/security/lockdown", f->lockdown, sizeof(f->lockdown));
}

/* --- kernel ------------------------------------------------------------------------------------ */

/* "6.8.12-11-pve" -> 0x06080c */
static unsigned version_of(const char *release)
{
	unsigned v = 0;

	for (int i = 0; i < 3; i++) {
		size_t n = strspn(release, "0123456789");
		char digits[8];
		uint64_t part = 0;

		if (n && n < sizeof(digits)) {
			memcpy(digits, release, n);
			digits[n] = '\0';
			if (str_to_u64(digits, 10, &part) < 0 || part > 255)
				part = 255;
		}
		v = v << 8 | (unsigned)part;
		release += n;
		release += *release == '.';
	}
	return v;
}

/* How this kernel was built: the default of intel_iommu= (drivers/iommu/intel/Kconfig). */
static void intel_default(struct host *h, struct facts *f)
{
	static const struct { const char *option, *text; } options[] = {
		{ "\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y", "on" },
		{ "\nCONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y", "on but for graphics" },
		{ "\nCONFIG_INTEL_IOMMU_DEFAULT_OFF=y", "off" },
	};
	char *text;
	size_t len;

	if (host_read_file(h, host_path("/boot/config-%s", f->kernel).s, KCONFIG_MAX, &text, &len) == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(options); i++)
			if (strstr(text, options[i].option))
				str_copy(f->intel_default, sizeof(f->intel_default), options[i].text);
		free(text);
	} else if (facts_pve_kernel(f)) {	/* pve-docs: qm-pci-passthrough.adoc */
		str_copy(f->intel_default, sizeof(f->intel_default), facts_kernel_from(f, 6, 8) ? "on" : "off");
	}
}

static void read_memory(struct host *h, struct facts *f)
{
	static const unsigned kib[] = { 2048, 1048576 };
	char text[4096], *line;
	ssize_t n = host_read(h, "/proc/meminfo", text, sizeof(text) - 1);
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(kib); i++)
		if (host_read_u64(h, host_path("/sys/kernel/mm/hugepages/hugepages-%ukB/nr_hugepages", kib[i]).s, 10,
				  &f->huge[i]) < 0)
			f->huge[i] = 0;
	if (n < 0)
		return;
	text[n] = '\0';
	line = strstr(text, "MemTotal:");
	if (!line)
		return;
	line += strlen("MemTotal:");
	line += strspn(line, " ");
	line[strspn(line, "0123456789")] = '\0';
	if (str_to_u64(line, 10, &v) == 0)
		f->memory = v * 1024;
}

static int count_node(void *arg, const char *name)
{
	if (str_starts(name, "node") && name[4] >= '0' && name[4] <= '9')
		(*(unsigned *)arg)++;
	return 0;
}

void facts_kernel(struct host *h, struct facts *f)
{
	(void)!host_list(h, "/sys/devices/system/node", count_node, &f->numa_nodes);
	bracketed(h, "/sys/module/pcie_aspm/parameters/policy", f->aspm, sizeof(f->aspm));
	facts_line(h, "/proc/sys/kernel/osrelease", f->kernel, sizeof(f->kernel));
	facts_line(h, "/sys/class/tty/console/active", f->console, sizeof(f->console));
	f->kernel_version = version_of(f->kernel);
	intel_default(h, f);
	read_memory(h, f);
}

/* --- IOMMU ------------------------------------------------------------------------------------- */

/* Chips that deliver through the IOMMU are called IR-PCI-MSI, IR-IO-APIC and so on. */
static int read_remapping(struct host *h)
{
	char *text;
	size_t len;
	int r;

	if (host_read_file(h, "/proc/interrupts", CPUINFO_MAX, &text, &len) < 0)
		return -1;
	r = strstr(text, " IR-") != NULL;
	if (!r && !strstr(text, "PCI-MSI") && !strstr(text, "IO-APIC"))
		r = -1;		/* no x86 */
	free(text);
	return r;
}

void facts_iommu(struct host *h, struct facts *f)
{
	f->remapping = read_remapping(h);
	f->unsafe_interrupts = facts_flag(h, "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts") == 1;
	f->no_iommu_mode = facts_flag(h, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode") == 1;
}
