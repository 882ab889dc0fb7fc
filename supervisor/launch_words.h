/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_words - a stage of enter and an errno become a sentence with the mend
 *
 * Process:  supervisor
 */
#pragma once
#include <stdbool.h>
#include "base/diag.h"
#include "wire/report.h"

/* Fills d; returns the exit status: 125, or 126 and 127 when the exec itself failed. */
int launch_words(const struct report *r, struct diag *d) _must_check_;
