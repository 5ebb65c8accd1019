// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host sleeps for some seconds, and its slots lose their power meanwhile: see reset.h.
 *
 * Only suspend-to-RAM proper (ACPI S3, "deep") takes the power away; s2idle does not.  The clock wakes the host:
 * /sys/class/rtc/rtc0/wakealarm (drivers/rtc/sysfs.c:wakealarm_store, "+N" is from now) belongs to whoever has set it.
 * The write to /sys/power/state returns when the host is awake again (kernel/power/main.c:state_store), and
 * fails without having slept when a task cannot be frozen or a driver refuses.
 *
 * An alarm that comes before the host sleeps would wake nobody.  So the file systems are written out before it is
 * set, and the count of wakeup events, read before and written back after, lets the kernel refuse to sleep
 * once an event has come in between (drivers/base/power/wakeup.c:pm_wakeup_pending): the alarm is one
 * (drivers/rtc/interface.c:rtc_update_irq).  The read waits while an event is being worked on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"
#include "reset_int.h"
#include "str.h"

#define STATE "/sys/power/state"
#define MEM_SLEEP "/sys/power/mem_sleep"
#define WAKEUPS "/sys/power/wakeup_count"
#define ALARM "/sys/class/rtc/rtc0/wakealarm"
#define ASLEEP_S 8	/* what drains a card's capacitors */

/* "s2idle [deep]": is the word there, and is it the chosen one? */
static bool has_mode(struct host *h, const char *word, bool *ret_chosen, char *chosen, size_t size)
{
	char list[64], *cursor = list, *w;
	bool found = false;

	*ret_chosen = false;
	chosen[0] = '\0';
	if (host_read_line(h, MEM_SLEEP, list, sizeof(list)) < 0)
		return false;
	while ((w = str_token(&cursor, " "))) {
		bool marked = w[0] == '[';
		size_t n = strcspn(w + marked, "]");

		if (marked)
			snprintf(chosen, size, "%.*s", (int)n, w + 1);
		if (n == strlen(word) && strncmp(w + marked, word, n) == 0)
			found = true, *ret_chosen = marked;
	}
	return found;
}

static int can_sleep(struct host *h, struct err *e)
{
	char text[64];
	int r = host_read_line(h, STATE, text, sizeof(text));

	if (r < 0 || !strstr(text, "mem"))
		return err_set(e, ENOTTY, "this host cannot suspend to RAM (" STATE " offers no 'mem')");
	r = host_read_line(h, ALARM, text, sizeof(text));
	if (r < 0)
		return err_set(e, ENOTTY, "no clock can wake this host (" ALARM ": %s)", err_text(r));
	if (text[0])
		return err_set(e, EBUSY, "the clock's alarm is set already, to wake the host at %s: clear it with 'echo 0 >"
			       ALARM "'", text);
	return 0;
}

static int put(struct host *h, const char *path, const char *text, struct err *e)
{
	int r = host_write(h, path, text);

	return r < 0 ? err_set(e, -r, "cannot write '%s' to %s: %s", text, path, err_text(r)) : 0;
}

static int set_alarm(struct host *h, struct err *e)
{
	char text[24];
	int r;

	snprintf(text, sizeof(text), "+%d", ASLEEP_S);
	r = put(h, ALARM, text, e);
	if (r == 0 && (host_read_line(h, ALARM, text, sizeof(text)) < 0 || !text[0]))
		r = err_set(e, EIO, "the clock did not take the alarm (" ALARM "): the host would not wake up");
	return r;
}

/* "" where the kernel does not count. */
static int read_wakeups(struct host *h, char *buf, size_t size, struct err *e)
{
	int r = host_read_line(h, WAKEUPS, buf, size);

	if (r == -ENOENT)
		buf[0] = '\0';
	return r < 0 && r != -ENOENT ? err_set(e, -r, "cannot read " WAKEUPS ": %s", err_text(r)) : 0;
}

static int fall_asleep(struct host *h, const char *wakeups, struct err *e)
{
	int r = *wakeups ? host_write(h, WAKEUPS, wakeups) : 0;

	if (r < 0)
		return err_set(e, EBUSY, "the host did not suspend: something woke it while it was about to (" WAKEUPS
			       " is not %s any more: %s); try again", wakeups, err_text(r));
	r = host_write(h, STATE, "mem");
	return r < 0 ? err_set(e, -r, "the host did not suspend: %s%s", err_text(r), r == -EBUSY ? "; a task or a driver "
			       "refused, or something woke it, see the end of 'dmesg'" : "") : 0;
}

static int sleep_and_wake(struct reset_job *j, struct err *e)
{
	struct err ignored = ERR_INIT;
	char wakeups[24], left[24];
	uint64_t start;
	int r = read_wakeups(j->h, wakeups, sizeof(wakeups), e);

	if (r < 0)
		return r;
	if (j->h->real)
		sync();
	start = driver_clock();
	r = set_alarm(j->h, e);
	if (r == 0)
		r = fall_asleep(j->h, wakeups, e);
	*j->ns += driver_clock() - start;
	/* Woken by a key or a packet, or never asleep: the alarm is still to come. */
	if (host_read_line(j->h, ALARM, left, sizeof(left)) == 0 && left[0])
		(void)put(j->h, ALARM, "0", &ignored);
	return r;
}

int reset_suspend(struct reset_job *j, struct err *e)
{
	struct err back = ERR_INIT;
	char chosen[16];
	bool deep;
	int r = can_sleep(j->h, e), q = 0;

	if (r < 0)
		return r;
	if (!has_mode(j->h, "deep", &deep, chosen, sizeof(chosen)))
		return err_set(e, ENOTTY, "this host suspends without taking the power from its slots (" MEM_SLEEP
			       " offers no 'deep')");
	if (!deep)
		r = put(j->h, MEM_SLEEP, "deep", e);
	if (r == 0)
		r = sleep_and_wake(j, e);
	if (!deep && chosen[0])
		q = put(j->h, MEM_SLEEP, chosen, &back);
	if (r == 0 && q < 0)
		*e = back, r = q;
	return r;
}
