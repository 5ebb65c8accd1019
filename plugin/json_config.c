// SPDX-License-Identifier: GPL-2.0-or-later
/* A VM's configuration for programs. */
#include <string.h>

#include "hostpci.h"
#include "out.h"

static void add_lines(struct json *j, struct json_object *in, const char *key, const char *lines)
{
	struct json_object *list = json_add_array(j, in, key);

	while (*lines) {
		size_t n = strcspn(lines, "\n");

		json_add_utf8(j, list, NULL, lines, n);
		lines += n + (lines[n] != '\0');
	}
}

static void add_device(struct json *j, struct json_object *list, const struct config_device *d)
{
	struct json_object *o = json_add_object(j, list, NULL);

	json_add_address(j, o, "address", d->bdf);
	json_add_bool(j, o, "present", d->d != NULL);
	json_add_word(j, o, "name", d->name);
	if (!d->d)
		return;
	json_add_hex(j, o, "vendor", d->d->vendor, 4);
	json_add_hex(j, o, "device", d->d->device, 4);
	json_add_hex(j, o, "class", pdev_class(d->d), 4);
	json_add_count(j, o, "group", d->d->group);
	json_add_word(j, o, "driver", d->d->driver);
}

static void add_options(struct json *j, struct json_object *o, const struct config_entry *en)
{
	struct json_object *options = json_add_object(j, o, "options");

	for (size_t i = 0; en->ok && i < hostpci_fmt.n; i++)
		if (en->options.value[i].s)
			json_add_bytes(j, options, hostpci_fmt.props[i].name, en->options.value[i].s,
				       en->options.value[i].len);
}

static void add_entry(struct json *j, struct json_object *list, const struct config_entry *en)
{
	struct json_object *o = json_add_object(j, list, NULL), *devices;

	json_add_text(j, o, "key", en->key);
	json_add_bytes(j, o, "value", en->value, en->value_len);
	json_add_bool(j, o, "ok", en->ok);
	json_add_word(j, o, "error", en->error);
	json_add_number(j, o, "line", en->line);
	add_options(j, o, en);
	devices = json_add_array(j, o, "devices");
	for (size_t i = 0; i < en->n_devices; i++)
		add_device(j, devices, &en->devices[i]);
	add_lines(j, o, "problems", en->problems.s);
}

/* --- the whole file ---------------------------------------------------------------------------- */

static void add_description(struct json *j, struct json_object *o, const struct vmconf_section *s)
{
	if (s->description)
		json_add_utf8(j, o, "description", s->description, s->description_len);
}

static struct json_object *add_section(struct json *j, struct json_object *in, const char *key,
				       const struct vmconf *c, const struct vmconf_section *s)
{
	struct json_object *o = json_add_object(j, in, key);

	for (const struct vmconf_line *line = NULL; s && (line = vmconf_next(c, s, line)); )
		json_add_bytes(j, o, line->key, line->value, line->value_len);
	return o;
}

static void add_named(struct json *j, struct json_object *root, const char *key, const struct vmconf *c,
		      enum vmconf_section_kind kind)
{
	struct json_object *all = json_add_object(j, root, key);

	for (size_t i = 0; i < c->n_sections; i++) {
		const struct vmconf_section *s = &c->sections[i];

		if (s->kind == kind && !s->replaced)
			add_description(j, add_section(j, all, s->name, c, s), s);
	}
}

static bool is_lost(const struct vmconf_line *line)
{
	return line->verdict == VMCONF_DROPPED || (line->verdict == VMCONF_SKIPPED && line->kind != VMCONF_BLANK);
}

static void add_dropped(struct json *j, struct json_object *root, const struct vmconf *c)
{
	struct json_object *list = json_add_array(j, root, "dropped");

	for (size_t i = 0; i < c->n_lines; i++) {
		const struct vmconf_line *line = &c->lines[i];
		struct err why = ERR_INIT;
		struct json_object *o;

		if (!is_lost(line))
			continue;
		o = json_add_object(j, list, NULL);
		json_add_number(j, o, "line", (int64_t)i + 1);
		json_add_bytes(j, o, "text", c->bytes + line->off, line->len);
		(void)vmconf_explain(c, line, NULL, &why);
		json_add_text(j, o, "reason", why.msg);
	}
}

static void add_all(struct json *j, struct json_object *root, const struct vmconf *c)
{
	const struct vmconf_section *pending = vmconf_section(c, VMCONF_PENDING, NULL);
	struct json_object *o;

	json_add_text(j, root, "digest", c->digest);
	if (c->sections[0].description)
		add_description(j, root, &c->sections[0]);
	else
		json_add_null(j, root, "description");
	add_section(j, root, "current", c, c->sections);
	o = add_section(j, root, "pending", c, pending);
	if (pending)
		add_description(j, o, pending);
	add_named(j, root, "snapshots", c, VMCONF_SNAPSHOT);
	add_named(j, root, "special", c, VMCONF_SPECIAL);
	add_dropped(j, root, c);
}

void json_config(struct out *o, const struct config_result *r)
{
	struct json_object *root = json_root(&o->json), *list;

	json_add_number(&o->json, root, "vmid", r->vmid);
	json_add_text(&o->json, root, "section", r->title);
	list = json_add_array(&o->json, root, "hostpci");
	for (size_t i = 0; i < r->n; i++)
		add_entry(&o->json, list, &r->entries[i]);
	if (r->all)
		add_all(&o->json, root, r->conf);
}
