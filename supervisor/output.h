/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output - what several commands print in one and the same way: --json, and moments
 *
 * Process:  supervisor
 * Returns:  the exit status, with the sentence printed
 */
#pragma once
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include "base/cleanup.h"
#include "supervisor/role.h"

enum { OUTPUT_TIME_SIZE = 32 };

/* Indented, pure ASCII: no name in it can drive a terminal. Takes value; NULL: it could not be made, which is said with
 * what (a noun, "the list of sessions"). EXIT_OK or EXIT_REFUSED. That the stream took nothing is not said here:
 * command_main says it of stdout at the end, once. */
int output_json(FILE *out, json_t *value, const char *what) _must_check_;
/* RFC 3339 in UTC, to the second; "?" for what no calendar holds. Returns ret. */
const char *output_time(int64_t when, char ret[OUTPUT_TIME_SIZE]);
