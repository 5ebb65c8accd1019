// SPDX-License-Identifier: GPL-2.0-or-later
/* Output for programs, and the only file that knows json-c: see json.h and out.h. */
#include "out.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "text.h"

#define DOCUMENT_VERSION 1

struct json_object *json_root(struct json *j)
{
	if (j->root || j->failed)
		return j->root;
	j->root = json_object_new_object();
	j->failed = !j->root;
	json_add_number(j, j->root, "version", DOCUMENT_VERSION);
	return j->root;
}

/* Takes v over; NULL for v is a failed allocation. */
static struct json_object *put(struct json *j, struct json_object *in, const char *key, struct json_object *v)
{
	int r = -1;

	if (v && in && !j->failed)
		r = key ? json_object_object_add(in, key, v) : json_object_array_add(in, v);
	if (r == 0)
		return v;
	json_object_put(v);
	j->failed = true;
	return NULL;
}

struct json_object *json_add_object(struct json *j, struct json_object *in, const char *key)
{
	return put(j, in, key, json_object_new_object());
}

struct json_object *json_add_array(struct json *j, struct json_object *in, const char *key)
{
	return put(j, in, key, json_object_new_array());
}

struct json_object *json_need_array(struct json *j, struct json_object *in, const char *key)
{
	struct json_object *there = NULL;

	if (in && json_object_object_get_ex(in, key, &there))
		return there;
	return json_add_array(j, in, key);
}

void json_add_null(struct json *j, struct json_object *in, const char *key)
{
	int r = -1;

	/* To json-c null is no object, so put() could not tell it from a failure. */
	if (in && !j->failed)
		r = key ? json_object_object_add(in, key, NULL) : json_object_array_add(in, NULL);
	if (r < 0)
		j->failed = true;
}

static void add_bytes(struct json *j, struct json_object *in, const char *key, const char *text)
{
	struct str safe = STR_INIT;

	(void)text_clean(&safe, text);
	put(j, in, key, safe.failed ? NULL : json_object_new_string(safe.s));
	str_release(&safe);
}

void json_add_text(struct json *j, struct json_object *in, const char *key, const char *text)
{
	if (text)
		add_bytes(j, in, key, text);
	else
		json_add_null(j, in, key);
}

void json_add_bytes(struct json *j, struct json_object *in, const char *key, const char *bytes, size_t len)
{
	_cleanup_(str_release) struct str s = STR_INIT;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		char two[2] = { (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)) };

		(void)(c < 0x80 ? str_addn(&s, bytes + i, 1) : str_addn(&s, two, 2));
	}
	put(j, in, key, s.failed ? NULL : json_object_new_string_len(s.s, (int)s.len));
}

/* Bytes of the character at s that JSON may hold, or 0. */
static size_t utf8_length(const char *s, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
	uint32_t v = n > 1 ? c & (0xffu >> (n + 1)) : c;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | ((unsigned char)s[i] & 0x3f);
	}
	return v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? 0 : n;
}

void json_add_utf8(struct json *j, struct json_object *in, const char *key, const char *text, size_t len)
{
	_cleanup_(str_release) struct str s = STR_INIT;
	size_t n;

	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = utf8_length(text + i, len - i);
		(void)(n ? str_addn(&s, text + i, n) : str_add(&s, "\xef\xbf\xbd"));
	}
	put(j, in, key, s.failed ? NULL : json_object_new_string_len(s.s, (int)s.len));
}

void json_add_word(struct json *j, struct json_object *in, const char *key, const char *text)
{
	json_add_text(j, in, key, *text ? text : NULL);
}

void json_add_words(struct json *j, struct json_object *in, const char *key, const char *text)
{
	struct json_object *list = json_add_array(j, in, key);
	char copy[512], *cursor = copy, *word;

	if (str_copy(copy, sizeof(copy), text) < 0)
		return;
	while ((word = str_token(&cursor, " ")))
		json_add_text(j, list, NULL, word);
}

void json_add_number(struct json *j, struct json_object *in, const char *key, int64_t v)
{
	put(j, in, key, json_object_new_int64(v));
}

void json_add_count(struct json *j, struct json_object *in, const char *key, int64_t v)
{
	if (v >= 0)
		json_add_number(j, in, key, v);
	else
		json_add_null(j, in, key);
}

void json_add_id(struct json *j, struct json_object *in, const char *key, uint64_t v)
{
	if (v)
		json_add_number(j, in, key, (int64_t)v);
	else
		json_add_null(j, in, key);
}

void json_add_bool(struct json *j, struct json_object *in, const char *key, bool v)
{
	put(j, in, key, json_object_new_boolean(v));
}

void json_add_hex(struct json *j, struct json_object *in, const char *key, unsigned v, int digits)
{
	char text[16];

	snprintf(text, sizeof(text), "%0*x", digits, v);
	json_add_text(j, in, key, text);
}

void json_add_address(struct json *j, struct json_object *in, const char *key, struct bdf a)
{
	json_add_text(j, in, key, BDF_S(a));
}

void json_drop(struct json *j)
{
	json_object_put(j->root);
	j->root = NULL;
}

int json_write(struct json *j, FILE *to)
{
	struct json_object *root = json_root(j);
	const char *text = j->failed ? NULL : json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
									     JSON_C_TO_STRING_SPACED |
									     JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text)
		fprintf(to, "%s\n", text);
	else
		j->failed = true;
	json_drop(j);
	return j->failed ? -ENOMEM : 0;
}

/* --- the table --------------------------------------------------------------------------------- */

static void json_note(struct out *o, const char *text)
{
	json_add_text(&o->json, json_need_array(&o->json, json_root(&o->json), "notes"), NULL, text);
}

static void json_error(struct out *o, const struct err *e)
{
	struct json_object *error = json_add_object(&o->json, json_root(&o->json), "error");

	json_add_text(&o->json, error, "errno", strerrorname_np(e->code));
	json_add_text(&o->json, error, "message", e->msg);
}

static void json_finish(struct out *o)
{
	(void)json_need_array(&o->json, json_root(&o->json), "notes");
	(void)!json_write(&o->json, o->to);	/* remembered in o->json.failed */
}

#define OPERATION(name, type) .name = json_##name,

const struct out_ops out_json_ops = {
	RENDERINGS(OPERATION)
	.note = json_note,
	.error = json_error,
	.finish = json_finish,
};
