/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim_config - what the shim enforces: rules with the words that name them
 *
 * Process:  supervisor (writes), shim (reads)
 * Owns:     all strings; free with shim_config_done
 * Limits:   SHIM_CONFIG_BYTES_MAX encoded; SHIM_LINE_DEFAULT and SHIM_LINE_MAX bytes a message
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/strv.h"
#include "wire/codec.h"

enum {
	SHIM_CONFIG_BYTES_MAX = 4 << 20,
	SHIM_LINE_DEFAULT = 8 << 20,
	SHIM_LINE_MAX = 10 << 20, /* a longer line closes the TypeScript peer (mcp.md, section 2) */
	SHIM_RULES_MAX = 4096,
};

/* Arguments in the log: names only, salted hash of the values too, or everything. */
enum shim_args { SHIM_ARGS_KEYS, SHIM_ARGS_HASH, SHIM_ARGS_FULL };

/* What a list of rules is about. Deny before allow; an empty list of allows with restrict unset allows all. */
enum shim_scope { SHIM_TOOLS, SHIM_RESOURCES, SHIM_PROMPTS, SHIM_EXTENSIONS, SHIM_SCOPE_COUNT };

struct shim_rule {
	bool allow;
	char *glob;  /* '*' is the only metacharacter (base/glob.h) */
	char *where; /* "profiles/github.json:40 (tools.deny \"delete_*\")" for messages and records */
};

struct shim_rules {
	bool restricted; /* an allow list was given: what no rule allows is denied */
	char *otherwise; /* the words for "no rule allows it": "profiles/github.json:38 (tools.allow)" */
	struct shim_rule *rules;
	size_t n;
};

struct shim_config {
	char *name;	     /* server's name for messages */
	uint32_t uid, gid;   /* started by root: the shim becomes these before anything else; never 0 */
	char *stderr_prefix; /* put before each of the server's stderr lines; never begins with "stockade" */
	uint64_t line_max;   /* bytes a message, <= SHIM_LINE_MAX */
	enum shim_args args;
	unsigned char salt[16]; /* of this session, for SHIM_ARGS_HASH */
	struct shim_rules scope[SHIM_SCOPE_COUNT];
	bool sampling; /* server -> client requests that the profile allows */
	bool elicitation;
	struct strv roots; /* canonical paths; answers to roots/list are filtered to them; none: to nothing */
};

int shim_config_encode(const struct shim_config *c, struct wire_writer *w) _must_check_;
int shim_config_decode(const void *bytes, size_t n, struct shim_config *ret) _must_check_;
void shim_config_done(struct shim_config *c);
/* The first deny that matches, else the first allow, else restricted ? NULL with *ret false : NULL with *ret true. */
const struct shim_rule *shim_rules_match(const struct shim_rules *r, const char *name, size_t len, bool *ret_allowed);
