/* SPDX-License-Identifier: Apache-2.0 */
/*
 * question - an effective launch in words: the question before the first start, and `check`
 *
 * Process:  supervisor
 *
 * The whole command untruncated, shell-quoted, controls and bidirectional characters escaped; what is dangerous first
 * and marked; every grant; the plain warning; for a changed plan what was added and taken away since the earlier
 * approval.
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include "supervisor/effective.h"

struct question_options {
	bool colour;
	bool all;	       /* check: base view and what is bound, too */
	const json_t *earlier; /* canonical JSON of the earlier approval, or NULL */
	unsigned width;	       /* columns; the command itself is never cut, only wrapped by the terminal */
};

int question_print(FILE *out, const struct effective *e, const struct question_options *o) _must_check_;
/* The same facts for --json and for the pending file; every string in the form in which it is shown. "changes" is null
 * without an earlier approval. */
json_t *question_json(const struct effective *e, const json_t *earlier);
/* Prints what question_json gave. */
int question_render(FILE *out, const json_t *question, const struct question_options *o) _must_check_;
