/* SPDX-License-Identifier: Apache-2.0 */
/* reader - a place in a text, with its line: what the parsers of JSON and TOML share */
#pragma once
#include <stdbool.h>
#include "base/buf.h"
#include "inventory/node.h"

struct reader {
	const char *at, *end;
	unsigned line, depth;
	struct node_budget budget;
	struct diag *d;
};

int reader_fail(const struct reader *r, const char *words) _must_check_;
/* A node and its text, which it takes. */
int reader_add_text(
	struct reader *r, struct node *parent, char *key, char *text, unsigned line, struct node **ret) _must_check_;
/* Goes one level down: -EINVAL past NODE_DEPTH_MAX. Up again is depth--. */
int reader_enter(struct reader *r) _must_check_;
/* A character, or NUL at the end; a line feed is counted. */
char reader_next(struct reader *r);
static inline char reader_peek(const struct reader *r)
{
	return r->at < r->end ? *r->at : '\0';
}
bool reader_take(struct reader *r, const char *word);
/* What follows a backslash, in JSON and in TOML's basic strings: appended to b. */
int reader_escape(struct reader *r, struct buf *b) _must_check_;
/* The rest of a scalar without quotes: up to one of the characters of ends. */
int reader_word(struct reader *r, const char *ends, char **ret) _must_check_;
