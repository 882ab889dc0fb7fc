/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy - may this request or notification pass, and which rule says so
 *
 * Process:  shim
 * Owns:     nothing; a decision points into the message, the config and static words
 */
#pragma once
#include "shim/role.h"
#include "shim/envelope.h"
#include "shim/methods.h"
#include "wire/shim_config.h"

enum policy_verdict {
	POLICY_ALLOW,
	POLICY_DENY,	  /* a rule says no */
	POLICY_PARKED,	  /* it waits for something, and is decided then */
	POLICY_MALFORMED, /* what the rule is about is missing, or has no single meaning */
};

struct decision {
	enum policy_verdict verdict;
	const char *what;     /* "tool", "resource", "prompt", "method" */
	struct slice subject; /* its name, as it is in the message */
	const char *rule;     /* words that name the rule; NULL when allowed by no rule in particular */
	const char *reason;   /* a clause, for words and records; NULL when the rule says it all */
	bool own;	      /* denied by the profile's own list, and by no ceiling above it */
	const char *would;    /* it passes, and this rule would deny it: this machine only observes; NULL: none would */
	const char *would_reason;
	size_t recorded;    /* how much of the reason the log gets, where the rest tells values; 0: all */
	int code;	    /* of an error (shim/answers.h); 0: ANSWER_DENIED */
	const char *advice; /* a sentence, for words: what to do about it; NULL: only a person can change it */
};

/* method NULL: none of the table's. room is for names that must be unescaped; -errno only when memory is out. */
int policy_decide(const struct shim_config *c, const struct method *method, const struct json_doc *d,
	const struct envelope *e, struct buf *room, struct decision *ret) _must_check_;
/* The rules of a scope on one name (the inside of a string): for lists. */
int policy_allows(const struct shim_rules *rules, struct slice inside, struct buf *room, bool *ret) _must_check_;
/* The name as its bytes are meant, in room where it has escapes; -E2BIG when it is longer than room may be, with or
 * without escapes. */
int policy_unescape(struct slice inside, struct buf *room, struct slice *ret) _must_check_;
/* The member of params, result or error, or an empty slice. */
struct slice message_get(const struct json_doc *d, const char *name);
