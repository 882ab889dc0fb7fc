/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state_json - what stockade itself wrote as one JSON value: entries, answers, sessions
 *
 * Process:  supervisor
 * Returns:  0, -errno of fs_read_trusted (base/fs.h); -EINVAL for what is not one JSON value, or has a key twice
 *
 * A file that a person writes is json_file's: it has lines, and words for each mistake.
 */
#pragma once
#include <jansson.h>
#include <sys/types.h>
#include "base/diag.h"
#include "supervisor/role.h"

/* A file of that directory that belongs to the user alone, of at most max bytes. *ret is the caller's, NULL on error;
 * d may be NULL. */
int state_json_read(int dir, const char *name, uid_t uid, size_t max, json_t **ret, struct diag *d) _must_check_;
