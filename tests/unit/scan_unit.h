/* SPDX-License-Identifier: Apache-2.0 */
/* scan_unit - definitions as jansson has them, scanned; findings by rule */
#pragma once
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "scan/scan.h"
#include "tests/unit/unit.h"

static inline json_t *read_json(const char *path)
{
	json_error_t e;
	json_t *j = json_load_file(path, JSON_ALLOW_NUL, &e);

	if (!j)
		fail_msg("%s:%d: %s", path, e.line, e.text);
	return j;
}

static inline enum scan_kind kind_of(const char *name)
{
	static const char *const kinds[] = { "tool", "prompt", "resource", "template", "instructions" };

	for (size_t i = 0; name && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], name) == 0)
			return (enum scan_kind)i;
	return SCAN_TOOL;
}

/* Names of other servers' tools, from an array of strings or from nothing. */
static inline void set_others(struct scan *s, const json_t *names)
{
	const char *others[SCAN_OTHERS_MAX];
	size_t n = json_array_size(names);

	assert_true(n <= SCAN_OTHERS_MAX);
	for (size_t i = 0; i < n; i++)
		others[i] = json_string_value(json_array_get(names, i));
	assert_int_equal(scan_set_others(s, others, n), 0);
}

static inline const struct scan_findings *scan_json(struct scan *s, enum scan_kind kind, const json_t *definition)
{
	char *text = json_dumps(definition, JSON_ENCODE_ANY | JSON_COMPACT);
	const struct scan_findings *f;

	assert_non_null(text);
	f = scan_definition(s, kind, text, strlen(text));
	free(text);
	return f;
}

static inline const struct scan_finding *finding_of(const struct scan_findings *f, const char *rule)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->at[i].rule->id, rule) == 0)
			return &f->at[i];
	return NULL;
}

static inline void print_findings(const char *what, const struct scan_findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		print_message("  %s: %s %s at %s: %s\n", what, scan_severity_name(f->at[i].rule->severity),
			f->at[i].rule->id, f->at[i].path, f->at[i].shown);
}
