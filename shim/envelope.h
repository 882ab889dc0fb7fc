/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope - what sort of JSON-RPC message this is; its keys are exactly those of its sort (mcp.md section 3, rule 4)
 *
 * Process:  shim
 * Owns:     nothing; slices point into the canonical bytes of the json_doc
 * Returns:  ENVELOPE_*
 * Limits:   ENVELOPE_ID_MAX bytes an id and ENVELOPE_METHOD_MAX a method, as they are spelt in canonical form: both are
 *           kept for as long as a request has no answer
 */
#pragma once
#include "shim/role.h"
#include "shim/json.h"
#include "shim/walk.h"

enum { ENVELOPE_ID_MAX = 256, ENVELOPE_METHOD_MAX = 256 };

enum envelope_kind { ENVELOPE_REQUEST, ENVELOPE_NOTIFICATION, ENVELOPE_RESULT, ENVELOPE_ERROR };

/* X(enum, words) */
#define ENVELOPE_REFUSALS(X)                                                                                           \
	X(VERSION, "it does not say \"jsonrpc\": \"2.0\"")                                                             \
	X(KEYS, "its keys are not exactly those of a request, a notification or a response")                           \
	X(ID, "its id is neither a string nor an integer below 2^53")                                                  \
	X(METHOD, "its method is not a plain string of at most 256 bytes")                                             \
	X(PARAMS, "its params are not an object")                                                                      \
	X(ERROR_FORM, "its error is not an object")

enum envelope_refusal {
	ENVELOPE_OK,
#define X(name, text) ENVELOPE_BAD_##name,
	ENVELOPE_REFUSALS(X)
#undef X
		ENVELOPE_REFUSAL_COUNT
};

struct envelope {
	enum envelope_kind kind;
	struct slice id;     /* the lexeme, with the quotes of a string: "2" and 2 are two ids */
	struct slice method; /* inside of the string */
	struct slice params; /* the object, or empty */
	struct slice body;   /* result or error */
};

int envelope_read(const struct json_doc *d, struct envelope *ret) _must_check_;
const char *envelope_refusal_text(int refusal);
/* Is that canonical lexeme an id: a short string without halves of pairs, or an integer below 2^53 spelt the one way?
 */
bool envelope_is_id(struct slice lexeme);
