/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_show - definitions as a person reads them: every field, with its text as it is meant, made safe for a terminal
 *
 * Process:  supervisor
 * Returns:  0, -errno
 */
#pragma once
#include <jansson.h>
#include <stdio.h>
#include "supervisor/pin_listing.h"

enum { PIN_NAME_ROOM = 352 };

/* "tool 'echo'", "the instructions"; the name escaped, and one that is too long cut, with a digest that tells it from
 * others of the same beginning. PIN_NAME_ROOM bytes take all of it. */
void pin_show_name(const struct definition *f, char *ret, size_t size);
/* A lexeme as text for people: a string without its quotes, line ends and quotes as they are meant, all else that does
 * not stand for itself visible. */
int pin_show_text(const char *lexeme, struct buf *ret) _must_check_;
/* The name as a call writes it. */
json_t *pin_show_name_json(const struct definition *f);
/* The same as JSON; null for NULL, NULL when it cannot be made. */
json_t *pin_show_text_json(const char *lexeme);
/* Text of several lines, each but the first behind indent, and a line's end. */
void pin_show_lines(FILE *out, const char *text, const char *indent);
int pin_show_definition(FILE *out, const struct definition *f) _must_check_;
int pin_show_listing(FILE *out, const char *name, const struct pin_listing *l) _must_check_;
/* What the scan found, one line each; nothing when that is nothing. */
int pin_show_findings(FILE *out, const struct definitions *l) _must_check_;
json_t *pin_show_findings_json(const struct definitions *l);
/* Objects: kind, name, digest, fields (path to text), and the findings of each. */
json_t *pin_show_json(const struct pin_listing *l);
/* Without findings. */
json_t *pin_show_definition_json(const struct definition *f);
