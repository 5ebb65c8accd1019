/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console - which function the host's text console is drawn on, and letting it go.
 *
 * A text console (a "vtconsole") is either the plain VGA text mode of the boot card, or one driver,
 * fbcon, that draws on framebuffers: the firmware's, which a platform device stands for
 * (efi-framebuffer.0, vesa-framebuffer.0, simple-framebuffer.0, driven by efifb, vesafb, simplefb or
 * simpledrm), or that of a card's own DRM driver.  fbcon is one console for all framebuffers, and moves
 * to another one by itself when its own goes (drivers/video/fbdev/core/fbcon.c:fbcon_fb_unregistered); so
 * there is something to let go of only where the last one goes.
 *
 * The firmware's framebuffer goes with the binding of vfio-pci to a VGA controller, and for good: its
 * platform device is unregistered (drivers/video/aperture.c:aperture_remove_conflicting_pci_devices), and
 * nothing makes another before the next boot.  Neither does text mode come back on a card that a guest had.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "host.h"

struct console {
	char framebuffer[80];	/* of this function: "fb0 (i915drmfb)", "efi-framebuffer.0 (EFI VGA)", safe; "" = none */
	bool firmware;		/* ... and it is the firmware's: it does not come back before a reboot */
	bool text_mode;		/* the console is VGA text mode on this card: the same */
	bool drawn;		/* fbcon draws on it, among others perhaps */
	bool last;		/* fbcon draws, and no framebuffer is left but those of the functions asked for */
};

/* What the function has to do with the console; `fns` are those that would go together with it.  Never fails:
 * what cannot be read is not there. */
void console_look(struct host *h, struct bdf bdf, const struct bdf *fns, size_t n, struct console *ret);

/* Detaches fbcon from the virtual terminals, or attaches it.  The kernel's answer to the write is always
 * success (drivers/tty/vt/vt.c:store_bind), so the attribute is read back.  Which vtconsole it is
 * is told by its name, "(M) frame buffer device"; numbers change.  Attaching waits up to `ms` for it to be
 * there: it goes with the last framebuffer and comes with the first, which a driver may make after it was
 * bound.  Many make none before a monitor is plugged in (drivers/gpu/drm/drm_fb_helper.c:
 * __drm_fb_helper_initial_config_and_unlock defers it), and fbcon takes over by itself when they do
 * (fbcon.c:fbcon_fb_registered): nothing to attach to is done, as is letting go of what is not there, or not
 * attached. */
int console_set(struct host *h, bool attached, uint64_t ms, uint64_t *ns, struct err *e) _must_check_;

/* Calls fn for the memory of every firmware framebuffer (/proc/iomem, for root): where it begins, and what
 * owns it ("BOOTFB", "efifb"...). */
typedef void (*console_memory_fn)(void *arg, uint64_t start, const char *name);
void console_each_memory(struct host *h, console_memory_fn fn, void *arg);

#endif
