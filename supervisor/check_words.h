/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_words - what `stockade check` says beyond the question: mounts, what the digest binds, what it cannot
 *
 * Process:  supervisor
 * Returns:  heap JSON, NULL when memory ran out; strings in shown form
 */
#pragma once
#include <jansson.h>
#include "supervisor/effective.h"

/* One {"target", "what", "why"} a mount, in the order of mounting. */
json_t *check_mounts(const struct effective *e);
/* Sentences. */
json_t *check_binds(const struct effective *e);
json_t *check_cannot_bind(const struct effective *e);
