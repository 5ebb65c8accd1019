// SPDX-License-Identifier: GPL-2.0-or-later
/* What is plugged into USB controllers: see inuse_scan.h. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "inuse_dir.h"
#include "inuse_node_kind.h"
#include "inuse_scan.h"
#include "inuse_text.h"
#include "str.h"

/* Classes of a USB interface (bInterfaceClass). */
enum { CLASS_AUDIO = 0x01, CLASS_HID = 0x03, CLASS_STORAGE = 0x08, CLASS_HUB = 0x09, CLASS_VIDEO = 0x0e };

static const struct {
	unsigned class, subclass, protocol;	/* subclass and protocol 0 = any */
	const char *word;
	enum inuse_kind kind;
} words[] = {
	{ CLASS_HID, 1, 1, "a keyboard", INUSE_KEYBOARD },	/* boot interface subclass, HID 1.11 app. F */
	{ CLASS_HID, 1, 2, "a mouse", INUSE_USB },
	{ CLASS_HID, 0, 0, "an input device", INUSE_USB },
	{ CLASS_STORAGE, 0, 0, "a disk", INUSE_USB },
	{ CLASS_AUDIO, 0, 0, "a sound device", INUSE_USB },
	{ CLASS_VIDEO, 0, 0, "a camera", INUSE_USB },
};

struct use {
	struct host *h;
	const char *path;
	size_t best;		/* index into words[]; ARRAY_SIZE = none */
};

static unsigned hex(struct host *h, const char *path, const char *what)
{
	uint64_t v;

	return host_read_u64(h, host_path("%s/%s", path, what).s, 16, &v) < 0 ? 0 : (unsigned)v;
}

static void look_interface(struct use *u, const char *name)
{
	struct host_path p = host_path("%s/%s", u->path, name);
	unsigned class = hex(u->h, p.s, "bInterfaceClass");
	unsigned subclass = hex(u->h, p.s, "bInterfaceSubClass");
	unsigned protocol = hex(u->h, p.s, "bInterfaceProtocol");

	for (size_t i = 0; i < u->best; i++)
		if (words[i].class == class && (!words[i].subclass || words[i].subclass == subclass) &&
		    (!words[i].protocol || words[i].protocol == protocol)) {
			u->best = i;
			return;
		}
}

/* The interfaces of device 1-2 are the folders 1-2:1.0, 1-2:1.1... */
static void look_interfaces(struct use *u, const char *device)
{
	struct inuse_dir d;
	unsigned char type;
	const char *name;
	size_t len = strlen(device);

	if (inuse_dir_open(&d, u->h, u->path) < 0)
		return;
	while (inuse_dir_next(&d, &name, &type) > 0)
		if (type == DT_DIR && str_starts(name, device) && name[len] == ':')
			look_interface(u, name);
	inuse_dir_close(&d);
}

/* udev's database knows the name; the attribute `product` would take the device's lock
 * (drivers/usb/core/sysfs.c:usb_string_attr), which only a tree does not have. */
static void read_name(struct host *h, const struct inuse_part *p, char *buf, size_t size)
{
	char text[8192], *cursor = text, *line;
	ssize_t n = host_read(h, host_path("/run/udev/data/c%u:%u", p->major, p->minor).s, text, sizeof(text) - 1);

	buf[0] = '\0';
	text[n > 0 ? n : 0] = '\0';
	while ((line = str_token(&cursor, "\n")))
		if (str_starts(line, "E:ID_MODEL=") && str_copy(buf, size, line + strlen("E:ID_MODEL=")) < 0)
			buf[0] = '\0';
	for (char *s = buf; (s = strchr(s, '_')); s++)
		*s = ' ';
	if (!*buf && !h->real && host_read_line(h, host_path("%s/product", p->path.s).s, buf, size) < 0)
		buf[0] = '\0';
}

static int add_device(struct inuse_scan *s, const struct inuse_part *p)
{
	struct use u = { s->h, p->path.s, ARRAY_SIZE(words) };
	/* What hangs on a hub is found by itself; the board's own hubs are no reason to refuse. */
	bool hub = hex(s->h, p->path.s, "bDeviceClass") == CLASS_HUB;
	char raw[128], name[128];
	struct inuse_finding *f;

	look_interfaces(&u, p->name);
	f = inuse_scan_add(s, p->fn, u.best < ARRAY_SIZE(words) ? words[u.best].kind : INUSE_USB,
			   hub ? INUSE_NOTE : INUSE_BUSY, p->name);
	if (!f)
		return -ENOMEM;
	read_name(s->h, p, raw, sizeof(raw));
	inuse_text_safe(name, sizeof(name), raw);
	INUSE_ADD(f, "has %s attached: %s%s%04x:%04x at USB %s",
		  hub ? "a hub" : u.best < ARRAY_SIZE(words) ? words[u.best].word : "a USB device",
		  name, *name ? ", " : "", hex(s->h, p->path.s, "idVendor"), hex(s->h, p->path.s, "idProduct"),
		  f->object);
	return 0;
}

/* A keyboard that would stay: its way in sysfs leads through none of the functions. */
struct keyboards { struct inuse_scan *scan; struct bdf of; bool another; };

static int each_interface(void *arg, const char *name)
{
	struct keyboards *k = arg;
	struct host_path path = host_path("/sys/bus/usb/devices/%s", name);
	char target[512], *cursor = target, *word;
	struct bdf bdf;

	if (!strchr(name, ':') || hex(k->scan->h, path.s, "bInterfaceClass") != CLASS_HID ||
	    hex(k->scan->h, path.s, "bInterfaceSubClass") != 1 || hex(k->scan->h, path.s, "bInterfaceProtocol") != 1 ||
	    host_readlink(k->scan->h, path.s, target, sizeof(target)) < 0)
		return 0;
	while ((word = str_token(&cursor, "/")))
		if (bdf_parse(word, &bdf) == 0 && inuse_scan_goes(k->scan, k->of, bdf))
			return 0;
	k->another = true;
	return 1;
}

static int any_port(void *arg, const char *name)
{
	struct keyboards *k = arg;

	k->another = k->another || str_starts(name, "serio");
	return 0;
}

/* The driver of keyboards at a PS/2 port, or at what a laptop or a BMC has instead of one, only binds to one that
 * has answered (drivers/input/keyboard/atkbd.c:atkbd_probe). */
static bool another_keyboard(struct inuse_scan *s, struct bdf of)
{
	struct keyboards k = { s, of, false };

	(void)!host_list(s->h, "/sys/bus/usb/devices", each_interface, &k);
	if (!k.another)
		(void)!host_list(s->h, "/sys/bus/serio/drivers/atkbd", any_port, &k);
	return k.another;
}

static int add_last_input(struct inuse_scan *s)
{
	size_t n = s->ret->n;

	for (size_t i = 0; i < n; i++) {
		struct inuse_finding *f, key = s->ret->v[i];
		size_t fn = 0, k = 0;

		/* One is enough to say it of a controller. */
		while (k < i && (s->ret->v[k].kind != INUSE_KEYBOARD || !bdf_same(s->ret->v[k].bdf, key.bdf)))
			k++;
		if (key.kind != INUSE_KEYBOARD || k < i || another_keyboard(s, key.bdf))
			continue;
		while (fn < s->n && !bdf_same(s->fns[fn], key.bdf))
			fn++;
		f = inuse_scan_add(s, fn, INUSE_LAST_INPUT, INUSE_BUSY, "");
		if (!f)
			return -ENOMEM;
		memcpy(f->object, key.object, sizeof(f->object));
		INUSE_ADD(f, "has the only keyboard of this host attached (USB %s)", f->object);
	}
	return 0;
}

int inuse_usb(struct inuse_scan *s, struct err *e)
{
	for (size_t i = 0; i < s->parts.n; i++) {
		const struct inuse_part *p = &s->parts.v[i];

		if (p->kind == INUSE_PART_CHAR && strcmp(p->subsystem, "usb") == 0 &&
		    !inuse_node_is_root_hub(p) && add_device(s, p) < 0)
			return err_nomem(e);
	}
	if (add_last_input(s) < 0)
		return err_nomem(e);
	return 0;
}
