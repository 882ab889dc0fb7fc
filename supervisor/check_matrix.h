/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_matrix - the permission matrix of `stockade check`: a row a tool
 *
 * Process:  supervisor
 * Returns:  JSON that is fit to be shown, NULL when out of memory
 * Limits:   a row for each pin, or for each rule of the profile; CHECK_OVERLAPS_MAX overlaps are named
 *
 * Where there are pins the rows are the pinned tools, with what the server said of each when it was pinned. Without,
 * they are the names in the profile's own rules: nobody knows which tools there will be.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include "supervisor/scope_grant.h"
#include "wire/definition.h"
#include "wire/shim_config.h"

enum { CHECK_OVERLAPS_MAX = 32 };

struct matrix_args {
	const struct shim_rules *tools;
	const struct meters *meters;
	const struct scopes *scopes;
	const struct definitions *pinned; /* with their fields, or NULL */
	uint32_t lifted;		  /* scopes that a grant lifts now */
};

json_t *check_matrix(const struct matrix_args *a);
void check_matrix_print(FILE *out, const json_t *matrix, bool pinned, bool colour);
/* Which names of tools stand in two scopes, or may: a call of such a tool needs both. An array of sentences, the last
 * of which says so where there are more. */
json_t *check_overlaps(const struct scopes *s);
/* What a definition's annotations make a tool need. */
enum scope_known check_says(const struct definition *tool);
/* What a grant lifts of the profile's scopes now; damaged ones lift nothing. -errno with words. */
int check_lifted(const struct paths *p, const char *server, const char *file, const struct scopes *s, uint32_t *ret,
	struct diag *d) _must_check_;
