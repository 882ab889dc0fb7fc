/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_string - copies the inside of a JSON string in canonical form
 *
 * Process:  shim
 * Limits:   the caller gives room; JSON_STRING_SLACK bytes are asked for before each step
 */
#pragma once
#include "shim/role.h"
#include "shim/json.h"

enum { JSON_STRING_SLACK = 64 };

enum json_string_flags {
	JSON_STRING_LONE = 1 << 0,    /* has half a surrogate pair */
	JSON_STRING_NUL = 1 << 1,     /* has U+0000 */
	JSON_STRING_NONASCII = 1 << 2 /* the canonical bytes are not all ASCII */
};

/* Where the reader and the writer stand. */
struct json_cursor {
	const unsigned char *p, *end; /* input; *end is readable and below 0x20 */
	unsigned char *o, *o_end;     /* output */
	struct buf *out;	      /* what o points into */
};

/* Makes room for JSON_STRING_SLACK more bytes: 0, JSON_TOO_LONG, -ENOMEM. */
int json_cursor_grow(struct json_cursor *c) _must_check_;
/* From after the opening quote to after the closing one; writes the inside and the closing quote. */
int json_copy_string(struct json_cursor *c, unsigned *ret_flags) _must_check_;

static inline int json_cursor_room(struct json_cursor *c)
{
	return c->o_end - c->o >= JSON_STRING_SLACK ? 0 : json_cursor_grow(c);
}
