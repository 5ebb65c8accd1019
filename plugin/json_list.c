// SPDX-License-Identifier: GPL-2.0-or-later
/* The list for programs. */
#include "json.h"
#include "out.h"
#include "show.h"

static const char *holder_kind(enum holder_kind kind)
{
	switch (kind) {
	case HOLDER_LEASE: return "lease";
	case HOLDER_VFIO: return "vfio";
	case HOLDER_RESERVATION: return "reservation";
	}
	return "unknown";
}

static void add_identity(struct json *j, struct json_object *v, const struct list_device *l)
{
	const struct pdev *d = l->d;

	json_add_address(j, v, "address", d->bdf);
	json_add_hex(j, v, "vendor", d->vendor, 4);
	json_add_hex(j, v, "device", d->device, 4);
	if (d->subvendor || d->subdevice) {
		char text[16];

		snprintf(text, sizeof(text), "%04x:%04x", d->subvendor, d->subdevice);
		json_add_text(j, v, "subsystem", text);
	} else {
		json_add_null(j, v, "subsystem");
	}
	json_add_hex(j, v, "class", d->class, 6);
	json_add_text(j, v, "class_name", pdev_class_text(pdev_class(d)));
	json_add_text(j, v, "name", l->name);
	json_add_bool(j, v, "gpu", pdev_is_gpu(d));
}

static void add_state(struct json *j, struct json_object *v, const struct pdev *d)
{
	json_add_word(j, v, "driver", d->driver);
	json_add_word(j, v, "module", d->module);
	if (d->deep)
		json_add_word(j, v, "override", d->override);
	else
		json_add_null(j, v, "override");
	json_add_count(j, v, "group", d->group);
	json_add_bool(j, v, "reset", d->has_reset);
	json_add_words(j, v, "reset_methods", d->reset_method);
	if (d->boot_vga >= 0)
		json_add_bool(j, v, "boot_vga", d->boot_vga == 1);
	else
		json_add_null(j, v, "boot_vga");
	json_add_count(j, v, "numa", d->numa);
	json_add_word(j, v, "power_state", d->power_state);
	json_add_word(j, v, "power_control", d->power_control);
	if (d->is_vf)
		json_add_address(j, v, "pf", d->pf);
	else
		json_add_null(j, v, "pf");
	json_add_number(j, v, "vfs", d->vfs);
}

static void add_health(struct json *j, struct json_object *v, const struct list_device *l)
{
	json_add_text(j, v, "health", show_health(l->seen, &l->health));
	json_add_word(j, v, "said", l->seen == SEEN ? l->health.what : "");
	json_add_word(j, v, "link", l->seen == SEEN ? health_link(l->health.link).s : "");
	if (l->seen == SEEN && l->errors.known) {
		struct json_object *o = json_add_object(j, v, "errors");

		json_add_number(j, o, "fatal", (int64_t)l->errors.fatal);
		json_add_number(j, o, "nonfatal", (int64_t)l->errors.nonfatal);
		json_add_number(j, o, "correctable", (int64_t)l->errors.correctable);
	} else {
		json_add_null(j, v, "errors");
	}
}

static void add_holders(struct json *j, struct json_object *v, const struct list_result *r, const struct list_device *l)
{
	struct json_object *list;

	json_add_id(j, v, "lease", l->lease);
	list = json_add_array(j, v, "held_by");
	for (size_t i = 0; i < l->n_held; i++) {
		struct json_object *o = json_add_object(j, list, NULL);

		json_add_text(j, o, "kind", holder_kind(l->held[i].kind));
		json_add_id(j, o, "vmid", l->held[i].vmid);
		json_add_id(j, o, "pid", (uint64_t)l->held[i].pid);
		json_add_text(j, o, "text", l->held[i].text);
	}
	json_uses(j, v, r->inuse, l->d->bdf);
}

void json_list(struct out *o, const struct list_result *r)
{
	struct json *j = &o->json;
	struct json_object *devices;

	json_add_bool(j, json_root(j), "iommu", r->iommu);
	devices = json_add_array(j, json_root(j), "devices");
	for (size_t i = 0; i < r->n; i++) {
		struct json_object *v = json_add_object(j, devices, NULL);

		add_identity(j, v, &r->list[i]);
		add_state(j, v, r->list[i].d);
		add_health(j, v, &r->list[i]);
		add_holders(j, v, r, &r->list[i]);
	}
}
