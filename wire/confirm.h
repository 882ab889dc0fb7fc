/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confirm - calls that wait for a person: the shim has one, or has it no longer
 *
 * Process:  shim (sends, beside its events), supervisor (reads; answers with CONTROL_CONFIRMED or CONTROL_DECLINED)
 * Owns:     nothing; the arguments are borrowed
 * Limits:   CONFIRM_ARGS_MAX of arguments, CONFIRM_TOOL_MAX of a name: nothing is cut, what is larger is denied;
 *           CONFIRM_WAITING_MAX calls of a session at once
 */
#pragma once
#include <stdint.h>
#include "wire/codec.h"

enum {
	CONFIRM_ARGS_MAX = 64 << 10,
	CONFIRM_TOOL_MAX = 512,
	CONFIRM_RULE_MAX = 512,
	CONFIRM_BYTES_MAX = CONFIRM_ARGS_MAX + (4 << 10),
	CONFIRM_WAITING_MAX = 16,
	CONFIRM_WAIT_S = 50, /* SDKs give a call up after 60 s (mcp.md, section 2) */
};

enum confirm_type {
	CONFIRM_ASK,
	CONFIRM_WITHDRAW, /* the client cancelled it, its time is over: status says which */
	CONFIRM_TYPE_COUNT,
};

struct confirm {
	enum confirm_type type;
	uint64_t call_id;	     /* as in events */
	char tool[CONFIRM_TOOL_MAX]; /* the name as it is meant, not escaped */
	char rule[CONFIRM_RULE_MAX]; /* which rule demands it */
	char status[64];
	uint32_t args_len;
	const char *args; /* canonical JSON, whole: the arguments, or "[arguments,{others}]" where the call brings more
			   * than them; none: it brings none */
};

int confirm_encode(const struct confirm *c, struct wire_writer *w) _must_check_;
/* ret->args points into bytes. -EPROTO for anything out of form. */
int confirm_decode(const void *bytes, size_t n, struct confirm *ret) _must_check_;
