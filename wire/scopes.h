/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scopes - what a tool needs and what a profile lets a server have: "read", "write", "destructive", and names of its
 * own
 *
 * Process:  supervisor (writes, as a section of the shim's config), shim (reads)
 * Owns:     all strings; free with scopes_done
 * Limits:   SCOPES_MAX scopes, SCOPES_GLOBS_MAX names of tools in all, SCOPES_NAME_MAX bytes a scope's name,
 *           SCOPES_TIME_MAX seconds a grant
 *
 * A tool needs every scope that names it. One that none names needs the strictest. What a server says of a tool (its
 * annotations) can add one of the three known scopes and take none away: it is the server's word. Other names stand
 * beside those three, and nothing but a profile's list leads to them.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "wire/codec.h"

enum {
	SCOPES_MAX = 16,
	SCOPES_GLOBS_MAX = 4096,
	SCOPES_NAME_MAX = 32,
	SCOPES_TIME_MAX = 86400,
	SCOPES_WORDS_MAX = 640
};

/* In the order of their strictness; they are there whether or not a profile lists tools under them. */
enum scope_known { SCOPE_READ, SCOPE_WRITE, SCOPE_DESTRUCTIVE, SCOPE_KNOWN };

struct scope {
	char *name;
	bool allowed; /* by the profile, always */
	char *lift;   /* a person may lift it for a while: the words for that rule; NULL: nobody may */
};

struct scope_glob {
	uint32_t scope; /* its index */
	char *glob;	/* of names of tools */
	char *where;	/* "profiles/github.json:40 (tools.scopes.write "create_*")" */
};

struct scopes {
	char *where; /* "profiles/github.json:38 (tools.scopes)"; NULL: there are none, and every tool is let be */
	char *allowed_where; /* the rule that says which are allowed */
	uint64_t lift_max_s; /* the longest grant */
	struct scope *v;     /* by enum scope_known, then the profile's own */
	size_t n;
	struct scope_glob *globs;
	size_t n_globs;
};

void scopes_put(struct wire_writer *w, const struct scopes *s);
/* Errors stick in the reader; what is there of *ret is the caller's to free in any case. */
void scopes_get(struct wire_reader *r, struct scopes *ret);
int scopes_copy(const struct scopes *from, struct scopes *ret) _must_check_;
void scopes_done(struct scopes *s);

/* [a-z][a-z0-9_-]*, at most SCOPES_NAME_MAX bytes. */
bool scopes_name_valid(const char *name);
/* Its index, or -ENOENT. */
int scopes_find(const struct scopes *s, const char *name) _must_check_;
/* Adds one, neither allowed nor to be lifted: its index, -E2BIG, -ENOMEM. */
int scopes_add(struct scopes *s, const char *name) _must_check_;
/* where is taken, even when it fails. -E2BIG, -ENOMEM. */
int scopes_add_glob(struct scopes *s, uint32_t scope, const char *glob, char *where) _must_check_;

/* Sets of scopes: bit i is v[i]. */
/* What the tool needs; says is what its server says of it, SCOPE_READ for nothing. */
uint32_t scopes_need(const struct scopes *s, const char *tool, size_t len, enum scope_known says);
uint32_t scopes_allowed(const struct scopes *s);
uint32_t scopes_liftable(const struct scopes *s);
/* The words of the first rule that puts the tool under that scope; NULL: none does. */
const char *scopes_rule(const struct scopes *s, const char *tool, size_t len, uint32_t scope);
/* The least of a set that is not empty. */
unsigned scopes_first(uint32_t set);
/* Why a tool needs the first of what it is missing (not empty): a list names the tool, none does, or by what its server
 * says of it. *ret_rule: the words for the rule. */
enum scopes_why { SCOPES_LISTED, SCOPES_UNLISTED, SCOPES_SAID };
enum scopes_why scopes_why(
	const struct scopes *s, const char *tool, size_t len, uint32_t missing, const char **ret_rule);
/* Their names, "read,write"; returns ret. */
const char *scopes_words(const struct scopes *s, uint32_t set, char *ret, size_t size);
