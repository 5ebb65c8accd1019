// SPDX-License-Identifier: GPL-2.0-or-later
/* Facts in words: see show.h. */
#include "show.h"

#include <stdio.h>
#include <string.h>

#include "reset.h"
#include "step.h"

const char *show_driver_now(const struct plan_result *r, const struct device *v)
{
	const struct pdev *d = r->snapshot ? snapshot_get(r->snapshot, v->bdf) : NULL;

	return d ? d->driver : v->driver;
}

const struct step *show_reset_of(const struct plan *p, const struct device *v)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].kind == STEP_RESET && step_concerns(&p->steps[i], v->bdf))
			return &p->steps[i];
	return NULL;
}

static bool is_hot(const struct step *s)
{
	return strcmp(step_first_method(s).s, "hot") == 0;
}

struct show_text show_reset_words(const struct plan *p, const struct device *v)
{
	const struct step *s = show_reset_of(p, v);
	struct show_text t;

	if (!s || !s->to[0])
		snprintf(t.s, sizeof(t.s), s ? "reset when it comes back" : "no reset");
	else if (is_hot(s))
		snprintf(t.s, sizeof(t.s), "hot reset");
	else
		snprintf(t.s, sizeof(t.s), "reset by %s", step_first_method(s).s);
	return t;
}

static bool is_alone(const struct snapshot *s, const struct pdev *d)
{
	for (size_t i = 0; i < snapshot_count(s); i++)
		if (bdf_same_bus(snapshot_address(s, i), d->bdf) && !bdf_same(snapshot_address(s, i), d->bdf))
			return false;
	return d->has_parent;
}

struct show_resets show_resets(const struct plan_result *r)
{
	struct show_resets n = { 0, 0, 0 };

	for (size_t i = 0; i < r->plan->n_steps; i++)
		n.hook += r->plan->steps[i].kind == STEP_RESET && r->plan->steps[i].to[0];
	for (size_t i = 0; i < r->plan->n_devices; i++) {
		const struct device *v = &r->plan->devices[i];
		const struct pdev *d = snapshot_get(r->snapshot, v->bdf);

		if (!d || !v->key[0])
			continue;	/* a mere member of the group is bound, and left alone */
		n.proxmox += d->has_reset;
		n.qemu += reset_own_works(d, is_alone(r->snapshot, d));
	}
	return n;
}

const char *show_health(enum seen seen, const struct health *health)
{
	return seen == SEEN ? health_name(health->verdict) : seen == SEEN_HANGING ? "hangs" : "unknown";
}

struct show_text show_step(const struct step *s)
{
	struct show_text t;

	if (s->kind == STEP_RESET && !s->to[0])
		snprintf(t.s, sizeof(t.s), "remember to reset %s when it comes back", s->arg);
	else if (s->kind == STEP_RESET && is_hot(s))
		snprintf(t.s, sizeof(t.s), "reset %s %sby VFIO hot reset", s->arg, strchr(s->arg, ' ') ?
			 "together " : "");
	else if (s->kind == STEP_RESET)
		snprintf(t.s, sizeof(t.s), "reset %s by %s", s->arg, step_first_method(s).s);
	else
		snprintf(t.s, sizeof(t.s), "%s", step_describe(s, STEP_DO).s);
	return t;
}

bool show_decides_step(const struct settings *v, size_t setting, const struct step *s)
{
	switch (setting) {
	case SETTINGS_RESET:
		return s->kind == STEP_RESET;
	case SETTINGS_RESET_METHODS:
		return s->kind == STEP_RESET && v->reset_methods.n > 0;
	case SETTINGS_IDLE:
		return s->stay;
	case SETTINGS_VFS:
		return s->kind == STEP_VFS;
	case SETTINGS_BAR0:
		return s->kind == STEP_BAR;
	case SETTINGS_SERVICE_USERS:
		return s->kind == STEP_SERVICE;
	case SETTINGS_CONTAINER_USERS:
		return s->kind == STEP_CONTAINER || s->kind == STEP_FREEZE;
	case SETTINGS_PROCESS_USERS:
		return s->kind == STEP_PROCESS;
	}
	return false;
}

bool show_decides_refusal(size_t setting, const struct refusal *f)
{
	return strcmp(settings_keys[setting].name, f->setting) == 0;
}

struct show_text show_setting(const struct settings *s, size_t i)
{
	const struct settings_key *key = &settings_keys[i];
	const void *v = (const char *)s + key->offset;
	struct show_text t;

	switch (key->type) {
	case SETTINGS_BOOL:
		snprintf(t.s, sizeof(t.s), "%s", *(const bool *)v ? "yes" : "no");
		break;
	case SETTINGS_ENUM:
		snprintf(t.s, sizeof(t.s), "%s", key->words[*(const unsigned *)v]);
		break;
	case SETTINGS_SECONDS:
		snprintf(t.s, sizeof(t.s), "%llu", (unsigned long long)*(const uint64_t *)v / 1000);
		break;
	case SETTINGS_LIST:
	case SETTINGS_SERVICES:
		snprintf(t.s, sizeof(t.s), "%s", ((const struct settings_list *)v)->text);
		break;
	case SETTINGS_TIMED:
		snprintf(t.s, sizeof(t.s), "%s", key->words[((const struct settings_timed *)v)->word]);
		if (((const struct settings_timed *)v)->ms)
			snprintf(t.s + strlen(t.s), sizeof(t.s) - strlen(t.s), " %llu",
				 (unsigned long long)((const struct settings_timed *)v)->ms / 1000);
		break;
	case SETTINGS_HOOK:
		snprintf(t.s, sizeof(t.s), "%s", (const char *)v);
		break;
	}
	return t;
}
