// SPDX-License-Identifier: GPL-2.0-or-later
/* Proxmox's list of which VM has which PCI function: see reservation.h. */
#include "reservation.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "running.h"
#include "str.h"

#define RESERVATION_FILE "/run/qemu-server/pci-id-reservations"
/* Ten thousand functions; Proxmox writes one short line for each. */
#define RESERVATION_FILE_MAX (512 * 1024)

static bool is_hex(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(p[i] >= '0' && p[i] <= '9') && !(p[i] >= 'a' && p[i] <= 'f'))
			return false;
	return n > 0;
}

/* [dddd+:]bb:dd[.f] in lower case: $PCIRE of QemuServer/PCI.pm. */
static bool is_address(const char *text)
{
	const char *first = strchr(text, ':');
	const char *second = first ? strchr(first + 1, ':') : NULL;

	if (second) {
		if (first - text < 4 || !is_hex(text, (size_t)(first - text)))
			return false;
		text = first + 1;
	}
	if (!is_hex(text, 2) || text[2] != ':' || !is_hex(text + 3, 2))
		return false;
	return !text[5] || (text[5] == '.' && is_hex(text + 6, 1) && !text[7]);
}

/* A number too large for us is far in the future for Perl: as large as we have. */
static int to_number(const char *text, uint64_t *ret)
{
	int r = str_to_u64(text, 10, ret);

	if (r == -ERANGE) {
		*ret = UINT64_MAX;
		return 0;
	}
	return r;
}

/* Three words with exactly one white space between them; 0 or -EINVAL. */
static int parse_line(char *line, struct reservation *ret)
{
	char *vmid = strpbrk(line, " \t"), *kind = vmid ? strpbrk(vmid + 1, " \t") : NULL;
	uint64_t id;

	if (!kind)
		return -EINVAL;
	*vmid++ = '\0';
	*kind++ = '\0';
	if (!is_address(line) || str_copy(ret->address, sizeof(ret->address), line) < 0)
		return -EINVAL;
	if (str_to_u64(vmid, 10, &id) < 0 || id > UINT_MAX)
		return -EINVAL;
	ret->vmid = (unsigned)id;
	if (str_starts(kind, "time:"))
		ret->kind = RESERVATION_TIME;
	else if (str_starts(kind, "pid:"))
		ret->kind = RESERVATION_PID;
	else
		return -EINVAL;
	return to_number(strchr(kind, ':') + 1, &ret->value);
}

/* Entries are parsed in file order; `value` of two equal addresses must not decide which is later. */
struct numbered {
	struct reservation r;
	size_t n;
};

static int by_address(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	int c = strcmp(x->r.address, y->r.address);

	return c ? c : (x->n > y->n) - (x->n < y->n);
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static size_t parse_all(char *text, size_t len, struct numbered *list)
{
	char *end = text + len, *line = text, *next;
	size_t n = 0;

	for (; line < end; line = next) {
		char *newline = memchr(line, '\n', (size_t)(end - line));

		next = newline ? newline + 1 : end;
		if (newline)
			*newline = '\0';
		/* A NUL byte inside would hide the rest of the line from the parser. */
		if (strlen(line) != (size_t)((newline ? newline : end) - line))
			continue;
		if (parse_line(line, &list[n].r) == 0) {
			list[n].n = n;
			n++;
		}
	}
	return n;
}

/* Sorted, of equal addresses only the last. */
static int collect(struct numbered *all, size_t n, struct reservations *ret)
{
	struct reservation *list = calloc(n ? n : 1, sizeof(*list));
	size_t kept = 0;

	if (!list)
		return -ENOMEM;
	qsort(all, n, sizeof(*all), by_address);
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || strcmp(all[i].r.address, all[i + 1].r.address) != 0)
			list[kept++] = all[i].r;
	*ret = (struct reservations){ list, kept };
	return 0;
}

int reservation_load(struct host *h, struct reservations *ret, struct err *e)
{
	struct numbered *all;
	char *text;
	size_t len;
	int r = host_read_file(h, RESERVATION_FILE, RESERVATION_FILE_MAX, &text, &len);

	if (r == -ENOENT) {
		*ret = (struct reservations)RESERVATIONS_INIT;
		return 0;
	}
	if (r < 0)
		return err_set(e, -r, "cannot read which VM has which device from '%s': %s",
			       RESERVATION_FILE, r == -EINVAL ? "it is no regular file" : err_text(r));
	all = calloc(count_lines(text, len), sizeof(*all));
	r = all ? collect(all, parse_all(text, len, all), ret) : -ENOMEM;
	free(all);
	free(text);
	return r < 0 ? err_nomem(e) : 0;
}

void reservation_release(struct reservations *r)
{
	free(r->list);
	*r = (struct reservations)RESERVATIONS_INIT;
}

bool reservation_covers(const struct reservation *r, struct bdf a)
{
	struct bdf b;
	bool whole;

	if (bdf_parse_user(r->address, &b, &whole) < 0)
		return false;
	return whole ? bdf_same_slot(a, b) : bdf_same(a, b);
}

int reservation_in_force(struct host *h, const struct reservation *r, uint64_t now_unix, struct err *e)
{
	int running;

	if (r->kind == RESERVATION_TIME)
		return r->value > now_unix;
	if (r->value == 0 || r->value > INT_MAX)
		return 0;
	running = running_is_vm(h, (pid_t)r->value, r->vmid, e);
	if (running < 0)
		return err_wrap(e, "%s is reserved for VM %u", r->address, r->vmid);
	return running;
}
