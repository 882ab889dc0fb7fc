/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export - the log in the forms that others read, from a cursor on
 *
 * Process:  supervisor
 * Returns:  EXPORT_WHOLE, EXPORT_FINDINGS, -errno with words; -EPIPE: nobody reads any more
 * Limits:   AUDIT_RECORD_MAX a record, CURSOR_BYTES_MAX the cursor
 *
 * Each session's records come in the order of its file, session after session in the order in which the index has them.
 * The chain is looked at on the way: what is missing, altered or cut off there is a record of its own (export.damaged,
 * export.gap, export.missing) in the place where it should be, and EXPORT_FINDINGS.
 *
 * With a cursor and a file that the export itself writes, each record is in that file once, whatever kills the export:
 * the cursor holds how long the file was when it was written, and what lies behind that is cut off at the next start.
 * Into a pipe a record may come twice, never not at all: the cursor is written when the pipe has taken it.
 */
#pragma once
#include "audit/audit.h"

enum export_format { EXPORT_JSONL, EXPORT_SYSLOG, EXPORT_JOURNALD, EXPORT_CEF, EXPORT_OTLP, EXPORT_FORMAT_COUNT };

struct export_options {
	struct audit_filter filter;
	enum export_format format;
	bool octets;	    /* EXPORT_SYSLOG: octet counting (RFC 6587 section 3.4.1); else a newline ends a message */
	bool follow;	    /* wait for more until SIGINT or SIGTERM */
	const char *cursor; /* a path; NULL: from the beginning, and nothing is remembered */
	const char *output; /* a path; NULL: the stream */
};

enum export_outcome { EXPORT_WHOLE = 0, EXPORT_FINDINGS = 1 };

/* The words of --format, in the order of the enum. */
extern const char *const export_formats[EXPORT_FORMAT_COUNT];

int audit_export(int dirfd, const struct export_options *o, FILE *out, struct diag *d) _must_check_;
