// SPDX-License-Identifier: GPL-2.0-or-later
/* A report for programs. */
#include <string.h>

#include "json.h"
#include "out.h"
#include "report.h"

static void add_device(struct json *j, struct json_object *list, const struct report_device *v)
{
	struct json_object *o = json_add_object(j, list, NULL);
	const struct pdev *d = v->d;

	json_add_address(j, o, "address", d->bdf);
	if (d->has_parent)
		json_add_address(j, o, "parent", d->parent);
	else
		json_add_null(j, o, "parent");
	json_add_text(j, o, "name", v->name);
	json_add_hex(j, o, "vendor", d->vendor, 4);
	json_add_hex(j, o, "device", d->device, 4);
	json_add_hex(j, o, "class", d->class, 6);
	json_add_bool(j, o, "card", v->card);
	json_add_word(j, o, "driver", d->driver);
	json_add_count(j, o, "group", d->group);
	json_add_words(j, o, "reset_methods", d->reset_method);
	json_add_word(j, o, "held_by", v->held);
}

static void add_lines(struct json *j, struct json_object *in, const char *key, const char *lines)
{
	struct json_object *list = json_add_array(j, in, key);
	struct str line = STR_INIT;

	while (lines && *lines) {
		size_t n = strcspn(lines, "\n");

		str_clear(&line);
		(void)str_addn(&line, lines, n);
		json_add_text(j, list, NULL, line.s);
		lines += n + (lines[n] != '\0');
	}
	str_release(&line);
}

void json_report(struct out *o, const struct report *r)
{
	struct json *j = &o->json;
	struct json_object *list;

	json_facts(j, json_root(j), r->facts);
	json_findings(j, json_root(j), &r->findings);
	list = json_add_array(j, json_root(j), "devices");
	for (size_t i = 0; i < r->n_devices; i++)
		add_device(j, list, &r->devices[i]);
	json_add_number(j, json_root(j), "others", (int64_t)r->n_others);
	add_lines(j, json_root(j), "leases", r->leases);
	list = json_add_array(j, json_root(j), "vms");
	for (size_t i = 0; i < r->n_vms; i++) {
		struct json_object *v = json_add_object(j, list, NULL);

		json_add_number(j, v, "vmid", r->vms[i].vmid);
		add_lines(j, v, "config", r->vms[i].config);
		json_findings(j, v, &r->vms[i].findings);
	}
	add_lines(j, json_root(j), "log", r->log);
}
