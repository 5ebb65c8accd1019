// SPDX-License-Identifier: GPL-2.0-or-later
/* Hiding the hypervisor from a guest's driver: see attach.h.
 *
 * `cpu: TYPE,hidden=1,hv-vendor-id=X` is today's form.  Older guides write a whole `-cpu` into `args`,
 * which comes last on QEMU's command line and replaces everything that `cpu:` says. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "propset.h"

/* --- args -------------------------------------------------------------------------------------- */

/* The next word as a shell would take it; its unquoted text in `ret`.  False at the end. */
static bool next_word(const char **cursor, const char **ret_start, struct str *ret)
{
	const char *p = *cursor;
	char quote = '\0';

	while (isspace((unsigned char)*p))
		p++;
	*ret_start = p;
	str_clear(ret);
	for (; *p && (quote || !isspace((unsigned char)*p)); p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"')
			quote = quote ? '\0' : *p;
		else if (*p == '\\' && quote != '\'' && p[1])
			(void)str_addn(ret, ++p, 1);
		else
			(void)str_addn(ret, p, 1);
	}
	*cursor = p;
	return p > *ret_start;
}

struct cpu_arg {
	size_t start, end;		/* in args, "-cpu" and its value */
	struct str value;		/* "host,kvm=off,hv_vendor_id=x" */
};

static bool find_cpu_arg(const char *args, struct cpu_arg *ret)
{
	_cleanup_(str_release) struct str word = STR_INIT;
	const char *cursor = args, *start;
	bool found = false;

	while (next_word(&cursor, &start, &word)) {
		if (strcmp(word.s, "-cpu") != 0 && strcmp(word.s, "--cpu") != 0)
			continue;
		ret->start = (size_t)(start - args);
		if (!next_word(&cursor, &start, &ret->value))
			break;
		ret->end = (size_t)(cursor - args);
		found = true;
	}
	return found;
}

/* "hv_vendor_id" of "host,kvm=off,hv_vendor_id=x"; QEMU takes '-' for '_'. */
static bool cpu_option(const char *value, const char *name, char *buf, size_t size)
{
	size_t n = strlen(name);

	for (const char *p = strchr(value, ','); p; p = strchr(p + 1, ',')) {
		const char *key = p + 1;
		size_t i = 0;

		while (i < n && (key[i] == name[i] || (key[i] == '-' && name[i] == '_')))
			i++;
		if (i == n && key[n] == '=') {
			snprintf(buf, size, "%.*s", (int)strcspn(key + n + 1, ","), key + n + 1);
			return true;
		}
	}
	return false;
}

static bool hides(const char *value)
{
	char text[16];

	return cpu_option(value, "kvm", text, sizeof(text)) && (strcmp(text, "off") == 0 || strcmp(text, "no") == 0 ||
								strcmp(text, "false") == 0);
}

static int cut_cpu_arg(struct vmedit *ed, const char *args, const struct cpu_arg *cpu, struct err *e)
{
	_cleanup_(str_release) struct str rest = STR_INIT;
	char *left;

	(void)str_addn(&rest, args, cpu->start);
	(void)str_add(&rest, args + cpu->end + strspn(args + cpu->end, " \t"));
	if (rest.failed)
		return err_nomem(e);
	left = str_strip(rest.s);
	return *left ? vmedit_put(ed, "args", left, e) : vmedit_drop(ed, "args", e);
}

/* --- cpu --------------------------------------------------------------------------------------- */

static bool has_vendor(const struct vmedit *ed, const char *cpu)
{
	struct propstr p;
	struct err ignored = ERR_INIT;

	return propstr_parse(&schema_format_cpu, cpu, strlen(cpu), ed->env, &p, &ignored) == 0 &&
	       propstr_get(&p, "hv-vendor-id");
}

/* Without a `cpu:` Proxmox takes kvm64 (CPUConfig.pm: get_cpu_options), which --cpu keep keeps. */
static int set_hidden(struct attach *a, struct vmedit *ed, const char *vendor, struct err *e)
{
	const char *cpu = vmedit_effective(ed->now, "cpu"), *keep = a->c->attach.cpu;
	const char *preset = keep && strcmp(keep, "keep") == 0 ? "kvm64" : "host";
	_cleanup_(str_release) struct str hidden = STR_INIT;

	if (propset(&schema_format_cpu, cpu ? cpu : preset, "hidden", "1", &hidden) < 0)
		return err_nomem(e);
	if (!has_vendor(ed, hidden.s) && str_addf(&hidden, ",hv-vendor-id=%s", vendor) < 0)
		return err_nomem(e);
	return vmedit_put(ed, "cpu", hidden.s, e);
}

static int replace_args(struct attach *a, struct vmedit *ed, const char *args, const struct cpu_arg *cpu,
			struct err *e)
{
	char vendor[16] = ATTACH_HIDDEN_VENDOR;
	int r;

	if (cpu_option(cpu->value.s, "hv_vendor_id", vendor, sizeof(vendor)) &&
	    (!vendor[0] || strlen(vendor) > 12 || vendor[strspn(vendor, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")]))
		snprintf(vendor, sizeof(vendor), "%s", ATTACH_HIDDEN_VENDOR);
	attach_note(a, "'-cpu %.300s' was taken out of 'args'; 'cpu:' says it now", cpu->value.s);
	r = cut_cpu_arg(ed, args, cpu, e);
	return r == 0 ? set_hidden(a, ed, vendor, e) : r;
}

int attach_hide(struct attach *a, struct vmedit *ed, struct err *e)
{
	const char *args = vmedit_effective(ed->now, "args");
	struct cpu_arg cpu = { .value = STR_INIT };
	int r = 0;

	if (!args || !find_cpu_arg(args, &cpu))
		r = set_hidden(a, ed, ATTACH_HIDDEN_VENDOR, e);
	else if (a->c->attach.replace_args)
		r = replace_args(a, ed, args, &cpu, e);
	else if (hides(cpu.value.s))
		attach_note(a, "'args: -cpu %.300s' hides the hypervisor already, and replaces whatever 'cpu:' says; "
			    "--replace-args puts it into 'cpu:', the form of today", cpu.value.s);
	else
		r = err_set(e, EPERM, "'args: -cpu %.300s' replaces whatever 'cpu:' says, so the hypervisor would not be hidden; "
			    "nothing was changed. --replace-args takes it out of 'args' and writes 'cpu:' instead",
			    cpu.value.s);
	str_release(&cpu.value);
	return r;
}
