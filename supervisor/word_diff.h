/* SPDX-License-Identifier: Apache-2.0 */
/*
 * word_diff - two texts in one, with what went and what came marked word by word
 *
 * Process:  supervisor
 * Returns:  0, -ENOMEM, -E2BIG
 * Limits:   WORD_DIFF_WORDS_MAX words that differ on a side; longer ones are shown as one change
 *
 * Marks: [-gone-]{+new+}, in colours where wanted. A mark that stands in a text has a backslash before it, so that none
 * can be forged. The texts are safe for a terminal already.
 */
#pragma once
#include <stdbool.h>
#include "base/buf.h"
#include "supervisor/role.h"

enum { WORD_DIFF_WORDS_MAX = 2000 };

int word_diff(const char *old, const char *new, bool colour, struct buf *ret) _must_check_;
