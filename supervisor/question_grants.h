/* SPDX-License-Identifier: Apache-2.0 */
/* question_grants - the part of the question that says what the server gets, and what both parts print with */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include "supervisor/question.h"

#define BOLD  "\033[1m"
#define RED   "\033[1;31m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

struct render {
	FILE *out;
	const struct question_options *o;
	unsigned width;
	int error;
};

/* Harmless, whatever the JSON holds. */
void render_put(struct render *r, const char *s);
const char *render_member(const json_t *object, const char *key);
const char *render_colour(const struct render *r, const char *code);
bool render_has_name(const json_t *names, const char *name);
bool render_is_dangerous(const json_t *names);
const char *render_label(const json_t *line);
/* Where something comes from, short where it is the profile of q. */
void render_origin(struct render *r, const json_t *q, const char *where);
void render_heading(struct render *r, const char *text);
/* Every line of the question: what is dangerous first and marked, notes last. */
void render_grants(struct render *r, const json_t *q);
