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

struct words {
	const char *cursor, *start;	/* behind and at the word in the text */
	struct str word;		/* without quotes */
	bool open;			/* a quote has no end; or a backslash is the last byte */
};

/* As Proxmox takes it apart (Text::ParseWords: shellwords).  False at the end. */
static bool next_word(struct words *w)
{
	const char *p = w->cursor;
	char quote = '\0';

	while (isspace((unsigned char)*p))
		p++;
	w->start = p;
	str_clear(&w->word);
	for (; *p && (quote || !isspace((unsigned char)*p)); p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"')
			quote = quote ? '\0' : *p;
		else if (*p == '\\' && p[1] && quote == '\'')
			(void)str_addn(&w->word, p++, 2);
		else if (*p == '\\' && p[1])
			(void)str_addn(&w->word, ++p, 1);
		else if (*p == '\\')
			w->open = true;
		else
			(void)str_addn(&w->word, p, 1);
	}
	w->open |= quote != '\0';
	w->cursor = p;
	return p > w->start;
}

/* Of a text with an open quote shellwords returns no word at all, and Proxmox passes nothing to QEMU. */
static bool is_passed(const char *args)
{
	struct words w = { .cursor = args, .word = STR_INIT };

	while (next_word(&w))
		;
	str_release(&w.word);
	return !w.open;
}

/* Takes the first "-cpu VALUE" out.  False: there is none. */
static bool cut_cpu_arg(struct str *args, struct str *ret_value)
{
	struct words w = { .cursor = args->s, .word = STR_INIT };
	const char *start = NULL;
	struct str rest = STR_INIT;

	while (!start && next_word(&w))
		if (strcmp(w.word.s, "-cpu") == 0 || strcmp(w.word.s, "--cpu") == 0)
			start = w.start;
	if (start && next_word(&w)) {
		(void)str_addn(&rest, args->s, (size_t)(start - args->s));
		(void)str_add(&rest, w.cursor + strspn(w.cursor, " \t"));
		str_clear(ret_value);
		(void)str_add(ret_value, w.word.s);
		str_release(args);
		*args = rest;
	} else {
		start = NULL;
	}
	str_release(&w.word);
	return start != NULL;
}

/* --- one -cpu ---------------------------------------------------------------------------------- */

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

/* The options behind the model, one after the other. */
static bool next_option(const char **cursor, struct slice *ret)
{
	const char *comma = strchr(*cursor, ',');

	if (!comma)
		return false;
	*ret = (struct slice){ comma + 1, strcspn(comma + 1, ",") };
	*cursor = comma + 1;
	return true;
}

static bool hides(const char *value)
{
	static const char *const forms[] = {
		"kvm=off", "kvm=no", "kvm=false", "hypervisor=off", "hypervisor=no", "hypervisor=false", "-hypervisor",
	};
	struct slice option;
	bool found = false;

	while (next_option(&value, &option))
		for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
			found |= slice_is(option, forms[i]);
	return found;
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

/* --- from args to cpu -------------------------------------------------------------------------- */

static bool is_flag(const struct slice *flags, const struct slice *o)
{
	for (size_t i = 0, n; flags && i < flags->len; i += n + 1) {
		for (n = 0; i + n < flags->len && flags->s[i + n] != ';'; n++)
			;
		if (n == o->len && memcmp(flags->s + i, o->s, n) == 0)
			return true;
	}
	return false;
}

static bool is_said(const struct propstr *cpu, const struct slice *o)
{
	static const char vendor_key[] = "hv_vendor_id=";
	const struct slice *vendor = propstr_get(cpu, "hv-vendor-id");
	size_t n = sizeof(vendor_key) - 1;

	if (o->len > 4 && memcmp(o->s, "kvm=", 4) == 0)
		return true;
	if (vendor && o->len == n + vendor->len && (memcmp(o->s, vendor_key, n) == 0 || memcmp(o->s, "hv-vendor-id=", n) == 0))
		return memcmp(o->s + n, vendor->s, vendor->len) == 0;
	return is_flag(propstr_get(cpu, "flags"), o);
}

/* What a "-cpu" said that `cpu:` does not: ", vmx=on, hv_time". */
static void add_unsaid(const struct vmedit *ed, const char *value, struct str *ret)
{
	const char *cpu = vmedit_effective(ed->now, "cpu"), *cursor = value;
	const struct slice *type;
	struct slice o = { value, strcspn(value, ",") };
	struct propstr p;
	struct err ignored = ERR_INIT;

	if (!cpu || propstr_parse(&schema_format_cpu, cpu, strlen(cpu), ed->env, &p, &ignored) < 0)
		return;
	type = propstr_get(&p, "cputype");
	if (!type || type->len != o.len || memcmp(type->s, o.s, o.len) != 0)
		(void)str_addf(ret, ", %.*s", (int)o.len, o.s);
	while (next_option(&cursor, &o))
		if (o.len && !is_said(&p, &o))
			(void)str_addf(ret, ", %.*s", (int)o.len, o.s);
}

static int put_args(struct vmedit *ed, struct str *args, struct err *e)
{
	char *left = str_strip(args->s);

	if (args->failed)
		return err_nomem(e);
	return *left ? vmedit_put(ed, "args", left, e) : vmedit_drop(ed, "args", e);
}

static int replace_args(struct attach *a, struct vmedit *ed, struct str *rest, const char *value, struct err *e)
{
	_cleanup_(str_release) struct str unsaid = STR_INIT;
	char vendor[16] = ATTACH_HIDDEN_VENDOR;
	int r;

	if (cpu_option(value, "hv_vendor_id", vendor, sizeof(vendor)) &&
	    (!vendor[0] || strlen(vendor) > 12 || vendor[strspn(vendor, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")]))
		snprintf(vendor, sizeof(vendor), "%s", ATTACH_HIDDEN_VENDOR);
	r = put_args(ed, rest, e);
	if (r == 0)
		r = set_hidden(a, ed, vendor, e);
	if (r < 0)
		return r;
	add_unsaid(ed, value, &unsaid);
	attach_note(a, "'-cpu %.300s' was taken out of 'args'; 'cpu:' says it now%s%.300s", value,
		    unsaid.len ? ", but not: " : "", unsaid.len ? unsaid.s + 2 : "");
	return 0;
}

static int hide_with_args(struct attach *a, struct vmedit *ed, struct str *rest, const char *value, struct err *e)
{
	if (a->c->attach.replace_args)
		return replace_args(a, ed, rest, value, e);
	if (!hides(value))
		return err_set(e, EPERM, "'args: -cpu %.300s' replaces whatever 'cpu:' says, so the hypervisor would not be hidden; "
			       "nothing was changed. --replace-args takes it out of 'args' and writes 'cpu:' instead", value);
	attach_note(a, "'args: -cpu %.300s' hides the hypervisor already, and replaces whatever 'cpu:' says; "
		    "--replace-args puts it into 'cpu:', the form of today", value);
	return 0;
}

int attach_hide(struct attach *a, struct vmedit *ed, struct err *e)
{
	const char *args = vmedit_effective(ed->now, "args");
	_cleanup_(str_release) struct str rest = STR_INIT, value = STR_INIT;
	bool found = false;

	if (args && !is_passed(args)) {
		attach_note(a, "'args: %.300s' ends inside a quote or with a backslash, so Proxmox passes nothing of it to QEMU; a '-cpu' in it "
			    "would replace 'cpu:' again once that is put right", args);
		return set_hidden(a, ed, ATTACH_HIDDEN_VENDOR, e);
	}
	if (args && str_add(&rest, args) < 0)
		return err_nomem(e);
	/* QEMU takes the last one. */
	while (cut_cpu_arg(&rest, &value))
		found = true;
	if (!found)
		return set_hidden(a, ed, ATTACH_HIDDEN_VENDOR, e);
	return value.failed ? err_nomem(e) : hide_with_args(a, ed, &rest, value.s, e);
}
