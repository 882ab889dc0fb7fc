/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers - every JSON that the shim itself writes, and the words in it
 *
 * Process:  shim
 * Owns:     nothing; appends one message with its line feed to a buf
 *
 * A client may show these words to a model: they say what was denied, by which rule, and that a person can change it.
 * They never contain a command that would.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include "base/buf.h"
#include "shim/walk.h"

/* Outside of -32768..-32000, which JSON-RPC keeps for itself; -1 is what MCP uses for "the user said no". But a method
 * that there is not is one to every peer: by that code clients find out what they can do without. */
enum answer_code {
	ANSWER_NO_METHOD = -32601,
	ANSWER_REJECTED = -1,
	ANSWER_INVALID = -32602, /* what the protocol has for a mode or a field that the client does not offer */
	ANSWER_REFUSED = 4000,	 /* malformed or ambiguous */
	ANSWER_DENIED = 4030,
	ANSWER_BUSY = 4290,	  /* too many in flight */
	ANSWER_BAD_RESULT = 5020, /* the server's answer was refused */
	ANSWER_GONE = 5030,	  /* the server is gone */
};

enum { ANSWER_NAME_MAX = 160, ANSWER_TEXT_MAX = 2048 };

/* Appends a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
int answers_put_string(struct buf *b, const char *text, size_t n) _must_check_;
int answers_error(struct buf *b, struct slice id, int code, const char *text) _must_check_;
/* The result that a model gets to see (mcp.md section 2). */
int answers_tool_error(struct buf *b, struct slice id, const char *text, bool modern) _must_check_;
/* A result given as JSON. */
int answers_result(struct buf *b, struct slice id, const char *json) _must_check_;
/* A result, a request or a notification of our own, up to the members of its result or params; then they come, appended
 * by the caller, and the end of it with its line feed. */
int answers_begin_result(struct buf *b, struct slice id) _must_check_;
int answers_begin_request(struct buf *b, struct slice id, const char *method) _must_check_;
int answers_begin_notification(struct buf *b, const char *method) _must_check_;
int answers_end(struct buf *b) _must_check_;
/* A notification without params. */
int answers_notification(struct buf *b, const char *method) _must_check_;
/* One that says that a list has changed: to a subscription, or with an empty slice to whoever has had it. */
int answers_put_changed(struct buf *b, const char *method, struct slice subscription) _must_check_;
/* Foreign text made safe, cut to ANSWER_NAME_MAX, for use in words. */
const char *answers_name(struct slice text, char ret[ANSWER_NAME_MAX]);
