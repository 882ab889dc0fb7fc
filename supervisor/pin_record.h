/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_record - that pins were made: by whom, in place of which, and what the scan had to say that a person accepted
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * The pin file has none of it, so that the same definitions are the same bytes; the log has it (pin.made). It is called
 * before the file is written: without a record there are no pins.
 */
#pragma once
#include "supervisor/pin_store.h"
#include "supervisor/record_alone.h"

/* a: who and of what. found: the same definitions with what the scan found. before: the pins that hold until now, NULL
 * for none. output: the file that they are written to, where they become nobody's pins here; else NULL. */
int pin_record(const struct record_alone_args *a, const struct pin_set *before, const struct pin_set *made,
	const struct definitions *found, const char *output, struct diag *d) _must_check_;
