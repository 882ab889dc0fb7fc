/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_list - the profiles there are: name, file, what they are for, approved or not
 *
 * Process:  supervisor
 * Limits:   CHECK_LIST_MAX names
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include "base/diag.h"
#include "supervisor/bundle/bundle.h"
#include "supervisor/paths.h"

enum { CHECK_LIST_MAX = 4096 };

/* Of all directories and of the bundle, sorted, each once. */
int check_list_names(const struct paths *p, const struct bundle *b, struct strv *ret, struct diag *d) _must_check_;
/* names: only those, one a line, for completion. Returns the exit status, EXIT_FINDINGS when a file
 * cannot be used, or -errno with words. */
int check_list_print(FILE *out, const struct paths *p, bool names, bool json, struct diag *d) _must_check_;
/* The scopes of that profile that a person may lift here, one a line, for completion. 0, or -errno with words. */
int check_list_scopes(FILE *out, const struct paths *p, const char *name, struct diag *d) _must_check_;
