// SPDX-License-Identifier: GPL-2.0-or-later
/* What each kind of step does and how it is taken back: see step.h. */
#include "step_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bar.h"
#include "console.h"
#include "driver.h"
#include "health.h"
#include "reset.h"
#include "str.h"
#include "vfio.h"

#define MODPROBE_MS 30000
#define STILL_OPEN_MS 3000
#define CONSOLE_MS 3000		/* drivers make their framebuffer a moment after they are bound */

static int module_do(struct run *c)
{
	return driver_need(c->h, c->s->to, c->s->arg, MODPROBE_MS, &c->reply->ns, &c->reply->e);
}

static int nothing(struct run *c)
{
	(void)c;
	return 0;
}

/* Writes an attribute unless it has that value already, and reads it back. */
static int attr_set(struct run *c, const char *attr, const char *value)
{
	struct host_path path = pdev_path(c->s->bdf, attr);
	char now[PDEV_METHODS];
	int r = host_read_line(c->h, path.s, now, sizeof(now));

	if (r == -ENOENT || (r == 0 && strcmp(now, value) == 0))
		return 0;
	if (r < 0)
		return err_set(&c->reply->e, -r, "cannot read %s of %s: %s", attr, BDF_S(c->s->bdf), err_text(r));
	r = driver_attr(c->h, c->s->bdf, attr, value, &c->reply->ns, &c->reply->e);
	if (r == 0 && (host_read_line(c->h, path.s, now, sizeof(now)) < 0 || strcmp(now, value) != 0))
		r = err_set(&c->reply->e, EIO, "%s of %s reads '%s' after '%s' was written", attr, BDF_S(c->s->bdf),
			    now, value);
	return r;
}

/* It rests on vfio-pci, where a VM has had it: the administrator wants it so. */
static bool stays(const struct run *c)
{
	return c->s->stay && c->end != END_UNUSED;
}

static int power_do(struct run *c)
{
	int r = attr_set(c, "power/control", c->s->to);

	/* Awake it does not get there; but a port that sleeps would take it along. */
	return r == 0 && c->s->keep[0] ? attr_set(c, "d3cold_allowed", "0") : r;
}

static int power_undo(struct run *c)
{
	int r = c->s->keep[0] ? attr_set(c, "d3cold_allowed", c->s->keep) : 0;

	return r == 0 ? attr_set(c, "power/control", stays(c) ? c->s->arg : c->s->from) : r;
}

static int method_undo(struct run *c)
{
	return attr_set(c, "reset_method", c->s->from);
}

static int override_put(struct run *c, const char *value)
{
	char now[PDEV_NAME];
	int r = pdev_read_override(c->h, c->s->bdf, now, sizeof(now));

	if (r < 0)
		return err_set(&c->reply->e, -r, "cannot read driver_override of %s: %s", BDF_S(c->s->bdf),
			       err_text(r));
	if (strcmp(now, value) == 0)
		return 0;
	return driver_set_override(c->h, c->s->bdf, value, &c->reply->ns, &c->reply->e);
}

static int override_do(struct run *c)
{
	return override_put(c, c->s->to);
}

static int override_undo(struct run *c)
{
	return stays(c) ? 0 : override_put(c, c->s->from);
}

static int console_do(struct run *c)
{
	return console_set(c->h, false, 0, &c->reply->ns, &c->reply->e);
}

static int console_undo(struct run *c)
{
	return stays(c) ? 0 : console_set(c->h, true, CONSOLE_MS, &c->reply->ns, &c->reply->e);
}

static int unbind_do(struct run *c)
{
	char now[PDEV_NAME];
	int r = driver_current(c->h, c->s->bdf, now, sizeof(now), &c->reply->e);

	/* Taking over an unfinished claim of our own: it is past this point already. */
	if (r < 0 || strcmp(now, "vfio-pci") == 0)
		return r;
	return driver_unbind(c->h, c->s->bdf, c->s->from, &c->reply->ns, &c->reply->e);
}

/* After a bind, and after one that failed: the override as it was.  The first error stays. */
static int override_leave(struct run *c, int r)
{
	struct err first = c->reply->e;
	int q = override_put(c, c->s->keep);

	if (r == 0)
		return q;
	c->reply->e = first;
	return r;
}

/* A driver's refusal has other words for it. */
static void say_if_dead(struct run *c)
{
	struct err dead = ERR_INIT;

	if (health_check(c->h, c->s->bdf, &dead) < 0)
		err_hint(&c->reply->e, "(%s)", dead.msg);
}

/* Back to the driver it came from, by name: the override keeps every other driver off until it is
 * bound (vfio-pci has a dynamic ID for the device since Proxmox's first start of such a VM). */
static int unbind_undo(struct run *c)
{
	struct err *e = &c->reply->e;
	char now[PDEV_NAME];
	int r = stays(c) ? 1 : driver_current(c->h, c->s->bdf, now, sizeof(now), e);

	if (r != 0)
		return r < 0 ? r : 0;
	if (strcmp(now, c->s->from) == 0)
		return override_put(c, c->s->keep);
	if (now[0])
		return err_set(e, EBUSY, "%s is on %s, where somebody else has put it, and cannot go back to %s; unbind it "
			       "('echo %s > /sys/bus/pci/drivers/%s/unbind'), or give this lease up with 'pve-gpu release "
			       "--abandon'", BDF_S(c->s->bdf), now, c->s->from, BDF_S(c->s->bdf), now);
	r = driver_need(c->h, c->s->from, c->s->arg, MODPROBE_MS, &c->reply->ns, e);
	if (r == 0)
		r = override_put(c, c->s->from);
	if (r == 0)
		r = driver_bind(c->h, c->s->bdf, c->s->from, &c->reply->ns, e);
	if (r < 0)
		say_if_dead(c);
	return override_leave(c, r);
}

static int bar_put(struct run *c, const char *bit)
{
	uint64_t v;

	if (str_to_u64(bit, 10, &v) < 0 || v > 43)
		return err_set(&c->reply->e, EINVAL, "'%s' is no size of a BAR", bit);
	return bar_resize(c->h, c->s->bdf, (unsigned)v, &c->reply->ns, &c->reply->e);
}

static int bar_do(struct run *c)
{
	return bar_put(c, c->s->to);
}

static int bar_undo(struct run *c)
{
	return stays(c) ? 0 : bar_put(c, c->s->from);
}

static int read_enable(struct run *c)
{
	return vfio_enable_count(c->h, c->s->bdf);
}

static int bind_do(struct run *c)
{
	int r = driver_bind(c->h, c->s->bdf, c->s->to, &c->reply->ns, &c->reply->e);

	if (r < 0)
		return r;
	c->reply->enable = read_enable(c);
	/* vfio-pci sets power/control to auto as it binds: an idle card would sleep through reset
	 * and check. */
	return attr_set(c, "power/control", "on");
}

/* Unbinding what somebody has open takes the card out of the running guest and blocks until he
 * closes it (drivers/vfio/vfio_main.c:vfio_unregister_group_dev).  The enable count is the proof:
 * vfio-pci raises it on the first open and lowers it on the last close. */
static int bind_undo(struct run *c)
{
	struct err *e = &c->reply->e;
	uint64_t end = host_now(c->h) + STILL_OPEN_MS;
	char now[PDEV_NAME];
	int r = stays(c) ? 1 : driver_current(c->h, c->s->bdf, now, sizeof(now), e);

	if (r != 0 || strcmp(now, c->s->to) != 0)
		return r < 0 ? r : 0;
	while (vfio_is_open(c->h, c->s->bdf, c->s->enable)) {
		if (host_now(c->h) >= end)
			return err_set(e, EBUSY, "%s is still open: a process uses it through VFIO; see who with "
				       "'fuser -v /dev/vfio/*'", BDF_S(c->s->bdf));
		host_sleep(c->h, 50);
	}
	return driver_unbind(c->h, c->s->bdf, c->s->to, &c->reply->ns, e);
}

static size_t parse_list(char *list, struct bdf *fns, size_t max)
{
	char *cursor = list, *word;
	size_t n = 0;

	while (n < max && (word = str_token(&cursor, " ")))
		if (bdf_parse(word, &fns[n]) == 0)
			n++;
	return n;
}

/* Never a reset of what a host driver owns: every function in the list must be on vfio-pci now. */
static int all_on_vfio(struct run *c, const struct bdf *fns, size_t n)
{
	char now[PDEV_NAME];

	for (size_t i = 0; i < n; i++) {
		int r = driver_current(c->h, fns[i], now, sizeof(now), &c->reply->e);

		if (r < 0)
			return r;
		if (strcmp(now, "vfio-pci") != 0)
			return err_set(&c->reply->e, EBUSY, "%s is on '%s' instead of vfio-pci: somebody else moved it",
				       BDF_S(fns[i]), now);
	}
	return 0;
}

struct card { struct bdf fns[STEP_ARG / 13]; size_t n; };

static void card_of(const struct step *s, struct card *ret)
{
	char list[STEP_ARG];

	memcpy(list, s->arg, sizeof(list));
	ret->n = parse_list(list, ret->fns, ARRAY_SIZE(ret->fns));
}

static int run_chain(struct run *c, const struct card *card, const char *chain)
{
	struct reset_result result = { .ns = 0 };
	int r = reset_run(c->h, chain, c->s->exact, card->fns, card->n, &result, &c->reply->e);

	c->reply->ns += result.ns;
	memcpy(c->reply->used, result.used, sizeof(c->reply->used));
	c->reply->reached = result.reached;
	return r;
}

static int reset_do(struct run *c)
{
	struct card card;
	int r;

	if (!c->s->to[0])
		return 0;
	card_of(c->s, &card);
	r = all_on_vfio(c, card.fns, card.n);
	if (r == 0)
		r = run_chain(c, &card, c->s->to);
	for (size_t i = 0; r == 0 && c->s->must && i < card.n; i++)
		if (!(c->reply->reached >> i & 1))
			r = err_set(&c->reply->e, ENOTTY, "the kernel offers no way to reset %s, and the setting "
				    "'reset = always' demands one", BDF_S(card.fns[i]));
	return r;
}

static bool all_usable(struct run *c, const struct card *card)
{
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < card->n; i++)
		if (health_check(c->h, card->fns[i], &ignored) < 0)
			return false;
	return true;
}

/* A rescan that was cut short left functions off the bus. */
static int find_again(struct run *c, const struct card *card)
{
	struct bdf port;

	if (!strstr(c->s->to, "rescan") || bdf_parse(c->s->port, &port) < 0)
		return 0;
	return reset_recover(c->h, port, card->fns, card->n, &c->reply->ns, &c->reply->e);
}

/* vfio-pci itself resets the card as QEMU closes it, if it knows how.  So another one only where that
 * cannot have been enough, or where the administrator wants it. */
static int reset_undo(struct run *c)
{
	struct card card;
	int r;

	card_of(c->s, &card);
	r = find_again(c, &card);
	if (r < 0 || c->end == END_UNUSED || !c->s->keep[0] || all_on_vfio(c, card.fns, card.n) < 0) {
		if (r == 0)
			c->reply->e = (struct err)ERR_INIT;
		return r;
	}
	if (strcmp(c->s->keep, "auto") == 0 && c->end == END_CLEAN && all_usable(c, &card))
		return 0;
	for (size_t i = 0; i < card.n; i++)
		if (vfio_is_open(c->h, card.fns[i], -1))
			return 0;	/* the steps after this one say so, and touch nothing */
	r = run_chain(c, &card, c->s->from);
	if (r == 0 || !all_usable(c, &card))
		return r;
	/* It is alive all the same: no reason to keep it from the host. */
	c->reply->e = (struct err)ERR_INIT;
	snprintf(c->reply->used, sizeof(c->reply->used), "none");
	return 0;
}

static int check_do(struct run *c)
{
	int r = all_on_vfio(c, &c->s->bdf, 1);

	/* What counts as "nobody has it open" for a device that we did not bind ourselves. */
	c->reply->enable = read_enable(c);
	return r == 0 ? health_check(c->h, c->s->bdf, &c->reply->e) : r;
}

static const struct kind {
	int (*act)(struct run *c);
	int (*undo)(struct run *c);
	uint64_t do_ms, undo_ms;
	const char *do_text, *undo_text;	/* %1$s address, %2$s from, %3$s to, %4$s arg */
} kinds[STEP_KINDS] = {
	[STEP_MODULE]	= { module_do, nothing, 34000, 1000, "load the driver %3$s", "keep the driver %3$s" },
	[STEP_POWER]	= { power_do, power_undo, 5000, 5000, "keep %1$s awake",
			    "set power/control of %1$s back to '%2$s'" },
	[STEP_METHOD]	= { nothing, method_undo, 5000, 5000, "remember the reset methods of %1$s",
			    "set the reset methods of %1$s back to '%2$s'" },
	[STEP_OVERRIDE]	= { override_do, override_undo, 5000, 5000, "set driver_override of %1$s to %3$s",
			    "set driver_override of %1$s back to '%2$s'" },
	[STEP_CONSOLE]	= { console_do, console_undo, 10000, 15000, "detach the console from %2$s of %1$s",
			    "attach the console to the framebuffer of %1$s again, if it has one" },
	[STEP_UNBIND]	= { unbind_do, unbind_undo, 30000, 60000, "unbind %1$s from %2$s", "bind %1$s to %2$s again" },
	[STEP_BAR]	= { bar_do, bar_undo, 20000, 20000, "resize BAR 0 of %1$s to 2^%3$s MiB",
			    "resize BAR 0 of %1$s back to 2^%2$s MiB" },
	[STEP_BIND]	= { bind_do, bind_undo, 20000, 20000, "bind %1$s to %3$s", "unbind %1$s from %3$s" },
	[STEP_RESET]	= { reset_do, reset_undo, RESET_LIMIT_MS, RESET_LIMIT_MS, "reset %1$s (%3$s)", "reset %1$s (%2$s)" },
	[STEP_CHECK]	= { check_do, nothing, 5000, 1000, "check that %1$s answers", "check %1$s" },
	[STEP_SERVICE]	= { service_do, service_undo, 100000, 60000, "stop %3$s", "start %3$s again" },
	[STEP_CONTAINER] = { container_do, container_undo, 100000, 60000, "shut down container %3$s",
			     "start container %3$s again" },
	[STEP_FREEZE]	= { freeze_do, freeze_undo, 15000, 15000, "freeze container %3$s", "thaw container %3$s" },
	[STEP_VFS]	= { vfs_do, vfs_undo, 60000, 60000, "make %4$s virtual functions of %3$s",
			    "take the virtual functions of %3$s away" },
	[STEP_PROCESS]	= { process_do, nothing, 75000, 1000, "end process %3$s (%4$s)", "leave process %3$s (%4$s) ended" },
};

uint64_t step_limit(enum step_kind kind, enum step_way way)
{
	return way == STEP_DO ? kinds[kind].do_ms : kinds[kind].undo_ms;
}

bool step_is_idle(enum step_kind kind, enum step_way way)
{
	return (way == STEP_DO ? kinds[kind].act : kinds[kind].undo) == nothing;
}

struct step_text step_describe(const struct step *s, enum step_way way)
{
	const char *fmt = way == STEP_DO ? kinds[s->kind].do_text : kinds[s->kind].undo_text;
	const char *words[] = { BDF_S(s->bdf), s->from, s->to, s->arg };
	struct str text = STR_INIT;
	struct step_text t;

	for (; *fmt; fmt++) {
		if (fmt[0] == '%' && fmt[1] >= '1' && fmt[1] <= '4') {
			(void)str_add(&text, words[fmt[1] - '1']);
			fmt += 3;
		} else {
			(void)str_addn(&text, fmt, 1);
		}
	}
	snprintf(t.s, sizeof(t.s), "%s", text.s);
	str_release(&text);
	return t;
}

void step_serve(struct host *h, void *arg, const void *request, void *reply)
{
	const struct step_request *q = request;
	struct step_reply *a = reply;
	struct run c = { h, &q->step, q->end, q->vmid, q->until, a };

	(void)arg;
	memset(a, 0, sizeof(*a));
	a->enable = -1;
	if ((unsigned)q->step.kind >= STEP_KINDS)
		a->r = err_set(&a->e, EINVAL, "unknown kind of step %d", (int)q->step.kind);
	else
		a->r = q->way == STEP_DO ? kinds[q->step.kind].act(&c) : kinds[q->step.kind].undo(&c);
}
