// SPDX-License-Identifier: GPL-2.0-or-later
/* What may stand behind a key's '=': see settings.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "settings.h"
#include "str.h"

static int bad_value(const struct settings_key *key, const char *value, const char *want, struct err *e)
{
	_cleanup_(str_release) struct str safe = STR_INIT;

	str_add_safe(&safe, value);
	return err_set(e, EINVAL, "%s = %s: the value must be %s", key->name, safe.s, want);
}

static int set_bool(const struct settings_key *key, const char *value, bool *to, struct err *e)
{
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return bad_value(key, value, "yes or no", e);
	*to = yes;
	return 0;
}

static int set_enum(const struct settings_key *key, const char *value, unsigned *to, struct err *e)
{
	_cleanup_(str_release) struct str want = STR_INIT;
	unsigned i;

	for (i = 0; key->words[i]; i++) {
		if (strcmp(key->words[i], value) == 0) {
			*to = i;
			return 0;
		}
		str_addf(&want, "%s%s", i ? ", " : "one of ", key->words[i]);
	}
	return bad_value(key, value, want.s, e);
}

static int set_seconds(const struct settings_key *key, const char *value, uint64_t *to, struct err *e)
{
	char want[80];
	uint64_t v;

	if (str_to_u64(value, 10, &v) < 0 || v < key->min || v > key->max) {
		snprintf(want, sizeof(want), "whole seconds from %u to %u", key->min, key->max);
		return bad_value(key, value, want, e);
	}
	*to = v * 1000;
	return 0;
}

/* An empty list is a value: it takes away what the host's file has. */
static int set_list(const struct settings_key *key, const char *value, struct settings_list *to,
		    struct err *e)
{
	struct settings_list list = { "", 0 };
	char copy[sizeof(list.text)], *cursor = copy, *word;
	size_t n = 0;

	if (str_copy(copy, sizeof(copy), value) < 0)
		return bad_value(key, value, "shorter", e);
	while ((word = str_token(&cursor, " \t,")))
		n += (size_t)snprintf(list.text + n, sizeof(list.text) - n, "%s%s", list.n++ ? " " : "", word);
	*to = list;
	return 0;
}

/* systemd.unit(5): the characters of a name. */
static bool is_unit(const char *word)
{
	return *word != '-' && strlen(word) < 90 &&
	       strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.@") == strlen(word);
}

/* What has no kind is a service, as for systemctl. */
static int set_services(const struct settings_key *key, const char *value, struct settings_list *to, struct err *e)
{
	static const char want[] = "refuse, auto, auto UNIT..., or stop UNIT...";
	struct settings_list list = { "", 0 };
	char copy[sizeof(list.text)], *cursor = copy, *word;
	size_t n = 0;

	if (str_copy(copy, sizeof(copy), value) < 0)
		return bad_value(key, value, "shorter", e);
	while ((word = str_token(&cursor, " \t,"))) {
		if (list.n == 0 && strcmp(word, "refuse") != 0 && strcmp(word, "auto") != 0 && strcmp(word, "stop") != 0)
			return bad_value(key, value, want, e);
		if (!is_unit(word))
			return bad_value(key, value, "made of names of units, such as ollama.service", e);
		n += (size_t)snprintf(list.text + n, sizeof(list.text) - n, "%s%s%s", list.n ? " " : "", word,
				      list.n == 0 || strchr(word, '.') ? "" : ".service");
		list.n++;
		if (n >= sizeof(list.text))
			return bad_value(key, value, "shorter", e);
	}
	/* 'stop' needs somebody, 'refuse' can have nobody, 'auto' may have some besides. */
	if (list.n == 0 || (strcmp(list.text, "stop") == 0) || (list.n > 1 && list.text[0] == 'r'))
		return bad_value(key, value, want, e);
	*to = list;
	return 0;
}

static int set_timed(const struct settings_key *key, const char *value, struct settings_timed *to, struct err *e)
{
	char copy[40], *cursor = copy, *word, *seconds, want[120];
	struct settings_timed v = { 0, 0 };
	uint64_t s = key->usual;
	int n = snprintf(want, sizeof(want), "%s or, with %u to %u seconds,", key->words[0], key->min, key->max);

	for (size_t i = 1; key->words[i]; i++)
		n += snprintf(want + n, sizeof(want) - (size_t)n, "%s %s", i > 1 ? "," : "", key->words[i]);
	if (str_copy(copy, sizeof(copy), value) < 0 || !(word = str_token(&cursor, " \t,")))
		return bad_value(key, value, want, e);
	while (key->words[v.word] && strcmp(key->words[v.word], word) != 0)
		v.word++;
	seconds = str_token(&cursor, " \t,");
	if (!key->words[v.word] || (v.word == 0 && seconds) || str_token(&cursor, " \t,") ||
	    (seconds && (str_to_u64(seconds, 10, &s) < 0 || s < key->min || s > key->max)))
		return bad_value(key, value, want, e);
	v.ms = v.word ? s * 1000 : 0;
	*to = v;
	return 0;
}

/* Whether it exists is found out when it is run. */
static int set_hook(const struct settings_key *key, const char *value, char *to, struct err *e)
{
	const char *slash = strchr(value, '/'), *colon = strchr(value, ':');

	if (*value && *value != '/' && (!colon || !slash || slash < colon))
		return bad_value(key, value, "a volume such as local:snippets/other.sh, or an absolute path", e);
	if (str_copy(to, SETTINGS_HOOK_SIZE, value) < 0)
		return bad_value(key, value, "shorter", e);
	return 0;
}

int settings_set(const struct settings_key *key, const char *value, void *values, struct err *e)
{
	void *to = (char *)values + key->offset;

	switch (key->type) {
	case SETTINGS_BOOL:
		return set_bool(key, value, to, e);
	case SETTINGS_ENUM:
		return set_enum(key, value, to, e);
	case SETTINGS_SECONDS:
		return set_seconds(key, value, to, e);
	case SETTINGS_LIST:
		return set_list(key, value, to, e);
	case SETTINGS_SERVICES:
		return set_services(key, value, to, e);
	case SETTINGS_TIMED:
		return set_timed(key, value, to, e);
	case SETTINGS_HOOK:
		return set_hook(key, value, to, e);
	}
	return err_set(e, EINVAL, "%s: there is no such type of value", key->name);
}
