/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says why a line of a VM config does not count. */
#include <errno.h>
#include <string.h>

#include "vmconf.h"

static enum schema_kind schema_of(const struct vmconf_section *s)
{
	return s->kind == VMCONF_SPECIAL ? SCHEMA_FLEECING : SCHEMA_VM;
}

static int explain_key(const struct vmconf_section *s, const struct vmconf_line *line,
		       const struct schema_env *env, struct err *e)
{
	const struct schema_option *option = schema_find(schema_of(s), line->key, strlen(line->key));
	struct slice value = { line->value, line->value_len };
	struct schema_number number;

	if (strcmp(line->key, "delete") == 0 && !option)
		return err_set(e, EINVAL, "'delete' means something in [PENDING] only");
	if (!option)
		return err_set(e, EINVAL, "there is no option '%s' in this section", line->key);
	if (schema_check(option, value, env, &number, &value, e) < 0)
		return err_wrap(e, "the value of '%s' is not valid", line->key);
	return 0;
}

static int explain_dropped(const struct vmconf_section *s, const struct vmconf_line *line,
			   const struct schema_env *env, struct err *e)
{
	switch (line->kind) {
	case VMCONF_HEADER:
		return err_set(e, EINVAL, "this is no section of a VM's configuration");
	case VMCONF_KEY:
		return explain_key(s, line, env, e);
	case VMCONF_BLANK:
	case VMCONF_COMMENT:
	case VMCONF_DESCRIPTION:
	case VMCONF_JUNK:
		break;
	}
	return err_set(e, EINVAL, "this is neither 'key: value' nor a comment nor a section");
}

int vmconf_explain(const struct vmconf *c, const struct vmconf_line *line,
		   const struct schema_env *env, struct err *e)
{
	const struct vmconf_section *s = &c->sections[line->section];

	switch (line->verdict) {
	case VMCONF_KEPT:
		break;
	case VMCONF_SUPERSEDED:
		return err_set(e, EEXIST, "a later %s takes its place",
			       s->replaced ? "section of the same name" : "line for the same option");
	case VMCONF_SKIPPED:
		return err_set(e, ENOENT, s->kind == VMCONF_UNKNOWN ?
			       "it belongs to a section that Proxmox does not know" :
			       "it has no meaning outside a snapshot");
	case VMCONF_DROPPED:
		return explain_dropped(s, line, env, e);
	}
	return 0;
}
