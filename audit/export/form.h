/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form - one record in the form of a standard; a file a form
 *
 * Process:  supervisor
 * Owns:     nothing; the bytes go into the caller's buffer
 * Returns:  0, or what buf_append returns
 *
 * Each member of the record but `v` gets into each form, those too that this version does not know. What a server or
 * a client chose is only ever a value, and escaped as the form says; where the form has no escape for a control or a
 * deceptive character, it is written as `audit show` writes it (text_escape), which can be undone.
 */
#pragma once
#include "audit/export/export.h"
#include "audit/export/severity.h"
#include "audit/line.h"
#include "base/buf.h"

enum { FORM_RECORD_MAX = 1 << 20 }; /* of a record of at most AUDIT_RECORD_MAX; each form less than 16 times as long */

/* RFC 5424 section 6.2.1: "log audit". */
enum { FORM_FACILITY = 13 };

struct form_record {
	const struct line *line;
	const char *text; /* the line as it is in the log, without its newline */
	size_t len;
	enum severity severity;
	const char *words; /* the sentence for a person, escaped */
};

struct form {
	const char *name;
	int (*put)(const struct form_record *r, struct buf *b);
};

int form_jsonl(const struct form_record *r, struct buf *b) _must_check_;
int form_rfc5424(const struct form_record *r, struct buf *b) _must_check_;
int form_journald(const struct form_record *r, struct buf *b) _must_check_;
int form_cef(const struct form_record *r, struct buf *b) _must_check_;
int form_otlp(const struct form_record *r, struct buf *b) _must_check_;

/* The record's sentence: server, event, what it is about, decision, and why. */
int form_words(const struct line *l, struct buf *b) _must_check_;
/* A member's value as text: a string's own bytes, anything else as JSON. */
int form_value(const json_t *v, struct buf *b) _must_check_;
/* The bytes with a backslash before each one of special. */
int form_special(const char *p, size_t n, const char *special, struct buf *b) _must_check_;
/* A member's value: what text_escape makes of it for the flags, then form_special. */
int form_escape(const json_t *v, unsigned text_flags, const char *special, struct buf *b) _must_check_;
