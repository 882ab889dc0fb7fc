/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strv - a NULL-terminated vector of heap strings, the form of argv and envp
 *
 * Process:  any
 * Owns:     vector and strings; free with strv_done
 * Returns:  0, -ENOMEM, -E2BIG
 * Limits:   STRV_MAX strings
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/cleanup.h"

enum { STRV_MAX = 65536 };

struct strv {
	char **v; /* NULL while empty */
	size_t n;
};

int strv_add(struct strv *s, const char *str) _must_check_;
/* Takes ownership of a heap string, even when it fails. */
int strv_add_take(struct strv *s, char *str) _must_check_;
int strv_addf(struct strv *s, const char *fmt, ...) _printf_(2, 3) _must_check_;
int strv_extend(struct strv *s, char *const *v, size_t n) _must_check_;
bool strv_contains(const struct strv *s, const char *str);
/* The value of NAME in a vector of NAME=VALUE, or NULL. */
const char *strv_env_get(const struct strv *s, const char *name);
/* Replaces or adds NAME=VALUE. */
int strv_env_set(struct strv *s, const char *name, const char *value) _must_check_;
void strv_sort(struct strv *s);
void strv_done(struct strv *s);
#define _cleanup_strv_ _cleanup_(strv_done)
