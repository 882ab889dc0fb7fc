/* SPDX-License-Identifier: Apache-2.0 */
/* schema_unit - a value judged by a schema, for tests */
#pragma once
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include "base/buf.h"
#include "schema/schema.h"

enum { TEXT_MAX = 32 << 20 };

static inline struct schema_compiled *compiled(const char *schema, bool strict)
{
	const struct schema_options options = { .root = "arguments", .strict = strict };
	struct schema_compiled *s;
	struct diag d = { 0 };

	if (schema_compile(schema, strlen(schema), &options, &s, &d) != 0)
		fail_msg("%s: %s", schema, d.text);
	return s;
}

static inline int judge(const char *schema, bool strict, const char *value, size_t n, struct schema_error *ret)
{
	struct schema_compiled *s = compiled(schema, strict);
	struct schema_checker *c = schema_checker_new();
	int e;

	assert_non_null(c);
	e = schema_check(s, c, value, n, ret);
	schema_checker_free(c);
	schema_compiled_free(s);
	return e;
}

/* unit n times over, between head and tail */
static inline void repeat(struct buf *b, const char *head, const char *unit, size_t n, const char *tail)
{
	buf_clear(b);
	assert_int_equal(buf_puts(b, head), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_puts(b, unit), 0);
	assert_int_equal(buf_puts(b, tail), 0);
}
