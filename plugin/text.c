// SPDX-License-Identifier: GPL-2.0-or-later
/* Safe words, aligned columns, wrapped sentences: see text.h. */
#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "out.h"

int text_clean(struct str *s, const char *text)
{
	char piece[128];

	while (*text) {
		size_t n = *text == '\\' ? 1 : strcspn(text, "\\");
		int r;

		/* Cut between characters: a sequence split in two would no longer be valid. */
		if (n >= sizeof(piece)) {
			n = sizeof(piece) - 1;
			while (n > sizeof(piece) - 5 && ((unsigned char)text[n] & 0xc0) == 0x80)
				n--;
		}
		memcpy(piece, text, n);
		piece[n] = '\0';
		r = *text == '\\' ? str_add(s, piece) : str_add_safe(s, piece);
		if (r < 0)
			return r;
		text += n;
	}
	return 0;
}

size_t text_columns(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static const char *tone_begin(const struct out *o, enum tone tone)
{
	if (!o->colour)
		return "";
	switch (tone) {
	case TONE_PLAIN: return "";
	case TONE_HEAD: return "\033[1m";
	case TONE_FAINT: return "\033[2m";
	case TONE_GOOD: return "\033[32m";
	case TONE_BAD: return "\033[1;31m";
	}
	return "";
}

static const char *tone_end(const struct out *o, enum tone tone)
{
	return o->colour && tone != TONE_PLAIN ? "\033[0m" : "";
}

/* The formatted text, made safe; the caller releases it. */
static struct str format(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
static struct str format(const char *fmt, va_list ap)
{
	struct str safe = STR_INIT;
	char *raw = NULL;

	if (vasprintf(&raw, fmt, ap) < 0)
		return safe;
	(void)text_clean(&safe, raw);
	free(raw);
	return safe;
}

void text_put(struct out *o, enum tone tone, const char *fmt, ...)
{
	struct str text;
	va_list ap;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	fprintf(o->to, "%s%s%s", tone_begin(o, tone), text.s, tone_end(o, tone));
	str_release(&text);
}

void text_wrap(struct out *o, enum tone tone, size_t at, size_t indent, const char *fmt, ...)
{
	struct str text;
	char *cursor, *word;
	bool first = true;
	va_list ap;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	cursor = text.s;
	fputs(tone_begin(o, tone), o->to);
	while ((word = str_token(&cursor, " "))) {
		size_t n = text_columns(word);

		if (!first && at + 1 + n > TEXT_WIDTH) {
			fprintf(o->to, "\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		fprintf(o->to, "%s%s", first ? "" : " ", word);
		at += n + !first;
		first = false;
	}
	fprintf(o->to, "%s\n", tone_end(o, tone));
	str_release(&text);
}

/* --- tables ------------------------------------------------------------------------------------ */

void table_row(struct table *t)
{
	if (array_room(&t->rows, t->n, &t->size, sizeof(*t->rows)) < 0) {
		t->failed = true;
		return;
	}
	t->rows[t->n].n = 0;
	t->n++;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	struct row *row = t->n ? &t->rows[t->n - 1] : NULL;
	size_t width;
	va_list ap;

	if (t->failed || !row || row->n == TEXT_CELLS)
		return;
	va_start(ap, fmt);
	row->cell[row->n] = format(fmt, ap);
	va_end(ap);
	width = text_columns(row->cell[row->n].s);
	if (width > t->width[row->n])
		t->width[row->n] = width;
	row->n++;
}

void table_print_row(struct table *t, struct out *o, size_t row, size_t indent)
{
	const struct row *r = &t->rows[row];

	fprintf(o->to, "%*s", (int)indent, "");
	for (size_t i = 0; i < r->n; i++) {
		size_t pad = t->width[i] - text_columns(r->cell[i].s) + 2;

		fprintf(o->to, "%s%*s", r->cell[i].s, i + 1 < r->n ? (int)pad : 0, "");
	}
	fputc('\n', o->to);
}

void table_release(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->rows[i].n; k++)
			str_release(&t->rows[i].cell[k]);
	free(t->rows);
	*t = (struct table)TABLE_INIT;
}

/* --- words ------------------------------------------------------------------------------------- */

struct text_age text_age(uint64_t s)
{
	struct text_age t;
	unsigned long long m = s / 60, h = m / 60;

	if (s < 60)
		snprintf(t.s, sizeof(t.s), "%llu s", (unsigned long long)s);
	else if (m < 60)
		snprintf(t.s, sizeof(t.s), "%llu min", m);
	else if (h < 48)
		snprintf(t.s, sizeof(t.s), "%llu h %llu min", h, m % 60);
	else
		snprintf(t.s, sizeof(t.s), "%llu d %llu h", h / 24, h % 24);
	return t;
}

struct text_count text_count(const struct plan *p)
{
	struct text_count t;
	size_t slots = 0;

	for (size_t i = 0; i < p->n_devices; i++)
		slots += i == 0 || !bdf_same_slot(p->devices[i].bdf, p->devices[i - 1].bdf);
	snprintf(t.s, sizeof(t.s), "%zu function%s of %zu device%s", p->n_devices, p->n_devices == 1 ? "" : "s",
		 slots, slots == 1 ? "" : "s");
	return t;
}
