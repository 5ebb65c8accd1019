// SPDX-License-Identifier: GPL-2.0-or-later
/* The host's text console: see console.h. */
#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "inuse_text.h"
#include "pdev.h"
#include "str.h"

enum { IOMEM_MAX = 4 << 20, POLL_MS = 50 };

/* --- the firmware's framebuffer -------------------------------------------------------------------- */

/* "  fd000000-fd7fffff : BOOTFB": by the names of its drivers. */
static bool memory_line(char *line, uint64_t *start, const char **name)
{
	static const char *const names[] = { "BOOTFB", "efifb", "simplefb", "simpledrm", "vesafb" };
	char *colon = strstr(line, " : "), *dash;

	if (!colon)
		return false;
	*colon = '\0';
	line += strspn(line, " ");
	dash = strchr(line, '-');
	if (!dash)
		return false;
	*dash = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(colon + 3, names[i]) == 0) {
			*name = names[i];
			return str_to_u64(line, 16, start) == 0 && *start != 0;
		}
	return false;
}

void console_each_memory(struct host *h, console_memory_fn fn, void *arg)
{
	char *text, *cursor, *line;
	size_t len;

	if (host_read_file(h, "/proc/iomem", IOMEM_MAX, &text, &len) < 0)
		return;
	cursor = text;
	while ((line = str_token(&cursor, "\n"))) {
		const char *name;
		uint64_t start;

		if (memory_line(line, &start, &name))
			fn(arg, start, name);
	}
	free(text);
}

struct place {
	struct host *h;
	struct bdf bdf;
	bool known, here;
};

/* In one of the function's BARs ("0x... 0x... 0x..." per line: start, end, flags)? */
static void find_memory(void *arg, uint64_t at, const char *name)
{
	struct place *p = arg;
	char buf[1024], *cursor = buf, *line;
	ssize_t n = host_read(p->h, pdev_path(p->bdf, "resource").s, buf, sizeof(buf) - 1);

	(void)name;
	p->known = true;
	buf[n > 0 ? n : 0] = '\0';
	while ((line = str_token(&cursor, "\n"))) {
		const char *first = str_token(&line, " "), *last = str_token(&line, " ");
		uint64_t start, end;

		if (first && last && str_starts(first, "0x") && str_starts(last, "0x") &&
		    str_to_u64(first + 2, 16, &start) == 0 && str_to_u64(last + 2, 16, &end) == 0 && start < end &&
		    at >= start && at <= end)
			p->here = true;
	}
}

static bool is_boot_card(struct host *h, struct bdf bdf)
{
	uint64_t v;

	return host_read_u64(h, pdev_path(bdf, "boot_vga").s, 10, &v) == 0 && v == 1;
}

/* Kernels before 6.9 do not say whose it is (drivers/firmware/sysfb.c:sysfb_parent_dev): by its memory, and
 * where that is not to be seen, the boot card's. */
static bool has_firmware_memory(struct host *h, struct bdf bdf)
{
	struct place p = { .h = h, .bdf = bdf };

	console_each_memory(h, find_memory, &p);
	return p.known ? p.here : is_boot_card(h, bdf);
}

/* --- framebuffers ---------------------------------------------------------------------------------- */

struct search {
	struct host *h;
	struct bdf bdf;
	const struct bdf *fns;
	size_t n;
	struct console *ret;
	bool elsewhere;		/* a framebuffer that would stay */
};

/* ".../0000:00:02.0/graphics/fb0": the last function on the way, if there is one; and the platform device. */
static bool read_way(const char *target, struct bdf *ret, char *platform, size_t size)
{
	char copy[512], *cursor = copy, *word;
	bool found = false;

	platform[0] = '\0';
	if (str_copy(copy, sizeof(copy), target) < 0)
		return false;
	while ((word = str_token(&cursor, "/"))) {
		if (bdf_parse(word, ret) == 0)
			found = true;
		else if (strstr(word, "-framebuffer."))
			(void)str_copy(platform, size, word);
	}
	return found;
}

static bool among(const struct search *s, struct bdf bdf)
{
	for (size_t i = 0; i < s->n; i++)
		if (bdf_same(s->fns[i], bdf))
			return true;
	return bdf_same(bdf, s->bdf);
}

/* Is a firmware framebuffer without a parent on one of the functions asked for? */
static bool among_firmware(struct search *s, bool *mine)
{
	bool any = *mine = has_firmware_memory(s->h, s->bdf);

	for (size_t i = 0; !any && i < s->n; i++)
		any = has_firmware_memory(s->h, s->fns[i]);
	return any;
}

static void note(struct search *s, const char *fb, const char *platform)
{
	char name[64], a[40], b[40];

	if (host_read_line(s->h, host_path("/sys/class/graphics/%s/name", fb).s, name, sizeof(name)) < 0)
		name[0] = '\0';
	inuse_text_safe(a, sizeof(a), *platform ? platform : fb);
	inuse_text_safe(b, sizeof(b), name);
	snprintf(s->ret->framebuffer, sizeof(s->ret->framebuffer), *b ? "%.36s (%.36s)" : "%.36s", a, b);
	s->ret->firmware = *platform != '\0';
}

static int each_framebuffer(void *arg, const char *name)
{
	struct search *s = arg;
	char target[512], platform[64];
	struct bdf owner;
	bool ours, mine;

	if (!str_starts(name, "fb") || name[2] < '0' || name[2] > '9' ||
	    host_readlink(s->h, host_path("/sys/class/graphics/%s", name).s, target, sizeof(target)) < 0)
		return 0;
	if (read_way(target, &owner, platform, sizeof(platform))) {
		mine = bdf_same(owner, s->bdf);
		ours = among(s, owner);
	} else if (*platform) {
		ours = among_firmware(s, &mine);
	} else {
		ours = mine = false;
	}
	s->elsewhere = s->elsewhere || !ours;
	if (mine)
		note(s, name, platform);
	return 0;
}

/* --- vtconsoles ------------------------------------------------------------------------------------ */

struct vt {
	struct host *h;
	const char *word;		/* part of the name */
	char found[32];
	bool attached;
};

static int each_vt(void *arg, const char *name)
{
	struct vt *v = arg;
	char text[80];
	uint64_t bind;

	if (host_read_line(v->h, host_path("/sys/class/vtconsole/%s/name", name).s, text, sizeof(text)) < 0 ||
	    !strstr(text, v->word) || str_copy(v->found, sizeof(v->found), name) < 0)
		return 0;
	v->attached = host_read_u64(v->h, host_path("/sys/class/vtconsole/%s/bind", name).s, 10, &bind) == 0 && bind == 1;
	return 1;
}

static bool find_vt(struct host *h, const char *word, struct vt *ret)
{
	*ret = (struct vt){ .h = h, .word = word };
	(void)!host_list(h, "/sys/class/vtconsole", each_vt, ret);
	return ret->found[0];
}

void console_look(struct host *h, struct bdf bdf, const struct bdf *fns, size_t n, struct console *ret)
{
	struct search s = { .h = h, .bdf = bdf, .fns = fns, .n = n, .ret = ret };
	struct vt vt;

	memset(ret, 0, sizeof(*ret));
	(void)!host_list(h, "/sys/class/graphics", each_framebuffer, &s);
	ret->drawn = ret->framebuffer[0] && find_vt(h, "frame buffer device", &vt) && vt.attached;
	ret->last = ret->drawn && !s.elsewhere;
	ret->text_mode = is_boot_card(h, bdf) && find_vt(h, "VGA+", &vt) && vt.attached;
}

static int put(struct host *h, const char *vt, bool attached, uint64_t *ns, struct err *e)
{
	struct host_path path = host_path("/sys/class/vtconsole/%s/bind", vt);
	const char *value = attached ? "1" : "0";
	uint64_t began = driver_clock(), now;
	int r = host_write(h, path.s, value);

	*ns += driver_clock() - began;
	if (r < 0)
		return err_set(e, -r, "cannot write %s to %s: %s", value, path.s, err_text(r));
	if (host_read_u64(h, path.s, 10, &now) < 0 || now != attached)
		return err_set(e, EIO, "%s still reads %d after %s was written: the kernel has refused to %s the console", path.s,
			       !attached, value, attached ? "attach" : "detach");
	return 0;
}

int console_set(struct host *h, bool attached, uint64_t ms, uint64_t *ns, struct err *e)
{
	uint64_t end = host_now(h) + ms;
	struct vt vt;

	while (!find_vt(h, "frame buffer device", &vt)) {
		if (!attached || host_now(h) >= end)
			return 0;
		host_sleep(h, POLL_MS);
	}
	return vt.attached == attached ? 0 : put(h, vt.found, attached, ns, e);
}
