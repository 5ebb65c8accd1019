// SPDX-License-Identifier: GPL-2.0-or-later
/* Device nodes by their class: see inuse_node_kind.h. */
#include "inuse_node_kind.h"

#include <stdio.h>
#include <string.h>

#include "str.h"

struct class {
	const char *subsystem;
	const char *folder;		/* below /dev, with its slash */
	enum inuse_weight weight;	/* of a holder */
	bool mapped;
};

static const struct class classes[] = {
	{ "drm", "dri/", INUSE_BUSY, true },
	{ "accel", "accel/", INUSE_BUSY, true },
	{ "graphics", "", INUSE_BUSY, true },
	{ "sound", "snd/", INUSE_HANGS, false },
	{ "i2c-dev", "", INUSE_HANGS, false },
	{ "dvb", "dvb/", INUSE_HANGS, false },
	{ "vfio-dev", "vfio/devices/", INUSE_HANGS, false },
	/* Jack detection and power keys, read by logind and acpid; evdev lets go at once. */
	{ "input", "input/", INUSE_NOTE, false },
	{ "infiniband_verbs", "infiniband/", INUSE_BUSY, true },
	{ "infiniband_mad", "infiniband/", INUSE_BUSY, false },
	{ "bsg", "bsg/", INUSE_BUSY, false },
	{ "", "", INUSE_BUSY, false },	/* all others */
};

static const struct class *class_of(const struct inuse_part *p)
{
	const struct class *c = classes;

	while (*c->subsystem && strcmp(c->subsystem, p->subsystem) != 0)
		c++;
	return c;
}

void inuse_node_kind(const struct inuse_part *p, enum inuse_kind *ret_kind, enum inuse_weight *ret_weight)
{
	const struct class *c = class_of(p);

	*ret_kind = strcmp(c->subsystem, "vfio-dev") == 0 ? INUSE_VFIO : INUSE_PROCESS;
	*ret_weight = c->weight;
	/* A USB sound card is freed when the last user closes it, without waiting
	 * (sound/usb/card.c:usb_audio_disconnect). */
	if (p->below_usb && strcmp(c->subsystem, "sound") == 0)
		*ret_weight = INUSE_BUSY;
}

/* "dvb0.frontend1" -> "dvb/adapter0/frontend1" (drivers/media/dvb-core/dvbdev.c:dvb_devnode). */
static void dvb_name(const struct inuse_part *p, char *buf, size_t size)
{
	const char *dot = strchr(p->name, '.');

	if (!dot || !str_starts(p->name, "dvb"))
		snprintf(buf, size, "%s", p->name);
	else
		snprintf(buf, size, "dvb/adapter%.*s/%s", (int)(dot - p->name - 3), p->name + 3, dot + 1);
}

void inuse_node_name(const struct inuse_part *p, char *buf, size_t size)
{
	const struct class *c = class_of(p);
	const char *folder = c->folder;

	if (strcmp(p->subsystem, "usb") == 0) {
		snprintf(buf, size, "bus/usb/%03u/%03u", p->minor / 128 + 1, p->minor % 128 + 1);
		return;
	}
	if (strcmp(c->subsystem, "dvb") == 0) {
		dvb_name(p, buf, size);
		return;
	}
	if (strcmp(c->subsystem, "sound") == 0 && p->major == 14)
		folder = "";	/* the OSS nodes: /dev/dsp */
	snprintf(buf, size, "%s%s", folder, p->name);
	for (char *s = buf; (s = strchr(s, '!')); s++)
		*s = '/';
}

bool inuse_node_is_mapped(const struct inuse_part *p)
{
	return class_of(p)->mapped;
}

bool inuse_node_is_root_hub(const struct inuse_part *p)
{
	return strcmp(p->subsystem, "usb") == 0 && str_starts(p->name, "usb");
}
