/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json - validates one message and writes it again in canonical form, in a single pass (RFC 8259, mcp.md section 3)
 *
 * Process:  shim
 * Owns:     the canonical bytes and the member list of a json_doc; free with json_doc_done
 * Returns:  0, -ENOMEM, or JSON_* (json_error_text() words it)
 * Limits:   JSON_DEPTH_MAX nested values, JSON_MEMBERS_MAX members of the message and of the objects directly in it,
 *           JSON_NUMBER_MAX bytes a number, JSON_COLLISIONS_MAX keys that differ by case alone, out_max bytes in all
 *
 * Canonical: no white space; keys in their order; numbers as they were spelt; strings with the value they had, written
 * raw but for quote, backslash, C0, DEL, C1, U+2028, U+2029 and lone surrogates, which are escapes in their short or
 * lower-case form. What this accepts is a subset of JSON: white space is the blank alone; no duplicate keys after
 * unescaping anywhere; keys hold no U+0000 and no lone surrogate; one object a message.
 *
 * The bytes after the message must be readable up to one that is below 0x20: the line feed, or the NUL of a buf.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "shim/json_keys.h"

enum {
	JSON_DEPTH_MAX = 60,
	JSON_MEMBERS_MAX = 4096,
	JSON_NUMBER_MAX = 1024,
	JSON_COLLISIONS_MAX = 8,
};

/* X(enum, words) */
#define JSON_ERRORS(X)                                                                                                 \
	X(EMPTY, "it is empty")                                                                                        \
	X(NOT_OBJECT, "it is not a JSON object (batches are not accepted)")                                            \
	X(SYNTAX, "it is not valid JSON")                                                                              \
	X(TRAILING, "something follows the JSON object")                                                               \
	X(DEPTH, "it is nested more than 60 deep")                                                                     \
	X(UTF8, "it is not valid UTF-8")                                                                               \
	X(CONTROL, "it holds a raw control character")                                                                 \
	X(ESCAPE, "it holds an invalid escape sequence")                                                               \
	X(NUMBER, "it holds an invalid number")                                                                        \
	X(KEY_TEXT, "a key holds U+0000 or half a surrogate pair")                                                     \
	X(DUPLICATE, "an object has the same key twice")                                                               \
	X(COLLISIONS, "too many keys differ by upper and lower case alone")                                            \
	X(MANY_KEYS, "an object has too many keys")                                                                    \
	X(TOO_LONG, "its canonical form is too long")

enum json_error {
	JSON_OK,
#define X(name, text) JSON_##name,
	JSON_ERRORS(X)
#undef X
		JSON_ERROR_COUNT
};

struct json_span {
	uint32_t at, len; /* in the canonical bytes */
};

/* A member of the message itself (parent -1) or of an object that is a member of it. */
struct json_member {
	struct json_span key; /* without the quotes */
	struct json_span value;
	int32_t parent;
};

struct json_doc {
	struct buf out; /* the canonical bytes */
	size_t out_max;
	struct json_member *members;
	uint32_t n_members, cap_members;
	uint32_t collisions[JSON_COLLISIONS_MAX]; /* where the later key of each pair is */
	uint32_t n_collisions;
	unsigned seen; /* enum json_string_flags of all strings together */
	struct json_keys keys;
};

void json_doc_init(struct json_doc *d, size_t out_max, uint64_t secret);
void json_doc_done(struct json_doc *d);
/* Gives memory back after a large message. */
void json_doc_trim(struct json_doc *d);
/* Replaces what the doc held. */
int json_parse(struct json_doc *d, const char *p, size_t n) _must_check_;
const char *json_error_text(int error);

static inline const char *json_at(const struct json_doc *d, struct json_span s)
{
	return d->out.data + s.at;
}
