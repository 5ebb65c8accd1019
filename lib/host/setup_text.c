// SPDX-License-Identifier: GPL-2.0-or-later
/* Surgery on lines: see setup_text.h. */
#include "setup_text.h"

#include <string.h>

/* Where the line begins and where the next one does; false when there is no such line. */
static bool find_line(const char *text, size_t len, unsigned line, size_t *start, size_t *end)
{
	size_t i = 0;
	unsigned n = 1;

	for (; n < line; n++) {
		const char *feed = memchr(text + i, '\n', len - i);

		if (!feed)
			return false;
		i = (size_t)(feed - text) + 1;
	}
	if (i >= len)
		return false;
	*start = i;
	for (; i < len; i++)
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\\'))
			break;
	*end = i < len ? i + 1 : i;
	return true;
}

static size_t cut(char *text, size_t len, size_t from, size_t to)
{
	memmove(text + from, text + to, len - to);
	text[len - (to - from)] = '\0';
	return len - (to - from);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_border(char c)
{
	return is_blank(c) || c == '"' || c == '\'' || c == '\n' || c == '\r' || c == '\\';
}

/* The word between start and end, with one of the blanks beside it. */
static bool find_word(const char *text, size_t start, size_t end, const char *word, size_t *from, size_t *to)
{
	size_t n = strlen(word);

	for (size_t i = start; i + n <= end; i++) {
		*from = i;
		*to = i + n;
		if (memcmp(text + i, word, n) != 0 || (i > start && !is_border(text[i - 1]) && text[i - 1] != '=') ||
		    (*to < end && !is_border(text[*to])))
			continue;
		if (i > start && is_blank(text[i - 1]))
			(*from)--;
		else if (*to < end && is_blank(text[*to]))
			(*to)++;
		return true;
	}
	return false;
}

size_t setup_cut_word(char *text, size_t len, unsigned line, const char *word)
{
	size_t start, end, from, to;

	while (*word && find_line(text, len, line, &start, &end) && find_word(text, start, end, word, &from, &to))
		len = cut(text, len, from, to);
	return len;
}

size_t setup_cut_line(char *text, size_t len, unsigned line)
{
	size_t start, end;

	return find_line(text, len, line, &start, &end) ? cut(text, len, start, end) : len;
}
