/* SPDX-License-Identifier: Apache-2.0 */
/*
 * definition - what a server says of itself to a model: tools, prompts, resource templates, instructions
 *
 * Process:  shim (writes, in listing mode), supervisor (reads and stores)
 * Owns:     all strings; free with definitions_done
 * Limits:   DEFINITIONS_MAX definitions, DEFINITION_BYTES_MAX canonical bytes of one, DEFINITION_FIELDS_MAX of its
 *           fields, DEFINITIONS_BYTES_MAX encoded; DEFINITION_NAME_MAX bytes of a name, DEFINITION_NAMES_MAX of all:
 *           each launch hands them to the shim
 *
 * The shim is the only parser of what a server wrote. What it hands over is flat: each scalar of a definition by its
 * path, so that the supervisor stores, compares and shows text and reads no JSON of a server's. Names, paths and values
 * are canonical JSON (shim/json.h): valid UTF-8, controls escaped.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "wire/codec.h"

enum {
	DEFINITIONS_MAX = 4096,
	DEFINITION_BYTES_MAX = 1 << 20,
	DEFINITION_NAME_MAX = 1024,
	DEFINITION_NAMES_MAX = 1 << 20,
	DEFINITION_FIELDS_MAX = 16384,
	DEFINITION_PATH_MAX = 2048,
	DEFINITIONS_BYTES_MAX = 24 << 20,
	DEFINITION_FINDINGS_MAX = 64,
	DEFINITION_DIGEST_BYTES = 32, /* BLAKE2s-256 */
};

enum definition_kind {
	DEFINITION_TOOL,
	DEFINITION_PROMPT,
	DEFINITION_TEMPLATE,	 /* its name is the uriTemplate */
	DEFINITION_INSTRUCTIONS, /* of the server; has no name */
	DEFINITION_KIND_COUNT,
};

struct definition_field {
	char *path;  /* "inputSchema/properties/path/type", "inputSchema/required[0]"; "" for a value that is no
			container */
	char *value; /* the lexeme: a string with its quotes, a number, true, false, null, {}, [] */
};

/* The scan's severities (scan/scan.h), which the supervisor does not link. */
enum definition_severity {
	DEFINITION_INFO,
	DEFINITION_LOW,
	DEFINITION_MEDIUM,
	DEFINITION_HIGH,
	DEFINITION_SEVERITY_COUNT,
};

/* What the scan found in it; our own words, or escaped. */
struct definition_finding {
	enum definition_severity severity;
	char *rule, *title, *path, *shown;
};

struct definition {
	enum definition_kind kind;
	char *name;				 /* inside of the canonical string; "" for instructions */
	uint8_t digest[DEFINITION_DIGEST_BYTES]; /* of the canonical bytes with sorted keys */
	struct definition_field *fields;	 /* in the order of the paths' keys */
	size_t n;
	struct definition_finding *findings;
	size_t n_findings;
};

struct definitions {
	char *failure;			   /* why there is no whole list, escaped; else NULL */
	char *server, *version, *protocol; /* as announced, escaped and cut; may be NULL */
	struct definition *v;
	size_t n;
};

int definitions_encode(const struct definitions *l, struct wire_writer *w) _must_check_;
int definitions_decode(const void *bytes, size_t n, struct definitions *ret) _must_check_;
/* Adds an empty one; -E2BIG past DEFINITIONS_MAX. *ret is valid until the next is added. */
int definitions_add(struct definitions *l, struct definition **ret) _must_check_;
/* The bytes that it takes encoded. */
size_t definition_size(const struct definition *d);
/* By kind, then name. */
int definition_compare(const struct definition *a, const struct definition *b);
void definitions_sort(struct definitions *l);
/* "tool", "prompt", "resource template", "instructions". */
const char *definition_kind_words(enum definition_kind k);
/* "low" and the like. */
const char *definition_severity_name(enum definition_severity v);
void definitions_done(struct definitions *l);
#define _cleanup_definitions_ _cleanup_(definitions_done)
