/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_file - a JSON file that a person wrote, with the line of every value
 *
 * Process:  supervisor
 * Owns:     the document and the lines; free with json_file_done
 * Returns:  0, -errno; -EINVAL with "FILE:LINE: ..." for what is not JSON as we read it
 * Limits:   JSON_FILE_DEPTH_MAX nested values
 *
 * jansson keeps no lines, so once it has accepted the bytes a small scanner goes over them beside the document and
 * notes where each member begins. A member is named by what holds it and its place there, in the order of the file.
 */
#pragma once
#include <jansson.h>
#include <stddef.h>
#include "base/diag.h"
#include "supervisor/role.h"

enum { JSON_FILE_DEPTH_MAX = 32 };

struct json_place {
	const json_t *parent; /* array or object; NULL for the document */
	size_t index;
	unsigned line;
};

struct json_file {
	const char *name; /* borrowed: for messages */
	json_t *root;
	struct json_place *places; /* sorted by parent, then index */
	size_t n_places;
};

/* UTF-8 without BOM or NUL, one value, no key twice in an object. name must outlive ret. */
int json_file_parse(const char *name, const char *bytes, size_t n, struct json_file *ret, struct diag *d) _must_check_;
/* The line of the index-th member of parent (an object's member: the line of its key); 0 when there is none. */
unsigned json_file_line(const struct json_file *f, const json_t *parent, size_t index);
/* The line of the member called key; 0 when there is none. */
unsigned json_file_key_line(const struct json_file *f, const json_t *object, const char *key);
/* "a string", "a list": the words for messages. */
const char *json_file_type(const json_t *v);
void json_file_done(struct json_file *f);
#define _cleanup_json_file_ _cleanup_(json_file_done)
