/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_walk - the names below a granted directory, for protect and deny
 *
 * Process:  supervisor
 * Returns:  0, what visit returned (not 0), -errno; -E2BIG past TREE_ENTRIES_MAX entries or TREE_DEPTH_MAX levels
 *
 * Links are seen and not followed, other file systems below are entered: they are mounted with the grant. A directory
 * that we may neither read nor search is closed to the server too and passed over. One that can be searched, or made so
 * by its owner, holds names that we cannot know and the server can use: -EACCES.
 */
#pragma once
#include <stdbool.h>
#include "base/cleanup.h"
#include "supervisor/role.h"

enum { TREE_ENTRIES_MAX = 1000000, TREE_DEPTH_MAX = 128, TREE_PATH_MAX = 4096 };

enum tree_next { TREE_ENTER, TREE_SKIP };

/* relative: path below the root, without a leading slash; type: DT_*. */
typedef enum tree_next tree_visit_fn(void *arg, const char *relative, const char *name, unsigned char type);

int tree_walk(const char *root, tree_visit_fn *visit, void *arg) _must_check_;
