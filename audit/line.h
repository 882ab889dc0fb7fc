/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line - lines of a log file read back, as hostile as any file
 *
 * Process:  supervisor
 * Owns:     the parsed record and the reader's buffer; free with line_done, reader_done
 * Returns:  enum line_outcome, -errno
 * Limits:   AUDIT_RECORD_MAX a line; jansson's own 2048 levels
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include "audit/audit.h"
#include "audit/record.h"

enum line_outcome { LINE_OK = 0, LINE_BAD = 1 };

struct line {
	json_t *root;
	const char *session, *event; /* "" when absent */
	uint64_t seq, us;
	char prev[RECORD_HASH_HEX + 1], hash[RECORD_HASH_HEX + 1];
	bool hash_ok; /* the hash is that of the bytes */
};

/* A record: an object of version 1 with seq, ts, session, event and, at its end, prev and hash. */
int line_parse(const char *text, size_t n, struct line *ret) _must_check_;
/* A member that is a string, or "". */
const char *line_text(const struct line *l, const char *key);
/* A member that is a number above 0, or 0. */
uint64_t line_number(const struct line *l, const char *key);
void line_done(struct line *l);
#define _cleanup_line_ _cleanup_(line_done)

enum { READER_BYTES = 2 * AUDIT_RECORD_MAX };

struct reader {
	int fd;
	char *bytes; /* NULL until the first read */
	size_t start, end;
	uint64_t offset; /* in the file, of bytes[start] */
	uint64_t number; /* of the last line given, from 1 */
	bool skipping;	 /* in a line that is too long */
};

#define READER_INIT(descriptor) ((struct reader){ .fd = (descriptor) })

enum reader_outcome {
	READER_END = 0, /* so far: a writer may add more, and reader_next goes on */
	READER_LINE,
	READER_TOO_LONG, /* a line longer than AUDIT_RECORD_MAX was passed over */
};

/* The next whole line without its newline, borrowed until the next call. */
int reader_next(struct reader *r, const char **ret, size_t *ret_len) _must_check_;
/* After READER_END: what follows the last newline, borrowed. */
size_t reader_rest(const struct reader *r, const char **ret);
/* Frees the buffer and closes the descriptor. */
void reader_done(struct reader *r);
#define _cleanup_reader_ _cleanup_(reader_done)
/* Opens a log file for reading: a regular file, no link. The descriptor or -errno with words. */
int log_open_read(int dirfd, const char *name, struct diag *d) _must_check_;
