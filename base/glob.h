/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob - '*' matches any run of bytes, everything else itself, byte for byte
 *
 * Process:  any
 * Limits:   linear in pattern times text, no recursion
 *
 * No other metacharacter, no folding, no trimming: a tool named "Get_x" is not "get_x" (mcp.md, rule 5).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

bool glob_match(const char *pattern, const char *text, size_t text_len);
