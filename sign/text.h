/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text - the lines of minisign's files: comments and base64, read exactly and written
 *
 * Process:  supervisor (inside sign/ alone)
 * Returns:  0, -EINVAL with "NAME, line N: ..."; -ENOMEM
 * Limits:   the caller's, a line
 */
#pragma once
#include "sign/minisign.h"

#define SIGN_UNTRUSTED "untrusted comment: "
#define SIGN_TRUSTED   "trusted comment: "

/* A text that is read line by line. */
struct sign_text {
	const char *p, *end;
	const char *name; /* of the whole, for words */
	unsigned line;	  /* of the last one taken, from 1 */
	struct diag *d;
};

/* "untrusted comment: ..." or another prefix, at most max bytes with it. *ret (may be NULL) is what follows, heap. */
int sign_take_comment(struct sign_text *t, const char *prefix, size_t max, char **ret) _must_check_;
/* A line of base64 that is exactly n bytes; what: "the signature". */
int sign_take_base64(struct sign_text *t, const char *what, void *ret, size_t n) _must_check_;
/* Nothing may follow. */
int sign_take_end(const struct sign_text *t) _must_check_;
/* -EINVAL with "NAME, line N: " before the words. */
int sign_text_fail(const struct sign_text *t, const char *fmt, ...) _printf_(2, 3) _must_check_;
/* One line of at most max bytes, without controls? */
bool sign_comment_valid(const char *comment, size_t max);
/* max: of the line, prefix and all. -EINVAL: it is longer, or no line. */
int sign_put_comment(struct buf *b, const char *prefix, size_t max, const char *comment) _must_check_;
int sign_put_base64(struct buf *b, const void *p, size_t n) _must_check_;
