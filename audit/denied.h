/* SPDX-License-Identifier: Apache-2.0 */
/*
 * denied - what was denied, one row a server and a thing, with the line of a profile that would grant it
 *
 * Process:  supervisor
 * Owns:     its rows; free with denied_free
 * Returns:  0, -errno
 * Limits:   DENIED_ROWS_MAX rows; what comes after is counted and said
 *
 * For a person's terminal only: a program that is denied is never told what would lift it. A row is as good as the log
 * that it is drawn from, and a line is an offer, not advice: names in it were chosen by the server or by its client.
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include "audit/line.h"

enum { DENIED_ROWS_MAX = 4096 };

struct denied;

int denied_new(struct denied **ret) _must_check_;
/* Counts the record in when it is a denial. */
int denied_add(struct denied *t, const struct line *l) _must_check_;
size_t denied_rows(const struct denied *t);
/* By server, then what was denied most often first. json: one object a row. */
int denied_print(struct denied *t, bool json, bool colour, FILE *out) _must_check_;
void denied_free(struct denied *t);
