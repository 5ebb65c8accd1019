// SPDX-License-Identifier: GPL-2.0-or-later
/* The text form of a lease: see lease.h and lease_text.h. */
#include "lease_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

/* FNV-1a: it has to notice torn and damaged lines, not attackers (the folder is root's). */
static uint32_t checksum(const char *s, size_t n)
{
	uint32_t v = 2166136261U;

	for (size_t i = 0; i < n; i++)
		v = (v ^ (unsigned char)s[i]) * 16777619U;
	return v;
}

int lease_line(struct str *s, const char *fmt, ...)
{
	char line[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line))
		return -ENAMETOOLONG;
	return str_addf(s, "%s #%08x\n", line, checksum(line, (size_t)n));
}

int lease_word(struct str *s, const char *key, const char *value)
{
	int r = str_addf(s, " %s=", key);

	for (const unsigned char *p = (const unsigned char *)value; r == 0 && *p; p++)
		r = isalnum(*p) || strchr("-_.:,/+()", *p) ? str_addn(s, p, 1) : str_addf(s, "%%%02x", *p);
	return r;
}

static int format_device(const struct device *v, struct str *ret)
{
	struct str w = STR_INIT;
	int r;

	(void)str_addf(&w, " id=%04x:%04x class=%06x group=%d chain=%u", v->vendor, v->device, v->class,
		       v->group, v->chain);
	(void)lease_word(&w, "key", v->key);
	(void)lease_word(&w, "driver", v->driver);
	(void)lease_word(&w, "module", v->module);
	(void)lease_word(&w, "override", v->override);
	(void)lease_word(&w, "power", v->power);
	(void)lease_word(&w, "methods", v->reset_method);
	if (v->d3cold >= 0)
		(void)str_addf(&w, " d3cold=%d", v->d3cold);
	if (v->link.width)
		(void)str_addf(&w, " link=%u:%u", v->link.speed, v->link.width);
	r = w.failed ? -ENOMEM : lease_line(ret, "device %s%s", BDF_S(v->bdf), w.s);
	str_release(&w);
	return r;
}

static int format_step(const struct step *s, size_t i, struct str *ret)
{
	struct str w = STR_INIT;
	int r;

	(void)str_addf(&w, " kind=%s chain=%u at=%s exact=%d must=%d", step_kind_name(s->kind), s->chain, BDF_S(s->bdf),
		       s->exact, s->must);
	(void)lease_word(&w, "from", s->from);
	(void)lease_word(&w, "to", s->to);
	(void)lease_word(&w, "keep", s->keep);
	(void)lease_word(&w, "arg", s->arg);
	if (s->port[0])
		(void)lease_word(&w, "port", s->port);
	if (s->kept)
		(void)str_add(&w, " kept=1");
	if (s->stay)
		(void)str_add(&w, " stay=1");
	r = w.failed ? -ENOMEM : lease_line(ret, "step %zu%s", i, w.s);
	str_release(&w);
	return r;
}

int lease_format(const struct plan *plan, const char *boot, struct lease_process task, bool task_locked, struct str *ret)
{
	int r = lease_line(ret, "pve-gpu-lease 1 vmid=%u boot=%s task=%d:%llu%s", plan->vmid, boot, (int)task.pid,
			   (unsigned long long)task.start, task_locked ? " locked=1" : "");

	for (size_t i = 0; r == 0 && i < plan->n_devices; i++)
		r = format_device(&plan->devices[i], ret);
	for (size_t i = 0; r == 0 && i < plan->n_steps; i++)
		r = format_step(&plan->steps[i], i, ret);
	if (r == 0)
		r = lease_line(ret, "plan devices=%zu steps=%zu", plan->n_devices, plan->n_steps);
	return r;
}

/* --- reading ----------------------------------------------------------------------------------- */

static int unescape(const char *in, char *out, size_t size)
{
	size_t n = 0;

	for (; *in; in++) {
		char c = *in;

		if (c == '%') {
			char hex[3] = { in[1], in[1] ? in[2] : '\0', '\0' };
			uint64_t v;

			if (str_to_u64(hex, 16, &v) < 0 || !hex[1])
				return -EBADMSG;
			c = (char)v;
			in += 2;
		}
		if (n + 1 >= size)
			return -EBADMSG;
		out[n++] = c;
	}
	out[n] = '\0';
	return 0;
}

/* "key=VALUE" of a line's words; NULL when it is not there. */
static const char *word_value(char *const words[], size_t n, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < n; i++)
		if (strncmp(words[i], key, len) == 0 && words[i][len] == '=')
			return words[i] + len + 1;
	return NULL;
}

struct words { char *w[20]; size_t n; };

static int get_text(const struct words *w, const char *key, char *buf, size_t size)
{
	const char *v = word_value(w->w, w->n, key);

	return v ? unescape(v, buf, size) : -EBADMSG;
}

static int get_u64(const struct words *w, const char *key, unsigned base, uint64_t *ret)
{
	const char *v = word_value(w->w, w->n, key);

	return v && str_to_u64(v, base, ret) == 0 ? 0 : -EBADMSG;
}

static int get_process(const char *text, struct lease_process *ret)
{
	char pid[24];
	const char *colon = strchr(text, ':');
	uint64_t p, s;

	if (!colon || (size_t)(colon - text) >= sizeof(pid))
		return -EBADMSG;
	memcpy(pid, text, (size_t)(colon - text));
	pid[colon - text] = '\0';
	if (str_to_u64(pid, 10, &p) < 0 || str_to_u64(colon + 1, 10, &s) < 0 || p > INT32_MAX)
		return -EBADMSG;
	*ret = (struct lease_process){ (pid_t)p, s };
	return 0;
}

static int read_head(struct lease *l, const struct words *w)
{
	const char *task = word_value(w->w, w->n, "task");
	uint64_t vmid;

	if (l->vmid || w->n < 2 || strcmp(w->w[1], "1") != 0 || get_u64(w, "vmid", 10, &vmid) < 0 ||
	    get_text(w, "boot", l->boot, sizeof(l->boot)) < 0 || !task || get_process(task, &l->task) < 0)
		return -EBADMSG;
	l->vmid = l->plan.vmid = (unsigned)vmid;
	l->task_locked = word_value(w->w, w->n, "locked") != NULL;
	return 0;
}

static int get_ids(const struct words *w, struct device *v)
{
	const char *id = word_value(w->w, w->n, "id"), *group = word_value(w->w, w->n, "group");
	uint64_t class, chain, n;
	unsigned a, b;

	if (!id || sscanf(id, "%4x:%4x", &a, &b) != 2 || !group || get_u64(w, "class", 16, &class) < 0 ||
	    get_u64(w, "chain", 10, &chain) < 0)
		return -EBADMSG;
	v->vendor = (uint16_t)a;
	v->device = (uint16_t)b;
	v->class = (uint32_t)class;
	v->chain = (unsigned)chain;
	v->group = strcmp(group, "-1") == 0 ? -1 : str_to_u64(group, 10, &n) == 0 ? (int)n : -2;
	return v->group == -2 ? -EBADMSG : 0;
}

/* Not there, or not to be understood: unknown. */
static void get_link(const struct words *w, struct pdev_link *ret)
{
	const char *v = word_value(w->w, w->n, "link");
	unsigned speed, width;

	if (v && sscanf(v, "%2u:%2u", &speed, &width) == 2)
		*ret = (struct pdev_link){ (uint8_t)speed, (uint8_t)width };
}

static int read_device(struct lease *l, const struct words *w)
{
	struct plan *p = &l->plan;
	struct device *v;
	uint64_t d3cold;

	if (array_room(&p->devices, p->n_devices, &p->devices_size, sizeof(*v)) < 0)
		return -ENOMEM;
	v = &p->devices[p->n_devices];
	if (w->n < 2 || bdf_parse(w->w[1], &v->bdf) < 0 || get_ids(w, v) < 0 ||
	    get_text(w, "key", v->key, sizeof(v->key)) < 0 ||
	    get_text(w, "driver", v->driver, sizeof(v->driver)) < 0 ||
	    get_text(w, "module", v->module, sizeof(v->module)) < 0 ||
	    get_text(w, "override", v->override, sizeof(v->override)) < 0 ||
	    get_text(w, "power", v->power, sizeof(v->power)) < 0 ||
	    get_text(w, "methods", v->reset_method, sizeof(v->reset_method)) < 0)
		return -EBADMSG;
	get_link(w, &v->link);
	v->d3cold = get_u64(w, "d3cold", 10, &d3cold) == 0 ? (int)d3cold : -1;
	if (v->chain > p->chains)
		p->chains = v->chain;
	p->n_devices++;
	return 0;
}

static int get_kind(const struct words *w, enum step_kind *ret)
{
	const char *v = word_value(w->w, w->n, "kind");

	for (int k = 0; v && k < STEP_KINDS; k++)
		if (strcmp(step_kind_name((enum step_kind)k), v) == 0) {
			*ret = (enum step_kind)k;
			return 0;
		}
	return -EBADMSG;
}

static int read_step(struct lease *l, const struct words *w)
{
	struct plan *p = &l->plan;
	uint64_t number, chain, exact = 0, must;
	const char *at = word_value(w->w, w->n, "at");
	struct step *s;

	if (array_room(&p->steps, p->n_steps, &p->steps_size, sizeof(*s)) < 0)
		return -ENOMEM;
	s = &p->steps[p->n_steps];
	if (w->n < 2 || str_to_u64(w->w[1], 10, &number) < 0 || number != p->n_steps || get_kind(w, &s->kind) < 0 ||
	    !at || bdf_parse(at, &s->bdf) < 0 || get_u64(w, "chain", 10, &chain) < 0 ||
	    (word_value(w->w, w->n, "exact") && get_u64(w, "exact", 10, &exact) < 0) || get_u64(w, "must", 10, &must) < 0 || get_text(w, "from", s->from, sizeof(s->from)) < 0 ||
	    get_text(w, "to", s->to, sizeof(s->to)) < 0 || get_text(w, "keep", s->keep, sizeof(s->keep)) < 0 ||
	    get_text(w, "arg", s->arg, sizeof(s->arg)) < 0)
		return -EBADMSG;
	s->chain = (unsigned)chain;
	s->exact = exact != 0;
	s->must = must != 0;
	s->kept = word_value(w->w, w->n, "kept") != NULL;
	s->stay = word_value(w->w, w->n, "stay") != NULL;
	if (word_value(w->w, w->n, "port") && get_text(w, "port", s->port, sizeof(s->port)) < 0)
		return -EBADMSG;
	s->enable = -1;
	p->n_steps++;
	return 0;
}

static int read_plan_end(struct lease *l, const struct words *w)
{
	uint64_t devices, steps;

	for (size_t i = 0; i < l->plan.n_steps; i++)
		if (l->plan.steps[i].chain > l->plan.chains)
			return -EBADMSG;
	if (l->at || get_u64(w, "devices", 10, &devices) < 0 || get_u64(w, "steps", 10, &steps) < 0 ||
	    devices != l->plan.n_devices || steps != l->plan.n_steps)
		return -EBADMSG;
	l->at = calloc(l->plan.n_steps + 1, sizeof(*l->at));
	return l->at ? 0 : -ENOMEM;
}

static int read_mark(struct lease *l, const struct words *w, enum lease_mark mark)
{
	const char *enable = word_value(w->w, w->n, "enable");
	struct lease_step *at;
	uint64_t i, v;

	if (!l->at || w->n < 2 || str_to_u64(w->w[1], 10, &i) < 0 || i >= l->plan.n_steps)
		return -EBADMSG;
	at = &l->at[i];
	at->mark = mark;
	if (get_u64(w, "ns", 10, &v) == 0)
		at->ns = v;
	if (enable && str_to_u64(enable, 10, &v) == 0)
		l->plan.steps[i].enable = (int)v;
	if (mark == MARK_FAILED)
		(void)!get_text(w, "why", at->why, sizeof(at->why));
	if (mark >= MARK_UNDO && mark != MARK_STUCK)
		l->returning = true;
	return mark != MARK_STUCK || w->n < 3 ? 0 : get_process(w->w[2], &l->stuck);
}

static int read_words(struct lease *l, const struct words *w)
{
	static const struct { const char *word; enum lease_mark mark; } marks[] = {
		{ "intent", MARK_INTENT }, { "done", MARK_DONE }, { "undo", MARK_UNDO },
		{ "undone", MARK_UNDONE }, { "failed", MARK_FAILED }, { "stuck", MARK_STUCK },
	};
	const char *first = w->w[0];

	if (strcmp(first, "pve-gpu-lease") == 0)
		return read_head(l, w);
	if (l->vmid == 0)
		return -EBADMSG;
	if (strcmp(first, "device") == 0 && !l->at)
		return read_device(l, w);
	if (strcmp(first, "step") == 0 && !l->at)
		return read_step(l, w);
	if (strcmp(first, "plan") == 0)
		return read_plan_end(l, w);
	if (strcmp(first, "claimed") == 0) {
		l->claimed = true;
		return 0;
	}
	if (strcmp(first, "qemu") == 0 && w->n == 2)
		return get_process(w->w[1], &l->qemu);
	if (strcmp(first, "linger") == 0 && w->n == 2)
		return str_to_u64(w->w[1], 10, &l->linger) < 0 ? -EBADMSG : 0;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strcmp(first, marks[i].word) == 0)
			return read_mark(l, w, marks[i].mark);
	return -EBADMSG;
}

static int read_line(struct lease *l, char *line)
{
	char *sum = strrchr(line, '#'), *cursor = line, *word;
	struct words w = { .n = 0 };
	uint64_t v;

	if (!sum || sum == line || sum[-1] != ' ' || strlen(sum + 1) != 8 || str_to_u64(sum + 1, 16, &v) < 0 ||
	    v != checksum(line, (size_t)(sum - 1 - line)))
		return -EBADMSG;
	sum[-1] = '\0';
	while (w.n < ARRAY_SIZE(w.w) && (word = str_token(&cursor, " ")))
		w.w[w.n++] = word;
	return w.n ? read_words(l, &w) : -EBADMSG;
}

int lease_parse(struct lease *l, char *text, struct err *e)
{
	unsigned number = 0;
	char *end;

	for (char *line = text; *line; line = end) {
		int r;

		end = strchr(line, '\n');
		if (!end)
			break;	/* torn: it was never finished, so what it announces was never begun */
		*end++ = '\0';
		number++;
		r = read_line(l, line);
		if (r == -ENOMEM)
			return err_nomem(e);
		if (r < 0)
			return err_set(e, EBADMSG, "line %u cannot be read or has a wrong checksum", number);
	}
	if (!l->at)
		return err_set(e, EBADMSG, "it ends before the plan is complete (after line %u)", number);
	return 0;
}
