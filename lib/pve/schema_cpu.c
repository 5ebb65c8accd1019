/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The `cpu` option: which models and flags a VM may have (qemu-server: QemuServer/CPUConfig.pm). */
#include <errno.h>

#include "schema.h"
#include "schema_check.h"
#include "schema_scan.h"

/* What a custom model may report: CPUConfig.pm: initialize_cpu_models, the list for both
 * architectures that Proxmox falls back to when its QEMU brings none along; with "host". */
static const char *const reported[] = {
	"486", "Broadwell", "Broadwell-IBRS", "Broadwell-noTSX", "Broadwell-noTSX-IBRS",
	"Cascadelake-Server", "Cascadelake-Server-noTSX", "Cascadelake-Server-v2",
	"Cascadelake-Server-v4", "Cascadelake-Server-v5", "ClearwaterForest", "Conroe",
	"Cooperlake", "Cooperlake-v2", "EPYC", "EPYC-Genoa", "EPYC-Genoa-v2", "EPYC-IBPB",
	"EPYC-Milan", "EPYC-Milan-v2", "EPYC-Milan-v3", "EPYC-Rome", "EPYC-Rome-v2",
	"EPYC-Rome-v3", "EPYC-Rome-v4", "EPYC-Rome-v5", "EPYC-Turin", "EPYC-v3", "EPYC-v4",
	"EPYC-v5", "GraniteRapids", "GraniteRapids-v2", "GraniteRapids-v3", "Haswell",
	"Haswell-IBRS", "Haswell-noTSX", "Haswell-noTSX-IBRS", "Icelake-Client",
	"Icelake-Client-noTSX", "Icelake-Server", "Icelake-Server-noTSX", "Icelake-Server-v3",
	"Icelake-Server-v4", "Icelake-Server-v5", "Icelake-Server-v6", "Icelake-Server-v7",
	"IvyBridge", "IvyBridge-IBRS", "KnightsMill", "Nehalem", "Nehalem-IBRS", "Opteron_G1",
	"Opteron_G2", "Opteron_G3", "Opteron_G4", "Opteron_G5", "Penryn", "SandyBridge",
	"SandyBridge-IBRS", "SapphireRapids", "SapphireRapids-v2", "SapphireRapids-v3",
	"SapphireRapids-v4", "SierraForest", "SierraForest-v2", "SierraForest-v3",
	"Skylake-Client", "Skylake-Client-IBRS", "Skylake-Client-noTSX-IBRS",
	"Skylake-Client-v4", "Skylake-Server", "Skylake-Server-IBRS",
	"Skylake-Server-noTSX-IBRS", "Skylake-Server-v4", "Skylake-Server-v5", "Westmere",
	"Westmere-IBRS", "a64fx", "athlon", "core2duo", "coreduo", "cortex-a35", "cortex-a53",
	"cortex-a55", "cortex-a57", "cortex-a710", "cortex-a72", "cortex-a76", "host", "kvm32",
	"kvm64", "max", "neoverse-n1", "neoverse-n2", "neoverse-v1", "pentium", "pentium2",
	"pentium3", "phenom", "qemu32", "qemu64",
	NULL
};

/* CPUConfig.pm: $builtin_models_by_arch; a VM may have these and all of the above. */
static const char *const levels[] = { "x86-64-v2", "x86-64-v2-AES", "x86-64-v3", "x86-64-v4", NULL };

/* CPUFlags.pm: what a VM may switch for itself. */
static const char *const flags[] = {
	"aes", "amd-no-ssb", "amd-ssbd", "hv-evmcs", "hv-tlbflush", "ibpb", "md-clear", "nested-virt",
	"pcid", "pdpe1gb", "spec-ctrl", "ssbd", "virt-ssbd", NULL
};

static bool is_one_of(const char *const *words, struct slice v)
{
	for (; *words; words++)
		if (slice_is(v, *words))
			return true;
	return false;
}

/* The name with a NUL behind it, as the caller's function wants it. */
static bool ask(const struct schema_env *env, struct slice model)
{
	char name[128];

	if (!env || !env->cpu_model || model.len >= sizeof(name) || memchr(model.s, '\0', model.len))
		return false;
	memcpy(name, model.s, model.len);
	name[model.len] = '\0';
	return env->cpu_model(env->arg, name);
}

static bool is_known(const struct schema_env *env, struct slice model)
{
	bool custom = model.len >= 7 && memcmp(model.s, "custom-", 7) == 0;

	if (!custom && (is_one_of(reported, model) || is_one_of(levels, model)))
		return true;
	return ask(env, model);
}

/* Each is a sign and a name, joined by ';' (schema_check_cpu_flags has seen to that). */
static bool are_vm_flags(struct slice list)
{
	for (const char *end = list.s + list.len; list.s < end; ) {
		const char *next = memchr(list.s, ';', (size_t)(end - list.s));

		if (!next)
			next = end;
		if (!is_one_of(flags, (struct slice){ list.s + 1, (size_t)(next - list.s) - 1 }))
			return false;
		list.s = next + 1;
	}
	return true;
}

/* CPUConfig.pm: validate_vm_cpu_conf. */
static int verify_cpu(const struct propstr *p, const void *arg, struct err *e)
{
	const struct slice *model = propstr_get(p, "cputype"), *list = propstr_get(p, "flags");

	if (!model || slice_is(*model, "0"))
		return err_set(e, EINVAL, "the CPU model is missing");
	if (!is_known(arg, *model))
		return err_set(e, EINVAL, "there is no such CPU model (custom ones begin with 'custom-')");
	if (list && !are_vm_flags(*list))
		return err_set(e, EINVAL,
			       "a VM may only switch the flags aes, amd-no-ssb, amd-ssbd, hv-evmcs, "
			       "hv-tlbflush, ibpb, md-clear, nested-virt, pcid, pdpe1gb, spec-ctrl, ssbd "
			       "and virt-ssbd");
	if (propstr_get(p, "reported-model"))
		return err_set(e, EINVAL, "'reported-model' belongs into a custom CPU model");
	return 0;
}

static const struct prop cpu[] = {
	{ .name = "cputype", .flags = PROP_DEFAULT },
	{ .name = "flags", .check = &schema_check_cpu_flags },
	{ .name = "guest-phys-bits", .type = PROP_INT, .flags = PROP_MIN | PROP_MAX,
	  .min = 32, .max = 64 },
	{ .name = "hidden", .type = PROP_BOOL },
	{ .name = "hv-vendor-id", .check = &schema_check_hv_vendor },
	{ .name = "level", .type = PROP_INT, .flags = PROP_MIN | PROP_MAX, .max = 4294967295U },
	{ .name = "phys-bits", .check = &schema_check_phys_bits },
	{ .name = "reported-model", .words = reported },
};

const struct propfmt schema_format_cpu = PROPFMT(cpu, verify_cpu);
