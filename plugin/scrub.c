// SPDX-License-Identifier: GPL-2.0-or-later
/* What is not for everybody's eyes: see scrub.h. */
#include "scrub.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define HEX "[0-9A-Fa-f]"
#define HEX4 HEX HEX HEX HEX

static const struct {
	const char *expression, *replacement;
	bool word;		/* only where a word begins */
} rules[] = {
	{ HEX HEX "(:" HEX HEX ")(:" HEX HEX ")(:" HEX HEX ")(:" HEX HEX ")(:" HEX HEX ")", "00:00:00:00:00:00", false },
	{ HEX4 HEX4 "-" HEX4 "-" HEX4 "-" HEX4 "-" HEX4 HEX4 HEX4, "00000000-0000-0000-0000-000000000000", false },
	{ "([Ss]erial( [Nn]umber)?|SERIAL|[Ww][Ww][Nn]|[Ww]wid|S/N)[=: ]+[^ ,;\"'\n]+", "serial=removed", true },
	{ "([Pp]assword|[Pp]asswd|[Ss]ecret|[Tt]oken|[Kk]ey|[Ll]icen[cs]e|passphrase|PASSWORD|KEY|TOKEN)[=:][^ ,;\"'\n]+",
	  "secret=removed", true },
};

/* "pre-enrolled-keys=1" ends in keys=, which is no key; nor is a word of which the name is only the end. */
static bool is_own_word(const char *line, regoff_t at)
{
	return at == 0 || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", line[at - 1]);
}

static int apply(const regex_t *re, size_t rule, const char *line, struct str *s)
{
	regmatch_t m[1];
	const char *p = line;

	while (*p && regexec(re, p, 1, m, p == line ? 0 : REG_NOTBOL) == 0 && m[0].rm_eo > m[0].rm_so) {
		size_t from = (size_t)(p - line) + (size_t)m[0].rm_so;

		(void)str_addn(s, p, (size_t)m[0].rm_so);
		if (!rules[rule].word || is_own_word(line, (regoff_t)from))
			(void)str_add(s, rules[rule].replacement);
		else
			(void)str_addn(s, p + m[0].rm_so, (size_t)(m[0].rm_eo - m[0].rm_so));
		p += m[0].rm_eo;
	}
	return str_add(s, p);
}

static int scrub_all(const char *text, struct str *s)
{
	struct str now = STR_INIT, next = STR_INIT;
	int r = str_add(&now, text);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rules); i++) {
		regex_t re;
		struct str swap;

		if (regcomp(&re, rules[i].expression, REG_EXTENDED) != 0) {
			r = -ENOMEM;
			break;
		}
		str_clear(&next);
		r = apply(&re, i, now.s, &next);
		regfree(&re);
		swap = now;
		now = next;
		next = swap;
	}
	if (r == 0)
		r = str_add(s, now.s);
	str_release(&now);
	str_release(&next);
	return r;
}

int scrub_add(struct str *s, const char *text)
{
	return scrub_all(text, s);
}

int scrub_string(char **text)
{
	struct str s = STR_INIT;
	char *clean;

	if (!*text)
		return 0;
	if (scrub_add(&s, *text) < 0) {
		str_release(&s);
		return -ENOMEM;
	}
	clean = str_steal(&s);
	if (!clean)
		return -ENOMEM;
	free(*text);
	*text = clean;
	return 0;
}
