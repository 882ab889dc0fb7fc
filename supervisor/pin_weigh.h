/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_weigh - what the change of one field of a definition means
 *
 * Process:  supervisor
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "supervisor/role.h"

struct pin_weight {
	bool matters;
	const char *words;
};

/* old and new are lexemes, NULL for what is not there. */
struct pin_weight pin_weigh(const char *path, const char *old, const char *new);
/* Below "not", "if", "oneOf", "contains" a narrower schema can make what holds it wider. */
bool pin_is_turned(const char *path);
/* Where elements of an array are a set (required, enum, type): the length of the path without the index; else 0. */
size_t pin_set_path(const char *path);
