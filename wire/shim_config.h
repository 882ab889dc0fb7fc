/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim_config - what the shim enforces: rules with the words that name them
 *
 * Process:  supervisor (writes), shim (reads)
 * Owns:     all strings; free with shim_config_done
 * Limits:   SHIM_CONFIG_BYTES_MAX encoded; SHIM_LINE_DEFAULT and SHIM_LINE_MAX bytes a message; DEFINITIONS_MAX pins;
 *           SHIM_OTHERS_MAX names of other servers' tools, SHIM_OTHERS_BYTES_MAX bytes of them
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/strv.h"
#include "wire/codec.h"
#include "wire/definition.h"
#include "wire/meters.h"
#include "wire/shim_client.h"
#include "wire/scopes.h"
#include "wire/shim_text.h"

enum {
	SHIM_CONFIG_BYTES_MAX = 4 << 20,
	SHIM_LINE_DEFAULT = 8 << 20,
	SHIM_LINE_MAX = 10 << 20, /* a longer line closes the TypeScript peer (mcp.md, section 2) */
	SHIM_RULES_MAX = 4096,
	SHIM_CEILINGS_MAX = 4, /* lists above a list */
	SHIM_ARGUMENTS_MAX = 1024,
	SHIM_OTHERS_MAX = 4096,
	SHIM_OTHERS_BYTES_MAX = 256 << 10,
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
	struct shim_rules
		*ceiling; /* a list that must let a name through as well: of the machine's policy; NULL: none */
};

/* What a list and its ceilings say of a name. */
struct shim_judgement {
	bool allowed;
	bool by_ceiling;	      /* it is a ceiling that denies */
	const struct shim_rule *rule; /* that decides; NULL: none names it */
	const char *where; /* its words, or those of the list that has none for the name; NULL: none has any */
};

/* A definition as a person approved it. What has no pin of its kind and name is unknown. */
struct shim_pin {
	enum definition_kind kind;
	char *name; /* inside of the canonical string; "" for instructions */
	uint8_t digest[DEFINITION_DIGEST_BYTES];
};

struct shim_pins {
	bool on;
	char *where;	    /* names them in messages and records: "the pins of 'github'" */
	struct shim_pin *v; /* by kind, then name */
	size_t n;
};

/* What a profile demands of the arguments of calls, besides what each tool's own schema says. */
struct shim_argument_rule {
	char *glob;   /* of the names of tools */
	char *schema; /* a JSON Schema that the arguments must fit; NULL: none */
	char *where;  /* "profiles/github.json:40 (tools.allow \"create_issue\" arguments)" */
	bool strict;  /* the tool's own schema closes its objects */
};

/* All rules whose glob matches hold, in their order. */
struct shim_arguments {
	char *strict; /* of all tools: the words for that rule; NULL: not */
	struct shim_argument_rule *rules;
	size_t n;
};

/* What follows from a finding of severity high in a definition of a list (scan/scan.h). */
struct shim_scan {
	char *withhold;	    /* the rule's words: it is withheld; NULL: nothing, it is recorded */
	struct strv others; /* names of the tools of the user's other servers, which none may imitate */
};

struct shim_config {
	char *name;		   /* server's name for messages */
	uint32_t uid, gid;	   /* started by root: the shim becomes these before anything else; never 0 */
	char *stderr_prefix;	   /* put before each of the server's stderr lines; never begins with "stockade" */
	uint64_t line_max;	   /* bytes a message, <= SHIM_LINE_MAX */
	uint64_t server_line_max;  /* of the server's, where it has another limit than the client; 0: it has not */
	uint64_t observe_until_us; /* CLOCK_BOOTTIME; until then what the profile's own rules on tools deny passes, and
				    * is recorded as what would be denied. What a ceiling denies is denied */
	enum shim_args args;
	unsigned char salt[16]; /* of this session, for SHIM_ARGS_HASH */
	struct shim_rules scope[SHIM_SCOPE_COUNT];
	struct shim_client client;
	bool listing; /* there is no client: ask the server for all that it defines, hand that over and end */
	struct shim_pins pins;
	struct meters meters;
	struct scopes scopes;
	struct strv roots; /* canonical paths; answers to roots/list are filtered to them; none: to nothing */
	struct shim_arguments arguments;
	struct shim_scan scan;
	struct shim_text text;
};

int shim_config_encode(const struct shim_config *c, struct wire_writer *w) _must_check_;
int shim_config_decode(const void *bytes, size_t n, struct shim_config *ret) _must_check_;
void shim_config_done(struct shim_config *c);
void shim_arguments_done(struct shim_arguments *a);
/* The next rule, from *at on, that is about that tool, and *at behind it; NULL: none. */
const struct shim_argument_rule *shim_arguments_next(
	const struct shim_arguments *a, const char *tool, size_t len, size_t *at);
/* Who closes the objects of that tool's own schema: the words for the rule; NULL: nobody. */
const char *shim_arguments_strict(const struct shim_arguments *a, const char *tool, size_t len);
/* The first deny that matches, else the first allow, else restricted ? NULL with *ret false : NULL with *ret true. */
const struct shim_rule *shim_rules_match(const struct shim_rules *r, const char *name, size_t len, bool *ret_allowed);
/* The ceilings first, then the list itself: the first that denies, else what the list says. */
struct shim_judgement shim_rules_judge(const struct shim_rules *r, const char *name, size_t len);
int shim_rules_copy(const struct shim_rules *from, struct shim_rules *ret) _must_check_;
void shim_rules_done(struct shim_rules *r);
/* How the pin is ordered to that kind and name: below, at or above 0. */
int shim_pin_compare(const struct shim_pin *p, enum definition_kind kind, const char *name, size_t len);
/* NULL: there is none. */
const struct shim_pin *shim_pins_find(
	const struct shim_pins *p, enum definition_kind kind, const char *name, size_t len);
