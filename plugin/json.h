/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json - building one JSON document, without the library's types.
 *
 * Everything hangs below json_root().  A failed allocation is remembered, the calls after it do
 * nothing, and json_write() reports it: nobody has to look in between.  `key` is NULL when `in` is
 * an array.  Text is made safe first (text_clean()), so a document is always valid UTF-8.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bdf.h"
#include "renderings.h"

struct json_object;		/* json-c's: out_json.c knows it */

struct json {
	struct json_object *root;
	bool failed;
};

struct json_object *json_root(struct json *j);
struct json_object *json_add_object(struct json *j, struct json_object *in, const char *key);
struct json_object *json_add_array(struct json *j, struct json_object *in, const char *key);
/* The array `key` of `in`, made when it is not there yet. */
struct json_object *json_need_array(struct json *j, struct json_object *in, const char *key);

void json_add_text(struct json *j, struct json_object *in, const char *key, const char *text);	/* NULL: null */
/* Bytes as they are, each as the character of its number: what Proxmox's own JSON has for a value. */
void json_add_bytes(struct json *j, struct json_object *in, const char *key, const char *bytes, size_t len);
/* UTF-8 that may hold anything: what is none becomes U+FFFD. */
void json_add_utf8(struct json *j, struct json_object *in, const char *key, const char *text, size_t len);
void json_add_word(struct json *j, struct json_object *in, const char *key, const char *text);	/* "": null */
void json_add_words(struct json *j, struct json_object *in, const char *key, const char *text);	/* array */
void json_add_number(struct json *j, struct json_object *in, const char *key, int64_t v);
void json_add_count(struct json *j, struct json_object *in, const char *key, int64_t v);	/* < 0: null */
void json_add_id(struct json *j, struct json_object *in, const char *key, uint64_t v);		/* 0: null */
void json_add_bool(struct json *j, struct json_object *in, const char *key, bool v);
void json_add_null(struct json *j, struct json_object *in, const char *key);
void json_add_hex(struct json *j, struct json_object *in, const char *key, unsigned v, int digits);
void json_add_address(struct json *j, struct json_object *in, const char *key, struct bdf a);

/* Frees the document.  -ENOMEM when it is not complete; then nothing was written. */
int json_write(struct json *j, FILE *to) _must_check_;
void json_drop(struct json *j);		/* frees it unwritten */

/* The renderings, one file per command. */
struct out;
#define JSON_FUNCTION(name, type) type; void json_##name(struct out *o, const type *r);
RENDERINGS(JSON_FUNCTION)
struct facts;
struct findings;
struct inuse;
void json_uses(struct json *j, struct json_object *in, const struct inuse *u, struct bdf a);	/* as "uses" */
void json_facts(struct json *j, struct json_object *in, const struct facts *f);		/* as "host" */
void json_findings(struct json *j, struct json_object *in, const struct findings *l);	/* as "findings" */

#endif
