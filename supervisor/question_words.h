/* SPDX-License-Identifier: Apache-2.0 */
/*
 * question_words - what question, check and the difference share: words for dangers and kinds, text made fit to be
 * shown
 *
 * Process:  supervisor
 * Limits:   QUESTION_TEXT_MAX bytes a shown string
 */
#pragma once
#include <jansson.h>
#include "base/buf.h"
#include "supervisor/effective.h"

enum { QUESTION_TEXT_MAX = 8 << 20 };

struct question_danger {
	unsigned bit;	    /* enum effective_danger */
	const char *name;   /* in JSON */
	const char *words;  /* for a person */
	bool informational; /* named, but not put among what is dangerous */
};
extern const struct question_danger question_dangers[];
extern const size_t question_dangers_n;

struct question_kind {
	const char *name;  /* in JSON */
	const char *label; /* before the text */
};
extern const struct question_kind question_kinds[LINE_KIND_COUNT];

/* Appends text with passwords taken out of URLs ("https://user:***@host"). Only plain password characters are taken
 * out: nothing that a shell would act on can hide there. */
int question_redact(struct buf *b, const char *text) _must_check_;
/* Redacted and escaped, heap; NULL: out of memory. */
char *question_shown(const char *text);
/* The same as a JSON string; null for NULL. NULL: out of memory. */
json_t *question_shown_json(const char *text);
/* The command as a shell would take it: words redacted and quoted, heap. */
char *question_command(const struct strv *argv);
/* Where a line comes from, for a page that names the profile (or NULL) above: "line 12", "the default: seccomp",
 * "line 12 (limits.files); the default (limits.message)". Both in shown form. Heap; NULL: out of memory. */
char *question_origin(const char *profile, const char *where);
/* What was added and taken away between two canonical plans: an array of {"sign": "+" | "-" | "~", "text": ...}, shown
 * form. */
json_t *question_changes(const json_t *earlier, const json_t *now);
