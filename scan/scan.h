/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan - looks for what does not belong into a definition that a model will read: hidden text, orders, false names
 *
 * Process:  shim
 * Owns:     the memory of its work, made once; findings are in it until the next definition begins
 * Returns:  0, -errno
 * Limits:   SCAN_TEXT_MAX bytes of a text and SCAN_TOTAL_MAX of a definition are read, SCAN_TEXTS_MAX texts,
 *           SCAN_DEPTH_MAX values within one another; SCAN_FINDINGS_MAX findings are kept, one of each rule that
 *           fired among them, the rest counted. What is over a limit is a finding of its own (size.unread). Time is
 *           linear in the bytes.
 *
 * Text is judged as it is, and once more in the form that all its disguises have in common: small letters, without
 * accents and invisible characters, look-alikes replaced (profiles/scan/letters.txt), blanks collapsed. The rules are
 * data: profiles/scan/rules.json. A finding is a reason to look, not a proof.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cleanup.h"

enum {
	SCAN_TEXT_MAX = 64 << 10,
	SCAN_TOTAL_MAX = 1 << 20,
	SCAN_TEXTS_MAX = 16384,
	SCAN_DEPTH_MAX = 64,
	SCAN_FINDINGS_MAX = 64,
	SCAN_PATH_MAX = 160,
	SCAN_SHOWN_MAX = 128,
	SCAN_OTHERS_MAX = 8192,
};

enum scan_severity { SCAN_INFO, SCAN_LOW, SCAN_MEDIUM, SCAN_HIGH };
enum scan_kind { SCAN_TOOL, SCAN_PROMPT, SCAN_RESOURCE, SCAN_TEMPLATE, SCAN_INSTRUCTIONS };

struct scan_rule {
	const char *id; /* "order.secrecy" */
	enum scan_severity severity;
	const char *title; /* "tells the model to keep something from the user" */
};

struct scan_finding {
	const struct scan_rule *rule;
	char path[SCAN_PATH_MAX]; /* "inputSchema.properties.path.description", escaped and cut; "name" for the name */
	char shown[SCAN_SHOWN_MAX]; /* what was found, escaped and cut */
	uint32_t count;		    /* how often in that text */
};

struct scan_findings {
	struct scan_finding at[SCAN_FINDINGS_MAX];
	size_t n;
	uint64_t more;		  /* what found no place in the array */
	enum scan_severity worst; /* of all, SCAN_INFO when there are none */
};

struct scan;

/* NULL: out of memory. */
struct scan *scan_new(void) _must_check_;
void scan_free(struct scan *s);
/* From now on, names of other servers' tools: for names that imitate them and texts that give orders about them. They
 * are copied; of more than SCAN_OTHERS_MAX the first are taken. 0, -ENOMEM. */
int scan_set_others(struct scan *s, const char *const *names, size_t n) _must_check_;
/* This server has a tool of that name itself: texts that speak of it are about its own. A name stays a shadow. */
void scan_note_own(struct scan *s, const char *name, size_t n);

/* A definition as JSON text: an object of tools/list, prompts/list or resources/templates/list, or the string of
 * "instructions". Text that is not JSON is found (size.unread). The findings are valid until the next definition. */
const struct scan_findings *scan_definition(struct scan *s, enum scan_kind kind, const char *json, size_t n);

/* The same field by field, in UTF-8: begin, its name, its texts, end. A key of a schema (the name of a property) is a
 * text whose path ends in it. */
void scan_begin(struct scan *s, enum scan_kind kind);
void scan_name(struct scan *s, const char *name, size_t n);
void scan_text(struct scan *s, const char *path, const char *text, size_t n);
void scan_key(struct scan *s, const char *path, const char *key, size_t n);
const struct scan_findings *scan_end(struct scan *s);

const char *scan_severity_name(enum scan_severity v);
/* "low" and the like; false when it is no severity. */
bool scan_severity_parse(const char *name, enum scan_severity *ret);
/* The rules in the order of the data; NULL past the last. */
const struct scan_rule *scan_rule_at(size_t i);
