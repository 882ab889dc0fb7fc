/* SPDX-License-Identifier: Apache-2.0 */
/*
 * denied_line - which line of a profile stands between a denied thing and its grant
 *
 * Process:  supervisor
 * Owns:     what it returns; free with denied_line_done
 */
#pragma once
#include <jansson.h>
#include "audit/line.h"

enum denied_kind { DENIED_HOST, DENIED_TOOL, DENIED_RESOURCE, DENIED_PROMPT, DENIED_METHOD, DENIED_KIND_COUNT };

struct denied_line {
	enum denied_kind kind;
	char *thing;	  /* as recorded: a name, an address, a tool; "" when the record stands for several */
	uint64_t port;	  /* 0: none */
	const char *key;  /* "network.allow", or NULL: no line would grant it */
	json_t *value;	  /* what to put there; with remove: NULL */
	bool remove;	  /* the rule is the line to take away */
	const char *note; /* what else there is to know, or NULL */
};

/* 1 when the record is a denial, 0 when not, -errno. */
int denied_line_of(const struct line *l, struct denied_line *ret) _must_check_;
void denied_line_done(struct denied_line *d);
#define _cleanup_denied_line_ _cleanup_(denied_line_done)
